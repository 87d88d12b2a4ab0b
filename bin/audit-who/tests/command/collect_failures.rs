//! What goes wrong with the store is told, loses nothing, and ends the collector only where waiting is no use.

use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use audit_who_testkit::context::workspace_root;

use crate::collector::{Bench, Collector, append, entries};

/// The answer to a request, head and body.
pub(crate) fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

pub(crate) fn get(address: &str, path: &str) -> String {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
}

/// Where a collector serves its metrics.
pub(crate) fn address(collector: &mut Collector) -> String {
    let line = collector.until("serves /metrics");
    line.split("address=").nth(1).expect("an address").to_owned()
}

#[test]
fn a_store_that_is_locked_is_waited_for_and_nothing_is_lost() {
    let bench = Bench::new();
    let log = bench.log("audit.log");
    append(&log, &entries(0..3));
    let mut collector = bench.follow(["--busy-timeout", "20ms", "--metrics-listen", "127.0.0.1:0"]);
    let address = address(&mut collector);
    collector.until("DEBUG committed");
    assert!(get(&address, "/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
    let other = bench.connection();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    append(&log, &entries(3..6));
    collector.until("ERROR a commit failed");
    collector.until("ERROR a commit failed");
    let unwell = get(&address, "/healthz");
    assert!(unwell.starts_with("HTTP/1.1 503 "), "{unwell}");
    assert!(unwell.contains("another process has it locked"), "{unwell}");
    assert!(get(&address, "/metrics").contains("\naudit_who_healthy 0\n"));
    // More comes meanwhile than fits into the queue.
    append(&log, &entries(6..5000));
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    collector.until("INFO commits succeed again");
    while !get(&address, "/metrics").contains("\naudit_who_events_total 5000\n") {
        collector.until("DEBUG committed");
    }
    assert!(get(&address, "/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(collector.terminate().status, 0);
    bench.assert_stored(0..5000);
    assert_eq!(bench.count("gaps"), 0);
}

#[test]
fn a_store_that_is_locked_at_the_start_is_waited_for() {
    let bench = Bench::new();
    append(&bench.log("audit.log"), &entries(0..3));
    bench.once();
    append(&bench.log("audit.log"), &entries(3..6));
    let other = bench.connection();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    let mut waiting = bench.follow(["--busy-timeout", "20ms"]);
    waiting.until("ERROR the store can't be opened");
    // It ends when it is told to, though it could not begin.
    assert_eq!(waiting.terminate().status, 0);
    let mut collector = bench.follow(["--busy-timeout", "20ms"]);
    let told = collector.until("ERROR the store can't be opened");
    assert!(told.contains("another process has it locked"), "{told}");
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    collector.until("INFO the store can be opened");
    collector.until("DEBUG committed");
    assert_eq!(collector.terminate().status, 0);
    bench.assert_stored(0..6);
}

#[test]
fn who_is_told_to_end_while_the_store_is_locked_says_what_is_left() {
    let bench = Bench::new();
    append(&bench.log("audit.log"), &entries(0..3));
    let mut collector = bench.follow(["--busy-timeout", "20ms"]);
    collector.until("DEBUG committed");
    let other = bench.connection();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    append(&bench.log("audit.log"), &entries(3..6));
    collector.until("ERROR a commit failed");
    let ended = collector.terminate();
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.stderr.contains("it is read again at the next start"), "{ended:?}");
    other.execute_batch("ROLLBACK").unwrap();
    bench.once();
    bench.assert_stored(0..6);
}

/// A file system of its own in a folder, unmounted when it goes. `None`, said on standard error, for who may not mount.
pub(crate) struct Mounted<'p>(&'p Path);

impl<'p> Mounted<'p> {
    pub(crate) fn new(folder: &'p Path, options: &str) -> Option<Self> {
        let mounted = mount(folder, options);
        if !mounted {
            let line = format!("skipped: a mount with {options} because only root may\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
        mounted.then_some(Self(folder))
    }
}

fn mount(folder: &Path, options: &str) -> bool {
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder).output();
    mounted.is_ok_and(|mounted| mounted.status.success())
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).output();
    }
}

#[test]
fn a_full_disk_is_waited_for_and_nothing_is_lost() {
    let bench = Bench::new();
    let db = bench.db();
    let folder = db.parent().unwrap();
    fs::create_dir_all(folder).unwrap();
    let Some(_mounted) = Mounted::new(folder, "size=1m") else { return };
    append(&bench.log("audit.log"), &entries(0..20_000));
    let mut collector = bench.follow([]);
    let said = collector.until("ERROR a commit failed");
    assert!(said.contains("free space on its disk"), "{said}");
    assert!(mount(folder, "remount,size=200m"));
    collector.until("INFO commits succeed again");
    collector.until("DEBUG committed");
    collector.kill();
    assert_eq!(bench.once().status, 0);
    bench.assert_stored(0..20_000);
    let whole: String = bench.connection().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
}

#[test]
fn a_folder_that_may_not_be_written_is_told() {
    let bench = Bench::new();
    append(&bench.log("audit.log"), &entries(0..3));
    let db = bench.db();
    let folder = db.parent().unwrap();
    fs::create_dir_all(folder).unwrap();
    fs::set_permissions(folder, Permissions::from_mode(0o555)).unwrap();
    // Nothing is closed to root, but what is mounted so.
    let mounted = File::create(folder.join("probe")).is_ok().then(|| Mounted::new(folder, "ro"));
    if mounted.as_ref().is_some_and(Option::is_none) {
        return;
    }
    let refused = bench.once();
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(refused.stderr.contains("run as a user who may write the file and its folder"), "{refused:?}");
    drop(mounted);
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_store_of_a_newer_program_or_of_another_one_is_left_alone() {
    let bench = Bench::new();
    append(&bench.log("audit.log"), &entries(0..3));
    bench.once();
    bench.connection().pragma_update(None, "user_version", 99).unwrap();
    for refused in [bench.once(), bench.checkpoint("ls", []), bench.checkpoint("reset", ["--all", "--yes"])] {
        assert_eq!(refused.status, 2, "{refused:?}");
        assert!(refused.stderr.contains("was written by a newer audit-who"), "{refused:?}");
    }
    fs::copy(workspace_root().join("README.md"), bench.db()).unwrap();
    let refused = bench.once();
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(refused.stderr.contains("is no store of audit-who"), "{refused:?}");
    assert!(fs::read_to_string(bench.db()).unwrap().starts_with("# audit-who"));
}

#[test]
fn a_damaged_store_ends_it() {
    let bench = Bench::new();
    append(&bench.log("audit.log"), &entries(0..3000));
    bench.once();
    let file = File::options().write(true).open(bench.db()).unwrap();
    let length = file.metadata().unwrap().len();
    // All but the first pages, which tell that it is a store.
    file.write_all_at(&vec![0x5a; usize::try_from(length - 4 * 4096).unwrap()], 4 * 4096).unwrap();
    append(&bench.log("audit.log"), &entries(3000..6000));
    let ended = bench.once();
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.stderr.contains("the store is damaged"), "{ended:?}");
}

#[test]
fn who_else_moves_a_checkpoint_ends_it() {
    let bench = Bench::new();
    let log = bench.log("audit.log");
    append(&log, &entries(0..3));
    let mut collector = bench.follow([]);
    collector.until("DEBUG committed");
    let other = bench.connection();
    other.execute("UPDATE generations SET offset = offset + 1", []).unwrap();
    append(&log, &entries(3..5));
    let ended = collector.ended();
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.stderr.contains("no longer stands at byte"), "{ended:?}");
    other.execute("UPDATE generations SET offset = offset - 1", []).unwrap();
    bench.once();
    bench.assert_stored(0..5);
}

#[test]
fn a_store_that_is_removed_ends_it() {
    let bench = Bench::new();
    let log = bench.log("audit.log");
    append(&log, &entries(0..3));
    let mut collector = bench.follow([]);
    collector.until("DEBUG committed");
    for suffix in ["", "-wal", "-shm"] {
        fs::remove_file(format!("{}{suffix}", bench.db().display())).unwrap();
    }
    append(&log, &entries(3..5));
    let ended = collector.ended();
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.stderr.contains("the store is not there any more"), "{ended:?}");
    bench.once();
    bench.assert_stored(0..5);
}
