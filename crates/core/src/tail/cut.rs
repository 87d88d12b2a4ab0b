//! Cuts content into records, and accounts for what lies between them.

use sha2::{Digest, Sha256};

/// Why bytes are no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A hole, as truncation under a writer without `O_APPEND` leaves it.
    Nuls,
    /// A line above the limit.
    Overlong,
}

impl Flaw {
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Nuls => "NULs: the file was truncated while its writer went on",
            Self::Overlong => "longer than the limit for lines",
        }
    }
}

/// A run of bytes within a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Bytes from the start of the window.
    pub(crate) start: usize,
    /// Bytes.
    pub(crate) length: usize,
}

/// What a window of content holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Lines without their ends, none of them blank, by place.
    pub(crate) records: Vec<Run>,
    /// Runs of NULs, by place.
    pub(crate) nuls: Vec<Run>,
    /// Whether the last record has no line end.
    pub(crate) unterminated: bool,
    /// Bytes that are accounted for.
    pub(crate) used: usize,
}

/// Cuts `window`, which begins where a line begins. The last line is left for the next time if it has no end, and so are
/// NULs at the end, unless nothing follows (`ended`).
///
/// A record ends at a line end or at a NUL: JSON has none.
pub(crate) fn cut(window: &[u8], ended: bool) -> Cut {
    let mut cut = Cut::default();
    let mut rest = window;
    while !rest.is_empty() {
        let start = window.len() - rest.len();
        let nuls = rest.iter().take_while(|byte| **byte == 0).count();
        if nuls > 0 {
            if nuls == rest.len() && !ended {
                break;
            }
            cut.nuls.push(Run { start, length: nuls });
            cut.used = start + nuls;
            rest = &rest[nuls..];
            continue;
        }
        let end = memchr::memchr2(b'\n', 0, rest);
        if end.is_none() && !ended {
            break;
        }
        let length = end.unwrap_or(rest.len());
        if !rest[..length].trim_ascii().is_empty() {
            cut.records.push(Run { start, length });
            cut.unterminated = end.is_none();
        }
        let line_end = usize::from(rest.get(length) == Some(&b'\n'));
        cut.used = start + length + line_end;
        rest = &rest[length + line_end..];
    }
    cut
}

/// A run of bytes that is too long to be held, as it goes by.
#[derive(Default)]
pub(crate) struct Passing {
    pub(crate) length: u64,
    hash: Sha256,
}

impl Passing {
    /// Takes the next bytes; they count for the hash if they are not known anyway.
    pub(crate) fn take(&mut self, bytes: &[u8], hash: bool) {
        self.length += bytes.len() as u64;
        if hash {
            self.hash.update(bytes);
        }
    }

    pub(crate) fn sha256(self) -> [u8; 32] {
        self.hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn records(window: &[u8], ended: bool) -> Vec<&[u8]> {
        cut(window, ended).records.iter().map(|run| &window[run.start..run.start + run.length]).collect()
    }

    #[test]
    fn lines_are_records() {
        assert_eq!(records(b"a\nb\r\n\n  \nc", false), [&b"a"[..], b"b\r"]);
        assert_eq!(records(b"a\nb\r\n\n  \nc", true), [&b"a"[..], b"b\r", b"c"]);
        assert!(cut(b"a\nb", true).unterminated && !cut(b"a\nb\n", true).unterminated);
        assert_eq!(cut(b"a\nb", false).used, 2);
    }

    #[test]
    fn nuls_part_records() {
        assert_eq!(records(b"\0\0a\nb\0c\n\0", false), [&b"a"[..], b"b", b"c"]);
        let parts = cut(b"\0\0a\nb\0c\n\0", false);
        assert_eq!(parts.nuls, [Run { start: 0, length: 2 }, Run { start: 5, length: 1 }]);
        assert_eq!(parts.used, 8);
        assert_eq!(cut(b"\0\0", false), Cut::default());
        assert_eq!(cut(b"\0\0", true).used, 2);
    }

    proptest! {
        /// However content is cut into windows, the same records stand at the same places.
        #[test]
        fn windows_don_t_matter(content in proptest::collection::vec(prop::sample::select(&b"ab\n\0 "[..]), 0..60), size in 1_usize..20) {
            let mut whole: Vec<Run> = cut(&content, true).records;
            let (mut at, mut found, mut length) = (0, Vec::new(), size);
            loop {
                let window = &content[at..content.len().min(at + length)];
                let ended = at + window.len() == content.len();
                let part = cut(window, ended);
                found.extend(part.records.iter().map(|run| Run { start: at + run.start, length: run.length }));
                at += part.used;
                if ended {
                    break;
                }
                length = if part.used == 0 { length + size } else { size };
            }
            prop_assert_eq!(at, content.len());
            // A blank part of a line is none only where the line is seen as a whole.
            whole.retain(|run| !content[run.start..run.start + run.length].trim_ascii().is_empty());
            prop_assert_eq!(found, whole);
        }
    }
}
