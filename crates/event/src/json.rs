//! JSON text that is walked over without being decoded.

pub(crate) mod model;
pub(crate) mod walk;

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use self::model::Models;
use self::walk::Walk;
use crate::spares::Spares;

/// One JSON value as it stands in the log, without white space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// Takes text that is one JSON value, with nothing but white space around it.
    pub fn new(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// What the walk or the parser found to be one value.
    pub(crate) const fn checked(text: &'a str) -> Self {
        Self(text)
    }

    /// The text.
    pub const fn get(self) -> &'a str {
        self.0
    }

    /// What it spells if it is a string.
    pub(crate) fn string(self) -> Option<String> {
        let mut text = String::new();
        unescape(self.0, &mut text).map(|()| text).or_else(|| serde_json::from_str(self.0).ok())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|raw| Self(raw.get()))
    }
}

/// A place in JSON text. What it can't walk over, from broken text to what is merely rare, is left to the parser, which
/// also tells what is wrong.
///
/// It accepts nothing that `serde_json` rejects.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    walk: Walk<'a>,
    /// Whether details are kept; if not they are walked over, and lists, maps and some texts stay empty.
    pub(crate) details: bool,
    /// Where memory is taken from.
    pub(crate) spares: Spares,
    /// With what objects and lists are compared that nobody looks into.
    pub(crate) models: Option<Models>,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str, details: bool) -> Self {
        Self { text, walk: Walk::new(text.as_bytes(), 0), details, spares: Spares::default(), models: None }
    }

    /// Bytes from the start of the text.
    pub(crate) const fn at(&self) -> usize {
        self.walk.at()
    }

    /// The next byte that is no white space, and 0 at the end.
    #[inline]
    pub(crate) fn peek(&mut self) -> u8 {
        self.walk.peek()
    }

    /// Goes on from a place.
    pub(crate) const fn go_to(&mut self, at: usize) {
        self.walk.go_to(at);
    }

    /// Goes behind the next byte that is no white space if it is this one.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> Option<()> {
        self.walk.take(byte)
    }

    /// Goes behind these very bytes if they come next, without white space before them.
    #[inline]
    pub(crate) fn expect(&mut self, bytes: &[u8]) -> bool {
        self.walk.expect(bytes)
    }

    /// Goes behind the next value.
    pub(crate) fn skip(&mut self) -> Option<()> {
        match &mut self.models {
            Some(models) if matches!(self.walk.peek(), b'{' | b'[') => models.skip(&mut self.walk),
            _ => self.walk.skip(),
        }
    }

    /// Whether nothing but white space is left.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.peek();
        self.at() == self.text.len()
    }

    /// Goes behind `null`, if that comes next.
    pub(crate) fn null(&mut self) -> Option<()> {
        if self.peek() == b'n' { self.walk.word("null") } else { None }
    }

    /// The text of the next value.
    pub(crate) fn value(&mut self) -> Option<&'a str> {
        self.peek();
        let start = self.at();
        self.skip()?;
        self.text.get(start..self.at())
    }

    /// The next string, if it holds no escape.
    pub(crate) fn plain_string(&mut self) -> Option<&'a str> {
        if self.peek() != b'"' {
            return None;
        }
        let start = self.at() + 1;
        let end = self.walk.end_of_plain(start)?;
        self.walk.go_to(end + 1);
        self.text.get(start..end)
    }

    /// What stands in front of the question mark of the next string, if an escape follows behind it. The cursor stays.
    pub(crate) fn path_before_escape(&mut self) -> Option<&'a str> {
        if self.peek() != b'"' {
            return None;
        }
        let start = self.at() + 1;
        self.text.get(start..self.walk.end_of_path(start)?)
    }

    /// The next string, which holds escapes.
    pub(crate) fn escaped_string(&mut self) -> Option<String> {
        let token = self.value()?;
        let mut string = self.spares.string();
        unescape(token, &mut string).map(|()| string)
    }

    /// Goes behind a string that nobody looks at. It takes what [`Self::escaped_string`] takes, and
    /// allocates nothing but where halves of characters may be spelled.
    pub(crate) fn pass_string(&mut self) -> Option<()> {
        let before = self.walk;
        if self.walk.string()? {
            return Some(());
        }
        // What may be half of a character is looked at as closely as where it is read.
        self.walk = before;
        self.escaped_string().map(drop)
    }

    /// Walks over the items of a list.
    pub(crate) fn items(&mut self, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(b'[')?;
        if self.take(b']').is_some() {
            return Some(());
        }
        loop {
            item(self)?;
            if self.take(b',').is_none() {
                return self.take(b']');
            }
        }
    }

    /// Walks over the pairs of an object whose keys hold no escape; `pair` is told the key and takes the value.
    pub(crate) fn pairs(&mut self, mut pair: impl FnMut(&mut Self, &'a str) -> Option<()>) -> Option<()> {
        if self.opens()? { self.more_pairs(&mut pair) } else { Some(()) }
    }

    /// Goes behind the brace that opens an object; says whether it holds a pair, and else goes behind all of it.
    pub(crate) fn opens(&mut self) -> Option<bool> {
        self.take(b'{')?;
        Some(self.take(b'}').is_none())
    }

    /// Goes behind what follows a pair; says whether another must come, or the object has ended.
    #[inline]
    pub(crate) fn goes_on(&mut self) -> Option<bool> {
        if self.take(b',').is_some() { Some(true) } else { self.take(b'}').map(|()| false) }
    }

    /// Walks over pairs of an object, at least one, up to its end.
    pub(crate) fn more_pairs(
        &mut self,
        mut pair: impl FnMut(&mut Self, &'a str) -> Option<()>,
    ) -> Option<()> {
        loop {
            let key = self.plain_string()?;
            self.take(b':')?;
            pair(self, key)?;
            if !self.goes_on()? {
                return Some(());
            }
        }
    }
}

/// Appends what a valid string spells, which is given with its quotes; `None` if it spells half of a character.
fn unescape(string: &str, into: &mut String) -> Option<()> {
    let mut rest = string.strip_prefix('"')?.strip_suffix('"')?;
    into.reserve(rest.len());
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        into.push_str(&rest[..at]);
        let (char, length) = unescaped(&rest[at + 1..])?;
        into.push(char);
        rest = &rest[at + 1 + length..];
    }
    into.push_str(rest);
    Some(())
}

