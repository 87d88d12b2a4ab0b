//! What is counted of the events that are kept, by the hour and by the minute: what [`Counting`] would count of their
//! records, summed up when these are written.
//!
//! ```text
//! events of a batch ─► Counter ─► Summed (by minute) ─► Adding ─► tables sums (by hour) and minutes
//! window ─► whole hours ─► sums,  the rest: whole minutes ─► minutes,  the rest ─► events
//! ```
//!
//! Spans of time of which records were removed, and those before a store of an earlier schema was brought to this one, have
//! no sums: only later ones than a setting tells have them.

mod hours;
mod minutes;
mod span;

use std::collections::HashMap;
use std::ops::Range;

use audit_who_event::case::Window;
use audit_who_event::count::{Counting, Dimension, Request, Sums};
use audit_who_event::event::Event;
use rusqlite::Connection;

use self::span::Span;

/// Of what there are sums, the longest first.
const SPANS: [&Span; 2] = [&hours::SPAN, &minutes::SPAN];

/// What requests are summed up by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    dimension: &'static str,
    /// When the minute begins, or the hour.
    start: i64,
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
    /// The number of each place, by minute, dimension and key.
    known: HashMap<i64, Vec<HashMap<String, u32>>>,
    key: String,
}

impl Counter {
    /// Forgets the places of the batch before.
    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    /// `None` if the event does not count, or is of no time.
    pub(super) fn count(&mut self, event: &Event<'_>, summed: &mut Summed) -> Option<Counted> {
        let request = Request::of(event)?;
        let minute = minutes::SPAN.start_of(event.stage_time?.as_micros());
        let of_minute = self.known.entry(minute).or_default();
        let start = summed.of_requests.len();
        for (index, dimension) in Dimension::all().enumerate() {
            if of_minute.len() <= index {
                of_minute.push(HashMap::new());
            }
            if !dimension.write_key(event, &mut self.key) {
                continue;
            }
            let number = of_minute[index].get(&self.key).copied().unwrap_or_else(|| {
                let number = u32::try_from(summed.all.len()).unwrap_or(u32::MAX);
                let place = Place { dimension: dimension.name, start: minute, key: self.key.clone() };
                summed.all.push((place, Sums::default()));
                of_minute[index].insert(self.key.clone(), number);
                number
            });
            summed.add(number, &request);
            summed.of_requests.push(number);
        }
        Some(Counted { request, places: start..summed.of_requests.len() })
    }
}

/// Sums that one transaction adds to.
#[derive(Debug, Default)]
pub(super) struct Adding {
    /// By minute.
    sums: HashMap<Place, Sums>,
}

impl Adding {
    /// Adds requests that are new to the store.
    pub(super) fn add(&mut self, summed: &Summed) {
        for (place, sums) in &summed.all {
            add(&mut self.sums, place, sums);
        }
    }

    pub(super) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        for span in SPANS {
            let from = span.summed_from(connection)?;
            let mut of_span = HashMap::new();
            for (place, sums) in &self.sums {
                let place = Place { start: span.start_of(place.start), ..place.clone() };
                if place.start >= from {
                    add(&mut of_span, &place, sums);
                }
            }
            (span.add)(connection, of_span)?;
        }
        Ok(())
    }
}

fn add(all: &mut HashMap<Place, Sums>, place: &Place, sums: &Sums) {
    match all.get_mut(place) {
        Some(known) => known.merge(sums),
        None => _ = all.insert(place.clone(), sums.clone()),
    }
}

/// Adds to `counting` what is summed up of whole hours and minutes within its window, and returns the parts of the window
/// that are not among these; `None` if nothing is.
pub(super) fn count(
    connection: &Connection,
    counting: &mut Counting,
) -> rusqlite::Result<Option<Vec<Window>>> {
    let Some(dimension) = counting.of_all() else { return Ok(None) };
    // What is summed up and from when on are of one moment.
    let transaction = connection.unchecked_transaction()?;
    let mut rest = vec![counting.window()];
    for span in SPANS {
        if !transaction.table_exists(None, span.table)? {
            continue;
        }
        let from = span.summed_from(&transaction)?;
        let mut left = Vec::new();
        for window in rest {
            let Some((within, around)) = span.split(window, from) else {
                left.push(window);
                continue;
            };
            left.extend(around);
            left.extend((span.count)(&transaction, dimension, within, counting)?);
        }
        rest = left;
    }
    Ok((rest != [counting.window()]).then_some(rest))
}

/// Notes that of some events before a stage time none is held any more: what begins before it has no sums.
pub(super) fn end_before(connection: &Connection, horizon: i64) -> rusqlite::Result<()> {
    SPANS.iter().try_for_each(|span| span.end_before(connection, horizon))
}

/// Removes sums of what has none any more, at most `limit` of each kind; how many.
pub(super) fn forget(connection: &Connection, limit: u32) -> rusqlite::Result<usize> {
    let mut removed = 0;
    for span in SPANS {
        for dimension in Dimension::all() {
            removed += span.forget(connection, dimension, limit)?;
        }
    }
    Ok(removed)
}
