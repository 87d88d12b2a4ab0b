//! Asking a question again where new entries may have changed its answer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use audit_who_event::answer::{Answer, Evidence, Outcome};
use audit_who_event::case::{Ask, Subject, Window};
use audit_who_event::glob::Glob;
use audit_who_event::subject::Key;
use audit_who_event::target::Target;
use audit_who_event::time::Timestamp;

use super::context::{Context, Place};
use super::{CONTEXT, Follow, Held, PATIENCE, Touch, Waiting};

/// Objects that a question is asked of one by one; beyond it it is asked of all that it is about.
const ONE_BY_ONE: usize = 4;

/// What to ask about.
struct About<'a> {
    /// Objects that new entries are about.
    touched: &'a BTreeMap<Key, Touch>,
    /// What is not held back any longer.
    due: &'a BTreeSet<(Key, Timestamp)>,
}

impl About<'_> {
    fn keys(&self) -> BTreeSet<&Key> {
        self.touched.keys().chain(self.due.iter().map(|(key, _)| key)).collect()
    }

    /// The time of the earliest entry; `None` if there is nothing to ask about.
    fn first(&self) -> Option<Timestamp> {
        self.touched.values().map(|touch| touch.time).chain(self.due.iter().map(|(_, time)| *time)).min()
    }
}

impl Follow {
    /// Asks about the objects that new entries are about, and about those of which no more is waited for: with `all`, all.
    /// Returns what can be told; what may be told better later is held.
    pub(super) fn ask_again(&mut self, all: bool) -> Vec<Answer> {
        let newest = self.newest();
        let touched = std::mem::take(&mut self.touched);
        let is_due = |time: Timestamp| all || self.caught_up && newest.since(time) >= PATIENCE;
        let due = self.held.keys().filter(|(_, time)| is_due(*time)).cloned().collect();
        let about = About { touched: &touched, due: &due };
        let Some(first) = about.first() else { return Vec::new() };
        let found = self.findings(&about.keys(), first);
        let left = self.release(&about, &found);
        if self.ask.question.is_told_later() && !all {
            let held = |touch: &Touch| Held { batch: touch.batch, answer: None };
            self.held.extend(touched.iter().map(|(key, touch)| ((key.clone(), touch.time), held(touch))));
        }
        let mut answers = Vec::new();
        for (answer, batch) in found {
            match is_early(&answer, newest).filter(|_| !all && !self.told.knows(&answer)) {
                Some(time) => self.hold(answer, time, batch),
                None => self.tell(answer, &mut answers),
            }
        }
        for answer in left {
            self.tell(answer, &mut answers);
        }
        answers
    }

    /// Holds no longer what was found again, or is due; returns answers that are due and were not found again.
    fn release(&mut self, about: &About<'_>, found: &[(Answer, u64)]) -> Vec<Answer> {
        let mut left = Vec::new();
        self.held.retain(|place, held| {
            let is_again =
                held.answer.as_ref().is_some_and(|held| found.iter().any(|(now, _)| tells(now, held)));
            let is_due = about.due.contains(place);
            if is_due && !is_again {
                left.extend(held.answer.take());
            }
            !is_again && !is_due
        });
        left
    }

    /// The answers about objects that rest on entries which are not committed, each with the first batch that it rests on.
    fn findings(&mut self, about: &BTreeSet<&Key>, first: Timestamp) -> Vec<(Answer, u64)> {
        // What a user's request did stands in its own entry.
        let context = if self.ask.subject.target().is_some() { CONTEXT } else { 0 };
        let from = first.plus(-context);
        let window = Window { from: from.max(self.ask.window.from), ..self.ask.window };
        let paths: Vec<PathBuf> = self.tailer.files();
        let mut found = Vec::new();
        for subject in self.subjects(about) {
            let context = Context::new(&self.memory, &self.first, &self.scan, &paths, from);
            let findings = context.ask(Ask { subject, window, ..self.ask.clone() });
            let places: Vec<(Option<i64>, String)> =
                context.places().map(|place| self.place(place)).collect();
            found.extend(findings.answers.into_iter().filter_map(|mut answer| {
                let rested =
                    answer.evidence.iter().filter_map(|entry| self.batch_of(entry, &places)).min()?;
                answer.change_evidence(&mut |entry| {
                    let place = entry.source.parse().ok().and_then(|number: usize| places.get(number));
                    entry.source = place.map(|(_, name)| name.clone()).unwrap_or_default();
                });
                Some((answer, rested))
            }));
        }
        found
    }

    /// The objects to ask about, one by one if they are few.
    fn subjects(&self, about: &BTreeSet<&Key>) -> Vec<Subject> {
        let Subject::Target(target) = &self.ask.subject else { return vec![self.ask.subject.clone()] };
        let is_meant = |key: &&&Key| key.resource == target.resource;
        let named: BTreeSet<&Key> = about.iter().filter(is_meant).copied().collect();
        if named.len() > ONE_BY_ONE || named.iter().any(|key| key.name.is_empty()) {
            return vec![self.ask.subject.clone()];
        }
        let one = |key: &Key| Target {
            name: Glob::new(&*key.name),
            namespace: match key.namespace.as_str() {
                "" => target.namespace.clone(),
                namespace => Some(Glob::new(namespace)),
            },
            ..target.clone()
        };
        named.into_iter().map(|key| Subject::Target(one(key))).collect()
    }

    /// The generation that a place is of, and the file that holds it.
    fn place(&self, place: Place) -> (Option<i64>, String) {
        match place {
            Place::Generation(id) => {
                let now = self.tailer.path_of(id).map(|path| path.to_string_lossy().into_owned());
                (Some(id), now.or_else(|| self.paths.get(&id).cloned()).unwrap_or_default())
            }
            Place::File(file, name) => (file.and_then(|file| self.tailer.generation_of(file)), name),
        }
    }

    /// The batch that holds an entry, if it is not committed.
    fn batch_of(&self, entry: &Evidence, places: &[(Option<i64>, String)]) -> Option<u64> {
        let generation = places.get(entry.source.parse::<usize>().ok()?)?.0?;
        let holds = |waiting: &&Waiting| {
            waiting.batch.generation() == generation && waiting.batch.range().contains(&entry.offset)
        };
        self.waiting.iter().find(holds).map(|waiting| waiting.number)
    }
}

/// The time of an answer that later entries may tell better: what must follow was not seen yet, or who asked for it stands
/// in the log of another API server.
pub(super) fn is_early(answer: &Answer, newest: Timestamp) -> Option<Timestamp> {
    let is_open = matches!(answer.outcome, Outcome::Unconfirmed | Outcome::Unknown);
    answer.time.filter(|time| is_open && newest.since(*time) < PATIENCE)
}

/// Whether an answer tells what another one told before: it rests on the entry that decided that one.
fn tells(now: &Answer, before: &Answer) -> bool {
    let is_entry = |one: &Evidence, other: &Evidence| {
        (one.offset, &one.audit_id, &one.stage) == (other.offset, &other.audit_id, &other.stage)
    };
    let decided_by = before.evidence.first();
    now.object.name == before.object.name
        && decided_by.is_some_and(|entry| now.evidence.iter().any(|other| is_entry(entry, other)))
}
