//! What a look through the logs is for: many filters, of which few can match one event.

use std::collections::HashMap;

use memchr::memmem;

use crate::filter::{self, Filter, Request};
use crate::glob::Glob;
use crate::literals::Literals;
use crate::subject::Key;

/// So many names are searched for in a list.
const MOST_SEARCHED: usize = 4;

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

    /// Whether a filter may ask by [name](Self::names) for an object of those in a list, which is JSON.
    pub(crate) fn may_name_of(&self, list: &str) -> bool {
        let names = || self.filters.iter().flat_map(|filter| &filter.names);
        let is_in = |text: &str| memmem::find(list.as_bytes(), text.as_bytes()).is_some();
        // More names are not searched for; and where letters may be spelled as escapes, none.
        names().nth(MOST_SEARCHED).is_some()
            || names().any(|name| is_in(filter::run_of(name.longest_literal())))
            || is_in(r"\u")
    }

    /// Filters that may be met, and whether the name is one that they ask for. Of many names each is looked up once.
    fn near(&self, name: &str, namespace: &str) -> impl Iterator<Item = (&Filter, bool)> {
        let named = self.by_name.get(name).into_iter().flatten();
        let in_namespace = self.by_namespace.get(namespace).into_iter().flatten();
        let others = in_namespace.chain(&self.others).map(|index| (&self.filters[*index], false));
        named.map(|index| (&self.filters[*index], true)).chain(others)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::body::Body;
    use crate::json::Json;

    fn wanted(names: &[&str]) -> Wanted {
        let names = names.iter().map(|name| Glob::new(*name)).collect();
        Wanted::new(vec![Filter { names, ..Filter::default() }])
    }

    #[test]
    fn a_name_in_a_list_is_met_however_it_is_spelled() {
        let list = |name: &str| format!(r#"{{"items":[{{"metadata":{{"name":"{name}"}}}}]}}"#);
        for (names, name, expected) in [
            (&["web-1"][..], "web-1", true),
            (&["web-1"], "web-2", false),
            (&["web-1", "web-1.*"], "web-2", false),
            (&["w*-1"], "web-2", false),
            (&["*"], "web-2", true),
            (&["a\"b"], "a\\\"b", true),
            (&["web-1"], r"\u0077eb-1", true),
            (&["a", "b", "c", "d", "e"], "x", true),
            (&[], "x", false),
        ] {
            assert_eq!(wanted(names).may_name_of(&list(name)), expected, "{names:?} {name}");
        }
    }

    proptest! {
        /// No object is asked for that a list holds which nothing may be named of.
        #[test]
        fn what_is_passed_is_not_asked_for(names in proptest::collection::vec(r#"[a"ä*]{0,3}"#, 0..3), name in r#"[a"äb]{0,3}"#) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let wanted = wanted(&names);
            let list = serde_json::json!({ "items": [{ "metadata": { "name": name } }] }).to_string();
            let body = Json::new(&list).ok().and_then(Body::parse).expect("a body");
            let item = body.items().into_iter().flatten().flatten().next().expect("an item");
            prop_assert_eq!(&item.metadata.name, &name);
            prop_assert!(wanted.may_name_of(&list) || !wanted.names("shop", &item.metadata.name));
        }
    }
}
