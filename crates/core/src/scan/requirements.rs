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

/// What stands in every line of the legacy text form. What follows it, `id="`, may be spelled as escapes.
const LEGACY: &[u8] = b"AUDIT: ";

/// Alternatives, of which a line must meet one to be of use. Without any, every line may be.
///
/// A line that spells letters as escapes may hold them otherwise, and is not to be held against this.
#[derive(Default)]
pub(crate) struct Requirements {
    alternatives: Vec<Required<Finder<'static>>>,
    legacy: Option<Finder<'static>>,
}

/// What one filter requires of a line.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord)]
struct Required<T> {
    /// The resource, if it is a word of its own.
    resource: Option<T>,
    /// One of each of these.
    sets: Vec<Vec<T>>,
}

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
        let all = alternatives(filters.iter().map(required));
        let alternatives = all.or_else(|| alternatives(filters.iter().map(|filter| required(&kind(filter)))));
        let finder = |text: &String| Finder::new(text).into_owned();
        let finders = |required: &Required<String>| Required {
            resource: required.resource.as_ref().map(finder),
            sets: required.sets.iter().map(|set| set.iter().map(finder).collect()).collect(),
        };
        let alternatives = alternatives.iter().flatten().map(finders).collect();
        Self { alternatives, legacy: Some(Finder::new(LEGACY)) }
    }

    /// Whether a line that spells no letters as escapes may be of use.
    pub(super) fn may_meet(&self, line: &[u8]) -> bool {
        let holds = |set: &Vec<Finder<'_>>| set.iter().any(|finder| finder.find(line).is_some());
        let meets = |required: &Required<Finder<'_>>| {
            required.sets.iter().all(holds)
                && required.resource.as_ref().is_none_or(|resource| self.tells(line, resource))
        };
        self.alternatives.is_empty() || self.alternatives.iter().any(meets)
    }

    /// Whether a line may tell of a request about a resource. Its reference holds the word as a whole, behind a quote however that
    /// is spelled; what is behind a colon is another word, as in the group `system:nodes` of every kubelet. What lies in a path
    /// behind it, as everything does behind `namespaces`, is told by its URI, which is asked in the legacy form alone.
    fn tells(&self, line: &[u8], resource: &Finder<'_>) -> bool {
        let mut is_in_path = false;
        for at in resource.find_iter(line) {
            match (line[..at].last(), line.get(at + resource.needle().len())) {
                (Some(b':'), _) => {}
                (_, Some(b'/')) => is_in_path = true,
                _ => return true,
            }
        }
        is_in_path && self.legacy.as_ref().is_some_and(|legacy| legacy.find(line).is_some())
    }
}

fn required(filter: &Filter) -> Required<String> {
    let is_word = |text: &&String| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let resource = filter.resource.as_ref().filter(is_word).cloned();
    let others =
        Filter { resource: filter.resource.clone().filter(|_| resource.is_none()), ..filter.clone() };
    let sets = others.requirements();
    let sets = sets.iter().filter_map(Literals::as_slice).filter(|set| set.len() <= LARGEST);
    Required { resource, sets: sets.map(<[String]>::to_vec).collect() }
}

/// What differs of these; `None` if that is too many, or one of them requires nothing.
fn alternatives(all: impl Iterator<Item = Required<String>>) -> Option<BTreeSet<Required<String>>> {
    let mut alternatives = BTreeSet::new();
    for required in all {
        if required == Required::default() {
            return None;
        }
        alternatives.insert(required);
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
    fn a_resource_in_front_of_a_slash_is_a_path_that_something_else_is_in() {
        let namespaces = of(vec![Filter { resource: Some("namespaces".to_owned()), ..Filter::default() }]);
        for (line, expected) in [
            (r#"{"requestURI":"/api/v1/namespaces/shop/pods","objectRef":{"resource":"pods"}}"#, false),
            (r#"{"requestURI":"/api/v1/namespaces/shop","objectRef":{"resource":"namespaces"}}"#, true),
            (
                r#"{"requestURI":"/api/v1/namespaces/shop/status","objectRef":{"resource" : "namespaces" }}"#,
                true,
            ),
            (
                r#"{"log":"{\"requestURI\":\"/api/v1/namespaces/a\",\"objectRef\":{\"resource\":\"namespaces\"}}"}"#,
                true,
            ),
            (r#"{"log":"{\u0022resource\u0022:\u0022namespaces\u0022}"}"#, true),
            (r#"{"requestURI":"\/api\/v1\/namespaces\/shop\/pods"}"#, true),
            (r#"{"log":"2026-11-23T06:58:08Z AUDIT: id=\"x\" uri=\"/api/v1/namespaces/shop\""}"#, true),
            (r#"{"log":"2026-11-23T06:58:08Z AUDIT: id=\"x\" uri=\"/api/v1/nodes/n1\""}"#, false),
            ("namespaces", true),
            ("namespaces/", false),
            (r#"{"user":{"groups":["system:namespaces","system:authenticated"]}}"#, false),
            (r#"{"groups":["system:namespaces"],"objectRef":{"resource":"namespaces"}}"#, true),
        ] {
            assert_eq!(namespaces.may_meet(line.as_bytes()), expected, "{line}");
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
