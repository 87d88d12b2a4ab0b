//! Why a controller wanted fewer or other pods: who changed the workload behind them.

use std::sync::Arc;

use crate::answer::Mechanism;
use crate::case::change::{Change, changes, last, links, need_autoscalers};
use crate::case::controllers::Component;
use crate::case::growth::Growths;
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
    pub(crate) links: Vec<Link<'l>>,
}

/// Tells scaling from rolling out, and who asked for it, for a pod of `owner` that was removed at `time`; `None` where
/// no change of the workload is known.
pub(crate) fn reason<'l>(
    inquiry: &Inquiry<'l>,
    component: Component,
    owner: &Owned,
    pod: &Key,
    time: Timestamp,
) -> Option<Reason<'l>> {
    need_autoscalers(inquiry, &owner.key.namespace, time);
    inquiry.need_object(&owner.key, time);
    let (change, mechanism) = match component {
        Component::ReplicaSet => replica_set(inquiry, owner, time)?,
        Component::StatefulSet => stateful_set(inquiry, owner, pod, time)?,
        Component::DaemonSet => {
            last(&changes(inquiry, &owner.key, time), |change| change.templates).map(rolled)?
        }
        // Replica sets that a deployment has no use for any more.
        Component::Deployment => {
            last(&changes(inquiry, &owner.key, time), |change| change.templates).map(rolled)?
        }
        Component::Job => last(&changes(inquiry, &owner.key, time), |change| change.suspends).map(scaled)?,
        _ => return None,
    };
    Some(Reason { mechanism, links: links(inquiry, &change, mechanism, time) })
}

fn rolled(change: Change<'_>) -> (Change<'_>, Mechanism) {
    (change, Mechanism::Rollout)
}

fn scaled(change: Change<'_>) -> (Change<'_>, Mechanism) {
    (change, Mechanism::ScaleDown)
}

/// A replica set shrinks because somebody scaled it or its deployment, or because its deployment has a newer template.
///
/// It was superseded if after the last change of the template the deployment controller made, or made larger, another
/// replica set ([source](https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/deployment/rolling.go)).
fn replica_set<'l>(inquiry: &Inquiry<'l>, owner: &Owned, time: Timestamp) -> Option<(Change<'l>, Mechanism)> {
    let set = inquiry.ledger.lives(&owner.key).into_iter().next_back();
    let set = set.unwrap_or_else(|| Life::new(&Arc::new(owner.key.clone()), None));
    let directly = changes(inquiry, &owner.key, time);
    let directly = last(&directly, |change| change.scales.is_some() && change.is_prompt(time));
    let by_deployment = owner_of(inquiry, &set, Some(Component::Deployment), time)
        .and_then(|deployment| deployment_change(inquiry, &deployment.key, &owner.key, time));
    match (directly, by_deployment) {
        (Some(directly), Some(other)) if directly.fact.time < other.0.fact.time => Some(other),
        (Some(directly), _) => Some(scaled(directly)),
        (None, other) => other,
    }
}

fn deployment_change<'l>(
    inquiry: &Inquiry<'l>,
    deployment: &Key,
    set: &Key,
    time: Timestamp,
) -> Option<(Change<'l>, Mechanism)> {
    inquiry.need_object(deployment, time);
    inquiry.need_names(&deployment.namespace, vec![Glob::new(format!("{}-*", deployment.name))], time);
    let changes = changes(inquiry, deployment, time);
    let template = last(&changes, |change| change.templates);
    let scale = last(&changes, |change| change.scales.is_some());
    let scale = scale.filter(|change| change.is_prompt(time));
    let Some(template) = template else { return scale.map(scaled) };
    let growths = Growths::of(inquiry, deployment, time);
    let superseded = match growths.first_from(template.fact.received) {
        Some(name) => name != set.name,
        None => scale.as_ref().is_none_or(|scale| scale.fact.time < template.fact.time),
    };
    if superseded { Some(rolled(template)) } else { scale.map(scaled) }
}

/// Pods of a stateful set go from the highest number down when it shrinks, and each once when it is rolled out.
fn stateful_set<'l>(
    inquiry: &Inquiry<'l>,
    owner: &Owned,
    pod: &Key,
    time: Timestamp,
) -> Option<(Change<'l>, Mechanism)> {
    let changes = changes(inquiry, &owner.key, time);
    let template = last(&changes, |change| change.templates);
    let scale = last(&changes, |change| change.scales.is_some());
    let ordinal = pod.name.rsplit_once('-').and_then(|(_, number)| number.parse::<i64>().ok());
    let wanted = scale.as_ref().and_then(|scale| scale.scales?.1);
    let surplus = match (ordinal, wanted) {
        (Some(ordinal), Some(wanted)) => ordinal >= wanted,
        _ => match (&template, &scale) {
            (Some(template), Some(scale)) => scale.fact.time > template.fact.time,
            (template, _) => template.is_none(),
        },
    };
    if surplus { scale.map(scaled) } else { template.map(rolled) }
}
