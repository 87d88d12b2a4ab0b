//! Lines of a text with the times at which they were written, as far as that can be told without decoding.

use std::ops::{Range, RangeInclusive};

use audit_who_event::time::Timestamp;
use audit_who_event::{envelope, peek};

/// A line with its time.
pub(crate) struct Dated {
    /// Where the line stands in the text, with its end.
    pub(crate) line: Range<usize>,
    /// Stage times of the earliest and the latest entry in it.
    pub(crate) times: RangeInclusive<Timestamp>,
}

/// The first line in `within`, which holds whole lines of `text`, that has a time and no more than `max_line` bytes.
pub(crate) fn first(text: &[u8], mut within: Range<usize>, max_line: usize) -> Option<Dated> {
    while !within.is_empty() {
        let line = line_around(text, &within, within.start);
        within.start = line.end;
        if let Some(dated) = dated(text, line, max_line) {
            return Some(dated);
        }
    }
    None
}

/// The last line in `within` that has a time, as [`first`] is the first.
pub(crate) fn last(text: &[u8], mut within: Range<usize>, max_line: usize) -> Option<Dated> {
    while !within.is_empty() {
        let line = line_around(text, &within, within.end - 1);
        within.end = line.start;
        if let Some(dated) = dated(text, line, max_line) {
            return Some(dated);
        }
    }
    None
}

/// One line with its time; `None` if it has none, or is too long to be an entry.
pub(crate) fn dated(text: &[u8], line: Range<usize>, max_line: usize) -> Option<Dated> {
    let content = text[line.clone()].trim_ascii();
    let is_entry = content.len() <= max_line && may_be_entry(content);
    let times = is_entry.then(|| peek::stage_times(content)).flatten()?;
    Some(Dated { line, times })
}

/// The line that the byte at `at` is in, with its line end; `within` holds whole lines.
pub(crate) fn line_around(text: &[u8], within: &Range<usize>, at: usize) -> Range<usize> {
    let start =
        memchr::memrchr(b'\n', &text[within.start..at]).map_or(within.start, |n| within.start + n + 1);
    let end = memchr::memchr(b'\n', &text[at..within.end]).map_or(within.end, |n| at + n + 1);
    start..end
}

/// Whether a line has the outer shape of a JSON object, or of what collectors write around one in its line.
pub(crate) fn may_be_entry(line: &[u8]) -> bool {
    is_object(line) || envelope::has_prefix(line)
}

/// Whether a line has the outer shape of a JSON object.
pub(crate) fn is_object(line: &[u8]) -> bool {
    matches!(line, [b'{', .., b'}'])
}
