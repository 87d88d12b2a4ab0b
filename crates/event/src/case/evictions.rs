//! Evictions by the node that their pods were on.

use std::collections::{BTreeSet, HashMap};

use crate::case::fact::Fact;
use crate::case::inquiry::Inquiry;
use crate::time::Timestamp;

/// All evictions that were let in, by the node that the pod was on then, and by time.
#[derive(Debug, Default)]
pub(crate) struct Evictions<'l>(HashMap<&'l str, Vec<&'l Fact>>);

impl<'l> Evictions<'l> {
    pub(super) fn of(inquiry: &Inquiry<'l>) -> Self {
        let ledger = inquiry.ledger;
        let is_eviction =
            |fact: &Fact| fact.key.is_pod() && fact.subresource == "eviction" && fact.succeeded();
        let all = ledger.between(Timestamp::MIN, Timestamp::MAX).iter();
        let pods: BTreeSet<usize> =
            all.filter(|fact| is_eviction(fact)).filter_map(|fact| fact.object).collect();
        let mut evictions: HashMap<&str, Vec<&Fact>> = HashMap::new();
        for pod in pods {
            inquiry.need_object(&ledger.objects()[pod], Timestamp::MAX);
            for life in ledger.lives_of(pod) {
                let Some(node) = life.node() else { continue };
                let of_life = life.facts.iter().filter(|fact| is_eviction(fact));
                evictions.entry(node).or_default().extend(of_life);
            }
        }
        let by_time = |fact: &&Fact| (fact.effective(), fact.address);
        for evictions in evictions.values_mut() {
            evictions.sort_by_key(by_time);
        }
        Self(evictions)
    }

    /// Those from a node between two times, both included, by time.
    pub(crate) fn between(&self, node: &str, from: Timestamp, until: Timestamp) -> &[&'l Fact] {
        let all = self.0.get(node).map_or(&[][..], Vec::as_slice);
        let start = all.partition_point(|fact| fact.effective() < from);
        let end = all.partition_point(|fact| fact.effective() <= until);
        &all[start..end.max(start)]
    }
}
