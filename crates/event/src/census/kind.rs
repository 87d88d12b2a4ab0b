//! Kinds of requests.

use std::fmt;

use super::rows::Seen;
use crate::event::Event;
use crate::filter::Filter;
use crate::literals::Literals;
use crate::subject::{self, group_of_today};

/// Verbs of which every entry tells, so that searching for them selects little.
const RARE_VERBS: &[&str] = &["delete", "deletecollection"];

/// Requests that are alike, whatever object they are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    /// API groups, any of them; empty for all.
    pub groups: Vec<String>,
    /// Plural resource name; `None` for all.
    pub resource: Option<String>,
    /// Subresources, any of them, the object itself being the empty one; empty for all.
    pub subresources: &'static [&'static str],
    /// Verbs, any of them; empty for all.
    pub verbs: &'static [&'static str],
    /// Whether the answer stands in bodies, which the level `Metadata` leaves out.
    pub needs_bodies: bool,
}

impl Kind {
    /// Whether an event is of this kind.
    pub fn is_of(&self, event: &Event<'_>) -> bool {
        let Some(object) = &event.object_ref else { return false };
        self.is(subject::group(object), &object.resource, &object.subresource, &event.verb)
    }

    /// Whether counted entries are of this kind.
    pub fn is_seen_in(&self, seen: &Seen) -> bool {
        self.is(&seen.api_group, &seen.resource, &seen.subresource, &seen.verb)
    }

    fn is(&self, group: &str, resource: &str, subresource: &str, verb: &str) -> bool {
        let group = group_of_today(group, resource);
        (self.verbs.is_empty() || self.verbs.contains(&verb))
            && (self.subresources.is_empty() || self.subresources.contains(&subresource))
            && self.resource.as_ref().is_none_or(|own| own == resource)
            && (self.groups.is_empty() || self.groups.iter().any(|own| own == group))
    }

    /// A condition that every event of this kind meets.
    pub(super) fn filter(&self) -> Filter {
        Filter {
            groups: self.groups.clone(),
            resource: self.resource.clone(),
            verbs: self.verbs,
            ..Filter::default()
        }
    }

    /// Strings of which one is in every line of this kind: the rarest sort that it has.
    pub(super) fn literals(&self) -> Literals {
        let any_of = |words: &[&str]| Literals::any_of(words.iter().map(ToString::to_string));
        if !self.subresources.is_empty() && self.subresources.iter().all(|name| !name.is_empty()) {
            any_of(self.subresources)
        } else if !self.verbs.is_empty() && self.verbs.iter().all(|verb| RARE_VERBS.contains(verb)) {
            any_of(self.verbs)
        } else if let Some(resource) = &self.resource {
            any_of(&[resource])
        } else {
            Literals::everything()
        }
    }
}

/// `create pods/eviction`, `update or patch deployments`.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resource = self.resource.as_deref().unwrap_or("objects");
        if !self.verbs.is_empty() {
            write!(f, "{} ", self.verbs.join(" or "))?;
        }
        let name = |sub: &&str| {
            if sub.is_empty() { resource.to_owned() } else { format!("{resource}/{sub}") }
        };
        match self.subresources {
            [] => f.write_str(resource),
            some => f.write_str(&some.iter().map(name).collect::<Vec<_>>().join(" or ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_looked_for_by_its_rarest_word() {
        let pods = Kind { resource: Some("pods".to_owned()), ..Kind::default() };
        let eviction = Kind { subresources: &["eviction"], verbs: &["create"], ..pods.clone() };
        let delete = Kind { subresources: &[""], verbs: &["delete", "deletecollection"], ..pods.clone() };
        let words = |kind: &Kind| kind.literals().as_slice().map(<[String]>::to_vec);
        assert_eq!(words(&eviction), Some(vec!["eviction".to_owned()]));
        assert_eq!(words(&delete), Some(vec!["delete".to_owned()]));
        assert_eq!(words(&pods), Some(vec!["pods".to_owned()]));
        assert_eq!(words(&Kind::default()), None);
        assert_eq!(eviction.to_string(), "create pods/eviction");
        assert_eq!(delete.to_string(), "delete or deletecollection pods");
        assert_eq!(Kind { subresources: &["", "scale"], ..pods }.to_string(), "pods or pods/scale");
    }
}
