//! What to follow, and how.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Resource, getrlimit};

use super::Tailer;
use super::part::Limits;
use crate::error::Error;
use crate::store::Store;

/// Bytes of the longest line that is held.
const BUFFER_MAX_SIZE: usize = 64 * 1024 * 1024;
/// Bytes of a batch.
const BATCH: usize = 1024 * 1024;
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);
const POLL_INTERVAL: Duration = Duration::from_millis(250);
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_OPEN_FILES: usize = 64;
/// Bytes of removed files that are held.
const MAX_HELD: u64 = 16 * 1024 * 1024 * 1024;
/// Of the files that the process may open, so many are for everything else: the store, folders, watches, connections.
const OTHER_FILES: u64 = 32;

/// Sets up a [`Tailer`]. Options that Fluent Bit's tail input has, too, are called as they are there.
#[derive(Clone, Debug)]
pub struct Builder {
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) excluded: Vec<String>,
    db: Option<PathBuf>,
    pub(crate) busy_timeout: Duration,
    pub(crate) read_from_head: bool,
    refresh_interval: Option<Duration>,
    pub(crate) inotify_watcher: bool,
    pub(crate) exit_on_eof: bool,
    pub(crate) max_open_files: usize,
    pub(crate) max_held_bytes: u64,
    pub(crate) limits: Limits,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            paths: Vec::new(),
            excluded: Vec::new(),
            db: None,
            busy_timeout: BUSY_TIMEOUT,
            read_from_head: true,
            refresh_interval: None,
            inotify_watcher: true,
            exit_on_eof: false,
            max_open_files: MAX_OPEN_FILES,
            max_held_bytes: MAX_HELD,
            limits: Limits { batch: BATCH, line: BUFFER_MAX_SIZE },
        }
    }
}

impl Builder {
    /// Follows a file with what is rotated from it, a folder with all below it, or what a pattern with `*`, `?`, `[…]`
    /// and `**` matches, with what is rotated from that. It need not be there yet.
    #[must_use]
    pub fn path(mut self, path: impl AsRef<Path>) -> Self {
        self.paths.push(path.as_ref().to_owned());
        self
    }

    /// Leaves out files whose path or name matches a pattern.
    #[must_use]
    pub fn exclude_path(mut self, pattern: impl Into<String>) -> Self {
        self.excluded.push(pattern.into());
        self
    }

    /// Keeps how far files are read in the store at this path; without it in memory, for as long as the tailer lives.
    #[must_use]
    pub fn db(mut self, path: impl AsRef<Path>) -> Self {
        self.db = Some(path.as_ref().to_owned());
        self
    }

    /// Waits so long for a store that another process has locked; 5 s by default.
    #[must_use]
    pub const fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Whether files that are there at the first start of all are read from their beginning, which is the default, or
    /// from their end. Files that come later are read from their beginning.
    #[must_use]
    pub const fn read_from_head(mut self, from_head: bool) -> Self {
        self.read_from_head = from_head;
        self
    }

    /// Looks so often which files there are and whether they grew; every second by default, four times a second without
    /// [`inotify_watcher`](Self::inotify_watcher).
    #[must_use]
    pub const fn refresh_interval(mut self, interval: Duration) -> Self {
        self.refresh_interval = Some(interval);
        self
    }

    /// Whether to look at once when the system says that something changed, which is the default. Network file systems
    /// say nothing; nothing is missed without.
    #[must_use]
    pub const fn inotify_watcher(mut self, watch: bool) -> Self {
        self.inotify_watcher = watch;
        self
    }

    /// Holds lines of up to so many bytes, 64 MiB by default. A longer one is a bad span; the lines behind it are read.
    #[must_use]
    pub const fn buffer_max_size(mut self, bytes: usize) -> Self {
        self.limits.line = bytes;
        self
    }

    /// Ends the iteration where there is nothing more to read, instead of waiting for it.
    #[must_use]
    pub const fn exit_on_eof(mut self, exit: bool) -> Self {
        self.exit_on_eof = exit;
        self
    }

    /// Holds no more files open than so many, 64 by default, and fewer where the process may not open as many. A file that
    /// is not held and is removed before it is read is lost, and noted as a gap.
    #[must_use]
    pub const fn max_open_files(mut self, files: usize) -> Self {
        self.max_open_files = files;
        self
    }

    /// Holds removed files of no more than so many bytes together, 16 GiB by default: they take room on the disk until they
    /// are read. Beyond that the oldest one is let go, and what was not read of it is a gap.
    #[must_use]
    pub const fn max_held_bytes(mut self, bytes: u64) -> Self {
        self.max_held_bytes = bytes;
        self
    }

    /// Makes batches of up to so many bytes, 1 MiB by default; a longer line is a batch of its own.
    #[must_use]
    pub const fn batch_size(mut self, bytes: usize) -> Self {
        self.limits.batch = if bytes == 0 { 1 } else { bytes };
        self
    }

    /// Opens the store, and takes up where it was left.
    ///
    /// # Errors
    ///
    /// If the store can't be opened, or a pattern is not valid.
    pub fn build(self) -> Result<Tailer, Error> {
        let store = match &self.db {
            Some(path) => Store::open(path, self.busy_timeout)?,
            None => Store::in_memory()?,
        };
        Tailer::new(self, store)
    }

    /// Takes up where `store` was left.
    ///
    /// # Errors
    ///
    /// If it can't be read, or a pattern is not valid.
    pub fn build_on(self, store: Store) -> Result<Tailer, Error> {
        Tailer::new(self, store)
    }

    /// How many files are held open: one at least.
    pub(crate) fn open_files(&self) -> usize {
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let left = usize::try_from(limit.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
        self.max_open_files.min(left).max(1)
    }

    /// How often is looked, with hints of the system or without.
    pub(crate) fn interval(&self, hinted: bool) -> Duration {
        let usual = if hinted { REFRESH_INTERVAL } else { POLL_INTERVAL };
        self.refresh_interval.unwrap_or(usual)
    }
}
