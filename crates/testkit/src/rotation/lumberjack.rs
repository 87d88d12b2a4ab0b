//! The API server's log writer, one system call after the other
//! ([source](https://github.com/natefinch/lumberjack/blob/v2.0/lumberjack.go)).

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::mill::{Mill, Milled};
use crate::time::file_time;

/// The file that is written.
pub(super) const LIVE: &str = "audit.log";

/// When files are rotated, and what becomes of them then.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the largest file.
    pub size: u64,
    /// Rotated files that are kept; 0 for all.
    pub backups: usize,
    /// Whether rotated files are packed.
    pub compress: bool,
}

/// Writes `audit.log` as the API server does, and can be stopped at every step.
///
/// It is killed by dropping it, and started again by [`start`](Self::start). Times are given, in microseconds since the
/// Unix epoch; two rotations within one millisecond have the same name, and the second one overwrites the first one's
/// file.
#[derive(Debug)]
pub struct Lumberjack {
    folder: PathBuf,
    limits: Limits,
    /// Opened by the first write.
    file: Option<File>,
    /// Bytes of the file, as far as the writer knows.
    size: u64,
    /// The next step of the rotation that is under way.
    next: Option<Step>,
    mill: Mill,
}

/// A step of a rotation, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The file is closed: nobody writes to it any more.
    Close,
    /// The folder is made, if it is not there.
    MakeFolder,
    /// The file is renamed: until the next step there is none at its path.
    Rename,
    /// The new file is made, and closed again after its owner was set.
    Create,
    /// It is opened for writing, without `O_APPEND`.
    Open,
    /// The mill is told to prune and pack.
    Wake,
}

impl Step {
    const fn following(self) -> Option<Self> {
        Some(match self {
            Self::Close => Self::MakeFolder,
            Self::MakeFolder => Self::Rename,
            Self::Rename => Self::Create,
            Self::Create => Self::Open,
            Self::Open => Self::Wake,
            Self::Wake => return None,
        })
    }
}

impl Lumberjack {
    /// Starts a writer in a folder; nothing is opened or made before it writes.
    pub fn start(folder: &Path, limits: Limits) -> Self {
        Self {
            folder: folder.to_owned(),
            limits,
            file: None,
            size: 0,
            next: None,
            mill: Mill::new(folder, limits),
        }
    }

    /// The file that is written.
    pub fn path(&self) -> PathBuf {
        self.folder.join(LIVE)
    }

    /// Bytes of the file, as far as the writer knows: it does not see what others do to it.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The next step of the rotation that is under way.
    pub const fn next_step(&self) -> Option<Step> {
        self.next
    }

    /// Writes with one system call, after a rotation if the file would grow too large. A rotation that is under way is
    /// finished before. What is longer than the largest file is an error.
    pub fn write(&mut self, bytes: &[u8], at: i64) -> io::Result<()> {
        let length = bytes.len() as u64;
        if length > self.limits.size {
            let message = format!("write length {length} exceeds maximum file size {}", self.limits.size);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        while self.next.is_some() {
            self.step(at)?;
        }
        if self.file.is_none() {
            self.open_existing_or_new(length, at)?;
        }
        if self.size + length > self.limits.size {
            self.rotate(at)?;
        }
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
            self.size += length;
        }
        Ok(())
    }

    /// Goes through all steps of a rotation, or through what is left of one.
    pub fn rotate(&mut self, at: i64) -> io::Result<()> {
        while self.step(at)? != Step::Wake {}
        Ok(())
    }

    /// Goes one step on in a rotation, or begins one; tells which step it was.
    pub fn step(&mut self, at: i64) -> io::Result<Step> {
        let step = self.next.unwrap_or(Step::Close);
        match step {
            Step::Close => self.file = None,
            Step::MakeFolder => fs::create_dir_all(&self.folder)?,
            Step::Rename => self.rename(at)?,
            Step::Create => drop(File::create(self.path())?),
            Step::Open => {
                self.file = Some(File::create(self.path())?);
                self.size = 0;
            }
            Step::Wake => self.mill.wake(),
        }
        self.next = step.following();
        Ok(step)
    }

    /// Goes one step on in pruning and packing, with up to so many bytes of packed data; tells which step it was, and
    /// `None` if there is nothing to do.
    pub fn mill(&mut self, bytes: usize) -> io::Result<Option<Milled>> {
        self.mill.step(bytes)
    }

    fn rename(&self, at: i64) -> io::Result<()> {
        let backup = self.folder.join(format!("audit-{}.log", file_time(at)));
        match fs::rename(self.path(), backup) {
            // There was none to rename.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            renamed => renamed,
        }
    }

    /// What a process does at its first write.
    fn open_existing_or_new(&mut self, length: u64, at: i64) -> io::Result<()> {
        self.mill.wake();
        match fs::metadata(self.path()) {
            Ok(metadata) if metadata.len() + length < self.limits.size => {
                self.file = Some(File::options().append(true).open(self.path())?);
                self.size = metadata.len();
                Ok(())
            }
            Ok(_) => self.rotate(at),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.next = Some(Step::MakeFolder);
                self.rotate(at)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;

    const LIMITS: Limits = Limits { size: 100, backups: 2, compress: true };
    const AT: i64 = 1_772_442_000_000_000;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn between_two_steps_there_is_no_file_at_the_path() {
        let context = Context::new().unwrap();
        let mut writer = Lumberjack::start(context.path(), LIMITS);
        writer.write(b"first\n", AT).unwrap();
        for step in [Step::Close, Step::MakeFolder, Step::Rename] {
            assert_eq!(writer.step(AT).unwrap(), step);
        }
        assert_eq!(names(context.path()), ["audit-2026-03-02T09-00-00.000.log"]);
        writer.write(b"second\n", AT).unwrap();
        assert_eq!(names(context.path()), ["audit-2026-03-02T09-00-00.000.log", LIVE]);
        assert_eq!(fs::read(writer.path()).unwrap(), b"second\n");
    }

    #[test]
    fn only_the_first_file_of_a_process_is_opened_for_appending() {
        let context = Context::new().unwrap();
        let truncate =
            |writer: &Lumberjack| File::options().write(true).open(writer.path()).unwrap().set_len(0);
        drop(context.write(LIVE, "before\n").unwrap());
        let mut writer = Lumberjack::start(context.path(), LIMITS);
        writer.write(b"one\n", AT).unwrap();
        truncate(&writer).unwrap();
        writer.write(b"two\n", AT).unwrap();
        assert_eq!(fs::read(writer.path()).unwrap(), b"two\n");
        writer.rotate(AT).unwrap();
        writer.write(b"one\n", AT).unwrap();
        truncate(&writer).unwrap();
        writer.write(b"two\n", AT).unwrap();
        assert_eq!(fs::read(writer.path()).unwrap(), b"\0\0\0\0two\n");
    }

    #[test]
    fn equal_names_overwrite_and_too_long_writes_fail() {
        let context = Context::new().unwrap();
        let mut writer = Lumberjack::start(context.path(), LIMITS);
        for text in ["first\n", "second\n", "third\n"] {
            writer.write(text.as_bytes(), AT).unwrap();
            writer.rotate(AT).unwrap();
        }
        let backup = context.path().join("audit-2026-03-02T09-00-00.000.log");
        assert_eq!(fs::read(backup).unwrap(), b"third\n");
        let error = writer.write(&[b'x'; 101], AT).unwrap_err();
        assert_eq!(error.to_string(), "write length 101 exceeds maximum file size 100");
    }
}
