//! One name, several lives: which facts belong to which incarnation of an object.

use std::collections::HashMap;
use std::sync::Arc;

use crate::case::collection::is_hit;
use crate::case::controllers::Component;
use crate::case::detail::{Owner, Victim};
use crate::case::fact::Fact;
use crate::subject::Key;
use crate::time::Timestamp;

/// The facts about one incarnation of an object.
#[derive(Clone, Debug)]
pub(crate) struct Life<'l> {
    pub(crate) key: Arc<Key>,
    pub(crate) uid: Option<&'l str>,
    /// By time.
    pub(crate) facts: Vec<&'l Fact>,
    /// When it can have been there at the earliest: from when it was created on, if that is known, or the one before it was met.
    pub(crate) not_before: Timestamp,
    /// When the next incarnation of the name was created, if one was.
    pub(crate) succeeded_at: Option<Timestamp>,
    /// How the answer of a deletecollection lists it.
    pub(crate) listed: Option<&'l Victim>,
    /// Of a life with a uid: the deletes of collections that removed it, as their answers list it, or one without a uid while it
    /// may have been there.
    pub(crate) listed_by: Vec<&'l Fact>,
    /// When it certainly ended: the kubelet confirmed it, or nobody was to wait for it.
    pub(crate) closed_at: Option<Timestamp>,
    first: First<'l>,
}

/// The first facts of a life that tell something which many others ask: an owner may have many, of which none tells it.
#[derive(Clone, Copy, Debug, Default)]
struct First<'l> {
    succeeded: Option<&'l Fact>,
    created: Option<&'l Fact>,
    made: Option<&'l Fact>,
    owned: Option<&'l Fact>,
}

impl<'l> Life<'l> {
    pub(crate) fn new(key: &Arc<Key>, uid: Option<&'l str>) -> Self {
        Self {
            key: Arc::clone(key),
            uid,
            facts: Vec::new(),
            not_before: Timestamp::MIN,
            succeeded_at: None,
            listed: None,
            listed_by: Vec::new(),
            closed_at: None,
            first: First::default(),
        }
    }

    fn push(&mut self, fact: &'l Fact) {
        self.uid = self.uid.or(fact.uid.as_deref().filter(|_| fact.is_accepted()));
        if ends_life(fact) {
            self.closed_at = self.closed_at.or(Some(fact.time));
        }
        let First { succeeded, created, made, owned } = &mut self.first;
        let creates = fact.verb == "create" && fact.succeeded();
        for (first, tells) in [
            (succeeded, fact.succeeded()),
            (created, creates && fact.subresource.is_empty()),
            (made, creates && matches!(fact.subresource.as_ref(), "" | "binding")),
            (owned, !fact.detail.owners.is_empty()),
        ] {
            *first = first.or(tells.then_some(fact));
        }
        self.facts.push(fact);
    }

    /// Whether it may have been there when a request was carried out.
    pub(crate) fn may_be_hit_by(&self, fact: &Fact) -> bool {
        self.not_before <= fact.time && self.succeeded_at.is_none_or(|next| fact.received < next)
    }

    /// The owners that a body named; the managing one first.
    pub(crate) fn owners(&self) -> Option<&'l [Owner]> {
        let told = self.first.owned.map(|fact| fact.detail.owners.as_slice());
        told.or_else(|| {
            self.listed.map(|victim| victim.owners.as_slice()).filter(|owners| !owners.is_empty())
        })
    }

    /// The node: from a body, from the binding, or from the kubelet that spoke for the pod.
    pub(crate) fn node(&self) -> Option<&'l str> {
        let by_kubelet = |fact: &&'l Fact| {
            (fact.component == Some(Component::Kubelet))
                .then(|| fact.actor.username.strip_prefix("system:node:"))?
        };
        let stated = self.facts.iter().find_map(|fact| fact.detail.node.as_deref());
        stated.or_else(|| self.facts.iter().find_map(by_kubelet))
    }

    /// The labels that were last seen.
    pub(crate) fn labels(&self) -> Option<&'l [(String, String)]> {
        self.labelled_by()?.detail.labels.as_ref().map(|labels| labels.as_slice())
    }

    /// What showed them.
    pub(crate) fn labelled_by(&self) -> Option<&'l Fact> {
        self.facts.iter().copied().rev().find(|fact| fact.detail.labels.is_some())
    }

    /// When the object was there for the first time, as far as the facts say.
    pub(crate) fn seen_from(&self) -> Option<Timestamp> {
        self.first.succeeded.map(Fact::effective)
    }

    /// When it was made, if that was seen: its creation, or for a pod its binding, which comes once and at once.
    pub(crate) fn made_at(&self) -> Option<Timestamp> {
        self.first.made.map(|fact| fact.received)
    }

    /// Its creation, if it was seen.
    pub(crate) fn creation(&self) -> Option<&'l Fact> {
        self.first.created
    }
}

