//! What a store says about how far files are read, and whether it is still true.

use std::path::{Path, PathBuf};
use std::time::Duration;

use audit_who_event::time::Timestamp;
use rusqlite::{Connection, Row, TransactionBehavior};
use serde::Serialize;

use super::checkpoint::{self, Checkpoint, State};
use super::{Store, failure, open_read_only};
use crate::error::Error;
use crate::evidence::hex;
use crate::tail::identity::Mark;
use crate::tail::verification::Verifier;

/// A view of a store as it is at one moment. A collector may write to it meanwhile.
#[derive(Debug)]
pub struct Inspection {
    connection: Connection,
    path: PathBuf,
}

/// One file's content, and how far it is read. Sizes, offsets and lengths are bytes; all but `size` of decompressed
/// content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Generation {
    /// Its number in the store.
    pub id: i64,
    /// The file that the API server writes.
    pub source: String,
    /// Where the content was read last.
    pub path: String,
    /// `plain`, `gzip` or `zstd`.
    pub encoding: String,
    /// `growing`; `final`, when it is read to its end and nobody writes to it any more; `gone`, when there is no file with
    /// it any more.
    pub state: &'static str,
    /// Where reading began.
    pub start: u64,
    /// What stands between the two is in the store.
    pub offset: u64,
    /// Of the file at `path`, on disk.
    pub size: u64,
    /// How much of it is read, in percent; `None` of packed content that is not read to its end.
    pub percent: Option<u8>,
    /// Device and inode of the file at `path`.
    pub device: u64,
    /// See `device`.
    pub inode: u64,
    /// By which it is known again: NULs in front of its first lines, their length and SHA-256.
    pub head: HeadMark,
    /// The last record in front of `offset`.
    pub tail: TailMark,
    /// Which events were kept, `all` or `notable`; `None` if none were read.
    pub keep: Option<String>,
    /// Lines that hold an entry.
    pub lines: u64,
    /// Events that were kept.
    pub kept: u64,
    /// Bytes of lines that hold an entry.
    pub entry_bytes: u64,
    /// Bytes in bad spans.
    pub bad_bytes: u64,
    /// Line ends and white space.
    pub blank_bytes: u64,
    /// Stage time of the earliest entry.
    pub first: Option<Timestamp>,
    /// Stage time of the latest entry.
    pub last: Option<Timestamp>,
}

/// How content begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeadMark {
    /// NULs in front of it.
    pub skip: u64,
    /// Bytes.
    pub length: u64,
    /// In hexadecimal digits.
    pub sha256: String,
}

/// The last record that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TailMark {
    /// Bytes.
    pub length: u64,
    /// In hexadecimal digits.
    pub sha256: String,
}

/// Bytes that are lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Of which content.
    pub generation: i64,
    /// Where it begins.
    pub offset: u64,
    /// Bytes, where that is known.
    pub length: Option<u64>,
    /// What became of them.
    pub reason: String,
}

/// Bytes that are no entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadSpan {
    /// Of which content.
    pub generation: i64,
    /// Where it begins.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// Why they are no entry.
    pub reason: String,
    /// Of the bytes, in hexadecimal digits, where they were held.
    pub sha256: Option<String>,
}

/// Whether a collector would go on where it is said to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Of which content.
    pub generation: i64,
    /// Whether all is well.
    pub ok: bool,
    /// The file that holds what was read; none is needed for what is read to its end.
    pub path: Option<String>,
    /// What was found, as a sentence.
    pub finding: String,
}

/// Which generations are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Every one.
    All,
    /// The one with this number.
    Id(i64),
    /// Those of a source, or with this path.
    Source(String),
}

