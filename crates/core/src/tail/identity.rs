//! How a file's content is known again, whatever it is called and wherever it lies.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use sha2::{Digest, Sha256};

/// A head is the first lines of content that come to so many bytes: an audit entry's level and audit ID, with which
/// it begins, take up to 120.
pub(crate) const WHOLE_HEAD: usize = 120;
/// No head is longer, in bytes.
pub(crate) const MAX_HEAD: usize = 64 * 1024;
/// No mark of a last record is longer, in bytes.
pub(crate) const MAX_TAIL: usize = 4096;

/// What the file system says of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// Bytes on disk.
    pub(crate) size: u64,
    /// Nanoseconds since 1970 UTC.
    pub(crate) modified_ns: i64,
}

impl Stat {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let seconds = metadata.mtime().saturating_mul(1_000_000_000);
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified_ns: seconds.saturating_add(metadata.mtime_nsec()),
        }
    }

    /// Whether both are of one file, unless the inode was given to another one meanwhile.
    pub(crate) const fn is_same_file(&self, other: &Self) -> bool {
        self.device == other.device && self.inode == other.inode
    }
}

/// Some bytes, told by their length and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Mark {
    /// Bytes.
    pub(crate) length: u64,
    /// SHA-256: who writes into a log may choose what is in it.
    pub(crate) hash: [u8; 32],
}

impl Mark {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self { length: bytes.len() as u64, hash: Sha256::digest(bytes).into() }
    }

    pub(crate) fn is_of(&self, bytes: &[u8]) -> bool {
        *self == Self::of(bytes)
    }
}

impl Default for Mark {
    fn default() -> Self {
        Self::of(&[])
    }
}

/// How content begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Head {
    /// NULs in front of it, in bytes: a file that was truncated under a writer without `O_APPEND` begins with a hole.
    pub(crate) skip: u64,
    pub(crate) mark: Mark,
}

impl Head {
    /// The head of content whose bytes behind `skip` NULs begin with `start`; `None` if they tell nothing yet.
    ///
    /// `start` holds the first [`MAX_HEAD`] of these bytes, or all. With `ended` no more will come.
    pub(crate) fn of(skip: u64, start: &[u8], ended: bool) -> Option<Self> {
        let start = &start[..start.len().min(MAX_HEAD)];
        let enough = start.get(WHOLE_HEAD - 1..).and_then(|rest| memchr::memchr(b'\n', rest));
        let length = match enough {
            Some(end) => WHOLE_HEAD + end,
            None if ended || start.len() == MAX_HEAD => start.len(),
            None => memchr::memrchr(b'\n', start)? + 1,
        };
        (length > 0).then(|| Self { skip, mark: Mark::of(&start[..length]) })
    }

    /// Whether it is too short to tell content from other content: then the file has to be the same, too.
    pub(crate) const fn is_short(&self) -> bool {
        self.mark.length < WHOLE_HEAD as u64
    }
}

/// The first bytes of content, as far as they are there.
#[derive(Debug)]
pub(crate) struct Start {
    /// NULs in front of it, in bytes.
    pub(crate) skip: u64,
    /// [`MAX_HEAD`] bytes, or all.
    pub(crate) bytes: Vec<u8>,
    /// Whether no more will come.
    pub(crate) ended: bool,
}

impl Start {
    /// The head of the content, if this tells one yet.
    pub(crate) fn head(&self) -> Option<Head> {
        Head::of(self.skip, &self.bytes, self.ended)
    }

    /// Whether the content begins with `head`, which may have been taken when there was less of it.
    pub(crate) fn begins_with(&self, head: &Head) -> bool {
        let length = usize::try_from(head.mark.length).unwrap_or(usize::MAX);
        head.skip == self.skip && self.bytes.get(..length).is_some_and(|start| head.mark.is_of(start))
    }
}

/// The mark of the last record in front of an offset. `text` ends there, at a line end or not.
pub(crate) fn tail_of(text: &[u8]) -> Mark {
    let before = text.strip_suffix(b"\n").unwrap_or(text);
    let start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
    Mark::of(&text[start.max(text.len().saturating_sub(MAX_TAIL))..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_the_first_lines_that_are_long_enough() {
        let long = "x".repeat(200);
        let text = format!("{long}\nsecond\n");
        let head = Head::of(7, text.as_bytes(), false).unwrap();
        assert_eq!((head.skip, head.mark), (7, Mark::of(&text.as_bytes()[..201])));
        // What follows the first lines does not change it.
        assert_eq!(Head::of(7, &text.as_bytes()[..201], true), Some(head));
        assert!(!head.is_short());
        let exact = format!("{}\n", "x".repeat(WHOLE_HEAD - 1));
        assert_eq!(Head::of(0, exact.as_bytes(), false).unwrap().mark.length, WHOLE_HEAD as u64);
    }

    #[test]
    fn short_lines_are_a_head_for_the_time_being() {
        assert_eq!(Head::of(0, b"torn", false), None);
        assert_eq!(Head::of(0, b"", true), None);
        let head = Head::of(0, b"a\nb\ntorn", false).unwrap();
        assert_eq!(head.mark, Mark::of(b"a\nb\n"));
        assert!(head.is_short());
        assert_eq!(Head::of(0, b"a\ntorn", true).unwrap().mark, Mark::of(b"a\ntorn"));
    }

    #[test]
    fn a_line_that_does_not_end_is_known_by_its_start() {
        let line = vec![b'x'; MAX_HEAD + 10];
        assert_eq!(Head::of(0, &line[..MAX_HEAD - 1], false), None);
        assert_eq!(Head::of(0, &line, false).unwrap().mark.length, MAX_HEAD as u64);
    }

    #[test]
    fn the_tail_is_the_last_record() {
        assert_eq!(tail_of(b"first\nlast\n"), Mark::of(b"last\n"));
        assert_eq!(tail_of(b"only\n"), Mark::of(b"only\n"));
        assert_eq!(tail_of(b"first\ntorn"), Mark::of(b"torn"));
        let long = vec![b'x'; MAX_TAIL * 2];
        assert_eq!(tail_of(&long).length, MAX_TAIL as u64);
        assert_eq!(tail_of(b""), Mark::default());
    }
}
