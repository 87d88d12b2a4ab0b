//! Why a controller wanted fewer or other pods: who changed the workload behind them.

use std::sync::Arc;

use crate::answer::{Certainty, Mechanism};
use crate::case::controllers::Component;
use crate::case::fact::Fact;
use crate::case::growth::Growths;
use crate::case::inquiry::{Inquiry, Link, key};
use crate::case::life::Life;
use crate::case::owner::{Owned, owner_of};
use crate::filter::Filter;
use crate::glob::Glob;
use crate::subject::Key;
use crate::time::Timestamp;

/// How soon a controller acts on what a workload newly wants, in microseconds. What was wanted long ago is no reason for
/// what is done now: then the reason is in none of the facts.
const PROMPT: i64 = 60 * 1_000_000;

/// A change of a workload that may have made its controller act.
#[derive(Clone, Debug)]
struct Change<'l> {
    fact: &'l Fact,
    /// Replicas before, where known, and after, where known; `None` if it does not scale.
    scales: Option<(Option<i64>, Option<i64>)>,
    templates: bool,
    suspends: bool,
    /// Whether what it changed had to be told from what followed.
    guessed: bool,
}

impl Change<'_> {
    fn is_prompt(&self, time: Timestamp) -> bool {
        time.since(self.fact.received) <= PROMPT
    }
}

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

fn last<'l>(changes: &[Change<'l>], wanted: impl Fn(&Change<'l>) -> bool) -> Option<Change<'l>> {
    changes.iter().rev().find(|change| wanted(change)).cloned()
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

/// The changes of a workload at or before `time`, by anybody but the controllers that work it, by time.
fn changes<'l>(inquiry: &Inquiry<'l>, workload: &Key, time: Timestamp) -> Vec<Change<'l>> {
    let mut changes: Vec<Change<'l>> = Vec::new();
    let (mut replicas, mut template) = (None, None);
    for fact in inquiry.ledger.of(workload).filter(|fact| fact.succeeded() && fact.is_change()) {
        let detail = &fact.detail;
        let (replicas_before, template_before) = (replicas, template);
        replicas = detail.replicas.or(replicas);
        template = detail.template.or(template);
        let worked = matches!(fact.component, Some(Component::Deployment | Component::GarbageCollector));
        if fact.received > time || fact.is("create") || worked {
            continue;
        }
        let scales = fact.subresource == "scale"
            || replicas_before.is_some() && replicas != replicas_before
            || detail.replicas_asked && (replicas_before.is_none() || !detail.template_asked);
        let templates = match (template_before, detail.template) {
            (Some(before), Some(after)) => before != after,
            _ => detail.template_asked,
        };
        changes.push(Change {
            fact,
            scales: scales.then_some((replicas_before, detail.replicas)),
            templates,
            suspends: detail.suspend == Some(true),
            guessed: !fact.body_recorded && fact.subresource != "scale",
        });
    }
    guess(inquiry, workload, &mut changes, time);
    changes
}

/// Without bodies, another replica set that grows soon after tells a changed template from all else.
fn guess(inquiry: &Inquiry<'_>, workload: &Key, changes: &mut [Change<'_>], time: Timestamp) {
    if !changes.iter().any(|change| change.guessed) {
        return;
    }
    let growths = (workload.resource == "deployments").then(|| Growths::of(inquiry, workload, time));
    let ends: Vec<Timestamp> =
        changes.iter().skip(1).map(|change| change.fact.received).chain([time]).collect();
    for (change, end) in changes.iter_mut().zip(ends).filter(|(change, _)| change.guessed) {
        let manager = change.fact.field_manager();
        let restarts = matches!(manager, Some("kubectl-rollout" | "kubectl-set"));
        let from = change.fact.received;
        let has_other = |growths: &Growths| growths.is_another(growths.last_before(from), from, end);
        change.templates = restarts || growths.as_ref().is_some_and(has_other);
        change.scales = (!change.templates && workload.resource == "deployments").then_some((None, None));
        change.suspends = workload.resource == "jobs";
    }
}

/// The chain behind a change: an autoscaler does what its author told it to.
fn links<'l>(
    inquiry: &Inquiry<'l>,
    change: &Change<'l>,
    mechanism: Mechanism,
    time: Timestamp,
) -> Vec<Link<'l>> {
    let first = Link {
        fact: change.fact,
        action: action(change, mechanism),
        certainty: Certainty::Inferred,
        proof: Vec::new(),
    };
    let mut links = vec![first];
    if change.fact.component == Some(Component::Autoscaler) {
        links.extend(autoscaler_author(inquiry, &change.fact.key, time));
    }
    links
}

