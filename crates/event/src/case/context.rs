//! How far around its window a question looks for what explains an answer.
//!
//! The first look is for what lies within the window. Only where it finds something, further looks go beyond, and not
//! further than this: what lies there is as if it was in no file, so that the time of an answer depends on the window and
//! not on the length of the log.

use crate::case::Window;
use crate::time::Timestamp;

/// How long before the first entry that was found within the window the context begins, and where it begins if that
/// explains too little, in microseconds.
///
/// Controllers act within a minute of what makes them. Pods tolerate a node that is not ready for 300 seconds, and a drain
/// may take ten minutes.
const REACHES: [i64; 2] = [2 * 60 * 1_000_000, 15 * 60 * 1_000_000];

/// How long after the window an entry may show what came of a request in it, in microseconds: the longest grace period
/// that is met in practice.
const AFTER: i64 = 60 * 60 * 1_000_000;

/// How long after it had an effect a request may be answered, in microseconds: the API server's `--request-timeout`.
pub(crate) const LATENCY: i64 = 60 * 1_000_000;

/// The context of a question with a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Context {
    /// The first entry that was found within the window.
    found: Timestamp,
    /// Where the context begins; `None` if the window has no beginning either.
    pub(crate) from: Option<Timestamp>,
}

impl Context {
    /// The context of what was found within `window`, at `found` at first; `None` if the window is open at both ends.
    pub(crate) fn of(window: Window, found: Timestamp) -> Option<Self> {
        let found = found.max(window.from);
        let from = (window.from > Timestamp::MIN).then(|| found.plus(-REACHES[0]));
        (window != Window::default()).then_some(Self { found, from })
    }

    /// The context that begins earlier; `None` if there is none.
    pub(crate) fn further(self) -> Option<Self> {
        let from = self.found.plus(-REACHES[1]);
        (self.from? > from).then_some(Self { from: Some(from), ..self })
    }

    /// All times that belong to it.
    pub(crate) fn window(self) -> Window {
        Window { from: self.from.unwrap_or(Timestamp::MIN), until: Timestamp::MAX }
    }

    /// What is looked at before and after the window.
    pub(crate) fn around(self, window: Window) -> impl Iterator<Item = Window> {
        let before = Window { from: self.window().from, until: window.from };
        let after = Window { from: window.until, until: window.until.plus(AFTER) };
        [before, after].into_iter().filter(|around| around.from < around.until)
    }
}
