//! What a case finds must not depend on how entries come, and must stay true where entries are missing.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod drains;
mod missing;
mod windows;

use std::collections::BTreeSet;
use std::ops::Range;

use audit_who_event::answer::{Answer, Outcome};
use audit_who_event::case::{Ask, Case, Findings, Subject, Window};
use audit_who_event::envelope::{self, Sink};
use audit_who_event::event::Event;
use audit_who_event::fold::{Address, Fold};
use audit_who_event::glob::Glob;
use audit_who_event::question::{Argument, QUESTIONS, Question, named};
use audit_who_event::share::Kind;
use audit_who_event::subject;
use audit_who_event::target::Target;
use audit_who_event::time::Timestamp;
use audit_who_testkit::entry::Level;
use audit_who_testkit::scenario;

/// Targets that some story is about.
const TARGETS: &[&str] =
    &["pod/*", "deploy/*", "node/*", "ns/*", "cm/*", "job/*", "sts/*", "pods.whales.example/*"];

struct Feed<'a> {
    case: &'a mut Case,
    offset: u64,
}

impl Sink for Feed<'_> {
    fn event(&mut self, event: &Event<'_>, span: Range<usize>) {
        let address =
            Address { source: 0, offset: self.offset + span.start as u64, length: span.len() as u64 };
        self.case.event(event, address);
    }
    fn bad(&mut self, span: Range<usize>, reason: &str) {
        panic!("{span:?}: {reason}");
    }
}

/// Lines with their places.
type Lines = Vec<(u64, String)>;

fn lines(log: &str) -> Lines {
    let mut offset = 0;
    let placed = |line: &str| {
        let place = (offset, line.to_owned());
        offset += line.len() as u64 + 1;
        place
    };
    log.lines().map(placed).collect()
}

/// Runs a case to its end; `look` hands out the lines of each look, in parts that are read apart.
fn run(question: &'static Question, subject: Subject, look: impl FnMut(&Case) -> Vec<Lines>) -> Findings {
    ask(Ask::new(question, subject), look)
}

/// Runs a case twice at once: judging it anew after each look finds the same as judging what is new, with several threads.
fn ask(ask: Ask, mut look: impl FnMut(&Case) -> Vec<Lines>) -> Findings {
    let (mut anew, mut more) = (Case::new(ask.clone()), Case::new(ask));
    more.judge_with(3);
    let mut found: Option<Findings> = None;
    loop {
        let mut merged = [anew.fork(), more.fork()];
        for part in look(&anew) {
            for (case, merged) in [&anew, &more].into_iter().zip(&mut merged) {
                let mut fork = case.fork();
                for (offset, line) in &part {
                    envelope::decode(line.as_bytes(), &mut Feed { case: &mut fork, offset: *offset });
                }
                merged.merge(fork);
            }
        }
        let (sources, [look_anew, look_more]) = (["log".to_owned()], merged);
        let findings = anew.learn(look_anew, &sources);
        let same = match found {
            None => more.learn(look_more, &sources),
            Some(before) => more.learn_more(before, look_more, &sources),
        };
        assert_eq!((&findings, anew.is_open()), (&same, more.is_open()));
        assert_eq!(anew.look().filters, more.look().filters);
        if !anew.is_open() {
            return findings;
        }
        found = Some(same);
    }
}

fn target(text: &str) -> Subject {
    Subject::Target(Target::parse(text).unwrap())
}

fn subjects(question: &Question) -> Vec<Subject> {
    match question.argument {
        Argument::Target => TARGETS.iter().map(|text| target(text)).collect(),
        // These are not asked of a case.
        Argument::Dimension | Argument::Nothing => Vec::new(),
        Argument::User => vec![Subject::User(Glob::new("maria")), Subject::User(Glob::any())],
    }
}

fn shuffled<T>(mut items: Vec<T>, seed: &mut impl FnMut(usize) -> usize) -> Vec<T> {
    for last in (1..items.len()).rev() {
        items.swap(last, seed(last + 1));
    }
    items
}

/// A sequence of numbers below a bound, from a seed.
fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut random = audit_who_testkit::random::SplitMix64::new(seed);
    move |bound| usize::try_from(random.next() % bound as u64).unwrap()
}

