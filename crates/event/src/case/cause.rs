//! From what happened to who brought it about.

use crate::answer::{Certainty, Mechanism};
use crate::case::fact::Fact;
use crate::case::inquiry::{Inquiry, Link, key};
use crate::case::known::Removed;
use crate::case::life::Life;
use crate::case::owner::owner_of;
use crate::case::removal::Decided;
use crate::case::workload::Reason;
use crate::case::{creation, node, preemption, workload};

/// How many links a chain may have. Real ones have four.
const DEPTH: usize = 8;

/// What is behind a removal.
#[derive(Debug, Default)]
pub(crate) struct Behind<'l> {
    /// The mechanism, where what is behind tells it better than the request itself.
    pub(crate) mechanism: Option<Mechanism>,
    /// Whether the mechanism is told by who acted, or by what followed, where what asked for it is in none of the facts.
    pub(crate) is_guessed: bool,
    /// What shows it then.
    pub(crate) shown_by: Option<&'l Fact>,
    /// Nearest first.
    pub(crate) links: Vec<Link<'l>>,
    pub(crate) notes: Vec<String>,
}

/// Looks behind the request that removed an object.
pub(crate) fn behind<'l>(inquiry: &Inquiry<'l>, life: &Life<'l>, decided: &Decided<'l>) -> Behind<'l> {
    step(inquiry, life, decided, DEPTH)
}

fn step<'l>(inquiry: &Inquiry<'l>, life: &Life<'l>, decided: &Decided<'l>, depth: usize) -> Behind<'l> {
    if depth == 0 {
        return Behind {
            notes: vec!["the chain of causes is longer than is followed".to_owned()],
            ..Behind::default()
        };
    }
    match decided.mechanism {
        Mechanism::EvictionApi => drained(inquiry, life, decided),
        Mechanism::Preemption => linked(
            inquiry,
            preemption::preemptor(inquiry, decided.fact, &life.key),
            "which pod needed the room",
        ),
        Mechanism::Taint => tainted(inquiry, life, decided),
        Mechanism::ScaleDown | Mechanism::Rollout => reworked(inquiry, life, decided),
        Mechanism::OwnerGc => owner_removed(inquiry, life, decided, depth),
        Mechanism::NamespaceDeletion => namespace_removed(inquiry, life, decided, depth),
        Mechanism::PodGc => node_removed(inquiry, life, decided, depth),
        Mechanism::JobTtl => {
            let created = creation::creation(inquiry, &life.key, decided.fact.time, DEPTH);
            linked(inquiry, created, "who created the job")
        }
        Mechanism::CronjobHistory => cron_job(inquiry, life, decided),
        Mechanism::NodePressure | Mechanism::Delete | Mechanism::DeleteCollection | Mechanism::Finalizer => {
            Behind::default()
        }
    }
}

/// The links, or a note that they are missing.
fn linked<'l>(inquiry: &Inquiry<'l>, links: Vec<Link<'l>>, missing: &str) -> Behind<'l> {
    let notes = if links.is_empty() { vec![inquiry.silence(missing)] } else { Vec::new() };
    Behind { links, notes, ..Behind::default() }
}

fn drained<'l>(inquiry: &Inquiry<'l>, life: &Life<'l>, decided: &Decided<'l>) -> Behind<'l> {
    let drain = life.node().and_then(|node| node::drain(inquiry, decided.fact, node));
    if drain.is_none() {
        // Not every eviction is one of a drain, but a drain may have begun long before.
        inquiry.miss();
    }
    Behind { links: drain.into_iter().collect(), ..Behind::default() }
}

fn tainted<'l>(inquiry: &Inquiry<'l>, life: &Life<'l>, decided: &Decided<'l>) -> Behind<'l> {
    let link = life.node().and_then(|node| node::taint(inquiry, node, decided.fact.time));
    linked(inquiry, link.into_iter().collect(), "who tainted the node")
}

