//! A look at the start of what is read, before it is read.

use std::io::{self, Cursor, Read};

/// A reader whose first bytes were looked at already, and are read all the same.
pub(crate) struct Headed<R> {
    head: Cursor<Vec<u8>>,
    /// What the look ended with; comes after the bytes before it.
    error: Option<io::Error>,
    rest: R,
}

impl<R: Read> Headed<R> {
    /// Looks at the first `limit` bytes of `rest`, or at as many as there are.
    pub(crate) fn new(mut rest: R, limit: usize) -> Self {
        let mut head = Vec::new();
        let error = rest.by_ref().take(limit as u64).read_to_end(&mut head).err();
        Self { head: Cursor::new(head), error, rest }
    }

    pub(crate) fn head(&self) -> &[u8] {
        self.head.get_ref()
    }
}

impl<R: Read> Read for Headed<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.head.read(out)? {
            0 if !out.is_empty() => self.error.take().map_or_else(|| self.rest.read(out), Err),
            length => Ok(length),
        }
    }
}
