//! How content is known again.

use std::fs;

use super::{Bench, ROTATED, append, drain, gzip, lines};

/// Both ways: by a reader that goes on, and by one that starts again.
fn packed_at_once(first: &str, restart: bool) {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    append(&log, first);
    let mut tailer = bench.tailer();
    let mut all = drain(&mut tailer);
    append(&log, "short\n");
    append(&log, &lines(0..3));
    if restart {
        tailer = bench.tailer();
    }
    let whole = fs::read(&log).unwrap();
    fs::write(bench.path(&format!("{ROTATED}.gz")), gzip(&whole)).unwrap();
    fs::remove_file(&log).unwrap();
    append(&log, "next\n");
    all.extend(drain(&mut tailer));
    all.sort();
    let mut wanted: Vec<_> = String::from_utf8(whole).unwrap().lines().map(str::to_owned).collect();
    wanted.push("next".to_owned());
    wanted.sort();
    assert_eq!(all, wanted, "first {first:?}, restart {restart}");
}

#[test]
fn a_file_that_began_with_short_lines_is_known_when_it_is_packed() {
    for restart in [false, true] {
        packed_at_once("a\n", restart);
        packed_at_once("a\nb\n", restart);
    }
}

#[test]
fn a_file_that_is_short_altogether_is_known_while_it_is_packed() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    append(&log, "a\n");
    let mut tailer = bench.tailer();
    assert_eq!(drain(&mut tailer), ["a"]);
    fs::rename(&log, bench.path(ROTATED)).unwrap();
    append(&log, "b\n");
    let packed = gzip(b"a\n");
    for end in 0..=packed.len() {
        fs::write(bench.path(&format!("{ROTATED}.gz")), &packed[..end]).unwrap();
        assert_eq!(drain(&mut tailer), if end == 0 { vec!["b"] } else { vec![] }, "{end} bytes");
    }
    fs::remove_file(bench.path(ROTATED)).unwrap();
    assert_eq!(drain(&mut tailer), [""; 0]);
    assert_eq!(drain(&mut bench.tailer()), [""; 0]);
    assert_eq!(bench.gaps(), []);
}
