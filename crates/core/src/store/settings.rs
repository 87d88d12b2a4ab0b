//! What a store was told to do, and what it did.

use audit_who_event::keep::Keep;
use rusqlite::{Connection, OptionalExtension, ToSql};

/// The rule by which events are kept now.
const KEEP: &str = "keep";
/// The stage time before which events were removed, in microseconds.
const HORIZON: &str = "horizon_us";

pub(super) fn keep(connection: &Connection) -> rusqlite::Result<Option<Keep>> {
    Ok(value(connection, KEEP)?.as_deref().and_then(Keep::named))
}

pub(super) fn set_keep(connection: &Connection, keep: Keep) -> rusqlite::Result<()> {
    set(connection, KEEP, &keep.name())
}

pub(super) fn horizon(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    Ok(value(connection, HORIZON)?.and_then(|micros| micros.parse().ok()))
}

/// Moves the horizon, but never back: events that come late may lie before it.
pub(super) fn raise_horizon(connection: &Connection, to: i64) -> rusqlite::Result<()> {
    if horizon(connection)?.is_none_or(|known| known < to) {
        set(connection, HORIZON, &to.to_string())?;
    }
    Ok(())
}

/// When the first span of time begins that has sums, in microseconds; all have them if the setting is not there.
pub(super) fn summed_from(connection: &Connection, setting: &str) -> rusqlite::Result<i64> {
    // What can't be read is no reason to believe in sums.
    Ok(value(connection, setting)?.map_or(i64::MIN, |micros| micros.parse().unwrap_or(i64::MAX)))
}

/// Moves the time from which there are sums, but never back.
pub(super) fn raise_summed_from(connection: &Connection, setting: &str, to: i64) -> rusqlite::Result<()> {
    if summed_from(connection, setting)? < to {
        set(connection, setting, &to.to_string())?;
    }
    Ok(())
}

fn value(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare_cached("SELECT value FROM settings WHERE name = ?")?;
    statement.query_row([name], |row| row.get(0)).optional()
}

fn set(connection: &Connection, name: &str, value: &dyn ToSql) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare_cached("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)")?;
    statement.execute((name, value))?;
    Ok(())
}
