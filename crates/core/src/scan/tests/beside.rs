//! What is searched for beside is found beside or where it was not searched for yet, and changes nothing else.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use audit_who_event::answer::Evidence;
use audit_who_event::case::{Ask, Case, Subject, Window};
use audit_who_event::fold::Foreseen;
use audit_who_event::glob::Glob;
use audit_who_event::question::{Argument, QUESTIONS};
use audit_who_event::target::Target;
use audit_who_testkit::entry::Level;
use audit_who_testkit::scenario;

use super::*;
use crate::evidence::Hashes;
use crate::logs::{Files, Logs};

/// Foresees one set of strings more with each so many events.
struct Stages {
    sets: Vec<Literals>,
    every: usize,
    taken: usize,
    beside: Seen,
}

impl Stages {
    fn look(&self, version: usize) -> Look {
        Look { filters: None, literals: Literals::any_of_all(self.sets[..version].iter().cloned()) }
    }
}

impl Foresee<Seen> for Stages {
    fn take(&mut self, found: &Seen, taken: &mut usize) {
        self.taken += found.0.len() - *taken;
        *taken = found.0.len();
    }

    fn version(&self) -> usize {
        (self.taken / self.every).min(self.sets.len())
    }

    fn foreseen(&self) -> Option<Foreseen<Seen>> {
        let version = self.version();
        (version > 0).then(|| Foreseen { look: self.look(version), within: None, fold: Seen::default() })
    }

    fn found(&mut self, beside: Seen) {
        self.beside = beside;
    }
}

fn strings() -> impl Strategy<Value = Literals> {
    proptest::collection::vec("[abc.]{1,3}", 0..4).prop_map(Literals::any_of)
}

proptest! {
    #[test]
    fn nothing_is_lost_between_two_looks(
        content in content().prop_filter("lines", |content| is_lines(content)), cuts in proptest::collection::vec(0_usize..600, 0..4),
        literals in strings(), sets in proptest::collection::vec(strings(), 0..3), every in 1_usize..6,
        range in 1_u64..150, block in 1_usize..120, threads in 1_usize..4,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a.log", "b.log.zst", "c.log.zst"].map(|name| folder.path().join(name));
        let packed = [content.clone(), framed(&content, cuts), framed(&content, Vec::new())];
        paths.iter().zip(packed).for_each(|(path, content)| fs::write(path, content).unwrap());
        let inputs = Inputs::open(&paths);
        let scan = sizes(block, range, threads);
        let look = Look { filters: None, literals };
        let mut stages = Stages { sets, every, taken: 0, beside: Seen::default() };
        let (mut seen, coverage, searched) = scan.read(&inputs, &look, Seen::default, Some(&mut stages), predictable(decode));
        seen.0.sort();

        let (mut straight, expected) = scan.run_with(&Inputs::open(&paths), &look, Seen::default, decode);
        straight.0.sort();
        prop_assert_eq!(&seen, &straight);
        prop_assert_eq!(&coverage, &expected);

        for version in 1..=stages.version() {
            let wanted = stages.look(version);
            let again = scan.clone().again(searched.since(version));
            let (mut both, _) = again.run_with(&inputs, &wanted, Seen::default, decode);
            both.0.extend(stages.beside.0.iter().cloned());
            let line_of = |address: &Address| {
                let at = usize::try_from(address.offset).unwrap();
                let start = content[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
                content[start..].split(|byte| *byte == b'\n').next().unwrap()
            };
            both.0.retain(|(address, _)| is_selected(line_of(address), &wanted.literals));
            both.0.sort();
            both.0.dedup();
            let (mut all, _) = Scan::new().run_with(&inputs, &wanted, Seen::default, decode);
            all.0.retain(|(address, _)| is_selected(line_of(address), &wanted.literals));
            all.0.sort();
            prop_assert_eq!(both, all);
        }
    }
}

/// Logs of which it is counted how often they were read again, how often not a part of them, and how often only a sample.
pub(super) struct Watched<'a> {
    files: Files<'a>,
    foresees: bool,
    again: AtomicUsize,
    spared: AtomicUsize,
    samples: AtomicUsize,
}

impl<'a> Watched<'a> {
    pub(super) fn new(files: Files<'a>, foresees: bool) -> Self {
        let [again, spared, samples] = [const { AtomicUsize::new(0) }; 3];
        Self { files, foresees, again, spared, samples }
    }
}

