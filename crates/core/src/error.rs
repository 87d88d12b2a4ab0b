//! Why an input could not be read as wanted.

use std::{fmt, io};

use audit_who_event::coverage::Problem;

/// Something went wrong with one input: what, where, and what to do about it.
///
/// Other inputs are read all the same; a scan turns each error into a [`Problem`] of its coverage.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {}", self.message())]
pub struct Error {
    kind: ErrorKind,
    path: String,
    offset: Option<u64>,
    detail: String,
    source: Option<io::Error>,
}

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is nothing at the path.
    NotFound,
    /// The path may not be read.
    PermissionDenied,
    /// The path is a device or a socket.
    NotALog,
    /// Something in a folder is no regular file, and is passed over. Nothing is missing because of it.
    PassedOver,
    /// Something in a folder was printed by a container that is no API server, and is passed over. Nothing is missing because of it.
    Container,
    /// The operating system failed to read it.
    Io,
    /// Compressed data that is cut off, damaged or followed by something else.
    Damaged,
    /// The file is shorter than it was when it was opened first.
    Shrunk,
    /// Another file stands at the path than the one that was opened first, or its start was rewritten.
    Replaced,
    /// Standard input or a FIFO could not be kept for a second reading.
    Spool,
    /// It holds what another input holds, and is counted once. Nothing is missing because of it.
    Duplicate,
    /// A pattern for paths is not valid.
    Pattern,
    /// What a question rests on takes more memory than it may: nothing can be told.
    Memory,
    /// The store is locked by another process, for longer than was to be waited.
    Busy,
    /// The disk that the store is on is full, or the store has reached its limit.
    DiskFull,
    /// The store may not be written.
    ReadOnly,
    /// The store's file can't be opened or made.
    CannotOpen,
    /// The operating system failed to read or write the store.
    StoreIo,
    /// The store is damaged.
    CorruptStore,
    /// The file is no store.
    NoStore,
    /// The store is of a schema that this program is too old for.
    NewerStore,
    /// The store is of a schema that only a collector may bring to the newest one.
    OldStore,
    /// Another process has committed what was to be committed.
    Conflict,
    /// Another collector writes to the store.
    Held,
    /// The store would be on a file system of another machine.
    RemoteStore,
    /// SQLite failed in another way.
    Database,
}

impl ErrorKind {
    /// Whether the operating system denies access to the store.
    pub(crate) const fn is_denied(self) -> bool {
        matches!(self, Self::ReadOnly | Self::CannotOpen)
    }

