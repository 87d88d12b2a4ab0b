//! Questions about nodes: cordons and taints.

use crate::case::fact::Fact;
use crate::case::requests::CHANGE;
use crate::question::{Request, Story, Told};

pub(crate) const CORDONED: Request = Request { tell: |story| switched(story, true), ..CHANGE };
pub(crate) const UNCORDONED: Request = Request { tell: |story| switched(story, false), ..CHANGE };
pub(crate) const TAINTED: Request = Request { tell: |story| tainted(story, true), ..CHANGE };
pub(crate) const UNTAINTED: Request = Request { tell: |story| tainted(story, false), ..CHANGE };

/// `spec.unschedulable` set or unset.
fn switched(story: &Story<'_, '_>, on: bool) -> Option<Told> {
    let fact = story.fact;
    let did = if on { "cordoned" } else { "uncordoned" };
    (fact.key.is_core("nodes") && fact.detail.cordons == Some(on))
        .then(|| Told::recorded(format!("{did} {}", fact.key)))
}

/// A list of taints that holds more, or fewer, than the one before.
///
/// A request carries the whole list. Where the one before is not known, what it carries may have been there already.
fn tainted(story: &Story<'_, '_>, more: bool) -> Option<Told> {
    let fact = story.fact;
    let after = fact.detail.taints_asked.as_ref().filter(|_| fact.key.is_core("nodes"))?;
    let before = story.earlier.iter().rev().find_map(|earlier| known_taints(earlier));
    let none = Vec::new();
    let (from, to) = if more { (before.unwrap_or(&none), after) } else { (after, before.unwrap_or(&none)) };
    let changed: Vec<&str> = to.iter().filter(|taint| !from.contains(taint)).map(String::as_str).collect();
    if !changed.is_empty() {
        let did = if more { "tainted" } else { "untainted" };
        let did = format!("{did} {} {}", fact.key, changed.join(", "));
        let doubt = "the taints before are not recorded: some may have been there [rule: taints-before]";
        return if before.is_none() && fact.component.is_some() {
            Some(Told::inferred(did, doubt))
        } else {
            Some(Told::recorded(did))
        };
    }
    let emptied = !more && before.is_none() && after.is_empty();
    emptied.then(|| Told::recorded(format!("removed all taints of {}", fact.key)))
}

/// The taints that a node had after an entry.
fn known_taints(fact: &Fact) -> Option<&Vec<String>> {
    let detail = &fact.detail;
    let shown = detail.taints.as_ref().filter(|_| fact.succeeded());
    shown.or_else(|| detail.taints_asked.as_ref().filter(|_| fact.succeeded()))
}
