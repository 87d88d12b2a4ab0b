//! All changes of a workload, looked up by time: many pods have one owner, which may be changed as often as they are.

use std::sync::Arc;

use crate::case::change::{AT_ONCE, Change, PROMPT, recorded};
use crate::case::growth::Growths;
use crate::case::inquiry::Inquiry;
use crate::case::soonest::Soonest;
use crate::subject::Key;
use crate::time::Timestamp;

/// The changes of a workload, by anybody but the controllers that work it, by time.
#[derive(Debug)]
pub(crate) struct Changes<'l> {
    all: Vec<Change<'l>>,
    soonest: Soonest,
    /// For each kind, and each change, the last one of the kind up to there.
    latest: [Vec<Option<usize>>; Kind::ALL.len()],
    /// When the replica sets of a deployment grew: what that tells of changes that were recorded without bodies.
    growths: Option<Arc<Growths>>,
}

/// What a change may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Template,
    Replicas,
    Suspension,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Template, Self::Replicas, Self::Suspension];

    fn holds(self, change: &Change<'_>) -> bool {
        match self {
            Self::Template => change.templates,
            Self::Replicas => change.scales.is_some(),
            Self::Suspension => change.is_about_suspension(),
        }
    }
}

impl<'l> Changes<'l> {
    pub(super) fn of(inquiry: &Inquiry<'l>, workload: &Key) -> Self {
        let all = recorded(inquiry.ledger, workload);
        let is_guessed = workload.resource == "deployments" && all.iter().any(|change| change.guessed);
        Self::new(all, is_guessed.then(|| inquiry.growths(workload)))
    }

    fn new(mut all: Vec<Change<'l>>, growths: Option<Arc<Growths>>) -> Self {
        let ends: Vec<Timestamp> = all.iter().skip(1).map(|next| next.fact.received).collect();
        for (change, end) in all.iter_mut().zip(ends.into_iter().chain([Timestamp::MAX])) {
            change.guess(growths.as_deref(), end);
        }
        let soonest = Soonest::of(all.iter().map(|change| change.fact));
        let latest = Kind::ALL.map(|kind| {
            let places = all.iter().enumerate();
            let mut last = None;
            places
                .map(|(place, change)| {
                    last = kind.holds(change).then_some(place).or(last);
                    last
                })
                .collect()
        });
        Self { all, soonest, latest, growths }
    }

    /// Those that came in at or before a time.
    pub(super) const fn until(&self, time: Timestamp) -> Past<'_, 'l> {
        Past { changes: self, time }
    }
}

/// The changes of a workload that came in at or before some time, as far as was known of them then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Past<'c, 'l> {
    changes: &'c Changes<'l>,
    time: Timestamp,
}

impl<'c, 'l> Past<'c, 'l> {
    /// The last change that is `wanted`, of those that were answered at or after `since`.
    pub(super) fn last(
        self,
        since: Option<Timestamp>,
        wanted: impl Fn(&Change<'l>) -> bool,
    ) -> Option<Change<'l>> {
        let mut latest =
            self.backwards(0).take_while(|change| since.is_none_or(|since| since <= change.fact.time));
        latest.find(wanted)
    }

