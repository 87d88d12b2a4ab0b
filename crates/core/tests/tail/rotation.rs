//! Rotation by renaming, packing and truncating.

use std::fs;
use std::io::Write;

use super::{Bench, ROTATED, append, assert_once, drain, gzip, lines};

#[test]
fn only_whole_lines_are_read_and_each_once() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    let mut tailer = bench.tailer();
    assert_once(&drain(&mut tailer), []);
    let text = lines(0..3);
    append(&log, &text[..text.len() - 20]);
    assert_once(&drain(&mut tailer), 0..2);
    append(&log, &text[text.len() - 20..]);
    assert_once(&drain(&mut tailer), [2]);
    drop(tailer);
    append(&log, &lines(3..5));
    assert_once(&drain(&mut bench.tailer()), 3..5);
    assert_once(&drain(&mut bench.tailer()), []);
}

#[test]
fn a_renamed_file_is_read_to_its_end_whether_or_not_it_is_seen_in_between() {
    for restart in [false, true] {
        let bench = Bench::new();
        let log = bench.path("audit.log");
        append(&log, &lines(0..3));
        let mut tailer = bench.tailer();
        assert_once(&drain(&mut tailer), 0..3);
        append(&log, &lines(3..5));
        fs::rename(&log, bench.path(ROTATED)).unwrap();
        append(&log, &lines(5..7));
        fs::rename(&log, bench.path("audit-2026-08-21T10-06-39.123.log")).unwrap();
        append(&log, &lines(7..8));
        if restart {
            tailer = bench.tailer();
        }
        assert_once(&drain(&mut tailer), 3..8);
        assert_eq!(bench.gaps(), []);
    }
}

#[test]
fn a_packed_file_goes_on_where_the_plain_one_was_left() {
    for read in [0, 1, 5, 9, 10] {
        for keep in [false, true] {
            let bench = Bench::new();
            let log = bench.path("audit.log");
            if read > 0 {
                append(&log, &lines(0..read));
            }
            assert_once(&drain(&mut bench.tailer()), 0..read);
            append(&log, &lines(read..10));
            let rotated = bench.path(ROTATED);
            fs::rename(&log, &rotated).unwrap();
            fs::write(bench.path(&format!("{ROTATED}.gz")), gzip(lines(0..10).as_bytes())).unwrap();
            if !keep {
                fs::remove_file(&rotated).unwrap();
            }
            let mut tailer = bench.tailer();
            assert_once(&drain(&mut tailer), read..10);
            if keep {
                fs::remove_file(&rotated).unwrap();
                assert_once(&drain(&mut tailer), []);
            }
            drop(tailer);
            assert_once(&drain(&mut bench.tailer()), []);
            assert_eq!(bench.gaps(), []);
            // What was unpacked to its end once need not be again.
            assert_eq!(bench.states(), [("final".to_owned(), "gzip".to_owned())]);
        }
    }
}

#[test]
fn what_is_removed_while_it_is_held_is_read() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    append(&log, &lines(0..3));
    let mut tailer = bench.tailer();
    assert_once(&drain(&mut tailer), 0..3);
    append(&log, &lines(3..5));
    fs::rename(&log, bench.path(ROTATED)).unwrap();
    append(&log, &lines(5..6));
    assert!(tailer.poll().unwrap().is_some());
    fs::remove_file(bench.path(ROTATED)).unwrap();
    assert_once(&drain(&mut tailer), 3..6);
    assert_eq!(bench.gaps(), []);
}

#[test]
fn what_is_removed_unread_is_a_gap() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    append(&log, &lines(0..3));
    assert_once(&drain(&mut bench.tailer()), 0..3);
    append(&log, &lines(3..5));
    fs::remove_file(&log).unwrap();
    append(&log, &lines(5..6));
    assert_once(&drain(&mut bench.tailer()), 5..6);
    let at = i64::try_from(lines(0..3).len()).unwrap();
    assert_eq!(bench.gaps(), [(1, at, "the file was removed".to_owned())]);
}