/// The last of an object's lives that was seen at or before a time.
pub(crate) fn seen_until<'s, 'l>(lives: &'s [Life<'l>], time: Timestamp) -> Option<&'s Life<'l>> {
    // Those that answers of deletecollections alone tell of stand behind the others.
    let met = &lives[..lives.partition_point(|life| !life.facts.is_empty())];
    let begun = &met[..met.partition_point(|life| life.not_before <= time)];
    begun.iter().rev().find(|life| life.seen_from().is_some_and(|from| from <= time))
}

/// Whether the object is certainly gone after `fact`: the kubelet confirms a pod's end, or nobody was to wait for it.
fn ends_life(fact: &Fact) -> bool {
    is_last_word(fact)
        || fact.succeeded() && fact.is("delete") && fact.key.is_pod() && fact.detail.grace_seconds == Some(0)
}

/// Whether this is the kubelet's delete that ends every graceful removal: it confirms, and never decides.
///
/// The kubelet sends it with grace period 0 once the containers have stopped
/// ([source](https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/status/status_manager.go)).
pub(crate) fn is_last_word(fact: &Fact) -> bool {
    fact.key.is_pod() && fact.is("delete") && fact.succeeded() && fact.component == Some(Component::Kubelet)
}

/// Among so few lives each is looked at; of more they are found by a hash, so that nobody makes judging slow by making and deleting
/// an object over and over.
const FEW: usize = 8;

/// The incarnations of one object, the first one first.
#[derive(Debug)]
pub(crate) struct Lives<'l> {
    key: Arc<Key>,
    all: Vec<Life<'l>>,
    /// Lives by their uid, of those in front of `indexed`.
    by_uid: HashMap<&'l str, usize>,
    indexed: usize,
}

impl<'l> Lives<'l> {
    /// Sorts the facts about one object, which are in order of time, into its incarnations.
    ///
    /// A uid tells for certain. Where none is recorded (most entries at Metadata level), a create begins a life, and so
    /// does any request that came in after the last one certainly ended and still found the object.
    pub(crate) fn of(key: &Arc<Key>, facts: impl Iterator<Item = &'l Fact>) -> Self {
        let mut lives = Self { key: Arc::clone(key), all: Vec::new(), by_uid: HashMap::new(), indexed: 0 };
        for fact in facts {
            let at = lives.place(fact).unwrap_or_else(|| {
                lives.begin(key, fact);
                lives.all.len() - 1
            });
            lives.all[at].push(fact);
        }
        lives
    }

    /// Adds a life whose first fact is known.
    fn begin(&mut self, key: &Arc<Key>, fact: &Fact) {
        let mut life = Life::new(key, None);
        if let Some(last) = self.all.last_mut() {
            let met = last.facts.first().map(|first| first.effective());
            let created = (fact.is("create") && fact.succeeded()).then(|| fact.effective());
            last.succeeded_at = Some(fact.effective());
            life.not_before = created.or(met).unwrap_or(Timestamp::MIN);
        }
        self.all.push(life);
    }

