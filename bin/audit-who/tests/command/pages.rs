//! The pages for users hold what the program has: every question, every mechanism and every rule.

use std::path::{Path, PathBuf};

use audit_who_core::event::question::QUESTIONS;
use audit_who_testkit::context::workspace_root;

fn page(name: &str) -> String {
    std::fs::read_to_string(workspace_root().join("docs").join(name)).unwrap()
}

#[test]
fn every_question_is_described() {
    let page = page("questions.md");
    let missing: Vec<&str> =
        QUESTIONS.iter().map(|q| q.name).filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert_eq!(missing, [""; 0], "docs/questions.md");
}

#[test]
fn every_mechanism_of_the_contract_is_described() {
    let contract = page("answer.md");
    let table = contract.split("### Mechanisms").nth(1).and_then(|rest| rest.split("###").next()).unwrap();
    let rows = table.lines().filter_map(|row| row.strip_prefix("| `")?.split('`').next());
    let mechanisms: Vec<&str> = rows.filter(|name| *name != "mechanism").collect();
    assert!(mechanisms.len() > 10, "{mechanisms:?}");
    let questions = page("questions.md");
    let missing: Vec<&&str> =
        mechanisms.iter().filter(|name| !questions.contains(&format!("| [`{name}`]("))).collect();
    assert_eq!(missing, [&""; 0], "docs/questions.md");
}

/// Notes name rules as `[rule: name]`; a reader looks them up.
#[test]
fn every_rule_in_a_note_is_described() {
    let headings = page("rules.md");
    let mut named = Vec::new();
    for file in sources(&workspace_root().join("crates/event/src")) {
        let source = std::fs::read_to_string(file).unwrap();
        let rules = source.split("[rule: ").skip(1).filter_map(|rest| rest.split_once(']'));
        named.extend(rules.map(|(rule, _)| rule.to_owned()));
    }
    assert!(named.len() > 4, "{named:?}");
    named.retain(|rule| !headings.lines().any(|line| line == format!("### {rule}")));
    assert_eq!(named, Vec::<String>::new(), "docs/rules.md");
}

/// The files of a folder and of those in it.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the sources");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}
