//! Cuts a source into JSON values that span lines.

use std::io::{self, Read};

use audit_who_event::fold::Fold;

use super::buffer::Buffer;
use super::ledger::Ledger;
use super::lines::Ended;
use crate::layout::{BOM, ValueEnd};

/// Reads JSON values one after the other; what stands between them is read as lines.
pub(super) struct Documents<'a, R, F> {
    reader: R,
    buffer: &'a mut Buffer,
    ledger: Ledger<'a, F>,
    /// Where the buffer begins, in bytes from the start of the content.
    offset: u64,
    /// Values that begin here or later are not read.
    stop: u64,
}

impl<'a, R: Read, F: Fold> Documents<'a, R, F> {
    pub(super) fn new(reader: R, buffer: &'a mut Buffer, ledger: Ledger<'a, F>, stop: u64) -> Self {
        buffer.clear();
        Self { reader, buffer, ledger, offset: 0, stop }
    }

    /// Hands every value to the ledger, as long as it takes more.
    pub(super) fn run(mut self) -> Ended {
        loop {
            if self.buffer.data().is_empty() {
                match self.buffer.fill(&mut self.reader) {
                    Ok(1..) => {}
                    end => return Ended { offset: self.offset, error: end.err() },
                }
            }
            self.drop_blanks();
            if self.offset >= self.stop || self.ledger.is_full() {
                return Ended { offset: self.offset, error: None };
            }
            let result = match self.buffer.data().first() {
                None => Ok(()),
                Some(b'{' | b'[') => {
                    let mut value = ValueEnd::default();
                    self.record(|piece| value.find(piece), Some("JSON value that does not end"))
                }
                Some(_) => self.record(|piece| memchr::memchr(b'\n', piece), None),
            };
            if let Err(error) = result {
                return Ended { offset: self.offset, error };
            }
        }
    }

    fn drop_blanks(&mut self) {
        if self.offset == 0 && self.buffer.data().starts_with(BOM) {
            self.ledger.blank(BOM.len());
            self.consume(BOM.len());
        }
        let blanks = self.buffer.data().len() - self.buffer.data().trim_ascii_start().len();
        self.ledger.blank(blanks);
        self.consume(blanks);
    }

    /// Hands over the record at the start of the buffer, whose length `end` tells from its pieces.
    ///
    /// If the content ends first, the record is bad for the reason `endless`, or whole if that is none; the error is
    /// what the content ended with.
    fn record(
        &mut self,
        mut end: impl FnMut(&[u8]) -> Option<usize>,
        endless: Option<&str>,
    ) -> Result<(), Option<io::Error>> {
        let start = self.offset;
        let mut searched = 0;
        loop {
            let found = end(&self.buffer.data()[searched..]);
            searched = found.map_or(self.buffer.data().len(), |length| searched + length);
            let length = self.offset - start + searched as u64;
            let overlong = length > self.ledger.max_line() as u64;
            let read = match found {
                None if overlong => {
                    self.consume(searched);
                    searched = 0;
                    self.buffer.fill(&mut self.reader)
                }
                None => self.buffer.fill(&mut self.reader),
                Some(_) => Ok(0),
            };
            if found.is_none() && matches!(read, Ok(1..)) {
                continue;
            }
            match endless {
                _ if overlong => self.ledger.overlong(start, length),
                Some(reason) if found.is_none() => self.ledger.bad(start, length, reason),
                _ => self.ledger.record(start, &self.buffer.data()[..searched]),
            }
            self.consume(searched);
            return if found.is_some() { Ok(()) } else { Err(read.err()) };
        }
    }

    fn consume(&mut self, count: usize) {
        self.buffer.consume(count);
        self.offset += count as u64;
    }
}
