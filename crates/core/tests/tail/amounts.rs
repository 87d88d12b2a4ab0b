//! Much of everything: files, long lines, large holes, data that unpacks to much more.

use std::fs::{self, File};
use std::io::Write;

use audit_who_core::tail::Tailer;

use super::{Bench, append, drain, lines};

const MIB: usize = 1024 * 1024;

/// The lengths of the lines that come, and of the spans.
fn lengths(tailer: &mut Tailer) -> (Vec<usize>, Vec<u64>) {
    let (mut lines, mut spans) = (Vec::new(), Vec::new());
    for batch in tailer {
        let mut batch = batch.unwrap();
        lines.extend(batch.entries().map(|entry| entry.bytes.len()));
        spans.extend(batch.spans().iter().map(|span| span.length));
        batch.commit().unwrap();
    }
    (lines, spans)
}

#[test]
fn ten_thousand_files_are_read_once() {
    let bench = Bench::new();
    let build = || bench.builder().path(bench.path("")).build().unwrap();
    for number in 0..10_000 {
        fs::write(bench.path(&format!("{number}.log")), lines(number..=number)).unwrap();
    }
    let mut tailer = build();
    super::assert_once(&drain(&mut tailer), 0..10_000);
    append(&bench.path("1234.log"), &lines(10_000..10_001));
    super::assert_once(&drain(&mut tailer), 10_000..10_001);
    append(&bench.path("4321.log"), &lines(10_001..10_002));
    super::assert_once(&drain(&mut build()), 10_001..10_002);
    assert_eq!(bench.gaps(), []);
}

#[test]
fn lines_of_all_lengths_are_read_and_the_next_one_whole() {
    let bench = Bench::new();
    let lengths_wanted = [1, 2, 119, 120, 4095, 4096, 65_536, MIB - 1, MIB, MIB + 1, 5 * MIB + 7, 64 * MIB];
    let mut file = File::create(bench.path("audit.log")).unwrap();
    for length in lengths_wanted {
        // Blank lines hold nothing.
        file.write_all(b"\n \r\n").unwrap();
        file.write_all(&vec![b'x'; length]).unwrap();
        file.write_all(b"\n").unwrap();
    }
    let (found, spans) = lengths(&mut bench.tailer());
    assert_eq!((found, spans), (lengths_wanted.to_vec(), vec![]));
    // One byte more is a span.
    file.write_all(&vec![b'y'; 64 * MIB + 1]).unwrap();
    file.write_all(b"\nend\n").unwrap();
    let (found, spans) = lengths(&mut bench.tailer());
    assert_eq!((found, spans), (vec![3], vec![64 * MIB as u64 + 1]));
}

#[test]
fn a_file_that_is_one_line_without_an_end_waits_for_it() {
    for length in [1, 200, 3 * MIB] {
        let bench = Bench::new();
        let log = bench.path("audit.log");
        append(&log, &"x".repeat(length));
        let mut tailer = bench.tailer();
        assert_eq!(lengths(&mut tailer), (vec![], vec![]));
        append(&log, "x\n");
        assert_eq!(lengths(&mut tailer), (vec![length + 1], vec![]));
    }
}

#[test]
fn a_hole_that_nobody_could_read_is_one_span() {
    // Reading it would take hours.
    let hole = 1_u64 << 40;
    let bench = Bench::new();
    let log = bench.path("audit.log");
    append(&log, &lines(0..2));
    let mut tailer = bench.tailer();
    super::assert_once(&drain(&mut tailer), 0..2);
    let end = fs::metadata(&log).unwrap().len();
    let file = File::options().write(true).open(&log).unwrap();
    if let Err(error) = file.set_len(end + hole) {
        let _ = writeln!(std::io::stderr(), "skipped: no file of 1 TiB here: {error}");
        return;
    }
    append(&log, &lines(2..3));
    let mut spans = Vec::new();
    let mut found = Vec::new();
    for batch in &mut tailer {
        let mut batch = batch.unwrap();
        spans.extend(batch.spans().iter().map(|span| (span.offset, span.length)));
        found.extend(batch.entries().map(|entry| String::from_utf8_lossy(entry.bytes).into_owned()));
        batch.commit().unwrap();
    }
    super::assert_once(&found, 2..3);
    assert_eq!(spans, [(end, hole)]);
    // So is one at the beginning of a file.
    let bench = Bench::new();
    let file = File::create(bench.path("audit.log")).unwrap();
    file.set_len(hole).unwrap();
    append(&bench.path("audit.log"), &lines(0..2));
    assert_eq!(lengths(&mut bench.tailer()).1, [hole]);
}