#[test]
fn neither_order_nor_parts_nor_the_prefilter_change_what_is_found() {
    let mut next = numbers(7);
    for story in scenario::all() {
        for level in [Level::Metadata, Level::RequestResponse] {
            let all = lines(&story.log(level));
            for question in QUESTIONS {
                for subject in subjects(question) {
                    let plain = run(question, subject.clone(), |_| vec![all.clone()]);
                    let mixed = run(question, subject.clone(), |_| {
                        let mut parts = vec![Lines::new(); 3];
                        for line in shuffled(all.clone(), &mut next) {
                            parts[next(3)].push(line);
                        }
                        parts
                    });
                    assert_eq!(plain, mixed, "{} {subject} of {} at {level:?}", question.name, story.name);
                    let filtered = run(question, subject.clone(), |case| vec![selected(&all, case)]);
                    assert_eq!(plain, filtered, "{} {subject} of {} at {level:?}", question.name, story.name);
                }
            }
        }
    }
}

/// Looks at what lies within an hour take little of a log, and may be more.
#[test]
fn no_question_looks_through_a_log_more_than_twice() {
    const HOUR: i64 = 60 * 60 * 1_000_000;
    let mut brief = 0;
    for story in scenario::all() {
        for level in [Level::Metadata, Level::RequestResponse] {
            let all = lines(&story.log(level));
            for question in QUESTIONS {
                for subject in subjects(question) {
                    let mut whole = 0;
                    run(question, subject.clone(), |case| {
                        let Window { from, until } = case.look().window();
                        let is_brief = from > Timestamp::MIN && until.since(from) <= HOUR;
                        brief += usize::from(is_brief);
                        whole += usize::from(!is_brief);
                        vec![all.clone()]
                    });
                    assert!(
                        whole <= 2,
                        "{whole}: {} {subject} of {} at {level:?}",
                        question.name,
                        story.name
                    );
                }
            }
        }
    }
    assert!(brief > 0);
}

/// How else objects went is judged only where nothing answers the question, and so is what is behind that.
#[test]
fn what_is_behind_other_removals_is_not_looked_for_where_there_are_answers() {
    let log = |name: &str| scenario::find(name).unwrap().log(Level::Metadata);
    let looked_for = |all: Lines| {
        let mut resources = BTreeSet::new();
        let found = run(named("evicted").unwrap(), target("pod/*"), |case| {
            resources.extend(case.look().filters.into_iter().flatten().filter_map(|filter| filter.resource));
            vec![all.clone()]
        });
        (found.answers.len(), found.related.len(), resources.contains("horizontalpodautoscalers"))
    };
    let (evicted, scaled) = (log("eviction-api"), log("scale-down"));
    let (answers, related, wants_scalers) = looked_for(lines(&scaled));
    assert!(answers == 0 && related > 0 && wants_scalers);
    let (answers, related, wants_scalers) = looked_for(lines(&(evicted + &scaled)));
    assert!(answers > 0 && related == 0 && !wants_scalers);
}

/// Holds what a case takes against the share of its kind that it says to look at.
struct Shares<'a> {
    case: &'a mut Case,
    left_out: &'a mut usize,
}

impl Sink for Shares<'_> {
    fn event(&mut self, event: &Event<'_>, span: Range<usize>) {
        let (group, resource) = subject::resource_of(event);
        let subresource = event.object_ref.as_ref().map_or("", |object| &*object.subresource);
        let kind = Kind {
            group,
            resource,
            subresource,
            verb: &event.verb,
            stage: &event.stage,
            level: &event.level,
        };
        let before = self.case.entries().count();
        let address = Address { source: 0, offset: 0, length: span.len() as u64 };
        self.case.event(event, address);
        if !self.case.share(&kind).holds(event.code(), &event.user.username) {
            *self.left_out += 1;
            assert_eq!(
                self.case.entries().count(),
                before,
                "{kind:?} {} {}",
                event.code(),
                event.user.username
            );
        }
    }
    fn bad(&mut self, span: Range<usize>, reason: &str) {
        panic!("{span:?}: {reason}");
    }
}