impl Logs for Watched<'_> {
    fn sources(&self) -> Vec<String> {
        self.files.sources()
    }

    fn look<F: Fold>(&self, look: &Look, fork: impl FnMut() -> F) -> (F, Coverage) {
        self.files.look(look, fork)
    }

    fn look_back<F: Fold>(
        &self,
        look: &Look,
        fork: impl FnMut() -> F,
        foresight: &mut dyn Foresee<F>,
    ) -> (F, Coverage, Searched) {
        if self.foresees {
            return self.files.look_back(look, fork, foresight);
        }
        let (fold, coverage) = self.look(look, fork);
        (fold, coverage, Searched::default())
    }

    fn look_again<F: Fold>(
        &self,
        look: &Look,
        fork: impl FnMut() -> F,
        known: &Stretches,
    ) -> (F, Vec<Problem>) {
        self.again.fetch_add(1, Ordering::Relaxed);
        self.spared.fetch_add(usize::from(*known != Stretches::default()), Ordering::Relaxed);
        self.files.look_again(look, fork, known)
    }

    fn sample<F: Fold>(
        &self,
        look: &Look,
        fork: impl FnMut() -> F,
        suffices: impl Fn(&F) -> bool,
    ) -> (F, Coverage) {
        self.samples.fetch_add(1, Ordering::Relaxed);
        self.files.sample(look, fork, suffices)
    }

    fn hashes(&self, entries: &BTreeSet<Evidence>) -> Hashes {
        self.files.hashes(entries)
    }
}

/// What questions are asked about.
const TARGETS: [&str; 8] =
    ["pod/*", "deploy/*", "node/*", "ns/*", "cm/*", "job/*", "sts/*", "pods.whales.example/*"];

/// A window within which some of a story's entries lie, open at one end for two stories of three.
pub(super) fn window_in(log: &str, number: usize) -> Window {
    let entries = log.lines().filter_map(|line| serde_json::from_str(line).ok());
    let time = |entry: serde_json::Value| Timestamp::parse(entry["stageTimestamp"].as_str()?);
    let mut times: Vec<Timestamp> = entries.filter_map(time).collect();
    times.sort();
    let [from, until] = [times.len() / 2, times.len() * 3 / 4].map(|place| times[place]);
    match number % 3 {
        0 => Window { from, until },
        1 => Window { from, until: Timestamp::MAX },
        _ => Window { from: Timestamp::MIN, until },
    }
}

/// All questions of all stories, each with and without foresight, within the window that each gets; says how many looks were spared
/// a part.
fn asked_twice(window: impl Fn(&str, usize) -> Window) -> usize {
    let mut spared = 0;
    for (number, story) in scenario::all().enumerate() {
        let level = [Level::Metadata, Level::RequestResponse][number % 2];
        let log = story.log(level);
        let window = window(&log, number);
        let (_folder, path) = file(log);
        for question in QUESTIONS {
            let subjects: Vec<Subject> = match question.argument {
                Argument::Target => {
                    TARGETS.map(|text| Subject::Target(Target::parse(text).unwrap())).to_vec()
                }
                Argument::User => vec![Subject::User(Glob::any())],
                Argument::Dimension | Argument::Nothing => Vec::new(),
            };
            for subject in subjects {
                let inputs = Inputs::open([&path]);
                // A piece for each line or two.
                let scan = sizes(BLOCK, 2000, 1 + number % 3);
                let ask = |foresees| {
                    let files = Files::new(&scan, &inputs);
                    let watched = Watched::new(files, foresees);
                    let ask = Ask { window, ..Ask::new(question, subject.clone()) };
                    (crate::ask(&watched, Case::new(ask)), watched.spared.into_inner())
                };
                let ((asked, count), (twice, none)) = (ask(true), ask(false));
                let what =
                    format!("{} {subject} in {} at {level:?} within {window:?}", question.name, story.name);
                assert_eq!(asked, twice, "{what}");
                assert_eq!(none, 0);
                spared += count;
            }
        }
    }
    println!("{spared} looks were spared a part");
    spared
}

#[test]
fn answers_are_those_of_looking_twice() {
    assert!(asked_twice(|_, _| Window::default()) > 100);
}

#[test]
fn answers_within_a_window_are_those_of_looking_twice() {
    assert!(asked_twice(window_in) > 100);
}

