//! What is read: files, folders, FIFOs and standard input, found once and read as often as a question wants.

mod discovery;
pub(crate) mod file;
pub(crate) mod outline;
mod pairing;
pub(crate) mod rotation;

use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use std::sync::OnceLock;

use audit_who_event::time::Timestamp;
use discovery::Discovery;
use file::{Identity, LogFile};

use crate::codec::Encoding;
use crate::error::Error;
use crate::spool::Stream;

/// The files and streams that a question is asked of.
///
/// Files are taken at the length they have when this is made: what is appended later is not read. They are open only
/// while they are read, and only for reading. Streams are kept in a temporary file while they are first read.
pub struct Inputs {
    sources: Vec<Source>,
    errors: Vec<Error>,
}

/// Opens standard input; taken by the first `-`.
type Stdin<'a> = Option<Box<dyn FnOnce() -> Box<dyn Read + Send> + 'a>>;

/// One file or stream.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) content: Content,
    /// Between which times its entries were written, once all of it was read and they were in order: so that a compressed
    /// file or a stream is not read again where that can't tell more.
    pub(crate) span: OnceLock<(Timestamp, Timestamp)>,
    /// Where its lines spell letters as escapes, of each line one place, once all of it was searched for that; in bytes from
    /// the start of its content.
    pub(crate) escapes: OnceLock<Box<[u64]>>,
}

impl Source {
    pub(crate) const fn new(name: String, content: Content) -> Self {
        Self { name, content, span: OnceLock::new(), escapes: OnceLock::new() }
    }
}

pub(crate) enum Content {
    File(LogFile),
    Stream(Stream),
}

impl AsRef<Self> for Content {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Source {
    /// Which file it is; `None` for a stream.
    pub(crate) const fn identity(&self) -> Option<Identity> {
        match &self.content {
            Content::File(file) => Some(file.identity),
            Content::Stream(_) => None,
        }
    }

    /// Bytes of content that are read of it, or more.
    pub(crate) fn content_length(&self) -> u64 {
        match &self.content {
            Content::File(file) if file.encoding == Encoding::Plain => file.length,
            _ => u64::MAX,
        }
    }
}

impl Inputs {
    /// Finds what `paths` name: files, folders with everything below them, FIFOs, and `-` for standard input.
    ///
    /// Each file is taken once, however often and under whatever names it is met, and so is a rotated file that stands
    /// beside its compressed copy. What containers printed that are no API servers is read only if the file itself is named.
    /// gzip and zstd are told by their first bytes. What can't be read does not stop the
    /// rest: see [`errors`](Self::errors).
    pub fn open<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self::discover(paths, Some(Box::new(|| Box::new(io::stdin()))))
    }

    /// Like [`open`](Self::open), with `stdin` in the place of standard input.
    pub fn open_with_stdin<P: AsRef<Path>>(
        paths: impl IntoIterator<Item = P>,
        stdin: impl Read + Send + 'static,
    ) -> Self {
        Self::discover(paths, Some(Box::new(|| Box::new(stdin))))
    }

    fn discover<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>, mut stdin: Stdin<'_>) -> Self {
        let mut found = Discovery::default();
        for path in paths {
            found.argument(path.as_ref(), &mut stdin);
        }
        let Discovery { mut sources, mut errors, .. } = found;
        errors.extend(pairing::remove_copies(&mut sources));
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        Self { sources, errors }
    }

    /// What could not be opened, and what was left out.
    pub fn errors(&self) -> &[Error] {
        &self.errors
    }

    /// How many files and streams there are to read.
    pub const fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether there is nothing to read.
    pub const fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// The name of a source by the number that an [`Address`](audit_who_event::fold::Address) carries: its path as it
    /// was named or found, `-` for standard input. Numbers are in the order of names; empty if there is none.
    pub fn source_name(&self, source: usize) -> &str {
        self.sources.get(source).map_or("", |source| &source.name)
    }

    /// What stands under a name.
    pub(crate) fn content(&self, name: &str) -> Option<&Content> {
        let found = self.sources.binary_search_by(|source| source.name.as_str().cmp(name));
        found.ok().map(|index| &self.sources[index].content)
    }

    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }
}

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.sources.iter().map(|source| source.name.as_str()).collect();
        f.debug_struct("Inputs").field("sources", &names).field("errors", &self.errors).finish()
    }
}
