//! The reader of the files, its store, and what it delivers.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;

use audit_who_core::tail::{Batch, Tailer};
use audit_who_core::{Error, ErrorKind};
use rusqlite::Connection;

use super::action::{Fault, Setup, Then};
use super::content::LIVE;

/// What came in one batch.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) generation: i64,
    /// Where it begins.
    pub(crate) from: u64,
    pub(crate) length: u64,
    /// Offset and bytes.
    pub(crate) entries: Vec<(u64, Vec<u8>)>,
    /// Offset and length.
    pub(crate) spans: Vec<(u64, u64)>,
}

/// What reading came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Batch,
    Nothing,
    Failure,
}

#[derive(Debug)]
pub(crate) struct Reader {
    folder: PathBuf,
    pub(crate) db: PathBuf,
    setup: Setup,
    tailer: Option<Tailer>,
    kept: VecDeque<Batch>,
    lock: Option<Connection>,
    fault: Option<Fault>,
    /// Whether a batch was dropped, so that later ones conflict.
    dropped: bool,
    /// Whether the store was made full.
    full: bool,
    looks: u64,
    pub(crate) delivered: Vec<Delivery>,
}

impl Reader {
    pub(crate) fn new(folder: &Path, db: PathBuf, setup: Setup) -> Self {
        let mut reader = Self {
            folder: folder.to_owned(),
            db,
            setup,
            tailer: None,
            kept: VecDeque::new(),
            lock: None,
            fault: None,
            dropped: false,
            full: false,
            looks: 0,
            delivered: Vec::new(),
        };
        reader.start();
        let connection = Connection::open(&reader.db).unwrap();
        connection
            .execute_batch("CREATE TABLE delivered (generation INTEGER, offset INTEGER, bytes BLOB)")
            .unwrap();
        reader
    }

    fn start(&mut self) {
        let tailer = Tailer::builder()
            .path(self.folder.join(LIVE))
            .db(&self.db)
            .busy_timeout(Duration::ZERO)
            .refresh_interval(Duration::ZERO)
            .inotify_watcher(self.setup.inotify)
            .batch_size(self.setup.batch)
            .buffer_max_size(self.setup.line)
            .max_open_files(self.setup.open_files)
            .build();
        self.tailer = Some(tailer.unwrap());
        (self.dropped, self.full, self.looks) = (false, false, 0);
    }

    /// Is killed with what it kept, and starts again.
    pub(crate) fn restart(&mut self, batch: usize) {
        self.lock = None;
        self.tailer = None;
        self.kept.clear();
        self.setup.batch = batch;
        self.start();
    }

    /// Another process locks the store, or lets go of it.
    pub(crate) fn toggle_lock(&mut self) {
        if self.lock.take().is_none() {
            let connection = Connection::open(&self.db).unwrap();
            connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
            self.lock = Some(connection);
        }
    }

    /// The store fails at something, or does not any more: as a disk, it fails on after a restart.
    pub(crate) fn toggle_fault(&mut self, fault: Fault) {
        if self.lock.is_some() {
            return;
        }
        let connection = Connection::open(&self.db).unwrap();
        connection.execute_batch("DROP TRIGGER IF EXISTS fault").unwrap();
        self.fault = Some(fault).filter(|_| self.fault.is_none());
        if let Some(fault) = self.fault {
            let trigger = fault.trigger();
            let fault =
                format!("CREATE TRIGGER fault BEFORE {trigger} BEGIN SELECT RAISE(ABORT, 'a fault'); END");
            connection.execute_batch(&fault).unwrap();
        }
    }

    /// Ends all that stands in its way; tells whether it was started again for that.
    pub(crate) fn mend(&mut self) -> bool {
        self.lock = None;
        if let Some(fault) = self.fault {
            self.toggle_fault(fault);
        }
        while let Some(batch) = self.kept.pop_back() {
            self.drop(batch);
        }
        let full = self.full;
        if full {
            self.restart(self.setup.batch);
        }
        full
    }

    /// Reads a batch; tells, too, whether it was looked which files there are.
    pub(crate) fn poll(&mut self, then: Then) -> (Came, bool) {
        let tailer = self.tailer.as_mut().unwrap();
        let polled = tailer.poll();
        let looks = tailer.metrics().looks();
        let looked = looks > std::mem::replace(&mut self.looks, looks);
        match polled {
            Ok(None) => (Came::Nothing, looked),
            Err(error) => {
                self.expect(&error);
                (Came::Failure, false)
            }
            Ok(Some(batch)) => {
                match then {
                    Then::Keep => self.kept.push_back(batch),
                    Then::Drop => self.drop(batch),
                    Then::Commit | Then::CommitWhenFull => {
                        // Batches are committed in their order.
                        self.kept.push_back(batch);
                        self.commit_kept(matches!(then, Then::CommitWhenFull));
                    }
                }
                (Came::Batch, looked)
            }
        }
    }

    pub(crate) fn commit_kept(&mut self, mut full: bool) {
        while let Some(mut batch) = self.kept.pop_front() {
            match commit(&mut batch, full) {
                Ok(delivery) => {
                    self.full = false;
                    self.delivered.push(delivery);
                }
                Err(error) => {
                    self.full |= full;
                    self.expect(&error);
                    match error.kind() {
                        ErrorKind::DiskFull if full => {
                            full = false;
                            self.kept.push_front(batch);
                        }
                        ErrorKind::Busy => {
                            self.kept.push_front(batch);
                            return;
                        }
                        _ => self.drop(batch),
                    }
                }
            }
        }
    }

    pub(crate) fn drop_kept(&mut self, index: usize) {
        if let Some(batch) = self.kept.remove(index) {
            self.drop(batch);
        }
    }

    fn drop(&mut self, batch: Batch) {
        self.dropped = true;
        drop(batch);
    }

    /// Errors come from what was done to the store, and from nothing else.
    fn expect(&self, error: &Error) {
        let expected = match error.kind() {
            ErrorKind::Busy => self.lock.is_some(),
            ErrorKind::DiskFull => self.full,
            ErrorKind::Database => self.fault.is_some(),
            ErrorKind::Conflict => self.dropped,
            _ => false,
        };
        assert!(expected, "{error}");
    }
}

/// Commits a batch together with its lines.
fn commit(batch: &mut Batch, full: bool) -> Result<Delivery, Error> {
    let entries: Vec<_> = batch.entries().map(|entry| (entry.offset, entry.bytes.to_vec())).collect();
    let spans = batch.spans().iter().map(|span| (span.offset, span.length)).collect();
    let (generation, length) = (batch.generation(), batch.length());
    let until = batch.commit_with(|transaction| {
        transaction.query_row("PRAGMA max_page_count = 1000000", [], |_| Ok(()))?;
        let mut insert = transaction.prepare_cached("INSERT INTO delivered VALUES (?, ?, ?)")?;
        for (offset, bytes) in &entries {
            insert.execute((generation, offset.cast_signed(), bytes))?;
        }
        if full {
            transaction.query_row("PRAGMA max_page_count = 1", [], |_| Ok(()))?;
            transaction.execute("INSERT INTO delivered VALUES (0, 0, zeroblob(100000))", [])?;
        }
        transaction.query_row("SELECT offset FROM generations WHERE id = ?", [generation], |row| {
            row.get::<_, i64>(0)
        })
    })?;
    Ok(Delivery { generation, from: until.cast_unsigned() - length, length, entries, spans })
}
