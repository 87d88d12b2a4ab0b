//! A reused buffer between a reader and what cuts records out of it.

use std::io::{self, Read};

use crate::layout::BOM;

/// Holds what was read and not yet consumed.
///
/// It grows by a quarter where one record needs more than a block, and shrinks again behind it.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// Where what is not consumed begins, and where it ends.
    start: usize,
    filled: usize,
    block: usize,
    failed: Option<io::Error>,
}

impl Buffer {
    /// A buffer of `block` bytes, at least so many that a byte order mark fits.
    pub(super) fn new(block: usize) -> Self {
        let block = block.max(BOM.len());
        Self { bytes: vec![0; block], start: 0, filled: 0, block, failed: None }
    }

    /// Forgets everything, for another reader.
    pub(super) fn clear(&mut self) {
        (self.start, self.filled) = (0, 0);
        self.failed = None;
        self.shrink();
    }

    /// What was read and not yet consumed.
    pub(super) fn data(&self) -> &[u8] {
        &self.bytes[self.start..self.filled]
    }

    /// Reads until the buffer is full, after making room if it is; returns how many bytes came, 0 at the end.
    ///
    /// Blocks are filled however short the reads are, so that they are cut at the same places every time. An error comes
    /// after the bytes before it.
    pub(super) fn fill(&mut self, reader: &mut impl Read) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.move_to_front();
        if self.filled == self.bytes.len() {
            let more = (self.bytes.len() / 4).max(self.block);
            self.bytes.reserve_exact(more);
            self.bytes.resize(self.bytes.len() + more, 0);
        }
        let before = self.filled;
        while self.filled < self.bytes.len() {
            match reader.read(&mut self.bytes[self.filled..]) {
                Ok(0) => break,
                Ok(length) => self.filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.filled == before => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        Ok(self.filled - before)
    }

    /// Drops the first `count` bytes of the data.
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        if self.bytes.len() > self.block {
            self.shrink();
        }
    }

    /// Where each of many records is consumed by itself, what is behind them is moved once.
    fn move_to_front(&mut self) {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.filled, 0);
            (self.start, self.filled) = (0, self.filled - self.start);
        }
    }

    fn shrink(&mut self) {
        if self.bytes.len() > self.block && self.filled - self.start < self.block {
            self.move_to_front();
            self.bytes.truncate(self.block);
            self.bytes.shrink_to_fit();
        }
    }
}
