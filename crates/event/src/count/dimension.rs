//! By what requests are counted.

use std::fmt::Write;

use crate::client;
use crate::event::Event;
use crate::note::Fields;
use crate::subject;

/// What stands where an entry says nothing.
pub(crate) const NONE: &str = "-";

/// Stands between the parts of an API's key. None of them but the last, the user name, can hold it.
pub(crate) const SEPARATOR: char = '\u{1f}';

/// How many bytes of a key are kept; a longer one ends in `…` and shares its sums with those that begin the same.
const MAX_KEY: usize = 512;

/// Every stage that a counted entry can have.
const STAGES: &[&str] = &["ResponseComplete", "ResponseStarted", "Panic"];

/// A property of requests by which they are counted.
#[derive(Debug)]
pub struct Dimension {
    /// Name, as on the command line and in the output.
    pub name: &'static str,
    /// What one row stands for.
    pub one: &'static str,
    /// What several rows stand for.
    pub many: &'static str,
    /// What is counted, in words: one, and several.
    pub counted: [&'static str; 2],
    /// Writes the key of an event; says whether the event counts at all.
    key: fn(&Event<'_>, &mut String) -> bool,
    /// The fields that the key is made of, but for those that are details.
    pub(crate) heeds: Fields,
    /// Whether the key has parts, in the order of [`Api`](super::Api).
    pub(crate) is_api: bool,
    /// Whether the key is made of addresses or annotations.
    pub(crate) uses_details: bool,
    /// Of these one stands in every line that counts.
    pub(crate) literals: &'static [&'static str],
}

impl Dimension {
    /// All of them: first those of `top`, then that of `deprecated`.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        ALL.iter().chain(DEPRECATED)
    }

    /// Puts an event's key into `key`, in the place of what was there; `false` if the event does not count.
    pub fn write_key(&self, event: &Event<'_>, key: &mut String) -> bool {
        key.clear();
        let counts = (self.key)(event, key);
        if key.len() > MAX_KEY {
            key.truncate(key.floor_char_boundary(MAX_KEY));
            key.push('…');
        }
        counts
    }
}

/// A dimension that every request has.
const fn of_all(
    name: &'static str,
    one: &'static str,
    heeds: Fields,
    key: fn(&Event<'_>, &mut String) -> bool,
) -> Dimension {
    Dimension {
        name,
        one,
        many: name,
        counted: ["request", "requests"],
        key,
        heeds,
        is_api: false,
        uses_details: false,
        literals: STAGES,
    }
}

/// By what `top` counts.
pub(crate) const ALL: &[Dimension] = &[
    of_all("users", "user", Fields::USER, |event, key| {
        put(key, &event.user.username);
        if let Some(other) = &event.impersonated_user {
            key.push_str(" (acting as ");
            put(key, &other.username);
            key.push(')');
        }
        true
    }),
    of_all("verbs", "verb", Fields::VERB, |event, key| put(key, &event.verb)),
    of_all("resources", "resource", Fields::RESOURCE.and(Fields::SUBRESOURCE), |event, key| {
        let Some(object) = &event.object_ref else { return put(key, "") };
        put(key, &object.resource);
        let (group, _) = group_version(event);
        for (mark, part) in [('.', group), ('/', object.subresource.as_ref())] {
            if !part.is_empty() {
                key.push(mark);
                key.push_str(part);
            }
        }
        true
    }),
    of_all("namespaces", "namespace", Fields::NAMESPACE, |event, key| {
        put(key, event.object_ref.as_ref().map_or("", |object| object.namespace.as_ref()))
    }),
    of_all("clients", "client", Fields::CLIENT, |event, key| {
        client::write_client(&event.user_agent, key) || put(key, "")
    }),
    of_all("codes", "code", Fields::CODE, |event, key| match event.code() {
        0 => put(key, ""),
        // Writing to a String can't fail.
        code => write!(key, "{code}").is_ok(),
    }),
    Dimension {
        uses_details: true,
        ..of_all("hosts", "host", Fields::NONE, |event, key| {
            // All but the last can be set by the client.
            put(key, event.source_ips.last().map_or("", AsRef::as_ref))
        })
    },
];

/// By what `deprecated` counts: the API, the user, and the program.
///
/// The API server marks the last entry of such a request
/// ([source](https://github.com/kubernetes/apiserver/blob/master/pkg/endpoints/metrics/metrics.go)).
pub(crate) const DEPRECATED: &[Dimension] = &[Dimension {
    name: "apis",
    one: "use",
    many: "uses",
    counted: ["request to a deprecated API", "requests to deprecated APIs"],
    key: |event, key| {
        let (Some(object), Some("true")) = (&event.object_ref, event.annotation("k8s.io/deprecated")) else {
            return false;
        };
        let (group, version) = group_version(event);
        let release = event.annotation("k8s.io/removed-release").unwrap_or_default();
        for part in [group, version, object.resource.as_ref(), object.subresource.as_ref(), release] {
            key.push_str(part);
            key.push(SEPARATOR);
        }
        client::write_client(&event.user_agent, key);
        key.push(SEPARATOR);
        ALL.iter().find(|dimension| dimension.name == "users").is_some_and(|users| (users.key)(event, key))
    },
    heeds: Fields::RESOURCE.and(Fields::SUBRESOURCE).and(Fields::CLIENT).and(Fields::USER),
    is_api: true,
    uses_details: true,
    // The name of the annotation but for its slash; `k8s.io` alone stands in every entry.
    literals: &["deprecated"],
}];

/// API group and version; v1alpha1 entries have both in one field.
fn group_version<'e>(event: &'e Event<'_>) -> (&'e str, &'e str) {
    let Some(object) = &event.object_ref else { return ("", "") };
    let version = object.api_version.rsplit('/').next().unwrap_or_default();
    (subject::group(object), version)
}

fn put(key: &mut String, text: &str) -> bool {
    key.push_str(if text.is_empty() { NONE } else { text });
    true
}
