//! A search for any of several strings.

use aho_corasick::packed::{self, Searcher};
use aho_corasick::{AhoCorasick, MatchKind, Span};

/// Strings that are searched for at once. Where several begin at one place, the first of them is told.
pub(crate) enum Strings {
    /// By vectors of bytes, which of few strings is much faster: `AhoCorasick` would prefer to search for rare bytes, and in
    /// JSON no byte is rare.
    Packed(Searcher),
    /// Where the processor has no such vectors, or the strings are too short or too many for them.
    Automaton(AhoCorasick),
}

impl Strings {
    /// A search for these; `None` if they are too many.
    pub(super) fn new(strings: &[&str]) -> Option<Self> {
        Self::packed(strings).or_else(|| Self::automaton(strings))
    }

    fn packed(strings: &[&str]) -> Option<Self> {
        let mut builder = packed::Config::new().match_kind(packed::MatchKind::LeftmostFirst).builder();
        builder.extend(strings).build().map(Self::Packed)
    }

    fn automaton(strings: &[&str]) -> Option<Self> {
        AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(strings).ok().map(Self::Automaton)
    }

    /// Where one of them is met first at or after `from`, and which, by its place among them.
    pub(super) fn find(&self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        let hit = match self {
            Self::Packed(searcher) => searcher.find_in(text, Span { start: from, end: text.len() }),
            Self::Automaton(automaton) => automaton.find(aho_corasick::Input::new(text).range(from..)),
        };
        hit.map(|hit| (hit.start(), hit.pattern().as_usize()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Both kinds find what a comparison at every place finds.
        #[test]
        fn the_first_is_found(
            strings in prop::collection::vec("[ab]{1,4}", 1..70), text in "[abc]{0,80}", from in 0_usize..80,
        ) {
            let strings: Vec<&str> = strings.iter().map(String::as_str).collect();
            let from = from.min(text.len());
            let at = |at: usize| strings.iter().position(|string| text[at..].starts_with(string)).map(|which| (at, which));
            let expected = (from..text.len()).find_map(at);
            for search in [Strings::new(&strings), Strings::automaton(&strings)] {
                prop_assert_eq!(search.unwrap().find(text.as_bytes(), from), expected);
            }
        }
    }
}
