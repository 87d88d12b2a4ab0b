//! The comparison of what a collector stores with what was written runs to its end, and nothing is lost or repeated.

#![allow(clippy::unwrap_used, reason = "all of this is tests")]

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use audit_who_testkit::context::workspace_root;

/// Says past the test harness's capture that nothing was tested.
fn skip(reason: &str) {
    let _ = writeln!(io::stderr(), "skipped: a collector beside a writer, because {reason}");
}

#[test]
fn nothing_is_lost_or_repeated_beside_a_writer() {
    let writer = Path::new(env!("CARGO_BIN_EXE_audit-who-bench-writer"));
    let binaries = writer.parent().unwrap();
    if !binaries.join("audit-who").exists() {
        return skip("audit-who is not built: cargo test --workspace does it");
    }
    if Command::new("python3").arg("--version").output().is_err() {
        return skip("python3 is not here");
    }
    let words = ["benches/anchor.py", "--events", "4000", "--seconds", "1", "--kills", "3", "--binaries"];
    let output =
        Command::new("python3").current_dir(workspace_root()).args(words).arg(binaries).output().unwrap();
    let (told, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}{said}");
    let rows: Vec<Vec<&str>> = told.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), 4, "{told}");
    assert!(rows.iter().all(|row| row[2..] == ["3", "3", "0", "0"]), "{told}");
}
