//! What grows too old, or too much, is removed in small steps.

use std::time::Duration;

use audit_who_event::time::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use super::{Store, settings, sums};
use crate::error::Error;

/// How many events one step removes.
const STEP: u32 = 2_000;
/// How many pages one step gives back to the file system: those of more events than it removes.
const PAGES: u32 = 2_000;
/// Free pages are given back only if they are more than one of so many: new events fill the others.
const SPARE: u64 = 8;

/// How long, and how much, a store keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Events of an earlier stage time than so long ago are removed.
    pub keep_for: Option<Duration>,
    /// The oldest events are removed while the store holds more than so many bytes.
    pub max_bytes: Option<u64>,
}

/// What one step removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Events.
    pub events: u64,
    /// Whether there is more to remove.
    pub more: bool,
}

/// Which events a step removes, by stage time: those of an earlier one, or the oldest ones.
#[derive(Clone, Copy)]
enum Which {
    Before(i64),
    Oldest,
}

impl Store {
    /// Removes a few thousand of the events that `retention` no longer wants, the oldest first, and what was stored for
    /// them alone. Questions are told that nothing older is held. To be called again while there is [more](Pruned::more).
    ///
    /// # Errors
    ///
    /// If the store can't be written; nothing is removed then.
    pub fn prune(&mut self, now: Timestamp, retention: &Retention) -> Result<Pruned, Error> {
        let pruned = self.step(now, retention);
        pruned.map_err(|error| self.failure(&error))
    }

    fn step(&mut self, now: Timestamp, retention: &Retention) -> rusqlite::Result<Pruned> {
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let cutoff = retention.keep_for.map(|keep_for| now.plus(-micros(keep_for)).as_micros());
        let too_old = cutoff.map(Which::Before);
        let mut pruned = Pruned::default();
        if let Some(which) = too_old {
            pruned.events += remove(self.connection_mut(), which)?;
        }
        pruned.more = pruned.events >= u64::from(STEP) || forget(self.connection_mut(), cutoff)?;
        // What no event needs goes first: events are removed only where that is not enough.
        if !pruned.more && self.is_too_large(retention)? {
            let removed = remove(self.connection_mut(), Which::Oldest)?;
            pruned.events += removed;
            pruned.more = removed > 0;
        }
        pruned.more |= self.give_back(retention)?;
        Ok(pruned)
    }

    fn is_too_large(&self, retention: &Retention) -> rusqlite::Result<bool> {
        let Some(max) = retention.max_bytes else { return Ok(false) };
        Ok(Size::of(self.connection())?.used() > max)
    }

    /// Gives pages that nothing is in back to the file system, if they are many or the file is too large; tells whether
    /// there is more to give.
    fn give_back(&self, retention: &Retention) -> rusqlite::Result<bool> {
        let size = Size::of(self.connection())?;
        let is_asked = |size: &Size| {
            let too_large = retention.max_bytes.is_some_and(|max| size.pages * size.page > max);
            size.free > 0 && (too_large || size.free > size.pages / SPARE)
        };
        if !is_asked(&size) {
            return Ok(false);
        }
        let mut vacuum = self.connection().prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
        let mut pages = vacuum.query([])?;
        // Each step gives back one page.
        while pages.next()?.is_some() {}
        let left = Size::of(self.connection())?;
        Ok(left.pages < size.pages && is_asked(&left))
    }

    /// Empties the write-ahead log into the database, as far as nobody reads, and gives memory back: for when there is
    /// nothing else to do.
    ///
    /// # Errors
    ///
    /// If the store can't be written.
    pub fn rest(&self) -> Result<(), Error> {
        let connection = self.connection();
        let rest = || {
            let timeout: i64 = connection.pragma_query_value(None, "busy_timeout", |row| row.get(0))?;
            connection.busy_timeout(Duration::ZERO)?;
            let emptied = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            connection.busy_timeout(Duration::from_millis(timeout.unsigned_abs()))?;
            emptied?;
            connection.execute_batch("PRAGMA shrink_memory")
        };
        rest().map_err(|error| self.failure(&error))
    }
}

