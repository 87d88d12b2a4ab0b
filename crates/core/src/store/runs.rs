//! When there were entries, as a store holds it: see [`Timeline`](audit_who_event::coverage::Timeline).

use audit_who_event::coverage::{Moment, PAUSE};
use audit_who_event::time::Timestamp;
use rusqlite::{Connection, Row};

pub(super) const COLUMNS: &str = "first_us, first_offset, last_us, last_offset";

/// Adds a run of entries to those of a generation, and joins what is near.
pub(super) fn add(
    connection: &Connection,
    generation: i64,
    mut first: Moment,
    mut last: Moment,
) -> rusqlite::Result<()> {
    let mut earlier = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs WHERE generation = ? AND first_us <= ? ORDER BY first_us DESC"
    ))?;
    let mut near = Vec::new();
    // Stored runs are further apart than a pause, so that those before one that is too early are, too.
    for known in
        earlier.query_map((generation, last.time.plus(PAUSE).as_micros()), |row| run(row, 0, first.source))?
    {
        let known = known?;
        if first.time.since(known.1.time) > PAUSE {
            break;
        }
        near.push(known);
    }
    let mut delete = connection.prepare_cached("DELETE FROM runs WHERE generation = ? AND first_us = ?")?;
    for (from, until) in near {
        delete.execute((generation, from.time.as_micros()))?;
        first = first.min(from);
        last = last.max(until);
    }
    let mut insert = connection
        .prepare_cached(&format!("INSERT INTO runs (generation, {COLUMNS}) VALUES (?, ?, ?, ?, ?)"))?;
    let [from, until] = [first, last].map(|moment| (moment.time.as_micros(), moment.offset.cast_signed()));
    insert.execute((generation, from.0, from.1, until.0, until.1))?;
    Ok(())
}

/// The first and the last moment of a run, whose columns begin at `column`.
pub(super) fn run(row: &Row<'_>, column: usize, source: usize) -> rusqlite::Result<(Moment, Moment)> {
    let moment = |at| {
        let (time, offset) =
            (Timestamp::from_micros(row.get(at)?), row.get::<_, i64>(at + 1)?.cast_unsigned());
        Ok::<_, rusqlite::Error>(Moment { time, source, offset })
    };
    Ok((moment(column)?, moment(column + 2)?))
}