/// What a store does not read for a question is nothing that the question takes.
#[test]
fn a_case_takes_nothing_that_is_in_no_share() {
    let mut left_out = 0;
    for story in scenario::all() {
        for level in [Level::Metadata, Level::RequestResponse] {
            let all = lines(&story.log(level));
            for question in QUESTIONS {
                for subject in subjects(question).into_iter().chain([target("events/*"), target("leases/*")])
                {
                    let mut case = Case::new(Ask::new(question, subject));
                    for (_, line) in &all {
                        envelope::decode(
                            line.as_bytes(),
                            &mut Shares { case: &mut case, left_out: &mut left_out },
                        );
                    }
                }
            }
        }
    }
    assert!(left_out > 10_000, "{left_out}");
}

/// A story that happens in very many namespaces at once.
fn in_many_namespaces(story: &str, namespace: &str, level: Level) -> Lines {
    let log = scenario::find(story).unwrap().log(level);
    let copy = |number: usize| {
        let own = format!("{namespace}-{number}");
        let quoted = log.replace(&format!("\"{namespace}\""), &format!("\"{own}\""));
        quoted.replace(&format!("/{namespace}/"), &format!("/{own}/"))
    };
    lines(&(0..1_100).map(copy).collect::<String>())
}

/// More objects than one thread judges at once: what each of them finds and misses is put together.
#[test]
fn many_objects_are_judged_by_several_threads_as_by_one() {
    for (story, question, answers, causes) in [
        ("rollout", "deleted", 1_100, 1_100),
        ("drain", "evicted", 2_200, 2_200),
        ("eviction-denied", "evicted", 2_200, 0),
        ("rollout-unseen", "created", 3_300, 2_200),
    ] {
        let all = in_many_namespaces(story, "shop", Level::RequestResponse);
        let found = run(named(question).unwrap(), target("pod/*"), |_| vec![all.clone()]).answers;
        let caused = found.iter().filter(|answer| answer.cause.is_some()).count();
        assert_eq!((found.len(), caused), (answers, causes), "{question} in {story}");
    }
}

/// `kubectl apply` looks for an object, finds none and creates it: that is not its end.
#[test]
fn what_was_missing_before_it_was_created_is_not_gone() {
    let entry = |second: u8, user: &str, verb: &str, code: u16| {
        format!(
            r#"{{"level":"Metadata","auditID":"{second}","stage":"ResponseComplete","requestURI":"/x","verb":"{verb}","user":{{"username":"{user}"}},"objectRef":{{"resource":"pods","namespace":"shop","name":"web-1","apiVersion":"v1"}},"responseStatus":{{"code":{code}}},"requestReceivedTimestamp":"2026-01-01T00:00:{second:02}.000000Z","stageTimestamp":"2026-01-01T00:00:{second:02}.000001Z"}}"#
        )
    };
    let log = [
        entry(1, "jonas", "get", 404),
        entry(2, "jonas", "create", 201),
        entry(9, "system:node:n1", "delete", 200),
    ];
    let all = lines(&log.join("\n"));
    let answers = run(named("deleted").unwrap(), target("pod/web-1"), |_| vec![all.clone()]).answers;
    let outcomes: Vec<Outcome> = answers.iter().map(|answer| answer.outcome).collect();
    assert_eq!(outcomes, [Outcome::Unknown]);
    assert_eq!(answers[0].evidence[0].audit_id, "9");
}

