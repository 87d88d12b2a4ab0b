//! Questions about objects of every kind.

use serde_json::Value;

use crate::answer::Outcome;
use crate::case::creation;
use crate::case::difference::{Difference, differences};
use crate::case::fact::Fact;
use crate::case::requests::{CHANGE, Collections, Request};
use crate::question::workload::SCALED;
use crate::question::{Story, Told};

/// Changes that are named one by one; more are counted.
const NAMED: usize = 12;

/// What `kubectl apply` keeps for itself, and nobody sets.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

pub(crate) const CREATED: Request = Request {
    verbs: &["create"],
    tell: |story| Some(Told::recorded(format!("created {}", story.fact.key))),
    behind: creation::behind_creation,
    ..CHANGE
};

pub(crate) const CHANGED: Request = Request { bodies: true, tell: changed, ..CHANGE };

pub(crate) const LABELED: Request = Request {
    tell: |story| marked(story, "labeled", &story.fact.detail.labels_asked, labels_before, "kubectl-label"),
    ..CHANGE
};

pub(crate) const ANNOTATED: Request = Request {
    bodies: true,
    tell: |story| {
        marked(
            story,
            "annotated",
            &story.fact.detail.annotations_asked,
            annotations_before,
            "kubectl-annotate",
        )
    },
    ..CHANGE
};

pub(crate) const DENIED: Request = Request {
    verbs: &[],
    subresources: &[],
    codes: &[401, 403],
    reads: true,
    collections: Collections::All,
    alone: true,
    tell: denied,
    outcome: Outcome::Denied,
    ..CHANGE
};

pub(crate) const TOUCHED: Request = Request {
    verbs: &[],
    subresources: &[],
    reads: true,
    tell: |story| Some(Told::recorded(asked(story.fact))),
    ..CHANGE
};

pub(crate) const HISTORY: Request = Request {
    verbs: &["create", "update", "patch", "delete"],
    subresources: &["", "scale", "eviction", "binding", "ephemeralcontainers"],
    bodies: true,
    tell: lived,
    ..CHANGE
};

fn changed(story: &Story<'_, '_>) -> Option<Told> {
    let fact = story.fact;
    let Some(bodies) = fact.bodies.as_ref().filter(|_| fact.body_recorded) else {
        let mut told = Told::recorded(format!("changed {}", fact.key));
        told.notes.push("the level hides which fields, if any".to_owned());
        return Some(told);
    };
    let request = bodies.request.as_deref();
    let asked = request.and_then(|request| differences("{}", request));
    let before = last_state(story);
    let changes =
        before.zip(bodies.response.as_deref()).and_then(|((_, before), after)| differences(before, after));
    let (Some((earlier, _)), Some(changes)) = (before, changes) else {
        // Without a state before, what was asked for is all that can be told.
        let asked = asked.map(|asked| format!("{}: set {}", fact.key, listed(&asked)));
        let mut told = Told::recorded(format!("changed {}", asked.unwrap_or_else(|| fact.key.to_string())));
        told.notes.extend(story.inquiry.doubt_before());
        return Some(told);
    };
    let own = own_changes(fact, request, changes);
    // A request that changes nothing is answered like one that does.
    if own.is_empty() {
        return None;
    }
    let did = format!("changed {}: {}", fact.key, listed(&own));
    if fact.verb == "patch" || fact.is_next_after(earlier) {
        return Some(Told::recorded(did));
    }
    let note = "others may have changed some of it since the last recorded state [rule: state-before]";
    Some(Told::inferred(did, note))
}

/// The last earlier entry that shows the whole object.
fn last_state<'s>(story: &Story<'s, '_>) -> Option<(&'s Fact, &'s str)> {
    let mut shown =
        story.earlier.iter().rev().filter(|earlier| earlier.succeeded() && earlier.subresource.is_empty());
    shown.find_map(|earlier| Some((*earlier, earlier.bodies.as_ref()?.response.as_deref()?)))
}

/// Of all that changed since the last recorded state, what this request asked for: others may have changed the rest.
fn own_changes(fact: &Fact, request: Option<&str>, changes: Vec<Difference>) -> Vec<Difference> {
    let Some(asked) = request.filter(|_| fact.verb == "patch").and_then(patched) else { return changes };
    let within = |inner: &str, outer: &str| {
        let rest = inner.strip_prefix(outer);
        outer.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let is_own = |change: &Difference| {
        asked.iter().any(|asked| within(&change.path, asked) || within(asked, &change.path))
    };
    changes.into_iter().filter(is_own).collect()
}

/// The fields that a patch names. A list whose elements have no names is replaced as a whole.
fn patched(request: &str) -> Option<Vec<String>> {
    #[derive(serde::Deserialize)]
    struct Operation {
        op: String,
        path: String,
    }
    if let Ok(operations) = serde_json::from_str::<Vec<Operation>>(request) {
        let changing = operations.iter().filter(|operation| operation.op != "test");
        return Some(changing.map(|operation| field_of(&operation.path)).collect());
    }
    let is_place = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    let whole = |path: &str| {
        let place = path.match_indices('[').find(|(at, _)| is_place(&path[at + 1..]));
        path[..place.map_or(path.len(), |(at, _)| at)].to_owned()
    };
    Some(differences("{}", request)?.iter().map(|difference| whole(&difference.path)).collect())
}

/// The field that a JSON pointer leads to, or the list on the way to it.
fn field_of(pointer: &str) -> String {
    let is_name = |part: &&str| *part != "-" && part.parse::<usize>().is_err();
    let names = pointer.split('/').skip(1).take_while(is_name);
    names.map(|name| name.replace("~1", "/").replace("~0", "~")).collect::<Vec<_>>().join(".")
}

fn listed(changes: &[Difference]) -> String {
    let named = changes.iter().take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join("; ");
    match changes.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named}; and {more} more fields"),
    }
}

