//! From files to the store: one thread reads and prepares, another one commits, each as fast as it can.
//!
//! What is read waits in a short queue. Where commits fail it fills up, and reading waits with them.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::{panic, thread};

use audit_who_core::Error;
use audit_who_core::store::Recorder;
use audit_who_core::tail::{Batch, Tailer};

use super::committing::{Committer, WAITING, Work};
use super::options::Options;
use super::state::{Part, Patience, State};

/// Reads and commits until it is told to stop, or with `--once` to the end of what is there.
pub(super) fn run(
    tailer: &mut Tailer,
    recorder: Recorder,
    options: &Options,
    state: &State,
) -> anyhow::Result<()> {
    let committer = Committer::new(tailer.store(), options, state)?;
    let (queue, work) = sync_channel(WAITING);
    thread::scope(|scope| {
        let committing =
            thread::Builder::new().name("commit".to_owned()).spawn_scoped(scope, || committer.run(work))?;
        let followed = Follower { tailer, recorder, queue, state }.run();
        let ended = committing.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked));
        // If both failed, reading did because committing had.
        ended.and(followed.map_err(anyhow::Error::from))
    })
}

/// Reads, and hands on what is read. Dropping it ends the queue.
struct Follower<'a> {
    tailer: &'a mut Tailer,
    recorder: Recorder,
    queue: SyncSender<Work>,
    state: &'a State,
}

impl Follower<'_> {
    fn run(mut self) -> Result<(), Error> {
        // With `--once`: whether there was nothing since all was committed.
        let mut at_end = false;
        loop {
            match self.tailer.next() {
                Some(Ok(batch)) => {
                    at_end = false;
                    if !self.hand_on(batch) {
                        return Ok(());
                    }
                }
                Some(Err(error)) => {
                    if !self.endure(error)? {
                        return Ok(());
                    }
                }
                None if self.state.stop().is_told() || at_end || !self.settle() => return Ok(()),
                // What comes to an end is noted only once all of it is committed.
                None => at_end = true,
            }
        }
    }

    /// Whether somebody still takes it.
    fn hand_on(&mut self, mut batch: Batch) -> bool {
        let prepared = self.recorder.prepare(&batch);
        batch.release();
        self.queue.send(Work::Batch(Box::new((batch, prepared)))).is_ok()
    }

    /// Waits until all that was handed on is committed; whether it is.
    fn settle(&self) -> bool {
        let (done, settled) = sync_channel(1);
        self.queue.send(Work::Settle(done)).is_ok() && settled.recv().is_ok()
    }

    /// Tries again until the store can be read and written; whether there is anything to go on for.
    fn endure(&mut self, mut error: Error) -> Result<bool, Error> {
        let mut patience = Patience::new();
        loop {
            if !error.is_temporary() {
                return Err(error);
            }
            self.state.trouble(Part::Following, &error);
            log::error!(waited:? = patience.spent(); "what is followed can't be noted; it is tried again: {error}");
            self.state.stop().wait(patience.next());
            if self.state.stop().is_told() {
                return Ok(false);
            }
            match self.tailer.poll() {
                Ok(batch) => {
                    self.state.resolved(Part::Following);
                    log::info!(waited:? = patience.spent(); "what is followed can be noted again");
                    return Ok(batch.is_none_or(|batch| self.hand_on(batch)));
                }
                Err(again) => error = again,
            }
        }
    }
}
