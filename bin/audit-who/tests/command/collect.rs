//! `audit-who collect` puts every entry into the store once.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::process::Signal;

use crate::collector::{Bench, append, entries};
use crate::program::run;

const ROTATED: &str = "audit-2026-03-02T09-00-05.123.log";

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn once_takes_what_is_there_and_goes_on_there_the_next_time() {
    let bench = Bench::new();
    fs::write(bench.log(&format!("{ROTATED}.gz")), gzip(&entries(0..30))).unwrap();
    append(&bench.log("audit.log"), &entries(30..50));
    let first = bench.once();
    assert_eq!(first.status, 0, "{first:?}");
    assert!(first.stderr.contains(" INFO collected new_files=2 "), "{first:?}");
    assert!(first.stderr.contains(" events=50 kept=50 removed=0 bad_spans=0 gaps=0 "), "{first:?}");
    bench.assert_stored(0..50);
    append(&bench.log("audit.log"), &entries(50..55));
    let second = bench.once();
    assert!(second.stderr.contains(" events=5 kept=5 "), "{second:?}");
    bench.assert_stored(0..55);
    let third = bench.once();
    assert!(third.stderr.contains(" events=0 kept=0 "), "{third:?}");
    bench.assert_stored(0..55);
}

/// Where packing ended and the original was not removed, as after a crash between the two.
#[test]
fn a_packed_copy_is_compared_with_what_it_was_packed_from() {
    const OTHER: &str = "is not what it was packed from";
    let original = entries(0..2000);
    // Behind the head, in front of the last record.
    let at = original.len() / 2 + original[original.len() / 2..].find("xxxxx").unwrap();
    let changed = format!("{}y{}", &original[..at], &original[at + 1..]);
    let longer = format!("{original}{}", entries(2000..2001));
    let half = gzip(&original);
    let copies = [
        (gzip(&original), None),
        (gzip(&changed), Some(at)),
        (gzip(&longer), Some(original.len())),
        (gzip(&entries(0..1000)), Some(entries(0..1000).len())),
        // It is being packed still.
        (half[..half.len() / 2].to_vec(), None),
    ];
    for (number, (copy, wanted)) in copies.into_iter().enumerate() {
        let bench = Bench::new();
        fs::write(bench.log(ROTATED), &original).unwrap();
        fs::write(bench.log(&format!("{ROTATED}.gz")), copy).unwrap();
        append(&bench.log("audit.log"), &entries(5000..5001));
        let told = bench.once();
        assert_eq!(told.stderr.contains(OTHER), wanted.is_some(), "{number}: {told:?}");
        if let Some(offset) = wanted {
            assert!(told.stderr.contains(&format!(" offset={offset} ")), "{number}: {told:?}");
        }
        assert!(told.stderr.contains(" events=2001 kept=2001 "), "{number}: {told:?}");
    }
}

#[test]
fn what_is_kept_can_be_chosen() {
    let bench = Bench::new();
    let read = entries(0..1).replace("\"delete\"", "\"get\"");
    append(&bench.log("audit.log"), &(read + &entries(1..2)));
    let told = bench.collect_notable(["--once"]).arg(bench.logs()).output().unwrap();
    assert!(String::from_utf8(told.stderr).unwrap().contains(" events=2 kept=1 "));
    bench.assert_stored(1..2);
}

#[test]
fn what_is_too_old_or_too_much_is_removed_and_not_collected_again() {
    let bench = Bench::new();
    let old = entries(0..1000).replace("2026-03", "2016-03");
    let new = entries(1000..9000).replace("2026-03", "2096-03");
    append(&bench.log("audit.log"), &(old + &new));
    let collect = |option: &str, value: &str| -> crate::program::Run {
        bench.collect(["--once", option, value]).arg(bench.logs()).output().unwrap().into()
    };
    let aged = collect("--keep-for", "52w");
    assert!(aged.stderr.contains(" events=9000 kept=9000 removed=1000 "), "{aged:?}");
    bench.assert_stored(1000..9000);
    let size = fs::metadata(bench.db()).unwrap().len();
    let shrunk = collect("--max-size", &(size * 3 / 4).to_string());
    assert!(shrunk.stderr.contains("INFO removed events that are too old or too many"), "{shrunk:?}");
    let left = bench.stored();
    assert!((1000..7000).contains(&left.len()), "{} of {size} bytes", left.len());
    assert!(fs::metadata(bench.db()).unwrap().len() < size);
    bench.assert_stored(9000 - left.len()..9000);
    bench.once();
    assert_eq!(bench.stored(), left);
}

