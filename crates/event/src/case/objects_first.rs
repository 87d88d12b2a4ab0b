//! Requests about objects, and then those about whole collections where the objects were met.

use std::collections::BTreeSet;

use crate::case::ledger::Ledger;
use crate::case::wanted::Wanted;
use crate::case::{Case, Window, removals};
use crate::filter::Filter;
use crate::glob::Glob;

/// In more namespaces than these collections are not looked for one by one.
const MOST_NAMESPACES: usize = 100;

impl Case {
    /// Looks for requests about objects first, and then, where the question takes no others, for those about whole collections
    /// in the namespaces where the objects were met: for logs in which another look takes little. The answers are the same.
    /// Within a window all is looked for at once, as the window bounds it.
    pub fn look_for_objects_first(&mut self) {
        let takes_others = !self.ask.question.rule.is_around_objects();
        if self.looks > 0 || takes_others || self.ask.window != Window::default() {
            return;
        }
        let is_open = |filter: &Filter| filter.namespace.is_none() && filter.names == [Glob::new("")];
        let (open, mut wanted): (Vec<_>, Vec<_>) =
            self.wanted.filters().iter().cloned().partition(|filter| is_open(filter));
        wanted.extend(within_namespaces(&open, &[""]));
        self.wanted = Wanted::new(wanted);
        self.collections = open;
    }

    /// What was put off, in the namespaces in which objects were met that are meant; everywhere if none was.
    pub(super) fn put_off(&mut self, ledger: &Ledger) -> Vec<Filter> {
        let filters = std::mem::take(&mut self.collections);
        let target = self.ask.subject.target().filter(|_| !filters.is_empty());
        let Some(target) = target else { return filters };
        let met = ledger.objects().iter().filter(|key| removals::is_meant(target, key));
        let namespaces: BTreeSet<&str> = met.map(|key| key.namespace.as_str()).collect();
        if !(1..=MOST_NAMESPACES).contains(&namespaces.len()) {
            return filters;
        }
        within_namespaces(&filters, &namespaces.into_iter().collect::<Vec<_>>())
    }
}

/// Filters for the same in each of these namespaces.
fn within_namespaces(filters: &[Filter], namespaces: &[&str]) -> Vec<Filter> {
    let within =
        |filter: &Filter, namespace: &str| Filter { namespace: Some(Glob::new(namespace)), ..filter.clone() };
    let each =
        filters.iter().flat_map(|filter| namespaces.iter().map(move |namespace| within(filter, namespace)));
    each.collect()
}
