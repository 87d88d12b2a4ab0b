//! One value of an option, and which requests it fits.

use std::fmt;

use crate::case::fact::Fact;
use crate::filter::run_of;
use crate::glob::Glob;
use crate::resource::Resource;
use crate::selection::Field;
use crate::subject::group_of_today;

/// What a value must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// A text with `*`.
    Text(Glob),
    /// A resource.
    Resource(ResourcePattern),
    /// An HTTP status.
    Code(CodeRange),
}

/// A resource, as `RESOURCE[.GROUP][/SUBRESOURCE]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourcePattern {
    /// Plural resource name.
    pub resource: Glob,
    /// API group; `None` for all of them, with the core group.
    pub group: Option<Glob>,
    /// Subresource; `None` for the object itself and all of its subresources.
    pub subresource: Option<Glob>,
}

/// HTTP statuses between two, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeRange {
    /// The lowest.
    pub from: u16,
    /// The highest.
    pub until: u16,
}

impl CodeRange {
    const ALL: Self = Self { from: 0, until: 999 };
}

impl Pattern {
    /// Reads the value of a field's option; an error says what is wrong with it.
    pub(super) fn parse(field: Field, text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("nothing is given".to_owned());
        }
        match field {
            Field::Resource => resource(text).map(Self::Resource),
            Field::Code => code(text).map(Self::Code),
            _ => Ok(Self::Text(Glob::new(text))),
        }
    }

    /// Whether what stands in that field of a request fits; of several values one must.
    pub(super) fn fits(&self, field: Field, fact: &Fact) -> bool {
        match self {
            Self::Text(glob) => texts(field, fact).into_iter().any(|text| glob.matches(text)),
            Self::Resource(pattern) => pattern.fits(fact),
            Self::Code(range) => (range.from..=range.until).contains(&fact.code),
        }
    }

    /// The longest run of characters that a line with a fitting value holds as it is, empty if there is none; `None`
    /// where a value may be told from other words.
    pub(super) fn run(&self, field: Field) -> Option<String> {
        match self {
            Self::Text(glob) if field != Field::Client && field != Field::Verb => {
                Some(run_of(glob.longest_literal()).to_owned())
            }
            _ => None,
        }
    }
}

impl ResourcePattern {
    fn fits(&self, fact: &Fact) -> bool {
        self.resource.matches(&fact.key.resource)
            && self.group.as_ref().is_none_or(|group| group.matches(&fact.key.group))
            && self.subresource.as_ref().is_none_or(|sub| sub.matches(&fact.subresource))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(glob) => glob.fmt(f),
            Self::Resource(pattern) => {
                pattern.resource.fmt(f)?;
                if let Some(group) = &pattern.group {
                    write!(f, ".{group}")?;
                }
                pattern.subresource.as_ref().map_or(Ok(()), |sub| write!(f, "/{sub}"))
            }
            Self::Code(CodeRange::ALL) => f.write_str("*"),
            Self::Code(range) if range.from == range.until => range.from.fmt(f),
            Self::Code(range) => write!(f, "{}-{}", range.from, range.until),
        }
    }
}

/// What stands in a field of a request.
fn texts(field: Field, fact: &Fact) -> Vec<&str> {
    let actor = &fact.actor;
    let impersonated = actor.impersonated.as_ref();
    match field {
        Field::User => std::iter::once(&actor.username)
            .chain(impersonated.map(|identity| &identity.username))
            .map(String::as_str)
            .collect(),
        Field::Group => actor
            .groups
            .iter()
            .chain(impersonated.into_iter().flat_map(|identity| &identity.groups))
            .map(String::as_str)
            .collect(),
        Field::Client => actor.client.iter().chain(&actor.user_agent).map(String::as_str).collect(),
        Field::SourceIp => actor.source_ips.iter().map(String::as_str).collect(),
        Field::Verb => vec![&fact.verb],
        Field::AuditId => vec![&fact.audit_id],
        Field::Resource | Field::Code => Vec::new(),
    }
}

/// Short names and kinds mean the plural, as in targets; old groups mean the one of today.
fn resource(text: &str) -> Result<ResourcePattern, String> {
    let (object, subresource) =
        text.split_once('/').map_or((text, None), |(object, sub)| (object, Some(sub)));
    let (name, group) = object.split_once('.').map_or((object, None), |(name, group)| (name, Some(group)));
    if name.is_empty() {
        return Err("the resource is missing".to_owned());
    }
    if subresource.is_some_and(|sub| sub.contains('/')) {
        return Err("there is one `/` too many".to_owned());
    }
    let plural = Resource::named(name).map_or(name, |known| known.plural);
    Ok(ResourcePattern {
        resource: Glob::new(plural),
        group: group.map(|group| Glob::new(group_of_today(group, plural))),
        subresource: subresource.map(Glob::new),
    })
}