impl Inspection {
    /// Opens the store at `path` for reading alone.
    ///
    /// # Errors
    ///
    /// If it can't be opened or read, is no store, or is of another schema.
    pub fn open(path: impl AsRef<Path>, busy_timeout: Duration) -> Result<Self, Error> {
        let path = path.as_ref();
        let connection = open_read_only(path, busy_timeout)?;
        // All that is read is of one moment.
        connection.execute_batch("BEGIN").map_err(|error| failure::of(path, &error))?;
        Ok(Self { connection, path: path.to_owned() })
    }

    /// All generations, the oldest first.
    pub fn generations(&self) -> Result<Vec<Generation>, Error> {
        generations(&self.connection).map_err(|error| self.failure(&error))
    }

    /// Hands all gaps to `visit`, by generation and offset; the first error of it ends that.
    pub fn gaps<E: From<Error>>(&self, visit: impl FnMut(Gap) -> Result<(), E>) -> Result<(), E> {
        self.visit(
            "SELECT generation, offset, length, reason FROM gaps ORDER BY generation, offset",
            gap,
            visit,
        )
    }

    /// Hands all bad spans to `visit`, by generation and offset; the first error of it ends that.
    pub fn bad_spans<E: From<Error>>(&self, visit: impl FnMut(BadSpan) -> Result<(), E>) -> Result<(), E> {
        const ALL: &str =
            "SELECT generation, offset, length, reason, sha256 FROM bad_spans ORDER BY generation, offset";
        self.visit(ALL, bad_span, visit)
    }

    /// Opens the files of each generation again, and compares how they begin and what stands where reading has come to.
    /// Packed files are unpacked up to there.
    pub fn verify(self) -> Result<Vec<Verdict>, Error> {
        let known = checkpoint::all(&self.connection).map_err(|error| self.failure(&error))?;
        // It takes a while, in which a collector had to keep what it writes apart from what is read here.
        drop(self);
        let mut verifier = Verifier::default();
        Ok(known.iter().map(|known| verdict(known, &mut verifier)).collect())
    }

    fn visit<T, E: From<Error>>(
        &self,
        select: &str,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
        mut visit: impl FnMut(T) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error| E::from(self.failure(&error));
        let mut statement = self.connection.prepare(select).map_err(failed)?;
        for row in statement.query_map([], read).map_err(failed)? {
            visit(row.map_err(failed)?)?;
        }
        Ok(())
    }

    fn failure(&self, error: &rusqlite::Error) -> Error {
        failure::of(&self.path, error)
    }
}

/// Forgets how far generations are read, so that they are read again from their beginning; returns those that were meant,
/// each with whether it was reset. One without a file is not, as there is nothing to read again.
///
/// Events stay: each is stored under its place, and found there again. With `dry`, nothing is changed.
///
/// # Errors
///
/// If the store can't be read or written.
pub fn reset(store: &mut Store, which: &Which, dry: bool) -> Result<Vec<(Verdict, bool)>, Error> {
    let known = checkpoint::all(store.connection()).map_err(|error| store.failure(&error))?;
    let mut verifier = Verifier::default();
    let meant = known.iter().filter(|known| which.means(known));
    let verdicts: Vec<Verdict> = meant.map(|known| verdict(known, &mut verifier)).collect();
    let readable = verdicts.iter().filter(|verdict| verdict.path.is_some());
    if !dry {
        let ids: Vec<i64> = readable.map(|verdict| verdict.generation).collect();
        forget(store.connection_mut(), &ids).map_err(|error| store.failure(&error))?;
    }
    Ok(verdicts.into_iter().map(|verdict| (verdict.clone(), verdict.path.is_some())).collect())
}

fn forget(connection: &mut Connection, generations: &[i64]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for id in generations {
        transaction.execute(
            // What is kept stays, and is counted once.
            "UPDATE generations SET start = 0, offset = 0, tail_length = 0, tail_hash = ?, state = 'growing', keep = NULL, \
             lines = 0, entry_bytes = 0, bad_bytes = 0, bad_lines = 0, blank_bytes = 0 WHERE id = ?",
            rusqlite::params![Mark::default().hash, id],
        )?;
    }
    transaction.commit()
}

