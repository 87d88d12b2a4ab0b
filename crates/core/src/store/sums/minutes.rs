//! The table `minutes`: a row a minute, with all keys in it as JSON.
//!
//! A minute has many keys of which each is met a few times, so that a row for each would take as much room as the events.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use audit_who_event::case::Window;
use audit_who_event::count::{Counting, Dimension, Latency, Sums};
use audit_who_event::time::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::Place;
use super::span::Span;

pub(super) const SPAN: Span = Span {
    table: "minutes",
    key: &["dimension", "minute_us"],
    setting: "minutes_from_us",
    micros: 60 * 1_000_000,
    add,
    count,
};

/// Minutes with more keys are not summed up: clients may send any number of names, and each commit writes all of them.
const MOST_KEYS: usize = 2_000;

/// The keys of a minute.
type Keys = BTreeMap<String, Summary>;

/// What is summed up of a key. Times are microseconds from the beginning of the minute on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Summary {
    #[serde(rename = "r")]
    requests: u64,
    #[serde(rename = "e", default, skip_serializing_if = "is_zero")]
    errors: u64,
    #[serde(rename = "n", default, skip_serializing_if = "is_zero")]
    long_running: u64,
    #[serde(rename = "b", default, skip_serializing_if = "is_zero")]
    begun: u64,
    #[serde(rename = "d", default, skip_serializing_if = "is_zero")]
    ended: u64,
    #[serde(rename = "v")]
    verbs: u16,
    /// First and last.
    #[serde(rename = "t")]
    times: Option<(i64, i64)>,
    #[serde(rename = "m", default, skip_serializing_if = "is_zero")]
    max_micros: u64,
    #[serde(rename = "l", default, skip_serializing_if = "Vec::is_empty")]
    latency: Vec<(u16, u32)>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Summary {
    fn of(sums: &Sums, minute: i64) -> Self {
        let from_start = |time: Timestamp| time.as_micros().saturating_sub(minute);
        Self {
            requests: sums.requests,
            errors: sums.errors,
            long_running: sums.long_running,
            begun: sums.begun,
            ended: sums.ended,
            verbs: sums.verbs,
            times: sums.first.zip(sums.last).map(|(first, last)| (from_start(first), from_start(last))),
            max_micros: sums.latency.max(),
            latency: sums.latency.buckets().to_vec(),
        }
    }

    /// `None` if it holds what is never written.
    fn into_sums(self, minute: i64) -> Option<Sums> {
        let time = |micros: i64| Timestamp::from_micros(minute.saturating_add(micros));
        Some(Sums {
            requests: self.requests,
            errors: self.errors,
            long_running: self.long_running,
            begun: self.begun,
            ended: self.ended,
            verbs: self.verbs,
            first: self.times.map(|(first, _)| time(first)),
            last: self.times.map(|(_, last)| time(last)),
            latency: Latency::from_buckets(self.latency, self.max_micros)?,
        })
    }
}

fn add(connection: &Connection, sums: HashMap<Place, Sums>) -> rusqlite::Result<()> {
    let mut minutes: BTreeMap<(&str, i64), Vec<(String, Sums)>> = BTreeMap::new();
    for (Place { dimension, start, key }, sums) in sums {
        minutes.entry((dimension, start)).or_default().push((key, sums));
    }
    let mut find =
        connection.prepare_cached("SELECT keys FROM minutes WHERE dimension = ? AND minute_us = ?")?;
    let mut write = connection
        .prepare_cached("INSERT OR REPLACE INTO minutes (dimension, minute_us, keys) VALUES (?, ?, ?)")?;
    for ((dimension, minute), new) in minutes {
        let known: Option<Option<String>> =
            find.query_row((dimension, minute), |row| row.get(0)).optional()?;
        let keys = match known {
            // They were too many before.
            Some(None) => continue,
            Some(Some(keys)) => read(&keys)?,
            None => Keys::new(),
        };
        write.execute((dimension, minute, written(keys, new, minute)?))?;
    }
    Ok(())
}

/// What is to be stored of a minute; `None` if its keys are too many.
fn written(mut keys: Keys, new: Vec<(String, Sums)>, minute: i64) -> rusqlite::Result<Option<String>> {
    for (key, mut sums) in new {
        if let Some(known) = keys.remove(&key) {
            sums.merge(&known.into_sums(minute).ok_or_else(damaged)?);
        }
        keys.insert(key, Summary::of(&sums, minute));
    }
    if keys.len() > MOST_KEYS {
        return Ok(None);
    }
    let text = serde_json::to_string(&keys);
    text.map(Some).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// Minutes that are not summed up are left.
fn count(
    connection: &Connection,
    dimension: &Dimension,
    minutes: Range<i64>,
    counting: &mut Counting,
) -> rusqlite::Result<Vec<Window>> {
    let mut statement = connection.prepare_cached(
        "SELECT minute_us, keys FROM minutes WHERE dimension = ? AND minute_us >= ? AND minute_us < ? ORDER BY minute_us",
    )?;
    let mut rows = statement.query((dimension.name, minutes.start, minutes.end))?;
    let mut left: Vec<Window> = Vec::new();
    while let Some(row) = rows.next()? {
        let minute: i64 = row.get(0)?;
        let Some(keys) = row.get_ref(1)?.as_str_or_null()? else {
            let whole = [minute, minute.saturating_add(SPAN.micros - 1)].map(Timestamp::from_micros);
            leave(&mut left, Window { from: whole[0], until: whole[1] });
            continue;
        };
        for (key, summary) in read(keys)? {
            counting.add(&key, &summary.into_sums(minute).ok_or_else(damaged)?);
        }
    }
    Ok(left)
}

/// Adds a window to others, of which the last may end where it begins.
fn leave(left: &mut Vec<Window>, window: Window) {
    match left.last_mut() {
        Some(last) if last.until.plus(1) == window.from => last.until = window.until,
        _ => left.push(window),
    }
}

fn read(keys: &str) -> rusqlite::Result<Keys> {
    serde_json::from_str(keys)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(1, Type::Text, error.into()))
}

fn damaged() -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(1, "keys".to_owned(), Type::Text)
}
