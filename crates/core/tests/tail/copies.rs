//! Files that are copied and truncated, step by step.

use std::fs::{self, File};
use std::io::Write;
use std::time::{Duration, SystemTime};

use super::{Bench, ROTATED, append, assert_once, drain, gzip, idle, lines, patient};

fn truncate(bench: &Bench) {
    File::options().write(true).open(bench.path("audit.log")).unwrap().set_len(0).unwrap();
}

#[test]
fn a_copy_that_grows_behind_the_reader_is_no_new_file() {
    let bench = Bench::new();
    let (log, copy) = (bench.path("audit.log"), bench.path("audit.log.1"));
    append(&log, &lines(0..3));
    let mut tailer = patient(&bench);
    assert_once(&drain(&mut tailer), 0..3);
    append(&log, &lines(3..9));
    fs::write(&copy, lines(0..4)).unwrap();
    assert_once(&drain(&mut tailer), 3..9);
    append(&copy, &lines(4..6));
    assert_once(&drain(&mut tailer), []);
    append(&copy, &lines(6..9));
    truncate(&bench);
    append(&log, &lines(9..10));
    assert_once(&idle(&mut tailer), 9..10);
    assert_eq!(bench.gaps(), []);
}

#[test]
fn a_copy_of_which_a_few_bytes_are_there_is_no_new_file() {
    let bench = Bench::new();
    append(&bench.path("audit.log"), &("a\nb\n".to_owned() + &lines(0..2)));
    let mut tailer = patient(&bench);
    assert_eq!(drain(&mut tailer).len(), 4);
    let whole = fs::read(bench.path("audit.log")).unwrap();
    for length in 0..whole.len() {
        fs::write(bench.path("audit.log.1"), &whole[..length]).unwrap();
        assert_once(&drain(&mut tailer), []);
    }
}

#[test]
fn a_copy_is_read_where_a_batch_is_dropped_after_the_file_was_truncated() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    append(&log, &lines(0..9));
    let mut tailer = patient(&bench);
    let batch = tailer.next().unwrap().unwrap();
    fs::write(bench.path("audit.log.1"), lines(0..6)).unwrap();
    assert!(tailer.poll().unwrap().is_none());
    truncate(&bench);
    append(&log, &lines(9..10));
    let mut next = tailer.next().unwrap().unwrap();
    next.commit().unwrap();
    drop(batch);
    assert_once(&idle(&mut tailer), 0..6);
}

#[test]
fn what_a_look_met_and_the_copy_lacks_is_a_gap() {
    for restart in [false, true] {
        let bench = Bench::new();
        let log = bench.path("audit.log");
        append(&log, &lines(0..6));
        let build = || bench.builder().refresh_interval(Duration::ZERO).batch_size(1).build().unwrap();
        let mut tailer = build();
        tailer.next().unwrap().unwrap().commit().unwrap();
        fs::write(bench.path("audit.log.1"), lines(0..3)).unwrap();
        truncate(&bench);
        append(&log, &lines(6..7));
        if restart {
            tailer = build();
        }
        assert_once(&idle(&mut tailer), [1, 2, 6]);
        let at = i64::try_from(lines(0..3).len()).unwrap();
        // What became of it while nobody looked is not known.
        let why = if restart { "the file was removed" } else { "the file was truncated or rewritten" };
        assert_eq!(bench.gaps(), [(1, at, why.to_owned())], "restart {restart}");
    }
}

#[test]
fn a_file_that_was_rewritten_and_looks_the_same_from_outside_is_read() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    let write = |text: &str| {
        fs::write(&log, text).unwrap();
        File::options().write(true).open(&log).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    };
    write(&lines(0..1));
    assert_once(&drain(&mut bench.tailer()), 0..1);
    write(&lines(1..2));
    assert_once(&drain(&mut bench.tailer()), 1..2);
}

