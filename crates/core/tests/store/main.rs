//! What a store holds of the logs that were collected into it.

#![allow(clippy::unwrap_used, reason = "all of this is tests")]

mod answers;
mod lists;
mod recording;
mod retention;
mod sums;

use std::path::{Path, PathBuf};
use std::time::Duration;

use audit_who_core::store::{Keep, Recorder, Store};
use audit_who_core::tail::Tailer;
use tempfile::TempDir;

/// A store in a folder of its own.
pub(crate) struct Bench {
    folder: TempDir,
    batch: usize,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), batch: 1024 * 1024 }
    }

    /// Collects in batches of so many bytes.
    pub(crate) fn batches_of(batch: usize) -> Self {
        Self { batch, ..Self::new() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.path("audit.db")
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(self.db(), Duration::ZERO).unwrap()
    }

    /// Collects what is at `paths`, and what was not collected before.
    pub(crate) fn collect(&self, paths: &[&Path], keep: Keep) {
        let mut builder = Tailer::builder().inotify_watcher(false).exit_on_eof(true).batch_size(self.batch);
        for path in paths {
            builder = builder.path(path);
        }
        let store = self.open();
        let mut recorder = Recorder::new(&store, keep).unwrap();
        for batch in builder.build_on(store).unwrap() {
            let mut batch = batch.unwrap();
            let prepared = recorder.prepare(&batch);
            batch.commit_with(|transaction| prepared.write(transaction)).unwrap();
        }
    }

    /// A plain connection, as any other program has it.
    pub(crate) fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.db()).unwrap()
    }

    /// The one number that a query yields.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.sql().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

/// A file of the fixtures.
pub(crate) fn fixture(name: &str) -> PathBuf {
    audit_who_testkit::context::workspace_root().join("fixtures").join(name)
}
