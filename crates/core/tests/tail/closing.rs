//! When a file counts as closed by its writer, and its last line as all there is of it.

use std::fs;
use std::time::Duration;

use super::{Bench, append, drain, idle, line, lines, patient};

#[test]
fn a_file_that_was_idle_before_it_was_renamed_is_waited_for_all_the_same() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    let mut tailer = patient(&bench);
    append(&log, &lines(0..1));
    append(&log, "torn");
    idle(&mut tailer);
    fs::rename(&log, bench.path("audit.log.1")).unwrap();
    assert_eq!(tailer.poll().unwrap().map(|_| ()), None);
    append(&bench.path("audit.log.1"), " and mended\n");
    assert_eq!(drain(&mut tailer), ["torn and mended"]);
}

#[test]
fn looks_that_hints_ask_for_are_no_time_for_a_writer_to_let_go() {
    let bench = Bench::new();
    append(&bench.path("audit.log.1"), &(lines(0..1) + "torn"));
    let mut tailer = bench.builder().refresh_interval(Duration::from_hours(1)).build().unwrap();
    assert_eq!(idle(&mut tailer), [line(0)]);
    append(&bench.path("audit.log.1"), " and mended\n");
    assert_eq!(drain(&mut tailer), ["torn and mended"]);
    let mut tailer = patient(&bench);
    append(&bench.path("audit.log.1"), "torn");
    assert_eq!(idle(&mut tailer), ["torn"]);
}

#[test]
fn a_file_that_is_written_after_it_counted_as_closed_is_waited_for_again() {
    let bench = Bench::new();
    let rotated = bench.path("audit.log.1");
    let mut tailer = patient(&bench);
    append(&rotated, &lines(0..1));
    assert_eq!(idle(&mut tailer), [line(0)]);
    append(&rotated, "torn");
    assert_eq!(tailer.poll().unwrap().map(|_| ()), None);
    append(&rotated, " and mended\n");
    assert_eq!(drain(&mut tailer), ["torn and mended"]);
}

#[test]
fn a_file_whose_place_another_one_took_is_read_to_its_end_and_let_go() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    let mut tailer = patient(&bench);
    append(&log, &lines(0..1));
    append(&log, "torn");
    assert_eq!(idle(&mut tailer), [line(0)]);
    fs::remove_file(&log).unwrap();
    append(&log, &lines(1..2));
    assert_eq!(idle(&mut tailer), [line(1), "torn".to_owned()]);
    assert_eq!(bench.states()[0].0, "gone");
}

#[test]
fn a_file_that_was_removed_is_followed_while_none_stands_in_its_place() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    let mut tailer = patient(&bench);
    append(&log, &lines(0..1));
    let mut writer = fs::File::options().append(true).open(&log).unwrap();
    assert_eq!(idle(&mut tailer), [line(0)]);
    fs::remove_file(&log).unwrap();
    for number in 1..4 {
        std::io::Write::write_all(&mut writer, lines(number..=number).as_bytes()).unwrap();
        assert_eq!(idle(&mut tailer), [line(number)]);
    }
    assert_eq!(bench.gaps(), []);
}

#[test]
fn a_renamed_file_that_holds_no_more_than_a_torn_line_is_read() {
    let bench = Bench::new();
    append(&bench.path("audit.log.1"), "torn");
    let mut tailer = patient(&bench);
    assert_eq!(drain(&mut tailer), [""; 0]);
    assert_eq!([idle(&mut tailer), idle(&mut tailer)].concat(), ["torn"]);
    assert_eq!(bench.states(), [("final".to_owned(), "plain".to_owned())]);
}

#[test]
fn files_that_are_not_held_are_closed_all_the_same() {
    let bench = Bench::new();
    for number in 1..4 {
        append(&bench.path(&format!("audit.log.{number}")), &(lines(number..=number) + "torn"));
    }
    let mut tailer = bench.builder().refresh_interval(Duration::ZERO).max_open_files(1).build().unwrap();
    assert_eq!(idle(&mut tailer).len(), 6);
    assert!(bench.states().iter().all(|(state, _)| state == "final"), "{:?}", bench.states());
}

#[test]
fn a_torn_line_is_read_though_the_store_was_locked_when_its_file_was_first_known() {
    let bench = Bench::new();
    append(&bench.path("audit.log.1"), "torn");
    let builder = bench.builder().refresh_interval(Duration::ZERO).busy_timeout(Duration::ZERO);
    let mut tailer = builder.build().unwrap();
    let other = rusqlite::Connection::open(bench.db()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert!((0..20).any(|_| tailer.poll().is_err()));
    drop(other);
    assert_eq!([idle(&mut tailer), idle(&mut tailer)].concat(), ["torn"]);
}