/// A line about a pod.
fn about_pod(verb: &str, level: &str, subresource: &str) -> String {
    let object = format!(r#"{{"resource":"pods","name":"web-1","subresource":"{subresource}"}}"#);
    let time = "2026-03-02T09:00:00.000000Z";
    format!(
        r#"{{"auditID":"a","stage":"ResponseComplete","level":"{level}","verb":"{verb}","objectRef":{object},"stageTimestamp":"{time}"}}"#
    ) + "\n"
}

/// Asks about a pod that is not there within a window; says how often something was read again for it, and that the verdict does
/// not depend on what was counted before.
fn asked_in_vain(question: &str, window: Window, content: &[u8]) -> (Coverage, usize) {
    let (_folder, path) = file(content);
    let question = QUESTIONS.iter().find(|known| known.name == question).unwrap();
    let (scan, inputs) = (sizes(BLOCK, 100_000, 2), Inputs::open([&path]));
    let ask = |foresees| {
        let watched = Watched::new(Files::new(&scan, &inputs), foresees);
        let subject = Subject::Target(Target::parse("pod/nobody").unwrap());
        let asked = crate::ask(&watched, Case::new(Ask { window, ..Ask::new(question, subject) }));
        (asked.coverage, watched.again.into_inner() + watched.samples.into_inner())
    };
    let ((beside, again), (twice, _)) = (ask(true), ask(false));
    assert_eq!(beside.verdict, twice.verdict, "{}", question.name);
    (beside, again)
}

/// What is logged at all is counted beside the search for what is asked for, where a glance shows none of it: then nothing is
/// read again.
#[test]
fn what_is_rare_is_counted_while_all_is_read() {
    // A plain file is looked at in four places of 32 KiB, a compressed one at its beginning.
    let (rare, common) = (4_000, 5);
    let before = Timestamp::parse("2026-03-02T08:59:00Z").unwrap();
    let windows = [Window::default(), Window { from: before, until: Timestamp::MAX }];
    for (asked, usual, (verb, level, subresource), place, times, doubts) in [
        ("execed", "status", ("create", "Metadata", "exec"), rare, [0, 0], 0),
        // Where a window begins, a sample seldom is.
        ("execed", "status", ("create", "Metadata", "exec"), common, [1, 0], 0),
        // Where doubts remain within a window, a sample tells whether there are any at other times.
        ("execed", "status", ("delete", "Metadata", ""), rare, [0, 1], 1),
        ("deleted", "status", ("delete", "Metadata", ""), rare, [0, 0], 0),
        // With bodies are few of those that are not.
        ("labeled", "", ("patch", "Request", ""), rare, [0, 0], 0),
        ("labeled", "", ("patch", "Metadata", ""), rare, [1, 2], 1),
    ] {
        let mut lines = vec![about_pod("patch", "Metadata", usual); 20_000];
        lines[place] = about_pod(verb, level, subresource);
        let content = lines.concat().into_bytes();
        for content in [framed(&content, Vec::new()), content] {
            for (window, times) in windows.into_iter().zip(times) {
                let (coverage, again) = asked_in_vain(asked, window, &content);
                let size = content.len();
                let what =
                    format!("{asked}: {verb} pods/{subresource} in line {place}, {size} bytes, {window:?}");
                assert_eq!(coverage.incomplete.len(), doubts, "{what}: {:?}", coverage.incomplete);
                assert_eq!(again, times, "{what}");
            }
        }
    }
}

/// What a glance shows none of and what is everywhere else is not counted to the end: a sample tells it.
#[test]
fn what_turns_out_to_be_frequent_is_counted_in_a_sample() {
    let others = about_pod("patch", "Metadata", "status").repeat(400);
    let frequent = about_pod("create", "Metadata", "exec").repeat(40_000);
    let (coverage, again) =
        asked_in_vain("execed", Window::default(), [others, frequent].concat().repeat(4).as_bytes());
    assert_eq!((again, coverage.incomplete.len()), (1, 0), "{:?}", coverage.incomplete);
    assert!(coverage.seen[0].entries < 10_000, "{:?}", coverage.seen);
}

/// What is frequent, but not within the window, is passed over.
#[test]
fn what_lies_outside_of_the_window_is_not_counted() {
    let exec = about_pod("create", "Metadata", "exec");
    let others = exec.clone() + &about_pod("patch", "Metadata", "status").repeat(2_000);
    let content = [others, exec.replace("T09:", "T08:").repeat(80_000)].concat().repeat(2);
    let from = Timestamp::parse("2026-03-02T08:59:00Z").unwrap();
    let window = Window { from, until: Timestamp::MAX };
    let (coverage, again) = asked_in_vain("execed", window, &framed(content.as_bytes(), Vec::new()));
    assert_eq!((again, coverage.seen[0].entries), (0, 2), "{:?}", coverage.seen);
}

/// Where it was not counted beside, which requests are logged at all is counted in all of the logs only if entries may lie within
/// the window.
#[test]
fn nothing_is_counted_where_no_entry_lies_within_the_window() {
    let line = |micros: i64| {
        let time = Timestamp::from_micros(micros);
        format!(
            "{{\"auditID\":\"a\",\"stage\":\"ResponseComplete\",\"verb\":\"get\",\"stageTimestamp\":\"{time}\"}}\n"
        )
    };
    let minute = 60_000_000;
    // Out of order, so that all of it is read.
    let content: String = (0..1000).map(|place| line((place * 7919 % 1000 + 1000) * minute)).collect();
    let (_folder, path) = file(&content);
    let question = QUESTIONS.iter().find(|question| question.name == "evicted").unwrap();
    for (first, looks) in [(0, 0), (500, 0), (998, 0), (1000, 1), (1500, 1), (1999, 1), (2002, 0)] {
        let [from, until] = [first, first + 1].map(|minutes| Timestamp::from_micros(minutes * minute));
        let subject = Subject::Target(Target::parse("pod/web-1").unwrap());
        let ask = Ask { window: Window { from, until }, ..Ask::new(question, subject) };
        let inputs = Inputs::open([&path]);
        let scan = sizes(1024, 4096, 2);
        let watched = Watched::new(Files::new(&scan, &inputs), false);
        let asked = crate::ask(&watched, Case::new(ask));
        assert_eq!(asked.coverage.total.bytes, content.len() as u64);
        assert_eq!(watched.again.into_inner(), looks, "from minute {first} on");
    }
}