fn action(change: &Change<'_>, mechanism: Mechanism) -> String {
    let workload = &change.fact.key;
    match (mechanism, change.scales) {
        (Mechanism::Rollout, _) => match change.fact.field_manager() {
            Some("kubectl-rollout") => format!("restarted or rolled back {workload}"),
            _ => format!("changed the pod template of {workload}"),
        },
        (_, Some((Some(from), Some(to)))) => format!("scaled {workload} from {from} to {to}"),
        (_, Some((None, Some(to)))) => format!("scaled {workload} to {to}"),
        (_, Some(_)) => format!("scaled {workload}"),
        (_, None) if change.guessed => format!("changed {workload}"),
        (_, None) => format!("suspended {workload}"),
    }
}

/// Who made or last changed the autoscaler of a workload.
fn autoscaler_author<'l>(inquiry: &Inquiry<'l>, workload: &Key, time: Timestamp) -> Option<Link<'l>> {
    let scalers = key("autoscaling", "horizontalpodautoscalers", &workload.namespace, "");
    let authored = |fact: &Fact| fact.is_change() && fact.succeeded() && fact.component.is_none();
    let aims = |scaler: &Key| {
        let target = inquiry.ledger.of(scaler).find_map(|fact| fact.detail.scale_target.as_deref());
        target.unwrap_or(&scaler.name) == workload.name
    };
    let scaler = inquiry.ledger.named(&scalers, "").find(|scaler| aims(scaler))?;
    let fact = inquiry.ledger.last_before(scaler, time, authored)?;
    let made = if fact.is("create") { "created" } else { "changed" };
    Some(Link { fact, action: format!("{made} {scaler}"), certainty: Certainty::Inferred, proof: Vec::new() })
}

/// Who is behind a component that scaled a workload: the author of its autoscaler.
pub(crate) fn behind_scaling<'l>(inquiry: &Inquiry<'l>, fact: &'l Fact) -> Vec<Link<'l>> {
    if fact.component != Some(Component::Autoscaler) {
        return Vec::new();
    }
    need_autoscalers(inquiry, &fact.key.namespace, fact.time);
    autoscaler_author(inquiry, &fact.key, fact.time).into_iter().collect()
}

/// Who is behind a component that created an object: whoever changed or created its owner last.
pub(crate) fn behind_creation<'l>(inquiry: &Inquiry<'l>, fact: &'l Fact) -> Vec<Link<'l>> {
    creation(inquiry, &fact.key, fact.time, MAX_OWNERS).into_iter().skip(1).collect()
}

fn need_autoscalers(inquiry: &Inquiry<'_>, namespace: &str, effect: Timestamp) {
    let autoscalers = Filter {
        resource: Some("horizontalpodautoscalers".to_owned()),
        namespace: Some(Glob::new(namespace)),
        ..Filter::default()
    };
    inquiry.need_about(autoscalers, effect);
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
    let lives = inquiry.ledger.lives(object);
    let Some(life) = lives.iter().rev().find(|life| life.seen_from().is_some_and(|from| from <= time)) else {
        return Vec::new();
    };
    let Some(fact) = life.creation() else {
        let seen = life.seen_from().unwrap_or(time);
        return owner_of(inquiry, life, None, seen)
            .map(|owner| asked_for(inquiry, &owner.key, seen, depth))
            .unwrap_or_default();
    };
    let action = format!("created {object}");
    let mut links = vec![Link { fact, action, certainty: Certainty::Inferred, proof: Vec::new() }];
    if let Some(component) = fact.component
        && let Some(owner) = owner_of(inquiry, life, Some(component), fact.time)
    {
        links.extend(asked_for(inquiry, &owner.key, fact.time, depth));
    }
    links
}

/// Who made a workload want what its controller did at `time`: its last change, or its owner's, or its creation.
fn asked_for<'l>(inquiry: &Inquiry<'l>, workload: &Key, time: Timestamp, depth: usize) -> Vec<Link<'l>> {
    if depth == 0 {
        return Vec::new();
    }
    inquiry.need_object(workload, time);
    let lives = inquiry.ledger.lives(workload);
    let life = lives.iter().rev().find(|life| life.seen_from().is_some_and(|from| from <= time));
    let made_by = life.and_then(Life::creation).and_then(|fact| fact.component);
    let changed = last(&changes(inquiry, workload, time), |change| {
        (change.templates || change.scales.is_some()) && change.is_prompt(time)
    });
    if let Some(change) = changed {
        let mechanism = if change.templates { Mechanism::Rollout } else { Mechanism::ScaleDown };
        return links(inquiry, &change, mechanism, time);
    }
    let owner = life.filter(|_| made_by.is_some() || workload.resource == "replicasets");
    let owner = owner.and_then(|life| owner_of(inquiry, life, made_by, time));
    match owner {
        Some(owner) => asked_for(inquiry, &owner.key, time, depth - 1),
        // A cron job goes on making jobs; all else makes its pods at once.
        None => creation(inquiry, workload, time, depth - 1)
            .into_iter()
            .filter(|link| workload.resource == "cronjobs" || time.since(link.fact.received) <= PROMPT)
            .collect(),
    }
}
