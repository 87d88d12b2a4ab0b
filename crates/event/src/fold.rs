//! The seam between what reads events and what learns from them.

use crate::case::Window;
use crate::event::Event;
use crate::look::Look;
use crate::note::{Note, Times};
use crate::share::{Kind, Share};

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Which source, by its number in the scan.
    pub source: usize,
    /// Bytes from the start of the source's decompressed content.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
}

/// Takes events in any order, in several places at once, and puts the parts together afterwards.
///
/// A scan forks one fold a thread; merged in any order, they must know what one fold would that saw all events.
pub trait Fold: Send {
    /// Takes one event. The event borrows from the line: keep what is needed.
    fn event(&mut self, event: &Event<'_>, address: Address);
    /// Whether details of events are looked at: level, groups, extra, addresses, annotations, uids, names of objects, what a
    /// status says beside its code, and queries of URIs. If not they may be empty, which is faster.
    fn wants_details(&self) -> bool {
        true
    }
    /// Notes what the event was that was taken last; see [`Sink::note`](crate::envelope::Sink::note).
    fn note(&mut self) -> Option<Note> {
        None
    }
    /// Takes an event by a note of one like it; see [`Sink::again`](crate::envelope::Sink::again).
    fn again(&mut self, _: Note, _: &Times, _: Address) -> bool {
        false
    }
    /// Which entries of a kind it looks at; of all others it learns nothing.
    fn share(&self, _: &Kind<'_>) -> Share {
        Share::All
    }
    /// Whether it can't take more: nothing further need be read.
    fn is_full(&self) -> bool {
        false
    }
    /// Takes what another fold of the same question learned.
    fn merge(&mut self, other: Self)
    where
        Self: Sized;
}

/// Foresees from what a look has found so far what further looks will be for, so that it can be looked for at once in what
/// is still to be read.
pub trait Foresee<F>: Send {
    /// Takes it that reading begins: mostly of whole sources, or of parts of them, of which a sample tells what is in them;
    /// `permille` says of how many lines of a thousand a look takes decoding, as far as a sample tells.
    fn begin(&mut self, _is_whole: bool, _permille: &mut dyn FnMut(&Look) -> usize) {}
    /// Takes what one fold has found so far; of it the first `taken` things were taken before.
    fn take(&mut self, found: &F, taken: &mut usize);
    /// How often it has changed what it foresees.
    fn version(&self) -> usize;
    /// What to look for beside; `None` for nothing.
    fn foreseen(&self) -> Option<Foreseen<F>>;
    /// Takes all that was found beside.
    fn found(&mut self, beside: F);
}

/// What is looked for beside.
#[derive(Clone, Debug)]
pub struct Foreseen<F> {
    /// What it wants.
    pub look: Look,
    /// Where lines may be passed over that tell by a glance that they lie outside of it: a line that tells its time in an odd
    /// way may be missed.
    pub within: Option<Window>,
    /// Takes what is found.
    pub fold: F,
}
