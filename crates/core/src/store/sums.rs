//! What is counted of the events that are kept, by the hour: what [`Counting`] would count of their records, summed up
//! when these are written.
//!
//! Hours of which records were removed, and those before a store of the first schema was brought to the second, have no
//! sums: only later ones than a setting tells have them.

use std::collections::HashMap;
use std::ops::Range;

use audit_who_event::case::Window;
use audit_who_event::count::{Counting, Dimension, Latency, Request, Sums};
use audit_who_event::event::Event;
use audit_who_event::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::settings;

/// An hour in microseconds.
const HOUR: i64 = 60 * 60 * 1_000_000;
/// Bytes of one bucket of a histogram: its number, and how many fell into it, little endian.
const BUCKET: usize = 6;

const COLUMNS: &str =
    "requests, errors, long_running, begun, ended, verbs, first_us, last_us, max_micros, latency";

/// What requests are summed up by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    dimension: &'static str,
    /// When the hour begins.
    hour: i64,
    key: String,
}

/// What the requests of a batch add up to, and which of the sums each of them is in.
#[derive(Debug, Default)]
pub(super) struct Summed {
    all: Vec<(Place, Sums)>,
    of_requests: Vec<u32>,
}

impl Summed {
    fn add(&mut self, number: u32, request: &Request) {
        let place = usize::try_from(number).ok().and_then(|number| self.all.get_mut(number));
        if let Some((_, sums)) = place {
            sums.count(request);
        }
    }

    /// The same of some of the requests.
    pub(super) fn of<'c>(&self, counted: impl Iterator<Item = &'c Counted>) -> Self {
        let all = self.all.iter().map(|(place, _)| (place.clone(), Sums::default())).collect();
        let mut some = Self { all, of_requests: Vec::new() };
        for Counted { request, places } in counted {
            for number in self.of_requests.get(places.clone()).unwrap_or_default() {
                some.add(*number, request);
            }
        }
        some.all.retain(|(_, sums)| *sums != Sums::default());
        some
    }
}

/// One request, and its places.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    request: Request,
    places: Range<usize>,
}

/// Sums the requests of a batch up.
#[derive(Debug, Default)]
pub(super) struct Counter {
    /// The number of each place, by hour, dimension and key.
    known: HashMap<i64, Vec<HashMap<String, u32>>>,
    key: String,
}

impl Counter {
    /// Forgets the places of the batch before.
    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    /// `None` if the event does not count, or is of no hour.
    pub(super) fn count(&mut self, event: &Event<'_>, summed: &mut Summed) -> Option<Counted> {
        let request = Request::of(event)?;
        let hour = start_of_hour(event.stage_time?.as_micros());
        let of_hour = self.known.entry(hour).or_default();
        let start = summed.of_requests.len();
        for (index, dimension) in Dimension::all().enumerate() {
            if of_hour.len() <= index {
                of_hour.push(HashMap::new());
            }
            if !dimension.write_key(event, &mut self.key) {
                continue;
            }
            let number = of_hour[index].get(&self.key).copied().unwrap_or_else(|| {
                let number = u32::try_from(summed.all.len()).unwrap_or(u32::MAX);
                let place = Place { dimension: dimension.name, hour, key: self.key.clone() };
                summed.all.push((place, Sums::default()));
                of_hour[index].insert(self.key.clone(), number);
                number
            });
            summed.add(number, &request);
            summed.of_requests.push(number);
        }
        Some(Counted { request, places: start..summed.of_requests.len() })
    }
}

/// Sums that one transaction adds to.
#[derive(Debug)]
pub(super) struct Adding {
    sums: HashMap<Place, Sums>,
    /// The first hour that has sums.
    from: i64,
}

impl Adding {
    pub(super) fn new(connection: &Connection) -> rusqlite::Result<Self> {
        Ok(Self { sums: HashMap::new(), from: settings::summed_from(connection)? })
    }

