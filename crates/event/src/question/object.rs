//! Questions about objects of every kind.

use crate::case::difference::differences;
use crate::case::fact::Fact;
use crate::case::requests::{CHANGE, Request};
use crate::case::workload;
use crate::question::workload::SCALED;
use crate::question::{Story, Told};

/// Changes that are named one by one; more are counted.
const NAMED: usize = 12;

pub(crate) const CREATED: Request = Request {
    verbs: &["create"],
    tell: |story| Told::recorded(format!("created {}", story.fact.key)),
    behind: workload::behind_creation,
    ..CHANGE
};

pub(crate) const CHANGED: Request = Request { bodies: true, tell: changed, ..CHANGE };

pub(crate) const LABELED: Request = Request {
    tell: |story| marked(story, "labeled", &story.fact.detail.labels_asked, "kubectl-label"),
    ..CHANGE
};

pub(crate) const ANNOTATED: Request = Request {
    tell: |story| marked(story, "annotated", &story.fact.detail.annotations_asked, "kubectl-annotate"),
    ..CHANGE
};

pub(crate) const DENIED: Request =
    Request { verbs: &[], subresources: &[], reads: true, tell: denied, ..CHANGE };

pub(crate) const TOUCHED: Request = Request {
    verbs: &[],
    subresources: &[],
    reads: true,
    tell: |story| Told::recorded(asked(story.fact)),
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
    let Some(changes) = changes(story) else {
        let mut told = Told::recorded(format!("changed {}", fact.key))?;
        told.notes.push("the level hides which fields".to_owned());
        return Some(told);
    };
    // A request that changes nothing is answered like one that does.
    (!changes.is_empty()).then(|| Told::recorded(format!("changed {}: {}", fact.key, listed(&changes))))?
}

/// The fields that a request changed, or asked for where the state before is not recorded; `None` without bodies.
fn changes(story: &Story<'_, '_>) -> Option<Vec<String>> {
    let fact = story.fact;
    let bodies = fact.bodies.as_ref()?;
    let before =
        story.earlier.iter().rev().filter(|earlier| earlier.succeeded() && earlier.subresource.is_empty());
    let before = before.filter_map(|earlier| earlier.bodies.as_ref()?.response.as_deref()).next();
    match (before, bodies.response.as_deref()) {
        (Some(before), Some(after)) => differences(before, after),
        _ => differences("{}", bodies.request.as_deref()?),
    }
}

fn listed(changes: &[String]) -> String {
    let named = changes.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    match changes.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named}; and {more} more fields"),
    }
}

/// Labels or annotations that a request sets or removes; labels only where they were not so before.
fn marked(
    story: &Story<'_, '_>,
    did: &str,
    asked: &[(String, Option<String>)],
    manager: &str,
) -> Option<Told> {
    let fact = story.fact;
    let labels = story
        .earlier
        .iter()
        .rev()
        .filter(|fact| fact.succeeded())
        .find_map(|fact| fact.detail.labels.as_ref());
    let before = labels.filter(|_| did == "labeled");
    let is_new = |(name, value): &&(String, Option<String>)| {
        let was = before.map(|labels| labels.iter().find(|(own, _)| own == name).map(|(_, value)| value));
        was.is_none_or(|was| was != value.as_ref())
    };
    let written = |(name, value): &(String, Option<String>)| match value {
        Some(value) => format!("{name}={value}"),
        None => format!("{name}-"),
    };
    let marks: Vec<String> = asked.iter().filter(is_new).map(written).collect();
    if !marks.is_empty() {
        return Told::recorded(format!("{did} {} {}", fact.key, marks.join(" ")));
    }
    let by_manager = !fact.body_recorded && fact.field_manager().as_deref() == Some(manager);
    by_manager.then(|| {
        Told::inferred(format!("{did} {}", fact.key), "told by kubectl's field manager [rule: field-manager]")
    })?
}

/// The request that was refused, in RBAC's words: verb and resource.
fn denied(story: &Story<'_, '_>) -> Option<Told> {
    matches!(story.fact.code, 401 | 403).then(|| Told::recorded(asked(story.fact)))?
}

/// `sent patch pods/eviction for pod drain/web-1`.
fn asked(fact: &Fact) -> String {
    let sub = if fact.subresource.is_empty() { String::new() } else { format!("/{}", fact.subresource) };
    format!("sent {} {}{sub} for {}", fact.verb, fact.key.resource, fact.key)
}

fn lived(story: &Story<'_, '_>) -> Option<Told> {
    let fact = story.fact;
    match (fact.verb.as_str(), fact.subresource.as_str()) {
        ("create", "") => Told::recorded(format!("created {}", fact.key)),
        ("create", "eviction") => Told::recorded(format!("evicted {}", fact.key)),
        ("create", "binding") => {
            let node = fact.detail.node.as_deref().unwrap_or("a node");
            Told::recorded(format!("bound {} to {node}", fact.key))
        }
        ("delete", _) => Told::recorded(format!("deleted {}", fact.key)),
        (_, "scale") => (SCALED.tell)(story),
        _ => changed(story),
    }
}
