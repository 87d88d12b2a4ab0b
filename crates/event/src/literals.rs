//! What must stand in a line for it to matter.

use std::collections::{BTreeSet, HashSet};

/// Strings of which at least one occurs in every line that can matter, unless the line escapes letters.
///
/// Each literal is a run of `[A-Za-z0-9.:_-]`: no quotes and no keys, because a line may be JSON inside a JSON string.
/// JSON may write any of these characters as `\u00XX`, so a search for literals must take lines with such an escape as
/// candidates too (Go's encoder escapes none of them, other producers may).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literals(Option<Vec<String>>);

impl Literals {
    /// Nothing can be told from strings: every line matters.
    pub const fn everything() -> Self {
        Self(None)
    }

    /// A matching line holds at least one of these; with none given, no line matches, with an empty one every line may.
    pub fn any_of(literals: impl IntoIterator<Item = String>) -> Self {
        let literals: HashSet<String> = literals.into_iter().collect();
        if literals.contains("") {
            return Self::everything();
        }
        let lengths: BTreeSet<usize> = literals.iter().map(String::len).collect();
        // What holds a shorter literal is found by it. Looking all parts up takes time linear in the literals.
        let holds_another = |literal: &str| {
            let shorter = lengths.range(..literal.len());
            shorter.into_iter().any(|length| parts(literal, *length).any(|part| literals.contains(part)))
        };
        let mut shortest: Vec<String> =
            literals.iter().filter(|literal| !holds_another(literal)).cloned().collect();
        shortest.sort();
        Self(Some(shortest))
    }

    /// The strings, sorted, none of them within another; `None` if every line matters.
    pub fn as_slice(&self) -> Option<&[String]> {
        self.0.as_deref()
    }

    /// What must stand in a line that can matter to one of them.
    pub fn any_of_all(all: impl IntoIterator<Item = Self>) -> Self {
        let all: Option<Vec<Vec<String>>> = all.into_iter().map(|literals| literals.0).collect();
        all.map_or_else(Self::everything, |all| Self::any_of(all.into_iter().flatten()))
    }

    /// These, or what `other` yields where these don't narrow anything down.
    #[must_use]
    pub fn or_if_everything(self, other: impl FnOnce() -> Self) -> Self {
        if self.0.is_some() { self } else { other() }
    }
}

/// Everything of `length` bytes in a text.
fn parts(text: &str, length: usize) -> impl Iterator<Item = &str> {
    (0..=text.len().saturating_sub(length)).filter_map(move |start| text.get(start..start + length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(literals: &[&str]) -> Literals {
        Literals::any_of(literals.iter().map(ToString::to_string))
    }

    #[test]
    fn a_literal_within_another_stands_for_both() {
        let both = Literals::any_of_all([of(&["web-1.", "db", "web-1"]), of(&["web"])]);
        assert_eq!(both.as_slice(), Some(&["db".to_owned(), "web".to_owned()][..]));
        assert_eq!(Literals::any_of_all([of(&["a"]), Literals::everything()]), Literals::everything());
        assert_eq!(of(&["a", ""]), Literals::everything());
        assert_eq!(of(&[]).as_slice(), Some(&[][..]));
    }

    proptest! {
        #[test]
        fn no_literal_is_within_another_and_none_is_lost(literals in prop::collection::vec("[abä]{1,4}", 0..12)) {
            let kept = Literals::any_of(literals.clone());
            let kept = kept.as_slice().unwrap();
            for literal in &literals {
                prop_assert!(kept.iter().any(|short| literal.contains(short.as_str())));
            }
            for (place, literal) in kept.iter().enumerate() {
                prop_assert!(literals.contains(literal));
                prop_assert!(kept.iter().enumerate().all(|(other, short)| other == place || !literal.contains(short.as_str())));
            }
        }
    }
}
