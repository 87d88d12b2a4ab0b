//! How much memory the facts of a case take, and how much they may.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::case::Case;
use crate::case::detail::{Detail, Owner, Seldom, Told, Victim};
use crate::case::fact::{Bodies, Fact};
use crate::subject::Key;

/// What a fact takes besides its own: its places in the indexes of a ledger, and what the allocator adds to each of its parts.
const PLACES: usize = 192;

/// Bytes that all parts of a case share.
///
/// What was taken does not depend on threads, nor on what was foreseen: so neither does whether it is too much.
#[derive(Debug)]
pub(super) struct Room {
    limit: u64,
    taken: AtomicU64,
}

impl Room {
    pub(super) const fn new(limit: u64) -> Self {
        Self { limit, taken: AtomicU64::new(0) }
    }

    pub(super) const fn limit(&self) -> u64 {
        self.limit
    }

    /// Takes room for a fact.
    pub(super) fn take(&self, fact: &Fact) {
        self.taken.fetch_add(weight(fact), Ordering::Relaxed);
    }

    /// Holds `facts` and nothing else from here on.
    pub(super) fn hold(&self, facts: &[Fact]) {
        self.taken.store(facts.iter().map(weight).sum(), Ordering::Relaxed);
    }

    /// Whether more was taken than there is.
    pub(super) fn is_exceeded(&self) -> bool {
        self.taken.load(Ordering::Relaxed) > self.limit
    }
}

impl Case {
    /// Gives up rather than keep entries that take more than about so many bytes of memory. Judging them may take as much
    /// again. Without this there is no limit.
    #[must_use]
    pub fn memory_limit(self, bytes: u64) -> Self {
        Self { room: Arc::new(Room::new(bytes)), ..self }
    }

    /// Whether more entries matter than the memory limit allows to keep: then nothing can be told.
    pub fn is_exceeded(&self) -> bool {
        self.room.is_exceeded()
    }

    /// What there is to say then: the name of the question, and how many bytes may be taken.
    pub fn excess(&self) -> Option<(&'static str, u64)> {
        self.is_exceeded().then(|| (self.ask.question.name, self.room.limit()))
    }
}

/// Bytes that a fact takes, about.
fn weight(fact: &Fact) -> u64 {
    (size_of::<Fact>() + fact.heap() + PLACES) as u64
}

/// Bytes beyond its own size that something keeps; not what it shares with others, nor what it has room for. Of what is
/// equal it is the same.
trait Heap {
    fn heap(&self) -> usize;
}

impl Heap for Fact {
    fn heap(&self) -> usize {
        let texts = [&self.audit_id, &self.message, &self.uri].map(String::len);
        let words = [&self.stage, &self.verb, &self.subresource].map(Heap::heap);
        texts.into_iter().chain(words).sum::<usize>()
            + self.uid.heap()
            + self.issued.heap()
            + self.key.heap()
            + self.detail.heap()
            + self.bodies.as_deref().map_or(0, |bodies| size_of::<Bodies>() + bodies.heap())
    }
}

impl Heap for Bodies {
    fn heap(&self) -> usize {
        self.request.heap() + self.response.heap()
    }
}

impl Heap for Key {
    fn heap(&self) -> usize {
        let texts = [&self.group, &self.resource, &self.namespace, &self.name].map(String::len);
        size_of::<Self>() + texts.into_iter().sum::<usize>()
    }
}

impl Heap for Detail {
    fn heap(&self) -> usize {
        self.told().map_or(0, |told| size_of::<Told>() + told.heap())
    }
}

impl Heap for Told {
    fn heap(&self) -> usize {
        let seldom = self.seldom().map_or(0, |seldom| size_of::<Seldom>() + seldom.heap());
        self.uid.heap() + self.owners.heap() + self.finalizers.heap() + self.node.heap() + seldom
    }
}

impl Heap for Seldom {
    fn heap(&self) -> usize {
        let Self {
            disruption,
            nominated_node,
            no_execute,
            taints_asked,
            taints,
            labels_asked,
            annotations_asked,
            grants,
            scale_target,
            victims,
            note,
            budget,
        } = self;
        let texts = [disruption, nominated_node, budget].map(Heap::heap);
        texts.into_iter().sum::<usize>()
            + no_execute.heap()
            + taints_asked.heap()
            + taints.heap()
            + labels_asked.heap()
            + annotations_asked.heap()
            + grants.heap()
            + scale_target.heap()
            + victims.heap()
            + note.as_ref().map_or(0, |(reason, about, text)| reason.heap() + about.heap() + text.heap())
    }
}

impl Heap for Owner {
    fn heap(&self) -> usize {
        self.kind.heap() + self.name.heap() + self.uid.heap()
    }
}

impl Heap for Victim {
    fn heap(&self) -> usize {
        self.namespace.heap() + self.name.heap() + self.uid.heap() + self.owners.heap()
    }
}

impl Heap for String {
    fn heap(&self) -> usize {
        self.len()
    }
}

impl Heap for Cow<'static, str> {
    fn heap(&self) -> usize {
        match self {
            Self::Borrowed(_) => 0,
            Self::Owned(text) => text.heap(),
        }
    }
}

impl<T: Heap> Heap for Option<T> {
    fn heap(&self) -> usize {
        self.as_ref().map_or(0, Heap::heap)
    }
}

impl<T: Heap> Heap for Vec<T> {
    fn heap(&self) -> usize {
        self.len() * size_of::<T>() + self.iter().map(Heap::heap).sum::<usize>()
    }
}

impl<A: Heap, B: Heap> Heap for (A, B) {
    fn heap(&self) -> usize {
        self.0.heap() + self.1.heap()
    }
}