#[test]
fn it_follows_through_rotation_until_it_is_told_to_end() {
    for (signal, watch) in [(Signal::TERM, "--read-from-head"), (Signal::INT, "--poll")] {
        let bench = Bench::new();
        let log = bench.log("audit.log");
        append(&log, &entries(0..3));
        let mut collector = bench.follow([watch]);
        collector.until("DEBUG committed");
        append(&log, &entries(3..5));
        collector.until("DEBUG committed");
        fs::rename(&log, bench.log(ROTATED)).unwrap();
        append(&log, &entries(5..8));
        collector.until("DEBUG committed");
        // A folder that is listed while a file in it is renamed may show it under neither name: the next look finds it.
        collector.has_told(", was ");
        collector.signal(signal);
        let ended = collector.ended();
        assert_eq!(ended.status, 0, "{ended:?}");
        assert!(ended.stderr.contains(" rotations=1 "), "{ended:?}");
        bench.assert_stored(0..8);
        // All of it is in the store's file.
        assert!(!bench.db().with_extension("db-wal").exists());
    }
}

#[test]
fn what_is_not_there_yet_is_waited_for() {
    let bench = Bench::new();
    let log = bench.log("audit.log");
    let mut collector = crate::collector::Collector::start(bench.collect(["-v"]).arg(&log));
    collector.until("is not there yet");
    append(&log, &entries(0..4));
    collector.until("DEBUG committed");
    assert_eq!(collector.terminate().status, 0);
    bench.assert_stored(0..4);
}

#[test]
fn a_second_collector_is_refused_and_told_who_is_the_first() {
    let bench = Bench::new();
    append(&bench.log("audit.log"), &entries(0..3));
    let mut first = bench.follow([]);
    first.until("DEBUG committed");
    let second = bench.once();
    assert_eq!(second.status, 2, "{second:?}");
    assert!(second.stderr.contains("the store is written by another collector: process "), "{second:?}");
    assert!(second.stderr.contains(&first.pid().to_string()), "{second:?}");
    let link = bench.log("link.db");
    std::os::unix::fs::symlink(bench.db(), &link).unwrap();
    let third = run(["collect", "--once", "--db", link.to_str().unwrap(), bench.logs().to_str().unwrap()]);
    assert!(third.stderr.contains("by another collector"), "{third:?}");
    let reset = bench.checkpoint("reset", ["--all", "--yes"]);
    assert_eq!(reset.status, 2, "{reset:?}");
    // However it ends, the next one may take over.
    first.kill();
    fs::remove_file(link).unwrap();
    let next = bench.once();
    assert_eq!(next.status, 0, "{next:?}");
    bench.assert_stored(0..3);
}

#[test]
fn the_store_and_what_is_excluded_are_not_read() {
    let bench = Bench::new();
    append(&bench.log("audit.log"), &entries(0..3));
    append(&bench.log("other.log"), &entries(3..6));
    let db = bench.log("audit.db");
    // The folder is named by another way than the store.
    let way = bench.logs().join("../logs");
    for _ in 0..2 {
        let told: crate::program::Run = crate::program::audit_who()
            .args(["collect", "--once", "--exclude", "other*", "--db"])
            .args([&db, &way])
            .output()
            .unwrap()
            .into();
        assert_eq!(told.status, 0, "{told:?}");
        assert!(told.stderr.contains(" bad_spans=0 "), "{told:?}");
        assert!(!told.stderr.contains("audit.db"), "{told:?}");
    }
    let files: i64 = rusqlite::Connection::open(&db)
        .unwrap()
        .query_row("SELECT count(*) FROM generations", [], |row| row.get(0))
        .unwrap();
    assert_eq!(files, 1);
}

#[test]
fn files_can_be_read_from_their_end() {
    let bench = Bench::new();
    let log = bench.log("audit.log");
    append(&log, &entries(0..3));
    let told = bench.collect(["--once", "--read-from-tail"]).arg(&log).output().unwrap();
    assert!(told.status.success());
    append(&log, &entries(3..5));
    bench.once();
    bench.assert_stored(3..5);
}

