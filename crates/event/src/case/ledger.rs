//! The facts of a case in order, and by object.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use crate::case::detail::Victim;
use crate::case::fact::Fact;
use crate::case::life::{Life, Lives};
use crate::case::objects::Objects;
use crate::subject::Key;
use crate::time::Timestamp;

/// All facts of a case: by time, each entry once wherever and however often it was found.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    facts: Vec<Fact>,
    objects: Objects,
    /// Deletes of collections that succeeded and whose answers are not recorded, by the collection.
    unlisted: BTreeMap<Key, Vec<usize>>,
    /// How long the longest delete of a collection took, in microseconds.
    longest: i64,
    /// Where objects stand in the answers of deletecollections: fact, and place in its list.
    listed: BTreeMap<Key, Vec<(usize, usize)>>,
    /// Kubernetes Events by the object that they are about: its namespace and name.
    notes: BTreeMap<(String, String), Vec<usize>>,
    pods_by_uid: OnceLock<HashMap<String, usize>>,
    /// Token requests by the credential that they issued.
    issued: BTreeMap<String, usize>,
}

impl Ledger {
    /// Orders the facts so that neither the order of files nor of threads shows. `objects` are those of the facts that were in a
    /// ledger before.
    pub(crate) fn new(mut facts: Vec<Fact>, objects: Objects) -> Self {
        sort(&mut facts);
        facts.dedup_by(|later, earlier| {
            let same = later.identity() == earlier.identity() && later.key == earlier.key;
            if same {
                earlier.selected |= later.selected;
            }
            if same && later.detail.victims.is_some() {
                // Each look keeps the victims that it asked for.
                let more = later.detail.victims.take().unwrap_or_default();
                earlier.detail.victims.iter_mut().for_each(|victims| victims.extend(more.iter().cloned()));
            }
            same
        });
        let mut ledger = Self { objects, ..Self::default() };
        ledger.objects.take(&mut facts);
        for (index, fact) in facts.iter().enumerate() {
            ledger.index(index, fact);
        }
        Self { facts, ..ledger }
    }

    fn index(&mut self, index: usize, fact: &Fact) {
        if fact.is("deletecollection") && fact.succeeded() {
            self.longest = self.longest.max(fact.time.since(fact.received));
            if fact.detail.victims.is_none() {
                self.unlisted.entry(Key::clone(&fact.key)).or_default().push(index);
            }
        }
        for (place, victim) in fact.detail.victims.iter().flatten().enumerate() {
            let key = victim_key(fact, victim);
            self.objects.add(&Arc::new(key.clone()));
            self.listed.entry(key).or_default().push((index, place));
        }
        if let Some((_, about, _)) = &fact.detail.note {
            self.notes.entry((fact.key.namespace.clone(), about.clone())).or_default().push(index);
        }
        if let Some(credential) = fact.issued.as_ref().filter(|_| fact.succeeded()) {
            self.issued.entry(credential.clone()).or_insert(index);
        }
    }

    /// The facts and their objects again, to add to them.
    pub(crate) fn into_parts(self) -> (Vec<Fact>, Objects) {
        (self.facts, self.objects)
    }

    /// The facts between two times, both included, by time.
    pub(crate) fn between(&self, from: Timestamp, until: Timestamp) -> &[Fact] {
        let start = self.facts.partition_point(|fact| fact.effective() < from);
        let end = self.facts.partition_point(|fact| fact.effective() <= until);
        &self.facts[start..end.max(start)]
    }

