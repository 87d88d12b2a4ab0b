//! When the replica sets of a deployment grew, and which.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use crate::case::controllers::Component;
use crate::case::fact::Fact;
use crate::case::inquiry::{Inquiry, key};
use crate::case::ledger::Ledger;
use crate::subject::Key;
use crate::time::Timestamp;

/// A replica set that was made or made larger, and when.
type Growth = (Timestamp, String);

/// What is known of it up to some time.
#[derive(Debug)]
pub(crate) struct Growths {
    /// Changes of the sets themselves, by time.
    told: Vec<Growth>,
    births: Arc<Births>,
    until: Timestamp,
}

/// Pods of a deployment's sets. One deployment may have very many, so that no question is to go through all of them for
/// each.
#[derive(Debug, Default)]
pub(crate) struct Births {
    /// By the time when they were met first, and the name of the set.
    pods: Vec<Birth>,
    /// For each of them the next one of another set.
    next_other: Vec<usize>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Birth {
    time: Timestamp,
    set: String,
    received: Timestamp,
}

impl Growths {
    /// When the deployment controller made a replica set, or made one larger, at or before `until`.
    pub(crate) fn of(inquiry: &Inquiry<'_>, deployment: &Key, until: Timestamp) -> Self {
        let sets = key("apps", "replicasets", &deployment.namespace, "");
        let mut told = Vec::new();
        for set in inquiry.ledger.named(&sets, &format!("{}-", deployment.name)) {
            if !is_set_of(&deployment.name, &set.name) {
                continue;
            }
            let mut replicas = None;
            for fact in inquiry.ledger.of(set).filter(|fact| fact.succeeded() && fact.received <= until) {
                let larger = fact.detail.replicas > replicas && replicas.is_some();
                let made = fact.is("create");
                replicas = fact.detail.replicas.or(replicas);
                if fact.component == Some(Component::Deployment) && fact.is_change() && (made || larger) {
                    told.push((fact.time, set.name.clone()));
                }
            }
        }
        told.sort();
        let births = inquiry.known.births.of(deployment, || Births::of(inquiry.ledger, deployment));
        Self { told, births, until }
    }

    /// The set that grew first at or after a time, and when.
    pub(crate) fn first_from(&self, time: Timestamp) -> Option<(Timestamp, &str)> {
        let told = self.told.iter().find(|(at, _)| *at >= time).map(|(at, set)| (*at, set.as_str()));
        let born = self.births.pods[self.births.before(time)..].iter();
        let born =
            born.filter(|birth| birth.received <= self.until).map(|birth| (birth.time, birth.set.as_str()));
        told.into_iter().chain(born.take(1)).min()
    }

    /// Whether no other set than `set` grew first at or after a time.
    pub(crate) fn is_first_from(&self, time: Timestamp, set: &str) -> bool {
        self.first_from(time).is_none_or(|(_, first)| first == set)
    }

    /// The set that grew last, and when.
    pub(crate) fn last(&self) -> Option<(Timestamp, &str)> {
        self.latest_before(self.until.plus(1))
    }

    /// The set that grew last before a time, which is not behind `until`.
    pub(crate) fn last_before(&self, time: Timestamp) -> Option<&str> {
        self.latest_before(time).map(|(_, set)| set)
    }

    fn latest_before(&self, time: Timestamp) -> Option<(Timestamp, &str)> {
        let told = self.told.iter().rev().find(|(at, _)| *at < time).map(|(at, set)| (*at, set.as_str()));
        let born = self.births.pods[..self.births.before(time)].last();
        told.into_iter().chain(born.map(|birth| (birth.time, birth.set.as_str()))).max()
    }

    /// Whether another set than `current` grew between two times, both included, which are not behind `until`.
    pub(crate) fn is_another(&self, current: Option<&str>, from: Timestamp, end: Timestamp) -> bool {
        let within = self.births.before(from)..self.births.before(end.plus(1));
        let mut told = self.told.iter().filter(|(at, _)| (from..=end).contains(at));
        told.any(|(_, set)| Some(set.as_str()) != current) || self.births.is_another(current, within)
    }
}

/// Whether a deployment's replica set is called so: like the deployment, and then a hash of ten letters and digits at the most
/// ([source](https://github.com/kubernetes/apimachinery/blob/master/pkg/util/rand/rand.go)). Other deployments, and jobs
/// of cron jobs, may be called like it and go on otherwise.
fn is_set_of(deployment: &str, name: &str) -> bool {
    let hash = name.strip_prefix(deployment).and_then(|rest| rest.strip_prefix('-'));
    let of_hashes = |c: char| "bcdfghjklmnpqrstvwxz2456789".contains(c);
    hash.is_some_and(|hash| (1..=10).contains(&hash.len()) && hash.chars().all(of_hashes))
}

/// The deployment whose replica set, or pod of one, may be called so.
pub(crate) fn deployment_of(made: &Key) -> Option<&str> {
    let set = match made.resource.as_str() {
        "replicasets" => &made.name,
        "pods" => made.name.rsplit_once('-')?.0,
        _ => return None,
    };
    let (deployment, _) = set.rsplit_once('-')?;
    is_set_of(deployment, set).then_some(deployment)
}

/// The entry that shows that the replica set called `grown`, of the same deployment as `set`, grew at a time: about it, or the
/// binding of one of its pods.
pub(crate) fn shown<'l>(
    inquiry: &Inquiry<'l>,
    set: &Key,
    (at, grown): (Timestamp, &str),
) -> Option<&'l Fact> {
    let ledger = inquiry.ledger;
    let (pods, prefix) = (key("", "pods", &set.namespace, ""), format!("{grown}-"));
    let grown = Key { name: grown.to_owned(), ..set.clone() };
    let about_set = ledger.of(&grown).filter(|fact| fact.is_change());
    let about_pods = ledger.named(&pods, &prefix).flat_map(|pod| ledger.of(pod));
    let mut shown = about_set
        .chain(about_pods.filter(|fact| fact.subresource == "binding"))
        .filter(|fact| fact.time == at);
    shown.next()
}

