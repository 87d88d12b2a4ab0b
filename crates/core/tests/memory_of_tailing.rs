//! How much memory the tailer takes. Alone in its process, because that is what is measured.

#![allow(clippy::unwrap_used, reason = "all of this is tests")]

use std::fs::{self, File};
use std::io::Write;

use audit_who_core::tail::Tailer;
use flate2::Compression;
use flate2::write::GzEncoder;

const MIB: usize = 1024 * 1024;
const SHORT: &[u8] = b"{\"short\":true}\n";

/// The most memory that this process has held, in KiB.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_long_line_that_is_packed_is_held_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit-2026-03-02T09-00-00.000.log.gz");
    let mut packed = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
    let mut write_run = |length: usize| {
        packed.write_all(SHORT).unwrap();
        for _ in 0..length / 1024 {
            packed.write_all(&[b'x'; 1024]).unwrap();
        }
        packed.write_all(b"\n").unwrap();
        packed.write_all(SHORT).unwrap();
    };
    write_run(64 * MIB);
    // Too long a line is not held at all.
    write_run(100 * MIB);
    packed.finish().unwrap();

    let before = peak();
    let tailer = Tailer::builder().path(&path).inotify_watcher(false).exit_on_eof(true);
    let (mut lengths, mut spans) = (Vec::new(), Vec::new());
    for batch in tailer.db(folder.path().join("offsets.db")).build().unwrap() {
        let mut batch = batch.unwrap();
        lengths.extend(batch.entries().map(|entry| entry.bytes.len()));
        spans.extend(batch.spans().iter().map(|span| span.length));
        batch.commit().unwrap();
    }
    let held = (peak() - before) / 1024;

    let short = SHORT.len() - 1;
    assert_eq!(lengths, [short, 64 * MIB, short, short, short]);
    assert_eq!(spans, [100 * MIB as u64]);
    assert!(held < 96, "{held} MiB");
}
