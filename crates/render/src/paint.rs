//! Colours, or none.

use std::fmt;

use anstyle::{AnsiColor, Style};
use audit_who_event::answer::Outcome;

/// Who did it.
pub(crate) const USER: Style = Style::new().bold();
/// What is there for later: evidence.
pub(crate) const QUIET: Style = Style::new().dimmed();
/// What must not be missed.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What may change how an answer is read.
pub(crate) const ODD: Style = AnsiColor::Yellow.on_default();

const GOOD: Style = AnsiColor::Green.on_default();

/// The look of an outcome.
pub(crate) const fn outcome(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Succeeded => GOOD,
        Outcome::Denied | Outcome::Failed => BAD,
        Outcome::Blocked | Outcome::DryRun | Outcome::Unconfirmed | Outcome::Unknown => ODD,
    }
}

/// Writes `text` in `style`, or plain if `color` is off.
pub(crate) struct Painted<T> {
    pub(crate) text: T,
    pub(crate) style: Style,
    pub(crate) color: bool,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.color { write!(f, "{}{}{:#}", self.style, self.text, self.style) } else { self.text.fmt(f) }
    }
}
