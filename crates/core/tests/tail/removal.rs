//! What is removed, read or not, seen or not.

use std::fs;

use super::{Bench, ROTATED, append, assert_once, drain, idle, lines, patient};

const SEVERED: &str = "the file was removed before a newer one was met: others may have been, too";

fn rotated(bench: &Bench, second: usize) -> std::path::PathBuf {
    bench.path(&format!("audit-2026-08-21T10-06-{second:02}.000.log"))
}

#[test]
fn files_that_came_and_went_between_two_looks_are_a_gap_behind_the_last_one_met() {
    for restart in [false, true] {
        let bench = Bench::new();
        let log = bench.path("audit.log");
        append(&log, &lines(0..3));
        let mut tailer = patient(&bench);
        assert_once(&drain(&mut tailer), 0..3);
        fs::rename(&log, rotated(&bench, 1)).unwrap();
        assert_once(&drain(&mut tailer), []);
        // Written, rotated and pruned without a look.
        append(&rotated(&bench, 2), &lines(3..6));
        fs::remove_file(rotated(&bench, 1)).unwrap();
        fs::remove_file(rotated(&bench, 2)).unwrap();
        append(&log, &lines(6..7));
        if restart {
            tailer = patient(&bench);
        }
        assert_once(&idle(&mut tailer), 6..7);
        let at = i64::try_from(lines(0..3).len()).unwrap();
        assert_eq!(bench.gaps(), [(1, at, SEVERED.to_owned())], "restart {restart}");
    }
}

#[test]
fn a_file_that_is_removed_while_it_is_held_and_followed_by_nobody_known_is_a_gap_behind_its_end() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    append(&log, &lines(0..3));
    let mut tailer = patient(&bench);
    assert_once(&drain(&mut tailer), 0..3);
    append(&log, &lines(3..5));
    fs::remove_file(&log).unwrap();
    append(&log, &lines(5..6));
    assert_once(&idle(&mut tailer), 3..6);
    let at = i64::try_from(lines(0..5).len()).unwrap();
    assert_eq!(bench.gaps(), [(1, at, SEVERED.to_owned())]);
}

#[test]
fn a_file_that_comes_back_is_no_gap() {
    for read in [3, 5] {
        let bench = Bench::new();
        let log = bench.path("audit.log");
        append(&log, &lines(0..3));
        let mut tailer = patient(&bench);
        assert_once(&drain(&mut tailer), 0..3);
        append(&log, &lines(3..read));
        // Where it is not listed for a while, as when a disk is not mounted.
        fs::create_dir(bench.path("away")).unwrap();
        fs::rename(&log, bench.path("away/audit.log")).unwrap();
        tailer = patient(&bench);
        append(&log, &lines(5..6));
        assert_once(&idle(&mut tailer), 5..6);
        assert_eq!(bench.gaps().len(), 1);
        fs::rename(bench.path("away/audit.log"), bench.path(ROTATED)).unwrap();
        assert_once(&idle(&mut tailer), 3..read);
        assert_eq!(bench.gaps(), []);
        assert_eq!(bench.states()[0].0, "final");
    }
}

#[test]
fn what_is_pruned_in_order_is_no_gap() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    let mut tailer = patient(&bench);
    for number in 0..20 {
        append(&log, &lines(number..=number));
        fs::rename(&log, rotated(&bench, number)).unwrap();
        if number > 3 {
            fs::remove_file(rotated(&bench, number - 3)).unwrap();
        }
        assert_once(&drain(&mut tailer), [number]);
    }
    assert_eq!(bench.gaps(), []);
}

#[test]
fn a_gap_is_told_though_no_file_stands_in_the_place_of_the_one_that_is_held() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    append(&log, &lines(0..3));
    let mut tailer = patient(&bench);
    assert_once(&drain(&mut tailer), 0..3);
    fs::remove_file(&log).unwrap();
    append(&rotated(&bench, 9), &lines(6..7));
    assert_once(&idle(&mut tailer), 6..7);
    assert_eq!(bench.gaps().len(), 1);
}
