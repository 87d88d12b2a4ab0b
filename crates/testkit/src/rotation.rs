//! A log that is rotated as the API server rotates it.

mod lumberjack;
mod mill;

use std::fs;
use std::io;
use std::path::Path;

pub use self::lumberjack::{Limits, Lumberjack, Step};
pub use self::mill::Milled;

/// Bytes that are collected before they are handed to the system.
const BUFFER: usize = 128 * 1024;

/// A large log, written fast: `audit.log` in a folder; a full one is renamed `audit-TIME.log` after the time of its
/// rotation.
#[derive(Debug)]
pub struct RotatedLog {
    writer: Lumberjack,
    limit: u64,
    pending: Vec<u8>,
    last_rotation: i64,
}

impl RotatedLog {
    /// Begins an empty `audit.log` in `folder`, which is made if need be. No file becomes larger than `limit` bytes.
    pub fn create(folder: &Path, limit: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut writer = Lumberjack::start(folder, Limits { size: limit, backups: 0, compress: false });
        fs::File::create_new(writer.path())?;
        // Its first write opens the file; one of a full file's length would rotate the empty one away.
        writer.write(&[], 0)?;
        Ok(Self { writer, limit, pending: Vec::new(), last_rotation: i64::MIN })
    }

    /// Appends a line, newline included, after a rotation if it does not fit. `at` is its time, microseconds since the
    /// Unix epoch. A line longer than the limit is an error, as it is for the API server.
    pub fn write_line(&mut self, line: &[u8], at: i64) -> io::Result<()> {
        let length = line.len() as u64;
        if length > self.limit {
            // The writer says why it can't.
            return self.writer.write(line, at);
        }
        if self.writer.size() + self.pending.len() as u64 + length > self.limit {
            self.flush()?;
            // Names are in milliseconds, and no two rotations share one.
            self.last_rotation = at.max(self.last_rotation.saturating_add(1000));
            self.writer.rotate(self.last_rotation)?;
        }
        self.pending.extend_from_slice(line);
        if self.pending.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    /// Hands all lines to the system.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.write(&std::mem::take(&mut self.pending), self.last_rotation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;

    #[test]
    fn files_joined_by_name_are_the_lines() {
        let context = Context::new().unwrap();
        let mut log = RotatedLog::create(context.path(), 10).unwrap();
        let lines: Vec<String> = (0..9).map(|i| format!("line{i}\n")).collect();
        // All within a millisecond.
        for (line, at) in lines.iter().zip(1_772_442_000_000_000..) {
            log.write_line(line.as_bytes(), at).unwrap();
        }
        log.finish().unwrap();
        let mut files: Vec<_> =
            fs::read_dir(context.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert_eq!(files.len(), 9);
        assert!(files[0].ends_with("audit-2026-03-02T09-00-00.000.log"), "{files:?}");
        let joined: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
        assert_eq!(joined, lines.concat());
    }

    #[test]
    fn a_line_that_fits_no_file_is_refused() {
        let context = Context::new().unwrap();
        let mut log = RotatedLog::create(context.path(), 4).unwrap();
        let error = log.write_line(b"too long\n", 0).unwrap_err();
        assert_eq!(error.to_string(), "write length 9 exceeds maximum file size 4");
    }
}
