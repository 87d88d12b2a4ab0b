//! What a case finds must not depend on how entries come, and must stay true where entries are missing.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeSet;
use std::ops::Range;

use audit_who_event::answer::{Answer, Outcome};
use audit_who_event::case::{Ask, Case, Findings, Subject, Window};
use audit_who_event::envelope::{self, Sink};
use audit_who_event::event::Event;
use audit_who_event::fold::{Address, Fold};
use audit_who_event::glob::Glob;
use audit_who_event::peek;
use audit_who_event::question::{Argument, QUESTIONS, Question, named};
use audit_who_event::share::Kind;
use audit_who_event::subject;
use audit_who_event::target::Target;
use audit_who_event::time::Timestamp;
use audit_who_testkit::entry::Level;
use audit_who_testkit::scenario;
use proptest::prelude::*;

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

/// A drain may take its time; what it does is told with a window, too, that begins long after it.
#[test]
fn a_drain_that_began_long_before_is_behind_an_eviction() {
    let log = scenario::find("drain").unwrap().log(Level::RequestResponse);
    let earlier = |line: &str| {
        let of_node = line.contains(r#""resource":"nodes""#);
        if of_node { line.replace("T09:02:02", "T08:55:02") } else { line.to_owned() }
    };
    let all = lines(&log.lines().map(earlier).collect::<Vec<_>>().join("\n"));
    let at = |time| Timestamp::parse(time).unwrap();
    let window = Window { from: at("2026-03-02T09:02:05Z"), until: at("2026-03-02T09:03:00Z") };
    let evicted = Ask::new(named("evicted").unwrap(), target("pod/web-2"));
    let answers = ask(Ask { window, ..evicted }, |case| vec![in_window(&all, case)]).answers;
    let chain: Vec<&str> = answers[0].chain.iter().map(|link| link.action.as_str()).collect();
    assert_eq!(chain, ["drained node worker-1"]);
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

/// What was tried after a window takes nothing from what was tried in it.
#[test]
fn tries_are_counted_within_the_window() {
    let entry = |second: i64, user: &str, code: u16| {
        format!(
            r#"{{"level":"Metadata","auditID":"{second}","stage":"ResponseComplete","requestURI":"/x","verb":"delete","user":{{"username":"{user}"}},"objectRef":{{"resource":"pods","namespace":"shop","name":"web-1","apiVersion":"v1"}},"responseStatus":{{"code":{code}}},"requestReceivedTimestamp":"2026-01-01T00:00:{second:02}.000000Z","stageTimestamp":"2026-01-01T00:00:{second:02}.000001Z"}}"#
        )
    };
    let refused = [1, 2, 3, 8].map(|second| entry(second, "jonas", 403));
    let done = entry(9, "maria", 200);
    let begin = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
    let at = |second: i64| begin.plus(second * 1_000_000);
    for (question, log) in [
        ("denied", refused.join("\n")),
        ("deleted", refused.join("\n")),
        ("deleted", [refused.join("\n"), done].join("\n")),
    ] {
        let all = lines(&log);
        let window = Window { from: at(2), until: at(5) };
        let asked = Ask { window, ..Ask::new(named(question).unwrap(), target("pod/web-1")) };
        let answers = ask(asked, |_| vec![all.clone()]).answers;
        let told: Vec<(Outcome, u64)> =
            answers.iter().map(|answer| (answer.outcome, answer.attempts.denied)).collect();
        assert_eq!(told, [(Outcome::Denied, 2)], "{question}");
    }
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

/// Whoever sent a request that removes something and was let do it.
fn removers(log: &Lines) -> BTreeSet<String> {
    let removes = |event: &serde_json::Value| {
        let verb = event["verb"].as_str().unwrap_or_default();
        let evicts =
            event["objectRef"]["subresource"] == "eviction" || event["objectRef"]["subresource"] == "status";
        verb.starts_with("delete") || evicts
    };
    log.iter()
        .map(|(_, line)| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(removes)
        .filter_map(|event| Some(event["user"]["username"].as_str()?.to_owned()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Files of one API server may be missing: then less is said, and nothing that is not so.
    #[test]
    fn missing_entries_make_nobody_guilty(seed in any::<u64>(), story in 0..scenario::all().count(), often in 2_usize..8) {
        let story = scenario::all().nth(story).unwrap();
        let mut next = numbers(seed);
        for level in [Level::Metadata, Level::RequestResponse] {
            let all = lines(&story.log(level));
            let some: Lines = all.iter().filter(|_| next(often) > 0).cloned().collect();
            Said::of(&all).holds_for(&some, &format!("{} at {level:?}", story.name));
        }
    }
}

/// Where just the request is missing that somebody made, nobody else is taken for who made it.
#[test]
fn who_is_missing_is_not_replaced_by_another() {
    for story in scenario::all() {
        for level in [Level::Metadata, Level::RequestResponse] {
            let all = lines(&story.log(level));
            let mut said = Said::of(&all);
            // What nobody did at all, nobody does without that either: entries that are missing at random show it.
            said.deeds.retain(|(.., deeds)| !deeds.is_empty());
            let made: BTreeSet<String> =
                all.iter().filter_map(|(_, line)| request_of_a_human(line)).collect();
            for id in made {
                let some: Lines = all.iter().filter(|(_, line)| !line.contains(&id)).cloned().collect();
                said.holds_for(&some, &format!("{} at {level:?} without {id}", story.name));
            }
        }
    }
}

/// The audit ID of a request by which somebody who is no part of Kubernetes changed something.
fn request_of_a_human(line: &str) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(line).unwrap();
    let is_human = !event["user"]["username"].as_str()?.starts_with("system:");
    let reads = matches!(event["verb"].as_str()?, "get" | "list" | "watch");
    (is_human && !reads).then(|| event["auditID"].as_str().map(str::to_owned))?
}

/// What was done by whom, whenever it was.
fn undated(deed: &str) -> Option<&str> {
    deed.split_once(' ').map(|(_, rest)| rest)
}

/// All that is said of a log, by question and what it is about.
struct Said {
    deeds: Vec<(&'static Question, Subject, Deeds)>,
    may_remove: BTreeSet<String>,
}

impl Said {
    fn of(all: &Lines) -> Self {
        let asked = QUESTIONS
            .iter()
            .flat_map(|question| subjects(question).into_iter().map(move |subject| (question, subject)));
        let said = |(question, subject): (&'static Question, Subject)| {
            let Findings { answers, related, .. } = run(question, subject.clone(), |_| vec![all.clone()]);
            (question, subject, deeds(&[answers, related].concat()))
        };
        Self { deeds: asked.map(said).collect(), may_remove: removers(all) }
    }

    /// Whatever is said of a part of the log is said of all of it: by whom it was done, and which people were behind it. Who
    /// removed something may be missing, so that the next one who did is taken for the first.
    fn holds_for(&self, some: &Lines, of: &str) {
        for (question, subject, known) in &self.deeds {
            let removes = matches!(question.name, "evicted" | "deleted");
            let partial = run(question, subject.clone(), |_| vec![some.clone()]);
            for (deed, mut people) in deeds(&partial.answers) {
                people.retain(|name| !name.starts_with("system:"));
                let is_so = match known.iter().find(|(known, _)| *known == deed) {
                    Some((_, known)) => people.is_subset(known),
                    // Where the end of a long-running request is missing, its beginning is told.
                    None if !removes => known.iter().any(|(known, _)| undated(known) == undated(&deed)),
                    None => self.may_remove.iter().any(|name| deed.contains(name.as_str())),
                };
                assert!(is_so, "{} {subject} of {of}: {deed} {people:?}, not {known:?}", question.name);
            }
        }
    }
}

fn time_of(line: &str) -> Timestamp {
    peek::stage_time(line.as_bytes()).unwrap()
}

/// The same log, in which everything takes so many times as long.
fn stretched(log: &str, times: i64) -> String {
    let first = time_of(log.lines().next().unwrap());
    let mut out = String::new();
    let mut rest = log;
    while let Some(at) = rest.find("\"20") {
        let (before, text) = rest.split_at(at + 1);
        out.push_str(before);
        let time = text.get(..27).filter(|text| text.ends_with('Z')).and_then(Timestamp::parse);
        let length = if time.is_some() { 27 } else { 2 };
        match time {
            Some(time) => out.push_str(&first.plus(time.since(first) * times).to_string()),
            None => out.push_str(&text[..length]),
        }
        rest = &text[length..];
    }
    out + rest
}

/// The lines within the times that the next look is for.
fn in_window(all: &Lines, case: &Case) -> Lines {
    let Window { from, until } = case.look().window();
    all.iter().filter(|(_, line)| (from..=until).contains(&time_of(line))).cloned().collect()
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// With a window less may be known of what is behind an answer, and nothing that is not so; and what is outside of the
    /// times that a look is for need not be read.
    #[test]
    fn a_window_makes_nobody_guilty(
        story in 0..scenario::all().count(), from in 0_usize..100, length in 0_usize..100, times in prop::sample::select(&[1, 20][..]),
    ) {
        let story = scenario::all().nth(story).unwrap();
        for level in [Level::Metadata, Level::RequestResponse] {
            let all = lines(&stretched(&story.log(level), times));
            let time = |place: usize| time_of(&all[place.min(all.len() - 1)].1);
            let mut window = Window { from: time(from % all.len()), until: time(from % all.len() + length) };
            window.until = window.until.max(window.from);
            for question in QUESTIONS {
                for subject in subjects(question) {
                    let what = format!("{} {subject} of {} at {level:?}", question.name, story.name);
                    let within = Ask { window, ..Ask::new(question, subject.clone()) };
                    let found = ask(within.clone(), |_| vec![all.clone()]);
                    let read = ask(within, |case| vec![in_window(&all, case)]);
                    prop_assert_eq!(&found, &read, "{}", &what);
                    let full = run(question, subject, |_| vec![all.clone()]);
                    let answers = [full.answers, full.related].concat();
                    let answers: Vec<Answer> = answers.into_iter().filter(|answer| answer.time.is_none_or(|time| (window.from..=window.until).contains(&time))).collect();
                    let known = deeds(&answers);
                    // That a state before is not known is said.
                    let doubted = |answer: &Answer| answer.notes.iter().any(|note| note.contains("[rule: context]"));
                    let found: Vec<Answer> = found.answers.into_iter().filter(|answer| !doubted(answer)).collect();
                    for (deed, people) in deeds(&found) {
                        let same = known.iter().find(|(known, _)| *known == deed);
                        prop_assert!(same.is_some_and(|(_, known)| people.is_subset(known)), "{what}: {deed} {people:?}, not {known:?}");
                    }
                }
            }
        }
    }
}
