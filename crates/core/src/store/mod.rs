//! One SQLite file: how far files are read, what was found in them, and what is missing.

mod archive;
pub(crate) mod checkpoint;
mod compression;
mod failure;
mod holdings;
pub mod inspect;
mod kinds;
pub mod lock;
mod migration;
#[cfg(test)]
mod plans;
mod prepared;
mod query;
mod reader;
mod recorder;
mod retention;
mod runs;
mod settings;
mod sums;
mod together;
mod words;

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

pub use audit_who_event::keep::{Keep, NOTABLE, Rule};

pub use self::archive::{Archive, Held};
pub use self::prepared::Prepared;
pub use self::recorder::Recorder;
pub use self::retention::{Pruned, Retention};
use crate::error::{Error, ErrorKind};

/// What marks a file as a store: `awho`.
const APPLICATION_ID: i32 = 0x6177_686f;
/// What this program writes; stored as `user_version`.
const VERSION: i32 = 3;
/// The oldest that it reads: newer ones have more indexes and tables, and none is otherwise.
const OLDEST: i32 = 1;
/// Each takes a store from the version before to its own.
const MIGRATIONS: [&str; VERSION as usize] =
    [include_str!("schema.sql"), include_str!("schema2.sql"), include_str!("schema3.sql")];
/// Before it, two connections in WAL mode could corrupt a database
/// ([source](https://www.sqlite.org/wal.html#walresetbug)).
const OLDEST_SQLITE: i32 = 3_051_003;
/// Pages of the database that are held in memory, in KiB: as many as a commit of several batches changes. More of them would
/// be faster by a seventh, but not leave room for a long line.
const CACHE_KIB: i32 = 8 * 1024;
/// After how many pages (of 4 KiB) the write-ahead log is copied into the database: pages that change often are copied once.
const WAL_PAGES: i32 = 16 * 1024;
/// Statements that are kept prepared.
const STATEMENTS: usize = 64;

/// A store that is open for writing.
///
/// It is in WAL mode with `synchronous=NORMAL`: a commit outlives the process; a power failure may undo the last ones,
/// events and checkpoints together, so that these are read again.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the store at `path`, which is made if there is none, and brings it to the newest schema. What another
    /// process has locked is waited for as long as `busy_timeout` says.
    ///
    /// # Errors
    ///
    /// If the file can't be opened or written, is no store, is damaged, or is of a newer schema.
    pub fn open(path: impl AsRef<Path>, busy_timeout: Duration) -> Result<Self, Error> {
        let path = path.as_ref();
        let failed = |error| failure::of(path, &error);
        let connection = Connection::open(path).map_err(failed)?;
        Self::set_up(connection, path, busy_timeout)
    }

    /// A store in memory, which is gone when it is dropped.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub fn in_memory() -> Result<Self, Error> {
        let path = Path::new(":memory:");
        let connection = Connection::open_in_memory().map_err(|error| failure::of(path, &error))?;
        Self::set_up(connection, path, Duration::ZERO)
    }

    fn set_up(mut connection: Connection, path: &Path, busy_timeout: Duration) -> Result<Self, Error> {
        let failed = |error| failure::of(path, &error);
        if rusqlite::version_number() < OLDEST_SQLITE {
            let detail = format!("SQLite {} has a fault that can corrupt it", rusqlite::version());
            return Err(Error::new(ErrorKind::Database, path.to_string_lossy(), detail));
        }
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.busy_timeout(busy_timeout).map_err(failed)?;
        migration::migrate(&mut connection, path, &MIGRATIONS)?;
        connection.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(failed)?;
        connection.pragma_update(None, "wal_autocheckpoint", WAL_PAGES).map_err(failed)?;
        connection.pragma_update(None, "foreign_keys", false).map_err(failed)?;
        Ok(Self { connection, path: path.to_owned() })
    }

    /// Where the store is; `:memory:` for one in memory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The rule by which events were kept last; `None` before any were.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub fn keep(&self) -> Result<Option<Keep>, Error> {
        settings::keep(&self.connection).map_err(|error| self.failure(&error))
    }

    /// What a failed statement means.
    pub(crate) fn failure(&self, error: &rusqlite::Error) -> Error {
        failure::of(&self.path, error)
    }

    pub(crate) const fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) const fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

/// Opens the store at `path` for reading alone; another process may write to it meanwhile.
pub(crate) fn open_read_only(path: &Path, busy_timeout: Duration) -> Result<Connection, Error> {
    let connection = connect(path, path.as_os_str(), busy_timeout)?;
    let (connection, version) = match version(&connection, path) {
        // Where nothing may be written, not even the memory that readers and writers share.
        Err(error) if error.kind().is_denied() && !is_written(path) => {
            let connection = connect(path, &immutable(path), busy_timeout)?;
            let version = version(&connection, path)?;
            (connection, version)
        }
        version => (connection, version?),
    };
    match version {
        OLDEST..=VERSION => Ok(connection),
        0 => Err(Error::new(ErrorKind::NoStore, path.to_string_lossy(), "")),
        older => {
            let detail = format!("it is of schema {older}, this program reads {VERSION}");
            Err(Error::new(ErrorKind::OldStore, path.to_string_lossy(), detail))
        }
    }
}

fn connect(path: &Path, name: &OsStr, busy_timeout: Duration) -> Result<Connection, Error> {
    let failed = |error| failure::of(path, &error);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(name, flags).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.busy_timeout(busy_timeout).map_err(failed)?;
    Ok(connection)
}

/// Whether another process has the store open for writing, or did not close it: then there is a write-ahead log.
fn is_written(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|metadata| metadata.len() > 0)
}

/// The store as a URI that says that nobody writes to it.
fn immutable(path: &Path) -> OsString {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            byte => _ = write!(uri, "%{byte:02X}"),
        }
    }
    uri.push_str("?immutable=1");
    uri.into()
}

/// The schema's version; 0 for a new file.
fn version(connection: &Connection, path: &Path) -> Result<i32, Error> {
    let failed = |error| failure::of(path, &error);
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let version = pragma("user_version").map_err(failed)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    let name = path.to_string_lossy();
    if tables > 0 && pragma("application_id").map_err(failed)? != APPLICATION_ID {
        return Err(Error::new(ErrorKind::NoStore, name, ""));
    }
    if version > VERSION {
        let detail = format!("it is of schema {version}, this program knows up to {VERSION}");
        return Err(Error::new(ErrorKind::NewerStore, name, detail));
    }
    Ok(version)
}