    /// Adds requests that are new to the store.
    pub(super) fn add(&mut self, summed: &Summed) {
        for (place, sums) in summed.all.iter().filter(|(place, _)| place.hour >= self.from) {
            match self.sums.get_mut(place) {
                Some(known) => known.merge(sums),
                None => _ = self.sums.insert(place.clone(), sums.clone()),
            }
        }
    }

    pub(super) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        let mut find = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM sums WHERE dimension = ? AND hour_us = ? AND key = ?"
        ))?;
        let mut write = connection.prepare_cached(&format!(
            "INSERT OR REPLACE INTO sums (dimension, hour_us, key, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ))?;
        for (Place { dimension, hour, key }, mut sums) in self.sums {
            if let Some(known) = find.query_row((dimension, hour, &key), |row| read(row, 0)).optional()? {
                sums.merge(&known);
            }
            let micros = |time: Option<Timestamp>| time.map(Timestamp::as_micros);
            write.execute(params![
                dimension,
                hour,
                key,
                sums.requests.cast_signed(),
                sums.errors.cast_signed(),
                sums.long_running.cast_signed(),
                sums.begun.cast_signed(),
                sums.ended.cast_signed(),
                sums.verbs,
                micros(sums.first),
                micros(sums.last),
                sums.latency.max().cast_signed(),
                packed(&sums.latency),
            ])?;
        }
        Ok(())
    }
}

/// Adds to `counting` what is summed up of whole hours within its window, and returns the parts of the window that are
/// not among these; `None` if no hour is.
pub(super) fn count(
    connection: &Connection,
    counting: &mut Counting,
) -> rusqlite::Result<Option<Vec<Window>>> {
    let Some(dimension) = counting.of_all() else { return Ok(None) };
    // What is summed up and from when on are of one moment.
    let transaction = connection.unchecked_transaction()?;
    if !transaction.table_exists(None, "sums")? {
        return Ok(None);
    }
    let window = counting.window();
    let Some((hours, rest)) = split(window, settings::summed_from(&transaction)?) else { return Ok(None) };
    let mut statement = transaction.prepare_cached(&format!(
        "SELECT key, {COLUMNS} FROM sums WHERE dimension = ? AND hour_us >= ? AND hour_us < ?"
    ))?;
    let mut rows = statement.query((dimension.name, hours.start, hours.end))?;
    while let Some(row) = rows.next()? {
        let key = row.get_ref(0)?.as_str()?;
        counting.add(key, &read(row, 1)?);
    }
    Ok(Some(rest))
}

/// The whole hours of a window that begin at `from` or later, and what of the window is not in them.
fn split(window: Window, from: i64) -> Option<(Range<i64>, Vec<Window>)> {
    let end = match window.until {
        Timestamp::MAX => i64::MAX,
        until => start_of_hour(until.as_micros().saturating_add(1)),
    };
    let start = match window.from {
        Timestamp::MIN => from,
        start => start_of_hour(start.as_micros().saturating_add(HOUR - 1)).max(from),
    };
    let before = Window { until: Timestamp::from_micros(start.saturating_sub(1)), ..window };
    let behind = Window { from: Timestamp::from_micros(end), ..window };
    let mut rest = Vec::new();
    rest.extend((start > window.from.as_micros()).then_some(before));
    let is_open = window.until == Timestamp::MAX;
    rest.extend((!is_open && end <= window.until.as_micros()).then_some(behind));
    (start < end).then_some((start..end, rest))
}

/// Notes that of some events before a stage time none is held any more: the hours before it, and its own, have no sums.
pub(super) fn end_before(connection: &Connection, horizon: i64) -> rusqlite::Result<()> {
    let last = start_of_hour(horizon.saturating_sub(1));
    settings::raise_summed_from(connection, last.saturating_add(HOUR))
}