impl Births {
    /// When pods of a deployment's replica sets were met first: they show which set grew where bodies don't, and sets of
    /// which no entry says that they were made.
    pub(crate) fn of(ledger: &Ledger, deployment: &Key) -> Self {
        let [pods, sets] = [("", "pods"), ("apps", "replicasets")]
            .map(|(group, resource)| key(group, resource, &deployment.namespace, ""));
        let prefix = format!("{}-", deployment.name);
        let is_made = |set: &&Key| ledger.of(set).any(|fact| fact.is("create") && fact.succeeded());
        let made: HashSet<&str> =
            ledger.named(&sets, &prefix).filter(is_made).map(|set| set.name.as_str()).collect();
        let born = ledger.named(&pods, &prefix).filter_map(|pod| {
            let bound = ledger.of(pod).find(|fact| fact.subresource == "binding" && fact.succeeded())?;
            let (set, _) = pod.name.rsplit_once('-').filter(|(set, _)| is_set_of(&deployment.name, set))?;
            let birth = || Birth { time: bound.time, set: set.to_owned(), received: bound.received };
            (!bound.body_recorded || !made.contains(set)).then(birth)
        });
        Self::new(born.collect())
    }

    fn new(mut pods: Vec<Birth>) -> Self {
        pods.sort();
        let mut next_other = vec![pods.len(); pods.len()];
        for place in (1..pods.len()).rev() {
            let is_same = pods[place - 1].set == pods[place].set;
            next_other[place - 1] = if is_same { next_other[place] } else { place };
        }
        Self { pods, next_other }
    }

    /// How many were met before a time.
    fn before(&self, time: Timestamp) -> usize {
        self.pods.partition_point(|birth| birth.time < time)
    }

    fn is_another(&self, current: Option<&str>, within: Range<usize>) -> bool {
        let Some(first) = self.pods.get(within.start).filter(|_| !within.is_empty()) else { return false };
        Some(first.set.as_str()) != current || self.next_other[within.start] < within.end
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(time: i64) -> Timestamp {
        Timestamp::from_micros(time)
    }

    proptest! {
        /// What is looked up is what going through all of it finds.
        #[test]
        fn growths_are_those_of_the_slow_way(
            told in prop::collection::vec((0_i64..30, "[ab]"), 0..4),
            born in prop::collection::vec((0_i64..30, "[abc]", 0_i64..4), 0..12),
            until in 0_i64..30, ends in (0_i64..30, 0_i64..30), current in prop::option::of("[abc]"),
        ) {
            let births: Vec<Birth> = born.iter().map(|(time, set, took)| Birth { time: at(*time), set: set.clone(), received: at(time - took) }).collect();
            let mut all: Vec<Growth> = told.iter().map(|(time, set)| (at(*time), set.clone())).filter(|(time, _)| *time <= at(until)).collect();
            let mut growths = Growths { told: all.clone(), births: Arc::new(Births::new(births)), until: at(until) };
            growths.told.sort();
            all.extend(born.iter().filter(|(time, _, took)| time - took <= until).map(|(time, set, _)| (at(*time), set.clone())));
            all.sort();
            let first = all.iter().find(|(time, _)| *time >= at(ends.0)).map(|(time, set)| (*time, set.as_str()));
            prop_assert_eq!(growths.first_from(at(ends.0)), first);
            let (from, end) = (at(ends.0.min(until)), at(ends.1.min(until)));
            let last = all.iter().rev().find(|(time, _)| *time < from).map(|(_, set)| set.as_str());
            prop_assert_eq!(growths.last_before(from), last);
            let another = all.iter().any(|(time, set)| (from..=end).contains(time) && Some(set) != current.as_ref());
            prop_assert_eq!(growths.is_another(current.as_deref(), from, end), another);
        }
    }
}
