//! Where entries are missing, less is told, and nothing that is not so.

use std::collections::BTreeSet;

use audit_who_event::case::{Findings, Subject};
use audit_who_event::question::{QUESTIONS, Question};
use audit_who_testkit::entry::Level;
use audit_who_testkit::scenario;
use proptest::prelude::*;

use super::{Deeds, Lines, deeds, lines, numbers, run, subjects, undated};

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
