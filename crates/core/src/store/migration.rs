//! Stores of an earlier schema are brought to the newest one.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::{APPLICATION_ID, VERSION, failure, version};
use crate::error::Error;

/// Brings a store to the schema that `steps` lead to, each from the version before, all of them in one transaction: a
/// store is of the old schema or of the new one, whatever happens.
pub(super) fn migrate(connection: &mut Connection, path: &Path, steps: &[&str]) -> Result<(), Error> {
    let failed = |error| failure::of(path, &error);
    let newest = i32::try_from(steps.len()).unwrap_or(VERSION);
    let old = version(connection, path)?;
    if old == newest {
        return Ok(());
    }
    if old == 0 {
        // Both can be set only before the first table is made, and outside of a transaction.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(failed)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Another process may have done it meanwhile.
    let from = usize::try_from(version(&transaction, path)?).unwrap_or_default();
    for step in steps.iter().skip(from) {
        transaction.execute_batch(step).map_err(failed)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.pragma_update(None, "user_version", newest).map_err(failed)?;
    transaction.commit().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first schema.
    const FIRST: &str = include_str!("schema.sql");

    fn number(connection: &Connection, sql: &str) -> i64 {
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// A step that fails takes back those before it.
    #[test]
    fn all_steps_are_made_or_none() {
        let path = Path::new(":memory:");
        let mut connection = Connection::open_in_memory().unwrap();
        let made = [FIRST, "CREATE TABLE added (id INTEGER)", "INSERT INTO nowhere VALUES (1)"];
        migrate(&mut connection, path, &made).unwrap_err();
        assert_eq!(number(&connection, "SELECT count(*) FROM sqlite_schema"), 0);
        assert_eq!(number(&connection, "PRAGMA user_version"), 0);
    }
}
