//! From what was named to the files and streams behind it, each once.

use std::collections::HashSet;
use std::fs::{self, FileType, Metadata};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::file::{Identity, LogFile, identity, name};
use super::{Content, Source, Stdin};
use crate::container::other_container;
use crate::error::{Error, ErrorKind};
use crate::spool::Stream;

/// What is found, and what can't be.
#[derive(Default)]
pub(super) struct Discovery {
    pub(super) sources: Vec<Source>,
    pub(super) errors: Vec<Error>,
    /// Folders and files that were met, under whatever names: a link to them adds nothing.
    met: HashSet<Identity>,
}

impl Discovery {
    /// Adds what one argument names.
    pub(super) fn argument(&mut self, path: &Path, stdin: &mut Stdin<'_>) {
        if path.as_os_str() == "-" {
            // A second `-` names the same stream.
            let stream = stdin.take().map(|open| Content::Stream(Stream::new(open())));
            self.sources.extend(stream.map(|content| Source::new("-".to_owned(), content)));
            return;
        }
        let Some(metadata) = self.look(path) else { return };
        match metadata.file_type() {
            kind if kind.is_dir() => self.folder(path.to_owned(), &metadata),
            kind if kind.is_file() => self.file(path.to_owned(), &metadata),
            kind if kind.is_fifo() => {
                if self.met.insert(identity(&metadata)) {
                    let content = Content::Stream(Stream::fifo(path.to_owned()));
                    self.sources.push(Source::new(name(path), content));
                }
            }
            kind => self.errors.push(Error::new(ErrorKind::NotALog, name(path), kind_name(kind))),
        }
    }

    /// Adds every regular file below a folder, but for what other containers than API servers printed. Links are followed, but
    /// into no folder twice.
    fn folder(&mut self, path: PathBuf, metadata: &Metadata) {
        if !self.met.insert(identity(metadata)) {
            return;
        }
        let mut folders = vec![path];
        while let Some(folder) = folders.pop() {
            let deeper = self.entries(&folder);
            folders.extend(deeper.into_iter().rev());
        }
    }

    /// Adds the files in one folder; returns the folders in it that were not met before.
    fn entries(&mut self, folder: &Path) -> Vec<PathBuf> {
        let listed = fs::read_dir(folder)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>());
        let mut paths = match listed {
            Ok(paths) => paths,
            Err(error) => {
                self.errors.push(Error::opening(name(folder), error));
                return Vec::new();
            }
        };
        paths.sort();
        let mut folders = Vec::new();
        for path in paths {
            let Some(metadata) = self.look(&path) else { continue };
            match metadata.file_type() {
                kind if kind.is_file() => match other_container(&path) {
                    Some(other) => self.errors.push(Error::new(ErrorKind::Container, name(&path), other)),
                    None => self.file(path, &metadata),
                },
                kind if kind.is_dir() => {
                    if self.met.insert(identity(&metadata)) {
                        folders.push(path);
                    }
                }
                kind => self.errors.push(Error::new(ErrorKind::PassedOver, name(&path), kind_name(kind))),
            }
        }
        folders
    }

    fn file(&mut self, path: PathBuf, metadata: &Metadata) {
        if !self.met.insert(identity(metadata)) {
            return;
        }
        match LogFile::new(path) {
            Ok(file) => self.sources.push(Source::new(name(&file.path), Content::File(file))),
            Err(error) => self.errors.push(error),
        }
    }

    fn look(&mut self, path: &Path) -> Option<Metadata> {
        fs::metadata(path).map_err(|error| self.errors.push(Error::opening(name(path), error))).ok()
    }
}

fn kind_name(kind: FileType) -> &'static str {
    match kind {
        kind if kind.is_fifo() => "a FIFO",
        kind if kind.is_socket() => "a socket",
        kind if kind.is_block_device() => "a block device",
        kind if kind.is_char_device() => "a character device",
        _ => "no regular file",
    }
}
