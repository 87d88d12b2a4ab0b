//! A log file as it was when it was opened first.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use audit_who_event::case::Window;
use audit_who_event::time::Timestamp;

use super::outline::{Extent, Outline};
use crate::codec::{Decoder, Encoding};
use crate::dated;
use crate::error::{Error, ErrorKind, Shrunk};
use crate::frames::{Frame, frames};
use crate::head::Headed;
use crate::layout::{HEAD, Layout};

/// How many bytes at a file's start are kept to know it again: they hold the first entry's audit ID.
const MARK: usize = 256;

/// How many bytes of content are looked at for the first entry's time: first few, then as many as hold a long entry.
const FIRST: [usize; 2] = [16 * 1024, 1024 * 1024];

/// A device and an inode on it.
pub(crate) type Identity = (u64, u64);

pub(crate) fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

/// A regular file, held at the length it had when it was opened first, so that every reading sees the same bytes.
///
/// It is open only while somebody reads it.
pub(crate) struct LogFile {
    pub(crate) path: PathBuf,
    pub(crate) encoding: Encoding,
    /// Bytes on disk, compressed or not.
    pub(crate) length: u64,
    /// How the records of a plain file stand; a compressed one tells only when it is decoded.
    pub(crate) layout: Layout,
    pub(super) identity: Identity,
    /// When it was changed last.
    pub(super) modified: Timestamp,
    mark: Vec<u8>,
    handle: Mutex<Weak<File>>,
    /// When its lines were written; told once, as it is the same for every reading.
    outline: OnceLock<Option<Outline>>,
    first_time: OnceLock<Option<Timestamp>>,
    /// From where on zstd data can be read apart; told once.
    frames: OnceLock<Vec<Frame>>,
}

impl LogFile {
    /// Opens the file for a moment and looks at its start.
    pub(crate) fn new(path: PathBuf) -> Result<Self, Error> {
        let look = || -> io::Result<(Metadata, Vec<u8>)> {
            let file = File::open(&path)?;
            let metadata = file.metadata()?;
            let mut start = vec![0; HEAD];
            let length = file.read_at(&mut start, 0)?;
            start.truncate(length);
            Ok((metadata, start))
        };
        let (metadata, mut mark) = look().map_err(|error| Error::opening(name(&path), error))?;
        let encoding = Encoding::of(&mark);
        let layout = Layout::of(&mark);
        mark.truncate(MARK);
        mark.truncate(usize::try_from(metadata.len()).unwrap_or(MARK));
        Ok(Self {
            path,
            encoding,
            length: metadata.len(),
            layout,
            identity: identity(&metadata),
            modified: Timestamp::from_micros(
                metadata.mtime().saturating_mul(1_000_000).saturating_add(metadata.mtime_nsec() / 1000),
            ),
            mark,
            handle: Mutex::default(),
            outline: OnceLock::new(),
            first_time: OnceLock::new(),
            frames: OnceLock::new(),
        })
    }

    /// Which parts of a plain file of lines can hold what lies within `window`; `None` if any can, or nobody knows.
    /// Places in it that are `spacing` bytes apart are looked at, the first time that this is asked.
    pub(crate) fn extent(&self, window: Window, spacing: u64) -> Option<Extent> {
        let outline = self.outline.get_or_init(|| Outline::of(self, spacing)).as_ref()?;
        Some(outline.extent(self, window))
    }

    /// The stage time of the first entry, or the earliest in its line, if the first lines tell it.
    pub(crate) fn first_time(&self) -> Option<Timestamp> {
        *self.first_time.get_or_init(|| {
            FIRST.into_iter().find_map(|limit| {
                let head = self.decoded_head(limit).ok()?;
                let whole = memchr::memrchr(b'\n', &head).map_or(0, |at| at + 1);
                Some(*dated::first(&head, 0..whole, limit)?.times.start())
            })
        })
    }

    /// Where lines of zstd data can be read apart from those before, some `spacing` bytes of content from each other: the
    /// first place, and all others; empty if there are no others. The first caller's `spacing` counts.
    pub(crate) fn frames(&self, spacing: u64) -> &[Frame] {
        self.frames.get_or_init(|| {
            let frames = || {
                let is_lines = self.encoding == Encoding::Zstd
                    && Layout::of(&self.decoded_head(HEAD).ok()?) == Layout::Lines;
                let whole = self.snapshot(0).ok().filter(|_| is_lines)?;
                frames(|at| whole.from(at), self.length, spacing).filter(|frames| frames.len() > 1)
            };
            frames().unwrap_or_default()
        })
    }

    /// Reads the bytes on disk from `from` to the file's first length.
    pub(crate) fn snapshot(&self, from: u64) -> Result<Snapshot, Error> {
        let mut handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        let file = if let Some(file) = handle.upgrade() {
            file
        } else {
            let file = Arc::new(self.reopen()?);
            *handle = Arc::downgrade(&file);
            file
        };
        Ok(Snapshot::new(file, from, self.length))
    }

    fn reopen(&self) -> Result<File, Error> {
        let open = || File::open(&self.path).and_then(|file| Ok((file.metadata()?, file)));
        let (metadata, file) = open().map_err(|error| Error::opening(name(&self.path), error))?;
        let mut mark = vec![0; self.mark.len()];
        let length =
            file.read_at(&mut mark, 0).map_err(|error| Error::reading(name(&self.path), 0, error))?;
        if identity(&metadata) != self.identity || mark[..length] != self.mark[..length] {
            return Err(Error::new(ErrorKind::Replaced, name(&self.path), ""));
        }
        Ok(file)
    }

    /// The first bytes of the decoded content, at most `limit`; fewer where it ends or is damaged.
    pub(crate) fn decoded_head(&self, limit: usize) -> Result<Vec<u8>, Error> {
        let decoder = Decoder::new(self.encoding, self.snapshot(0)?);
        let decoder = decoder.map_err(|error| Error::opening(name(&self.path), error))?;
        Ok(Headed::new(decoder, limit).head().to_vec())
    }
}

/// A path as it is shown.
pub(crate) fn name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Positioned reads of a part of a file: several threads may read one file at once.
#[derive(Debug)]
pub(crate) struct Snapshot {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Snapshot {
    const fn new(file: Arc<File>, at: u64, end: u64) -> Self {
        Self { file, at, end }
    }

    /// The same file, to be read from `from` on.
    pub(crate) fn from(&self, from: u64) -> Self {
        Self::new(Arc::clone(&self.file), from, self.end)
    }
}

impl Read for Snapshot {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = left.min(out.len());
        if wanted == 0 {
            return Ok(0);
        }
        match self.file.read_at(&mut out[..wanted], self.at)? {
            0 => Err(Shrunk.into()),
            length => {
                self.at += length as u64;
                Ok(length)
            }
        }
    }
}
