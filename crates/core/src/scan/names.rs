//! Whether what a search hit is one of the words that are looked for, and may name an object or a verb where it stands.

use std::collections::HashSet;

/// Longer runs of the characters of names are not looked at, so that a search takes time linear in the text. In bytes.
const LONGEST: usize = 512;

/// The keys under which an entry tells names and verbs.
const KEYS: [&[u8; 4]; 2] = [b"name", b"verb"];

/// Names and verbs that matter as a whole.
pub(crate) struct Names(HashSet<Box<[u8]>>);

impl Names {
    pub(super) fn new<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        Self(names.map(|name| name.as_bytes().into()).collect())
    }

    /// Whether one of the names may stand where `text` has something like it at `at`.
    ///
    /// A name ends where its characters end, be it at a quote, a slash or anything else. A key is none, nor is an item of a
    /// list or the value of another key than `name` and `verb`: most names of nodes are told by `nodeName` and by the users
    /// of their kubelets, most verbs by the rules of roles. Nor is what a path begins with, as each URI does with `/api`: an
    /// object's name comes behind its resource.
    pub(super) fn may_stand_at(&self, text: &[u8], at: usize) -> bool {
        let (before, behind) = (&text[at.saturating_sub(LONGEST)..at], &text[at..]);
        let left = before.iter().rev().take_while(|byte| is_of_name(**byte)).count();
        let right = behind.iter().take(LONGEST).take_while(|byte| is_of_name(**byte)).count();
        if left == LONGEST || right == LONGEST {
            return true;
        }
        // Of most places, what is before them says enough.
        !is_elsewhere(&text[..at - left]) && self.0.contains(&text[at - left..at + right])
    }
}

/// Whether a byte may be part of a literal.
const fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'_' | b'-')
}

/// Whether a string that begins behind `before` is a key, an item of a list, or the value of a key that is none of
/// [`KEYS`]; or whether what begins there is the beginning of a path. Quotes and slashes may be escaped.
fn is_elsewhere(before: &[u8]) -> bool {
    if let Some(path) = before.strip_suffix(b"/") {
        return strip_quote(strip_escapes(path)).is_some();
    }
    let Some(before) = strip_quote(before).map(<[u8]>::trim_ascii_end) else { return false };
    let Some(before) = before.strip_suffix(b":") else {
        return matches!(before, [.., b',' | b'[' | b'{']);
    };
    let key = strip_quote(before.trim_ascii_end());
    let ends_with =
        |key: &[u8], end: &[u8; 4]| key.strip_suffix(end).is_some_and(|before| before.ends_with(b"\""));
    key.is_some_and(|key| !KEYS.iter().any(|end| ends_with(key, end)))
}

/// What stands before a quote and the backslashes that escape it.
fn strip_quote(text: &[u8]) -> Option<&[u8]> {
    text.strip_suffix(b"\"").map(strip_escapes)
}

/// What stands before backslashes.
fn strip_escapes(mut text: &[u8]) -> &[u8] {
    while let Some(shorter) = text.strip_suffix(b"\\") {
        text = shorter;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_stand(line: &str) -> bool {
        let at = line.find("web-1").unwrap();
        Names::new(["web-1", "db"].into_iter()).may_stand_at(line.as_bytes(), at)
    }

    #[test]
    fn names_are_met_where_objects_are_named() {
        for line in [
            r#"{"name":"web-1"}"#,
            "\"name\" :\n \"web-1\"",
            r#"{"log":"{\"objectRef\":{\"name\":\"web-1\"}}"}"#,
            r#"\\\"name\\\":\\\"web-1\\\""#,
            r#""requestURI":"/api/v1/nodes/web-1?timeout=5s""#,
            r#""\/nodes\/web-1\/status""#,
            r#"{"verb":"web-1"}"#,
            r#"method="web-1""#,
            "web-1",
            "told web-1 so",
        ] {
            assert!(may_stand(line), "{line}");
        }
    }

    #[test]
    fn names_are_not_met_in_longer_words_and_values_of_other_keys() {
        for line in [
            r#"{"name":"web-10"}"#,
            r#"{"name":"a.web-1"}"#,
            r#"{"username":"system:node:web-1"}"#,
            r#"{"nodeName":"web-1"}"#,
            r#"{\"nodeName\":\"web-1\"}"#,
            r#"{"uid" : "web-1"}"#,
            r#"{"proverb":"web-1"}"#,
            r#"["web-1"]"#,
            r#"{"requestURI":"/web-1/v1/pods"}"#,
            r#"{\"requestURI\":\"\/web-1\/v1\/pods\"}"#,
            r#"uri="/web-1""#,
            r#"{"verbs":["get", "web-1"]}"#,
            r#"{\"verbs\":[\"get\",\"web-1\"]}"#,
            r#"{"labels":{"web-1":""}}"#,
            "web-1_",
        ] {
            assert!(!may_stand(line), "{line}");
        }
    }

    #[test]
    fn words_without_end_take_no_time() {
        let endless = "x".repeat(10_000_000) + "web-1";
        let names = Names::new(["web-1"].into_iter());
        assert!((0..10_000).all(|_| names.may_stand_at(endless.as_bytes(), endless.len() - 5)));
    }
}
