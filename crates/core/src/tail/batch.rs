//! Records on their way to the store.

use std::collections::{BTreeSet, HashMap};
use std::iter;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Transaction, TransactionBehavior};

use super::cut::{Flaw, Run};
use super::identity::Mark;
use super::metrics::Metrics;
use crate::error::{Error, ErrorKind};
use crate::store::Store;
use crate::store::checkpoint::{self, Checkpoint};

/// Some records of one generation that stand behind each other.
///
/// They count as read when the batch is committed, together with what is written in the same transaction. A batch that is
/// dropped before is read again, and so is everything behind it: later batches of the generation can't be committed then.
#[derive(Debug)]
pub struct Batch {
    pub(crate) shared: Arc<Shared>,
    /// Where the generation stands before.
    pub(crate) from: u64,
    /// Where it stands once this is committed.
    pub(crate) to: Checkpoint,
    /// The content that the records are in.
    pub(crate) data: Vec<u8>,
    pub(crate) records: Vec<Run>,
    /// How many records there are, held or not.
    pub(crate) entries: u64,
    pub(crate) spans: Vec<Span>,
    pub(crate) unterminated: bool,
    pub(crate) committed: bool,
}

/// A line of a log, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'b> {
    /// Bytes from the start of the generation's decompressed content.
    pub offset: u64,
    /// What is in it.
    pub bytes: &'b [u8],
    /// Whether a line end, or a hole, follows. If not, its writer was interrupted.
    pub terminated: bool,
}

/// Bytes that hold no entry, as far as it is told without decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Bytes from the start of the generation's decompressed content.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// SHA-256 of the bytes, where they are not all alike.
    pub sha256: Option<[u8; 32]>,
    pub(crate) flaw: Flaw,
}

impl Span {
    /// Why it is no entry.
    pub const fn reason(&self) -> &'static str {
        self.flaw.reason()
    }
}

/// What batches and the tailer they come from have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    store: Mutex<Store>,
    progress: Mutex<HashMap<i64, Progress>>,
    /// The generations of which something was committed or dropped, until the tailer has seen to them.
    touched: Mutex<BTreeSet<i64>>,
    pub(crate) metrics: Arc<Metrics>,
}

/// How far a generation is committed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    pub(crate) offset: u64,
    pub(crate) tail: Mark,
    /// Whether a batch was dropped, so that what stands behind the offset has to be read again.
    pub(crate) dropped: bool,
}

impl Shared {
    pub(crate) fn new(store: Store, checkpoints: &[Checkpoint]) -> Self {
        let progress = checkpoints.iter().map(|known| (known.id, Progress::of(known))).collect();
        Self {
            store: Mutex::new(store),
            progress: Mutex::new(progress),
            touched: Mutex::default(),
            metrics: Arc::default(),
        }
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn progresses(&self) -> MutexGuard<'_, HashMap<i64, Progress>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called when the progress is as it is to be seen.
    fn touch(&self, generation: i64) {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner).insert(generation);
    }

