//! Which kinds of requests are in the logs at all, and at which level: what "nobody did it" rests on.
//!
//! An audit policy that leaves a kind of request out leaves no trace of it. So where nothing was found, all entries of
//! the kinds that would answer the question are counted, whatever object they are about.
//!
//! A [`Doctor`] reports on a log as a whole, after a [`Checkup`] of every entry.

mod answerable;
mod checkup;
mod doctor;
mod doubt;
mod kind;
mod record;
mod rows;

use std::sync::Arc;

pub use self::answerable::{Answerable, Extent};
pub use self::checkup::{Checked, Checkup, Lookup};
pub use self::doctor::{Copies, Doctor, Example, Generation, Pair, Server, servers_of};
pub use self::doubt::Doubt;
pub use self::kind::Kind;
pub use self::rows::{Rows, Seen};
use crate::case::Window;
use crate::event::Event;
use crate::fold::{Address, Fold};
use crate::literals::Literals;
use crate::look::Look;
use crate::time::Timestamp;

/// Counts the entries of some kinds.
#[derive(Debug)]
pub struct Census {
    kinds: Arc<[Kind]>,
    window: Window,
    rows: Rows,
}

impl Census {
    /// Counts entries of these kinds within `window`.
    pub fn new(kinds: Vec<Kind>, window: Window) -> Self {
        Self { kinds: kinds.into(), window, rows: Rows::default() }
    }

    /// What a look that counts wants.
    pub fn look(&self) -> Look {
        Look {
            filters: Some(self.kinds.iter().map(|kind| kind.filter().within(self.window)).collect()),
            literals: Literals::any_of_all(self.kinds.iter().map(Kind::literals)),
        }
    }

    /// A census of the same kinds that has counted nothing yet.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { kinds: Arc::clone(&self.kinds), window: self.window, rows: Rows::default() }
    }

    /// One that counts the same without its window, if it has one.
    pub fn at_any_time(&self) -> Option<Self> {
        let window = Window::default();
        (self.window != window).then(|| Self { window, ..self.fork() })
    }

    /// Whether entries between two times may lie within the window.
    pub fn reaches(&self, from: Timestamp, until: Timestamp) -> bool {
        from <= self.window.until && self.window.from <= until
    }

    /// Whether entries of all kinds were counted, and they tell all that is needed.
    pub fn is_settled(&self) -> bool {
        Doubt::of(&self.kinds, &self.rows.clone().into_seen()).is_empty()
    }

    /// What was counted, by resource, verb and level.
    pub fn into_seen(self) -> Vec<Seen> {
        self.rows.into_seen()
    }
}

impl Fold for Census {
    fn event(&mut self, event: &Event<'_>, _: Address) {
        if self.window.holds(event.stage_time) && self.kinds.iter().any(|kind| kind.is_of(event)) {
            self.rows.count(event);
        }
    }

    fn merge(&mut self, other: Self) {
        self.rows.merge(other.rows);
    }
}
