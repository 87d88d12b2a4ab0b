//! Patterns for names and values, with `*` alone as a wildcard.

use std::fmt;

use memchr::memmem;

/// A pattern in which `*` stands for any run of characters, also an empty one; all else stands for itself.
///
/// A pattern matches the whole value, upper and lower case apart. Matching takes time linear in the value and the
/// pattern, whatever they hold: each piece between stars is looked for once, from where the last one ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Glob(String);

impl Glob {
    /// Takes `pattern` as it is; every string is a pattern.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// The pattern that matches everything.
    pub fn any() -> Self {
        Self::new("*")
    }

    /// Whether `value` as a whole fits the pattern.
    pub fn matches(&self, value: &str) -> bool {
        let Some((head, rest)) = self.0.split_once('*') else { return self.0 == value };
        let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
        let inner = value.strip_prefix(head).and_then(|value| value.strip_suffix(tail));
        let Some(mut left) = inner.map(str::as_bytes) else { return false };
        // The leftmost place for each piece leaves the most room for the next, so no other needs a try.
        for piece in middle.split('*').map(str::as_bytes) {
            let Some(at) = memmem::find(left, piece) else { return false };
            left = &left[at + piece.len()..];
        }
        true
    }

    /// The one value that matches, if the pattern has no star.
    pub fn literal(&self) -> Option<&str> {
        (!self.0.contains('*')).then_some(self.0.as_str())
    }

    /// The longest run without a star, which every matching value holds; empty if there is none.
    pub fn longest_literal(&self) -> &str {
        self.0.split('*').max_by_key(|run| run.len()).unwrap_or_default()
    }

    /// Whether every value matches.
    pub fn is_any(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|byte| byte == b'*')
    }
}

/// The pattern as it was given.
impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tries every split, which is slow and plainly right.
    fn oracle(pattern: &[char], value: &[char]) -> bool {
        match pattern.split_first() {
            None => value.is_empty(),
            Some(('*', rest)) => (0..=value.len()).any(|skip| oracle(rest, &value[skip..])),
            Some((first, rest)) => value.first() == Some(first) && oracle(rest, &value[1..]),
        }
    }

    #[test]
    fn the_whole_value_must_fit() {
        for (pattern, value, fits) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("web", "web", true),
            ("web", "web-1", false),
            ("web", "Web", false),
            ("web*", "web", true),
            ("*-1", "web-1", true),
            ("a*a", "a", false),
            ("a*b*c", "a-c-b-c", true),
            ("a*b*c", "a-c-c", false),
            ("**x**", "x", true),
            ("[a-z]?", "[a-z]?", true),
            ("[a-z]?", "ab", false),
        ] {
            assert_eq!(Glob::new(pattern).matches(value), fits, "{pattern:?} against {value:?}");
        }
    }

    #[test]
    fn literals_are_what_a_match_holds() {
        assert_eq!(Glob::new("web-1").literal(), Some("web-1"));
        assert_eq!(Glob::new("web-*").literal(), None);
        assert_eq!(Glob::new("a*web*bc").longest_literal(), "web");
        assert_eq!(Glob::new("**").longest_literal(), "");
        assert!(Glob::any().is_any() && Glob::new("**").is_any());
        assert!(!Glob::new("").is_any() && !Glob::new("*a").is_any());
    }

    #[test]
    fn many_stars_take_linear_time() {
        let pattern = "a*".repeat(5_000) + "b";
        assert!(!Glob::new(pattern).matches(&"a".repeat(1_000_000)));
    }

    proptest! {
        #[test]
        fn it_agrees_with_trying_every_split(pattern in "[abä*]{0,8}", value in "[abä]{0,10}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let glob = Glob::new(pattern.as_str());
            let fits = oracle(&chars(&pattern), &chars(&value));
            prop_assert_eq!(glob.matches(&value), fits);
            prop_assert!(!fits || value.contains(glob.longest_literal()));
            prop_assert_eq!(glob.literal().is_some_and(|literal| literal == value), fits && !pattern.contains('*'));
        }
    }
}
