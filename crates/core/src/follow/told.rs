//! Which answers were told: each once, whatever else is found out about it.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

use audit_who_event::answer::Answer;

/// How many answers are remembered, the last ones.
const REMEMBERED: usize = 1 << 17;

/// Answers that were told, by a hash that nobody who writes into a log can foresee.
#[derive(Debug, Default)]
pub(super) struct Told {
    hasher: RandomState,
    known: HashSet<u64>,
    /// The oldest first.
    order: VecDeque<u64>,
}

impl Told {
    /// Notes an answer; says whether it is new.
    pub(super) fn note(&mut self, answer: &Answer) -> bool {
        let hash = self.hash(answer);
        if !self.known.insert(hash) {
            return false;
        }
        self.order.push_back(hash);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }

    /// Whether an answer was told.
    pub(super) fn knows(&self, answer: &Answer) -> bool {
        self.known.contains(&self.hash(answer))
    }

    /// What makes two answers one: neither the cause nor the uid, which later entries may tell better.
    fn hash(&self, answer: &Answer) -> u64 {
        let object = &answer.object;
        let name = (&object.api_group, &object.resource, &object.namespace, &object.name);
        let decided_by = answer.evidence.first().map(|entry| (&entry.audit_id, &entry.stage));
        self.hasher.hash_one((name, answer.time, answer.outcome, &answer.actor, decided_by))
    }
}