    /// The Kubernetes Events about an object, by time.
    pub(crate) fn notes_about<'l>(&'l self, key: &Key) -> impl Iterator<Item = &'l Fact> {
        let about = || (key.namespace.clone(), key.name.clone());
        let notes = if self.notes.is_empty() { None } else { self.notes.get(&about()) };
        notes.into_iter().flatten().map(|index| &self.facts[*index])
    }

    /// The pod with that uid.
    pub(crate) fn pod_with_uid(&self, uid: &str) -> Option<&Key> {
        let pods = self.pods_by_uid.get_or_init(|| pods_by_uid(&self.facts));
        pods.get(uid).map(|index| &*self.facts[*index].key)
    }

    /// The token request that issued a credential.
    pub(crate) fn issuer_of(&self, credential: &str) -> Option<&Fact> {
        self.issued.get(credential).map(|index| &self.facts[*index])
    }

    /// Where an object stands in the answers of deletecollections.
    fn listings<'l>(&'l self, key: &Key) -> impl Iterator<Item = (&'l Fact, &'l Victim)> {
        self.listings_within(key, Timestamp::MIN, None)
    }

    /// The same, of those that were answered at `from` or later, and of all that came in up to `until`.
    pub(crate) fn listings_within<'l>(
        &'l self,
        key: &Key,
        from: Timestamp,
        until: Option<Timestamp>,
    ) -> impl Iterator<Item = (&'l Fact, &'l Victim)> {
        let places = self.listed.get(key).map_or(&[][..], Vec::as_slice);
        self.within(places, |(index, _)| *index, (from, until)).iter().filter_map(|(index, place)| {
            let fact = &self.facts[*index];
            Some((fact, fact.detail.victims.as_ref()?.get(*place)?))
        })
    }

    /// The objects that facts are about, by number, in the order in which they tell of them.
    pub(crate) fn objects(&self) -> &[Arc<Key>] {
        self.objects.keys()
    }

    /// The numbers of objects in the order of their keys.
    pub(crate) fn in_order(&self) -> &[usize] {
        self.objects.in_order()
    }

    /// The first object called so in a namespace, or outside of all, whose resource begins with `kind`.
    pub(crate) fn of_kind(&self, kind: &str, namespace: &str, name: &str) -> Option<&Key> {
        let kinds = self.objects.kinds().iter().filter(|key| key.resource.starts_with(kind));
        let mut alike = kinds.flat_map(|key| ["", namespace].map(|namespace| (key, namespace)));
        alike.find_map(|(like, namespace)| {
            let key = Key { namespace: namespace.to_owned(), name: name.to_owned(), ..Key::clone(like) };
            self.objects.number(&key).map(|number| &*self.objects()[number])
        })
    }

    /// The facts about one object, by time.
    pub(crate) fn of<'l>(&'l self, key: &Key) -> impl DoubleEndedIterator<Item = &'l Fact> {
        self.objects.number(key).into_iter().flat_map(|number| self.about(number))
    }

    /// The facts about one object from a time on.
    pub(crate) fn from<'l>(&'l self, key: &Key, time: Timestamp) -> impl Iterator<Item = &'l Fact> {
        let places = self.objects.number(key).map_or(&[][..], |number| self.objects.places(number));
        let first = places.partition_point(|index| self.facts[*index].effective() < time);
        places[first..].iter().map(|index| &self.facts[*index])
    }

    /// The facts about the object with a number, by time.
    pub(crate) fn about(&self, number: usize) -> impl DoubleEndedIterator<Item = &Fact> {
        self.objects.places(number).iter().map(|index| &self.facts[*index])
    }

    /// The incarnations of one object, the first one first. One that is known from the answer of a deletecollection
    /// alone has no facts.
    pub(crate) fn lives<'l>(&'l self, key: &Key) -> Vec<Life<'l>> {
        self.objects.number(key).map_or_else(Vec::new, |number| self.lives_of(number))
    }

    /// The incarnations of the object with a number.
    pub(crate) fn lives_of(&self, number: usize) -> Vec<Life<'_>> {
        let key = &self.objects()[number];
        Lives::of(key, self.about(number)).list(&self.listings(key).collect::<Vec<_>>())
    }

    /// The objects of a resource in a namespace whose names begin with `prefix`.
    pub(crate) fn named<'l>(&'l self, like: &Key, prefix: &str) -> impl Iterator<Item = &'l Key> {
        let start = Key { name: prefix.to_owned(), ..like.clone() };
        let numbers = self.in_order();
        let first = numbers.partition_point(|number| *self.objects()[*number] < start);
        numbers[first..].iter().map(|number| &*self.objects()[*number]).take_while(move |key| {
            (&key.group, &key.resource, &key.namespace) == (&start.group, &start.resource, &start.namespace)
                && key.name.starts_with(&start.name)
        })
    }

    /// The successful deletes of the whole collection that holds `key` whose answers are not recorded, by time: those that were
    /// answered at `from` or later, and all that came in up to `until`.
    pub(crate) fn unlisted<'l>(
        &'l self,
        key: &Key,
        from: Timestamp,
        until: Option<Timestamp>,
    ) -> impl Iterator<Item = &'l Fact> {
        let keys = if self.unlisted.is_empty() { Vec::new() } else { collections_of(key) };
        let places = keys.into_iter().filter_map(|key| self.unlisted.get(&key));
        let within = move |places: &'l Vec<usize>| self.within(places, |index| *index, (from, until));
        places.flat_map(within).map(|index| &self.facts[*index])
    }

    /// Those of some deletes of collections, by time, that were answered at a time or later, and all that came in up to another.
    fn within<'p, T>(
        &self,
        places: &'p [T],
        index: impl Fn(&T) -> usize,
        (from, until): (Timestamp, Option<Timestamp>),
    ) -> &'p [T] {
        let last = until.map_or(Timestamp::MAX, |until| until.plus(self.longest));
        let time = |place: &T| self.facts[index(place)].time;
        let rest = &places[places.partition_point(|place| time(place) < from)..];
        &rest[..rest.partition_point(|place| time(place) <= last)]
    }

    /// The last fact about `key` at or before `time` that `wanted` picks.
    pub(crate) fn last_before<'l>(
        &'l self,
        key: &Key,
        time: Timestamp,
        wanted: impl Fn(&Fact) -> bool,
    ) -> Option<&'l Fact> {
        self.of(key).rev().find(|fact| fact.received <= time && wanted(fact))
    }
}

