//! What can happen: to the files, to whoever reads them, and to the store.

use proptest::prelude::*;

/// How a case is set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// Bytes of a batch.
    pub(crate) batch: usize,
    /// Bytes of the longest line that is held.
    pub(crate) line: usize,
    pub(crate) open_files: usize,
    /// Whether the system gives hints; if not, all of them are lost.
    pub(crate) inotify: bool,
    /// Rotated files that the writer keeps; 0 for all.
    pub(crate) backups: usize,
}

/// One thing that happens. What is not possible just then does nothing.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// The writer writes lines of these lengths, each with one call.
    Write(Vec<usize>),
    /// The writer writes a line of this length, but is interrupted before its end.
    Tear(usize, usize),
    /// The writer writes the rest of a line.
    Flush,
    /// The writer goes through a rotation, or through what is left of one.
    Rotate,
    /// The writer goes some steps on in a rotation.
    Step(usize),
    /// The writer goes some steps on in pruning and packing, with up to so many bytes each.
    Mill(usize, usize),
    /// The writer is killed; its next write starts it again.
    Kill,
    /// The clock is set, by seconds.
    Clock(i64),
    /// Somebody sets a file's time of modification, by seconds.
    Touch(usize, i64),
    /// Somebody removes a file.
    Remove(usize),
    /// Somebody renames the live file, as logrotate does; the writer goes on with it.
    Rename,
    /// Somebody copies the live file, or its first so many bytes.
    Copy(Option<usize>),
    /// Somebody truncates the live file.
    Truncate,
    /// Somebody makes the live file larger by a hole.
    Hole(usize),
    /// The reader reads so many batches, and does something with them.
    Poll(usize, Then),
    /// The reader looks so often without anything else happening.
    Idle(usize),
    /// A batch that was kept is dropped.
    Drop(usize),
    /// All that was kept is committed, from the first one to the last one.
    Commit,
    /// The reader is killed and starts again, with batches of so many bytes.
    Restart(usize),
    /// Another process locks the store, or lets go of it.
    Lock,
    /// The store fails whenever this is done, or does not any more.
    Fault(Fault),
}

/// What the store fails at, in the middle of whatever it is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    NewGeneration,
    MovedGeneration,
    NewGap,
    ClosedGap,
    BadSpan,
}

impl Fault {
    /// What triggers it, as SQL.
    pub(crate) const fn trigger(self) -> &'static str {
        match self {
            Self::NewGeneration => "INSERT ON generations",
            Self::MovedGeneration => "UPDATE ON generations",
            Self::NewGap => "INSERT ON gaps",
            Self::ClosedGap => "DELETE ON gaps",
            Self::BadSpan => "INSERT ON bad_spans",
        }
    }
}

/// What the reader does with a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    Commit,
    /// The store is full the first time.
    CommitWhenFull,
    Keep,
    Drop,
}

const DAY: i64 = 24 * 60 * 60;

pub(crate) fn setup() -> impl Strategy<Value = Setup> {
    let open_files = prop_oneof![3 => Just(64_usize), 1 => 1_usize..3];
    let line = prop_oneof![3 => Just(4096_usize), 1 => Just(256)];
    (batch(), line, open_files, prop::bool::weighted(0.1), 0_usize..4).prop_map(
        |(batch, line, open_files, inotify, backups)| Setup { batch, line, open_files, inotify, backups },
    )
}

fn batch() -> impl Strategy<Value = usize> {
    prop_oneof![1 => 1_usize..64, 2 => 64_usize..1024, 1 => Just(1024 * 1024)]
}

/// Mostly long enough to tell a file by its first line.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![1 => 0_usize..120, 8 => 120_usize..600]
}

fn seconds() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), Just(-DAY), Just(DAY), 1_i64..5]
}

fn then() -> impl Strategy<Value = Then> {
    prop_oneof![6 => Just(Then::Commit), 1 => Just(Then::CommitWhenFull), 2 => Just(Then::Keep), 1 => Just(Then::Drop)]
}

fn fault() -> impl Strategy<Value = Fault> {
    use Fault::{BadSpan, ClosedGap, MovedGeneration, NewGap, NewGeneration};
    prop::sample::select(vec![NewGeneration, MovedGeneration, NewGap, ClosedGap, BadSpan])
}

fn reading() -> BoxedStrategy<Action> {
    prop_oneof![
        12 => (1_usize..6, then()).prop_map(|(count, then)| Action::Poll(count, then)),
        2 => (1_usize..8).prop_map(Action::Idle),
        2 => (0_usize..4).prop_map(Action::Drop),
        3 => Just(Action::Commit),
        3 => batch().prop_map(Action::Restart),
        1 => Just(Action::Lock),
        1 => fault().prop_map(Action::Fault),
    ]
    .boxed()
}

/// What the API server does by itself.
fn serving() -> BoxedStrategy<Action> {
    prop_oneof![
        8 => prop::collection::vec(length(), 1..4).prop_map(Action::Write),
        2 => (length(), 1_usize..600).prop_map(|(length, torn)| Action::Tear(length, torn)),
        2 => Just(Action::Flush),
        4 => Just(Action::Rotate),
        4 => (1_usize..6).prop_map(Action::Step),
        8 => (1_usize..8, prop_oneof![1_usize..60, 60_usize..600]).prop_map(|(steps, bytes)| Action::Mill(steps, bytes)),
        1 => Just(Action::Kill),
        2 => (1_i64..5).prop_map(Action::Clock),
    ]
    .boxed()
}

/// What others do to its files.
fn meddling() -> BoxedStrategy<Action> {
    prop_oneof![
        1 => seconds().prop_map(Action::Clock),
        1 => (0_usize..8, seconds()).prop_map(|(file, seconds)| Action::Touch(file, seconds)),
        1 => (0_usize..8).prop_map(Action::Remove),
        1 => Just(Action::Rename),
        2 => prop::option::of(0_usize..1500).prop_map(Action::Copy),
        2 => Just(Action::Truncate),
        1 => (1_usize..5000).prop_map(Action::Hole),
    ]
    .boxed()
}

pub(crate) fn served() -> BoxedStrategy<Action> {
    prop_oneof![2 => serving(), 1 => reading()].boxed()
}

pub(crate) fn meddled() -> BoxedStrategy<Action> {
    prop_oneof![3 => serving(), 2 => reading(), 2 => meddling()].boxed()
}
