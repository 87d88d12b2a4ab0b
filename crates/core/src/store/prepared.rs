//! What a batch adds to a store, ready to be written.

use std::ops::Range;
use std::sync::Arc;

use audit_who_event::coverage::{Moment, Timeline};
use audit_who_event::keep::Keep;
use rusqlite::{OptionalExtension, Transaction, params};

use super::compression::Dictionary;
use super::sums::{Adding, Counted, Summed};
use super::{checkpoint, runs};

/// Words and kinds are noted to be in use until the end of a span of time, so that few of them change with each batch: of a
/// sixteenth of the times that are held, so that they go not much later than the events that have them. In microseconds.
const SPANS: Range<i64> = 1_000_000..24 * 60 * 60 * 1_000_000;
const PARTS: i64 = 16;

/// What a [`Recorder`](super::Recorder) made of a batch.
///
/// It is written in the transaction that commits the batch, as often as that has to be tried.
#[derive(Debug)]
pub struct Prepared {
    generation: i64,
    keep: Keep,
    dictionary: Option<Arc<Dictionary>>,
    pub(super) rows: Vec<Row>,
    pub(super) words: Vec<Text<String>>,
    pub(super) kinds: Vec<Text<Kind>>,
    /// What rows name ranges of.
    pub(super) lines: Vec<u8>,
    pub(super) summed: Summed,
    texts: String,
    pub(super) bad: Vec<Bad>,
    pub(super) counts: Counts,
    pub(super) seen: u64,
    /// Of all events, kept or not.
    pub(super) times: Timeline,
}

/// One event; what repeats by its place in the batch's lists.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) offset: u64,
    pub(super) part: u32,
    pub(super) length: u64,
    pub(super) stage: Option<i64>,
    pub(super) received: Option<i64>,
    pub(super) kind: usize,
    pub(super) namespace: Option<usize>,
    pub(super) name: Option<usize>,
    pub(super) username: Option<usize>,
    pub(super) impersonated: Option<usize>,
    pub(super) uid: Option<usize>,
    pub(super) user_agent: Option<usize>,
    pub(super) source_ip: Option<usize>,
    pub(super) code: Option<u16>,
    pub(super) dry_run: bool,
    pub(super) salvaged: bool,
    pub(super) audit_id: Range<usize>,
    pub(super) request_uri: Range<usize>,
    pub(super) issued: Option<Range<usize>>,
    pub(super) sha256: Option<[u8; 32]>,
    pub(super) line: Range<usize>,
    pub(super) counted: Option<Counted>,
}

/// Something that is stored once, with the latest stage time of an event that has it.
#[derive(Debug)]
pub(super) struct Text<T> {
    pub(super) of: T,
    pub(super) until: i64,
}

/// What a row of the table of kinds says: resource, verb, API group, subresource, stage, level.
pub(super) type Kind = [String; 6];

/// Bytes that hold no entry.
#[derive(Debug)]
pub(super) struct Bad {
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) reason: String,
    pub(super) sha256: [u8; 32],
}

/// What became of the bytes of a batch, each of which is in one of the byte counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) lines: u64,
    pub(super) entry_bytes: u64,
    pub(super) bad_bytes: u64,
    pub(super) bad_lines: u64,
    pub(super) blank_bytes: u64,
}

impl Prepared {
    pub(super) fn new(generation: i64, keep: Keep, dictionary: Option<Arc<Dictionary>>) -> Self {
        Self {
            generation,
            keep,
            dictionary,
            rows: Vec::new(),
            words: Vec::new(),
            kinds: Vec::new(),
            lines: Vec::new(),
            summed: Summed::default(),
            texts: String::new(),
            bad: Vec::new(),
            counts: Counts::default(),
            seen: 0,
            times: Timeline::default(),
        }
    }

    /// How many events are to be kept.
    pub const fn events(&self) -> usize {
        self.rows.len()
    }

    /// How many events were read, to be kept or not.
    pub const fn seen(&self) -> u64 {
        self.seen
    }

    /// How many lines and runs of NULs hold no entry, or do so in part.
    pub const fn bad_lines(&self) -> u64 {
        self.counts.bad_lines
    }

