//! When the replica sets of a deployment grew, and which.

use std::collections::HashSet;

use crate::case::controllers::Component;
use crate::case::fact::Fact;
use crate::case::inquiry::{Inquiry, key};
use crate::case::ledger::Ledger;
use crate::subject::Key;
use crate::time::Timestamp;

/// When the replica sets of a deployment grew. One deployment may have very many pods, so that no question is to go through all
/// of them for each.
#[derive(Debug, Default)]
pub(crate) struct Growths {
    /// By time, and the name of the set.
    all: Vec<Growth>,
    /// For each of them the next one of another set.
    next_other: Vec<usize>,
    /// For each of them the next one that was asked for earlier.
    next_earlier: Vec<usize>,
}

/// A replica set that was made or made larger, or a pod of it was met first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Growth {
    time: Timestamp,
    set: String,
    received: Timestamp,
}

impl Growths {
    pub(crate) fn of(ledger: &Ledger, deployment: &Key) -> Self {
        let mut all = told(ledger, deployment);
        all.extend(born(ledger, deployment));
        Self::new(all)
    }

    fn new(mut all: Vec<Growth>) -> Self {
        all.sort();
        let (mut next_other, mut next_earlier) = (vec![all.len(); all.len()], vec![all.len(); all.len()]);
        for place in (1..all.len()).rev() {
            let is_same = all[place - 1].set == all[place].set;
            next_other[place - 1] = if is_same { next_other[place] } else { place };
            let mut earlier = place;
            while all.get(earlier).is_some_and(|growth| growth.received >= all[place - 1].received) {
                earlier = next_earlier[earlier];
            }
            next_earlier[place - 1] = earlier;
        }
        Self { all, next_other, next_earlier }
    }

    /// Of sets that grew at a time for what came in at another.
    #[cfg(test)]
    pub(crate) fn of_all<'g>(grown: impl Iterator<Item = (Timestamp, &'g str, Timestamp)>) -> Self {
        Self::new(grown.map(|(time, set, received)| Growth { time, set: set.to_owned(), received }).collect())
    }

    /// The set that grew first at or after a time, of those that were to grow at or before `until`, and when.
    pub(crate) fn first_from(&self, time: Timestamp, until: Timestamp) -> Option<(Timestamp, &str)> {
        let places =
            std::iter::successors(Some(self.before(time)), |place| self.next_earlier.get(*place).copied());
        let mut growths = places.map_while(|place| self.all.get(place));
        growths.find(|growth| growth.received <= until).map(|growth| (growth.time, growth.set.as_str()))
    }

    /// Whether no other set than `set` grew first at or after a time, of those that were to grow at or before `until`.
    pub(crate) fn is_first_from(&self, time: Timestamp, set: &str, until: Timestamp) -> bool {
        self.first_from(time, until).is_none_or(|(_, first)| first == set)
    }

    /// The set that grew last at or before a time, and when.
    pub(crate) fn last_until(&self, time: Timestamp) -> Option<(Timestamp, &str)> {
        let last = self.all[..self.before(time.plus(1))].last()?;
        Some((last.time, last.set.as_str()))
    }

    /// The set that grew last before a time.
    pub(crate) fn last_before(&self, time: Timestamp) -> Option<&str> {
        self.all[..self.before(time)].last().map(|growth| growth.set.as_str())
    }

    /// Whether another set than `current` grew between two times, both included.
    pub(crate) fn is_another(&self, current: Option<&str>, from: Timestamp, end: Timestamp) -> bool {
        let (first, end) = (self.before(from), self.before(end.plus(1)));
        let Some(growth) = self.all.get(first).filter(|_| first < end) else { return false };
        Some(growth.set.as_str()) != current || self.next_other[first] < end
    }

    /// How many there are before a time.
    fn before(&self, time: Timestamp) -> usize {
        self.all.partition_point(|growth| growth.time < time)
    }
}

/// When the deployment controller made a replica set, or made one larger.
fn told(ledger: &Ledger, deployment: &Key) -> Vec<Growth> {
    let sets = key("apps", "replicasets", &deployment.namespace, "");
    let mut told = Vec::new();
    for set in ledger.named(&sets, &format!("{}-", deployment.name)) {
        if !is_set_of(&deployment.name, &set.name) {
            continue;
        }
        let mut replicas = None;
        for fact in ledger.of(set).filter(|fact| fact.succeeded()) {
            let larger = fact.detail.replicas > replicas && replicas.is_some();
            let made = fact.is("create");
            replicas = fact.detail.replicas.or(replicas);
            if fact.component == Some(Component::Deployment) && fact.is_change() && (made || larger) {
                told.push(Growth { time: fact.time, set: set.name.clone(), received: fact.received });
            }
        }
    }
    told
}

/// When pods of a deployment's replica sets were met first: they show which set grew where bodies don't, and sets of which no
/// entry says that they were made.
fn born(ledger: &Ledger, deployment: &Key) -> Vec<Growth> {
    let [pods, sets] = [("", "pods"), ("apps", "replicasets")]
        .map(|(group, resource)| key(group, resource, &deployment.namespace, ""));
    let prefix = format!("{}-", deployment.name);
    let is_made = |set: &&Key| ledger.of(set).any(|fact| fact.is("create") && fact.succeeded());
    let made: HashSet<&str> =
        ledger.named(&sets, &prefix).filter(is_made).map(|set| set.name.as_str()).collect();
    let born = ledger.named(&pods, &prefix).filter_map(|pod| {
        let bound = ledger.of(pod).find(|fact| fact.subresource == "binding" && fact.succeeded())?;
        let (set, _) = pod.name.rsplit_once('-').filter(|(set, _)| is_set_of(&deployment.name, set))?;
        let growth = || Growth { time: bound.time, set: set.to_owned(), received: bound.received };
        (!bound.body_recorded || !made.contains(set)).then(growth)
    });
    born.collect()
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
            grown in prop::collection::vec((0_i64..30, "[abc]", 0_i64..9), 0..16),
            until in 0_i64..30, ends in (0_i64..30, 0_i64..30), current in prop::option::of("[abc]"),
        ) {
            let growths = Growths::of_all(grown.iter().map(|(time, set, took)| (at(*time), set.as_str(), at(time - took))));
            let mut all = growths.all.clone();
            all.sort();
            let told = |growth: &Growth| (growth.time, growth.set.clone());
            let first = all.iter().find(|growth| growth.time >= at(ends.0) && growth.received <= at(until)).map(told);
            prop_assert_eq!(growths.first_from(at(ends.0), at(until)).map(|(time, set)| (time, set.to_owned())), first);
            let last = all.iter().rev().find(|growth| growth.time < at(ends.0)).map(|growth| growth.set.as_str());
            prop_assert_eq!(growths.last_before(at(ends.0)), last);
            let last = all.iter().rev().find(|growth| growth.time <= at(until)).map(told);
            prop_assert_eq!(growths.last_until(at(until)).map(|(time, set)| (time, set.to_owned())), last);
            let within = all.iter().filter(|growth| (at(ends.0)..=at(ends.1)).contains(&growth.time));
            let another = within.clone().any(|growth| Some(&growth.set) != current.as_ref());
            prop_assert_eq!(growths.is_another(current.as_deref(), at(ends.0), at(ends.1)), another);
        }
    }
}
