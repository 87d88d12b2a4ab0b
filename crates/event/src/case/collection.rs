//! Which deletes of a whole collection hit an object that they don't name.

use std::borrow::Cow;

use crate::case::detail::Victim;
use crate::case::fact::Fact;
use crate::case::ledger::Ledger;
use crate::case::life::Life;
use crate::case::selector::{fields_match, labels_match};
use crate::uri;

/// How sure it is that a deletecollection removed an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hit {
    /// The answer's list holds it, and it was not being deleted already.
    Listed,
    /// It was there, and the selectors pick it.
    Selected,
    /// It was there, but what the selectors ask for is not recorded.
    Possible,
}

/// The deletes of collections that removed this life of an object, or may have.
pub(crate) fn hits<'l>(ledger: &'l Ledger, life: &Life<'l>) -> Vec<(&'l Fact, Hit)> {
    let of_any_uid =
        life.uid.is_none().then(|| ledger.listings_within(&life.key, life.not_before, life.succeeded_at));
    let of_any_uid = of_any_uid.into_iter().flatten();
    let of_any_uid = of_any_uid.filter(|(fact, victim)| is_hit(fact, victim) && life.may_be_hit_by(fact));
    let listed = of_any_uid.map(|(fact, _)| fact).chain(life.listed_by.iter().copied());
    let listed = listed.map(|fact| (fact, Hit::Listed));
    let ends = [life.closed_at, life.succeeded_at].into_iter().flatten().min();
    let unlisted = life.seen_from().into_iter().flat_map(|from| ledger.unlisted(&life.key, from, ends));
    listed.chain(unlisted.filter_map(|fact| Some((fact, hit(fact, life)?)))).collect()
}

/// Whether a delete removed an object that its answer lists.
pub(crate) fn is_hit(fact: &Fact, victim: &Victim) -> bool {
    fact.succeeded() && !victim.terminating
}

/// Whether a delete whose answer is not recorded hit a life.
fn hit(fact: &Fact, life: &Life<'_>) -> Option<Hit> {
    let was_there = life.seen_from()? <= fact.time
        && life.closed_at.is_none_or(|end| fact.received <= end)
        && life.succeeded_at.is_none_or(|next| fact.received < next);
    if !was_there {
        return None;
    }
    match selects(fact, life) {
        Some(false) => None,
        Some(true) => Some(Hit::Selected),
        None => Some(Hit::Possible),
    }
}

/// Whether a delete of a collection is one of objects with certain labels.
pub(crate) fn asks_for_labels(fact: &Fact) -> bool {
    label_selector(fact).is_some()
}

fn label_selector(fact: &Fact) -> Option<Cow<'_, str>> {
    uri::param(&fact.uri, "labelSelector").filter(|selector| !selector.is_empty())
}

/// Whether the selectors in the query pick the object; `None` where its labels are not recorded.
fn selects(fact: &Fact, life: &Life<'_>) -> Option<bool> {
    let by_labels = match label_selector(fact) {
        Some(selector) => life.labels().and_then(|labels| labels_match(&selector, labels)),
        None => Some(true),
    };
    let by_fields = match uri::param(&fact.uri, "fieldSelector").filter(|selector| !selector.is_empty()) {
        Some(selector) => fields_match(&selector, &life.key, life.node()),
        None => Some(true),
    };
    match (by_labels, by_fields) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}