    /// What went wrong and what to do about it, around what is known in detail.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NotFound => ("cannot be opened: ", "; check the path"),
            Self::PermissionDenied => ("cannot be opened: ", "; run as a user who may read it"),
            Self::NotALog => {
                ("is ", " and was not read; give regular files, folders, FIFOs or - for standard input")
            }
            Self::PassedOver => {
                ("is ", " and was not read; name it to read it, in folders only regular files are")
            }
            Self::Container => (
                "was printed by the container ",
                ", which is no API server, and was not read; name it to read it",
            ),
            Self::Io => ("cannot be read: ", "; check the disk, or try a copy of it"),
            Self::Damaged => {
                ("is damaged: ", "; what stands before was read, get the file again from its origin")
            }
            Self::Shrunk => ("", "; what is left was read, run again"),
            Self::Replaced => ("was replaced or rewritten while it was read", "; run again"),
            Self::Spool => {
                ("cannot be read again: its copy failed: ", "; set TMPDIR to a folder with free space")
            }
            Self::Duplicate => ("holds the same content as ", ", counted once"),
            Self::Pattern => ("is no pattern for paths: ", ""),
            Self::Memory => (
                "rests on entries that take more memory than ",
                ", so that nothing is told; ask about a name, a namespace or a time, or allow more (--memory-limit)",
            ),
            Self::Busy => (
                "the store cannot be written: ",
                "; another process has it locked: wait, or end what holds it (fuser tells who)",
            ),
            Self::DiskFull => ("the store cannot be written: ", "; free space on its disk"),
            Self::ReadOnly => {
                ("the store cannot be written: ", "; run as a user who may write the file and its folder")
            }
            Self::CannotOpen => {
                ("the store cannot be opened: ", "; check that the path and its folder are there and allowed")
            }
            Self::StoreIo => ("the store cannot be read or written: ", "; check the disk"),
            Self::CorruptStore => (
                "the store is damaged: ",
                "; keep a copy, save what can be read with sqlite3's .recover, and collect into a new one",
            ),
            Self::NoStore => {
                ("is no store of audit-who", "; audit-who collect makes one, in a file that is not there yet")
            }
            Self::NewerStore => (
                "the store was written by a newer audit-who: ",
                "; use that one, or collect into a new store",
            ),
            Self::OldStore => {
                ("the store was written by an older audit-who: ", "; run audit-who collect on it once")
            }
            Self::Conflict => ("", "; end the other process that commits to it"),
            Self::Held => ("the store is written by another collector: ", "; end it, or use another store"),
            Self::RemoteStore => (
                "the store cannot be on the network file system ",
                ", where commits can get lost; put it on a disk of this machine",
            ),
            Self::Database => ("the store failed: ", ""),
        }
    }
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, path: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self { kind, path: path.into(), offset: None, detail: detail.to_string(), source: None }
    }

    /// What opening or asking for a path came back with.
    pub(crate) fn opening(path: impl Into<String>, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
            _ => ErrorKind::Io,
        };
        Self { source: Some(source), ..Self::new(kind, path, "") }
    }

    /// What reading came back with after `offset` bytes of decompressed content.
    pub(crate) fn reading(path: impl Into<String>, offset: u64, source: io::Error) -> Self {
        let kind = match source.kind() {
            _ if Shrunk::is_in(&source) => ErrorKind::Shrunk,
            // The word of `codec`; the operating system never says it of a read.
            io::ErrorKind::InvalidData => ErrorKind::Damaged,
            _ => ErrorKind::Io,
        };
        Self { source: Some(source), offset: Some(offset), ..Self::new(kind, path, "") }
    }

    /// What `question` rests on takes more than `limit` bytes of memory.
    pub(crate) fn exceeded((question, limit): (&str, u64)) -> Self {
        Self::new(ErrorKind::Memory, question, format_args!("{limit} bytes"))
    }

    /// What kind of thing went wrong.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The input, as it was named or found; `-` for standard input. Of [`ErrorKind::Memory`] the question.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// How many bytes of (decompressed) content could be read before, where reading had begun.
    pub const fn offset(&self) -> Option<u64> {
        self.offset
    }

    /// Whether the same may succeed later, without anything done to the store itself.
    pub const fn is_temporary(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Busy
                | ErrorKind::DiskFull
                | ErrorKind::ReadOnly
                | ErrorKind::CannotOpen
                | ErrorKind::StoreIo
        )
    }

    /// Whether data is missing because of it.
    pub const fn is_fatal(&self) -> bool {
        !matches!(self.kind, ErrorKind::PassedOver | ErrorKind::Container | ErrorKind::Duplicate)
    }

    fn message(&self) -> String {
        let (before, after) = self.kind.words();
        let place =
            self.offset.map(|offset| format!(", at byte {offset} of its content")).unwrap_or_default();
        let source = self.source.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{before}{}{source}{place}{after}", self.detail)
    }
}

/// A file that ends before the length it had when it was opened first.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("became shorter while it was read")]
pub(crate) struct Shrunk;

impl Shrunk {
    pub(crate) fn is_in(error: &io::Error) -> bool {
        error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()).is_some()
    }
}

impl From<Shrunk> for io::Error {
    fn from(shrunk: Shrunk) -> Self {
        Self::new(io::ErrorKind::UnexpectedEof, shrunk)
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        Self { source: error.path.clone(), message: error.message(), fatal: error.is_fatal() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_where_what_and_what_to_do() {
        let cut = io::Error::new(io::ErrorKind::InvalidData, "the gzip data ends in the middle");
        let error = Error::reading("a/audit.log.gz", 4096, cut);
        assert_eq!(error.kind(), ErrorKind::Damaged);
        assert_eq!(
            error.to_string(),
            "a/audit.log.gz: is damaged: the gzip data ends in the middle, at byte 4096 of its content; \
             what stands before was read, get the file again from its origin"
        );
        let problem = Problem::from(&error);
        assert_eq!((problem.source.as_str(), problem.fatal), ("a/audit.log.gz", true));

        let twice = Error::new(ErrorKind::Duplicate, "b.gz", "b");
        assert_eq!(twice.to_string(), "b.gz: holds the same content as b, counted once");
        assert!(!Problem::from(&twice).fatal);
    }
}