/// Removes sums of hours that have none any more, at most `limit`; how many.
pub(super) fn forget(connection: &Connection, limit: u32) -> rusqlite::Result<usize> {
    let from = settings::summed_from(connection)?;
    let mut removed = 0;
    for dimension in Dimension::all() {
        let mut statement = connection.prepare_cached(
            "DELETE FROM sums WHERE (dimension, hour_us, key) IN \
             (SELECT dimension, hour_us, key FROM sums WHERE dimension = ? AND hour_us < ? LIMIT ?)",
        )?;
        removed += statement.execute((dimension.name, from, limit))?;
    }
    Ok(removed)
}

const fn start_of_hour(micros: i64) -> i64 {
    micros.saturating_sub(micros.rem_euclid(HOUR))
}

fn read(row: &Row<'_>, column: usize) -> rusqlite::Result<Sums> {
    let number = |at: usize| row.get::<_, i64>(column + at).map(i64::cast_unsigned);
    let time =
        |at: usize| row.get::<_, Option<i64>>(column + at).map(|micros| micros.map(Timestamp::from_micros));
    let latency = column + 9;
    let unpacked = unpacked(row.get_ref(latency)?.as_blob()?, number(8)?);
    Ok(Sums {
        requests: number(0)?,
        errors: number(1)?,
        long_running: number(2)?,
        begun: number(3)?,
        ended: number(4)?,
        verbs: row.get(column + 5)?,
        first: time(6)?,
        last: time(7)?,
        latency: unpacked.ok_or(rusqlite::Error::InvalidColumnType(
            latency,
            "latency".to_owned(),
            rusqlite::types::Type::Blob,
        ))?,
    })
}

fn packed(latency: &Latency) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(latency.buckets().len() * BUCKET);
    for (bucket, count) in latency.buckets() {
        bytes.extend(bucket.to_le_bytes());
        bytes.extend(count.to_le_bytes());
    }
    bytes
}

fn unpacked(bytes: &[u8], max: u64) -> Option<Latency> {
    let (buckets, rest) = bytes.as_chunks::<BUCKET>();
    let buckets =
        buckets.iter().map(|[a, b, count @ ..]| (u16::from_le_bytes([*a, *b]), u32::from_le_bytes(*count)));
    rest.is_empty().then(|| Latency::from_buckets(buckets.collect(), max)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn a_window_is_its_whole_hours_and_what_is_around_them() {
        let window = |from, until| Window { from: at(from), until: at(until) };
        let all = Window::default();
        assert_eq!(split(all, i64::MIN), Some((i64::MIN..i64::MAX, vec![])));
        let before = Window { until: at(7 * HOUR - 1), ..all };
        assert_eq!(split(all, 7 * HOUR), Some((7 * HOUR..i64::MAX, vec![before])));
        assert_eq!(split(window(HOUR, 2 * HOUR - 1), i64::MIN), Some((HOUR..2 * HOUR, vec![])));
        let around = vec![window(HOUR + 1, 2 * HOUR - 1), window(3 * HOUR, 3 * HOUR)];
        assert_eq!(split(window(HOUR + 1, 3 * HOUR), i64::MIN), Some((2 * HOUR..3 * HOUR, around)));
        assert_eq!(split(window(HOUR + 1, 3 * HOUR - 2), i64::MIN), None);
        assert_eq!(split(window(HOUR, 2 * HOUR - 1), 2 * HOUR), None);
        assert_eq!(split(all, i64::MAX), None);
    }

    #[test]
    fn a_histogram_is_read_as_it_was_written() {
        let of = |buckets: &[(u16, u32)]| Latency::from_buckets(buckets.to_vec(), 900);
        let latency = of(&[(1, 7), (80, u32::MAX)]).unwrap();
        assert_eq!(unpacked(&packed(&latency), 900), Some(latency.clone()));
        assert_eq!(unpacked(&packed(&latency)[1..], 900), None);
        assert_eq!((of(&[(3, 1), (3, 1)]), of(&[(u16::MAX, 1)])), (None, None));
    }
}
