//! Which files there are to follow.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io;
use std::iter;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use glob::Pattern;

use super::content;
use super::folders::{Entry, Folders, Stamp};
use super::identity::Stat;
use super::rotation::{Name, PACKED};
use crate::container::other_container;
use crate::error::{Error, ErrorKind};

/// Why a device, a FIFO or a socket is not followed.
pub const NO_FILE: &str = "is no regular file";

/// Why a file in a folder is refused that another container than an API server's printed: it may hold what looks like entries.
pub const OTHER_CONTAINER: &str =
    "was printed by a container that is no API server; name the file to follow it";

/// What is followed.
#[derive(Debug)]
pub(crate) struct Discovery {
    wanted: Vec<Wanted>,
    excluded: Vec<Pattern>,
    /// Files that are never followed: the store itself.
    own: Vec<PathBuf>,
    folders: Folders,
}

/// One path as it was given.
#[derive(Debug)]
enum Wanted {
    /// A file with those that are rotated from it, or a folder with all in it.
    Path(PathBuf),
    /// With the files that are written, as far as any was met.
    Pattern(String, BTreeSet<PathBuf>),
}

/// A file that is there.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) path: Arc<Path>,
    pub(crate) stat: Stat,
    pub(crate) name: Arc<Name>,
}

/// What is there.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Each file once, the one that was written first in front.
    pub(crate) files: Vec<Found>,
    /// Folders in which files are, some of them twice.
    pub(crate) folders: Vec<Arc<Path>>,
    /// What can't be followed, by path.
    pub(crate) refused: BTreeMap<PathBuf, String>,
    /// Whether everything could be listed; if not, what is missing may be there.
    pub(crate) whole: bool,
    /// Whether the process has too many files open to list a folder.
    pub(crate) starved: bool,
}

impl Discovery {
    pub(crate) fn new(paths: &[PathBuf], excluded: &[String], own: Vec<PathBuf>) -> Result<Self, Error> {
        let pattern = |text: &String| {
            Pattern::new(text).map_err(|error| Error::new(ErrorKind::Pattern, text.as_str(), error))
        };
        let wanted = paths.iter().map(|path| match path.to_str() {
            // What is there under that very name is meant, whatever is in the name.
            Some(text) if text.contains(['*', '?', '[']) && !path.exists() => {
                pattern(&text.to_owned()).map(|_| Wanted::Pattern(text.to_owned(), BTreeSet::new()))
            }
            _ => Ok(Wanted::Path(path.clone())),
        });
        let excluded = excluded.iter().map(pattern).collect::<Result<_, _>>()?;
        Ok(Self { wanted: wanted.collect::<Result<_, _>>()?, excluded, own, folders: Folders::default() })
    }

    /// Looks what is there now.
    pub(crate) fn list(&mut self, now: Instant) -> Listing {
        self.folders.begin(now);
        let mut walk = Walk::new(&self.excluded, &self.own, &mut self.folders);
        for wanted in &mut self.wanted {
            match wanted {
                Wanted::Path(path) => match folder_at(path) {
                    Some(stamp) => walk.folder(path, stamp),
                    None => walk.family(path),
                },
                Wanted::Pattern(pattern, lives) => walk.pattern(pattern, lives),
            }
        }
        let mut listing = walk.listing;
        self.folders.end();
        listing.files.sort_by(|a, b| {
            let key = |found: &Found| (found.stat.modified_ns, std::cmp::Reverse(found.name.rotated));
            key(a).cmp(&key(b)).then_with(|| a.path.cmp(&b.path))
        });
        listing
    }
}

/// One look at what is there.
struct Walk<'d> {
    excluded: &'d [Pattern],
    own: &'d [PathBuf],
    folders: &'d mut Folders,
    /// Device and inode of each file and folder that was met, and of the store's.
    met: HashSet<(u64, u64)>,
    listing: Listing,
}

impl<'d> Walk<'d> {
    fn new(excluded: &'d [Pattern], own: &'d [PathBuf], folders: &'d mut Folders) -> Self {
        // By whatever name the store's folder is listed, its files are not followed.
        let met = own.iter().filter_map(|path| fs::metadata(path).ok()).map(|own| (own.dev(), own.ino()));
        let met = met.collect();
        Self { excluded, own, folders, met, listing: Listing { whole: true, ..Listing::default() } }
    }

    fn is_excluded(&self, path: &Path) -> bool {
        let name = || path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.excluded.iter().any(|pattern| pattern.matches_path(path) || pattern.matches(&name()))
            || self.own.iter().any(|own| own.as_os_str() == path.as_os_str())
    }

