//! What is in folders, remembered for as long as that can be trusted.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::rotation::Name;

/// No file system counts time in larger steps: what was listed so long after a folder was first seen as it is, is all that is
/// in it for as long as it stays so.
const COARSEST: Duration = Duration::from_secs(2);
/// A folder is listed anew that often even so: not every file system tells when a folder changed.
const DISTRUST: Duration = Duration::from_secs(10);

/// The folders that were listed.
#[derive(Debug, Default)]
pub(crate) struct Folders {
    /// By path, letter by letter: there are many, at each look.
    known: HashMap<OsString, Folder>,
    /// The time of the look that is under way.
    now: Option<Instant>,
}

/// Something in a folder.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) path: Arc<Path>,
    pub(crate) name: Arc<Name>,
}

/// One folder.
#[derive(Debug)]
struct Folder {
    stamp: Stamp,
    /// When it was first seen as it is.
    since: Instant,
    /// When it was listed.
    listed: Instant,
    /// When it was last asked about.
    used: Instant,
    entries: Arc<[Entry]>,
}

/// What changes when something is added to a folder or removed from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    /// Seconds and nanoseconds: nobody can set this one back but by the clock.
    changed: (i64, i64),
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Device and inode.
    pub(crate) const fn identity(&self) -> (u64, u64) {
        (self.device, self.inode)
    }
}

impl Folder {
    fn is_trusted(&self, stamp: Stamp, now: Instant) -> bool {
        self.stamp == stamp
            && self.listed.duration_since(self.since) >= COARSEST
            && now.duration_since(self.listed) < DISTRUST
    }
}

impl Folders {
    /// Begins a look.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.now = Some(now);
    }

    /// Ends a look: what it did not ask for is forgotten.
    pub(crate) fn end(&mut self) {
        let now = self.now.take();
        self.known.retain(|_, folder| Some(folder.used) == now);
    }

    /// What is in a folder, by name. The stamp was taken before: what is added while it is listed changes it again.
    pub(crate) fn list(&mut self, folder: &Path, stamp: Stamp) -> io::Result<Arc<[Entry]>> {
        let now = self.now.unwrap_or_else(Instant::now);
        let mut since = now;
        if let Some(known) = self.known.get_mut(folder.as_os_str()) {
            known.used = now;
            if known.is_trusted(stamp, now) {
                return Ok(Arc::clone(&known.entries));
            }
            if known.stamp == stamp {
                since = known.since;
            }
        }
        let entries: Arc<[Entry]> = entries(folder)?.into();
        let listed = Folder { stamp, since, listed: now, used: now, entries: Arc::clone(&entries) };
        self.known.insert(folder.as_os_str().to_owned(), listed);
        Ok(entries)
    }
}

fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let named = |entry: io::Result<fs::DirEntry>| {
        let path = entry?.path();
        Ok(Entry { name: Arc::new(Name::of(&path)), path: path.into() })
    };
    let mut entries = fs::read_dir(folder)?.map(named).collect::<io::Result<Vec<_>>>()?;
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::SystemTime;

    use tempfile::TempDir;

    use super::*;

    struct Bench {
        folder: TempDir,
        folders: Folders,
        now: Instant,
    }

    impl Bench {
        fn new() -> Self {
            Self { folder: TempDir::new().unwrap(), folders: Folders::default(), now: Instant::now() }
        }

        fn add(&self, name: &str) {
            File::create(self.folder.path().join(name)).unwrap();
        }

        /// Makes it look as if nothing had changed since it was made.
        fn hide(&self) {
            File::open(self.folder.path()).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        }

        fn list_after(&mut self, seconds: u64) -> Arc<[Entry]> {
            self.now += Duration::from_secs(seconds);
            let stamp = Stamp::of(&fs::metadata(self.folder.path()).unwrap());
            self.folders.begin(self.now);
            let entries = self.folders.list(self.folder.path(), stamp).unwrap();
            self.folders.end();
            entries
        }
    }

    #[test]
    fn a_folder_is_listed_again_when_it_changed_and_not_before() {
        let mut bench = Bench::new();
        bench.add("a");
        let first = bench.list_after(0);
        assert_eq!(first.len(), 1);
        // It may have changed in the moment in which it was listed.
        let second = bench.list_after(2);
        assert!(!Arc::ptr_eq(&first, &second));
        for _ in 0..3 {
            assert!(Arc::ptr_eq(&second, &bench.list_after(1)));
        }
        bench.add("b");
        assert_eq!(bench.list_after(0).len(), 2);
        fs::remove_file(bench.folder.path().join("a")).unwrap();
        assert_eq!(bench.list_after(0).len(), 1);
    }

    #[test]
    fn what_its_times_do_not_tell_is_found_after_a_while() {
        let mut bench = Bench::new();
        bench.hide();
        bench.list_after(0);
        let trusted = bench.list_after(2);
        let stamp = |bench: &Bench| bench.folders.known[bench.folder.path().as_os_str()].stamp;
        bench.add("a");
        bench.hide();
        // As where a file system does not tell.
        let now = Stamp::of(&fs::metadata(bench.folder.path()).unwrap());
        assert_ne!(stamp(&bench), now);
        let path = bench.folder.path().to_owned();
        bench.folders.known.get_mut(path.as_os_str()).unwrap().stamp = now;
        assert!(Arc::ptr_eq(&trusted, &bench.list_after(9)));
        assert_eq!(bench.list_after(1).len(), 1);
    }

    #[test]
    fn another_folder_in_its_place_is_listed() {
        let mut bench = Bench::new();
        let parent = TempDir::new().unwrap();
        bench.add("a");
        bench.list_after(0);
        bench.list_after(2);
        let path = bench.folder.path().to_owned();
        fs::rename(&path, parent.path().join("away")).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(bench.list_after(0).len(), 0);
    }

    #[test]
    fn what_is_not_asked_for_is_forgotten() {
        let mut bench = Bench::new();
        bench.list_after(0);
        assert_eq!(bench.folders.known.len(), 1);
        bench.now += Duration::from_secs(1);
        bench.folders.begin(bench.now);
        bench.folders.end();
        assert_eq!(bench.folders.known.len(), 0);
    }
}