#[test]
fn a_file_that_goes_on_is_read_though_its_copy_was_read_first() {
    let bench = Bench::new();
    let (log, copy) = (bench.path("audit.log"), bench.path("audit.log.1"));
    append(&copy, &lines(0..3));
    let mut tailer = patient(&bench);
    assert_once(&drain(&mut tailer), 0..3);
    append(&log, &lines(0..5));
    assert_once(&drain(&mut tailer), 3..5);
    append(&log, &lines(5..6));
    assert_once(&idle(&mut tailer), 5..6);
    append(&log, &lines(6..7));
    assert_once(&idle(&mut tailer), 6..7);
    // Where it is gone, the copy has nothing new.
    fs::remove_file(&log).unwrap();
    assert_once(&idle(&mut tailer), []);
}

#[test]
fn a_packed_file_is_read_though_a_shorter_copy_is_there() {
    let bench = Bench::new();
    fs::write(bench.path("audit.log.1"), lines(0..2)).unwrap();
    fs::write(bench.path(&format!("{ROTATED}.gz")), gzip(lines(0..9).as_bytes())).unwrap();
    assert_once(&idle(&mut patient(&bench)), 0..9);
}

#[test]
fn what_was_read_of_a_packed_file_and_dropped_is_a_gap_where_a_shorter_copy_is_left() {
    let bench = Bench::new();
    let packed = bench.path(&format!("{ROTATED}.gz"));
    fs::write(bench.path("audit.log.1"), lines(0..2)).unwrap();
    fs::write(&packed, gzip(lines(0..9).as_bytes())).unwrap();
    let mut tailer = patient(&bench);
    let kept: Vec<_> = tailer.by_ref().map(Result::unwrap).collect();
    assert_eq!(kept.iter().map(|batch| batch.entries().count()).sum::<usize>(), 9);
    fs::remove_file(&packed).unwrap();
    assert!(tailer.poll().unwrap().is_none());
    kept.into_iter().rev().for_each(drop);
    assert_once(&idle(&mut tailer), 0..2);
    let at = i64::try_from(lines(0..2).len()).unwrap();
    assert_eq!(bench.gaps(), [(1, at, "the file was removed".to_owned())]);
    // Where it comes back, nothing is lost.
    fs::write(&packed, gzip(lines(0..9).as_bytes())).unwrap();
    assert_once(&idle(&mut tailer), 2..9);
    assert_eq!(bench.gaps(), []);
}

#[test]
fn a_copy_that_is_behind_is_no_new_file_when_it_is_touched() {
    let bench = Bench::new();
    let (log, copy) = (bench.path("audit.log"), bench.path("audit.log.1"));
    append(&log, &lines(0..2));
    let mut writer = File::options().append(true).open(&log).unwrap();
    let mut tailer = patient(&bench);
    assert_once(&drain(&mut tailer), 0..2);
    fs::copy(&log, &copy).unwrap();
    assert_once(&drain(&mut tailer), []);
    // The writer goes on without a name, and is followed.
    fs::remove_file(&log).unwrap();
    writer.write_all(lines(2..3).as_bytes()).unwrap();
    append(&log, &lines(3..4));
    assert_once(&idle(&mut tailer), 2..4);
    File::options().write(true).open(&copy).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    assert_once(&idle(&mut tailer), []);
}

#[test]
fn a_copy_that_is_called_as_if_it_were_closed_does_not_close_the_file() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    append(&log, &lines(0..2));
    let mut tailer = patient(&bench);
    assert_once(&drain(&mut tailer), 0..2);
    fs::copy(&log, bench.path(ROTATED)).unwrap();
    let next = lines(2..3);
    let (torn, rest) = next.split_at(20);
    append(&log, torn);
    assert_once(&idle(&mut tailer), []);
    append(&log, rest);
    assert_once(&idle(&mut tailer), 2..3);
}

#[test]
fn a_shorter_copy_is_not_held_for_the_file_that_was_renamed() {
    let bench = Bench::new();
    append(&bench.path("audit.log.2"), &lines(0..2));
    append(&bench.path("audit.log.1"), &lines(0..5));
    let old = SystemTime::UNIX_EPOCH;
    File::options().write(true).open(bench.path("audit.log.2")).unwrap().set_modified(old).unwrap();
    let mut tailer = patient(&bench);
    assert_once(&[idle(&mut tailer), idle(&mut tailer)].concat(), 0..5);
    assert_eq!(bench.states().len(), 1);
}

