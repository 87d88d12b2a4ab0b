//! How much memory a scan takes. Alone in its process, because that is what is measured.

#![allow(clippy::unwrap_used, reason = "all of this is tests")]

use std::fs::{self, File};
use std::io::{BufWriter, Write};

use audit_who_core::event::event::Event;
use audit_who_core::event::fold::{Address, Fold};
use audit_who_core::event::literals::Literals;
use audit_who_core::event::look::Look;
use audit_who_core::{Inputs, Scan};

const MIB: usize = 1024 * 1024;

#[derive(Clone, Copy)]
struct Nothing;

impl Fold for Nothing {
    fn event(&mut self, _: &Event<'_>, _: Address) {}
    fn merge(&mut self, _: Self) {}
}

/// The most memory that this process has held, in KiB.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn long_lines_and_holes_take_little_more_than_the_longest_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    let write_run = |file: &mut BufWriter<File>, byte: u8, mib: usize| {
        for _ in 0..mib * 1024 {
            file.write_all(&[byte; 1024]).unwrap();
        }
    };
    let short = b"{\"auditID\":\"a\",\"verb\":\"get\",\"requestURI\":\"/\"}\n";
    file.write_all(short).unwrap();
    file.write_all(b"{\"long\":\"").unwrap();
    write_run(&mut file, b'x', 64);
    file.write_all(b"\"}\n").unwrap();
    file.write_all(short).unwrap();
    // Neither a hole nor a line that is too long is held.
    write_run(&mut file, 0, 160);
    file.write_all(short).unwrap();
    write_run(&mut file, b'y', 160);
    file.write_all(b"\n").unwrap();
    file.write_all(short).unwrap();
    file.into_inner().unwrap();

    let before = peak();
    let inputs = Inputs::open([&path]);
    let scan = Scan::new().threads(2).max_line(64 * MIB + 1024);
    let absent = Look { filters: None, literals: Literals::any_of(["absent".to_owned()]) };
    let (_, coverage) = scan.run(&inputs, &absent, || Nothing);
    let held = (peak() - before) / 1024;

    assert_eq!(coverage.total.entries, 5);
    let reasons: Vec<_> = coverage.bad_spans.iter().map(|span| span.reason.as_str()).collect();
    assert_eq!(reasons, ["167772160 NUL bytes", "line longer than 67109888 bytes"]);
    // Two lines of 64 MiB at most, one a thread, with a quarter of room.
    assert!(held < 176, "{held} MiB");
}
