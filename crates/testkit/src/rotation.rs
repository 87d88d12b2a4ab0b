//! A log that is rotated as the API server rotates it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::time::file_time;

/// `audit.log` in a folder; a full one is renamed `audit-TIME.log` after the time of its rotation.
#[derive(Debug)]
pub struct RotatedLog {
    folder: PathBuf,
    limit: u64,
    file: BufWriter<File>,
    length: u64,
    last_rotation: i64,
}

impl RotatedLog {
    /// Begins an empty `audit.log` in `folder`, which is made if need be. No file becomes larger than `limit` bytes.
    pub fn create(folder: &Path, limit: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let file = BufWriter::new(File::create_new(folder.join("audit.log"))?);
        Ok(Self { folder: folder.to_owned(), limit, file, length: 0, last_rotation: i64::MIN })
    }

    /// Appends a line, newline included, after a rotation if it does not fit. `at` is its time, microseconds since the
    /// Unix epoch. A line longer than the limit is an error, as it is for the API server.
    pub fn write_line(&mut self, line: &[u8], at: i64) -> io::Result<()> {
        let length = line.len() as u64;
        if length > self.limit {
            let message = format!("write length {length} exceeds maximum file size {}", self.limit);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        if self.length + length > self.limit {
            self.rotate(at)?;
        }
        self.file.write_all(line)?;
        self.length += length;
        Ok(())
    }

    /// Hands all lines to the system.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.flush()
    }

    fn rotate(&mut self, at: i64) -> io::Result<()> {
        self.file.flush()?;
        // Names are in milliseconds, and no two rotations share one.
        self.last_rotation = at.max(self.last_rotation.saturating_add(1000));
        let current = self.folder.join("audit.log");
        let name = format!("audit-{}.log", file_time(self.last_rotation));
        fs::rename(&current, self.folder.join(name))?;
        self.file = BufWriter::new(File::create_new(current)?);
        self.length = 0;
        Ok(())
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
