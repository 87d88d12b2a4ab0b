//! A collector that gets less of the system than it asks for: descriptors, disk, watches, permissions, memory.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::collect_failures::Mounted;
use crate::collector::{Bench, Collector, append, entries, entry};
use crate::program::{Run, audit_who};

const ROTATED: &str = "audit-2026-03-02T09-00-05.123.log";
/// Nobody.
const NOBODY: u32 = 65_534;

/// Says, past the harness, that a case was not met.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// A command that a shell runs after `before`.
fn shell(before: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{before}; exec \"$@\"")).arg("sh");
    shell.arg(command.get_program()).args(command.get_args());
    shell
}

#[test]
fn with_sixteen_descriptors_all_files_are_read() {
    let bench = Bench::new();
    for number in 0..100 {
        let folder = bench.log(&format!("{number}"));
        fs::create_dir(&folder).unwrap();
        append(&folder.join("audit.log"), &entries(number..number + 1));
    }
    let told: Run =
        shell("ulimit -n 16", bench.collect(["--once"]).arg(bench.logs())).output().unwrap().into();
    assert_eq!(told.status, 0, "{told:?}");
    assert!(told.stderr.contains(" new_files=100 "), "{told:?}");
    bench.assert_stored(0..100);
    assert_eq!(bench.count("gaps"), 0);
}

#[test]
fn a_store_that_cannot_be_written_is_waited_for_and_nothing_is_lost() {
    // As on a disk that fails: the system refuses to write beyond a place, and says that something is wrong with the file.
    let bench = Bench::new();
    append(&bench.log("audit.log"), &entries(0..3));
    assert_eq!(bench.once().status, 0);
    let limit = fs::metadata(bench.db()).unwrap().len() + 64 * 1024;
    append(&bench.log("audit.log"), &entries(3..5000));
    // Blocks of a shell's limit are of 512 bytes.
    let limited = format!("trap '' XFSZ; ulimit -S -f {}", limit / 512);
    let mut collector = Collector::start(&mut shell(&limited, bench.collect(["-v"]).arg(bench.logs())));
    let said = collector.until("ERROR a commit failed");
    assert!(said.contains("the disk failed") || said.contains("disk I/O error"), "{said}");
    collector.until("ERROR a commit failed");
    let pid = Pid::from_raw(i32::try_from(collector.pid()).unwrap());
    prlimit(pid, Resource::Fsize, Rlimit { current: None, maximum: None }).unwrap();
    collector.until("INFO commits succeed again");
    assert_eq!(collector.terminate().status, 0);
    assert_eq!(bench.once().status, 0);
    bench.assert_stored(0..5000);
    let whole: String = bench.connection().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!((whole.as_str(), bench.count("gaps")), ("ok", 0));
}

#[test]
fn a_disk_that_is_full_at_the_start_is_waited_for() {
    let bench = Bench::new();
    append(&bench.log("audit.log"), &entries(0..3));
    let db = bench.db();
    let folder = db.parent().unwrap();
    fs::create_dir_all(folder).unwrap();
    let Some(_mounted) = Mounted::new(folder, "size=16k") else { return };
    let mut collector = bench.follow([]);
    let told = collector.until("ERROR the store can't be opened");
    assert!(told.contains("disk"), "{told}");
    // Somebody makes room.
    let enlarged = Command::new("mount").args(["-o", "remount,size=4m"]).arg(folder).status().unwrap();
    assert!(enlarged.success());
    collector.until("INFO the store can be opened");
    collector.until("DEBUG committed");
    assert_eq!(collector.terminate().status, 0);
    bench.assert_stored(0..3);
}

#[test]
fn without_any_hint_of_the_system_nothing_is_missed() {
    // In a user namespace of its own no folder may be watched, which leaves the rest of the machine alone.
    let watches = "/proc/sys/user/max_inotify_watches";
    let unshared = |script: &str| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--user", "--map-root-user", "sh", "-c", script, "sh"]);
        unshare
    };
    let test = unshared(&format!("echo 0 > {watches} && test $(cat {watches}) = 0")).output();
    if !test.is_ok_and(|test| test.status.success()) {
        skipped("watches can't be taken away: no user namespaces here");
        return;
    }
    let bench = Bench::new();
    let log = bench.log("audit.log");
    append(&log, &entries(0..3));
    let collect = bench.collect(["-v", "--refresh-interval", "20ms"]);
    let mut command = unshared(&format!("echo 0 > {watches}; exec \"$@\""));
    command.arg(collect.get_program()).args(collect.get_args()).arg(bench.logs());
    let mut collector = Collector::start(&mut command);
    collector.until("a folder can't be watched: its files are polled");
    collector.until("DEBUG committed");
    for number in 0..5 {
        append(&log, &entries(number * 2 + 3..number * 2 + 5));
        collector.until("DEBUG committed");
        fs::rename(&log, bench.log(&format!("audit-2026-03-02T09-00-0{number}.000.log"))).unwrap();
    }
    assert_eq!(collector.terminate().status, 0);
    bench.assert_stored(0..13);
    assert_eq!(bench.count("gaps"), 0);
}

