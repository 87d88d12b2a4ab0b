//! Patterns as regular expressions that mean the same in every dialect.

use crate::glob::Glob;

/// Characters that no regular expression, no string and no JSON text writes in another way.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || " _-:@,=".contains(c)
}

/// Whether a text reads the same in every language's strings.
pub(super) fn is_simple(text: &str) -> bool {
    text.chars().all(|c| is_plain(c) || "./*".contains(c))
}

/// A pattern as a regular expression, without anchors. `any` stands for the stars; what could be read in another way is
/// `one`, any character, or, if it must be exact, makes it `None`.
pub(super) fn regex(glob: &Glob, any: &str, one: Option<&str>) -> Option<String> {
    let mut regex = String::new();
    for c in glob.to_string().chars() {
        match c {
            '*' => regex.push_str(any),
            '.' => regex.push_str("[.]"),
            _ if is_plain(c) => regex.push(c),
            _ => regex.push_str(one?),
        }
    }
    Some(regex)
}

/// A text in double quotes, with what JSON escapes escaped as in JSON: so does jq.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            // Anything that a terminal or a lexer could take for something else, in UTF-16 as JSON has it.
            _ if c.is_control() || !c.is_ascii() => {
                let mut units = [0; 2];
                let units = c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}"));
                quoted.extend(units);
            }
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The seconds of a time, `2026-03-02T09:00:00`: as texts these sort by time whatever their fractions.
pub(super) fn second(time: crate::time::Timestamp) -> String {
    time.to_string().chars().take(19).collect()
}
