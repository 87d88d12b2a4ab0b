//! How records stand in content: one a line, or as JSON values that span lines.

/// How many bytes at the start of the content tell its layout.
pub(crate) const HEAD: usize = 4096;

pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

/// How records stand in content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One record a line.
    Lines,
    /// JSON values one after the other, the first of which spans lines.
    Documents,
}

impl Layout {
    /// Tells the layout from the first [`HEAD`] bytes: documents if the first line that is not blank begins a JSON
    /// value that goes on in the next one. A torn line before a good one does not.
    pub(crate) fn of(head: &[u8]) -> Self {
        let text = head.strip_prefix(BOM).unwrap_or(head).trim_ascii_start();
        let Some(newline) = memchr::memchr(b'\n', text) else { return Self::Lines };
        let line = text[..newline].trim_ascii_end();
        let mut value = ValueEnd::default();
        if !matches!(line, [b'{' | b'[', ..]) || value.find(line).is_some() || value.in_string {
            return Self::Lines;
        }
        let opens = matches!(line.last(), Some(b'[' | b':'));
        match text[newline..].trim_ascii_start().first() {
            Some(b'"' | b'}' | b']') => Self::Documents,
            Some(b'{' | b'[') if opens => Self::Documents,
            _ => Self::Lines,
        }
    }
}

/// Finds where a JSON object or array ends, piece by piece.
///
/// It counts brackets outside of strings and trusts them to match: whether the value is valid is for its decoder.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ValueEnd {
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl ValueEnd {
    /// Goes over the next `piece` of the value; tells how many bytes of it belong to the value if it ends there.
    pub(crate) fn find(&mut self, piece: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < piece.len() {
            if self.in_string {
                at += self.string_end(&piece[at..]);
                continue;
            }
            match piece[at] {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        None
    }

    /// How far a string goes on that has begun, with its quote.
    fn string_end(&mut self, piece: &[u8]) -> usize {
        let mut at = usize::from(std::mem::take(&mut self.escaped));
        while let Some(found) = memchr::memchr2(b'"', b'\\', piece.get(at..).unwrap_or_default()) {
            at += found + 1;
            if piece[at - 1] == b'"' {
                self.in_string = false;
                return at;
            }
            self.escaped = at == piece.len();
            at += 1;
        }
        piece.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, byte by byte.
    fn value_end(text: &[u8]) -> Option<usize> {
        let (mut depth, mut in_string, mut escaped) = (0_u64, false, false);
        for (at, byte) in text.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                b'{' | b'[' if !in_string => depth += 1,
                b'}' | b']' if !in_string => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }

    proptest! {
        #[test]
        fn a_value_ends_where_it_does_byte_by_byte(text in r#"[{\[]["\\{}a \[\]]{0,60}"#, cuts in (0_usize..60, 0_usize..60)) {
            let text = text.as_bytes();
            let (first, second) = (cuts.0.min(cuts.1).min(text.len()), cuts.0.max(cuts.1).min(text.len()));
            let (mut value, mut before, mut end) = (ValueEnd::default(), 0, None);
            for piece in [&text[..first], &text[first..second], &text[second..]] {
                end = end.or_else(|| value.find(piece).map(|end| before + end));
                before += piece.len();
            }
            prop_assert_eq!(end, value_end(text));
        }
    }

    #[test]
    fn documents_are_told_from_lines() {
        for (head, layout) in [
            ("{\n  \"kind\": \"EventList\",\n", Layout::Documents),
            ("\u{feff}\n\r\n{\r\n  \"kind\": 1\r\n}", Layout::Documents),
            ("[\n  {\n", Layout::Documents),
            ("{\"items\": [\n{\"level\":1},\n", Layout::Documents),
            ("{\"items\": [{\"a\":1},\n\"b\"]}", Layout::Documents),
            ("{\"kind\":\"Event\"}\n{\"kind\":\"Event\"}\n", Layout::Lines),
            ("{\"kind\":\"Ev\n{\"kind\":\"Event\"}\n", Layout::Lines),
            ("{\"kind\":\"Event\",\n{\"kind\":\"Event\"}\n", Layout::Lines),
            ("{\n{\"kind\":\"Event\"}\n", Layout::Lines),
            ("{\"kind\":\n2026-01-02T03:04:05Z AUDIT: id\n", Layout::Lines),
            ("2026-01-02T03:04:05Z AUDIT: id\n", Layout::Lines),
            ("{\"kind\":1,", Layout::Lines),
            ("", Layout::Lines),
            ("\n\n", Layout::Lines),
        ] {
            assert_eq!(Layout::of(head.as_bytes()), layout, "{head:?}");
        }
    }

    #[test]
    fn a_value_ends_at_the_same_place_however_it_is_cut() {
        let text = br#"{"a":["}\"]",{"b":"\\"}],"c":{}} {"next":1}"#;
        for cut in 0..text.len() {
            let mut value = ValueEnd::default();
            let end = value.find(&text[..cut]).or_else(|| value.find(&text[cut..]).map(|end| cut + end));
            assert_eq!(end, Some(32), "cut at {cut}");
        }
    }
}
