//! Entries, counted by what was asked of which resource at which level.

use serde::Serialize;

use crate::event::Event;
use crate::subject;

/// How many kinds of entries are told apart: clients may make up names of resources and verbs.
const MAX_ROWS: usize = 4096;
/// Stages that are told apart; the API server knows four.
const MAX_STAGES: usize = 8;
/// Longer names are cut, in bytes.
const MAX_NAME: usize = 128;

/// Entries of one sort.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// API group, empty for the core group.
    pub api_group: String,
    /// Plural resource name; empty for requests that are about no resource.
    pub resource: String,
    /// Subresource; empty for the object itself.
    pub subresource: String,
    /// Verb.
    pub verb: String,
    /// How much was recorded.
    pub level: String,
    /// Stages that were met, sorted.
    pub stages: Vec<String>,
    /// How many entries.
    pub entries: u64,
}

impl Seen {
    /// Whether bodies of requests are recorded.
    pub fn has_bodies(&self) -> bool {
        has_bodies(&self.level)
    }

    /// Whether entries tell how requests ended.
    pub fn has_outcome(&self) -> bool {
        self.stages.iter().any(|stage| has_outcome(stage))
    }
}

/// Whether bodies are recorded at a level.
pub(super) fn has_bodies(level: &str) -> bool {
    level.starts_with("Request")
}

/// Whether entries of a stage tell how a request ended.
pub(super) fn has_outcome(stage: &str) -> bool {
    stage != "RequestReceived"
}

/// Group, resource, subresource, verb, level.
type Key = [String; 5];

/// Counts of entries, the first `MAX_ROWS` sorts of them one by one.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// In order.
    rows: Vec<Row>,
    others: u64,
}

#[derive(Clone, Debug)]
struct Row {
    key: Key,
    /// In order.
    stages: Vec<String>,
    entries: u64,
}

impl Rows {
    /// Counts an entry. Memory is asked for by the first one of its sort alone.
    pub fn count(&mut self, event: &Event<'_>) {
        let object = event.object_ref.as_ref();
        let [group, resource, subresource] = object.map_or([""; 3], |object| {
            [subject::group(object), object.resource.as_ref(), object.subresource.as_ref()]
        });
        let key = [group, resource, subresource, event.verb.as_ref(), event.level.as_ref()];
        self.add(key.map(name), std::iter::once(name(&event.stage)), 1);
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: Self) {
        self.others += other.others;
        for row in other.rows {
            let key = row.key.each_ref().map(String::as_str);
            self.add(key, row.stages.iter().map(String::as_str), row.entries);
        }
    }

    /// The counts, by group, resource, subresource, verb and level; entries of further sorts are left out.
    pub fn into_seen(self) -> Vec<Seen> {
        let seen = |Row { key, stages, entries }| {
            let [api_group, resource, subresource, verb, level] = key;
            Seen { api_group, resource, subresource, verb, level, stages, entries }
        };
        self.rows.into_iter().map(seen).collect()
    }

    /// Entries of sorts beyond those that are told apart.
    pub const fn others(&self) -> u64 {
        self.others
    }

    /// The first sorts in order are kept, so that it does not matter which entries came first.
    fn add<'s>(&mut self, key: [&str; 5], stages: impl Iterator<Item = &'s str>, entries: u64) {
        let place = self.rows.binary_search_by(|row| row.key.each_ref().map(String::as_str).cmp(&key));
        let at = place.unwrap_or_else(|at| {
            self.rows.insert(at, Row { key: key.map(str::to_owned), stages: Vec::new(), entries: 0 });
            at
        });
        let row = &mut self.rows[at];
        row.entries += entries;
        for stage in stages {
            if let Err(at) = row.stages.binary_search_by(|own| own.as_str().cmp(stage))
                && row.stages.len() < MAX_STAGES
            {
                row.stages.insert(at, stage.to_owned());
            }
        }
        if self.rows.len() > MAX_ROWS
            && let Some(row) = self.rows.pop()
        {
            self.others += row.entries;
        }
    }
}

fn name(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_NAME)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ObjectRef;

    fn count(rows: &mut Rows, resource: &str, stage: &str) {
        let object = ObjectRef { resource: resource.to_owned().into(), ..ObjectRef::default() };
        rows.count(&Event { object_ref: Some(object), stage: stage.to_owned().into(), ..Event::default() });
    }

    #[test]
    fn made_up_names_take_no_memory_and_hide_nothing_that_comes_before() {
        let (mut one, mut other) = (Rows::default(), Rows::default());
        for number in 0..9000 {
            count(if number % 2 == 0 { &mut one } else { &mut other }, &format!("x{number:04}"), "Panic");
        }
        count(&mut one, "pods", "ResponseComplete");
        count(&mut other, "pods", "RequestReceived");
        count(&mut one, &"y".repeat(10_000), "Panic");
        one.merge(other);
        let others = one.others();
        let seen = one.into_seen();
        assert_eq!(seen.len(), MAX_ROWS);
        assert_eq!(seen[0].resource, "pods");
        assert_eq!(seen[0].stages, ["RequestReceived", "ResponseComplete"]);
        assert_eq!(seen.iter().map(|row| row.entries).sum::<u64>() + others, 9003);
        assert!(seen.iter().all(|row| row.resource.len() <= MAX_NAME));
    }
}