#[test]
fn a_file_that_is_copied_and_truncated_goes_on_in_its_copy() {
    for append_mode in [false, true] {
        let bench = Bench::new();
        let log = bench.path("audit.log");
        let mut writer = fs::File::options().create(true).write(true).append(append_mode).open(&log).unwrap();
        writer.write_all(lines(0..3).as_bytes()).unwrap();
        let mut tailer = bench.tailer();
        assert_once(&drain(&mut tailer), 0..3);
        writer.write_all(lines(3..5).as_bytes()).unwrap();
        fs::copy(&log, bench.path("audit.log.1")).unwrap();
        writer.set_len(0).unwrap();
        writer.write_all(lines(5..9).as_bytes()).unwrap();
        assert_once(&drain(&mut tailer), 3..9);
        assert_eq!(bench.gaps(), []);
    }
}

#[test]
fn a_file_that_is_truncated_and_grows_past_the_offset_is_read_from_its_start() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    append(&log, &lines(0..3));
    let mut tailer = bench.tailer();
    assert_once(&drain(&mut tailer), 0..3);
    fs::write(&log, lines(3..9)).unwrap();
    assert_once(&drain(&mut tailer), 3..9);
    let gaps = bench.gaps();
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].2, "the file was truncated or rewritten");
}

#[test]
fn a_batch_that_is_dropped_is_read_again() {
    let bench = Bench::new();
    append(&bench.path("audit.log"), &lines(0..100));
    let mut tailer = bench.builder().batch_size(1000).build().unwrap();
    let mut first = tailer.next().unwrap().unwrap();
    let second = tailer.next().unwrap().unwrap();
    let mut third = tailer.next().unwrap().unwrap();
    first.commit().unwrap();
    drop(second);
    assert!(third.commit().is_err());
    drop(third);
    let mut all: Vec<String> =
        first.entries().map(|entry| String::from_utf8_lossy(entry.bytes).into_owned()).collect();
    all.extend(drain(&mut tailer));
    assert_once(&all, 0..100);
}

#[test]
fn a_batch_that_is_dropped_after_its_file_is_gone_is_a_gap() {
    let bench = Bench::new();
    let packed = bench.path(&format!("{ROTATED}.gz"));
    fs::write(&packed, gzip(lines(0..3).as_bytes())).unwrap();
    let mut tailer = bench.tailer();
    let batch = tailer.next().unwrap().unwrap();
    assert!(tailer.poll().unwrap().is_none());
    fs::remove_file(&packed).unwrap();
    drop(batch);
    assert_once(&drain(&mut tailer), []);
    assert_eq!(bench.gaps(), [(1, 0, "the file was removed".to_owned())]);
}

#[test]
fn a_file_that_is_renamed_after_the_look_and_before_it_is_opened_is_read() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    append(&bench.path(ROTATED), &lines(0..3));
    append(&log, &lines(3..6));
    // Only one is held: the first one is opened, the second one is closed.
    let mut tailer = bench.builder().max_open_files(1).batch_size(1).build().unwrap();
    let mut batch = tailer.next().unwrap().unwrap();
    batch.commit().unwrap();
    assert_eq!(batch.path(), bench.path(ROTATED).to_str().unwrap());
    fs::rename(&log, bench.path("audit-2026-08-21T10-06-39.123.log")).unwrap();
    assert_once(&drain(&mut tailer), 1..6);
}

#[test]
fn a_batch_that_is_dropped_before_an_earlier_one_is_committed_is_read_again() {
    let bench = Bench::new();
    append(&bench.path("audit.log"), &lines(0..2));
    let mut tailer = bench.builder().batch_size(1).build().unwrap();
    let mut first = tailer.next().unwrap().unwrap();
    let second = tailer.next().unwrap().unwrap();
    drop(second);
    first.commit().unwrap();
    assert_once(&drain(&mut tailer), [1]);
}

#[test]
fn an_earlier_batch_that_is_committed_late_is_where_the_gap_begins() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    append(&log, &lines(0..2));
    let mut tailer = bench.builder().batch_size(1).build().unwrap();
    let mut first = tailer.next().unwrap().unwrap();
    drop(tailer.next().unwrap().unwrap());
    fs::write(&log, "").unwrap();
    assert!(tailer.poll().unwrap().is_none());
    first.commit().unwrap();
    assert_once(&drain(&mut tailer), []);
    let at = i64::try_from(lines(0..1).len()).unwrap();
    assert_eq!(bench.gaps(), [(1, at, "the file was truncated or rewritten".to_owned())]);
}
