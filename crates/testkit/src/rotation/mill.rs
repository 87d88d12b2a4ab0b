//! What the API server's writer does with rotated files, beside writing: prune, then pack
//! ([source](https://github.com/natefinch/lumberjack/blob/v2.0/lumberjack.go)).

use std::collections::{BTreeSet, VecDeque};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::lumberjack::Limits;

const PACKED: &str = ".gz";

/// Prunes and packs, one system call after the other.
#[derive(Debug)]
pub(super) struct Mill {
    folder: PathBuf,
    limits: Limits,
    awake: bool,
    to_remove: VecDeque<PathBuf>,
    to_pack: VecDeque<PathBuf>,
    packing: Option<Packing>,
}

/// A file that is being packed.
#[derive(Debug)]
struct Packing {
    source: PathBuf,
    /// None once it is closed.
    target: Option<File>,
    /// What is still to be written.
    packed: VecDeque<u8>,
}

/// A step of pruning and packing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Milled {
    /// It was looked which files there are.
    Listed,
    /// A file that was too many was removed.
    Pruned(PathBuf),
    /// An empty packed file was made, or an old one was emptied, under its final name.
    Began(PathBuf),
    /// Some packed data was written.
    Wrote,
    /// The packed file was closed: it is complete, and so is the plain one.
    Closed,
    /// The plain file was removed.
    Removed(PathBuf),
}

impl Mill {
    pub(super) fn new(folder: &Path, limits: Limits) -> Self {
        Self {
            folder: folder.to_owned(),
            limits,
            awake: false,
            to_remove: VecDeque::new(),
            to_pack: VecDeque::new(),
            packing: None,
        }
    }

    pub(super) fn wake(&mut self) {
        self.awake = true;
    }

    pub(super) fn step(&mut self, bytes: usize) -> io::Result<Option<Milled>> {
        if let Some(packing) = self.packing.take() {
            return self.pack(packing, bytes).map(Some);
        }
        if let Some(path) = self.to_remove.pop_front() {
            remove(&path)?;
            return Ok(Some(Milled::Pruned(path)));
        }
        while let Some(source) = self.to_pack.pop_front() {
            // It may have been removed by others.
            if let Ok(plain) = fs::read(&source) {
                return self.begin(source, &plain).map(Some);
            }
        }
        if !self.awake {
            return Ok(None);
        }
        self.awake = false;
        self.list()?;
        Ok(Some(Milled::Listed))
    }

    fn list(&mut self) -> io::Result<()> {
        let mut backups = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            backups.extend(stamp(&path).map(|stamp| (stamp, path)));
        }
        // The newest first, by name.
        backups.sort_by(|a, b| b.cmp(a));
        let mut kept = BTreeSet::new();
        for (stamp, path) in backups {
            kept.insert(stamp);
            if self.limits.backups > 0 && kept.len() > self.limits.backups {
                self.to_remove.push_back(path);
            } else if self.limits.compress && !is_packed(&path) {
                self.to_pack.push_back(path);
            }
        }
        Ok(())
    }

    fn begin(&mut self, source: PathBuf, plain: &[u8]) -> io::Result<Milled> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain)?;
        let packed = encoder.finish()?.into();
        let mut target = source.clone().into_os_string();
        target.push(PACKED);
        let target = PathBuf::from(target);
        self.packing = Some(Packing { source, target: Some(File::create(&target)?), packed });
        Ok(Milled::Began(target))
    }

    fn pack(&mut self, mut packing: Packing, bytes: usize) -> io::Result<Milled> {
        let Some(file) = &mut packing.target else {
            remove(&packing.source)?;
            return Ok(Milled::Removed(packing.source));
        };
        let milled = if packing.packed.is_empty() {
            packing.target = None;
            Milled::Closed
        } else {
            let part: Vec<u8> = packing.packed.drain(..bytes.clamp(1, packing.packed.len())).collect();
            file.write_all(&part)?;
            Milled::Wrote
        };
        self.packing = Some(packing);
        Ok(milled)
    }
}

/// The time in the name of a rotated file, as it is written there.
fn stamp(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let stamp = name.strip_suffix(PACKED).unwrap_or(name).strip_prefix("audit-")?.strip_suffix(".log")?;
    (stamp.len() == "2026-03-02T09-00-00.000".len()).then(|| stamp.to_owned())
}

fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == &PACKED[1..])
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        // Others may have been faster.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::super::lumberjack::Lumberjack;
    use super::*;
    use crate::context::Context;

    const SECOND: i64 = 1_000_000;
    const AT: i64 = 1_772_442_000 * SECOND;

    fn unpacked(path: &Path) -> io::Result<String> {
        let mut text = String::new();
        GzDecoder::new(File::open(path)?).read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn what_is_too_much_is_pruned_before_the_rest_is_packed() {
        let context = Context::new().unwrap();
        let limits = Limits { size: 100, backups: 1, compress: true };
        let mut writer = Lumberjack::start(context.path(), limits);
        for number in 0..2 {
            writer.write(format!("{number}\n").as_bytes(), AT).unwrap();
            writer.rotate(AT + number * SECOND).unwrap();
        }
        let [old, new] =
            [0, 1].map(|second| context.path().join(format!("audit-2026-03-02T09-00-0{second}.000.log")));
        let packed = new.with_extension("log.gz");
        assert_eq!(writer.mill(1).unwrap(), Some(Milled::Listed));
        assert_eq!(writer.mill(1).unwrap(), Some(Milled::Pruned(old)));
        assert_eq!(writer.mill(1).unwrap(), Some(Milled::Began(packed.clone())));
        while writer.mill(7).unwrap() == Some(Milled::Wrote) {}
        assert_eq!(unpacked(&packed).unwrap(), "1\n");
        assert_eq!(writer.mill(1).unwrap(), Some(Milled::Removed(new)));
        assert_eq!(writer.mill(1).unwrap(), None);
    }

    #[test]
    fn a_restart_empties_and_redoes_what_was_half_packed() {
        let context = Context::new().unwrap();
        let limits = Limits { size: 100, backups: 0, compress: true };
        let mut writer = Lumberjack::start(context.path(), limits);
        writer.write(b"text\n", AT).unwrap();
        writer.rotate(AT).unwrap();
        let Some(Milled::Listed) = writer.mill(1).unwrap() else { panic!("not listed") };
        let Some(Milled::Began(packed)) = writer.mill(1).unwrap() else { panic!("not begun") };
        writer.mill(20).unwrap();
        assert!(unpacked(&packed).is_err());
        let mut writer = Lumberjack::start(context.path(), limits);
        writer.write(b"more\n", AT).unwrap();
        writer.mill(1).unwrap();
        assert_eq!(writer.mill(1).unwrap(), Some(Milled::Began(packed.clone())));
        assert_eq!(fs::metadata(&packed).unwrap().len(), 0);
        while writer.mill(usize::MAX).unwrap().is_some() {}
        assert_eq!(unpacked(&packed).unwrap(), "text\n");
        assert!(!packed.with_extension("").exists());
    }
}
