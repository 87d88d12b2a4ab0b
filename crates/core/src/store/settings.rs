//! What a store was told to do.

use audit_who_event::keep::Keep;
use rusqlite::{Connection, OptionalExtension};

const KEEP: &str = "keep";

/// The rule by which events are kept now; `None` before the first one.
pub(super) fn keep(connection: &Connection) -> rusqlite::Result<Option<Keep>> {
    let mut statement = connection.prepare_cached("SELECT value FROM settings WHERE name = ?")?;
    let name: Option<String> = statement.query_row([KEEP], |row| row.get(0)).optional()?;
    Ok(name.as_deref().and_then(Keep::named))
}

/// Notes the rule by which events are kept from now on.
pub(super) fn set_keep(connection: &Connection, keep: Keep) -> rusqlite::Result<()> {
    connection.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", [KEEP, keep.name()])?;
    Ok(())
}
