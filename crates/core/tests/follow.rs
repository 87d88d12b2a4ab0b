//! However a log grows and is rotated while it is followed, all that is true at its end was told, and each once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "all of this is tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use audit_who_core::event::answer::{Answer, Outcome};
use audit_who_core::event::case::{Ask, Case, Subject};
use audit_who_core::event::question;
use audit_who_core::event::target::Target;
use audit_who_core::follow::Follow;
use audit_who_core::tail::Tailer;
use audit_who_core::{Files, Inputs, Scan, ask};
use audit_who_testkit::context::{Context, fixtures};
use proptest::prelude::*;

/// What makes two answers one.
type Told = (String, Option<String>, String, String);

fn told(answer: &Answer) -> Told {
    let actor = answer.actor.as_ref().map(|actor| actor.username.clone());
    let time = answer.time.map(|time| time.to_string()).unwrap_or_default();
    (answer.object.name.clone(), actor, time, answer.outcome.to_string())
}

fn asked_about(question: &str, kind: &str) -> Ask {
    Ask::new(question::named(question).unwrap(), Subject::Target(Target::parse(kind).unwrap()))
}

fn open(folder: &Path, store: &Path, ask: &Ask) -> Follow {
    let tailer = Tailer::builder().path(folder).db(store).inotify_watcher(false).exit_on_eof(true);
    Follow::new(tailer.build().unwrap(), Scan::new().threads(1), ask.clone())
}

/// What is done to a log before it is looked at again.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many lines are appended.
    Append(usize),
    Rotate,
    /// The process is killed, and another one goes on. Behind it answers may come twice.
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1..9_usize).prop_map(Step::Append),
        1 => Just(Step::Rotate),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..14)
}

/// A story, the question that is asked of it, and of what kind of object.
const STORIES: [(&str, &str, &str); 10] = [
    ("drain", "evicted", "pod"),
    ("eviction-blocked", "evicted", "pod"),
    ("preemption", "evicted", "pod"),
    ("taint", "evicted", "pod"),
    ("scale-down", "deleted", "pod"),
    ("delete-collection", "deleted", "pod"),
    ("namespace-deletion", "deleted", "pod"),
    ("owner-gc", "deleted", "pod"),
    ("finalizer", "deleted", "pod"),
    ("changes", "changed", "deployment"),
];

fn check(story: &str, ask: &Ask, level: &str, steps: &[Step]) {
    let text = fs::read_to_string(fixtures().join(story).join(level).join("audit.log")).unwrap();
    let context = Context::new().unwrap();
    let folder = context.path().join("logs");
    fs::create_dir(&folder).unwrap();
    let log = folder.join("audit.log");
    let cursor = context.path().join("cursor.db");
    let mut follow = open(&folder, &cursor, ask);
    let mut all: BTreeMap<Told, usize> = BTreeMap::new();
    let mut restarts = 0;
    let mut note = |answers: &[Answer]| {
        for answer in answers {
            *all.entry(told(answer)).or_default() += 1;
        }
    };
    note(&follow.begin().unwrap().answers);
    let mut lines = text.split_inclusive('\n');
    for (number, step) in steps.iter().chain(&[Step::Append(usize::MAX)]).enumerate() {
        match step {
            Step::Append(count) => {
                let part: String = lines.by_ref().take(*count).collect();
                File::options()
                    .append(true)
                    .create(true)
                    .open(&log)
                    .unwrap()
                    .write_all(part.as_bytes())
                    .unwrap();
            }
            Step::Rotate if log.exists() => {
                fs::rename(&log, folder.join(format!("audit-2026-03-02T09-00-{number:02}.000.log"))).unwrap();
            }
            Step::Rotate => {}
            Step::Restart => {
                drop(follow);
                follow = open(&folder, &cursor, ask);
                note(&follow.begin().unwrap().answers);
                restarts += 1;
            }
        }
        for round in &mut follow {
            let round = round.unwrap();
            note(&round.answers);
            round.commit().unwrap();
        }
    }
    let (round, coverage) = follow.finish();
    note(&round.answers);
    round.commit().unwrap();
    if restarts == 0 {
        assert_eq!(coverage.total.bytes, text.len() as u64);
        let often: Vec<_> = all.iter().filter(|(_, count)| **count > 1).collect();
        assert!(often.is_empty(), "{story}: told more than once: {often:?}");
    }

    let inputs = Inputs::open([&folder]);
    let asked = ask_all(&inputs, ask);
    let wanted: BTreeSet<Told> = asked.iter().map(told).collect();
    let missing: Vec<_> = wanted.iter().filter(|answer| !all.contains_key(*answer)).collect();
    assert!(missing.is_empty(), "{story}: not told: {missing:?}; told: {all:?}");
    // What was done is not told of anything else; what was tried is told again with each attempt.
    let done = |answer: &&Told| answer.3 == Outcome::Succeeded.to_string();
    let wrong: Vec<_> = all.keys().filter(done).filter(|answer| !wanted.contains(*answer)).collect();
    assert!(wrong.is_empty(), "{story}: told and not true: {wrong:?}; true: {wanted:?}");
}

fn ask_all(inputs: &Inputs, question: &Ask) -> Vec<Answer> {
    ask(&Files::new(&Scan::new().threads(1), inputs), Case::new(question.clone())).findings.answers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn all_that_is_true_is_told(story in prop::sample::select(&STORIES[..]), metadata: bool, steps in steps()) {
        let (story, question, kind) = story;
        check(story, &asked_about(question, kind), if metadata { "metadata" } else { "" }, &steps);
    }
}