impl Which {
    fn means(&self, known: &Checkpoint) -> bool {
        match self {
            Self::All => true,
            Self::Id(id) => known.id == *id,
            Self::Source(name) => known.source == *name || known.path == *name,
        }
    }
}

fn verdict(known: &Checkpoint, verifier: &mut Verifier) -> Verdict {
    let (ok, path, finding) = match (known.state, verifier.holder(known)) {
        (State::Final, Ok(path)) => (true, Some(path), "it is read to its end".to_owned()),
        (_, Ok(path)) => (true, Some(path), format!("reading goes on at byte {}", known.offset)),
        (State::Gone, Err(_)) => (true, None, "its file is gone, which is known".to_owned()),
        (State::Final, Err(_)) => (true, None, "its file is gone; it was read to its end".to_owned()),
        (State::Growing, Err(why)) => {
            (false, None, format!("what stands behind byte {} can't be read: {why}", known.offset))
        }
    };
    let path = path.map(|path| path.to_string_lossy().into_owned());
    Verdict { generation: known.id, ok, path, finding }
}

fn generations(connection: &Connection) -> rusqlite::Result<Vec<Generation>> {
    const COUNTS: &str = "SELECT lines, kept, entry_bytes, bad_bytes, blank_bytes, first_us, last_us, start, keep \
                          FROM generations WHERE id = ?";
    let mut statement = connection.prepare(COUNTS)?;
    let known = checkpoint::all(connection)?;
    known.into_iter().map(|known| statement.query_row([known.id], |row| generation(&known, row))).collect()
}

fn generation(known: &Checkpoint, row: &Row<'_>) -> rusqlite::Result<Generation> {
    let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
    let time = |column| row.get::<_, Option<i64>>(column).map(|time| time.map(Timestamp::from_micros));
    let (head, tail) = (known.head, known.tail);
    Ok(Generation {
        id: known.id,
        source: known.source.clone(),
        path: known.path.clone(),
        encoding: known.encoding.clone(),
        state: known.state.name(),
        start: count(7)?,
        offset: known.offset,
        size: known.stat.size,
        percent: percent(known),
        device: known.stat.device,
        inode: known.stat.inode,
        head: HeadMark { skip: head.skip, length: head.mark.length, sha256: hex(&head.mark.hash) },
        tail: TailMark { length: tail.length, sha256: hex(&tail.hash) },
        keep: row.get(8)?,
        lines: count(0)?,
        kept: count(1)?,
        entry_bytes: count(2)?,
        bad_bytes: count(3)?,
        blank_bytes: count(4)?,
        first: time(5)?,
        last: time(6)?,
    })
}

/// Only of plain content it is known how long it is before it is read to its end.
fn percent(known: &Checkpoint) -> Option<u8> {
    match known.state {
        State::Final => Some(100),
        _ if known.encoding != "plain" => None,
        _ => {
            let whole = known.stat.size.max(known.offset).max(1);
            u8::try_from(u128::from(known.offset) * 100 / u128::from(whole)).ok()
        }
    }
}

fn gap(row: &Row<'_>) -> rusqlite::Result<Gap> {
    Ok(Gap {
        generation: row.get(0)?,
        offset: row.get::<_, i64>(1)?.cast_unsigned(),
        length: row.get::<_, Option<i64>>(2)?.map(i64::cast_unsigned),
        reason: row.get(3)?,
    })
}

fn bad_span(row: &Row<'_>) -> rusqlite::Result<BadSpan> {
    Ok(BadSpan {
        generation: row.get(0)?,
        offset: row.get::<_, i64>(1)?.cast_unsigned(),
        length: row.get::<_, i64>(2)?.cast_unsigned(),
        reason: row.get(3)?,
        sha256: row.get::<_, Option<Vec<u8>>>(4)?.map(|hash| hex(&hash)),
    })
}
