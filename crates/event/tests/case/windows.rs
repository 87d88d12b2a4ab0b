//! With a window, what lies within it is told, whatever lies around it.

use audit_who_event::answer::{Answer, Mechanism, Outcome};
use audit_who_event::case::{Ask, Case, Findings, Window};
use audit_who_event::peek;
use audit_who_event::question::{QUESTIONS, named};
use audit_who_event::time::Timestamp;
use audit_who_testkit::entry::Level;
use audit_who_testkit::scenario;
use proptest::prelude::*;

use super::{Lines, ask, deeds, lines, run, subjects, target, undated};

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

/// Who came in within a window is told, though they may leave later and nothing but that may be recorded; so is who began to
/// watch, if that is.
#[test]
fn what_lasts_beyond_the_window_is_told() {
    let begin = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
    let at = |second: i64| begin.plus(second * 1_000_000);
    let entry = |user: &str, (verb, subresource, stage, code): (&str, &str, &str, u16), received, told| {
        let (received, told) = (at(received), at(told));
        format!(
            r#"{{"level":"Metadata","auditID":"{user}","stage":"{stage}","requestURI":"/x","verb":"{verb}","user":{{"username":"{user}"}},"objectRef":{{"resource":"pods","namespace":"shop","name":"web-1","subresource":"{subresource}","apiVersion":"v1"}},"responseStatus":{{"code":{code}}},"requestReceivedTimestamp":"{received}","stageTimestamp":"{told}"}}"#
        )
    };
    let left = ("get", "exec", "ResponseComplete", 101);
    let [comes, goes] = ["ResponseStarted", "ResponseComplete"].map(|stage| ("watch", "", stage, 200));
    let log = [
        entry("early", left, 1, 30),
        entry("left", left, 3, 4),
        entry("stayed", left, 3, 9_000),
        entry("late", left, 6, 31),
        entry("began", comes, 4, 4),
        entry("began", goes, 4, 8_000),
        entry("watched", comes, 2, 2),
        entry("watched", goes, 2, 2),
        entry("untold", goes, 4, 8_001),
        entry("afterwards", ("get", "", "ResponseComplete", 200), 40, 40),
    ];
    let all = lines(&log.join("\n"));
    let window = Window { from: at(2), until: at(5) };
    for (question, expected) in [
        ("execed", &["left", "stayed"][..]),
        ("touched", &["watched", "left", "stayed", "began"]),
        ("read", &["watched", "began"]),
    ] {
        let asked = |window| Ask { window, ..Ask::new(named(question).unwrap(), target("pod/web-1")) };
        for from in [window.from, Timestamp::MIN] {
            let within = Window { from, ..window };
            let known = ask(asked(within), |_| vec![all.clone()]).answers;
            let answers = ask(asked(within), |case| vec![in_window(&all, case)]).answers;
            assert_eq!(known, answers);
            let told: Vec<&str> =
                answers.iter().filter_map(|answer| Some(&*answer.actor.as_ref()?.username)).collect();
            let early = (question != "read" && from < window.from).then_some("early");
            assert_eq!(
                told,
                early.into_iter().chain(expected.iter().copied()).collect::<Vec<_>>(),
                "{question}"
            );
        }
    }
}

fn time_of(line: &str) -> Timestamp {
    *peek::stage_times(line.as_bytes()).unwrap().end()
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

fn window_holds(window: Window, answer: &Answer) -> bool {
    answer.time.is_none_or(|time| (window.from..=window.until).contains(&time))
}

/// What was done `within` the window, but is not among what was found. What else a delete of a collection removed is told by
/// what was done to that before, which may lie long before the window.
fn lacking(found: &Findings, within: &[Answer]) -> Option<String> {
    let is_shown_before = |answer: &Answer| {
        matches!(answer.mechanism, Some(Mechanism::DeleteCollection | Mechanism::NamespaceDeletion))
    };
    let named: Vec<Answer> = within.iter().filter(|answer| !is_shown_before(answer)).cloned().collect();
    let told = deeds(&[&found.answers[..], &found.related].concat());
    let mut done = deeds(&named).into_iter().map(|(deed, _)| deed);
    done.find(|deed| told.iter().all(|(told, _)| told != deed))
}

/// What was found that nobody did `within` the window, or that others are behind. Where the end of a long-running request lies
/// behind the window, its beginning is told.
fn wrong(found: &Findings, within: &[Answer], around: &[Answer]) -> Option<String> {
    let (within, around) = (deeds(within), deeds(around));
    // That a state before is not known is said.
    let is_doubted = |answer: &&Answer| answer.notes.iter().any(|note| note.contains("[rule: context]"));
    let is_so = |answer: &Answer| {
        let begins = answer.evidence.first().is_some_and(|entry| entry.stage == "ResponseStarted");
        deeds(std::slice::from_ref(answer)).iter().all(|(deed, people)| {
            let begun = around.iter().find(|(known, _)| begins && undated(known) == undated(deed));
            let same = within.iter().find(|(known, _)| known == deed).or(begun);
            same.is_some_and(|(_, known)| people.is_subset(known))
        })
    };
    let wrong = found.answers.iter().filter(|answer| !is_doubted(answer)).find(|answer| !is_so(answer));
    wrong.map(|answer| format!("{answer:?}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// With a window less may be known of what is behind an answer, nothing that is not so, and of who did it as much as without;
    /// and what is outside of the times that a look is for need not be read.
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
                    let (within, around): (Vec<Answer>, Vec<Answer>) =
                        answers.into_iter().partition(|answer| window_holds(window, answer));
                    let lacking = lacking(&found, &within);
                    prop_assert!(lacking.is_none(), "{what}: {lacking:?} is not in {:?}", deeds(&found.answers));
                    let wrong = wrong(&found, &within, &around);
                    prop_assert!(wrong.is_none(), "{what}: {wrong:?} is not in {:?}", deeds(&within));
                }
            }
        }
    }
}