    /// The generations of which something was committed or dropped since it was asked last.
    pub(crate) fn take_touched(&self) -> BTreeSet<i64> {
        std::mem::take(&mut *self.touched.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn progress(&self, generation: i64) -> Option<Progress> {
        self.progresses().get(&generation).copied()
    }

    pub(crate) fn begin(&self, new: &Checkpoint) {
        self.progresses().insert(new.id, Progress::of(new));
    }

    /// What is committed of a generation, where reading has to go on from there: once after a batch was dropped, and where
    /// more is committed than was read again since.
    pub(crate) fn take_moved(&self, generation: i64, at: u64) -> Option<Progress> {
        let mut progresses = self.progresses();
        let has_moved = |progress: &&mut Progress| progress.dropped || progress.offset > at;
        let progress = progresses.get_mut(&generation).filter(has_moved)?;
        progress.dropped = false;
        Some(*progress)
    }
}

impl Progress {
    const fn of(checkpoint: &Checkpoint) -> Self {
        Self { offset: checkpoint.offset, tail: checkpoint.tail, dropped: false }
    }
}

impl Batch {
    /// The number of the generation that the records are from.
    pub const fn generation(&self) -> i64 {
        self.to.id
    }

    /// The file that the API server writes, or that this one was rotated from.
    pub fn source(&self) -> &str {
        &self.to.source
    }

    /// The file that was read.
    pub fn path(&self) -> &str {
        &self.to.path
    }

    /// How many bytes of content it accounts for, line ends and [spans](Self::spans) among them.
    pub const fn length(&self) -> u64 {
        self.to.offset - self.from
    }

    /// The bytes of the generation's decompressed content that it accounts for.
    pub(crate) const fn range(&self) -> std::ops::Range<u64> {
        self.from..self.to.offset
    }

    /// The lines that are not blank, in their order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let last = self.records.len().saturating_sub(1);
        self.records.iter().enumerate().map(move |(index, run)| Entry {
            offset: self.from + run.start as u64,
            bytes: &self.data[run.start..run.start + run.length],
            terminated: !(self.unterminated && index == last),
        })
    }

    /// Frees what only [`entries`](Self::entries) needs, of which there are none afterwards: who has made of them what is to
    /// be written can let many batches wait to be committed.
    pub fn release(&mut self) {
        self.data = Vec::new();
        self.records = Vec::new();
    }

    /// What stands between two places of the generation's content; empty if the batch does not hold all of it.
    pub(crate) fn content(&self, range: std::ops::Range<u64>) -> &[u8] {
        let at = |offset: u64| usize::try_from(offset.checked_sub(self.from)?).ok();
        let bytes = at(range.start).zip(at(range.end)).and_then(|(start, end)| self.data.get(start..end));
        bytes.unwrap_or_default()
    }

    /// What is no entry.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Notes that all of it is read.
    ///
    /// # Errors
    ///
    /// As [`commit_with`](Self::commit_with).
    pub fn commit(&mut self) -> Result<(), Error> {
        self.commit_with(|_| Ok(()))
    }

    /// Notes that all of it is read, in one transaction with what `write` does: both are there afterwards, or neither is.
    ///
    /// # Errors
    ///
    /// If the store can't be written ([`is_temporary`](Error::is_temporary) tells whether to try again: the batch is as it
    /// was), or if something else was committed from this place ([`ErrorKind::Conflict`]).
    pub fn commit_with<T>(
        &mut self,
        write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        self.commit_with_later(&mut [], write)
    }

    /// Notes that all of it is read and all of `later`, batches of the same tailer that came behind it, in one transaction
    /// with what `write` does. A few large transactions cost less than many small ones.
    ///
    /// # Errors
    ///
    /// As [`commit_with`](Self::commit_with), for all of them or none. A batch of another tailer is a conflict, too.
    pub fn commit_with_later<T>(
        &mut self,
        later: &mut [Self],
        write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let shared = Arc::clone(&self.shared);
        let mut store = shared.store();
        match Self::write(&mut store, || iter::once(&*self).chain(&*later), write) {
            Ok(Ok(value)) => {
                shared.metrics.succeeded();
                iter::once(self).chain(later).for_each(Self::note_committed);
                Ok(value)
            }
            Ok(Err(Astray { generation, from })) => {
                let detail = format!(
                    "generation {generation} no longer stands at byte {from}: something else was committed from there"
                );
                Err(Error::new(ErrorKind::Conflict, store.path().to_string_lossy(), detail))
            }
            Err(error) => {
                shared.metrics.failed();
                Err(store.failure(&error))
            }
        }
    }

    fn note_committed(&mut self) {
        self.committed = true;
        if let Some(progress) = self.shared.progresses().get_mut(&self.to.id) {
            // A later batch may have been dropped before.
            (progress.offset, progress.tail) = (self.to.offset, self.to.tail);
        }
        self.shared.touch(self.to.id);
        self.shared.metrics.committed(self.length(), self.entries, self.spans.len() as u64);
    }

    fn write<'b, T, B: Iterator<Item = &'b Self>>(
        store: &mut Store,
        batches: impl Fn() -> B,
        write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Result<T, Astray>> {
        let transaction = store.connection_mut().transaction_with_behavior(TransactionBehavior::Immediate)?;
        let first = batches().next().map(|batch| &batch.shared);
        for batch in batches() {
            let is_one_of_them = first.is_some_and(|shared| Arc::ptr_eq(shared, &batch.shared));
            if !is_one_of_them || !checkpoint::advance(&transaction, batch.from, &batch.to)? {
                return Ok(Err(Astray { generation: batch.to.id, from: batch.from }));
            }
            batch.write_spans(&transaction)?;
        }
        let value = write(&transaction)?;
        transaction.commit()?;
        Ok(Ok(value))
    }

    fn write_spans(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        for span in &self.spans {
            let sha256 = span.sha256.as_ref().map(<[u8; 32]>::as_slice);
            let (id, reason) = (self.to.id, span.reason());
            checkpoint::insert_bad_span(transaction, id, span.offset, span.length, reason, sha256)?;
        }
        Ok(())
    }
}

/// A batch whose generation is not where the batch begins.
struct Astray {
    generation: i64,
    from: u64,
}

impl Drop for Batch {
    fn drop(&mut self) {
        if self.committed {
            return;
        }
        if let Some(progress) = self.shared.progresses().get_mut(&self.to.id) {
            progress.dropped = true;
        }
        self.shared.touch(self.to.id);
    }
}