    /// The last change that may have asked for fewer pods, so that one that was `made` then was removed at that time.
    pub(super) fn last_shrinking(self, made: Option<Timestamp>) -> Option<Change<'l>> {
        let prompt = Some(self.time.plus(-PROMPT));
        self.last(made.max(prompt), |change| change.shrinks_between(made, self.time))
    }

    /// The last change of a kind, if it was answered at or after `since`.
    pub(super) fn last_of(self, kind: Kind, since: Option<Timestamp>) -> Option<Change<'l>> {
        let settled = self.settled();
        let unsettled = self.backwards(settled).find(|change| kind.holds(change));
        let before = || {
            let place = self.changes.latest[kind as usize][settled.checked_sub(1)?]?;
            Some(self.changes.all[place].clone())
        };
        let last = unsettled.or_else(before)?;
        since.is_none_or(|since| since <= last.fact.time).then_some(last)
    }

    /// Whether a replica set that grew at `grown` may have grown for a template that `change` brought. What a paused deployment
    /// wants waits for the change that resumes it, where that is known to bring no template of its own. A set that grows long
    /// after all of these was asked for by a change that is missing.
    pub(super) fn may_grow_for(self, change: &Change<'_>, grown: Timestamp) -> bool {
        let from = change.fact.received;
        let is_soon = |since: Timestamp| since <= grown && grown.since(since) <= AT_ONCE;
        let Changes { all, soonest, .. } = self.changes;
        // What was answered earlier came in earlier, too.
        let first = all.partition_point(|later| grown.since(later.fact.time) > AT_ONCE);
        let last = soonest.until(grown.min(self.time));
        let mut later = all[first.min(last)..last].iter().map(|later| (later.guessed, later.fact.received));
        let resumes =
            |(guessed, at): (bool, Timestamp)| !guessed && from < at && at <= self.time && is_soon(at);
        is_soon(from) || later.any(resumes)
    }

    /// Up to which place all came in, and what had to be told from what followed does not depend on when it is asked.
    fn settled(self) -> usize {
        let long_ago = |change: &Change<'_>| self.time.since(change.fact.time) >= AT_ONCE;
        self.changes.all.partition_point(long_ago).saturating_sub(1)
    }

    /// From the last one on to the one in a place.
    fn backwards(self, first: usize) -> impl Iterator<Item = Change<'l>> + use<'c, 'l> {
        let Changes { all, soonest, growths, .. } = self.changes;
        let end = soonest.until(self.time);
        let mut next = self.time;
        let places = (first..end).rev().filter(move |place| all[*place].fact.received <= self.time);
        places.map(move |place| {
            let mut change = all[place].clone();
            change.guess(growths.as_deref(), next);
            next = change.fact.received;
            change
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::case::actors::actor_of;
    use crate::case::detail::Reading;
    use crate::case::fact::Fact;
    use crate::event::{Event, ObjectRef};
    use crate::fold::Address;

    const SECOND: i64 = 1_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * SECOND)
    }

    /// A request that was answered in some second, and how long that took.
    fn fact(place: usize, (second, took): (i64, i64)) -> Fact {
        let object_ref = Some(ObjectRef { resource: "deployments".into(), ..ObjectRef::default() });
        let (received, stage_time) = (Some(at(second - took)), Some(at(second)));
        let event = Event { verb: "patch".into(), object_ref, received, stage_time, ..Event::default() };
        let address = Address { source: 0, offset: place as u64, length: 1 };
        let key = crate::case::inquiry::key("apps", "deployments", "shop", "web");
        Fact::of(&event, Arc::new(key), address, Arc::new(actor_of(&event)), Reading::default())
    }

    /// The changes that came in until some time, as if there were no others.
    fn slowly<'l>(all: &[Change<'l>], growths: &Growths, time: Timestamp) -> Vec<Change<'l>> {
        let mut past: Vec<Change<'l>> =
            all.iter().filter(|change| change.fact.received <= time).cloned().collect();
        let ends: Vec<Timestamp> = past.iter().skip(1).map(|next| next.fact.received).chain([time]).collect();
        past.iter_mut().zip(ends).for_each(|(change, end)| change.guess(Some(growths), end));
        past
    }

    type Told = Option<(u64, bool, Option<(Option<i64>, Option<i64>)>)>;

    fn told(change: Option<&Change<'_>>) -> Told {
        change.map(|change| (change.fact.address.offset, change.templates, change.scales))
    }

    proptest! {
        /// What is looked up is what going through all changes finds.
        #[test]
        fn changes_are_those_of_the_slow_way(
            mut times in prop::collection::vec((0_i64..60, prop_oneof![3 => Just(0_i64), 1 => 0_i64..40]), 0..12),
            kinds in prop::collection::vec((any::<bool>(), any::<bool>(), any::<bool>()), 12),
            grown in prop::collection::vec((0_i64..60, "[ab]", 0_i64..20), 0..12),
            time in 0_i64..70, since in prop::option::of(0_i64..60),
        ) {
            times.sort_unstable();
            let facts: Vec<Fact> = times.iter().enumerate().map(|(place, times)| fact(place, *times)).collect();
            let change = |(fact, (guessed, templates, scales)): (_, &(bool, bool, bool))| Change {
                fact, scales: scales.then_some((Some(3), Some(1))), templates: *templates, suspends: false, guessed: *guessed,
            };
            let all: Vec<Change<'_>> = facts.iter().zip(&kinds).map(change).collect();
            let grown = grown.iter().map(|(second, set, took)| (at(*second), set.as_str(), at(second - took)));
            let growths = Arc::new(Growths::of_all(grown));
            let changes = Changes::new(all.clone(), Some(Arc::clone(&growths)));
            let (time, since) = (at(time), since.map(at));
            let (past, slow) = (changes.until(time), slowly(&all, &growths, time));
            let is_since = |change: &&Change<'_>| since.is_none_or(|since| since <= change.fact.time);
            for kind in Kind::ALL {
                let expected = slow.iter().rev().find(|change| kind.holds(change)).filter(is_since);
                prop_assert_eq!(told(past.last_of(kind, since).as_ref()), told(expected), "{:?}", kind);
            }
            let expected = slow.iter().rev().filter(is_since).find(|change| !change.templates);
            prop_assert_eq!(told(past.last(since, |change| !change.templates).as_ref()), told(expected));
            let expected = slow.iter().rev().find(|change| change.shrinks_between(since, time));
            prop_assert_eq!(told(past.last_shrinking(since).as_ref()), told(expected));
            for change in &slow {
                for second in 0..70 {
                    let from = change.fact.received;
                    let resumes = slow.iter().filter(|later| !later.guessed && later.fact.received > from);
                    let mut since = resumes.map(|later| later.fact.received).chain([from]);
                    let expected = since.any(|since| since <= at(second) && at(second).since(since) <= AT_ONCE);
                    prop_assert_eq!(past.may_grow_for(change, at(second)), expected);
                }
            }
        }
    }
}
