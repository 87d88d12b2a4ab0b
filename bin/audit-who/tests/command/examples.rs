//! Every example that is written down is true: in the fixtures, the README and the documentation.

use std::path::Path;

use audit_who_testkit::context::{fixtures, workspace_root};
use audit_who_testkit::scenario;

/// Files with `console` blocks, below the root of the workspace.
const EXAMPLES: &[&str] = &["fixtures/*/ask.trycmd", "README.md", "docs/*.md"];

/// Run with `TRYCMD=overwrite` to write what the program answers today.
#[test]
fn examples_are_what_the_program_answers() {
    // Paths in examples are those of somebody who stands in the root. No other test has relative paths.
    std::env::set_current_dir(workspace_root()).unwrap();
    let cases = trycmd::TestCases::new();
    cases.env("TZ", "UTC").env("COLUMNS", "120");
    for example in EXAMPLES {
        cases.case(example);
    }
}

#[test]
fn every_fixture_has_its_expected_answers() {
    let missing: Vec<_> = scenario::all()
        .map(|scenario| fixtures().join(scenario.name).join("ask.trycmd"))
        .filter(|file| !Path::is_file(file))
        .collect();
    assert!(missing.is_empty(), "no expected answers: {missing:?}");
}

/// The commands that a newcomer copies.
#[test]
fn the_readme_tells_how_to_build_and_test() {
    let readme = std::fs::read_to_string(workspace_root().join("README.md")).unwrap();
    let build = "cargo run --release -- evicted pod/web-1 -n shop fixtures/drain/audit.log";
    for command in [build, "cargo test --workspace"] {
        assert!(readme.lines().any(|line| line == command), "README.md lacks the line {command}");
    }
}
