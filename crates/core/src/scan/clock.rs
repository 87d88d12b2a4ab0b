//! When the entries in a block of text were written, told from few of its lines.

use std::ops::Range;

use audit_who_event::coverage::{Moment, PAUSE, Tally, Timeline};
use audit_who_event::peek;
use audit_who_event::time::Timestamp;

use super::ledger::is_object;

/// Looks at stage times without decoding. Looking at every line would double the time of a scan, and entries are written
/// nearly in order: between two lines whose times are close there is no pause, whatever stands there.
pub(super) struct Clock<'a> {
    pub(super) source: usize,
    /// Where the text begins, in bytes from the start of the content.
    pub(super) offset: u64,
    /// Bytes.
    pub(super) max_line: usize,
    pub(super) tally: &'a mut Tally,
    pub(super) timeline: &'a mut Timeline,
}

/// A line with its time.
struct Dated {
    line: Range<usize>,
    time: Timestamp,
}

impl Clock<'_> {
    /// Looks at the first and the last line of `text` that have a time, and between them where they are far apart.
    pub(super) fn look(&mut self, text: &[u8]) {
        let Some(first) = self.first_dated(text, 0..text.len()) else { return };
        let last = self.last_dated(text, first.line.end..text.len());
        self.saw(&first);
        if let Some(last) = last {
            self.saw(&last);
            self.look_between(text, first.line.end..last.line.start, first.time, last.time);
        }
    }

    /// Looks at a record that is not found by line ends.
    pub(super) fn look_at_record(&mut self, record: &[u8]) {
        if let Some(dated) = self.dated(record, 0..record.len()) {
            self.saw(&dated);
        }
    }

    /// Finds what times there are in `within`, whose neighbours have the times `before` and `behind`. Each step halves
    /// what is left.
    fn look_between(&mut self, text: &[u8], within: Range<usize>, before: Timestamp, behind: Timestamp) {
        if within.is_empty() || before.since(behind).saturating_abs() <= PAUSE {
            return;
        }
        let middle = line_around(text, &within, within.start.midpoint(within.end)).start;
        let Some(found) = self.first_dated(text, middle..within.end) else {
            return self.look_between(text, within.start..middle, before, behind);
        };
        self.saw(&found);
        self.look_between(text, within.start..middle, before, found.time);
        self.look_between(text, found.line.end..within.end, found.time, behind);
    }

    fn first_dated(&self, text: &[u8], mut within: Range<usize>) -> Option<Dated> {
        while !within.is_empty() {
            let line = line_around(text, &within, within.start);
            within.start = line.end;
            if let Some(dated) = self.dated(text, line) {
                return Some(dated);
            }
        }
        None
    }

    fn last_dated(&self, text: &[u8], mut within: Range<usize>) -> Option<Dated> {
        while !within.is_empty() {
            let line = line_around(text, &within, within.end - 1);
            within.end = line.start;
            if let Some(dated) = self.dated(text, line) {
                return Some(dated);
            }
        }
        None
    }

    fn dated(&self, text: &[u8], line: Range<usize>) -> Option<Dated> {
        let content = text[line.clone()].trim_ascii();
        let is_entry = content.len() <= self.max_line && is_object(content);
        let time = is_entry.then(|| peek::stage_time(content)).flatten()?;
        Some(Dated { line, time })
    }

    fn saw(&mut self, dated: &Dated) {
        self.tally.saw(Some(dated.time));
        let offset = self.offset + dated.line.start as u64;
        self.timeline.add(Moment { time: dated.time, source: self.source, offset });
    }
}

/// The line that the byte at `at` is in, with its line end; `within` holds whole lines.
fn line_around(text: &[u8], within: &Range<usize>, at: usize) -> Range<usize> {
    let start =
        memchr::memrchr(b'\n', &text[within.start..at]).map_or(within.start, |n| within.start + n + 1);
    let end = memchr::memchr(b'\n', &text[at..within.end]).map_or(within.end, |n| at + n + 1);
    start..end
}
