//! Which entries can tell anything to a case, whatever it asks.

use crate::case::controllers::{Component, NODE_LIFECYCLE};
use crate::case::fact::Fact;
use crate::event::Event;
use crate::share::{Kind, Share};

/// Of reads that fail, only those matter by which an object is known to be gone.
const MISSING: u16 = 404;

/// Without bodies there is nothing in a Kubernetes Event, nor in some changes.
const WITHOUT_BODIES: &str = "Metadata";

/// Whether the entry is the end of a request that may change an object, or shows that one is gone. With `reads`, those
/// that reveal something matter too, and long-running ones from their start.
///
/// A failed authentication has one entry only, of stage `ResponseStarted`
/// ([source](https://github.com/kubernetes/apiserver/blob/master/pkg/endpoints/filters/authn_audit.go)).
pub fn matters(event: &Event<'_>, reads: bool) -> bool {
    let code = event.code();
    let started = event.stage == "ResponseStarted" && (reads || code >= 400);
    let ended = matches!(event.stage.as_ref(), "ResponseComplete" | "Panic") || started;
    let changes = is_change(&event.verb);
    let missing = event.verb == "get" && code == MISSING;
    let Some(object) = &event.object_ref else { return false };
    ended && (reads || changes || missing) && !is_routine(&object.resource, &object.subresource)
}

/// What components write all the time, and what no rule looks at.
fn is_routine(resource: &str, subresource: &str) -> bool {
    resource == "leases" || subresource == "status" && !matches!(resource, "pods" | "nodes" | "namespaces")
}

/// Kubernetes Events that no rule looks at, and a node's report on itself.
pub(super) fn is_idle_talk(fact: &Fact, level: &str) -> bool {
    let preempted = || fact.detail.note.as_ref().is_some_and(|(reason, ..)| reason == "Preempted");
    let idle_event = fact.key.resource == "events" && (level == WITHOUT_BODIES || !preempted());
    let report = is_report(&fact.key.group, &fact.key.resource, &fact.subresource)
        && fact.component != Some(Component::NodeLifecycle);
    idle_event || report
}

fn is_report(group: &str, resource: &str, subresource: &str) -> bool {
    group.is_empty() && resource == "nodes" && subresource == "status"
}

/// Whether an entry is a change of an object itself whose bodies are not recorded.
pub(super) fn is_change_without_body(verb: &str, subresource: &str, level: &str) -> bool {
    matches!(verb, "update" | "patch") && subresource.is_empty() && level == WITHOUT_BODIES
}

/// Which entries of a kind [`matters`] and [`is_idle_talk`] leave; it may be more, never fewer.
pub(super) fn share(kind: &Kind<'_>, reads: bool) -> Share {
    let talk = kind.resource == "events" && kind.level == WITHOUT_BODIES;
    if talk || is_routine(kind.resource, kind.subresource) {
        return Share::None;
    }
    let of_stage = match kind.stage {
        "ResponseComplete" | "Panic" => Share::All,
        "ResponseStarted" if reads => Share::All,
        "ResponseStarted" => Share::Failed,
        _ => Share::None,
    };
    let of_verb = match kind.verb {
        _ if reads || is_change(kind.verb) => Share::All,
        "get" => Share::Code(MISSING),
        _ => Share::None,
    };
    let is_report = is_report(kind.group, kind.resource, kind.subresource);
    let of_object = if is_report { Share::By(NODE_LIFECYCLE) } else { Share::All };
    // Of several the one that holds least: what another would leave out of it is left out later.
    of_stage.min(of_verb).min(of_object)
}

fn is_change(verb: &str) -> bool {
    matches!(verb, "create" | "update" | "patch" | "delete" | "deletecollection")
}
