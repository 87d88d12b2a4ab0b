//! Patterns for names and users, as SQL over the words of a store.

use std::fmt::Write;

use audit_who_event::glob::Glob;
use rusqlite::types::Value;

/// A query for the numbers of the words that one of the patterns may match.
pub(super) fn words(patterns: &[Glob]) -> (String, Vec<Value>) {
    let (condition, parameters) = of_word(patterns);
    (format!("SELECT id FROM words WHERE {condition}"), parameters)
}

/// The condition that a word may match one of the patterns.
pub(super) fn of_word(patterns: &[Glob]) -> (String, Vec<Value>) {
    let (literals, globs): (Vec<&Glob>, Vec<&Glob>) =
        patterns.iter().partition(|glob| glob.literal().is_some());
    let mut parameters: Vec<Value> = literals.iter().filter_map(|glob| glob.literal()).map(text).collect();
    let mut conditions = Vec::new();
    if !parameters.is_empty() {
        conditions.push(any_of("word", parameters.len()));
    }
    for glob in globs {
        let prefix = prefix(glob);
        let mut condition = "instr(word, ?) > 0".to_owned();
        parameters.push(text(glob.longest_literal()));
        // All words with a prefix stand behind each other.
        if !prefix.is_empty() {
            condition.push_str(" AND word >= ?");
            parameters.push(text(&prefix));
            if let Some(end) = behind(&prefix) {
                condition.push_str(" AND word < ?");
                parameters.push(text(&end));
            }
        }
        conditions.push(condition);
    }
    (conditions.join(" OR "), parameters)
}

/// Whether all words have to be gone through for a pattern: it says nothing of how they begin.
pub(super) fn is_open(pattern: &Glob) -> bool {
    pattern.literal().is_none() && prefix(pattern).is_empty()
}

/// What stands in front of the first star of a pattern.
fn prefix(pattern: &Glob) -> String {
    pattern.to_string().split('*').next().unwrap_or_default().to_owned()
}

pub(super) fn any_of(column: &str, count: usize) -> String {
    let mut sql = format!("{column} IN (");
    for index in 0..count {
        let _ = write!(sql, "{}?", if index == 0 { "" } else { ", " });
    }
    sql.push(')');
    sql
}

/// The first text behind all that begin with `prefix`; `None` if there is none.
fn behind(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // Between the two ends of the range lie the surrogates, which are no characters.
        let next = (u32::from(last) + 1..=0x10_ffff).find_map(char::from_u32);
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
