//! Filters that are asked for at once.

use std::collections::BTreeMap;

use audit_who_event::filter::Filter;
use audit_who_event::glob::Glob;

/// Takes those filters together that have patterns for names and differ in them and in their times alone, where these
/// overlap. Asked for one by one, each of them would have the names of the same records looked up.
pub(super) fn together(filters: &[Filter]) -> Vec<Filter> {
    let mut all: Vec<Filter> = Vec::with_capacity(filters.len());
    let mut last: BTreeMap<Filter, usize> = BTreeMap::new();
    for filter in filters {
        if filter.names.iter().all(|name| name.literal().is_some()) {
            all.push(filter.clone());
            continue;
        }
        let otherwise = Filter { names: Vec::new(), from: None, until: None, ..filter.clone() };
        match last.get(&otherwise).map(|index| &mut all[*index]) {
            Some(known) if overlap(known, filter) => add(known, filter),
            _ => {
                last.insert(otherwise, all.len());
                all.push(filter.clone());
            }
        }
    }
    all
}

fn overlap(one: &Filter, other: &Filter) -> bool {
    let begins_in_time =
        |one: &Filter, other: &Filter| one.from.zip(other.until).is_none_or(|(from, until)| from <= until);
    begins_in_time(one, other) && begins_in_time(other, one)
}

fn add(known: &mut Filter, filter: &Filter) {
    let new = |name: &&Glob| !known.names.contains(name);
    let new: Vec<Glob> = filter.names.iter().filter(new).cloned().collect();
    known.names.extend(new);
    known.from = known.from.zip(filter.from).map(|(one, other)| one.min(other));
    known.until = known.until.zip(filter.until).map(|(one, other)| one.max(other));
}

#[cfg(test)]
mod tests {
    use audit_who_event::time::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn filter(names: &[&str], window: [Option<i64>; 2]) -> Filter {
        let [from, until] = window.map(|micros| micros.map(Timestamp::from_micros));
        Filter {
            names: names.iter().map(|name| Glob::new(*name)).collect(),
            from,
            until,
            ..Filter::default()
        }
    }

    #[test]
    fn patterns_whose_times_overlap_are_one_filter() {
        let [one, other] = [filter(&["a-*"], [Some(1), Some(5)]), filter(&["b-*", "a-*"], [Some(5), None])];
        assert_eq!(together(&[one.clone(), other]), [filter(&["a-*", "b-*"], [Some(1), None])]);
        let apart =
            [one, filter(&["b-*"], [Some(6), None]), filter(&["a"], [None; 2]), filter(&["b"], [None; 2])];
        assert_eq!(together(&apart), apart);
        let elsewhere = apart.clone().map(|filter| Filter { resource: Some("pods".to_owned()), ..filter });
        assert_eq!(together(&[apart.clone(), elsewhere.clone()].concat()), [apart, elsewhere].concat());
    }

    proptest! {
        /// What meets one of the filters meets one of those that are asked for.
        #[test]
        fn each_filter_is_asked_for(filters in prop::collection::vec(
            (prop::sample::subsequence(vec!["a", "a*", "b*", "*c"], 0..4), prop::option::of(0_i64..9), prop::option::of(0_i64..9), any::<bool>()), 0..9,
        )) {
            let filters: Vec<Filter> = filters.into_iter().map(|(names, from, until, pods)| {
                Filter { resource: pods.then(|| "pods".to_owned()), ..filter(&names, [from, until]) }
            }).collect();
            let asked = together(&filters);
            prop_assert!(asked.len() <= filters.len());
            for filter in &filters {
                prop_assert!(asked.iter().any(|asked| asked.covers(filter)), "{filter:?}: {asked:?}");
            }
        }
    }
}
