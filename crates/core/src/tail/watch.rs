//! Hints of the system that something changed in a folder.
//!
//! Only changes are asked for: our own listing and reading must not wake us.

#[cfg(target_os = "linux")]
pub(super) use self::linux::Watches;
#[cfg(not(target_os = "linux"))]
pub(super) use self::none::Watches;

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::{BTreeSet, HashMap, HashSet};
    use std::ffi::{OsStr, OsString};
    use std::mem::MaybeUninit;
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
    use std::path::Path;
    use std::sync::Arc;

    use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
    use rustix::io::Errno;

    /// All that changes what a look would find, in a folder or to itself.
    const CHANGES: WatchFlags = WatchFlags::MODIFY
        .union(WatchFlags::ATTRIB)
        .union(WatchFlags::CREATE)
        .union(WatchFlags::DELETE)
        .union(WatchFlags::MOVE)
        .union(WatchFlags::DELETE_SELF)
        .union(WatchFlags::MOVE_SELF)
        .union(WatchFlags::ONLYDIR);
    /// The folder is not what stands at its path any more.
    const LEFT: ReadFlags = ReadFlags::IGNORED.union(ReadFlags::MOVE_SELF).union(ReadFlags::UNMOUNT);
    /// Bytes of changes that are taken at once.
    const BUFFER: usize = 16 * 1024;

    /// The folders that are watched.
    #[derive(Debug)]
    pub(in super::super) struct Watches {
        inotify: OwnedFd,
        /// The system's number of each.
        watched: HashMap<OsString, i32>,
        /// Those that can't be watched, as it was told.
        failed: HashMap<OsString, Errno>,
    }

    impl Watches {
        pub(in super::super) fn new() -> Result<Self, Errno> {
            let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
            Ok(Self { inotify, watched: HashMap::new(), failed: HashMap::new() })
        }

        /// Watches these folders and no others.
        pub(in super::super) fn set(&mut self, folders: &[Arc<Path>]) {
            let wanted: HashSet<&OsStr> = folders.iter().map(|folder| folder.as_os_str()).collect();
            let gone: Vec<_> =
                self.watched.extract_if(|path, _| !wanted.contains(path.as_os_str())).collect();
            for (_, number) in gone {
                self.release(number);
            }
            self.failed.retain(|path, _| wanted.contains(path.as_os_str()));
            for new in wanted {
                if !self.watched.contains_key(new) {
                    self.add(new.to_owned());
                }
            }
        }

        fn add(&mut self, folder: OsString) {
            match inotify::add_watch(&self.inotify, &folder, CHANGES) {
                Ok(number) => {
                    self.failed.remove(&folder);
                    self.watched.insert(folder, number);
                }
                // It is tried again at each look, and told once.
                Err(error) if self.failed.insert(folder.clone(), error) != Some(error) => {
                    log::warn!(path:? = folder, error:% = error; "a folder can't be watched: its files are polled");
                }
                Err(_) => {}
            }
        }

        /// One folder may be watched by two paths.
        fn release(&self, number: i32) {
            if !self.watched.values().any(|other| *other == number) {
                // A folder that is gone is not watched any more.
                let _ = inotify::remove_watch(&self.inotify, number);
            }
        }

        /// Takes all hints; tells whether there was one.
        pub(in super::super) fn take(&mut self) -> bool {
            let mut buffer = [MaybeUninit::uninit(); BUFFER];
            let mut changes = Reader::new(self.inotify.as_fd(), &mut buffer);
            let (mut hinted, mut left) = (false, BTreeSet::new());
            // Whoever writes all the time must not keep us here.
            for _ in 0..BUFFER {
                let Ok(change) = changes.next() else { break };
                let number = change.wd();
                // What we let go of says so once more.
                let is_echo = change.events().contains(ReadFlags::IGNORED)
                    && !self.watched.values().any(|watched| *watched == number);
                hinted |= !is_echo;
                if change.events().intersects(LEFT) {
                    left.insert(number);
                }
            }
            if !left.is_empty() {
                self.watched.retain(|_, number| !left.contains(number));
                for number in left {
                    self.release(number);
                }
            }
            hinted
        }
    }

    impl AsFd for Watches {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.inotify.as_fd()
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod none {
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd};
    use std::path::Path;
    use std::sync::Arc;

    /// There are none: folders are not watched on this system.
    #[derive(Debug)]
    pub(in super::super) enum Watches {}

    impl Watches {
        pub(in super::super) fn new() -> Result<Self, io::Error> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(in super::super) fn set(&mut self, _: &[Arc<Path>]) {
            match *self {}
        }

        pub(in super::super) fn take(&mut self) -> bool {
            match *self {}
        }
    }

    impl AsFd for Watches {
        fn as_fd(&self) -> BorrowedFd<'_> {
            match *self {}
        }
    }
}
