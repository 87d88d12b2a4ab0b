//! Commits what is read, in its order, and looks after the store.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use anyhow::{Context, bail};
use audit_who_core::Error;
use audit_who_core::store::Prepared;
use audit_who_core::tail::{Batch, StoreHandle};

use super::options::Options;
use super::removing::Remover;
use super::state::{Part, Patience, State};
use crate::logging;

/// How long nothing must come before the store is looked after.
const IDLE: Duration = Duration::from_secs(1);

/// Batches that are committed at once, at the most.
const TOGETHER: usize = 8;
/// Batches that wait to be committed, at the most, while others are: of each is held what is stored of it. With more of them,
/// a line of 64 MiB does not fit into 100 MB beside the rest.
pub(super) const WAITING: usize = 4;

/// What there is to do.
pub(super) enum Work {
    /// Records, and what is stored of them.
    Batch(Box<(Batch, Prepared)>),
    /// To say that everything before is committed.
    Settle(SyncSender<()>),
}

/// Commits batches.
pub(super) struct Committer<'a> {
    store: StoreHandle,
    state: &'a State,
    db: PathBuf,
    /// Device and inode of the store's file.
    file: (u64, u64),
    /// Whether something was committed since the store was looked after.
    dirty: bool,
    remover: Option<Remover<'a>>,
}

impl<'a> Committer<'a> {
    pub(super) fn new(store: StoreHandle, options: &Options, state: &'a State) -> anyhow::Result<Self> {
        let db = options.db.clone();
        let file = identity(&db)?;
        let remover = Remover::new(store.clone(), options, state);
        Ok(Self { store, state, db, file, dirty: false, remover })
    }

    /// Works until nothing more can come. An error ends everything else, too.
    pub(super) fn run(mut self, work: Receiver<Work>) -> anyhow::Result<()> {
        let ended = self.work(&work).and_then(|()| self.finish());
        // Nobody waits for room any more.
        drop(work);
        ended
    }

    fn work(&mut self, work: &Receiver<Work>) -> anyhow::Result<()> {
        loop {
            let patience = self.remover.as_ref().map_or(IDLE, |remover| remover.wait().min(IDLE));
            match work.recv_timeout(patience) {
                Ok(Work::Batch(first)) => {
                    let (group, settle) = Group::of(first, work);
                    self.commit(group)?;
                    settle.iter().for_each(say);
                }
                Ok(Work::Settle(done)) => say(&done),
                Err(RecvTimeoutError::Timeout) if patience < IDLE => {}
                Err(RecvTimeoutError::Timeout) => self.rest(),
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if let Some(remover) = &mut self.remover {
                remover.step()?;
            }
            logging::tick();
        }
    }

    /// Leaves the store as it is to be.
    fn finish(&mut self) -> anyhow::Result<()> {
        self.dirty = true;
        if let Some(remover) = &mut self.remover {
            remover.finish()?;
        }
        self.rest();
        Ok(())
    }

    /// Commits batches, however often that has to be tried.
    fn commit(&mut self, mut group: Group) -> anyhow::Result<()> {
        let mut patience = Patience::new();
        let kept = loop {
            // What is committed to a file without a name is lost.
            if identity(&self.db)? != self.file {
                bail!(
                    "{}: the store was replaced by another file; run it again to collect into that one",
                    self.db.display()
                );
            }
            let error = match group.commit() {
                Ok(kept) => break kept,
                Err(error) => error,
            };
            if !error.is_temporary() {
                return Err(error.into());
            }
            if self.state.stop().is_told() {
                return Err(error)
                    .context("not all that was read is committed; it is read again at the next start");
            }
            self.state.trouble(Part::Committing, &error);
            log::error!(waited:? = patience.spent(); "a commit failed: reading waits, and it is tried again: {error}");
            self.state.stop().wait(patience.next());
        };
        self.state.kept.add(kept);
        for prepared in &group.prepared {
            self.state.events.add(prepared.seen());
            self.state.bad_spans.add(prepared.bad_lines());
        }
        if self.state.resolved(Part::Committing) {
            log::info!(waited:? = patience.spent(); "commits succeed again");
        }
        self.state.committed(logging::now());
        self.dirty = true;
        for batch in &group.batches {
            log::debug!(generation = batch.generation(), path = batch.path(), bytes = batch.length(); "committed");
        }
        Ok(())
    }

    /// While there is nothing to commit: makes it durable, and the write-ahead log short.
    fn rest(&mut self) {
        if std::mem::take(&mut self.dirty)
            && let Err(error) = self.store.with(|store| store.rest())
        {
            log::warn!("the write-ahead log stays beside the store, and is read with it: {error}");
        }
    }
}

/// Batches that are committed at once, in their order, with what is stored of each. Every commit writes anew the pages of
/// the indexes that it changes, so a few large ones are cheaper.
struct Group {
    batches: Vec<Batch>,
    prepared: Vec<Prepared>,
}

impl Group {
    /// The first batch, and all that wait behind it. Who asks to be told when all before is committed ends it.
    fn of(first: Box<(Batch, Prepared)>, work: &Receiver<Work>) -> (Self, Option<SyncSender<()>>) {
        let (batch, prepared) = *first;
        let mut group = Self { batches: vec![batch], prepared: vec![prepared] };
        while group.batches.len() < TOGETHER {
            match work.try_recv() {
                Ok(Work::Batch(next)) => {
                    group.batches.push(next.0);
                    group.prepared.push(next.1);
                }
                Ok(Work::Settle(done)) => return (group, Some(done)),
                Err(_) => break,
            }
        }
        (group, None)
    }

    /// In one transaction; how many events are new to the store.
    fn commit(&mut self) -> Result<u64, Error> {
        let Some((first, later)) = self.batches.split_first_mut() else { return Ok(0) };
        let prepared = &self.prepared;
        first.commit_with_later(later, |transaction| Prepared::write_all(prepared, transaction))
    }
}

/// Tells whoever asked, who may have given up.
fn say(done: &SyncSender<()>) {
    let _ = done.send(());
}

impl Drop for Committer<'_> {
    /// However it ends: nobody is to read what nobody commits.
    fn drop(&mut self) {
        self.state.stop().tell();
    }
}

fn identity(db: &PathBuf) -> anyhow::Result<(u64, u64)> {
    let metadata = fs::metadata(db).with_context(|| {
        format!("{}: the store is not there any more; run it again to collect into a new one", db.display())
    })?;
    Ok((metadata.dev(), metadata.ino()))
}
