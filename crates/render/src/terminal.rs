//! Making text from a log harmless to look at.
//!
//! User names, user agents and object names are chosen by whoever sends a request. Printed as they are, they could
//! clear the screen, hide the line above, or show `nimda` for `admin`.

use std::borrow::Cow;
use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

/// Characters that a reader can't see or that act on what is around them: categories Cc, Cf, Zl, Zp, Co and Zs
/// (but U+0020), property `Default_Ignorable_Code_Point`, and noncharacters (Unicode 16); U+2800, the blank braille
/// pattern. Sorted, first and last of each run.
const HIDDEN: [(u32, u32); 46] = [
    (0x0000, 0x001f),
    (0x007f, 0x00a0),
    (0x00ad, 0x00ad),
    (0x034f, 0x034f),
    (0x0600, 0x0605),
    (0x061c, 0x061c),
    (0x06dd, 0x06dd),
    (0x070f, 0x070f),
    (0x0890, 0x0891),
    (0x08e2, 0x08e2),
    (0x115f, 0x1160),
    (0x1680, 0x1680),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x2000, 0x200f),
    (0x2028, 0x202f),
    (0x205f, 0x206f),
    (0x2800, 0x2800),
    (0x3000, 0x3000),
    (0x3164, 0x3164),
    (0xe000, 0xf8ff),
    (0xfdd0, 0xfdef),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffb),
    (0xfffe, 0xffff),
    (0x110bd, 0x110bd),
    (0x110cd, 0x110cd),
    (0x13430, 0x1343f),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0x1fffe, 0x1ffff),
    (0x2fffe, 0x2ffff),
    (0x3fffe, 0x3ffff),
    (0x4fffe, 0x4ffff),
    (0x5fffe, 0x5ffff),
    (0x6fffe, 0x6ffff),
    (0x7fffe, 0x7ffff),
    (0x8fffe, 0x8ffff),
    (0x9fffe, 0x9ffff),
    (0xafffe, 0xaffff),
    (0xbfffe, 0xbffff),
    (0xcfffe, 0xcffff),
    (0xdfffe, 0xe0fff),
    (0xefffe, 0x0010_ffff),
];

/// Whether `c` can't be seen, or acts on what is around it.
///
/// Such are control and format characters, line and paragraph separators, every space but U+0020, fillers,
/// variation selectors, and what has no agreed look: private use and noncharacters.
pub fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    let code = u32::from(c);
    let after = HIDDEN.partition_point(|(first, _)| *first <= code);
    after > 0 && code <= HIDDEN[after - 1].1
}

/// Whether `text` is of visible ASCII characters and spaces alone, as most is. It takes as many columns as bytes.
fn is_plain(text: &str) -> bool {
    !text.bytes().fold(false, |odd, byte| odd | !matches!(byte, b' '..=b'~'))
}

/// How many columns harmless text takes.
pub(crate) fn columns(text: &str) -> usize {
    if is_plain(text) { text.len() } else { text.width() }
}

/// `text` with every hidden character as a visible escape: `\n`, `\r`, `\t`, `\x1b`, `\u{202e}`.
///
/// A backslash stays single, so that `CORP\alice` reads as it is. An escape can thus be told from the same
/// characters in the log only in JSON and YAML, which are exact.
pub fn neutral(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let Some(first) = text.find(is_hidden) else { return Cow::Borrowed(text) };
    let (clean, rest) = text.split_at(first);
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(clean);
    for c in rest.chars() {
        push_visible(&mut out, c);
    }
    Cow::Owned(out)
}

fn push_visible(out: &mut String, c: char) {
    // Writing to a String can't fail.
    let _ = match c {
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        _ if c.is_control() => write!(out, "\\x{:02x}", u32::from(c)),
        _ if is_hidden(c) => write!(out, "{}", c.escape_unicode()),
        _ => out.write_char(c),
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hostile;

    #[test]
    fn hidden_characters_become_visible() {
        for (text, shown) in [
            ("", ""),
            ("alice", "alice"),
            ("CORP\\alice \"x\"", "CORP\\alice \"x\""),
            ("Zoë 日本 🦀 \u{fffd}", "Zoë 日本 🦀 \u{fffd}"),
            ("\u{1b}[2Jroot", r"\x1b[2Jroot"),
            ("\u{9b}2J\u{7f}\0", r"\x9b2J\x7f\x00"),
            ("a\nb\r\tc", r"a\nb\r\tc"),
            ("\u{202e}nimda", r"\u{202e}nimda"),
            ("a\u{2028}b\u{feff}\u{200b}\u{2066}", r"a\u{2028}b\u{feff}\u{200b}\u{2066}"),
            ("alice\u{a0}\u{3000}\u{3164}\u{2800}", r"alice\u{a0}\u{3000}\u{3164}\u{2800}"),
            ("\u{e0001}\u{e0041}\u{fe0f}\u{e000}", r"\u{e0001}\u{e0041}\u{fe0f}\u{e000}"),
        ] {
            assert_eq!(neutral(text), shown);
        }
        assert!(matches!(neutral("alice"), Cow::Borrowed(_)));
    }

    #[test]
    fn the_table_agrees_with_unicode() {
        let source = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Zs}\p{Co}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u{2800}--\u{20}]";
        let class = regex_syntax::parse(source).unwrap();
        let regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class)) = class.into_kind()
        else {
            panic!("{source} is a class");
        };
        let runs: Vec<_> = class.iter().map(|run| (u32::from(run.start()), u32::from(run.end()))).collect();
        assert_eq!(runs, HIDDEN);
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text in hostile::text()) {
            let shown = neutral(&text);
            prop_assert!(!shown.contains(is_hidden), "{shown:?}");
            prop_assert!(!shown.contains(char::is_control));
            prop_assert_eq!(neutral(&shown), shown.as_ref());
            prop_assert_eq!(columns(&shown), shown.width());
            let visible = text.chars().fold(String::new(), |mut out, char| {
                push_visible(&mut out, char);
                out
            });
            prop_assert_eq!(shown, visible);
        }

        #[test]
        fn ascii_graphic_text_stays(text in "[ -~]*") {
            prop_assert_eq!(neutral(&text), text.as_str());
        }
    }
}
