//! How far each generation is read.

use rusqlite::{Connection, Row, TransactionBehavior, named_params, params};

use crate::tail::identity::{Head, Mark, Stat};

/// Whether more can come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Somebody may write to it.
    Growing,
    /// It was rotated away, and nobody writes to it any more.
    Final,
    /// There is no file with it any more.
    Gone,
}

impl State {
    const ALL: [(Self, &str); 3] = [(Self::Growing, "growing"), (Self::Final, "final"), (Self::Gone, "gone")];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }

    fn named(name: &str) -> Self {
        Self::ALL.iter().find(|(_, own)| *own == name).map_or(Self::Growing, |(state, _)| *state)
    }
}

/// How far one file's content is read, and how to know it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// The generation; 0 before it is stored.
    pub(crate) id: i64,
    /// The file that the API server writes.
    pub(crate) source: String,
    /// Where the content was read last, or found last.
    pub(crate) path: String,
    /// `plain`, `gzip` or `zstd`.
    pub(crate) encoding: String,
    /// Of the file at `path`.
    pub(crate) stat: Stat,
    pub(crate) head: Head,
    /// Decompressed bytes in front of it are committed.
    pub(crate) offset: u64,
    /// The last record in front of the offset.
    pub(crate) tail: Mark,
    pub(crate) state: State,
}

const COLUMNS: &str = "id, source, path, encoding, device, inode, size, modified_ns, head_skip, head_length, head_hash, \
                       offset, tail_length, tail_hash, state";

/// All generations, the oldest first.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<Checkpoint>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM generations ORDER BY id"))?;
    let rows = statement.query_map([], checkpoint)?;
    rows.collect()
}

fn checkpoint(row: &Row<'_>) -> rusqlite::Result<Checkpoint> {
    let unsigned = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
    Ok(Checkpoint {
        id: row.get(0)?,
        source: row.get(1)?,
        path: row.get(2)?,
        encoding: row.get(3)?,
        stat: Stat {
            device: unsigned(4)?,
            inode: unsigned(5)?,
            size: unsigned(6)?,
            modified_ns: row.get(7)?,
        },
        head: Head { skip: unsigned(8)?, mark: Mark { length: unsigned(9)?, hash: row.get(10)? } },
        offset: unsigned(11)?,
        tail: Mark { length: unsigned(12)?, hash: row.get(13)? },
        state: State::named(row.get_ref(14)?.as_str()?),
    })
}

/// Stores a new generation, and returns its number.
pub(crate) fn insert(connection: &Connection, new: &Checkpoint) -> rusqlite::Result<i64> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO generations (source, path, encoding, device, inode, size, modified_ns, head_skip, head_length, \
         head_hash, start, offset, tail_length, tail_hash, state) VALUES (:source, :path, :encoding, :device, :inode, \
         :size, :modified_ns, :head_skip, :head_length, :head_hash, :offset, :offset, :tail_length, :tail_hash, :state)",
    )?;
    statement.insert(named_params! {
        ":source": new.source,
        ":path": new.path,
        ":encoding": new.encoding,
        ":device": new.stat.device.cast_signed(),
        ":inode": new.stat.inode.cast_signed(),
        ":size": new.stat.size.cast_signed(),
        ":modified_ns": new.stat.modified_ns,
        ":head_skip": new.head.skip.cast_signed(),
        ":head_length": new.head.mark.length.cast_signed(),
        ":head_hash": new.head.mark.hash,
        ":offset": new.offset.cast_signed(),
        ":tail_length": new.tail.length.cast_signed(),
        ":tail_hash": new.tail.hash,
        ":state": new.state.name(),
    })
}

/// Moves a generation from the offset `from` to what `to` says; tells whether it stood there.
///
/// A gap behind the old offset is closed by it: what was thought lost was read.
pub(crate) fn advance(connection: &Connection, from: u64, to: &Checkpoint) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(
        "UPDATE generations SET path = :path, encoding = :encoding, device = :device, inode = :inode, size = :size, \
         modified_ns = :modified_ns, head_skip = :head_skip, head_length = :head_length, head_hash = :head_hash, \
         offset = :offset, tail_length = :tail_length, tail_hash = :tail_hash, state = :state \
         WHERE id = :id AND offset = :from",
    )?;
    let moved = statement.execute(named_params! {
        ":path": to.path,
        ":encoding": to.encoding,
        ":device": to.stat.device.cast_signed(),
        ":inode": to.stat.inode.cast_signed(),
        ":size": to.stat.size.cast_signed(),
        ":modified_ns": to.stat.modified_ns,
        ":head_skip": to.head.skip.cast_signed(),
        ":head_length": to.head.mark.length.cast_signed(),
        ":head_hash": to.head.mark.hash,
        ":offset": to.offset.cast_signed(),
        ":tail_length": to.tail.length.cast_signed(),
        ":tail_hash": to.tail.hash,
        ":state": to.state.name(),
        ":id": to.id,
        ":from": from.cast_signed(),
    })?;
    heal(connection, to.id, from)?;
    Ok(moved == 1)
}

/// Notes that a generation has come to an end at its offset. If it is `whole`, what was thought lost was read.
pub(crate) fn close(connection: &Connection, closed: &Checkpoint, whole: bool) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE generations SET path = ?, encoding = ?, device = ?, inode = ?, size = ?, modified_ns = ?, state = ? \
         WHERE id = ?",
    )?;
    let stat = &closed.stat;
    statement.execute(params![
        closed.path,
        closed.encoding,
        stat.device.cast_signed(),
        stat.inode.cast_signed(),
        stat.size.cast_signed(),
        stat.modified_ns,
        closed.state.name(),
        closed.id
    ])?;
    if whole {
        heal(connection, closed.id, closed.offset)?;
    }
    Ok(())
}

/// Notes that a generation is gone, and what stood behind its offset with it.
pub(crate) fn lose(
    connection: &mut Connection,
    generation: i64,
    offset: u64,
    length: Option<u64>,
    reason: &str,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    insert_gap(&transaction, generation, offset, length, reason)?;
    transaction.execute("UPDATE generations SET state = 'gone' WHERE id = ?", [generation])?;
    transaction.commit()
}

/// Takes back that a generation is gone, and what was noted for it at its offset.
pub(crate) fn revive(connection: &mut Connection, generation: i64, offset: u64) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    heal(&transaction, generation, offset)?;
    transaction.execute("UPDATE generations SET state = 'growing' WHERE id = ?", [generation])?;
    transaction.commit()
}

fn heal(connection: &Connection, generation: i64, until: u64) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("DELETE FROM gaps WHERE generation = ? AND offset <= ?")?;
    statement.execute(params![generation, until.cast_signed()])?;
    Ok(())
}

/// Notes that what stands behind `offset` is lost.
pub(crate) fn insert_gap(
    connection: &Connection,
    generation: i64,
    offset: u64,
    length: Option<u64>,
    reason: &str,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO gaps (generation, offset, length, reason) VALUES (?, ?, ?, ?)",
    )?;
    statement.execute(params![generation, offset.cast_signed(), length.map(u64::cast_signed), reason])?;
    Ok(())
}

/// Notes bytes that are no entry.
pub(crate) fn insert_bad_span(
    connection: &Connection,
    generation: i64,
    offset: u64,
    length: u64,
    reason: &str,
    sha256: Option<&[u8]>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT OR IGNORE INTO bad_spans (generation, offset, length, reason, sha256) VALUES (?, ?, ?, ?, ?)",
    )?;
    statement.execute(params![generation, offset.cast_signed(), length.cast_signed(), reason, sha256])?;
    Ok(())
}
