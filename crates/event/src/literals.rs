//! What must stand in a line for it to matter.

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
        let mut literals: Vec<String> = literals.into_iter().collect();
        if literals.iter().any(String::is_empty) {
            return Self::everything();
        }
        literals.sort_by_key(String::len);
        // What holds a shorter literal is found by it.
        let mut shortest: Vec<String> = Vec::new();
        for literal in literals {
            if !shortest.iter().any(|known| literal.contains(known.as_str())) {
                shortest.push(literal);
            }
        }
        shortest.sort();
        Self(Some(shortest))
    }

    /// The strings, sorted, none of them within another; `None` if every line matters.
    pub fn as_slice(&self) -> Option<&[String]> {
        self.0.as_deref()
    }

    /// What must stand in a line that can matter to one or the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(mut a), Some(b)) => {
                a.extend(b);
                Self::any_of(a)
            }
            _ => Self::everything(),
        }
    }

    /// These, or what `other` yields where these don't narrow anything down.
    #[must_use]
    pub fn or_if_everything(self, other: impl FnOnce() -> Self) -> Self {
        if self.0.is_some() { self } else { other() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(literals: &[&str]) -> Literals {
        Literals::any_of(literals.iter().map(ToString::to_string))
    }

    #[test]
    fn a_literal_within_another_stands_for_both() {
        let both = of(&["web-1.", "db", "web-1"]).or(of(&["web"]));
        assert_eq!(both.as_slice(), Some(&["db".to_owned(), "web".to_owned()][..]));
        assert_eq!(of(&["a", ""]), Literals::everything());
        assert_eq!(of(&[]).as_slice(), Some(&[][..]));
    }
}