fn reworked<'l>(inquiry: &Inquiry<'l>, life: &Life<'l>, decided: &Decided<'l>) -> Behind<'l> {
    let reason = decided.fact.component.and_then(|component| {
        let owner = owner_of(inquiry, life, Some(component), decided.fact.time)?;
        workload::reason(inquiry, component, &owner, life, decided.fact.time)
    });
    let guessed = |note: &str| Behind {
        is_guessed: true,
        notes: vec![inquiry.silence("who changed the workload that owned it"), note.to_owned()],
        ..Behind::default()
    };
    match reason {
        None => guessed("why is told by who deleted it [rule: reason-by-component]"),
        Some(Reason { mechanism, shown_by, links }) if links.is_empty() => Behind {
            mechanism: Some(mechanism),
            shown_by,
            ..guessed("what the deployment controller did tells a rollout [rule: last-change]")
        },
        Some(Reason { mechanism, links, .. }) => {
            Behind { mechanism: Some(mechanism), links, ..Behind::default() }
        }
    }
}

fn owner_removed<'l>(
    inquiry: &Inquiry<'l>,
    life: &Life<'l>,
    decided: &Decided<'l>,
    depth: usize,
) -> Behind<'l> {
    let missing = "who deleted its owner";
    let Some(owner) = owner_of(inquiry, life, None, decided.fact.time) else {
        return linked(inquiry, Vec::new(), missing);
    };
    let removed = inquiry.removed_before(&owner.key, owner.uid.as_deref(), life, decided.fact.time);
    let Some(removed) = removed else { return linked(inquiry, Vec::new(), missing) };
    let certainty = if owner.recorded { removed.decided.certainty } else { Certainty::Inferred };
    chain(inquiry, &removed, certainty, depth)
}

fn namespace_removed<'l>(
    inquiry: &Inquiry<'l>,
    life: &Life<'l>,
    decided: &Decided<'l>,
    depth: usize,
) -> Behind<'l> {
    let namespace = key("", "namespaces", "", &life.key.namespace);
    match inquiry.removed_before(&namespace, None, life, decided.fact.time) {
        Some(removed) => chain(inquiry, &removed, removed.decided.certainty, depth),
        None => linked(inquiry, Vec::new(), "who deleted the namespace"),
    }
}

fn node_removed<'l>(
    inquiry: &Inquiry<'l>,
    life: &Life<'l>,
    decided: &Decided<'l>,
    depth: usize,
) -> Behind<'l> {
    let missing =
        "why the pod garbage collector removed it: its node was gone, or too many pods had terminated";
    let Some(node) = life.node() else { return linked(inquiry, Vec::new(), missing) };
    match inquiry.removed_before(&key("", "nodes", "", node), None, life, decided.fact.time) {
        Some(removed) => chain(inquiry, &removed, Certainty::Inferred, depth),
        None => linked(inquiry, Vec::new(), missing),
    }
}

fn cron_job<'l>(inquiry: &Inquiry<'l>, life: &Life<'l>, decided: &Decided<'l>) -> Behind<'l> {
    let missing = "who created the cron job";
    match owner_of(inquiry, life, decided.fact.component, decided.fact.time) {
        Some(owner) => {
            let created = creation::creation(inquiry, &owner.key, decided.fact.time, DEPTH);
            linked(inquiry, created, missing)
        }
        None => linked(inquiry, Vec::new(), missing),
    }
}

/// The removal of another object as a link, and what is behind it in turn.
fn chain<'l>(inquiry: &Inquiry<'l>, removed: &Removed<'l>, certainty: Certainty, depth: usize) -> Behind<'l> {
    let Removed { life, decided } = removed;
    let further = step(inquiry, life, decided, depth - 1);
    let is_first = inquiry.may_repeat(life, decided.fact).is_none();
    let link = Link {
        fact: decided.fact,
        action: match decided.fact.verb.as_ref() {
            "deletecollection" => format!("deleted {} with a whole collection", life.key),
            _ => format!("deleted {}", life.key),
        },
        certainty: if is_first { certainty } else { Certainty::Inferred },
        proof: decided.proof.clone(),
    };
    let links = std::iter::once(link).chain(further.links).collect();
    Behind { links, notes: further.notes, ..Behind::default() }
}
