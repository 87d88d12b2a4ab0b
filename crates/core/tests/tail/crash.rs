//! A reader that ends at any point: what the store holds then is all that is left of it.
//!
//! Whatever a process was doing when it was killed, and whatever of its last writes reached the disk when the power failed,
//! the store is its file and a beginning of its write-ahead log. Each of these beginnings is tried.

use std::fs;
use std::path::Path;
use std::time::Duration;

use audit_who_core::tail::{Batch, Tailer};
use audit_who_testkit::rotation::{Limits, Lumberjack};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{Bench, line};

/// Microseconds since 1970 UTC.
const AT: i64 = 1_772_442_000_000_000;
/// Bytes of the write-ahead log's head (<https://sqlite.org/fileformat2.html#the_write_ahead_log>).
const LOG_HEAD: usize = 32;
/// Bytes of a frame: its head and a page.
const FRAME: usize = 24 + 4096;
/// How many lines there are.
const LINES: usize = 24;

fn build(bench: &Bench, db: &Path) -> Tailer {
    let builder = Tailer::builder().path(bench.path("audit.log")).inotify_watcher(false).exit_on_eof(true);
    builder.db(db).refresh_interval(Duration::ZERO).batch_size(400).build().unwrap()
}

/// Commits a batch together with its lines.
fn keep(batch: &mut Batch) {
    let lines: Vec<_> =
        batch.entries().map(|entry| String::from_utf8_lossy(entry.bytes).into_owned()).collect();
    let kept = batch.commit_with(|transaction| {
        transaction.execute_batch("CREATE TABLE IF NOT EXISTS kept (line TEXT)")?;
        lines
            .iter()
            .try_for_each(|line| transaction.execute("INSERT INTO kept VALUES (?)", [line]).map(|_| ()))
    });
    kept.unwrap();
}

/// Reads and keeps so many batches, or all.
fn read(tailer: &mut Tailer, batches: usize) {
    tailer.take(batches).for_each(|batch| keep(&mut batch.unwrap()));
}

/// Fails unless each line is kept once.
fn judge(db: &Path, case: &str) {
    let connection = Connection::open(db).unwrap();
    let mut statement = connection.prepare("SELECT line FROM kept").unwrap();
    let mut kept: Vec<String> =
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    kept.sort();
    let mut wanted: Vec<String> = (0..LINES).map(line).collect();
    wanted.sort();
    assert_eq!(kept, wanted, "{case}");
    let whole: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    let gaps: i64 = connection.query_row("SELECT count(*) FROM gaps", [], |row| row.get(0)).unwrap();
    assert_eq!((whole.as_str(), gaps), ("ok", 0), "{case}");
}

#[test]
fn whatever_of_the_store_was_written_each_line_is_kept_once() {
    let bench = Bench::new();
    let mut writer = Lumberjack::start(&bench.path(""), Limits { size: 1 << 40, backups: 0, compress: true });
    // The log is kept beside the store as it was left: nothing is brought into its file.
    let original = TempDir::new().unwrap();
    let db = original.path().join("audit.db");
    drop(build(&bench, &db));
    let holder = Connection::open(&db).unwrap();
    holder.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema").unwrap();
    let before = fs::read(&db).unwrap();
    let mut tailer = build(&bench, &db);
    let mut number = 0;
    for rotation in 0..4 {
        for _ in 0..LINES / 4 {
            writer.write((line(number) + "\n").as_bytes(), AT).unwrap();
            number += 1;
        }
        read(&mut tailer, 2);
        if rotation < 3 {
            writer.rotate(AT + rotation * 1_000_000).unwrap();
        }
        while writer.mill(1 << 20).unwrap().is_some() {}
    }
    read(&mut tailer, usize::MAX);
    let log = fs::read(original.path().join("audit.db-wal")).unwrap();
    assert_eq!(fs::read(&db).unwrap(), before, "the log was brought into the store");
    let frames = (log.len() - LOG_HEAD) / FRAME;
    assert!(frames > 20 && (log.len() - LOG_HEAD).is_multiple_of(FRAME), "{} bytes of log", log.len());
    // After each frame, and in the middle of it; in front of the first one, too.
    let ends = (0..=frames).flat_map(|frame| [0, FRAME / 3].map(|part| LOG_HEAD + frame * FRAME + part));
    for end in [0, LOG_HEAD / 2].into_iter().chain(ends).filter(|end| *end <= log.len()) {
        let copy = Bench::new();
        fs::write(copy.db(), &before).unwrap();
        fs::write(copy.db().with_extension("db-wal"), &log[..end]).unwrap();
        read(&mut build(&bench, &copy.db()), usize::MAX);
        judge(&copy.db(), &format!("{end} of {} bytes of log", log.len()));
    }
}
