//! One collector a store.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use audit_who_event::time::Timestamp;
use rustix::fs::OFlags;

use crate::error::{Error, ErrorKind};

/// What the lock's file is called, behind the name of the store.
const SUFFIX: &str = "-lock";
/// Bytes of a holder that are read.
const LONGEST: u64 = 1024;

/// Keeps every other collector from a store for as long as it lives.
///
/// It is a lock of the system on a file beside the store, named like it with `-lock` behind: the system releases it when
/// the process ends, however it ends. The file stays, and says who held it last.
#[derive(Debug)]
pub struct Lock {
    // Closing it releases the lock.
    _file: File,
}

/// Who holds a lock.
struct Holder {
    pid: u32,
    host: String,
    since: Timestamp,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {} since {}", self.pid, self.host, self.since)
    }
}

impl Lock {
    /// Takes the lock of the store at `store` for this process; `now` is told to whoever finds it taken.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Held`] with who holds it if somebody does, [`ErrorKind::RemoteStore`] if the store would be on a
    /// network file system, or that the lock's file can't be written.
    pub fn acquire(store: impl AsRef<Path>, now: Timestamp) -> Result<Self, Error> {
        let store = store.as_ref();
        let name = store.to_string_lossy();
        if let Some(system) = network_file_system(store) {
            return Err(Error::new(ErrorKind::RemoteStore, name, system));
        }
        let failed = |error: io::Error| {
            let kind = match error.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::ReadOnly,
                _ => ErrorKind::CannotOpen,
            };
            Error::new(kind, name.as_ref(), format!("its lock {}: {error}", path(store).display()))
        };
        let mut file = open(&path(store)).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(ErrorKind::Held, name, holder(&mut file)));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let holder = Holder { pid: std::process::id(), host: host(), since: now };
        // It is held whether or not the file says by whom: a full disk must not keep a collector from telling so itself.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{holder}"));
        Ok(Self { _file: file })
    }
}

fn path(store: &Path) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(SUFFIX);
    PathBuf::from(path)
}

/// Never through a link, which could lead to a file that is not ours to write to.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    File::options().read(true).write(true).create(true).truncate(false).custom_flags(flags).open(path)
}

/// Who holds the lock, as its file says.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(LONGEST).read_to_string(&mut text);
    match (read, text.lines().next()) {
        (Ok(_), Some(line)) if !line.is_empty() => line.to_owned(),
        _ => "one that did not say its name yet".to_owned(),
    }
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// File systems whose files are on another machine, by the number that the kernel gives them
/// ([source](https://man7.org/linux/man-pages/man2/statfs.2.html)). On these, WAL loses commits: its index is memory that
/// processes share.
#[cfg(target_os = "linux")]
const NETWORK: [(u32, &str); 9] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x564c, "NCP"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x00c3_6400, "Ceph"),
];

/// The network file system that a store is on, or would be.
#[cfg(target_os = "linux")]
fn network_file_system(store: &Path) -> Option<&'static str> {
    let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let told = rustix::fs::statfs(store).or_else(|_| rustix::fs::statfs(folder)).ok()?;
    u32::try_from(told.f_type & 0xffff_ffff).ok().and_then(network_name)
}

#[cfg(not(target_os = "linux"))]
fn network_file_system(_: &Path) -> Option<&'static str> {
    None
}

#[cfg(target_os = "linux")]
fn network_name(number: u32) -> Option<&'static str> {
    NETWORK.iter().find(|(own, _)| *own == number).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_412_710_504_068);

    #[test]
    fn a_store_is_locked_once_and_free_again_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("audit.db");
        let held = Lock::acquire(&store, NOW).unwrap();
        let refused = Lock::acquire(&store, NOW).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Held);
        let said = refused.to_string();
        assert!(said.contains(&format!("process {} on ", std::process::id())), "{said}");
        assert!(said.contains("since 2026-11-23T05:45:10.504068Z"), "{said}");
        drop(held);
        Lock::acquire(&store, NOW).unwrap();
    }

    #[test]
    fn a_lock_is_no_way_to_write_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "mine").unwrap();
        std::os::unix::fs::symlink(&victim, folder.path().join("audit.db-lock")).unwrap();
        let refused = Lock::acquire(folder.path().join("audit.db"), NOW).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::CannotOpen, "{refused}");
        assert_eq!(std::fs::read(&victim).unwrap(), b"mine");
    }

    #[test]
    fn a_folder_that_is_not_there_is_told() {
        let refused = Lock::acquire("/nonexistent/audit.db", NOW).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::CannotOpen, "{refused}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn file_systems_of_other_machines_are_known() {
        assert_eq!(network_name(0x6969), Some("NFS"));
        assert_eq!(network_name(0xff53_4d42), Some("CIFS"));
        // ext4, tmpfs, overlay.
        assert_eq!([0xef53, 0x0102_1994, 0x794c_7630].map(network_name), [None; 3]);
    }
}
