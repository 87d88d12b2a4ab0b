//! How much memory a question takes depends on what it rests on alone.

use std::collections::BTreeSet;

use audit_who_event::case::{Ask, Case, Findings, Subject, Window};
use audit_who_event::question;
use audit_who_event::target::Target;
use audit_who_testkit::entry::Level;
use audit_who_testkit::scenario;

use super::beside::{Watched, window_in};
use super::*;
use crate::Asked;
use crate::logs::Files;

/// More than any story takes.
const PLENTY: u64 = 1 << 24;

/// Asks about all pods in pieces of a line or two.
struct Asking<'i> {
    question: &'static str,
    window: Window,
    inputs: &'i Inputs,
}

impl Asking<'_> {
    fn ask(&self, threads: usize, foresees: bool, limit: u64) -> Asked {
        let scan = sizes(BLOCK, 2000, threads);
        let question = question::named(self.question).unwrap();
        let subject = Subject::Target(Target::parse("pod/*").unwrap());
        let ask = Ask { window: self.window, ..Ask::new(question, subject) };
        crate::ask(
            &Watched::new(Files::new(&scan, self.inputs), foresees),
            Case::new(ask).memory_limit(limit),
        )
    }

    /// What it takes at least.
    fn least(&self) -> u64 {
        let (mut too_little, mut enough) = (0, PLENTY);
        while too_little + 1 < enough {
            let limit = u64::midpoint(too_little, enough);
            if is_exceeded(&self.ask(1, false, limit)) { too_little = limit } else { enough = limit }
        }
        enough
    }
}

fn is_exceeded(asked: &Asked) -> bool {
    asked.coverage.problems.iter().any(|problem| problem.message.contains("--memory-limit"))
}

/// Entries about the pods of a story, long before.
fn earlier(log: &str) -> String {
    let entries = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let objects: BTreeSet<String> = entries.map(|entry| entry["objectRef"].to_string()).collect();
    let line = |object: &String| {
        let time = "2020-03-02T09:00:00.000000Z";
        format!(
            r#"{{"auditID":"a","stage":"ResponseComplete","verb":"patch","objectRef":{object},"stageTimestamp":"{time}"}}"#
        ) + "\n"
    };
    objects.iter().filter(|object| object.contains("\"pods\"")).map(line).collect::<String>().repeat(30)
}

/// What is foreseen for a window is more than what is wanted in the end, and may take too much alone.
#[test]
fn whether_a_question_takes_too_much_depends_neither_on_threads_nor_on_foresight() {
    let mut most = 0;
    for (number, story) in scenario::all().enumerate() {
        let log = story.log([Level::Metadata, Level::RequestResponse][number % 2]);
        let windows = [Window::default(), window_in(&log, number)];
        let (_folder, path) = file(earlier(&log) + &log);
        for (question, window) in
            ["evicted", "touched"].into_iter().flat_map(|question| windows.map(|window| (question, window)))
        {
            let inputs = Inputs::open([&path]);
            let asking = Asking { question, window, inputs: &inputs };
            let (all, least) = (asking.ask(1, false, u64::MAX), asking.least());
            most = least.max(most);
            for (threads, foresees) in [(1, true), (2, true), (3, false)] {
                let (enough, too_little) =
                    (asking.ask(threads, foresees, least), asking.ask(threads, foresees, least - 1));
                assert_eq!(enough, all, "{question} in {}: {least} bytes, {threads} threads", story.name);
                if least > 1 {
                    assert!(is_exceeded(&too_little), "{question} in {}: {least} bytes", story.name);
                    assert_eq!(too_little.findings, Findings::default());
                    assert!(too_little.coverage.verdict.contains("can't be told"));
                    assert!(too_little.coverage.problems.iter().all(|problem| problem.fatal));
                }
            }
        }
    }
    assert!((10_000..PLENTY).contains(&most), "{most} bytes");
}
