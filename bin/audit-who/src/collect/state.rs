//! What the threads of a collector tell each other: what went wrong, what was done, and when to stop.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use audit_who_core::event::time::Timestamp;
use audit_who_core::tail::StopHandle;

/// What is known of a collector while it runs.
#[derive(Debug, Default)]
pub(super) struct State {
    stop: Stop,
    troubles: Mutex<[Option<String>; Part::ALL.len()]>,
    /// Microseconds since 1970 UTC; 0 before the first.
    last_commit: AtomicI64,
    /// Events that were read.
    pub(super) events: Counter,
    /// Events that were kept.
    pub(super) kept: Counter,
    /// Events that were removed, as they are too old or too many.
    pub(super) removed: Counter,
    /// Runs of bytes that are no entry.
    pub(super) bad_spans: Counter,
}

/// Something that is counted.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A part of the work that can be held up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Committing,
    Following,
    Removing,
}

impl Part {
    const ALL: [Self; 3] = [Self::Committing, Self::Following, Self::Removing];
}

impl State {
    /// Notes what holds up a part of the work.
    pub(super) fn trouble(&self, part: Part, why: &dyn fmt::Display) {
        self.troubles()[part as usize] = Some(why.to_string());
    }

    /// Notes that a part of the work goes on; whether it was held up.
    pub(super) fn resolved(&self, part: Part) -> bool {
        self.troubles()[part as usize].take().is_some()
    }

    /// What holds up the work.
    pub(super) fn told(&self) -> Vec<String> {
        self.troubles().iter().flatten().cloned().collect()
    }

    pub(super) fn committed(&self, now: Timestamp) {
        self.last_commit.store(now.as_micros(), Ordering::Relaxed);
    }

    /// When something was committed last.
    pub(super) fn last_commit(&self) -> Option<Timestamp> {
        let micros = self.last_commit.load(Ordering::Relaxed);
        (micros != 0).then(|| Timestamp::from_micros(micros))
    }

    pub(super) const fn stop(&self) -> &Stop {
        &self.stop
    }

    fn troubles(&self) -> MutexGuard<'_, [Option<String>; Part::ALL.len()]> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends all that waits.
#[derive(Debug, Default)]
pub(super) struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
    tailer: OnceLock<StopHandle>,
}

impl Stop {
    /// Has a tailer stopped, too, even if it was said before.
    pub(super) fn includes(&self, tailer: StopHandle) {
        let tailer = self.tailer.get_or_init(|| tailer);
        if self.is_told() {
            tailer.stop();
        }
    }

    pub(super) fn tell(&self) {
        *self.lock() = true;
        self.changed.notify_all();
        if let Some(tailer) = self.tailer.get() {
            tailer.stop();
        }
    }

    pub(super) fn is_told(&self) -> bool {
        *self.lock()
    }

    /// Waits so long, or until it is told.
    pub(super) fn wait(&self, at_most: Duration) {
        let _unused = self.changed.wait_timeout_while(self.lock(), at_most, |stopped| !*stopped);
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long to wait before something is tried again: longer each time.
#[derive(Debug)]
pub(super) struct Patience {
    next: Duration,
    since: Instant,
}

impl Patience {
    const SHORTEST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(5);

    pub(super) fn new() -> Self {
        Self { next: Self::SHORTEST, since: Instant::now() }
    }

    /// How long it has been tried.
    pub(super) fn spent(&self) -> Duration {
        self.since.elapsed()
    }

    /// How long to wait now.
    pub(super) fn next(&mut self) -> Duration {
        let now = self.next;
        self.next = (now * 2).min(Self::LONGEST);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_grows_up_to_a_limit() {
        let mut patience = Patience::new();
        let waits: Vec<u128> = (0..9).map(|_| patience.next().as_millis()).collect();
        assert_eq!(waits, [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }

    #[test]
    fn troubles_are_told_until_they_are_resolved() {
        let state = State::default();
        assert!(!state.resolved(Part::Committing));
        state.trouble(Part::Following, &"b");
        state.trouble(Part::Committing, &"a");
        assert_eq!(state.told(), ["a", "b"]);
        assert!(state.resolved(Part::Committing));
        assert_eq!(state.told(), ["b"]);
    }

    #[test]
    fn who_waits_is_woken() {
        let state = State::default();
        state.stop().tell();
        // It would wait for ever.
        state.stop().wait(Duration::from_secs(1_000_000));
    }
}
