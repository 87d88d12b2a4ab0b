//! The objects that facts are about, and which facts are about each.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::case::fact::Fact;
use crate::subject::Key;

/// Objects by number, in the order in which facts tell of them; those that later looks find come behind. Whoever goes through all
/// of them in this order goes through the facts from the front to the back: in any other, each would have to be fetched from afar.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    numbers: HashMap<Arc<Key>, usize>,
    keys: Vec<Arc<Key>>,
    /// Where the facts about each stand in `places`.
    spans: Vec<Range<usize>>,
    /// Places of facts, those of one object by time.
    places: Vec<usize>,
    in_order: OnceLock<Vec<usize>>,
    kinds: OnceLock<Vec<Arc<Key>>>,
}

impl Objects {
    /// Takes all facts there are, which share their keys from here on. Those that were taken before know their object.
    pub(crate) fn take(&mut self, facts: &mut [Fact]) {
        // To make room later means to look at all keys again.
        self.numbers.reserve(facts.len().saturating_sub(self.places.len()));
        let share = |fact: &mut Fact| {
            let number = fact.object.unwrap_or_else(|| self.add(&fact.key));
            fact.key = Arc::clone(&self.keys[number]);
            fact.object = Some(number);
            number
        };
        let numbers: Vec<usize> = facts.iter_mut().map(share).collect();
        self.place(&numbers);
        (self.in_order, self.kinds) = Default::default();
    }

    /// The number of an object, which may be new.
    pub(crate) fn add(&mut self, key: &Arc<Key>) -> usize {
        match self.numbers.entry(Arc::clone(key)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                self.keys.push(Arc::clone(key));
                self.spans.push(0..0);
                *new.insert(self.keys.len() - 1)
            }
        }
    }

    /// Takes the number of the object of each fact.
    fn place(&mut self, numbers: &[usize]) {
        self.spans = vec![0..0; self.keys.len()];
        for number in numbers {
            self.spans[*number].end += 1;
        }
        let mut start = 0;
        for span in &mut self.spans {
            let next = start + span.end;
            *span = start..start;
            start = next;
        }
        self.places = vec![0; numbers.len()];
        for (place, number) in numbers.iter().enumerate() {
            let end = &mut self.spans[*number].end;
            self.places[*end] = place;
            *end += 1;
        }
    }

    /// All of them, by number.
    pub(crate) fn keys(&self) -> &[Arc<Key>] {
        &self.keys
    }

    /// The number of an object.
    pub(crate) fn number(&self, key: &Key) -> Option<usize> {
        self.numbers.get(key).copied()
    }

    /// The places of the facts about the object with a number, by time.
    pub(crate) fn places(&self, number: usize) -> &[usize] {
        &self.places[self.spans[number].clone()]
    }

    /// The numbers of all of them, in the order of their keys.
    pub(crate) fn in_order(&self) -> &[usize] {
        self.in_order.get_or_init(|| in_order(&self.keys))
    }

    /// One object of each group and resource, in the order of these.
    pub(crate) fn kinds(&self) -> &[Arc<Key>] {
        self.kinds.get_or_init(|| {
            let mut kinds: Vec<_> =
                self.in_order().iter().map(|number| Arc::clone(&self.keys[*number])).collect();
            kinds.dedup_by(|later, key| (&later.group, &later.resource) == (&key.group, &key.resource));
            kinds
        })
    }
}

/// The numbers of keys in the order of these. Most of many share all but the name, and of names the beginning: neither need be
/// compared each time.
fn in_order(keys: &[Arc<Key>]) -> Vec<usize> {
    let mut alike: HashMap<_, Vec<usize>> = HashMap::new();
    for (number, key) in keys.iter().enumerate() {
        alike.entry((&key.group, &key.resource, &key.namespace)).or_default().push(number);
    }
    let mut alike: Vec<_> = alike.into_iter().collect();
    alike.sort_unstable_by_key(|(shared, _)| *shared);
    alike.into_iter().flat_map(|(_, numbers)| by_name(keys, &numbers)).collect()
}

fn by_name<'k>(keys: &'k [Arc<Key>], numbers: &[usize]) -> impl Iterator<Item = usize> + use<'k> {
    let name = |number: usize| keys[number].name.as_bytes();
    let first = numbers.first().map_or(&[][..], |number| name(*number));
    let common = |number: &usize| first.iter().zip(name(*number)).take_while(|(a, b)| a == b).count();
    let shared = numbers.iter().map(common).min().unwrap_or_default();
    let mut named: Vec<_> = numbers
        .iter()
        .map(|number| {
            let rest = &name(*number)[shared..];
            let mut next = [0; size_of::<u64>()];
            next.iter_mut().zip(rest).for_each(|(own, byte)| *own = *byte);
            (u64::from_be_bytes(next), rest, *number)
        })
        .collect();
    named.sort_unstable_by_key(|(next, rest, _)| (*next, *rest));
    named.into_iter().map(|(_, _, number)| number)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::case::actors::actor_of;
    use crate::case::detail::Reading;
    use crate::event::Event;
    use crate::fold::Address;

    fn key(text: &str) -> Arc<Key> {
        let [group, resource, namespace, name] =
            text.split('/').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
        Arc::new(Key { group, resource, namespace, name })
    }

    proptest! {
        /// Each has the facts about it, and no others.
        #[test]
        fn each_object_has_its_facts(texts in prop::collection::vec("[ab]/[ab]//[ab]", 0..30), before in 0_usize..30, more in "[ab]/[ab]//[abc]") {
            let fact = |text: &String| {
                let (event, address) = (Event::default(), Address { source: 0, offset: 0, length: 1 });
                Fact::of(&event, key(text), address, Arc::new(actor_of(&event)), Reading::default())
            };
            let mut facts: Vec<Fact> = texts.iter().map(fact).collect();
            let mut objects = Objects::default();
            let (known, _) = facts.split_at_mut(before.min(texts.len()));
            objects.take(known);
            objects.take(&mut facts);
            let number = objects.add(&key(&more));
            prop_assert_eq!(&objects.keys()[number], &key(&more));
            let mut expected = BTreeMap::from([(key(&more), Vec::new())]);
            for (place, text) in texts.iter().enumerate() {
                expected.entry(key(text)).or_insert_with(Vec::new).push(place);
            }
            let in_order = objects.in_order().iter().map(|number| &objects.keys()[*number]);
            prop_assert!(in_order.eq(expected.keys()));
            for (key, places) in expected {
                let number = objects.number(&key).unwrap();
                let found = &objects.keys()[number];
                prop_assert_eq!((&**found, objects.places(number)), (&*key, &*places));
                prop_assert!(places.iter().all(|place| Arc::ptr_eq(&facts[*place].key, found)));
                let like = |kind: &&Arc<Key>| (&kind.group, &kind.resource) == (&key.group, &key.resource);
                prop_assert_eq!(objects.kinds().iter().filter(like).count(), 1);
            }
            prop_assert!(objects.number(&key("c/c//c")).is_none());
        }

        /// The order is that which keys have.
        #[test]
        fn keys_are_in_order(texts in prop::collection::hash_set("[ab]{0,2}/[ab]{0,2}/[ab]{0,2}/[ab-]{0,4}", 0..60)) {
            let keys: Vec<Arc<Key>> = texts.iter().map(|text| key(text)).collect();
            let mut sorted = keys.clone();
            sorted.sort();
            prop_assert_eq!(in_order(&keys).into_iter().map(|number| Arc::clone(&keys[number])).collect::<Vec<_>>(), sorted);
        }
    }
}
