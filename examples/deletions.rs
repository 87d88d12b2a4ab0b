//! Keeps who deleted what in a table of its own, through rotations, ends and crashes of its own and of the API server.
//!
//! ```sh
//! cargo run -p audit-who-core --example deletions -- deletions.db /var/log/kubernetes/audit
//! sqlite3 deletions.db 'SELECT * FROM deletions ORDER BY time DESC LIMIT 10'
//! ```
//!
//! With `--once` as the first argument it ends at the end of what is there.

#![allow(clippy::print_stderr, reason = "it is a program")]

use std::error::Error;
use std::ops::Range;
use std::path::{Path, PathBuf};

use audit_who_core::event::envelope::{self, Sink};
use audit_who_core::event::event::Event;
use audit_who_core::event::subject::Key;
use audit_who_core::rusqlite::{self, Transaction, params};
use audit_who_core::tail::{Batch, Tailer};

const TABLE: &str = "\
CREATE TABLE IF NOT EXISTS deletions (
  generation INTEGER NOT NULL, -- the file's content, through renames and compression
  offset     INTEGER NOT NULL, -- where the entry stands in it
  time       INTEGER NOT NULL, -- microseconds since 1970 UTC
  username   TEXT    NOT NULL,
  object     TEXT    NOT NULL,
  PRIMARY KEY (generation, offset)
) STRICT, WITHOUT ROWID";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let once = arguments.first().is_some_and(|first| first.as_os_str() == "--once");
    if once {
        arguments.remove(0);
    }
    let [store, paths @ ..] = &arguments[..] else {
        return Err("usage: deletions [--once] STORE PATH...".into());
    };
    let kept = keep(store, paths, once)?;
    eprintln!("{kept} deletions were kept");
    Ok(())
}

/// Follows `paths` and keeps the deletions in `store`, with how far was read: both in one transaction, so that each
/// deletion is kept once. Returns how many there were.
pub(crate) fn keep(store: &Path, paths: &[PathBuf], once: bool) -> Result<usize, Box<dyn Error>> {
    let mut builder = Tailer::builder().db(store).exit_on_eof(once);
    for path in paths {
        builder = builder.path(path);
    }
    let mut kept = 0;
    for batch in builder.build()? {
        let mut batch = batch?;
        let deletions = Deletions::of(&batch);
        batch.commit_with(|transaction| deletions.insert(transaction))?;
        kept += deletions.found.len();
    }
    Ok(kept)
}

/// The deletions in a batch.
struct Deletions {
    generation: i64,
    /// Where the line begins that is decoded.
    line: u64,
    found: Vec<Deletion>,
}

struct Deletion {
    offset: u64,
    time: i64,
    username: String,
    object: String,
}

impl Deletions {
    fn of(batch: &Batch) -> Self {
        let mut deletions = Self { generation: batch.generation(), line: 0, found: Vec::new() };
        for entry in batch.entries() {
            deletions.line = entry.offset;
            envelope::decode(entry.bytes, &mut deletions);
        }
        deletions
    }

    fn insert(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        transaction.execute_batch(TABLE)?;
        let mut insert = transaction.prepare_cached("INSERT INTO deletions VALUES (?, ?, ?, ?, ?)")?;
        for Deletion { offset, time, username, object } in &self.found {
            insert.execute(params![self.generation, offset.cast_signed(), time, username, object])?;
        }
        Ok(())
    }
}

impl Sink for Deletions {
    fn event(&mut self, event: &Event<'_>, span: Range<usize>) {
        let is_deletion = event.stage == "ResponseComplete" && event.verb == "delete" && event.code() == 200;
        if let Some(key) = Key::of(event).filter(|_| is_deletion) {
            self.found.push(Deletion {
                offset: self.line + span.start as u64,
                time: event.stage_time.unwrap_or_default().as_micros(),
                username: event.user.username.to_string(),
                object: key.to_string(),
            });
        }
    }

    fn bad(&mut self, span: Range<usize>, reason: &str) {
        eprintln!("bad line at byte {}: {reason}", self.line + span.start as u64);
    }
}
