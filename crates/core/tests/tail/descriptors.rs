//! How many files are held open, and for how long.

use std::fs;

use super::{Bench, ROTATED, append, assert_once, drain, gzip, lines};

/// The files below the bench's folder that this process has open, removed ones among them.
fn held(bench: &Bench) -> Vec<String> {
    let links =
        fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    let mut links: Vec<_> = links.map(|link| link.to_string_lossy().into_owned()).collect();
    links.retain(|link| link.starts_with(bench.path("").to_str().unwrap()));
    links
}

#[test]
fn no_more_files_are_held_than_allowed() {
    let bench = Bench::new();
    for file in 0..20 {
        append(&bench.path(&format!("{file}.log")), &lines(file * 10..file * 10 + 3));
    }
    let mut tailer = bench.builder().path(bench.path("")).max_open_files(3).build().unwrap();
    assert_eq!(drain(&mut tailer).len(), 60);
    for file in 0..20 {
        append(&bench.path(&format!("{file}.log")), &lines(file * 10 + 3..file * 10 + 4));
        assert!(held(&bench).len() <= 3, "{:?}", held(&bench));
    }
    assert_eq!(drain(&mut tailer).len(), 20);
    assert!(held(&bench).len() <= 3, "{:?}", held(&bench));
}

#[test]
fn a_file_that_was_read_to_its_end_is_let_go() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    let mut tailer = bench.tailer();
    append(&log, &lines(0..3));
    assert_once(&drain(&mut tailer), 0..3);
    fs::rename(&log, bench.path(ROTATED)).unwrap();
    assert_once(&drain(&mut tailer), []);
    let packed = bench.path(&format!("{ROTATED}.gz"));
    fs::write(&packed, gzip(lines(0..3).as_bytes())).unwrap();
    assert_once(&drain(&mut tailer), []);
    fs::remove_file(bench.path(ROTATED)).unwrap();
    fs::remove_file(&packed).unwrap();
    assert_once(&drain(&mut tailer), []);
    assert_eq!(bench.gaps(), []);
    assert_eq!(held(&bench), [""; 0]);
}
