//! When the entries in a block of text were written, told from few of its lines.

use std::ops::Range;

use audit_who_event::coverage::{Moment, PAUSE, Tally, Timeline};
use audit_who_event::time::Timestamp;

use super::order::Order;
use crate::dated::{self, Dated};

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
    pub(super) order: &'a mut Order,
}

impl Clock<'_> {
    /// Looks at the first and the last line of `text` that have a time, and between them where they are far apart.
    pub(super) fn look(&mut self, text: &[u8]) {
        let Some(first) = self.first(text, 0..text.len()) else { return };
        let last = dated::last(text, first.line.end..text.len(), self.max_line);
        self.saw(&first);
        if let Some(last) = last {
            let (before, behind) = (*first.times.end(), *last.times.start());
            self.look_between(text, first.line.end..last.line.start, before, behind);
            self.saw(&last);
        }
    }

    /// Looks at a record that is not found by line ends.
    pub(super) fn look_at_record(&mut self, record: &[u8]) {
        if let Some(dated) = dated::dated(record, 0..record.len(), self.max_line) {
            self.saw(&dated);
        }
    }

    /// Finds what times there are in `within`, whose neighbours have the times `before` and `behind`. Each step halves
    /// what is left.
    fn look_between(&mut self, text: &[u8], within: Range<usize>, before: Timestamp, behind: Timestamp) {
        if within.is_empty() || before.since(behind).saturating_abs() <= PAUSE {
            return;
        }
        let middle = dated::line_around(text, &within, within.start.midpoint(within.end)).start;
        let Some(found) = self.first(text, middle..within.end) else {
            return self.look_between(text, within.start..middle, before, behind);
        };
        self.look_between(text, within.start..middle, before, *found.times.start());
        self.saw(&found);
        self.look_between(text, found.line.end..within.end, *found.times.end(), behind);
    }

    fn first(&self, text: &[u8], within: Range<usize>) -> Option<Dated> {
        dated::first(text, within, self.max_line)
    }

    fn saw(&mut self, dated: &Dated) {
        let offset = self.offset + dated.line.start as u64;
        // Entries of one line are in no order that anybody looked at.
        let (first, last) = (*dated.times.start(), *dated.times.end());
        for time in [last, first] {
            self.tally.saw(Some(time));
            self.order.saw(time);
        }
        let moment = |time| Moment { time, source: self.source, offset };
        if last.since(first) <= PAUSE {
            self.timeline.add_run(moment(first), moment(last));
        } else {
            self.timeline.pass_over(moment(first), moment(last));
        }
    }
}