#[test]
fn a_line_above_the_limit_is_noted_and_the_next_one_read() {
    let bench = Bench::new();
    append(&bench.log("audit.log"), &(entries(0..1) + &"x".repeat(5000) + "\n" + &entries(1..2)));
    let told = bench.collect(["--once", "--max-line", "4KiB"]).arg(bench.logs()).output().unwrap();
    assert!(told.status.success());
    bench.assert_stored(0..2);
    let span: (i64, String) = bench
        .connection()
        .query_row("SELECT length, reason FROM bad_spans", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(span, (5000, "longer than the limit for lines".to_owned()));
}

#[test]
fn what_is_no_file_is_refused_and_the_rest_read() {
    let bench = Bench::new();
    let fifo = bench.log("audit.log");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let told: crate::program::Run = bench.collect(["--once"]).arg(&fifo).output().unwrap().into();
    assert_eq!(told.status, 2, "{told:?}");
    assert!(told.stderr.contains("ERROR was not read: is no regular file path="), "{told:?}");
    // In a folder there may be anything.
    append(&bench.log("other.log"), &entries(0..2));
    let told = bench.once();
    assert_eq!(told.status, 0, "{told:?}");
    assert!(told.stderr.contains("WARN is not followed: is no regular file"), "{told:?}");
    bench.assert_stored(0..2);
    let missing = bench.log("missing.log");
    let told: crate::program::Run = bench.collect(["--once"]).arg(&missing).output().unwrap().into();
    assert_eq!(told.status, 2, "{told:?}");
    assert!(told.stderr.contains("there is nothing"), "{told:?}");
}

#[test]
fn arguments_that_mean_nothing_are_refused() {
    let bench = Bench::new();
    let db = bench.db().to_str().unwrap().to_owned();
    for (arguments, said) in [
        (vec!["logs"], "--db <FILE>"),
        (vec!["--db", &db, "-"], "standard input can't be followed"),
        (vec!["--db", &db, "--refresh-interval", "1y", "logs"], "250ms, 30s, 5m, 1h30m, 90d, 4w"),
        (vec!["--db", &db, "--max-line", "many", "logs"], "4096, 64K, 512MiB"),
        (vec!["--db", &db, "--metrics-listen", "here", "logs"], "an address is a port"),
        (vec!["--db", &db, "--keep", "few", "logs"], "invalid value 'few'"),
        (vec!["--db", &db, "--read-from-head", "--read-from-tail", "logs"], "cannot be used with"),
        (vec!["--db", &db, "-q", "-v", "logs"], "cannot be used with"),
        (vec!["--db", &db, "--exclude", "[", "logs"], "is no pattern for paths"),
        (vec!["--db", "/nonexistent/audit.db", "logs"], "the store cannot be opened"),
    ] {
        std::fs::create_dir_all(bench.db().parent().unwrap()).unwrap();
        let refused = run(["collect"].iter().copied().chain(arguments.iter().copied()));
        assert_eq!((refused.status, refused.stdout.as_str()), (2, ""), "{arguments:?}: {refused:?}");
        assert!(refused.stderr.contains(said), "{arguments:?}: {refused:?}");
    }
}

#[test]
fn the_log_is_what_was_asked_for() {
    let bench = Bench::new();
    append(&bench.log("audit.log"), &entries(0..3));
    let told: crate::program::Run =
        bench.collect(["--once", "-q"]).arg(bench.logs()).output().unwrap().into();
    assert_eq!((told.status, told.stderr.as_str()), (0, ""));
    let mut command = bench.collect(["--once"]);
    let told: crate::program::Run =
        command.env("AUDIT_WHO_LOG", "loud").arg(bench.logs()).output().unwrap().into();
    assert_eq!(told.status, 2);
    assert!(told.stderr.contains("off, error, warn, info, debug, trace"), "{told:?}");
    let mut command = bench.collect(["--once", "--log-format", "json"]);
    let missing = bench.log("x\u{1b}c\u{202e}.log");
    let told: crate::program::Run =
        command.env("AUDIT_WHO_LOG", "debug").arg(bench.logs()).arg(missing).output().unwrap().into();
    let lines: Vec<serde_json::Value> =
        told.stderr.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let last = lines.last().unwrap();
    assert_eq!(last["level"], "ERROR");
    assert!(last["path"].as_str().unwrap().ends_with("/x\u{1b}c\u{202e}.log"));
    assert!(!told.stderr.contains(['\u{1b}', '\u{202e}']), "{told:?}");
}

#[test]
fn the_same_message_is_told_only_so_often() {
    let bench = Bench::new();
    for number in 0..30 {
        let fifo = bench.log(&format!("{number}.log"));
        assert!(std::process::Command::new("mkfifo").arg(fifo).status().unwrap().success());
    }
    let told = bench.once();
    assert_eq!(told.stderr.matches("path=").count(), 10, "{told:?}");
    assert!(told.stderr.contains("WARN is not followed: is no regular file suppressed=20"), "{told:?}");
}
