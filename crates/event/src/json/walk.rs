//! JSON bytes that are walked over without being decoded.

use std::ops::Range;

/// How deep the walk goes into objects and lists; deeper text is for the parser.
const DEPTH: u32 = 64;

/// Takes what a walk meets, by bytes from the start.
pub(crate) trait Notes {
    /// A key of an object.
    fn key(&mut self, _: Range<usize>) {}
    /// A string, a number or a word.
    fn scalar(&mut self, _: Range<usize>) {}
    /// The bracket that opens an object or a list.
    fn opened(&mut self, _: usize) {}
    /// What comes behind the bracket that closes the innermost one that is open.
    fn closed(&mut self, _: usize) {}
}

/// Notes nothing.
impl Notes for () {}

/// A place in JSON, be it UTF-8 or not. It goes behind nothing that `serde_json` rejects, but for bytes that are no UTF-8.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether a line end is no white space.
    in_line: bool,
}

impl<'a> Walk<'a> {
    /// Begins at a place of `bytes`.
    pub(crate) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, in_line: false }
    }

    /// Begins at a place of `bytes`, and does not go beyond the end of the line there.
    pub(crate) const fn in_line(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, in_line: true }
    }

    /// Bytes from the start.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// The byte before.
    pub(crate) fn before(&self) -> Option<u8> {
        self.bytes.get(self.at.checked_sub(1)?).copied()
    }

    /// What follows.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Goes on from a place.
    pub(crate) const fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    /// The next byte that is no white space; 0 at the end, which stands in no JSON either.
    #[inline]
    pub(crate) fn peek(&mut self) -> u8 {
        let mut byte = self.byte();
        while matches!(byte, b' ' | b'\n' | b'\t' | b'\r') && !(self.in_line && byte == b'\n') {
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

    /// Goes behind these very bytes if they come next, without white space before them.
    #[inline]
    pub(crate) fn expect(&mut self, bytes: &[u8]) -> bool {
        let found = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(bytes));
        self.at += if found { bytes.len() } else { 0 };
        found
    }

    /// Goes behind the next value.
    pub(crate) fn skip(&mut self) -> Option<()> {
        self.skip_noting(0, &mut ())
    }

    /// Goes behind the next value, which is within so many objects and lists, and notes what is met.
    pub(crate) fn skip_noting(&mut self, above: u32, notes: &mut impl Notes) -> Option<()> {
        // A bit for each level that is open, the innermost last: whether it is an object.
        let (mut depth, mut objects) = (above, 0_u64);
        loop {
            let next = self.peek();
            let start = self.at;
            let open = match next {
                b'{' => self.opened(b'}', notes),
                b'[' => self.opened(b']', notes),
                _ => {
                    self.scalar()?;
                    notes.scalar(start..self.at);
                    false
                }
            };
            if open {
                if depth == DEPTH {
                    return None;
                }
                depth += 1;
                objects = objects << 1 | u64::from(next == b'{');
            } else {
                loop {
                    if depth == above {
                        return Some(());
                    }
                    if self.take(b',').is_some() {
                        break;
                    }
                    self.take(if objects & 1 == 1 { b'}' } else { b']' })?;
                    notes.closed(self.at);
                    depth -= 1;
                    objects >>= 1;
                }
            }
            if objects & 1 == 1 {
                self.peek();
                let start = self.at;
                self.string()?;
                notes.key(start..self.at);
                self.take(b':')?;
            }
        }
    }

    /// Goes behind an object or a list of which one value is passed; what it holds is within so many objects and lists.
    pub(crate) fn skip_rest(&mut self, above: u32, is_object: bool) -> Option<()> {
        while self.take(b',').is_some() {
            if is_object {
                self.peek();
                self.string()?;
                self.take(b':')?;
            }
            self.skip_noting(above, &mut ())?;
        }
        self.take(if is_object { b'}' } else { b']' })
    }

    /// Goes behind a string, a number or a word that begins here.
    #[inline]
    pub(crate) fn scalar(&mut self) -> Option<()> {
        match self.byte() {
            b'"' => self.string().map(|_| ()),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    /// Goes behind the bracket; says whether something stands before the one that closes it, and else behind that.
    fn opened(&mut self, closing: u8, notes: &mut impl Notes) -> bool {
        notes.opened(self.at);
        self.at += 1;
        let is_empty = self.peek() == closing;
        if is_empty {
            self.at += 1;
            notes.closed(self.at);
        }
        !is_empty
    }

    /// Goes behind a string; says whether its escapes stand for whole characters, each on its own.
    pub(crate) fn string(&mut self) -> Option<bool> {
        if self.byte() != b'"' {
            return None;
        }
        // Few strings hold escapes.
        let mut at = self.special(self.at + 1)?;
        if self.bytes[at] == b'"' {
            self.at = at + 1;
            return Some(true);
        }
        let mut whole = true;
        loop {
            match &self.bytes[at..] {
                [b'"', ..] => {
                    self.at = at + 1;
                    return Some(whole);
                }
                [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => at += 2,
                [b'\\', b'u', code @ ..] if code.get(..4)?.iter().all(u8::is_ascii_hexdigit) => {
                    whole &= !matches!(code[0], b'd' | b'D');
                    at += 6;
                }
                _ => return None,
            }
            at = self.special(at)?;
        }
    }

    /// Where the quote stands that ends a string whose text begins at `start`, if it holds no escape.
    #[inline]
    pub(crate) fn end_of_plain(&self, start: usize) -> Option<usize> {
        self.special(start).filter(|end| self.bytes[*end] == b'"')
    }

    /// Where the first question mark stands of a string whose text begins at `start`, if an escape follows behind it and
    /// something comes before it.
    pub(crate) fn end_of_path(&self, start: usize) -> Option<usize> {
        let escape = self.special(start).filter(|at| self.bytes[*at] == b'\\')?;
        let length = memchr::memchr(b'?', &self.bytes[start..escape]).filter(|length| *length > 0)?;
        Some(start + length)
    }

    /// Where the next quote, backslash or control character stands in a string, eight bytes at a time.
    #[inline]
    fn special(&self, mut at: usize) -> Option<usize> {
        let bytes = self.bytes;
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

    pub(crate) fn word(&mut self, word: &str) -> Option<()> {
        let found = self.bytes[self.at..].starts_with(word.as_bytes());
        found.then(|| self.at += word.len())
    }

    #[inline]
    fn byte(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }
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
