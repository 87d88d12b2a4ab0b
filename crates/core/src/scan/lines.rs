//! Cuts a part of a source into lines.

use std::io::{self, Read};

use audit_who_event::fold::Fold;

use super::buffer::Buffer;
use super::ledger::Ledger;

/// Reads the lines that begin before an offset, the last of them to its end.
pub(super) struct Lines<'a, R, F> {
    reader: R,
    buffer: &'a mut Buffer,
    ledger: Ledger<'a, F>,
    /// Where the buffer begins, in bytes from the start of the content.
    offset: u64,
    /// Lines that begin here or later belong to somebody else.
    stop: u64,
    /// NULs at the start of the current line that were dropped from the buffer, and not told yet.
    nuls: u64,
}

/// How far a reading came, and what ended it if it was not the end.
pub(super) struct Ended {
    pub(super) offset: u64,
    pub(super) error: Option<io::Error>,
}

impl<'a, R: Read, F: Fold> Lines<'a, R, F> {
    /// Lines of what `reader` gives, whose first byte stands at `offset`.
    pub(super) fn new(
        reader: R,
        buffer: &'a mut Buffer,
        ledger: Ledger<'a, F>,
        offset: u64,
        stop: u64,
    ) -> Self {
        buffer.clear();
        Self { reader, buffer, ledger, offset, stop, nuls: 0 }
    }

    /// Reads the lines behind the first line end, as [`run`](Self::run) does: what stands before belongs to a line
    /// that began earlier.
    pub(super) fn run_behind_line_end(mut self) -> Ended {
        loop {
            let found = memchr::memchr(b'\n', self.buffer.data());
            self.consume(found.map_or(self.buffer.data().len(), |newline| newline + 1));
            if self.offset >= self.stop {
                return self.ended(None);
            }
            if found.is_some() {
                return self.run();
            }
            match self.buffer.fill(&mut self.reader) {
                Ok(1..) => {}
                end => return self.ended(end.err()),
            }
        }
    }

    /// Hands every line to the ledger, as long as it takes more.
    pub(super) fn run(mut self) -> Ended {
        // How much of the buffer is known to hold no line end.
        let mut searched = 0_usize;
        loop {
            searched = searched.saturating_sub(self.drop_nuls());
            if let Some(end) = self.end_of_last_line(searched) {
                self.hand_over(end);
                return self.ended(None);
            }
            if let Some(newline) = memchr::memrchr(b'\n', &self.buffer.data()[searched..]) {
                self.hand_over(searched + newline + 1);
                searched = 0;
                if self.ledger.is_full() {
                    return self.ended(None);
                }
                continue;
            }
            searched = self.buffer.data().len();
            if searched > self.ledger.max_line() {
                if let Err(end) = self.skip_line() {
                    return end;
                }
                searched = 0;
                continue;
            }
            match self.buffer.fill(&mut self.reader) {
                Ok(1..) => {}
                end => {
                    self.tell_nuls();
                    self.hand_over(searched);
                    return self.ended(end.err());
                }
            }
        }
    }

    /// Where the last line that begins before `stop` ends, if that is in the buffer.
    fn end_of_last_line(&self, searched: usize) -> Option<usize> {
        // Its end is the first one at or behind the byte before `stop`.
        let last = usize::try_from((self.stop - 1).saturating_sub(self.offset)).ok()?;
        let from = last.max(searched);
        let newline = memchr::memchr(b'\n', self.buffer.data().get(from..)?)?;
        Some(from + newline + 1)
    }

    /// Drops NULs at the start of the current line, so that a hole of any size takes no memory. Returns how many.
    fn drop_nuls(&mut self) -> usize {
        // Inside of a line the buffer never begins with a NUL, as those at its start were dropped.
        let count = self.buffer.data().iter().take_while(|byte| **byte == 0).count();
        if count > 0 {
            self.consume(count);
            self.nuls += count as u64;
        }
        if !self.buffer.data().is_empty() {
            self.tell_nuls();
        }
        count
    }

    fn tell_nuls(&mut self) {
        let nuls = std::mem::take(&mut self.nuls);
        if nuls > 0 {
            self.ledger.nuls(self.offset - nuls, nuls);
        }
    }

    /// Goes over a line of which the buffer holds more than may be held, without holding the rest.
    fn skip_line(&mut self) -> Result<(), Ended> {
        let start = self.offset;
        self.consume(self.buffer.data().len());
        loop {
            let read = self.buffer.fill(&mut self.reader);
            let end = memchr::memchr(b'\n', self.buffer.data());
            self.consume(end.unwrap_or(self.buffer.data().len()));
            if end.is_none() && matches!(read, Ok(1..)) {
                continue;
            }
            self.ledger.overlong(start, self.offset - start);
            if end.is_none() {
                return Err(self.ended(read.err()));
            }
            self.ledger.blank(1);
            self.consume(1);
            return if self.offset < self.stop { Ok(()) } else { Err(self.ended(None)) };
        }
    }

    /// Hands the first `count` bytes of the buffer to the ledger: whole lines, or the last one without its end.
    fn hand_over(&mut self, count: usize) {
        self.ledger.lines(self.offset, &self.buffer.data()[..count]);
        self.consume(count);
    }

    fn consume(&mut self, count: usize) {
        self.buffer.consume(count);
        self.offset += count as u64;
    }

    const fn ended(&self, error: Option<io::Error>) -> Ended {
        Ended { offset: self.offset, error }
    }
}
