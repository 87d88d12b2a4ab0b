//! Why objects were made: who asked their makers for it.

use crate::answer::{Certainty, Mechanism};
use crate::case::change::{AT_ONCE, Change, PROMPT, links};
use crate::case::fact::Fact;
use crate::case::growth::{Growths, deployment_of};
use crate::case::inquiry::{Inquiry, Link};
use crate::case::life::{Life, seen_until};
use crate::case::owner::owner_of;
use crate::glob::Glob;
use crate::subject::Key;
use crate::time::Timestamp;

/// Who is behind a component that created an object: whoever changed or created its owner last.
pub(crate) fn behind_creation<'l>(inquiry: &Inquiry<'l>, fact: &'l Fact) -> Vec<Link<'l>> {
    creation(inquiry, &fact.key, fact.time, MAX_OWNERS).into_iter().skip(1).collect()
}

/// How many owners a chain of creations may have: pod, replica set, deployment, and what an operator adds.
const MAX_OWNERS: usize = 6;

/// The chain behind an object's creation: a controller makes what its owner's last change asked for.
///
/// Where the creation itself is not recorded (a generated name stands only in bodies), the owner that the name tells is
/// asked all the same.
pub(crate) fn creation<'l>(
    inquiry: &Inquiry<'l>,
    object: &Key,
    time: Timestamp,
    depth: usize,
) -> Vec<Link<'l>> {
    inquiry.need_object(object, time);
    if let Some(deployment) = deployment_of(object) {
        // What its other replica sets and their pods were made for, this one was not.
        inquiry.need_names(&object.namespace, vec![Glob::new(format!("{deployment}-*"))], time);
    }
    let lives = inquiry.lives(object);
    let Some(life) = seen_until(&lives, time) else {
        return Vec::new();
    };
    let Some(fact) = life.creation() else {
        let seen = life.seen_from().unwrap_or(time);
        return owner_of(inquiry, life, None, seen)
            .map(|owner| asked_for(inquiry, &owner.key, object, seen, depth))
            .unwrap_or_default();
    };
    let action = format!("created {object}");
    let mut links = vec![Link { fact, action, certainty: Certainty::Inferred, proof: Vec::new() }];
    if let Some(component) = fact.component
        && let Some(owner) = owner_of(inquiry, life, Some(component), fact.time)
    {
        links.extend(asked_for(inquiry, &owner.key, object, fact.time, depth));
    }
    links
}

/// Whether a replica set may have been there at some time, as that of which its deployment then wanted more.
fn was_there(inquiry: &Inquiry<'_>, growths: &Growths, set: &Key, time: Timestamp) -> bool {
    let made = inquiry.lives(set).last().and_then(Life::made_at);
    made.is_none_or(|made| made < time) && growths.last_before(time).is_none_or(|last| last == set.name)
}

/// Who made a workload want what its controller made, or made larger, at `time`: its last change, or its owner's, or its
/// creation.
///
/// A replica set is made for the template of its deployment, and for no number. If another one grew since a change of
/// that, it was for this one, and what `made` is for is in none of the facts.
fn asked_for<'l>(
    inquiry: &Inquiry<'l>,
    workload: &Key,
    made: &Key,
    time: Timestamp,
    depth: usize,
) -> Vec<Link<'l>> {
    if depth == 0 {
        return Vec::new();
    }
    inquiry.need_object(workload, time);
    let lives = inquiry.lives(workload);
    let life = seen_until(&lives, time);
    let made_by = life.and_then(Life::creation).and_then(|fact| fact.component);
    let is_set = workload.resource == "deployments" && made.resource == "replicasets";
    let growths = is_set.then(|| inquiry.growths(workload));
    let is_next =
        |received| growths.as_ref().is_none_or(|growths| growths.is_first_from(received, &made.name, time));
    let is_larger =
        |received| growths.as_ref().is_none_or(|growths| was_there(inquiry, growths, made, received));
    let changes = inquiry.changes(workload);
    let changes = changes.until(time);
    let asks = |change: &Change<'_>| match change.fact.received {
        received if change.templates => is_next(received) && (!is_set || changes.may_grow_for(change, time)),
        received => change.may_have_made(made) && is_larger(received),
    };
    let latest = changes.last(Some(time.plus(-PROMPT)), |change| change.is_prompt(time) && asks(change));
    if let Some(change) = latest {
        let mechanism = if change.templates { Mechanism::Rollout } else { Mechanism::ScaleDown };
        return links(inquiry, &change, mechanism, time);
    }
    let soon = if is_set { AT_ONCE } else { PROMPT };
    let owner = life.filter(|_| made_by.is_some() || workload.resource == "replicasets");
    let owner = owner.and_then(|life| owner_of(inquiry, life, made_by, time));
    match owner {
        Some(owner) => asked_for(inquiry, &owner.key, workload, time, depth - 1),
        // A cron job goes on making jobs; all else makes its pods at once.
        None => creation(inquiry, workload, time, depth - 1)
            .into_iter()
            .filter(|link| workload.resource == "cronjobs" || time.since(link.fact.received) <= soon)
            .take_while(|link| is_next(link.fact.received))
            .collect(),
    }
}
