//! JSON text that is walked over without being decoded.

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// How deep the walk goes into objects and lists; deeper text is for the parser.
const DEPTH: u32 = 64;

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
    at: usize,
    /// Whether details are kept; if not they are walked over, and lists, maps and some texts stay empty.
    pub(crate) details: bool,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(text: &'a str, details: bool) -> Self {
        Self { text, at: 0, details }
    }

    /// Bytes from the start of the text.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// Whether nothing but white space is left.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.peek();
        self.at == self.text.len()
    }

    /// The next byte that is no white space; 0 at the end, which stands in no JSON either.
    #[inline]
    pub(crate) fn peek(&mut self) -> u8 {
        let mut byte = self.byte();
        while matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
            self.at += 1;
            byte = self.byte();
        }
        byte
    }

    /// Goes behind the next byte that is no white space if it is this one.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == byte).then(|| self.at += 1)
    }

    /// Goes behind `null`, if that comes next.
    pub(crate) fn null(&mut self) -> Option<()> {
        if self.peek() == b'n' { self.word("null") } else { None }
    }

    /// Goes behind these very bytes if they come next, without white space before them.
    #[inline]
    pub(crate) fn expect(&mut self, bytes: &[u8]) -> bool {
        let found = self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(bytes));
        self.at += if found { bytes.len() } else { 0 };
        found
    }

    /// The text of the next value.
    pub(crate) fn value(&mut self) -> Option<&'a str> {
        self.peek();
        let start = self.at;
        self.skip()?;
        self.text.get(start..self.at)
    }

    /// The next string, if it holds no escape.
    pub(crate) fn plain_string(&mut self) -> Option<&'a str> {
        if self.peek() != b'"' {
            return None;
        }
        let start = self.at + 1;
        let end = self.special(start).filter(|end| self.text.as_bytes()[*end] == b'"')?;
        self.at = end + 1;
        self.text.get(start..end)
    }

    /// What stands in front of the question mark of the next string, if an escape follows behind it. The cursor stays.
    pub(crate) fn path_before_escape(&mut self) -> Option<&'a str> {
        if self.peek() != b'"' {
            return None;
        }
        let start = self.at + 1;
        let bytes = self.text.as_bytes();
        let escape = self.special(start).filter(|at| bytes[*at] == b'\\')?;
        let length = memchr::memchr(b'?', &bytes[start..escape]).filter(|length| *length > 0)?;
        self.text.get(start..start + length)
    }

    /// The next string, which holds escapes.
    pub(crate) fn escaped_string(&mut self) -> Option<String> {
        let token = self.value()?;
        let mut rest = token.strip_prefix('"')?.strip_suffix('"')?;
        let mut string = String::with_capacity(rest.len());
        while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
            string.push_str(&rest[..at]);
            let (char, length) = unescaped(&rest[at + 1..])?;
            string.push(char);
            rest = &rest[at + 1 + length..];
        }
        string.push_str(rest);
        Some(string)
    }

    /// Goes behind a string that nobody looks at. It takes what [`Self::escaped_string`] takes, and
    /// allocates nothing but where halves of characters may be spelled.
    pub(crate) fn pass_string(&mut self) -> Option<()> {
        let start = self.at;
        self.string()?;
        let token = &self.text.as_bytes()[start..self.at];
        // What may be half of a character is looked at as closely as where it is read.
        let halves = memchr::memchr_iter(b'\\', token)
            .any(|at| matches!(token.get(at + 1..at + 3), Some(b"ud" | b"uD")));
        if halves {
            self.at = start;
            return self.escaped_string().map(drop);
        }
        Some(())
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

    /// Goes behind the next value.
    pub(crate) fn skip(&mut self) -> Option<()> {
        // A bit for each level that is open, the innermost last: whether it is an object.
        let (mut depth, mut objects) = (0, 0_u64);
        loop {
            let next = self.peek();
            let open = match next {
                b'"' => self.string().map(|()| false)?,
                b'{' => self.opened(b'}'),
                b'[' => self.opened(b']'),
                b't' => self.word("true").map(|()| false)?,
                b'f' => self.word("false").map(|()| false)?,
                b'n' => self.word("null").map(|()| false)?,
                _ => self.number().map(|()| false)?,
            };
            if open {
                if depth == DEPTH {
                    return None;
                }
                depth += 1;
                objects = objects << 1 | u64::from(next == b'{');
            } else {
                loop {
                    if depth == 0 {
                        return Some(());
                    }
                    if self.take(b',').is_some() {
                        break;
                    }
                    self.take(if objects & 1 == 1 { b'}' } else { b']' })?;
                    depth -= 1;
                    objects >>= 1;
                }
            }
            if objects & 1 == 1 {
                self.peek();
                self.string()?;
                self.take(b':')?;
            }
        }
    }

    /// Goes behind the bracket; says whether something stands before the one that closes it, and else behind that.
    fn opened(&mut self, closing: u8) -> bool {
        self.at += 1;
        let is_empty = self.peek() == closing;
        self.at += usize::from(is_empty);
        !is_empty
    }

    /// Goes behind a string.
    fn string(&mut self) -> Option<()> {
        if self.byte() != b'"' {
            return None;
        }
        let mut at = self.at + 1;
        loop {
            at = self.special(at)?;
            match &self.text.as_bytes()[at..] {
                [b'"', ..] => {
                    self.at = at + 1;
                    return Some(());
                }
                [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => at += 2,
                [b'\\', b'u', code @ ..] if code.get(..4)?.iter().all(u8::is_ascii_hexdigit) => at += 6,
                _ => return None,
            }
        }
    }

    /// Where the next quote, backslash or control character stands in a string, eight bytes at a time.
    #[inline]
    fn special(&self, mut at: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            let found = specials(u64::from_le_bytes(*eight));
            if found != 0 {
                return Some(at + found.trailing_zeros() as usize / 8);
            }
            at += 8;
        }
        let rest = bytes.get(at..)?;
        rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).map(|found| at + found)
    }

    fn number(&mut self) -> Option<()> {
        self.at += usize::from(self.byte() == b'-');
        match self.byte() {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.byte() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), b'e' | b'E') {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), b'+' | b'-'));
            self.digits()?;
        }
        Some(())
    }

    /// Goes behind at least one digit.
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let found = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        found.then(|| self.at += word.len())
    }

    #[inline]
    fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }
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

/// Marks the first of eight bytes that is a quote, a backslash or a control character by its highest bit; bytes behind
/// it may be marked too.
const fn specials(eight: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    // Taking away wraps where a byte is smaller; what had its highest bit set before is none of them.
    let control = eight.wrapping_sub(ONES * 0x20);
    let quote = (eight ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let backslash = (eight ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    (control | quote | backslash) & !eight & (ONES * 0x80)
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
