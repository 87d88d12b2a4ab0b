//! For which pod the scheduler made room.

use std::collections::BTreeSet;

use crate::answer::Certainty;
use crate::case::controllers::Component;
use crate::case::creation;
use crate::case::fact::Fact;
use crate::case::inquiry::{Inquiry, Link, key};
use crate::filter::Filter;
use crate::glob::Glob;
use crate::subject::Key;
use crate::time::Timestamp;

/// How far from the victim's removal the scheduler nominates a node for the preemptor, in microseconds.
const NOMINATION: i64 = 2_000_000;

/// How far from the victim's removal the scheduler says why, in microseconds.
const NOTE: i64 = 60_000_000;

const PATCH: &[&str] = &["patch"];
const NAMING: &[&str] = &["create"];

/// The creation of the pod for which `victim` had to go, and who was behind it; empty if it can't be told.
pub(crate) fn preemptor<'l>(inquiry: &Inquiry<'l>, removal: &Fact, victim: &Key) -> Vec<Link<'l>> {
    let told = note(inquiry, victim, removal.time);
    let (preemptor, proof) = match told {
        Some((fact, Told::Named(preemptor))) => (Some(preemptor), Some(fact)),
        Some((fact, Told::Uid(uid))) => (by_uid(inquiry, &uid, removal.time), Some(fact)),
        None => (by_nomination(inquiry, removal, victim), None),
    };
    let Some(preemptor) = preemptor else { return Vec::new() };
    let mut links = creation::creation(inquiry, &preemptor, removal.time, 4);
    if let Some(first) = links.first_mut() {
        first.proof.extend(proof);
        let of_itself = *first.fact.key == preemptor;
        let whose = if of_itself { String::new() } else { format!(" for {preemptor}") };
        first.action = format!("{}{whose}, which needed the room", first.action);
        first.certainty = Certainty::Inferred;
    }
    links
}

enum Told {
    Named(Key),
    Uid(String),
}

/// The scheduler's own Event: `Preempted by pod UID on node N`, in older versions `Preempted by NAMESPACE/NAME on node N`
/// ([source](https://github.com/kubernetes/kubernetes/blob/master/pkg/scheduler/framework/preemption/preemption.go)).
fn note<'l>(inquiry: &Inquiry<'l>, victim: &Key, time: Timestamp) -> Option<(&'l Fact, Told)> {
    let by_scheduler = |fact: &&Fact| {
        fact.component == Some(Component::Scheduler)
            && fact.succeeded()
            && fact.time.since(time).abs() <= NOTE
            && fact.detail.note.as_ref().is_some_and(|(reason, ..)| reason == "Preempted")
    };
    let fact = inquiry.ledger.notes_about(victim).find(by_scheduler)?;
    let (_, _, note) = fact.detail.note.as_ref()?;
    let by = note.strip_prefix("Preempted by ")?.split(" on node").next()?.trim();
    let by = by.strip_prefix("pod ").unwrap_or(by);
    let told = match by.split_once('/') {
        Some((namespace, name)) => Told::Named(key("", "pods", namespace, name)),
        None => Told::Uid(by.to_owned()),
    };
    Some((fact, told))
}

fn by_uid(inquiry: &Inquiry<'_>, uid: &str, effect: Timestamp) -> Option<Key> {
    let filter = Filter {
        resource: Some("pods".to_owned()),
        uid: Some(uid.to_owned()),
        verbs: NAMING,
        ..Filter::default()
    };
    inquiry.need_about(filter, effect);
    inquiry.ledger.pod_with_uid(uid).cloned()
}

/// The one pod that the scheduler nominated a node for at that moment; `None` if there are several.
fn by_nomination(inquiry: &Inquiry<'_>, removal: &Fact, victim: &Key) -> Option<Key> {
    let (from, until) = (removal.time.plus(-NOMINATION), removal.time.plus(NOMINATION));
    inquiry.need(Filter {
        resource: Some("pods".to_owned()),
        verbs: PATCH,
        username: Some(Glob::new(removal.actor.username.clone())),
        from: Some(from),
        until: Some(until),
        ..Filter::default()
    });
    let by_scheduler = |fact: &&Fact| fact.component == Some(Component::Scheduler);
    let facts: Vec<&Fact> = inquiry.ledger.between(from, until).iter().filter(by_scheduler).collect();
    let victims: BTreeSet<&Key> =
        facts.iter().filter(|fact| fact.is("delete")).map(|fact| &*fact.key).collect();
    let nominated = |fact: &&&Fact| {
        let elsewhere = *fact.key != *victim && fact.subresource == "status" && fact.succeeded();
        let asked = !fact.body_recorded || fact.detail.nominated_node.is_some();
        elsewhere && asked && !victims.contains(&*fact.key)
    };
    let pods: BTreeSet<&Key> = facts.iter().filter(nominated).map(|fact| &*fact.key).collect();
    pods.first().filter(|_| pods.len() == 1).map(|only| (*only).clone())
}