/// `404`, `4xx`, `200-299`, `*`.
fn code(text: &str) -> Result<CodeRange, String> {
    let status = |text: &str| -> Option<u16> {
        (text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
    };
    if text == "*" {
        return Ok(CodeRange::ALL);
    }
    if let Some((from, until)) = text.split_once('-') {
        let range = status(from).zip(status(until)).map(|(from, until)| CodeRange { from, until });
        let range = range.ok_or_else(|| "a range is two statuses of three digits".to_owned())?;
        return if range.from <= range.until {
            Ok(range)
        } else {
            Err("the range ends before it begins".to_owned())
        };
    }
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_end_matches('x');
    let bounds = [status(&lower.replace('x', "0")), status(&lower.replace('x', "9"))];
    match bounds {
        [Some(from), Some(until)] if !digits.is_empty() && !digits.contains('x') => {
            Ok(CodeRange { from, until })
        }
        _ => Err("a status has three digits".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::case::actors::actor_of;
    use crate::case::detail::Reading;
    use crate::event::{Event, ObjectRef, ResponseStatus, User};
    use crate::fold::Address;
    use crate::subject::Key;

    fn fact() -> Fact {
        let event = Event {
            audit_id: "a-1".into(),
            verb: "create".into(),
            user: User {
                username: "lea".into(),
                groups: vec!["dev".into(), "ops".into()],
                ..User::default()
            },
            impersonated_user: Some(User {
                username: "maria".into(),
                groups: vec!["platform".into()],
                ..User::default()
            }),
            source_ips: vec!["10.1.2.3".into(), "192.0.2.17".into()],
            user_agent: "kubectl/v1.34.1 (linux/amd64)".into(),
            object_ref: Some(ObjectRef {
                resource: "pods".into(),
                namespace: "shop".into(),
                name: "web-1".into(),
                subresource: "eviction".into(),
                ..ObjectRef::default()
            }),
            response_status: Some(ResponseStatus { code: 429, ..ResponseStatus::default() }),
            ..Event::default()
        };
        let key = Key::of(&event).expect("an object");
        Fact::of(
            &event,
            Arc::new(key),
            Address { source: 0, offset: 0, length: 0 },
            Arc::new(actor_of(&event)),
            Reading::default(),
        )
    }

    #[test]
    fn values_fit_by_field() {
        let fact = fact();
        for (field, text, fits) in [
            (Field::User, "lea", true),
            (Field::User, "maria", true),
            (Field::User, "le", false),
            (Field::Group, "ops", true),
            (Field::Group, "plat*", true),
            (Field::Client, "kubectl", true),
            (Field::Client, "kubectl/v1.34.*", true),
            (Field::Client, "kube", false),
            (Field::SourceIp, "10.*", true),
            (Field::SourceIp, "192.0.2.17", true),
            (Field::SourceIp, "192.0.2.1", false),
            (Field::Verb, "c*", true),
            (Field::AuditId, "a-1", true),
            (Field::Resource, "pods", true),
            (Field::Resource, "po", true),
            (Field::Resource, "Pod", true),
            (Field::Resource, "pods/eviction", true),
            (Field::Resource, "pods/", false),
            (Field::Resource, "pods.", true),
            (Field::Resource, "pods.metrics.k8s.io", false),
            (Field::Resource, "*/eviction", true),
            (Field::Resource, "*.apps", false),
            (Field::Code, "429", true),
            (Field::Code, "4xx", true),
            (Field::Code, "42X", true),
            (Field::Code, "400-428", false),
            (Field::Code, "*", true),
        ] {
            let pattern = Pattern::parse(field, text).expect(text);
            assert_eq!(pattern.fits(field, &fact), fits, "{field:?} {text}");
        }
    }

    #[test]
    fn old_groups_mean_the_one_of_today() {
        let of = |text| Pattern::parse(Field::Resource, text).expect(text).to_string();
        assert_eq!(of("deploy.extensions/scale"), "deployments.apps/scale");
        assert_eq!(of("whales.example.com"), "whales.example.com");
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for (field, text) in [
            (Field::Code, "4"),
            (Field::Code, "x4x"),
            (Field::Code, "xxx"),
            (Field::Code, "4x4"),
            (Field::Code, "+404"),
            (Field::Code, "40\u{b2}"),
            (Field::Code, "4xx-5xx"),
            (Field::Code, "499-400"),
            (Field::Code, "ok"),
            (Field::Resource, "/eviction"),
            (Field::Resource, ".apps"),
            (Field::Resource, "pods/a/b"),
            (Field::User, ""),
        ] {
            assert!(Pattern::parse(field, text).is_err(), "{field:?} {text}");
        }
    }
}
