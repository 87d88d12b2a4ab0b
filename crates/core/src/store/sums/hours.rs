//! The table `sums`: by the hour, a row a key.

use std::collections::HashMap;
use std::ops::Range;

use audit_who_event::case::Window;
use audit_who_event::count::{Counting, Dimension, Latency, Sums};
use audit_who_event::time::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Place;
use super::span::Span;

pub(super) const SPAN: Span = Span {
    table: "sums",
    key: &["dimension", "hour_us", "key"],
    setting: "summed_from_us",
    micros: 60 * 60 * 1_000_000,
    add,
    count,
};

/// Bytes of one bucket of a histogram: its number, and how many fell into it, little endian.
const BUCKET: usize = 6;

const COLUMNS: &str =
    "requests, errors, long_running, begun, ended, verbs, first_us, last_us, max_micros, latency";

fn add(connection: &Connection, sums: HashMap<Place, Sums>) -> rusqlite::Result<()> {
    let mut find = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM sums WHERE dimension = ? AND hour_us = ? AND key = ?"
    ))?;
    let mut write = connection.prepare_cached(&format!(
        "INSERT OR REPLACE INTO sums (dimension, hour_us, key, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ))?;
    for (Place { dimension, start, key }, mut sums) in sums {
        if let Some(known) = find.query_row((dimension, start, &key), |row| read(row, 0)).optional()? {
            sums.merge(&known);
        }
        let micros = |time: Option<Timestamp>| time.map(Timestamp::as_micros);
        write.execute(params![
            dimension,
            start,
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

/// Of all that was counted there are sums.
fn count(
    connection: &Connection,
    dimension: &Dimension,
    hours: Range<i64>,
    counting: &mut Counting,
) -> rusqlite::Result<Vec<Window>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT key, {COLUMNS} FROM sums WHERE dimension = ? AND hour_us >= ? AND hour_us < ?"
    ))?;
    let mut rows = statement.query((dimension.name, hours.start, hours.end))?;
    while let Some(row) = rows.next()? {
        let key = row.get_ref(0)?.as_str()?;
        counting.add(key, &read(row, 1)?);
    }
    Ok(Vec::new())
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
            Type::Blob,
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

    #[test]
    fn a_histogram_is_read_as_it_was_written() {
        let of = |buckets: &[(u16, u32)]| Latency::from_buckets(buckets.to_vec(), 900);
        let latency = of(&[(1, 7), (80, u32::MAX)]).unwrap();
        assert_eq!(unpacked(&packed(&latency), 900), Some(latency.clone()));
        assert_eq!(unpacked(&packed(&latency)[1..], 900), None);
        assert_eq!((of(&[(3, 1), (3, 1)]), of(&[(u16::MAX, 1)])), (None, None));
    }
}
