//! The comparison with peers runs to its end, and what it measures are right answers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "all of this is tests")]

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use audit_who_testkit::context::{Context, workspace_root};

const SCENARIOS: [&str; 9] = ["absent", "rare", "common", "top", "since", "gz", "wrapped", "linear", "start"];

/// Says past the test harness's capture that nothing was tested.
fn skip(reason: &str) {
    let _ = writeln!(io::stderr(), "skipped: the comparison with peers, because {reason}");
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Standard output of a comparison on logs of 256 KiB and their multiples.
fn compare(binaries: &Path) -> String {
    let context = Context::new().unwrap();
    let words = ["benches/compare", "--quick", "--bytes", "256K", "--rounds", "1", "--linear", "--folder"];
    let output = Command::new("python3")
        .current_dir(workspace_root())
        .args(words)
        .args([context.path(), Path::new("--binaries"), binaries])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The last cell of the row that begins with these words.
fn answer<'a>(scenario: &'a str, row: &str) -> &'a str {
    let line = scenario.lines().find(|line| line.starts_with(row)).unwrap_or_else(|| panic!("{scenario}"));
    line.rsplit("  ").next().unwrap()
}

#[test]
fn every_scenario_is_measured() {
    let limit = Path::new(env!("CARGO_BIN_EXE_audit-who-limit"));
    let binaries = limit.parent().unwrap();
    let missing = ["audit-who", "audit-who-generate"].into_iter().find(|name| !binaries.join(name).exists());
    if let Some(name) = missing {
        return skip(&format!("{name} is not built: cargo test --workspace does it"));
    }
    if !is_installed("python3") {
        return skip("python3 is not here");
    }
    let told = compare(binaries);
    let sections: Vec<&str> = told.split("\n== ").skip(1).collect();
    let names: Vec<&str> = sections.iter().filter_map(|section| section.split(':').next()).collect();
    assert_eq!(names, SCENARIOS, "{told}");
    for (section, name) in sections.iter().zip(names) {
        assert!(section.contains("\naudit-who "), "{told}");
        assert!(section.contains("\n  audit-who"), "no promise in {name}: {told}");
    }
    assert_eq!(answer(sections[0], "audit-who evicted"), "pods: 0");
    assert_eq!(answer(sections[1], "audit-who evicted"), "pods: 1");
    assert_eq!(answer(sections[1], "audit-who deleted"), "pods: 1");
    assert_eq!(answer(sections[2], "audit-who evicted"), "pods: 10");
    let counted = |form: &str| answer(sections[6], &format!("audit-who top users, {form}"));
    assert!(
        ["Docker", "CRI", "Azure", "CSV"].iter().all(|form| counted(form) == counted("as it is")),
        "{told}"
    );
}