#[test]
fn the_file_that_is_written_is_held_and_not_its_copy() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    append(&log, &lines(0..2));
    let mut tailer = patient(&bench);
    assert_once(&drain(&mut tailer), 0..2);
    fs::copy(&log, bench.path("audit.log.1")).unwrap();
    assert_once(&drain(&mut tailer), []);
    append(&log, &lines(2..3));
    fs::remove_file(&log).unwrap();
    assert_once(&drain(&mut tailer), 2..3);
}

#[test]
fn a_copy_that_is_behind_does_not_hide_a_gap() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    append(&log, &lines(0..4));
    let mut tailer = bench.builder().refresh_interval(Duration::ZERO).batch_size(1).build().unwrap();
    tailer.next().unwrap().unwrap().commit().unwrap();
    append(&bench.path("audit.log.1"), &lines(0..2));
    tailer.next().unwrap().unwrap().commit().unwrap();
    tailer.next().unwrap().unwrap().commit().unwrap();
    truncate(&bench);
    assert_once(&idle(&mut tailer), []);
    let at = i64::try_from(lines(0..3).len()).unwrap();
    assert_eq!(bench.gaps(), [(1, at, "the file was truncated or rewritten".to_owned())]);
}

#[test]
fn what_is_written_to_a_file_after_it_was_emptied_and_removed_is_no_gap_of_its_copy() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    append(&log, &lines(0..2));
    let mut writer = File::options().append(true).open(&log).unwrap();
    let mut tailer = patient(&bench);
    assert_once(&drain(&mut tailer), 0..2);
    fs::copy(&log, bench.path("audit.log.1")).unwrap();
    truncate(&bench);
    fs::remove_file(&log).unwrap();
    writer.write_all(lines(2..6).as_bytes()).unwrap();
    assert_once(&idle(&mut tailer), []);
    assert_eq!(bench.gaps(), []);
}

#[test]
fn a_packed_file_that_is_removed_unread_is_a_gap_behind_a_shorter_copy() {
    let bench = Bench::new();
    let packed = bench.path(&format!("{ROTATED}.gz"));
    fs::write(bench.path("audit.log.1"), lines(0..2)).unwrap();
    fs::write(&packed, gzip(lines(0..9).as_bytes())).unwrap();
    let mut tailer = bench.builder().refresh_interval(Duration::ZERO).batch_size(1).build().unwrap();
    tailer.next().unwrap().unwrap().commit().unwrap();
    fs::remove_file(&packed).unwrap();
    assert_once(&idle(&mut tailer), 1..2);
    let at = i64::try_from(lines(0..2).len()).unwrap();
    assert_eq!(bench.gaps(), [(1, at, "the file was removed".to_owned())]);
}

#[test]
fn the_file_that_is_written_is_read_when_a_shorter_copy_is_removed_that_was_read_first() {
    let bench = Bench::new();
    let (log, copy) = (bench.path("audit.log"), bench.path("audit.log.1"));
    append(&copy, &lines(0..1));
    append(&log, &lines(0..2));
    File::options().write(true).open(&copy).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let mut tailer = bench.builder().refresh_interval(Duration::ZERO).batch_size(1).build().unwrap();
    tailer.next().unwrap().unwrap().commit().unwrap();
    fs::remove_file(&copy).unwrap();
    append(&log, &lines(2..3));
    assert_once(&idle(&mut tailer), 1..3);
}

#[test]
fn a_removed_file_that_is_written_on_is_not_let_go_for_its_copy() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    append(&log, &(lines(0..1) + "to"));
    let mut writer = File::options().append(true).open(&log).unwrap();
    let mut tailer = patient(&bench);
    assert_once(&drain(&mut tailer), 0..1);
    fs::copy(&log, bench.path("audit.log.1")).unwrap();
    fs::remove_file(&log).unwrap();
    assert_once(&drain(&mut tailer), []);
    writer.write_all(b"rn\n").unwrap();
    assert_eq!(idle(&mut tailer), ["torn"]);
    assert_eq!(bench.gaps(), []);
}
