//! Follows real files through what happens to them.

#![allow(clippy::unwrap_used, reason = "all of this is tests")]

mod amounts;
mod closing;
mod copies;
mod crash;
mod descriptors;
mod identity;
mod packed;
mod places;
mod removal;
mod rotation;
mod together;
mod writer;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use audit_who_core::tail::{Builder, Tailer};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

/// A file that the API server's rotation has closed.
pub(crate) const ROTATED: &str = "audit-2026-08-21T10-06-38.123.log";

/// A folder with logs, and a store beside it.
pub(crate) struct Bench {
    folder: TempDir,
    store: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        // Where there is room in memory, commits don't wait for the disk.
        let memory = Path::new("/dev/shm");
        let store = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
        Self { folder: TempDir::new().unwrap(), store: store.unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.store.path().join("audit.db")
    }

    pub(crate) fn builder(&self) -> Builder {
        Tailer::builder().path(self.path("audit.log")).inotify_watcher(false).exit_on_eof(true).db(self.db())
    }

    pub(crate) fn tailer(&self) -> Tailer {
        self.builder().build().unwrap()
    }

    /// The state and the encoding of each generation.
    pub(crate) fn states(&self) -> Vec<(String, String)> {
        let connection = rusqlite::Connection::open(self.db()).unwrap();
        let mut statement = connection.prepare("SELECT state, encoding FROM generations").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// What is recorded as lost: generation, offset, reason.
    pub(crate) fn gaps(&self) -> Vec<(i64, i64, String)> {
        let connection = rusqlite::Connection::open(self.db()).unwrap();
        let mut statement = connection.prepare("SELECT generation, offset, reason FROM gaps").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }
}

/// The lines that a tailer yields and commits until there is no more.
pub(crate) fn drain(tailer: &mut Tailer) -> Vec<String> {
    let mut lines = Vec::new();
    for batch in tailer {
        let mut batch = batch.unwrap();
        lines.extend(batch.entries().map(|entry| String::from_utf8_lossy(entry.bytes).into_owned()));
        batch.commit().unwrap();
    }
    lines
}

/// More looks than a file has to be quiet for.
const QUIET: usize = 12;

/// A tailer that counts each look.
pub(crate) fn patient(bench: &Bench) -> Tailer {
    bench.builder().refresh_interval(Duration::ZERO).build().unwrap()
}

/// What comes until a file that was left counts as closed.
pub(crate) fn idle(tailer: &mut Tailer) -> Vec<String> {
    (0..QUIET).flat_map(|_| drain(tailer)).collect()
}

/// A line that is long enough to tell a generation.
pub(crate) fn line(number: usize) -> String {
    format!("{{\"number\":{number},\"padding\":\"{}\"}}", "x".repeat(120))
}

/// Lines with numbers, each with its end.
pub(crate) fn lines(numbers: impl IntoIterator<Item = usize>) -> String {
    numbers.into_iter().map(|number| line(number) + "\n").collect()
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn append(path: &Path, text: &str) {
    fs::File::options().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// The numbers of lines, and how often each occurs.
pub(crate) fn numbers(lines: &[String]) -> BTreeMap<usize, usize> {
    let mut numbers = BTreeMap::new();
    for text in lines {
        let digits: String = text.chars().skip(10).take_while(char::is_ascii_digit).collect();
        let number = digits.parse().unwrap();
        assert_eq!(*text, line(number), "torn");
        *numbers.entry(number).or_default() += 1;
    }
    numbers
}

pub(crate) fn assert_once(lines: &[String], wanted: impl IntoIterator<Item = usize>) {
    let wanted: BTreeMap<usize, usize> = wanted.into_iter().map(|number| (number, 1)).collect();
    assert_eq!(numbers(lines), wanted);
}
