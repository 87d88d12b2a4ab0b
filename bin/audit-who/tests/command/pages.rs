//! The pages hold what the program has: every question, every mechanism, every rule, and the code of the worked example.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use audit_who_core::event::question::QUESTIONS;
use audit_who_testkit::context::{fixtures, workspace_root};
use audit_who_testkit::scenario;

fn page(name: &str) -> String {
    std::fs::read_to_string(workspace_root().join("docs").join(name)).unwrap()
}

/// A heading names one question or several, and an example asks each of them.
#[test]
fn every_question_has_its_section_and_an_example() {
    let page = page("questions.md");
    let mut sections = page.split("\n#").map(|part| part.trim_start_matches('#').trim_start());
    let sections: Vec<(&str, &str)> = sections.by_ref().filter_map(|part| part.split_once('\n')).collect();
    let has_section =
        |name: &str| sections.iter().any(|(title, _)| title.split(", ").any(|word| word == name));
    let missing: Vec<&str> = QUESTIONS.iter().map(|q| q.name).filter(|name| !has_section(name)).collect();
    assert_eq!(missing, [""; 0], "docs/questions.md lacks sections");
    assert_eq!(never_asked(&page), [""; 0], "docs/questions.md lacks examples");
}

#[test]
fn every_question_is_asked_of_a_fixture() {
    let scripts = scenario::all().map(|story| fixtures().join(story.name).join("ask.trycmd"));
    let scripts: String = scripts.map(|script| std::fs::read_to_string(script).unwrap()).collect();
    assert_eq!(never_asked(&scripts), [""; 0], "fixtures/*/ask.trycmd");
}

/// Questions that no command in a text asks.
fn never_asked(text: &str) -> Vec<&'static str> {
    let names = QUESTIONS.iter().map(|question| question.name);
    names.filter(|name| !text.contains(&format!("\n$ audit-who {name} "))).collect()
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

/// Notes name rules as `[rule: name]`; a reader looks them up in a table that leads to their sections.
#[test]
fn rules_that_notes_name_are_those_of_the_page() {
    let mut named = BTreeSet::new();
    for file in sources(&workspace_root().join("crates/event/src")) {
        let source = std::fs::read_to_string(file).unwrap();
        let rules = source.split("[rule: ").skip(1).filter_map(|rest| rest.split_once(']'));
        named.extend(rules.map(|(rule, _)| rule.to_owned()));
    }
    assert!(named.len() > 10, "{named:?}");
    let page = page("rules.md");
    let rows = page.lines().filter_map(|row| row.strip_prefix("| [`")?.split('`').next());
    assert_eq!(rows.map(str::to_owned).collect::<BTreeSet<_>>(), named, "the table of docs/rules.md");
    named.retain(|rule| !page.lines().any(|line| line == format!("### {rule}")));
    assert_eq!(named, BTreeSet::new(), "docs/rules.md lacks sections");
}

/// The worked example is what the program has: each line that it keeps or adds stands in the file that it names.
#[test]
fn the_worked_example_is_the_code() {
    let page = page("adding-a-question.md");
    let diffs = page.split("```diff\n+++ ").skip(1).filter_map(|rest| rest.split("```").next());
    let mut shown = 0;
    for diff in diffs {
        let (path, lines) = diff.split_once('\n').expect("lines");
        let file = std::fs::read_to_string(workspace_root().join(path)).expect(path);
        let present: BTreeSet<&str> = file.lines().collect();
        for line in lines.lines().filter_map(|line| line.strip_prefix(['+', ' '])) {
            assert!(present.contains(line), "{path} has no line {line:?}");
            shown += 1;
        }
    }
    assert!(shown > 20, "{shown} lines");
}

/// What stands in a table as `path::name` is a test there.
#[test]
fn the_tests_that_show_what_is_done_are_there() {
    let page = page("tailing.md");
    let named: BTreeSet<(&str, &str)> = page
        .split('`')
        .filter_map(|word| word.split_once(".rs::"))
        .filter(|(_, name)| !name.contains(' '))
        .collect();
    assert!(named.len() > 60, "{named:?}");
    let is_there = |(path, name): &(&str, &str)| {
        let source = std::fs::read_to_string(workspace_root().join(format!("{path}.rs"))).unwrap_or_default();
        let head = source.split(&format!("fn {name}(")).next().filter(|head| head.len() < source.len());
        head.is_some_and(|head| head.lines().rev().take(4).any(|line| line.trim() == "#[test]"))
    };
    let missing: Vec<_> = named.iter().filter(|test| !is_there(test)).collect();
    assert!(missing.is_empty(), "docs/tailing.md names tests that are not there: {missing:?}");
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.matches(" | ").count() == 2);
    let without: Vec<_> = rows.filter(|row| !row.contains(".rs::") && !row.contains("---")).collect();
    assert!(without.iter().all(|row| *row == "| what happens | what is done | shown by |"), "{without:?}");
}

/// The files of a folder and of those in it.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the sources");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}
