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
        for (at, byte) in piece.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
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
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
