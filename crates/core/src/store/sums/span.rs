//! Spans of time that have sums.

use std::collections::HashMap;
use std::ops::Range;

use audit_who_event::case::Window;
use audit_who_event::count::{Counting, Dimension, Sums};
use audit_who_event::time::Timestamp;
use rusqlite::Connection;

use super::Place;
use crate::store::settings;

/// Adds to what is summed up already of each place.
type Add = fn(&Connection, HashMap<Place, Sums>) -> rusqlite::Result<()>;

/// Adds what is summed up of the spans that begin within a range, and returns what of it is not summed up.
type Count = fn(&Connection, &Dimension, Range<i64>, &mut Counting) -> rusqlite::Result<Vec<Window>>;

/// Into what time is cut, and where the sums of each piece are.
pub(super) struct Span {
    pub(super) table: &'static str,
    /// The columns by which rows are told apart. The first is the dimension, the second when the span begins.
    pub(super) key: &'static [&'static str],
    /// The setting that tells when the first span begins of which there are sums.
    pub(super) setting: &'static str,
    pub(super) micros: i64,
    pub(super) add: Add,
    pub(super) count: Count,
}

impl Span {
    /// When the span begins in which a time is.
    pub(super) const fn start_of(&self, micros: i64) -> i64 {
        micros.saturating_sub(micros.rem_euclid(self.micros))
    }

    pub(super) fn summed_from(&self, connection: &Connection) -> rusqlite::Result<i64> {
        settings::summed_from(connection, self.setting)
    }

    /// The whole spans of a window that begin at `from` or later, and what of the window is not in them.
    pub(super) fn split(&self, window: Window, from: i64) -> Option<(Range<i64>, Vec<Window>)> {
        let end = match window.until {
            Timestamp::MAX => i64::MAX,
            until => self.start_of(until.as_micros().saturating_add(1)),
        };
        let start = match window.from {
            Timestamp::MIN => from,
            start => self.start_of(start.as_micros().saturating_add(self.micros - 1)).max(from),
        };
        let before = Window { until: Timestamp::from_micros(start.saturating_sub(1)), ..window };
        let behind = Window { from: Timestamp::from_micros(end), ..window };
        let mut rest = Vec::new();
        rest.extend((start > window.from.as_micros()).then_some(before));
        let is_open = window.until == Timestamp::MAX;
        rest.extend((!is_open && end <= window.until.as_micros()).then_some(behind));
        (start < end).then_some((start..end, rest))
    }

    pub(super) fn end_before(&self, connection: &Connection, horizon: i64) -> rusqlite::Result<()> {
        let last = self.start_of(horizon.saturating_sub(1));
        settings::raise_summed_from(connection, self.setting, last.saturating_add(self.micros))
    }

    pub(super) fn forget(
        &self,
        connection: &Connection,
        dimension: &Dimension,
        limit: u32,
    ) -> rusqlite::Result<usize> {
        let Self { table, key, .. } = self;
        let (start, key) = (key[1], key.join(", "));
        let mut statement = connection.prepare_cached(&format!(
            "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE dimension = ? AND {start} < ? LIMIT ?)"
        ))?;
        statement.execute((dimension.name, self.summed_from(connection)?, limit))
    }
}

#[cfg(test)]
mod tests {
    use super::super::hours::SPAN;
    use super::*;

    const HOUR: i64 = SPAN.micros;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn a_window_is_its_whole_hours_and_what_is_around_them() {
        let window = |from, until| Window { from: at(from), until: at(until) };
        let all = Window::default();
        assert_eq!(SPAN.split(all, i64::MIN), Some((i64::MIN..i64::MAX, vec![])));
        let before = Window { until: at(7 * HOUR - 1), ..all };
        assert_eq!(SPAN.split(all, 7 * HOUR), Some((7 * HOUR..i64::MAX, vec![before])));
        assert_eq!(SPAN.split(window(HOUR, 2 * HOUR - 1), i64::MIN), Some((HOUR..2 * HOUR, vec![])));
        let around = vec![window(HOUR + 1, 2 * HOUR - 1), window(3 * HOUR, 3 * HOUR)];
        assert_eq!(SPAN.split(window(HOUR + 1, 3 * HOUR), i64::MIN), Some((2 * HOUR..3 * HOUR, around)));
        assert_eq!(SPAN.split(window(HOUR + 1, 3 * HOUR - 2), i64::MIN), None);
        assert_eq!(SPAN.split(window(HOUR, 2 * HOUR - 1), 2 * HOUR), None);
        assert_eq!(SPAN.split(all, i64::MAX), None);
    }
}
