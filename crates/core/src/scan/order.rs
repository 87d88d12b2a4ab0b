//! Whether the entries of a source are in the order of their times.

use audit_who_event::time::Timestamp;

use crate::input::outline::DISORDER;

/// How far lines of one source that were looked at, one behind the other, stand from the order of their times.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Order {
    latest: Option<Timestamp>,
    is_broken: bool,
}

impl Order {
    /// Takes the time of the next line.
    pub(super) fn saw(&mut self, time: Timestamp) {
        let latest = self.latest.map_or(time, |latest| latest.max(time));
        self.is_broken |= latest.since(time) > DISORDER;
        self.latest = Some(latest);
    }

    /// Whether there were lines with a time, and all of them in order.
    pub(super) const fn is_kept(&self) -> bool {
        self.latest.is_some() && !self.is_broken
    }

    /// Takes what another part of the same sources knows: one of both has met no line of it.
    pub(super) fn merge(&mut self, other: Self) {
        self.latest = self.latest.max(other.latest);
        self.is_broken |= other.is_broken;
    }
}
