//! What a tailer did so far.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one tailer, which any thread may read.
#[derive(Debug, Default)]
pub struct Metrics {
    bytes: AtomicU64,
    entries: AtomicU64,
    bad_spans: AtomicU64,
    gaps: AtomicU64,
    commits: AtomicU64,
    failures: AtomicU64,
    rotations: AtomicU64,
    generations: AtomicU64,
    lag: AtomicU64,
    looks: AtomicU64,
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        impl Metrics {
            $($(#[$doc])*
            pub fn $name(&self) -> u64 {
                self.$name.load(Ordering::Relaxed)
            })*
        }
    };
}

counters! {
    /// Decompressed bytes that were committed.
    bytes,
    /// Lines that were committed.
    entries,
    /// Runs of bytes that are no line, and were committed as such.
    bad_spans,
    /// Losses that were noted.
    gaps,
    /// Commits, each of one batch or of several.
    commits,
    /// Commits that failed.
    failures,
    /// Files that were found under another name than before, or in the place of another one.
    rotations,
    /// Generations that were met for the first time.
    generations,
    /// Bytes on disk that were not read at the last look, of plain files.
    lag,
    /// How often it was looked which files there are.
    looks,
}

impl Metrics {
    pub(crate) fn committed(&self, bytes: u64, entries: u64, bad_spans: u64) {
        add(&self.bytes, bytes);
        add(&self.entries, entries);
        add(&self.bad_spans, bad_spans);
    }

    pub(crate) fn succeeded(&self) {
        add(&self.commits, 1);
    }

    pub(crate) fn failed(&self) {
        add(&self.failures, 1);
    }

    pub(crate) fn lost(&self) {
        add(&self.gaps, 1);
    }

    pub(crate) fn rotated(&self) {
        add(&self.rotations, 1);
    }

    pub(crate) fn began(&self) {
        add(&self.generations, 1);
    }

    pub(crate) fn looked(&self, lag: u64) {
        add(&self.looks, 1);
        self.lag.store(lag, Ordering::Relaxed);
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