/// Who looked for an object before it was made knows nothing of another one that a collection's delete removed.
#[test]
fn what_was_missing_went_with_no_collection() {
    let entry = |second: u8, verb: &str, name: &str, code: u16, response: &str| {
        format!(
            r#"{{"level":"RequestResponse","auditID":"{second}","stage":"ResponseComplete","requestURI":"/x","verb":"{verb}","user":{{"username":"jonas"}},"objectRef":{{"resource":"pods","namespace":"shop"{name},"apiVersion":"v1"}},"responseStatus":{{"code":{code}}},"responseObject":{response},"requestReceivedTimestamp":"2026-01-01T00:00:{second:02}.000000Z","stageTimestamp":"2026-01-01T00:00:{second:02}.000001Z"}}"#
        )
    };
    let pod = r#"{"metadata":{"name":"web-1","namespace":"shop","uid":"u1"}}"#;
    let name = r#","name":"web-1""#;
    let log = [
        entry(1, "get", name, 404, "{}"),
        entry(2, "create", name, 201, pod),
        entry(9, "deletecollection", "", 200, &format!(r#"{{"items":[{pod}]}}"#)),
    ];
    let all = lines(&log.join("\n"));
    let answers = run(named("deleted").unwrap(), target("pod/web-1"), |_| vec![all.clone()]).answers;
    let uids: Vec<Option<&str>> = answers.iter().map(|answer| answer.object.uid.as_deref()).collect();
    assert_eq!(uids, [Some("u1")]);
}

/// What is refused is not decoded, so that no name of what was to be created is known.
#[test]
fn a_refusal_without_a_name_is_told_of_the_kind_and_may_be_of_each() {
    let entry = |second: u8, verb: &str, namespace: &str| {
        format!(
            r#"{{"level":"Metadata","auditID":"{second}","stage":"ResponseComplete","requestURI":"/x","verb":"{verb}","user":{{"username":"jonas"}},"objectRef":{{"resource":"pods"{namespace},"apiVersion":"v1"}},"responseStatus":{{"code":403}},"requestReceivedTimestamp":"2026-01-01T00:00:{second:02}.000000Z","stageTimestamp":"2026-01-01T00:00:{second:02}.000001Z"}}"#
        )
    };
    let shop = r#","namespace":"shop""#;
    let log = [
        entry(1, "create", shop),
        entry(2, "create", shop),
        entry(3, "list", shop),
        entry(4, "list", ""),
        entry(5, "create", r#","namespace":"lab""#),
    ];
    let all = lines(&log.join("\n"));
    let asked = |pod: &str, namespace: Option<&str>| {
        let target = Target::parse(pod).unwrap().in_namespace(namespace.map(Glob::new));
        let found = run(named("denied").unwrap(), Subject::Target(target), |case| vec![selected(&all, case)]);
        let told = |answers: Vec<Answer>| answers.into_iter().map(|answer| answer.text).collect::<Vec<_>>();
        (told(found.answers), told(found.related))
    };
    let said = |count: &str, what: &str| format!("jonas tried {count}to {what} and was not allowed to (403)");
    let (create, list) = ("create pods of namespace", "list pods of namespace");
    let everywhere = [
        said("2 times ", &format!("{create} shop")),
        said("", &format!("{list} shop")),
        said("", "list pods of the whole cluster"),
        said("", &format!("{create} lab")),
    ];
    assert_eq!(asked("pods", None), (everywhere.to_vec(), vec![]));
    let (answers, related) = asked("pods", Some("shop"));
    assert_eq!((&answers[..], &related[..]), (&everywhere[..2], &everywhere[2..3]));
    let (answers, related) = asked("pod/web-1", Some("shop"));
    assert_eq!((answers, related), (vec![], vec![said("", &format!("{create} shop"))]));
}

/// The lines that hold one of the literals: what a prefilter leaves at least.
fn selected(all: &Lines, case: &Case) -> Lines {
    let literals = case.look().literals;
    let holds =
        |line: &str| literals.as_slice().is_none_or(|list| list.iter().any(|literal| line.contains(literal)));
    all.iter().filter(|(_, line)| holds(line)).cloned().collect()
}

/// What was done to what, when and by whom, and everybody who was behind it.
type Deeds = Vec<(String, BTreeSet<String>)>;

fn deeds(answers: &[Answer]) -> Deeds {
    let done = answers.iter().filter(|answer| answer.outcome == Outcome::Succeeded);
    let people = |answer: &Answer| answer.chain.iter().map(|link| link.actor.username.clone()).collect();
    let deed = |answer: &Answer| {
        let object = &answer.object;
        let actor = answer.actor.as_ref().map(|actor| &actor.username);
        format!("{:?} {} {:?} {} {actor:?}", answer.time, object.resource, object.namespace, object.name)
    };
    done.map(|answer| (deed(answer), people(answer))).collect()
}

/// What was done by whom, whenever it was.
fn undated(deed: &str) -> Option<&str> {
    deed.split_once(' ').map(|(_, rest)| rest)
}