    /// A file and what was rotated from it.
    fn family(&mut self, live: &Path) {
        let folder = folder_of(live);
        self.listing.folders.push(folder.into());
        self.take_named(live);
        let Some(entries) = folder_at(folder).and_then(|stamp| self.entries(folder, stamp)) else { return };
        for entry in entries.iter() {
            if entry.name.live.file_name() == live.file_name() {
                // Files are called as their live one was given, not as the folder was listed.
                let path = live.with_file_name(entry.path.file_name().unwrap_or_default());
                if self.take_named(&path).is_some() {
                    self.listing.refused.insert(path, NO_FILE.to_owned());
                }
            }
        }
    }

    /// All in a folder and below, but for what other containers than API servers printed.
    fn folder(&mut self, folder: &Path, stamp: Stamp) {
        let mut below = vec![(Arc::from(folder), stamp)];
        while let Some((folder, stamp)) = below.pop() {
            // It may be there by a link, too, or contain itself.
            if !self.met.insert(stamp.identity()) {
                continue;
            }
            let Some(entries) = self.entries(&folder, stamp) else { continue };
            for entry in entries.iter() {
                if other_container(&entry.path).is_some() {
                    self.listing.refused.insert(entry.path.to_path_buf(), OTHER_CONTAINER.to_owned());
                } else if let Some(stamp) = self.take(&entry.path, &entry.name) {
                    below.push((Arc::clone(&entry.path), stamp));
                }
            }
            self.listing.folders.push(folder);
        }
    }

    /// All that a pattern matches. Of a file that is written it stands for what is rotated from it, too, however that is
    /// called by now, and of any file for what is packed from it. The files that are written are remembered in `lives`.
    fn pattern(&mut self, pattern: &str, lives: &mut BTreeSet<PathBuf>) {
        // What is packed is meant by the name that it had before: a reader that was down meanwhile finds nothing else.
        let packed = PACKED.iter().map(|suffix| format!("{pattern}{suffix}"));
        let patterns = iter::once(pattern.to_owned()).chain(packed);
        let paths = patterns.filter_map(|pattern| glob::glob(&pattern).ok()).flatten();
        let last = Path::new(pattern).file_name().and_then(|last| Pattern::new(&last.to_string_lossy()).ok());
        let is_meant = |live: &Path| {
            live.file_name()
                .zip(last.as_ref())
                .is_some_and(|(name, last)| last.matches(&name.to_string_lossy()))
        };
        for path in paths {
            match path {
                Ok(path) => {
                    let name = Name::of(&path);
                    match self.take(&Arc::from(path.as_path()), &Arc::new(name.clone())) {
                        Some(stamp) => self.folder(&path, stamp),
                        None if is_meant(&name.live) => _ = lives.insert(name.live),
                        None => self.listing.folders.push(folder_of(&path).into()),
                    }
                }
                Err(error) => {
                    self.listing.whole = false;
                    self.listing.refused.insert(error.path().to_owned(), error.error().to_string());
                }
            }
        }
        lives.retain(|live| folder_at(folder_of(live)).is_some());
        for live in lives.iter() {
            self.family(live);
        }
        // New files may come where none is yet.
        let parent = Path::new(pattern).parent().filter(|folder| folder.is_dir());
        self.listing.folders.extend(parent.map(Arc::from));
    }

    /// What is in a folder; that it is gone meanwhile is no failure.
    fn entries(&mut self, folder: &Path, stamp: Stamp) -> Option<Arc<[Entry]>> {
        match self.folders.list(folder, stamp) {
            Ok(listed) => return Some(listed),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                self.listing.whole = false;
                self.listing.starved |= content::is_starved(&error);
                self.listing.refused.insert(folder.to_owned(), error.to_string());
            }
        }
        None
    }

    /// Adds a file, unless it is there under another name. A folder is given back.
    fn take(&mut self, path: &Arc<Path>, name: &Arc<Name>) -> Option<Stamp> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => return Some(Stamp::of(&metadata)),
            _ if self.is_excluded(path) => {}
            Ok(metadata) if metadata.is_file() => {
                let stat = Stat::of(&metadata);
                if self.met.insert((stat.device, stat.inode)) {
                    self.listing.files.push(Found { path: Arc::clone(path), stat, name: Arc::clone(name) });
                }
            }
            Ok(_) => {
                self.listing.refused.insert(path.to_path_buf(), NO_FILE.to_owned());
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                self.listing.whole = false;
                self.listing.refused.insert(path.to_path_buf(), error.to_string());
            }
        }
        None
    }

    fn take_named(&mut self, path: &Path) -> Option<Stamp> {
        self.take(&Arc::from(path), &Arc::new(Name::of(path)))
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn folder_at(path: &Path) -> Option<Stamp> {
    fs::metadata(path).ok().filter(fs::Metadata::is_dir).map(|metadata| Stamp::of(&metadata))
}