/// How large a database is.
struct Size {
    /// Bytes.
    page: u64,
    /// All of them.
    pages: u64,
    /// Pages that nothing is in.
    free: u64,
}

impl Size {
    fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let number = |name| {
            connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
        };
        Ok(Self { page: number("page_size")?, pages: number("page_count")?, free: number("freelist_count")? })
    }

    const fn used(&self) -> u64 {
        (self.pages - self.free) * self.page
    }
}

/// Removes one step of events, and notes up to which stage time nothing is held any more.
fn remove(connection: &mut Connection, which: Which) -> rusqlite::Result<u64> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let cutoff = match which {
        Which::Before(cutoff) => cutoff,
        Which::Oldest => i64::MAX,
    };
    // Events without a stage time are as old as the last ones around them.
    let mut removed = transaction.prepare_cached(
        "DELETE FROM records WHERE id IN (SELECT id FROM records INDEXED BY records_by_time WHERE stage_us IS NULL \
         AND generation IN (SELECT id FROM generations WHERE last_us < ?) LIMIT ?)",
    )?;
    let undated = removed.execute((cutoff, STEP))?;
    drop(removed);
    let step = "SELECT id, stage_us FROM records INDEXED BY records_by_time WHERE stage_us < ? ORDER BY stage_us LIMIT ?";
    let newest: Option<i64> =
        transaction
            .query_row(&format!("SELECT max(stage_us) FROM ({step})"), (cutoff, STEP), |row| row.get(0))?;
    let mut removed =
        transaction.prepare_cached(&format!("DELETE FROM records WHERE id IN (SELECT id FROM ({step}))"))?;
    let dated = removed.execute((cutoff, STEP))?;
    drop(removed);
    if let Some(newest) = newest {
        settings::raise_horizon(&transaction, newest.saturating_add(1))?;
        sums::end_before(&transaction, newest.saturating_add(1))?;
    }
    transaction.commit()?;
    Ok((undated + dated) as u64)
}

/// Removes what no event that is held needs: words, kinds, sums, and generations without a file. Tells whether there may be
/// more.
fn forget(connection: &mut Connection, cutoff: Option<i64>) -> rusqlite::Result<bool> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let Some(horizon) = settings::horizon(&transaction)? else { return Ok(false) };
    let oldest: Option<i64> =
        transaction.query_row("SELECT min(stage_us) FROM records", [], |row| row.get(0))?;
    let unused = oldest.unwrap_or_else(|| cutoff.map_or(horizon, |cutoff| cutoff.max(horizon)));
    let words = transaction.execute(
        "DELETE FROM words WHERE id IN (SELECT id FROM words INDEXED BY words_by_until WHERE until_us < ? LIMIT ?)",
        (unused, STEP),
    )?;
    transaction.execute("DELETE FROM kinds WHERE until_us < ?", [unused])?;
    let sums = sums::forget(&transaction, STEP)?;
    let mut statement = transaction.prepare_cached(
        "SELECT id FROM generations WHERE state = 'gone' AND ifnull(last_us, modified_ns / 1000) < ? \
         AND NOT EXISTS (SELECT 1 FROM records WHERE generation = generations.id) LIMIT ?",
    )?;
    let gone: Vec<i64> =
        statement.query_map((unused, STEP), |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    drop(statement);
    for generation in gone {
        for (table, column) in [
            ("gaps", "generation"),
            ("bad_spans", "generation"),
            ("runs", "generation"),
            ("generations", "id"),
        ] {
            transaction.execute(&format!("DELETE FROM {table} WHERE {column} = ?"), [generation])?;
        }
    }
    transaction.commit()?;
    Ok(words.max(sums) as u64 >= u64::from(STEP))
}
