//! With a window, what lies within it is told, whatever lies around it.

use audit_who_event::answer::{Answer, Outcome};
use audit_who_event::case::{Ask, Case, Window};
use audit_who_event::peek;
use audit_who_event::question::{QUESTIONS, named};
use audit_who_event::time::Timestamp;
use audit_who_testkit::entry::Level;
use audit_who_testkit::scenario;
use proptest::prelude::*;

use super::{Lines, ask, deeds, lines, run, subjects, target};

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
