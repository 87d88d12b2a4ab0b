//! Why a controller wanted fewer or other pods: who changed the workload behind them.

use std::borrow::Cow;
use std::sync::Arc;

use crate::answer::Mechanism;
use crate::case::autoscaler;
use crate::case::change::{AT_ONCE, Change, links};
use crate::case::changes::{Kind, Past};
use crate::case::controllers::Component;
use crate::case::fact::Fact;
use crate::case::growth;
use crate::case::inquiry::{Inquiry, Link};
use crate::case::life::Life;
use crate::case::owner::{Owned, owner_of};
use crate::glob::Glob;
use crate::subject::Key;
use crate::time::Timestamp;

/// Why a workload's controller removed a pod.
#[derive(Debug)]
pub(crate) struct Reason<'l> {
    pub(crate) mechanism: Mechanism,
    /// What shows it, where what asked for it is in none of the facts.
    pub(crate) shown_by: Option<&'l Fact>,
    pub(crate) links: Vec<Link<'l>>,
}

/// Tells scaling from rolling out, and who asked for it, for the life of a pod of `owner` that was removed at `time`; `None`
/// where no change of the workload is known. What came before the pod was made is no reason for its removal.
pub(crate) fn reason<'l>(
    inquiry: &Inquiry<'l>,
    component: Component,
    owner: &Owned,
    pod: &Life<'_>,
    time: Timestamp,
) -> Option<Reason<'l>> {
    autoscaler::need(inquiry, &owner.key.namespace, time);
    inquiry.need_object(&owner.key, time);
    if matches!(component, Component::ReplicaSet | Component::Job) {
        // Its other pods.
        inquiry.need_names(&owner.key.namespace, vec![Glob::new(format!("{}-*", owner.key.name))], time);
    }
    let made = pod.made_at();
    let changes = inquiry.changes(&owner.key);
    let changes = changes.until(time);
    let Why { mechanism, change, shown_by } = match component {
        Component::ReplicaSet => replica_set(inquiry, owner, made, time)?,
        Component::StatefulSet => stateful_set(changes, made, &pod.key)?,
        // The deployment controller removes replica sets that a deployment has no use for any more.
        Component::DaemonSet | Component::Deployment => {
            changes.last_of(Kind::Template, made).map(Why::rolled)?
        }
        Component::Job => changes
            .last_of(Kind::Suspension, made)
            .filter(|change| change.suspends && change.is_prompt(time))
            .filter(|change| goes_on(inquiry, &owner.key, change, time))
            .map(Why::scaled)?,
        _ => return None,
    };
    let links = change.iter().flat_map(|change| links(inquiry, change, mechanism, time)).collect();
    Some(Reason { mechanism, shown_by, links })
}

/// What a pod was removed for.
#[derive(Debug)]
struct Why<'l> {
    mechanism: Mechanism,
    /// What asked for it, if that is in the facts.
    change: Option<Change<'l>>,
    /// If not, what shows that it was this.
    shown_by: Option<&'l Fact>,
}

impl<'l> Why<'l> {
    const fn rolled(change: Change<'l>) -> Self {
        Self { mechanism: Mechanism::Rollout, change: Some(change), shown_by: None }
    }

    const fn scaled(change: Change<'l>) -> Self {
        Self { mechanism: Mechanism::ScaleDown, change: Some(change), shown_by: None }
    }
}

/// A replica set shrinks because somebody scaled it or its deployment, or because its deployment has a newer template.
///
/// It was superseded if after the last change of the template, or last of all, the deployment controller made another replica
/// set, or made one larger ([source](https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/deployment/rolling.go)).
fn replica_set<'l>(
    inquiry: &Inquiry<'l>,
    owner: &Owned,
    made: Option<Timestamp>,
    time: Timestamp,
) -> Option<Why<'l>> {
    let lives = inquiry.lives(&owner.key);
    let unknown = || Life::new(&Arc::new(owner.key.clone()), None);
    let set = lives.last().map_or_else(|| Cow::Owned(unknown()), Cow::Borrowed);
    let directly = inquiry.changes(&owner.key);
    let directly =
        directly.until(time).last_shrinking(made).filter(|change| goes_on(inquiry, &owner.key, change, time));
    let by_deployment = owner_of(inquiry, &set, Some(Component::Deployment), time)
        .and_then(|deployment| deployment_change(inquiry, &deployment.key, &owner.key, made, time));
    match (directly, by_deployment) {
        (Some(directly), Some(other))
            if other.change.as_ref().is_some_and(|change| directly.fact.time < change.fact.time) =>
        {
            Some(other)
        }
        (Some(directly), _) => Some(Why::scaled(directly)),
        (None, other) => other,
    }
}