#[test]
fn a_file_that_may_be_read_later_is_read_then() {
    let bench = Bench::new();
    let log = bench.log("audit.log");
    append(&log, &entries(0..3));
    fs::set_permissions(&log, Permissions::from_mode(0o000)).unwrap();
    let mut command = bench.collect(["-v", "--refresh-interval", "20ms"]);
    if fs::read(&log).is_ok() {
        // Nothing is closed to root: it is run as nobody, who has to get at the program and at the store.
        let program = bench.db().parent().unwrap().join("audit-who");
        fs::copy(audit_who().get_program(), &program).unwrap();
        let mut unprivileged = Command::new(&program);
        unprivileged.args(command.get_args()).uid(NOBODY).gid(NOBODY);
        for folder in [bench.logs().parent().unwrap(), &bench.logs(), bench.db().parent().unwrap()] {
            fs::set_permissions(folder, Permissions::from_mode(0o777)).unwrap();
        }
        command = unprivileged;
    }
    let mut collector = Collector::start(command.arg(bench.logs()));
    let said = collector.until("can't be read");
    assert!(said.contains("Permission denied"), "{said}");
    fs::set_permissions(&log, Permissions::from_mode(0o644)).unwrap();
    collector.until("DEBUG committed");
    assert_eq!(collector.terminate().status, 0);
    bench.assert_stored(0..3);
}

#[test]
fn what_unpacks_to_a_thousand_times_as_much_takes_little_memory() {
    let bench = Bench::new();
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    let mebibyte = vec![b'x'; 1024 * 1024];
    bomb.write_all((entries(0..1) + "{").as_bytes()).unwrap();
    (0..192).for_each(|_| bomb.write_all(&mebibyte).unwrap());
    bomb.write_all(("\n".to_owned() + &entries(1..2)).as_bytes()).unwrap();
    let packed = bomb.finish().unwrap();
    assert!(packed.len() < 192 * 1024 * 1024 / 900, "{} bytes", packed.len());
    fs::write(bench.log(&format!("{ROTATED}.gz")), packed).unwrap();
    let mut collector = bench.follow(["--max-line", "1MiB"]);
    collector.until("DEBUG committed");
    while bench.count("records") < 2 {
        collector.until("DEBUG committed");
    }
    let held = peak(collector.pid());
    assert!(held < 64 * 1024, "{held} KiB");
    assert_eq!(collector.terminate().status, 0);
    bench.assert_stored(0..2);
    assert_eq!(bench.count("bad_spans"), 1);
}

/// A removed file keeps its room on the disk until it is read: how much of that is borne can be said.
#[test]
fn removed_files_are_held_as_far_as_they_may_be() {
    const MIB: usize = 1024 * 1024;
    for (options, gaps) in [(vec![], 0), (vec!["--max-held", "1MiB"], 1)] {
        let bench = Bench::new();
        append(&bench.log("audit.log"), &entries(0..1));
        let mut command = bench.collect(["-v", "--busy-timeout", "10ms"]);
        let mut collector = Collector::start(command.args(options).arg(bench.logs()));
        collector.until("DEBUG committed");
        // While nothing can be committed, not much is read: less than is written here.
        let connection = bench.connection();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        let long: String = (1..40).map(|number| entry(number, MIB / 2) + "\n").collect();
        append(&bench.log("audit.log"), &long);
        collector.until("a commit failed");
        fs::remove_file(bench.log("audit.log")).unwrap();
        append(&bench.log("audit.log"), &entries(40..41));
        connection.execute_batch("COMMIT").unwrap();
        let is_there = |number: usize| bench.stored().contains_key(&number);
        // Both are told behind what they tell of.
        while !is_there(40) || bench.count("gaps") < gaps {
            collector.until("");
        }
        assert_eq!(collector.terminate().status, 0);
        assert_eq!((bench.count("gaps"), is_there(39)), (gaps, gaps == 0));
    }
}

/// The most memory that a process has held, in KiB.
fn peak(pid: u32) -> usize {
    let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn an_entry_behind_a_torn_one_is_stored_wherever_that_was_torn() {
    let bench = Bench::new();
    let torn = entry(999_999, 3);
    let mut text = String::new();
    for at in 1..torn.len() {
        text += &(torn[..at].to_owned() + &entry(at - 1, 0) + "\n");
    }
    append(&bench.log("audit.log"), &text);
    let told = bench.once();
    assert_eq!(told.status, 0, "{told:?}");
    bench.assert_stored(0..torn.len() - 1);
    // What was torn is kept as evidence, byte for byte.
    let spans: i64 =
        bench.connection().query_row("SELECT sum(length) FROM bad_spans", [], |row| row.get(0)).unwrap();
    let bytes: usize = (1..torn.len()).sum();
    assert_eq!(spans, i64::try_from(bytes).unwrap());
}

#[test]
fn an_answer_says_that_a_file_was_removed_before_it_was_read() {
    let bench = Bench::new();
    let log = bench.log("audit.log");
    append(&log, &entries(0..3));
    bench.once();
    append(&log, &entries(3..6));
    fs::rename(&log, bench.log(ROTATED)).unwrap();
    append(&log, &entries(6..9));
    fs::remove_file(bench.log(ROTATED)).unwrap();
    bench.once();
    assert_eq!(bench.count("gaps"), 1);
    let ask = |more: &[&str]| -> Run {
        let mut command = audit_who();
        command.args(["deleted", "pod/web-4", "-n", "shop", "--db"]).arg(bench.db()).args(more);
        command.output().unwrap().into()
    };
    let nobody = ask(&[]);
    assert_eq!(nobody.status, 1, "{nobody:?}");
    assert!(nobody.stderr.contains("gap: ") && nobody.stderr.contains("lost content"), "{nobody:?}");
    assert_eq!(ask(&["--strict"]).status, 3);
}

#[test]
fn a_link_to_a_device_is_refused() {
    let bench = Bench::new();
    symlink("/dev/zero", bench.log("audit.log")).unwrap();
    let told: Run = bench.collect(["--once"]).arg(bench.log("audit.log")).output().unwrap().into();
    assert_eq!(told.status, 2, "{told:?}");
    assert!(told.stderr.contains("was not read: is no regular file"), "{told:?}");
}