/// Names and values.
type Marks = Vec<(String, String)>;

/// The labels that the object last had.
fn labels_before(story: &Story<'_, '_>) -> Option<Marks> {
    let mut earlier = story.earlier.iter().rev().filter(|earlier| earlier.succeeded());
    earlier.find_map(|earlier| earlier.detail.labels.as_deref().cloned())
}

/// The annotations that the object last had.
fn annotations_before(story: &Story<'_, '_>) -> Option<Marks> {
    let state: Value = serde_json::from_str(last_state(story)?.1).ok()?;
    let annotations = state["metadata"]["annotations"].as_object();
    let owned = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    Some(annotations.into_iter().flatten().filter_map(owned).collect())
}

/// Labels or annotations that a request sets or removes, where they were not so before.
fn marked(
    story: &Story<'_, '_>,
    did: &str,
    asked: &[(String, Option<String>)],
    before: fn(&Story<'_, '_>) -> Option<Marks>,
    manager: &str,
) -> Option<Told> {
    let fact = story.fact;
    if !fact.body_recorded {
        let note = "told by kubectl's field manager [rule: field-manager]";
        let by_manager = fact.field_manager() == Some(manager);
        return by_manager.then(|| Told::inferred(format!("{did} {}", fact.key), note));
    }
    let before = before(story);
    let was = |name: &str| before.iter().flatten().find(|(own, _)| own == name).map(|(_, value)| value);
    let is_new = |(name, value): &&(String, Option<String>)| {
        name != LAST_APPLIED && (before.is_none() || was(name) != value.as_ref())
    };
    let written = |(name, value): &(String, Option<String>)| match value {
        Some(value) => format!("{name}={value}"),
        None => format!("{name}-"),
    };
    let mut marks: Vec<String> = asked.iter().filter(is_new).map(written).collect();
    // An update carries them all: what it leaves out is removed.
    let is_gone = |name: &str| fact.verb == "update" && asked.iter().all(|(kept, _)| kept != name);
    marks.extend(
        before.iter().flatten().filter(|(name, _)| is_gone(name)).map(|(name, _)| format!("{name}-")),
    );
    let did = format!("{did} {} {}", fact.key, marks.join(" "));
    let doubt = "some may have been there: no state before is recorded [rule: state-before]";
    let mut told = if fact.verb == "update" && before.is_none() {
        // Most updates are about something else.
        Told { beside: true, ..Told::inferred(did, doubt) }
    } else {
        Told::recorded(did)
    };
    if before.is_none() {
        told.notes.extend(story.inquiry.doubt_before());
    }
    (!marks.is_empty()).then_some(told)
}

/// The request that was refused, in RBAC's words: verb and resource. One that names no object is an answer where all of a
/// kind are asked about; to one object it may matter.
///
/// What is to be created has its name in the body, which is decoded only after the request was let in
/// ([source](https://github.com/kubernetes/apiserver/blob/master/pkg/endpoints/handlers/create.go)).
fn denied(story: &Story<'_, '_>) -> Option<Told> {
    let (fact, target) = (story.fact, story.subject.target());
    let did = asked(fact);
    let Some(target) = target.filter(|_| fact.key.name.is_empty()) else {
        return Some(Told::recorded(did));
    };
    let is_there = target.namespace.as_ref().is_none_or(|namespace| namespace.matches(&fact.key.namespace));
    let note = match fact.verb.as_ref() {
        _ if is_there && target.name.is_any() => return Some(Told::recorded(did)),
        _ if target.name.is_any() => "it was about all namespaces [rule: refused-unnamed]",
        "create" => "it may have been this one that was to be created [rule: refused-unnamed]",
        "deletecollection" => "it may have been among them [rule: refused-unnamed]",
        _ => return None,
    };
    Some(Told { beside: true, ..Told::inferred(did, note) })
}

/// `sent create pods/eviction for pod drain/web-1`, `sent list pods of namespace drain`.
pub(crate) fn asked(fact: &Fact) -> String {
    match fact.subresource.as_ref() {
        "" => format!("sent {} {}", fact.verb, fact.key),
        sub => format!("sent {} {}/{sub} for {}", fact.verb, fact.key.resource, fact.key),
    }
}

fn lived(story: &Story<'_, '_>) -> Option<Told> {
    let fact = story.fact;
    match (fact.verb.as_ref(), fact.subresource.as_ref()) {
        ("create", "") => Some(Told::recorded(format!("created {}", fact.key))),
        ("create", "eviction") => Some(Told::recorded(format!("evicted {}", fact.key))),
        ("create", "binding") => {
            let node = fact.detail.node.as_deref().unwrap_or("a node");
            Some(Told::recorded(format!("bound {} to {node}", fact.key)))
        }
        ("delete", _) => Some(Told::recorded(format!("deleted {}", fact.key))),
        (_, "scale") => (SCALED.tell)(story),
        _ => changed(story),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_names_fields_and_whole_lists() {
        let merge = r#"{"spec":{"taints":[{"key":"a"}],"containers":[{"name":"app","image":"x"}]}}"#;
        let asked = patched(merge).unwrap();
        assert_eq!(asked, ["spec.containers[app].image", "spec.containers[app].name", "spec.taints"]);
        let json = r#"[{"op":"test","path":"/spec/replicas"},{"op":"add","path":"/spec/containers/0/image"},
            {"op":"remove","path":"/metadata/labels/a~1b"}]"#;
        assert_eq!(patched(json).unwrap(), ["spec.containers", "metadata.labels.a/b"]);
        assert_eq!(patched("7"), None);
    }
}
