//! Breaking sentences into lines.

use std::ops::Range;

use unicode_width::UnicodeWidthStr;

/// Below this many columns wrapping makes text harder to read, not easier.
const NARROWEST: usize = 40;

/// The lines of `text` within `width` columns, as ranges of bytes. The first line begins behind `first` columns, the
/// others behind `rest`. A break replaces one space; a word is never broken, so that names and paths can be copied.
pub(crate) fn wrap(text: &str, first: usize, rest: usize, width: Option<usize>) -> Vec<Range<usize>> {
    let Some(width) = width.filter(|width| *width >= NARROWEST) else {
        return std::iter::once(0..text.len()).collect();
    };
    let mut lines = Vec::new();
    let mut line = 0..0;
    let mut column = first;
    let mut at = 0;
    for word in text.split(' ') {
        let begins_line = at == line.start;
        if !begins_line && column + 1 + word.width() > width {
            lines.push(line);
            line = at..at;
            column = rest;
        } else if !begins_line {
            column += 1;
        }
        column += word.width();
        line.end = at + word.len();
        at = line.end + 1;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(text: &str, first: usize, width: usize) -> Vec<&str> {
        wrap(text, first, 4, Some(width)).into_iter().map(|line| &text[line]).collect()
    }

    #[test]
    fn lines_break_at_spaces_alone() {
        let text = "alice evicted pod drain/web-1 through the eviction API (kubectl).";
        assert_eq!(lines(text, 0, 200), [text]);
        assert_eq!(lines(text, 0, 39), [text]);
        assert_eq!(
            lines(text, 20, 40),
            ["alice evicted pod", "drain/web-1 through the eviction API", "(kubectl)."]
        );
        assert_eq!(
            lines("日本語日本語日本語 日本語日本語日本語", 5, 41),
            ["日本語日本語日本語", "日本語日本語日本語"]
        );
        let word = "x".repeat(60);
        assert_eq!(lines(&format!("a {word} b"), 0, 40), ["a", &word, "b"]);
    }

    proptest! {
        #[test]
        fn no_text_is_lost_and_no_line_is_too_long(text in "[a-z日 ]{0,200}", first in 0..60_usize, width in 40..90_usize) {
            let lines = lines(&text, first, width);
            prop_assert_eq!(lines.join(" "), text.as_str());
            for line in lines.iter().skip(1) {
                prop_assert!(4 + line.width() <= width || !line.contains(' '));
            }
        }
    }
}
