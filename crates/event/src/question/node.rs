//! Questions about nodes: cordons and taints.

use std::collections::BTreeMap;

use crate::answer::Evidence;
use crate::case::fact::Fact;
use crate::case::requests::CHANGE;
use crate::filter::Filter;
use crate::glob::Glob;
use crate::question::{Request, Story, Told};
use crate::subject::Key;

/// How long a drain may take, in microseconds: it waits for disruption budgets and for containers to stop.
const LONGEST_DRAIN: i64 = 60 * 60 * 1_000_000;

/// How soon a drain's first eviction follows its cordon, in microseconds.
const SOON: i64 = 60 * 1_000_000;

/// Evicted pods that are named one by one.
const NAMED: usize = 10;

pub(crate) const CORDONED: Request =
    Request { told_later: true, tell: |story| switched(story, true), ..CHANGE };
pub(crate) const UNCORDONED: Request = Request { tell: |story| switched(story, false), ..CHANGE };
pub(crate) const DRAINED: Request = Request { told_later: true, tell: drained, ..CHANGE };
pub(crate) const TAINTED: Request = Request { tell: |story| tainted(story, true), ..CHANGE };
pub(crate) const UNTAINTED: Request = Request { tell: |story| tainted(story, false), ..CHANGE };

/// `spec.unschedulable` set or unset. Without a body, the evictions that follow show that it was a drain's cordon.
fn switched(story: &Story<'_, '_>, on: bool) -> Option<Told> {
    let fact = story.fact;
    let did = format!("{} {}", if on { "cordoned" } else { "uncordoned" }, fact.key);
    if !fact.key.is_core("nodes") {
        return None;
    }
    if fact.body_recorded {
        return (fact.detail.cordons == Some(on)).then(|| Told::recorded(did));
    }
    let unnamed = on && fact.component.is_none() && fact.field_manager().is_none();
    let evicted = if unnamed { evicted_after(story, SOON) } else { Vec::new() };
    let note = "told by the evictions from that node by the same user that follow [rule: cordon-by-drain]";
    (!evicted.is_empty()).then(|| Told { proof: proof(story, &evicted), ..Told::inferred(did, note) })
}

fn proof(story: &Story<'_, '_>, evicted: &[&Fact]) -> Vec<Evidence> {
    evicted.iter().map(|eviction| story.inquiry.evidence(eviction)).collect()
}

/// A cordon, and evictions of the node's pods by the same user after it
/// ([source](https://github.com/kubernetes/kubectl/blob/master/pkg/drain/drain.go)).
fn drained(story: &Story<'_, '_>) -> Option<Told> {
    let fact = story.fact;
    if !may_begin_drain(fact) {
        return None;
    }
    let within = if fact.body_recorded { LONGEST_DRAIN } else { SOON };
    let evicted = evicted_after(story, within);
    let name = |eviction: &&Fact| format!("{}/{}", eviction.key.namespace, eviction.key.name);
    let names: Vec<String> = evicted.iter().take(NAMED).map(name).collect();
    let more =
        if evicted.len() > NAMED { format!(" and {} more", evicted.len() - NAMED) } else { String::new() };
    let did = format!("drained {}: evicted {}{more}", fact.key, names.join(", "));
    let note = "told by a cordon and the evictions of the node's pods by the same user [rule: drain]";
    (!evicted.is_empty()).then(|| Told { proof: proof(story, &evicted), ..Told::inferred(did, note) })
}

/// Whether a change of a node may be the cordon with which somebody began to drain it.
fn may_begin_drain(fact: &Fact) -> bool {
    let cordons = || {
        if fact.body_recorded { fact.detail.cordons == Some(true) } else { fact.field_manager().is_none() }
    };
    fact.key.is_core("nodes") && fact.component.is_none() && cordons()
}

/// The evictions of the node's pods by the same user within `micros`, one a pod, up to where that user began to drain it anew.
fn evicted_after<'l>(story: &Story<'_, 'l>, micros: i64) -> Vec<&'l Fact> {
    let Story { inquiry, fact, .. } = story;
    let until = fact.time.plus(micros);
    inquiry.need(Filter {
        resource: Some("pods".to_owned()),
        verbs: &["create"],
        username: Some(Glob::new(&*fact.actor.username)),
        from: Some(fact.time),
        until: Some(until),
        ..Filter::default()
    });
    let is_ours = |other: &&Fact| other.actor.username == fact.actor.username;
    let is_anew = |other: &&Fact| {
        other.address != fact.address
            && other.is("patch")
            && other.succeeded()
            && is_ours(other)
            && may_begin_drain(other)
    };
    let until =
        inquiry.ledger.from(&fact.key, fact.time).find(is_anew).map_or(until, |anew| until.min(anew.time));
    let evictions = inquiry.evictions().between(&fact.key.name, fact.time, until).iter().copied();
    let pods: BTreeMap<&Key, &Fact> =
        evictions.filter(is_ours).map(|eviction| (&*eviction.key, eviction)).collect();
    pods.into_values().collect()
}

/// A list of taints that holds more, or fewer, than the one before.
///
/// A request carries the whole list. Where the one before is not known, what it carries may have been there already.
fn tainted(story: &Story<'_, '_>, more: bool) -> Option<Told> {
    let fact = story.fact;
    if !fact.body_recorded && fact.key.is_core("nodes") && fact.field_manager() == Some("kubectl-taint") {
        let note = "told by kubectl's field manager; the level hides which taints, put on or taken off [rule: field-manager]";
        return Some(Told::inferred(format!("changed the taints of {}", fact.key), note));
    }
    let after = fact.detail.taints_asked.as_ref().filter(|_| fact.key.is_core("nodes"))?;
    let before = story.earlier.iter().rev().find_map(|earlier| earlier.taints());
    let none = Vec::new();
    let (from, to) = if more { (before.unwrap_or(&none), after) } else { (after, before.unwrap_or(&none)) };
    let changed: Vec<&str> = to.iter().filter(|taint| !from.contains(taint)).map(String::as_str).collect();
    if !changed.is_empty() {
        let did = if more { "tainted" } else { "untainted" };
        let did = format!("{did} {} {}", fact.key, changed.join(", "));
        let doubt = "the taints before are not recorded: some may have been there [rule: taints-before]";
        if before.is_some() {
            return Some(Told::recorded(did));
        }
        let mut told = Told::inferred(did, doubt);
        told.notes.extend(story.inquiry.doubt_before());
        return Some(told);
    }
    let emptied = !more && before.is_none() && after.is_empty();
    emptied.then(|| Told::recorded(format!("removed all taints of {}", fact.key)))
}