    /// Adds what the answers of deletecollections list: one that is known from such an answer alone has no facts.
    pub(crate) fn list(mut self, listings: &[(&'l Fact, &'l Victim)]) -> Vec<Life<'l>> {
        let nameless = self.all.iter().position(|life| life.uid.is_none());
        for (_, victim) in listings {
            let known = [nameless, self.with_uid(&victim.uid)];
            let at = known.into_iter().flatten().min().unwrap_or_else(|| {
                self.all.push(Life::new(&self.key, Some(&victim.uid)));
                self.all.len() - 1
            });
            self.all[at].listed = Some(victim);
        }
        for (fact, victim) in listings.iter().filter(|(fact, victim)| is_hit(fact, victim)) {
            if victim.uid.is_empty() {
                let named = self.there_at(fact).iter_mut().filter(|life| life.uid.is_some());
                named.for_each(|life| life.listed_by.push(fact));
            } else if let Some(at) = self.with_uid(&victim.uid) {
                self.all[at].listed_by.push(fact);
            }
        }
        self.all
    }

    /// The lives that facts tell of which may have been there when a request was carried out.
    fn there_at(&mut self, request: &Fact) -> &mut [Life<'l>] {
        let met = self.all.partition_point(|life| !life.facts.is_empty());
        let is_over = |life: &Life<'_>| life.succeeded_at.is_some_and(|next| next <= request.received);
        let first = self.all[..met].partition_point(is_over);
        let rest = &mut self.all[first..met];
        let last = rest.partition_point(|life| life.not_before <= request.time);
        &mut rest[..last]
    }

    /// The last life with a uid. That of a life which is not the last one does not change any more.
    fn with_uid(&mut self, uid: &str) -> Option<usize> {
        let last = self.all.len().checked_sub(1)?;
        if self.all[last].uid == Some(uid) {
            return Some(last);
        }
        if last < FEW {
            return self.all[..last].iter().rposition(|life| life.uid == Some(uid));
        }
        for (at, life) in self.all[..last].iter().enumerate().skip(self.indexed) {
            life.uid.map(|uid| self.by_uid.insert(uid, at));
        }
        self.indexed = last;
        self.by_uid.get(uid).copied()
    }

    /// Which life a fact belongs to; `None` if it begins another.
    fn place(&mut self, fact: &Fact) -> Option<usize> {
        let last = self.all.len().checked_sub(1)?;
        let begins = fact.is("create") && fact.succeeded();
        let outlives = fact.is_accepted() && self.all[last].closed_at.is_some_and(|end| fact.received > end);
        if let Some(uid) = fact.uid.as_deref() {
            if let Some(known) = self.with_uid(uid) {
                return Some(known);
            }
            let adopts = self.all[last].uid.is_none() && !begins && !outlives && fact.is_accepted();
            // A request for another incarnation that was refused tells of this one all the same.
            return (adopts || !fact.is_accepted()).then_some(last);
        }
        let fresh = begins && self.all[last].first.succeeded.is_some();
        (!(fresh || outlives)).then_some(last)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::case::actors::actor_of;
    use crate::case::detail::Reading;
    use crate::event::{Event, ObjectRef, ResponseStatus};
    use crate::fold::Address;

    /// The same, where each life is looked at for each fact and victim.
    fn slowly<'l>(key: &Arc<Key>, facts: &'l [Fact], listings: &[(&'l Fact, &'l Victim)]) -> Vec<Life<'l>> {
        let mut lives: Vec<Life<'l>> = Vec::new();
        for fact in facts {
            let place = slow_place(&lives, fact);
            if place.is_none() {
                let mut life = Life::new(key, None);
                if let Some(last) = lives.last_mut() {
                    last.succeeded_at = Some(fact.effective());
                    let begin = if fact.is("create") && fact.code < 300 { fact } else { last.facts[0] };
                    life.not_before = begin.effective();
                }
                lives.push(life);
            }
            let last = lives.len() - 1;
            lives[place.unwrap_or(last)].push(fact);
        }
        for (_, victim) in listings {
            match lives.iter_mut().find(|life| life.uid.is_none_or(|uid| uid == victim.uid)) {
                Some(life) => life.listed = Some(victim),
                None => lives.push(Life { listed: Some(victim), ..Life::new(key, Some(&victim.uid)) }),
            }
        }
        for life in lives.iter_mut().filter(|life| life.uid.is_some()) {
            let is_met = !life.facts.is_empty();
            let same = |fact: &Fact, victim: &Victim| match victim.uid.as_str() {
                "" => is_met && life.may_be_hit_by(fact),
                uid => life.uid == Some(uid),
            };
            let hit = listings.iter().filter(|(fact, victim)| is_hit(fact, victim) && same(fact, victim));
            life.listed_by = hit.map(|(fact, _)| *fact).collect();
        }
        lives
    }

    fn slow_place(lives: &[Life<'_>], fact: &Fact) -> Option<usize> {
        let last = lives.last()?;
        let begins = fact.is("create") && fact.succeeded();
        let outlives = fact.is_accepted() && last.closed_at.is_some_and(|end| fact.received > end);
        if let Some(uid) = &fact.uid {
            let known = lives.iter().rposition(|life| life.uid == Some(uid));
            let adopts = last.uid.is_none() && !begins && !outlives && fact.is_accepted();
            return known.or((adopts || !fact.is_accepted()).then_some(lives.len() - 1));
        }
        let fresh = begins && last.facts.iter().any(|earlier| earlier.succeeded());
        (!(fresh || outlives)).then_some(lives.len() - 1)
    }

    fn fact(place: usize, (verb, uid, code): &(usize, Option<usize>, u16)) -> Fact {
        let time = Some(Timestamp::from_micros(i64::try_from(place).unwrap()));
        let uid = uid.map_or_else(String::new, |uid| uid.to_string());
        let event = Event {
            verb: ["create", "delete", "patch"][*verb].into(),
            object_ref: Some(ObjectRef {
                resource: "configmaps".into(),
                uid: uid.into(),
                ..ObjectRef::default()
            }),
            response_status: Some(ResponseStatus { code: *code, ..ResponseStatus::default() }),
            received: time,
            stage_time: time,
            ..Event::default()
        };
        let address = Address { source: 0, offset: place as u64, length: 1 };
        Fact::of(&event, Arc::default(), address, Arc::new(actor_of(&event)), Reading::default())
    }

    proptest! {
        /// Lives that are looked up are those that looking at each of them finds.
        #[test]
        fn lives_are_those_of_the_slow_way(
            told in prop::collection::vec((0_usize..3, prop::option::weighted(0.7, 0_usize..30), prop::sample::select(vec![200_u16, 201, 404])), 0..60),
            mut listed in prop::collection::vec((prop::option::weighted(0.6, 0_usize..40), any::<bool>(), 0_usize..70), 0..20),
        ) {
            let facts: Vec<Fact> = told.iter().enumerate().map(|(place, told)| fact(place, told)).collect();
            listed.sort_by_key(|(.., place)| *place);
            let deletes: Vec<Fact> = listed.iter().map(|(_, _, place)| fact(*place, &(1, None, 200))).collect();
            let victims: Vec<Victim> = listed.iter().map(|(uid, terminating, _)| {
                Victim { uid: uid.map_or_else(String::new, |uid| uid.to_string()), terminating: *terminating, ..Victim::default() }
            }).collect();
            let listings: Vec<(&Fact, &Victim)> = deletes.iter().zip(&victims).collect();
            let key = Arc::new(Key::default());
            let told = |lives: Vec<Life<'_>>| lives.into_iter().map(|life| {
                let places = |facts: &[&Fact]| facts.iter().map(|fact| fact.address.offset).collect::<Vec<_>>();
                let listed = life.listed.map(|victim| (victim.uid.clone(), victim.terminating));
                (life.uid.map(str::to_owned), places(&life.facts), places(&life.listed_by), listed, life.succeeded_at, life.closed_at)
            }).collect::<Vec<_>>();
            let lives = Lives::of(&key, facts.iter()).list(&listings);
            for time in (0..60).map(Timestamp::from_micros) {
                let slowly = lives.iter().rev().find(|life| life.seen_from().is_some_and(|from| from <= time));
                let place = |life: &Life<'_>| life.facts.first().map(|fact| fact.address.offset);
                prop_assert_eq!(seen_until(&lives, time).map(place), slowly.map(place));
            }
            let found = told(lives);
            prop_assert_eq!(found, told(slowly(&key, &facts, &listings)));
        }
    }
}