    /// Holds a text, for a row to name.
    pub(super) fn text(&mut self, text: &str) -> Range<usize> {
        let start = self.texts.len();
        self.texts.push_str(text);
        start..self.texts.len()
    }

    /// Writes it, and returns how many events were not there before.
    ///
    /// # Errors
    ///
    /// As SQLite's.
    pub fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
        Self::write_all(std::slice::from_ref(self), transaction)
    }

    /// Writes what was made of several batches, which costs less than one after the other, and returns how many events
    /// were not there before.
    ///
    /// # Errors
    ///
    /// As SQLite's.
    pub fn write_all(all: &[Self], transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
        let mut sums = Adding::default();
        let mut kept = 0;
        for prepared in all {
            kept += prepared.write_one(transaction, &mut sums)?;
        }
        sums.write(transaction)?;
        Ok(kept)
    }

    fn write_one(&self, transaction: &Transaction<'_>, sums: &mut Adding) -> rusqlite::Result<u64> {
        let kept = self.write_rows(transaction, sums)?;
        for bad in &self.bad {
            let sha256 = Some(&bad.sha256[..]);
            checkpoint::insert_bad_span(
                transaction,
                self.generation,
                bad.offset,
                bad.length,
                &bad.reason,
                sha256,
            )?;
        }
        for (first, last) in self.times.runs() {
            runs::add(transaction, self.generation, first, last)?;
        }
        self.write_counts(transaction, kept)?;
        Ok(kept)
    }

    fn write_rows(&self, transaction: &Transaction<'_>, sums: &mut Adding) -> rusqlite::Result<u64> {
        if let Some(dictionary) = self.dictionary.as_ref().filter(|_| !self.rows.is_empty()) {
            dictionary.store(transaction)?;
        }
        let span = self.span(transaction)?;
        let words = self.write_words(transaction, span)?;
        let kinds = self.write_kinds(transaction, span)?;
        let word = |index: Option<usize>| index.and_then(|index| words.get(index));
        let text = |range: &Range<usize>| self.texts.get(range.clone());
        let mut insert = transaction.prepare_cached(
            "INSERT OR IGNORE INTO records (generation, offset, part, length, stage_us, received_us, kind, namespace, name, \
             username, impersonated, uid, user_agent, source_ip, code, dry_run, salvaged, audit_id, request_uri, issued, \
             dictionary, sha256, line) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        let mut kept = 0;
        let mut new = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let is_new = insert.execute(params![
                self.generation,
                row.offset.cast_signed(),
                row.part,
                row.length.cast_signed(),
                row.stage,
                row.received,
                kinds.get(row.kind),
                word(row.namespace),
                word(row.name),
                word(row.username),
                word(row.impersonated),
                word(row.uid),
                word(row.user_agent),
                word(row.source_ip),
                row.code,
                row.dry_run,
                row.salvaged,
                text(&row.audit_id),
                text(&row.request_uri),
                row.issued.as_ref().and_then(text),
                self.dictionary.as_ref().map(|dictionary| dictionary.id),
                row.sha256.as_ref().map(<[u8; 32]>::as_slice),
                self.lines.get(row.line.clone()),
            ])? > 0;
            kept += u64::from(is_new);
            new.push(is_new);
        }
        if kept == self.rows.len() as u64 {
            sums.add(&self.summed);
        } else {
            // Some are there already, and were counted when they were written.
            let new = self.rows.iter().zip(new).filter(|(_, is_new)| *is_new);
            sums.add(&self.summed.of(new.filter_map(|(row, _)| row.counted.as_ref())));
        }
        Ok(kept)
    }

    /// How long words are noted to be in use at a time.
    fn span(&self, transaction: &Transaction<'_>) -> rusqlite::Result<i64> {
        let mut oldest = transaction.prepare_cached("SELECT min(stage_us) FROM records")?;
        let oldest: Option<i64> = oldest.query_row([], |row| row.get(0))?;
        let time = |moment: Option<Moment>| moment.map_or(0, |moment| moment.time.as_micros());
        let (first, last) = (time(self.times.first()), time(self.times.last()));
        let held = last.saturating_sub(oldest.unwrap_or(first).min(first));
        Ok((held / PARTS).clamp(SPANS.start, SPANS.end))
    }

    /// The numbers of the words.
    fn write_words(&self, transaction: &Transaction<'_>, span: i64) -> rusqlite::Result<Vec<i64>> {
        let mut find = transaction.prepare_cached("SELECT id, until_us FROM words WHERE word = ?")?;
        let mut insert = transaction.prepare_cached("INSERT INTO words (word, until_us) VALUES (?, ?)")?;
        let mut prolong = transaction.prepare_cached("UPDATE words SET until_us = ? WHERE id = ?")?;
        let number = |word: &Text<String>| {
            let known = find.query_row([&word.of], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            number(
                known,
                (word.until, span),
                |until| insert.insert((&word.of, until)),
                |until, id| prolong.execute((until, id)),
            )
        };
        self.words.iter().map(number).collect()
    }

    /// The numbers of the kinds.
    fn write_kinds(&self, transaction: &Transaction<'_>, span: i64) -> rusqlite::Result<Vec<i64>> {
        let mut find = transaction.prepare_cached(
            "SELECT id, until_us FROM kinds WHERE resource = ? AND verb = ? AND api_group = ? AND subresource = ? \
             AND stage = ? AND level = ?",
        )?;
        let mut insert = transaction.prepare_cached(
            "INSERT INTO kinds (resource, verb, api_group, subresource, stage, level, until_us) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?;
        let mut prolong = transaction.prepare_cached("UPDATE kinds SET until_us = ? WHERE id = ?")?;
        let number = |kind: &Text<Kind>| {
            let known =
                find.query_row(kind.of.each_ref(), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            let [resource, verb, group, subresource, stage, level] = &kind.of;
            number(
                known,
                (kind.until, span),
                |until| insert.insert(params![resource, verb, group, subresource, stage, level, until]),
                |until, id| prolong.execute((until, id)),
            )
        };
        self.kinds.iter().map(number).collect()
    }

    fn write_counts(&self, transaction: &Transaction<'_>, kept: u64) -> rusqlite::Result<()> {
        let mut statement = transaction.prepare_cached(
            "UPDATE generations SET lines = lines + ?, kept = kept + ?, entry_bytes = entry_bytes + ?, \
             bad_bytes = bad_bytes + ?, bad_lines = bad_lines + ?, blank_bytes = blank_bytes + ?, \
             first_us = min(ifnull(first_us, ?7), ifnull(?7, first_us)), \
             last_us = max(ifnull(last_us, ?8), ifnull(?8, last_us)), \
             keep = CASE WHEN keep IS NULL OR keep = 'all' THEN ? ELSE keep END WHERE id = ?",
        )?;
        let Counts { lines, entry_bytes, bad_bytes, bad_lines, blank_bytes } = self.counts;
        let [lines, kept, entry_bytes, bad_bytes, bad_lines, blank_bytes] =
            [lines, kept, entry_bytes, bad_bytes, bad_lines, blank_bytes].map(u64::cast_signed);
        let time = |moment: Option<Moment>| moment.map(|moment| moment.time.as_micros());
        let (first, last) = (time(self.times.first()), time(self.times.last()));
        statement.execute(params![
            lines,
            kept,
            entry_bytes,
            bad_bytes,
            bad_lines,
            blank_bytes,
            first,
            last,
            self.keep.name(),
            self.generation
        ])?;
        Ok(())
    }
}

/// The number of something that may be known already, with the time until which it is in use.
fn number(
    known: Option<(i64, i64)>,
    (until, span): (i64, i64),
    insert: impl FnOnce(i64) -> rusqlite::Result<i64>,
    prolong: impl FnOnce(i64, i64) -> rusqlite::Result<usize>,
) -> rusqlite::Result<i64> {
    let end = until.div_euclid(span).saturating_add(1).saturating_mul(span);
    match known {
        None => insert(end),
        Some((id, known)) if known >= until => Ok(id),
        Some((id, _)) => prolong(end, id).map(|_| id),
    }
}
