//! What one look through the logs is for.

use crate::case::Window;
use crate::filter::Filter;
use crate::literals::Literals;
use crate::time::Timestamp;

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
