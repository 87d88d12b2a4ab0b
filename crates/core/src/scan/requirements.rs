//! What else a line must hold that a search has hit.

use std::collections::BTreeSet;

use audit_who_event::filter::Filter;
use audit_who_event::literals::Literals;
use audit_who_event::look::Look;
use memchr::memmem::Finder;

/// Larger sets of strings are not looked for in each line that is hit.
const LARGEST: usize = 4;

/// For more alternatives, decoding the line is as fast.
const MOST: usize = 4;

/// Alternatives, each of them sets of strings: a line is of no use unless it holds one of each set of one alternative.
/// Without any, every line may be.
///
/// A line that spells letters as escapes may hold them otherwise, and is not to be held against this.
#[derive(Default)]
pub(crate) struct Requirements(Vec<Vec<Vec<Finder<'static>>>>);

impl Requirements {
    /// What the filters of a look require, as far as that is little.
    pub(super) fn of(look: &Look) -> Self {
        let Some(filters) = &look.filters else { return Self::default() };
        let kind = |filter: &Filter| Filter {
            resource: filter.resource.clone(),
            verbs: filter.verbs,
            subresources: filter.subresources,
            ..Filter::default()
        };
        let all = alternatives(filters.iter().map(Filter::requirements));
        let alternatives =
            all.or_else(|| alternatives(filters.iter().map(|filter| kind(filter).requirements())));
        let finders = |set: Vec<String>| set.iter().map(|text| Finder::new(text).into_owned()).collect();
        let alternative = |sets: Vec<Vec<String>>| sets.into_iter().map(finders).collect();
        Self(alternatives.into_iter().flatten().map(alternative).collect())
    }

    /// Whether a line that spells no letters as escapes may be of use.
    pub(super) fn may_meet(&self, line: &[u8]) -> bool {
        let holds = |set: &Vec<Finder<'_>>| set.iter().any(|finder| finder.find(line).is_some());
        self.0.is_empty() || self.0.iter().any(|sets| sets.iter().all(holds))
    }
}

/// What differs of these, without sets that are large; `None` if that is too many, or one of them requires nothing.
fn alternatives(filters: impl Iterator<Item = Vec<Literals>>) -> Option<BTreeSet<Vec<Vec<String>>>> {
    let mut alternatives = BTreeSet::new();
    for sets in filters {
        let sets = sets.iter().filter_map(Literals::as_slice).filter(|set| set.len() <= LARGEST);
        let sets: Vec<Vec<String>> = sets.map(<[String]>::to_vec).collect();
        if sets.is_empty() {
            return None;
        }
        alternatives.insert(sets);
        if alternatives.len() > MOST {
            return None;
        }
    }
    Some(alternatives)
}

#[cfg(test)]
mod tests {
    use audit_who_event::glob::Glob;

    use super::*;

    fn patches(user: &str) -> Filter {
        Filter {
            username: Some(Glob::new(user)),
            resource: Some("nodes".to_owned()),
            verbs: &["patch", "update"],
            ..Filter::default()
        }
    }

    fn of(filters: Vec<Filter>) -> Requirements {
        Requirements::of(&Look::for_filters(filters))
    }

    #[test]
    fn a_line_must_hold_one_of_each_set_of_one_alternative() {
        let made = Filter { uid: Some("u-1".to_owned()), verbs: &["create"], ..Filter::default() };
        let both = of(vec![patches("robot"), made]);
        for (line, expected) in [
            ("robot patch nodes", true),
            ("nodes update robot", true),
            ("robot create pods", false),
            ("nodes create robot u-1", true),
            ("patch nodes u-1", false),
        ] {
            assert_eq!(both.may_meet(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn of_many_alternatives_their_kinds_are_required() {
        let many = of((0..100).map(|user| patches(&format!("user-{user}"))).collect());
        assert!(many.may_meet(b"somebody patch nodes"));
        assert!(!many.may_meet(b"user-7 create pods"));
    }

    #[test]
    fn who_requires_nothing_may_be_met_by_every_line() {
        for requirements in [
            of(vec![patches("robot"), Filter::default()]),
            Requirements::of(&Look::everything()),
            of(Vec::new()),
        ] {
            assert!(requirements.may_meet(b"x"));
        }
    }
}
