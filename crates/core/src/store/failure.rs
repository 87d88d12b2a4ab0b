//! What a failure of SQLite means, and what to do about it.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::error::{Error, ErrorKind};

/// The error for a failure at the store at `path`.
pub(crate) fn of(path: &Path, error: &rusqlite::Error) -> Error {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ErrorKind::Busy,
        Some(ErrorCode::DiskFull) => ErrorKind::DiskFull,
        Some(
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied,
        ) => ErrorKind::ReadOnly,
        Some(ErrorCode::DatabaseCorrupt) => ErrorKind::CorruptStore,
        // SQLite's own words say no more than that.
        Some(ErrorCode::NotADatabase) => return Error::new(ErrorKind::NoStore, path.to_string_lossy(), ""),
        Some(ErrorCode::CannotOpen) => ErrorKind::CannotOpen,
        Some(ErrorCode::SystemIoFailure) => ErrorKind::StoreIo,
        _ => ErrorKind::Database,
    };
    Error::new(kind, path.to_string_lossy(), error)
}
