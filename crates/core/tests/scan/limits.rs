//! Scans where the system gives little.

use std::env;
use std::io::Cursor;
use std::process::Command;

use audit_who_core::Inputs;

use super::{Folder, gzip, log, scan, zstd};

/// Runs a test again in a process of its own, which a shell prepares. Whether this is that process.
fn in_prepared_process(preparation: &str, test: &str) -> bool {
    let mark = "AUDIT_WHO_PREPARED";
    if env::var_os(mark).is_some() {
        return true;
    }
    let run = Command::new("sh")
        .args(["-c", &format!("{preparation} && exec \"$0\" \"$@\"")])
        .arg(env::current_exe().unwrap())
        .args(["--exact", test])
        .env(mark, "yes")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && output.contains("1 passed"), "{output}");
    false
}

#[test]
fn many_files_take_few_descriptors() {
    if !in_prepared_process("ulimit -n 20", "limits::many_files_take_few_descriptors") {
        return;
    }
    let folder = Folder::new();
    for number in 0..60 {
        folder.write(&format!("{number}/plain.log"), log(3));
        folder.write(&format!("{number}/audit.gz"), gzip(&log(3)));
        folder.write(&format!("{number}/audit.zst"), zstd(&log(3)));
    }
    let inputs = Inputs::open([folder.path("")]);
    for _ in 0..2 {
        let coverage = scan(&inputs);
        assert_eq!(coverage.problems, []);
        assert_eq!(coverage.total.entries, 540);
    }
}

#[test]
fn a_stream_that_cannot_be_kept_is_read_once() {
    let preparation = "export TMPDIR=/nowhere/at/all";
    if !in_prepared_process(preparation, "limits::a_stream_that_cannot_be_kept_is_read_once") {
        return;
    }
    let inputs = Inputs::open_with_stdin(["-"], Cursor::new(log(10)));
    let first = scan(&inputs);
    assert_eq!((first.total.entries, first.problems.len()), (10, 0));
    let second = scan(&inputs);
    assert_eq!(second.total.bytes, 0);
    assert!(second.problems[0].fatal);
    assert!(second.problems[0].message.contains("set TMPDIR"), "{:?}", second.problems);
}