/// Where the first fact about each pod stands that tells its uid.
fn pods_by_uid(facts: &[Fact]) -> HashMap<String, usize> {
    let mut pods = HashMap::new();
    for (index, fact) in facts.iter().enumerate() {
        if let Some(uid) = fact.uid.as_ref().filter(|_| fact.key.is_pod() && fact.succeeded()) {
            pods.entry(uid.clone()).or_insert(index);
        }
    }
    pods
}

/// By time; of one time by entry, and by where it stands. Facts are large: their order is found first, and each is moved once.
fn sort(facts: &mut [Fact]) {
    let mut order: Vec<_> = facts.iter().enumerate().map(|(place, fact)| (fact.effective(), place)).collect();
    order.sort_by(|(time, place), (other_time, other)| {
        let entry = |place: usize| (facts[place].identity(), facts[place].address);
        time.cmp(other_time).then_with(|| entry(*place).cmp(&entry(*other)))
    });
    let mut from: Vec<usize> = order.into_iter().map(|(_, place)| place).collect();
    for start in 0..from.len() {
        let mut place = start;
        while from[place] != start {
            let next = from[place];
            facts.swap(place, next);
            from[place] = place;
            place = next;
        }
        from[place] = place;
    }
}

/// The collections that hold an object: that of its namespace, and that of all.
fn collections_of(key: &Key) -> Vec<Key> {
    let collection = Key { name: String::new(), ..key.clone() };
    let everywhere = Key { namespace: String::new(), ..collection.clone() };
    if key.namespace.is_empty() { vec![collection] } else { vec![collection, everywhere] }
}

/// The object that an element of a deletecollection's answer is.
fn victim_key(fact: &Fact, victim: &Victim) -> Key {
    let namespace = if fact.key.namespace.is_empty() { &victim.namespace } else { &fact.key.namespace };
    Key { namespace: namespace.clone(), name: victim.name.clone(), ..Key::clone(&fact.key) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::case::actors::actor_of;
    use crate::case::detail::Reading;
    use crate::event::Event;
    use crate::fold::Address;

    proptest! {
        /// Facts are in the order of what they are compared by, whatever order they came in.
        #[test]
        fn facts_are_in_order(entries in proptest::collection::vec((0_i64..3, 0_i64..3, "[ab]", any::<bool>()), 0..40)) {
            let facts: Vec<Fact> = entries.iter().enumerate().map(|(place, (time, received, id, creates))| {
                let event = Event {
                    audit_id: id.into(),
                    verb: if *creates { "create" } else { "get" }.into(),
                    received: Some(Timestamp::from_micros(*received)),
                    stage_time: Some(Timestamp::from_micros(*time)),
                    ..Event::default()
                };
                let address = Address { source: place % 2, offset: place as u64, length: 1 };
                Fact::of(&event, Arc::default(), address, Arc::new(actor_of(&event)), Reading::default())
            }).collect();
            let addresses = |facts: &[Fact]| facts.iter().map(|fact| fact.address).collect::<Vec<_>>();
            let (mut expected, mut sorted) = (facts.clone(), facts);
            expected.sort_by(|a, b| {
                (a.effective(), a.identity(), a.address).cmp(&(b.effective(), b.identity(), b.address))
            });
            sort(&mut sorted);
            prop_assert_eq!(addresses(&sorted), addresses(&expected));
        }
    }
}
