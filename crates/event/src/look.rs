//! What one look through the logs is for.

use crate::case::Window;
use crate::filter::Filter;
use crate::literals::Literals;
use crate::time::Timestamp;

/// For more filters, or more strings, than this, counting how often they are met takes longer than it saves.
const MOST_COUNTED: usize = 64;

/// The events that one look wants, so that whatever holds the events need not hand over all of them.
///
/// What executes it (a scan of files, a query on a store) may hand over more events than are wanted, never fewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// An event is wanted if it meets one of these; `None` if every event is.
    pub filters: Option<Vec<Filter>>,
    /// Strings of which one stands in the line of every event that is wanted.
    pub literals: Literals,
}

impl Look {
    /// Wants every event.
    pub fn everything() -> Self {
        Self { filters: None, literals: Literals::everything() }
    }

    /// Wants the events that meet one of `filters`.
    pub fn for_filters(filters: Vec<Filter>) -> Self {
        Self { literals: crate::filter::literals(&filters), filters: Some(filters) }
    }

    /// Wants what one of both wants.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let filters = self.filters.zip(other.filters).map(|(mut filters, others)| {
            filters.extend(others);
            filters
        });
        Self { filters, literals: Literals::any_of_all([self.literals, other.literals]) }
    }

    /// Strings of which one stands in the line of every event that is wanted, chosen so that few other lines hold one, and that
    /// they are few: `count` says how often one is met in a sample of 128 KiB, as a whole if it is a name; searching for one more
    /// takes as long as looking at one line there.
    pub fn rarest_literals(&self, mut count: impl FnMut(&str, bool) -> usize) -> Literals {
        let mut cost = |literals: &Literals| {
            let Some(all) = literals.as_slice() else { return usize::MAX };
            let names = all.iter().filter(|literal| literals.is_name(literal)).map(|name| (name, true));
            let sought = names.chain(literals.parts().iter().map(|part| (part, false)));
            sought.map(|(literal, is_name)| count(literal, is_name) + 1).sum()
        };
        let are_many = self.literals.as_slice().is_some_and(|literals| literals.len() > MOST_COUNTED);
        let few = self.filters.as_ref().filter(|filters| !are_many && filters.len() <= MOST_COUNTED);
        let Some(filters) = few else { return self.literals.clone() };
        let mut rarest = |filter: &Filter| {
            let sets = filter.requirements().into_iter().map(|set| (cost(&set), set));
            sets.min_by_key(|(cost, _)| *cost).map_or_else(Literals::everything, |(_, set)| set)
        };
        let chosen = Literals::any_of_all(filters.iter().map(&mut rarest));
        if cost(&chosen) < cost(&self.literals) { chosen } else { self.literals.clone() }
    }

    /// The times that hold all events that are wanted.
    pub fn window(&self) -> Window {
        let Some(filters) = &self.filters else { return Window::default() };
        let from = filters.iter().map(|filter| filter.from.unwrap_or(Timestamp::MIN)).min();
        let until = filters.iter().map(|filter| filter.until.unwrap_or(Timestamp::MAX)).max();
        Window { from: from.unwrap_or(Timestamp::MAX), until: until.unwrap_or(Timestamp::MIN) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glob::Glob;

    #[test]
    fn the_rarest_strings_of_each_filter_are_looked_for() {
        let by = |user: &str, resource: &str| Filter {
            username: Some(Glob::new(user)),
            resource: Some(resource.to_owned()),
            ..Filter::default()
        };
        let look = Look::for_filters(vec![by("admin", "nodes"), by("robot", "pods")]);
        let rarest = |counts: [(&str, usize); 4]| {
            let count =
                |word: &str, _| counts.iter().find(|(own, _)| *own == word).map_or(0, |(_, count)| *count);
            look.rarest_literals(count).as_slice().map(<[String]>::to_vec)
        };
        assert_eq!(
            rarest([("admin", 9), ("nodes", 1), ("robot", 2), ("pods", 7)]),
            Some(vec!["nodes".to_owned(), "robot".to_owned()])
        );
        // Of two that are as rare, the one that is rare in most logs.
        let usual = Some(vec!["admin".to_owned(), "robot".to_owned()]);
        assert_eq!(rarest([("admin", 1), ("nodes", 1), ("robot", 0), ("pods", 0)]), usual);
        assert_eq!(Look::everything().rarest_literals(|_, _| 0), Literals::everything());
        // Of many that are rare, the one that they have in common.
        let names = (0..10).map(|number| Glob::new(format!("web-{number}"))).collect();
        let look = Look::for_filters(vec![Filter {
            names,
            namespace: Some(Glob::new("shop")),
            ..Filter::default()
        }]);
        let rarest = |shops| look.rarest_literals(|text, _| if text == "shop" { shops } else { 0 });
        assert_eq!(rarest(8).as_slice(), Some(&["shop".to_owned()][..]));
        assert_eq!(rarest(9).as_slice().map(<[String]>::len), Some(10));
        let many = Look::for_filters((0..100).map(|user| by(&format!("user-{user}"), "nodes")).collect());
        assert_eq!(many.rarest_literals(|_, _| 0), many.literals);
        // A name counts as a whole, and what begins with it where that is looked for, too.
        let looks = |names: &[&str]| {
            let names = names.iter().map(|name| Glob::new(*name)).collect();
            Look::for_filters(vec![Filter { names, ..by("admin", "pods") }])
        };
        let rarest = |names: &[&str]| {
            let count = |word: &str, is_name: bool| match (word, is_name) {
                ("api", true) | ("pods", _) => 2,
                _ => 9,
            };
            looks(names).rarest_literals(count).as_slice().map(<[String]>::to_vec)
        };
        assert_eq!(rarest(&["api"]), Some(vec!["api".to_owned()]));
        assert_eq!(rarest(&["api", "api-*"]), Some(vec!["pods".to_owned()]));
    }

    #[test]
    fn one_of_two_looks_is_enough() {
        let on = |resource: &str| Filter { resource: Some(resource.to_owned()), ..Filter::default() };
        let [nodes, pods] = ["nodes", "pods"].map(|resource| Look::for_filters(vec![on(resource)]));
        assert_eq!(nodes.clone().or(pods), Look::for_filters(vec![on("nodes"), on("pods")]));
        assert_eq!(nodes.or(Look::everything()), Look::everything());
    }

    #[test]
    fn the_window_is_that_of_all_filters() {
        let within = |from, until| Filter {
            from: Some(Timestamp::from_micros(from)),
            until: Some(Timestamp::from_micros(until)),
            ..Filter::default()
        };
        let both = Look::for_filters(vec![within(10, 20), within(15, 30)]).window();
        let at = Timestamp::from_micros;
        assert_eq!(both, Window { from: at(10), until: at(30) });
        let open = Look::for_filters(vec![within(10, 20), Filter::default()]).window();
        assert_eq!(open, Window::default());
        assert_eq!(Look::everything().window(), Window::default());
    }
}
