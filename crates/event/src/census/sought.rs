//! What is counted of a kind of requests.

use super::doubt::Doubt;
use super::kind::Kind;
use super::rows::{Seen, has_bodies, has_outcome};
use crate::event::Event;
use crate::filter::Filter;
use crate::literals::Literals;

/// Entries of a kind: all, or those that settle a doubt about it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sought {
    kind: Kind,
    /// Whether all of them are counted.
    all: bool,
    /// Whether those are that tell how a request ended.
    outcomes: bool,
    /// Whether those with bodies are.
    bodies: bool,
}

impl Sought {
    /// All entries of a kind.
    pub(super) const fn all(kind: Kind) -> Self {
        Self { kind, all: true, outcomes: false, bodies: false }
    }

    /// Entries of a kind with bodies.
    pub(super) const fn bodies(kind: Kind) -> Self {
        Self { kind, all: false, outcomes: false, bodies: true }
    }

    /// What is lacking of a kind in entries that were `seen`: none of these is counted again. `None` if they suffice.
    pub(super) fn lacking(kind: &Kind, seen: &[Seen]) -> Option<Self> {
        Doubt::about(kind, seen)?;
        let of_kind = || seen.iter().filter(|seen| kind.is_seen_in(seen));
        Some(Self {
            kind: kind.clone(),
            all: of_kind().next().is_none(),
            outcomes: !of_kind().any(Seen::has_outcome),
            bodies: kind.needs_bodies && !of_kind().any(Seen::has_bodies),
        })
    }

    /// Whether all of these are counted where those are.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        let are_few = !self.all && self.outcomes <= other.outcomes && self.bodies <= other.bodies;
        self.kind == other.kind && (other.all || are_few)
    }

    /// Whether an event is counted.
    pub(super) fn holds(&self, event: &Event<'_>) -> bool {
        let is_lacking =
            self.all || self.outcomes && has_outcome(&event.stage) || self.bodies && has_bodies(&event.level);
        is_lacking && self.kind.is_of(event)
    }

    /// A condition that every such event meets.
    pub(super) fn filter(&self) -> Filter {
        self.kind.filter()
    }

    /// Strings of which one is in the line of every such event. Where bodies are recorded, the level says so.
    pub(super) fn literals(&self) -> Literals {
        if self.all || self.outcomes {
            return self.kind.literals();
        }
        Literals::any_of(["Request".to_owned()])
    }
}
