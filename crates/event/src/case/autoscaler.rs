//! Who told an autoscaler what to do.

use std::collections::{BTreeSet, HashMap};

use crate::answer::Certainty;
use crate::case::controllers::Component;
use crate::case::fact::Fact;
use crate::case::inquiry::{Inquiry, Link, key};
use crate::filter::Filter;
use crate::glob::Glob;
use crate::resource::Resource;
use crate::subject::Key;
use crate::time::Timestamp;

/// The autoscalers of a namespace by what they are called and by what they ever aimed at: a namespace may have very many.
#[derive(Debug, Default)]
pub(crate) struct Autoscalers<'l>(HashMap<&'l str, Vec<&'l Key>>);

impl<'l> Autoscalers<'l> {
    fn of(inquiry: &Inquiry<'l>, like: &Key) -> Self {
        let mut by_name: HashMap<&str, Vec<&Key>> = HashMap::new();
        for scaler in inquiry.ledger.named(like, "") {
            let targets = inquiry.ledger.of(scaler).filter_map(|fact| fact.detail.scale_target.as_ref());
            let names: BTreeSet<&str> =
                targets.map(|(_, name)| name.as_str()).chain([scaler.name.as_str()]).collect();
            for name in names {
                by_name.entry(name).or_default().push(scaler);
            }
        }
        Self(by_name)
    }
}

/// Who made or last changed the autoscaler of a workload.
pub(super) fn author<'l>(inquiry: &Inquiry<'l>, workload: &Key, time: Timestamp) -> Option<Link<'l>> {
    let like = key("autoscaling", "horizontalpodautoscalers", &workload.namespace, "");
    let authored = |fact: &Fact| fact.is_change() && fact.succeeded() && fact.component.is_none();
    let is_workload =
        |kind: &str| Resource::named(kind).is_none_or(|known| known.plural == workload.resource);
    let aims = |scaler: &Key| {
        let told = inquiry.ledger.last_before(scaler, time, |fact| fact.detail.scale_target.is_some());
        match told.and_then(|fact| fact.detail.scale_target.as_ref()) {
            Some((kind, name)) => *name == workload.name && is_workload(kind),
            None => scaler.name == workload.name,
        }
    };
    let scalers = inquiry.known.autoscalers.of(&like, || Autoscalers::of(inquiry, &like));
    let scaler = scalers.0.get(workload.name.as_str())?.iter().find(|scaler| aims(scaler))?;
    let fact = inquiry.ledger.last_before(scaler, time, authored)?;
    let made = if fact.is("create") { "created" } else { "changed" };
    Some(Link { fact, action: format!("{made} {scaler}"), certainty: Certainty::Inferred, proof: Vec::new() })
}

pub(super) fn need(inquiry: &Inquiry<'_>, namespace: &str, effect: Timestamp) {
    let autoscalers = Filter {
        resource: Some("horizontalpodautoscalers".to_owned()),
        namespace: Some(Glob::new(namespace)),
        ..Filter::default()
    };
    inquiry.need_about(autoscalers, effect);
}

/// Who is behind a component that scaled a workload: the author of its autoscaler.
pub(crate) fn behind_scaling<'l>(inquiry: &Inquiry<'l>, fact: &'l Fact) -> Vec<Link<'l>> {
    if fact.component != Some(Component::Autoscaler) {
        return Vec::new();
    }
    need(inquiry, &fact.key.namespace, fact.time);
    author(inquiry, &fact.key, fact.time).into_iter().collect()
}
