//! Removes what grows too old or too much, in steps between commits.

use std::time::{Duration, Instant};

use audit_who_core::Error;
use audit_who_core::store::Retention;
use audit_who_core::tail::StoreHandle;

use super::options::Options;
use super::state::{Part, State};
use crate::logging;

/// How often it is looked whether there is something.
const INTERVAL: Duration = Duration::from_mins(1);

/// Removes events.
pub(super) struct Remover<'a> {
    store: StoreHandle,
    state: &'a State,
    retention: Retention,
    /// When it is looked again.
    next: Instant,
    /// Events that were removed since it was looked.
    removed: u64,
}

impl<'a> Remover<'a> {
    /// `None` if everything is kept for ever.
    pub(super) fn new(store: StoreHandle, options: &Options, state: &'a State) -> Option<Self> {
        let retention = options.retention;
        let is_limited = retention != Retention::default();
        is_limited.then(|| Self { store, state, retention, next: Instant::now(), removed: 0 })
    }

    /// How long there is nothing to do.
    pub(super) fn wait(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Removes some, if there is something to remove and it is time. Where the store can't be written it is tried again
    /// the next time.
    pub(super) fn step(&mut self) -> Result<(), Error> {
        if !self.wait().is_zero() {
            return Ok(());
        }
        let is_more = match self.store.with(|store| store.prune(logging::now(), &self.retention)) {
            Ok(pruned) => {
                self.state.resolved(Part::Removing);
                self.state.removed.add(pruned.events);
                self.removed += pruned.events;
                pruned.more
            }
            Err(error) if error.is_temporary() => {
                self.state.trouble(Part::Removing, &error);
                log::error!("events can't be removed, which is tried again in a minute: {error}");
                false
            }
            Err(error) => return Err(error),
        };
        if !is_more {
            self.next = Instant::now() + INTERVAL;
            if self.removed > 0 {
                log::info!(events = self.removed; "removed events that are too old or too many");
            }
            self.removed = 0;
        }
        Ok(())
    }

    /// Removes all that is to be removed now, unless it is told to stop.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        self.next = Instant::now();
        while self.wait().is_zero() && !self.state.stop().is_told() {
            self.step()?;
        }
        Ok(())
    }
}
