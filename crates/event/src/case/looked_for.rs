//! What was looked for so far.

use std::collections::{BTreeMap, HashSet};

use crate::case::inquiry::COLLECTIONS;
use crate::filter::Filter;
use crate::glob::Glob;
use crate::time::Timestamp;

/// What lies within so many microseconds is a small part of a log.
const BRIEF: i64 = 60 * 60 * 1_000_000;

/// Filters of the looks so far, each once. There may be one for each of many names, and none is held against all of them.
#[derive(Debug, Default)]
pub(super) struct LookedFor {
    filters: Vec<Filter>,
    by_name: BTreeMap<Glob, Vec<usize>>,
    /// Those that ask for no names.
    others: Vec<usize>,
}

impl LookedFor {
    pub(super) fn extend(&mut self, filters: impl IntoIterator<Item = Filter>) {
        for filter in filters {
            if self.contains(&filter) {
                continue;
            }
            let number = self.filters.len();
            if filter.names.is_empty() {
                self.others.push(number);
            }
            for name in &filter.names {
                self.by_name.entry(name.clone()).or_default().push(number);
            }
            self.filters.push(filter);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Filter> {
        self.filters.iter()
    }

    fn contains(&self, filter: &Filter) -> bool {
        self.like(filter).any(|asked| asked == filter)
    }

    /// Those that may cover a filter: they ask for its first name, too, or for none.
    fn like(&self, filter: &Filter) -> impl Iterator<Item = &Filter> {
        let named = filter.names.first().and_then(|name| self.by_name.get(name));
        named.into_iter().flatten().chain(&self.others).map(|number| &self.filters[*number])
    }

    /// What of some filters was not looked for: those of which some was begin where that ended.
    ///
    /// Of the delete of a collection each look finds the objects that it names: where there are new names, it is looked for
    /// again.
    pub(super) fn rest(&self, filters: impl Iterator<Item = Filter>) -> Vec<Filter> {
        let filters: Vec<(Filter, Option<Filter>)> =
            filters.map(|filter| (filter.clone(), self.rest_of(filter))).collect();
        let is_new = |(filter, rest): &&(Filter, Option<Filter>)| {
            !filter.names.is_empty() && rest.as_ref() == Some(filter)
        };
        let new_in: HashSet<Option<Glob>> =
            filters.iter().filter(is_new).map(|(filter, _)| filter.namespace.clone()).collect();
        let rest = |(filter, rest): (Filter, Option<Filter>)| {
            let again = filter.verbs == COLLECTIONS && new_in.contains(&filter.namespace);
            if again { Some(filter) } else { rest }
        };
        filters.into_iter().filter_map(rest).collect()
    }

    fn rest_of(&self, mut filter: Filter) -> Option<Filter> {
        if self.contains(&filter) {
            return None;
        }
        while let Some(until) = self.reach(&filter) {
            if filter.until.unwrap_or(Timestamp::MAX) <= until {
                return None;
            }
            if filter.from.is_some_and(|from| until <= from) {
                break;
            }
            filter.from = Some(until);
        }
        Some(filter)
    }

    /// Up to when all was looked for that meets a filter from its beginning on.
    fn reach(&self, filter: &Filter) -> Option<Timestamp> {
        let begun = self.like(filter).filter(|asked| asked.covers_beginning(filter));
        begun.map(|asked| asked.until.unwrap_or(Timestamp::MAX)).max()
    }
}

/// What to look for now and later: first what lies within a short time, if there is any. Looking there takes little, and may
/// tell what else to look for with the rest, so that no log is read a third time for that.
pub(super) fn brief_first(filters: Vec<Filter>) -> (Vec<Filter>, Vec<Filter>) {
    let is_brief = |filter: &Filter| {
        let ends = filter.from.zip(filter.until);
        ends.is_some_and(|(from, until)| until.since(from) <= BRIEF)
    };
    let (brief, others): (Vec<_>, Vec<_>) = filters.into_iter().partition(is_brief);
    if brief.is_empty() { (others, brief) } else { (brief, others) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filter((name, from, until): (&str, Option<i64>, Option<i64>)) -> Filter {
        let [from, until] = [from, until].map(|micros| micros.map(Timestamp::from_micros));
        Filter { names: vec![Glob::new(name)], from, until, ..Filter::default() }
    }

    #[test]
    fn a_longer_time_is_looked_for_from_where_the_shorter_one_ended() {
        let mut asked = LookedFor::default();
        asked.extend([("a", Some(1), Some(5)), ("a", Some(5), Some(7)), ("b", None, Some(9))].map(filter));
        let rest = |wanted| asked.rest(std::iter::once(filter(wanted)));
        assert_eq!(rest(("a", Some(2), Some(8))), [filter(("a", Some(7), Some(8)))]);
        assert_eq!(rest(("a", Some(2), None)), [filter(("a", Some(7), None))]);
        assert_eq!(rest(("a", Some(1), Some(7))), []);
        assert_eq!(rest(("a", Some(7), Some(7))), []);
        assert_eq!(rest(("a", Some(0), Some(8))), [filter(("a", Some(0), Some(8)))]);
        assert_eq!(rest(("b", None, Some(10))), [filter(("b", Some(9), Some(10)))]);
        assert_eq!(rest(("c", None, None)), [filter(("c", None, None))]);
    }

    #[test]
    fn deletes_of_collections_are_looked_for_again_with_new_names() {
        let mut asked = LookedFor::default();
        let collections =
            |until| Filter { verbs: COLLECTIONS, names: Vec::new(), ..filter(("", Some(1), Some(until))) };
        asked.extend([filter(("a", Some(1), Some(5))), collections(5)]);
        let rest = |wanted: [Filter; 2]| asked.rest(wanted.into_iter());
        let new = [filter(("b", Some(1), Some(5))), collections(5)];
        assert_eq!(rest(new.clone()), new);
        let later = rest([filter(("a", Some(1), Some(6))), collections(6)]);
        let from = |filter: Filter| Filter { from: Some(Timestamp::from_micros(5)), ..filter };
        assert_eq!(later, [from(filter(("a", Some(1), Some(6)))), from(collections(6))]);
        let elsewhere = Filter { namespace: Some(Glob::new("shop")), ..filter(("b", None, None)) };
        assert_eq!(rest([elsewhere.clone(), collections(5)]), [elsewhere]);
    }

    fn times() -> impl Strategy<Value = (Option<i64>, Option<i64>)> {
        (prop::option::of(0_i64..9), prop::option::of(0_i64..9))
    }

    proptest! {
        /// Each moment of what is wanted was looked for, or is in the rest.
        #[test]
        fn nothing_is_left_out(asked in prop::collection::vec(("[ab]", times()), 0..6), wanted in ("[ab]", times())) {
            let of = |(name, (from, until)): &(String, _)| filter((name, *from, *until));
            let (mut known, wanted) = (LookedFor::default(), of(&wanted));
            known.extend(asked.iter().map(of));
            let rest = known.rest(std::iter::once(wanted.clone()));
            for micros in -1..10 {
                let time = Some(Timestamp::from_micros(micros));
                let moment = Filter { from: time, until: time, ..wanted.clone() };
                let is_asked = known.iter().any(|asked| asked.covers(&moment));
                let is_left = rest.iter().any(|rest| rest.covers(&moment));
                prop_assert!(!wanted.covers(&moment) || is_asked || is_left, "{micros}: {rest:?}");
                prop_assert!(!is_left || wanted.covers(&moment));
            }
        }
    }
}
