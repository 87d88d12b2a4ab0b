//! When what is listed by the time of its answer came in: what is under way at a time may stand anywhere behind it.

use crate::case::fact::Fact;
use crate::time::Timestamp;

/// Of each fact in a list and all behind it, when the first came in.
#[derive(Debug, Default)]
pub(super) struct Soonest(Vec<Timestamp>);

impl Soonest {
    pub(super) fn of<'l>(facts: impl Iterator<Item = &'l Fact>) -> Self {
        let mut soonest: Vec<Timestamp> = facts.map(|fact| fact.received).collect();
        for place in (1..soonest.len()).rev() {
            soonest[place - 1] = soonest[place - 1].min(soonest[place]);
        }
        Self(soonest)
    }

    /// The place from which on none had come in at a time.
    pub(super) fn until(&self, time: Timestamp) -> usize {
        self.0.partition_point(|soonest| *soonest <= time)
    }
}