fn deployment_change<'l>(
    inquiry: &Inquiry<'l>,
    deployment: &Key,
    set: &Key,
    made: Option<Timestamp>,
    time: Timestamp,
) -> Option<Why<'l>> {
    inquiry.need_object(deployment, time);
    inquiry.need_names(&deployment.namespace, vec![Glob::new(format!("{}-*", deployment.name))], time);
    let changes = inquiry.changes(deployment);
    let changes = changes.until(time);
    let template = changes.last_of(Kind::Template, None);
    let scale = changes.last_shrinking(made).filter(|change| goes_on(inquiry, set, change, time));
    let growths = inquiry.growths(deployment);
    let supersedes = |template: &Change<'_>| {
        let scaled = scale.as_ref().map(|scale| scale.fact.time);
        let is_last = made.max(scaled).is_none_or(|time| time <= template.fact.time);
        growths
            .first_from(template.fact.received, time)
            .map_or(is_last, |(at, name)| name != set.name && changes.may_grow_for(template, at))
    };
    if let Some(template) = template.filter(supersedes) {
        return Some(Why::rolled(template));
    }
    // The change of the template is in none of the facts, but what followed from it is.
    let newer = growths
        .last_until(time)
        .filter(|(_, last)| *last != set.name)
        .map(|last| growth::shown(inquiry, set, last));
    let fewer = || scale.as_ref().and_then(|scale| left_with_fewer(inquiry, set, scale, time)).map(Some);
    if let Some(shown_by) = newer.or_else(fewer) {
        return Some(Why { mechanism: Mechanism::Rollout, change: None, shown_by });
    }
    scale.map(Why::scaled)
}

/// Whether pods of a workload were removed by its controller from a change of it on until `time`, without a pause: many take a
/// while, and what is removed after a pause is removed for something else.
fn goes_on(inquiry: &Inquiry<'_>, workload: &Key, change: &Change<'_>, time: Timestamp) -> bool {
    if time.since(change.fact.received) <= AT_ONCE {
        return true;
    }
    let prefix = format!("{}-", workload.name);
    let removes = |fact: &&Fact| {
        let by_controller = matches!(fact.component, Some(Component::ReplicaSet | Component::Job));
        by_controller
            && fact.is("delete")
            && fact.succeeded()
            && fact.key.is_pod()
            && fact.key.namespace == workload.namespace
            && fact.key.name.starts_with(&prefix)
    };
    let acts = inquiry.ledger.between(change.fact.received, time).iter().filter(removes);
    let mut before = change.fact.received;
    acts.map(|fact| fact.time).chain([time]).all(|act| {
        let pause = act.since(before);
        before = act;
        pause <= AT_ONCE
    })
}

/// What shows that the deployment controller had left a replica set with fewer pods than its deployment was scaled to: then
/// another set has the rest.
fn left_with_fewer<'l>(
    inquiry: &Inquiry<'l>,
    set: &Key,
    scale: &Change<'_>,
    time: Timestamp,
) -> Option<&'l Fact> {
    let by_controller =
        |fact: &Fact| fact.component == Some(Component::Deployment) && fact.detail.replicas.is_some();
    let left = inquiry.ledger.last_before(set, time, by_controller)?;
    let wanted = scale.scales.and_then(|(_, to)| to);
    left.detail.replicas.zip(wanted).is_some_and(|(left, wanted)| left < wanted).then_some(left)
}

/// Pods of a stateful set go from the highest number down when it shrinks, and each once when it is rolled out.
fn stateful_set<'l>(changes: Past<'_, 'l>, made: Option<Timestamp>, pod: &Key) -> Option<Why<'l>> {
    let template = changes.last_of(Kind::Template, made);
    let scale = changes.last_of(Kind::Replicas, made);
    let wanted = scale.as_ref().and_then(|scale| scale.scales?.1);
    let surplus = match (pod.ordinal(), wanted) {
        (Some(ordinal), Some(wanted)) => ordinal >= wanted,
        _ => match (&template, &scale) {
            (Some(template), Some(scale)) => scale.fact.time > template.fact.time,
            (template, _) => template.is_none(),
        },
    };
    if surplus { scale.map(Why::scaled) } else { template.map(Why::rolled) }
}
