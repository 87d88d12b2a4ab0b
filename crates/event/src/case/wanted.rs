//! What a look through the logs is for: many filters, of which few can match one event.

use std::collections::HashMap;

use crate::filter::{self, Filter, Request};
use crate::glob::Glob;
use crate::literals::Literals;
use crate::subject::Key;

/// Filters, found by the name or the namespace that they ask for, so that an event is not held against all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    filters: Vec<Filter>,
    by_name: HashMap<String, Vec<usize>>,
    by_namespace: HashMap<String, Vec<usize>>,
    others: Vec<usize>,
}

impl Wanted {
    pub(crate) fn new(filters: Vec<Filter>) -> Self {
        let mut wanted = Self { filters, ..Self::default() };
        for (index, filter) in wanted.filters.iter().enumerate() {
            let names: Option<Vec<&str>> = filter.names.iter().map(Glob::literal).collect();
            let namespace = filter.namespace.as_ref().and_then(Glob::literal);
            match (names.filter(|names| !names.is_empty()), namespace) {
                (Some(names), _) => {
                    for name in names {
                        wanted.by_name.entry(name.to_owned()).or_default().push(index);
                    }
                }
                (None, Some(namespace)) => {
                    wanted.by_namespace.entry(namespace.to_owned()).or_default().push(index);
                }
                (None, None) => wanted.others.push(index),
            }
        }
        wanted
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }

    pub(crate) fn filters(&self) -> &[Filter] {
        &self.filters
    }

    pub(crate) fn into_filters(self) -> Vec<Filter> {
        self.filters
    }

    /// What must stand in a line to matter.
    pub(crate) fn literals(&self) -> Literals {
        filter::literals(&self.filters)
    }

    /// The filters that a request meets, but for the uid that some of them ask for.
    pub(crate) fn met_by<'w>(
        &'w self,
        request: &'w impl Request,
        key: &'w Key,
    ) -> impl Iterator<Item = &'w Filter> {
        let near = self.near(&key.name, &key.namespace);
        let met = near.filter(move |(filter, is_named)| {
            filter.matches_otherwise(request, key) && (*is_named || filter.matches_name(&key.name))
        });
        met.map(|(filter, _)| filter)
    }

    /// Whether a filter asks for an object of that name in that namespace.
    pub(crate) fn names(&self, namespace: &str, name: &str) -> bool {
        self.near(name, namespace).any(|(filter, is_named)| {
            (is_named || !filter.names.is_empty() && filter.matches_name(name))
                && filter.namespace.as_ref().is_none_or(|own| own.matches(namespace))
        })
    }

    /// Filters that may be met, and whether the name is one that they ask for. Of many names each is looked up once.
    fn near(&self, name: &str, namespace: &str) -> impl Iterator<Item = (&Filter, bool)> {
        let named = self.by_name.get(name).into_iter().flatten();
        let in_namespace = self.by_namespace.get(namespace).into_iter().flatten();
        let others = in_namespace.chain(&self.others).map(|index| (&self.filters[*index], false));
        named.map(|index| (&self.filters[*index], true)).chain(others)
    }
}
