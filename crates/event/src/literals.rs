//! What must stand in a line for it to matter.

use std::collections::{BTreeSet, HashSet};

/// Strings of which at least one occurs in every line that can matter, unless the line escapes letters.
///
/// Each literal is a run of `[A-Za-z0-9.:_-]`: no quotes and no keys, because a line may be JSON inside a JSON string.
/// JSON may write any of these characters as `\u00XX`, so a search for literals must take lines with such an escape as
/// candidates too (Go's encoder escapes none of them, other producers may).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literals(Option<Set>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Set {
    parts: Vec<String>,
    names: BTreeSet<String>,
    shortest: Vec<String>,
}

impl Literals {
    /// Nothing can be told from strings: every line matters.
    pub const fn everything() -> Self {
        Self(None)
    }

    /// A matching line holds at least one of these; with none given, no line matches, with an empty one every line may.
    pub fn any_of(literals: impl IntoIterator<Item = String>) -> Self {
        Self::new(&literals.into_iter().collect(), HashSet::new())
    }

    /// A matching line holds at least one of these as the whole name of an object or as its verb: in a string that holds
    /// nothing else and is the value of a key, or between the slashes of a path.
    pub fn any_name(names: impl IntoIterator<Item = String>) -> Self {
        // What may stand there without quotes, or may be escaped, is not told from what surrounds it.
        let is_string = |name: &String| {
            let is_run = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:_-".contains(&byte));
            is_run && name.parse::<f64>().is_err() && !matches!(name.as_str(), "" | "true" | "false" | "null")
        };
        let (names, others) = names.into_iter().partition(is_string);
        Self::new(&others, names)
    }

    /// What must stand in a line that can matter to one of them.
    pub fn any_of_all(all: impl IntoIterator<Item = Self>) -> Self {
        let (mut parts, mut names) = (HashSet::new(), HashSet::new());
        for literals in all {
            let Some(set) = literals.0 else { return Self::everything() };
            parts.extend(set.parts);
            names.extend(set.names);
        }
        Self::new(&parts, names)
    }

    fn new(parts: &HashSet<String>, mut names: HashSet<String>) -> Self {
        if parts.contains("") {
            return Self::everything();
        }
        let known = Known::new(parts);
        names.retain(|name| known.within(name).next().is_none());
        let parts = shortest(parts);
        let all = names.iter().chain(&parts).cloned().collect();
        Self(Some(Set { parts, shortest: shortest(&all), names: names.into_iter().collect() }))
    }

    /// The strings, sorted, none of them within another; `None` if every line matters.
    pub fn as_slice(&self) -> Option<&[String]> {
        self.0.as_ref().map(|set| set.shortest.as_slice())
    }

    /// Those of the strings that matter wherever they stand.
    pub fn parts(&self) -> &[String] {
        self.0.as_ref().map_or(&[], |set| &set.parts)
    }

    /// Whether one of the strings matters only where it is a name as a whole, or in one of the [`parts`](Self::parts).
    pub fn is_name(&self, string: &str) -> bool {
        self.parts().binary_search_by(|part| part.as_str().cmp(string)).is_err()
    }

    /// All names of which one must stand in a line that holds none of the [`parts`](Self::parts).
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|set| &set.names).map(String::as_str)
    }

    /// These, or what `other` yields where these don't narrow anything down.
    #[must_use]
    pub fn or_if_everything(self, other: impl FnOnce() -> Self) -> Self {
        if self.0.is_some() { self } else { other() }
    }
}

/// Those that hold no other of them, sorted: what holds a shorter literal is found by it.
fn shortest(literals: &HashSet<String>) -> Vec<String> {
    let known = Known::new(literals);
    let is_shortest = |literal: &&String| known.within(literal).all(|within| within == *literal);
    let mut shortest: Vec<String> = literals.iter().filter(is_shortest).cloned().collect();
    shortest.sort();
    shortest
}

/// Literals to be found within texts. The parts of a text are looked up, which takes as long however many there are.
struct Known<'a> {
    literals: &'a HashSet<String>,
    lengths: BTreeSet<usize>,
}

impl<'a> Known<'a> {
    fn new(literals: &'a HashSet<String>) -> Self {
        Self { literals, lengths: literals.iter().map(String::len).collect() }
    }

    fn within(&self, text: &str) -> impl Iterator<Item = &'a String> {
        let literals = self.literals;
        self.lengths.range(..=text.len()).flat_map(move |length| {
            let parts = (0..=text.len() - length).filter_map(move |start| text.get(start..start + length));
            parts.filter_map(|part| literals.get(part))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owned(literals: &[&str]) -> Vec<String> {
        literals.iter().map(ToString::to_string).collect()
    }

    fn of(literals: &[&str]) -> Literals {
        Literals::any_of(owned(literals))
    }

    #[test]
    fn a_literal_within_another_stands_for_both() {
        let both = Literals::any_of_all([of(&["web-1.", "db", "web-1"]), of(&["web"])]);
        assert_eq!(both.as_slice(), Some(&owned(&["db", "web"])[..]));
        assert_eq!(Literals::any_of_all([of(&["a"]), Literals::everything()]), Literals::everything());
        assert_eq!(of(&["a", ""]), Literals::everything());
        assert_eq!(of(&[]).as_slice(), Some(&[][..]));
    }

    #[test]
    fn what_needs_no_quotes_is_no_whole_name() {
        let literals = Literals::any_name(owned(&["web", "1", "1e5", "nan", "null", "ä"]));
        assert_eq!(literals.parts(), ["1", "nan", "null", "ä"]);
        assert_eq!(literals.names().collect::<Vec<_>>(), ["web"]);
        assert_eq!(Literals::any_name(owned(&[""])), Literals::everything());
    }

    proptest! {
        /// A line that holds one of what was given, a name as a whole word, holds one of what is told, and so does the
        /// search by the shortest.
        #[test]
        fn nothing_is_lost(
            parts in prop::collection::vec("[abc]{1,4}", 0..8), names in prop::collection::vec("[abc]{1,4}", 0..8),
            line in "[abc]{0,6}( [abc]{0,6}){0,2}"
        ) {
            let literals = Literals::any_of_all([Literals::any_of(parts.clone()), Literals::any_name(names.clone())]);
            let shortest = literals.as_slice().unwrap();
            let given = parts.iter().any(|part| line.contains(part)) || line.split(' ').any(|word| names.iter().any(|name| name == word));
            let told = literals.parts().iter().any(|part| line.contains(part)) || line.split(' ').any(|word| literals.names().any(|name| name == word));
            prop_assert!(told || !given);
            prop_assert!(!told || shortest.iter().any(|short| line.contains(short.as_str())));
            for (place, literal) in shortest.iter().enumerate() {
                prop_assert!(parts.contains(literal) || names.contains(literal));
                prop_assert!(shortest.iter().enumerate().all(|(other, short)| other == place || !literal.contains(short.as_str())));
            }
        }
    }
}
