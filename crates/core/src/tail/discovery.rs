//! Which files there are to follow.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io;
use std::iter;
use std::path::{Path, PathBuf};

use glob::Pattern;

use super::identity::Stat;
use super::rotation::{Name, PACKED};
use crate::error::{Error, ErrorKind};

/// Why a device, a FIFO or a socket is not followed.
pub const NO_FILE: &str = "is no regular file";

/// What is followed.
#[derive(Debug)]
pub(crate) struct Discovery {
    wanted: Vec<Wanted>,
    excluded: Vec<Pattern>,
    /// Files that are never followed: the store itself.
    own: Vec<PathBuf>,
}

/// One path as it was given.
#[derive(Debug)]
enum Wanted {
    /// A file with those that are rotated from it, or a folder with all in it.
    Path(PathBuf),
    Pattern(String),
}

/// A file that is there.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) stat: Stat,
    pub(crate) name: Name,
}

/// What is there.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Each file once, the one that was written first in front.
    pub(crate) files: Vec<Found>,
    /// Folders in which files are.
    pub(crate) folders: BTreeSet<PathBuf>,
    /// What can't be followed, by path.
    pub(crate) refused: BTreeMap<PathBuf, String>,
    /// Whether everything could be listed; if not, what is missing may be there.
    pub(crate) whole: bool,
}

impl Discovery {
    pub(crate) fn new(paths: &[PathBuf], excluded: &[String], own: Vec<PathBuf>) -> Result<Self, Error> {
        let pattern = |text: &String| {
            Pattern::new(text).map_err(|error| Error::new(ErrorKind::Pattern, text.as_str(), error))
        };
        let wanted = paths.iter().map(|path| match path.to_str() {
            // What is there under that very name is meant, whatever is in the name.
            Some(text) if text.contains(['*', '?', '[']) && !path.exists() => {
                pattern(&text.to_owned()).map(|_| Wanted::Pattern(text.to_owned()))
            }
            _ => Ok(Wanted::Path(path.clone())),
        });
        let excluded = excluded.iter().map(pattern).collect::<Result<_, _>>()?;
        Ok(Self { wanted: wanted.collect::<Result<_, _>>()?, excluded, own })
    }

    /// Looks what is there now.
    pub(crate) fn list(&self) -> Listing {
        let mut listing = Listing { whole: true, ..Listing::default() };
        // By whatever name the store's folder is listed, its files are not followed.
        let own = self.own.iter().filter_map(|path| fs::metadata(path).ok()).map(|own| Stat::of(&own));
        let mut met: HashSet<_> = own.map(|own| (own.device, own.inode)).collect();
        for wanted in &self.wanted {
            match wanted {
                Wanted::Path(path) if path.is_dir() => self.folder(path, &mut met, &mut listing),
                Wanted::Path(path) => self.family(path, &mut met, &mut listing),
                Wanted::Pattern(pattern) => self.pattern(pattern, &mut met, &mut listing),
            }
        }
        listing.files.sort_by(|a, b| {
            let key = |found: &Found| (found.stat.modified_ns, std::cmp::Reverse(found.name.rotated));
            key(a).cmp(&key(b)).then_with(|| a.path.cmp(&b.path))
        });
        listing
    }

    /// A file and what was rotated from it.
    fn family(&self, live: &Path, met: &mut HashSet<(u64, u64)>, listing: &mut Listing) {
        let folder = match live.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        listing.folders.insert(folder.to_owned());
        self.take(live, met, listing);
        for path in entries(folder, listing) {
            if Name::of(&path).live.file_name() == live.file_name() {
                // Files are called as their live one was given, not as the folder was listed.
                let path = live.with_file_name(path.file_name().unwrap_or_default());
                self.take(&path, met, listing);
            }
        }
    }

    /// All in a folder and below.
    fn folder(&self, folder: &Path, met: &mut HashSet<(u64, u64)>, listing: &mut Listing) {
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            let Ok(metadata) = fs::metadata(&folder) else { continue };
            let stat = Stat::of(&metadata);
            if !met.insert((stat.device, stat.inode)) {
                continue;
            }
            for path in entries(&folder, listing) {
                if path.is_dir() { folders.push(path) } else { self.take(&path, met, listing) }
            }
            listing.folders.insert(folder);
        }
    }

    /// What matches, and what that is packed into: a reader that was down while its file was packed finds it again.
    fn pattern(&self, pattern: &str, met: &mut HashSet<(u64, u64)>, listing: &mut Listing) {
        for suffix in iter::once("").chain(PACKED) {
            self.matches(&format!("{pattern}{suffix}"), met, listing);
        }
        // New files may come where none is yet.
        listing
            .folders
            .extend(Path::new(pattern).parent().filter(|folder| folder.is_dir()).map(Path::to_owned));
    }

    fn matches(&self, pattern: &str, met: &mut HashSet<(u64, u64)>, listing: &mut Listing) {
        let Ok(paths) = glob::glob(pattern) else { return };
        for path in paths {
            match path {
                Ok(path) if path.is_dir() => self.folder(&path, met, listing),
                Ok(path) => {
                    listing.folders.extend(path.parent().map(Path::to_owned));
                    self.take(&path, met, listing);
                }
                Err(error) => {
                    listing.whole = false;
                    listing.refused.insert(error.path().to_owned(), error.error().to_string());
                }
            }
        }
    }

    /// Adds a file, unless it is there under another name.
    fn take(&self, path: &Path, met: &mut HashSet<(u64, u64)>, listing: &mut Listing) {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let is_excluded =
            self.excluded.iter().any(|pattern| pattern.matches_path(path) || pattern.matches(&name));
        if is_excluded || self.own.iter().any(|own| own == path) {
            return;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => {
                let stat = Stat::of(&metadata);
                if met.insert((stat.device, stat.inode)) {
                    listing.files.push(Found { path: path.to_owned(), stat, name: Name::of(path) });
                }
            }
            Ok(_) => {
                listing.refused.insert(path.to_owned(), NO_FILE.to_owned());
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                listing.whole = false;
                listing.refused.insert(path.to_owned(), error.to_string());
            }
        }
    }
}

/// What is in a folder, by name; what is gone meanwhile is no failure.
fn entries(folder: &Path, listing: &mut Listing) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>());
    match listed {
        Ok(mut paths) => {
            paths.sort();
            paths
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            listing.whole = false;
            listing.refused.insert(folder.to_owned(), error.to_string());
            Vec::new()
        }
    }
}