/// What an escape stands for whose backslash is left out, and how many bytes it takes; `None` for half of a character.
fn unescaped(escape: &str) -> Option<(char, usize)> {
    let char = match escape.as_bytes().first()? {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return Some((char::from_u32(u32::from_str_radix(escape.get(1..5)?, 16).ok()?)?, 5)),
        other => char::from(*other),
    };
    Some((char, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the parser takes for the first value.
    fn oracle(text: &str) -> Option<&str> {
        serde_json::Deserializer::from_str(text).into_iter::<&RawValue>().next()?.ok().map(RawValue::get)
    }

    fn walked(text: &str) -> Option<&str> {
        Cursor::new(text, true).value()
    }

    #[test]
    fn values_are_told_as_the_parser_tells_them() {
        for text in [
            "",
            " ",
            "{",
            "[",
            "\"",
            "\"\\",
            "\"\\u12\"",
            "\"\\u12g4\"",
            "\"\\x\"",
            "\"\u{1f}\"",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,}",
            "[1,]",
            "[,]",
            "[1 2]",
            "{1:2}",
            "[}",
            "{]",
            "tru",
            "-",
            "+1",
            "1.",
            "1.x",
            ".5",
            "1e",
            "1e+",
            "[01]",
            "[1x]",
            "nul",
            "'a'",
            "{\"a\" 1}",
            "\u{feff}1",
        ] {
            assert_eq!((walked(text), oracle(text)), (None, None), "{text}");
        }
        for text in [
            "{}",
            "[ ]",
            "{ \"a\" : [ 1 , { } ] } x",
            "\"a\\u0000\\\"\\\\\\/\\b\\f\\n\\r\\t\" ",
            "-0.5e-10 ",
            "1E+5 ",
            "\"12345678\"",
            "\"1234567\\n\"",
            "\"\u{7f}ä€𝄞\"",
            "true ",
            "false ",
            "null ",
            "[\"\",[]]",
            "\"\\ud800\"",
        ] {
            assert!(oracle(text).is_some(), "{text}");
            assert_eq!(walked(text), oracle(text), "{text}");
        }
    }

    #[test]
    fn depth_is_left_to_the_parser() {
        let nested = |depth| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(walked(&nested(64)), Some(nested(64).as_str()));
        assert_eq!(walked(&nested(65)), None);
        assert_eq!(walked(&"{\"a\":".repeat(100_000)), None);
    }

    proptest! {
        #[test]
        fn strings_are_read_as_the_parser_reads_them(text in r#"([a-zä ]{0,9}|\\["\\/bfnrtux]|\\u[0d][08][0-9a-f]{2}|"){0,6}"#) {
            let text = format!("\"{text}\"");
            let expected = serde_json::from_str::<String>(&text).ok();
            let mut passing = Cursor::new(&text, true);
            let passed = passing.pass_string().is_some() && passing.is_at_end();
            let mut cursor = Cursor::new(&text, true);
            let read = cursor.escaped_string().is_some() && cursor.is_at_end();
            prop_assert_eq!(passed, read);
            let mut cursor = Cursor::new(&text, true);
            match (cursor.escaped_string().filter(|_| cursor.is_at_end()), expected) {
                // Characters in two halves are left to the parser.
                (None, expected) => prop_assert!(expected.is_none() || text.contains("\\ud8")),
                (read, expected) => prop_assert_eq!(read, expected),
            }
        }

        /// It never takes what the parser does not take, and the other way around.
        #[test]
        fn any_text_is_told_as_the_parser_tells_it(
            text in r#"([\[\]{},: \n"]|"[a-z]{0,9}"|"a":|\\u00[0-9a-f]{2}|\\["nx]|true|null|-?[01]{1,2}|[.eE+]|ä|\PC){0,14}"#
        ) {
            // What follows a value on its own is not the walk's business, but the parser wants it to be apart.
            let text = format!("[{text}]");
            prop_assert_eq!(walked(&text), oracle(&text));
        }
    }
}
