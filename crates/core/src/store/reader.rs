//! From rows to the events in them.

use std::collections::HashMap;
use std::ops::Range;

use audit_who_event::envelope::{Decoder, Sink};
use audit_who_event::event::Event;
use audit_who_event::fold::{Address, Fold};
use audit_who_event::note::{Note, Times};
use rusqlite::{Connection, Row};
use zstd::bulk::Decompressor;

use super::compression::MAGIC;

/// Lines that would be longer are not unpacked, in bytes: nothing that was stored is.
const LONGEST: usize = 256 * 1024 * 1024;

const COLUMNS: &str = "generation, offset, length, part, salvaged, sha256 IS NOT NULL, dictionary, line";

/// Reads records and hands their events to a fold.
pub(super) struct Reader<'a> {
    connection: &'a Connection,
    /// The source of each generation.
    sources: &'a HashMap<i64, usize>,
    unpackers: HashMap<Option<i64>, Decompressor<'static>>,
    line: Vec<u8>,
    decoder: Decoder,
    /// Bytes of events that were decoded, by source.
    pub(super) decoded: Vec<u64>,
    /// The first record that could not be read, and why.
    pub(super) failed: Option<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(connection: &'a Connection, sources: &'a HashMap<i64, usize>) -> Self {
        Self {
            connection,
            sources,
            unpackers: HashMap::new(),
            line: Vec::new(),
            decoder: Decoder::default(),
            decoded: vec![0; sources.len()],
            failed: None,
        }
    }

    /// Reads the records with these numbers, in one transaction. Those that are gone meanwhile have grown old.
    pub(super) fn records(&mut self, ids: &[i64], fold: &mut impl Fold) -> rusqlite::Result<()> {
        let transaction = self.connection.unchecked_transaction()?;
        let mut statement =
            transaction.prepare_cached(&format!("SELECT {COLUMNS} FROM records WHERE id = ?"))?;
        for id in ids {
            let mut rows = statement.query([id])?;
            while let Some(row) = rows.next()? {
                self.record(row, fold)?;
            }
        }
        Ok(())
    }

    /// Reads the records with the numbers in a range, in one transaction.
    pub(super) fn range(&mut self, ids: Range<i64>, fold: &mut impl Fold) -> rusqlite::Result<()> {
        let sql = format!("SELECT {COLUMNS} FROM records WHERE id >= ? AND id < ?");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([ids.start, ids.end])?;
        while let Some(row) = rows.next()? {
            self.record(row, fold)?;
        }
        Ok(())
    }

    /// The bytes that are stored of the first event at an address; the inner error says why they can't be unpacked.
    pub(super) fn stored(
        &mut self,
        generation: i64,
        offset: u64,
    ) -> rusqlite::Result<Option<Result<Vec<u8>, String>>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT dictionary, line FROM records WHERE generation = ? AND offset = ? ORDER BY part LIMIT 1",
        )?;
        let mut rows = statement.query((generation, offset.cast_signed()))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let packed = row.get_ref(1)?.as_blob()?;
        if !packed.starts_with(MAGIC) {
            return Ok(Some(Ok(packed.to_owned())));
        }
        let unpacked = self.unpack(row.get(0)?, packed)?;
        Ok(Some(unpacked.map(|()| std::mem::take(&mut self.line))))
    }

    fn record(&mut self, row: &Row<'_>, fold: &mut impl Fold) -> rusqlite::Result<()> {
        // What began to be read after the store was opened is not among its sources.
        let Some(source) = self.sources.get(&row.get(0)?).copied() else { return Ok(()) };
        let address = Address {
            source,
            offset: row.get::<_, i64>(1)?.cast_unsigned(),
            length: row.get::<_, i64>(2)?.cast_unsigned(),
        };
        let part = row.get(3)?;
        let (salvaged, without_bodies) = (row.get(4)?, row.get(5)?);
        let packed = row.get_ref(7)?.as_blob()?;
        let mut found = Found { fold, address, part, salvaged, without_bodies, seen: 0 };
        if packed.starts_with(MAGIC) {
            if let Err(why) = self.unpack(row.get(6)?, packed)? {
                let place =
                    format!("the record at byte {} of generation {}", address.offset, row.get::<_, i64>(0)?);
                self.failed.get_or_insert(format!("{place} can't be unpacked: {why}"));
                return Ok(());
            }
            self.decoder.decode(&self.line, &mut found);
        } else {
            self.decoder.decode(packed, &mut found);
        }
        self.decoded[source] += address.length;
        Ok(())
    }

    /// Unpacks a line into the buffer; the inner error says why that is not possible.
    fn unpack(&mut self, dictionary: Option<i64>, packed: &[u8]) -> rusqlite::Result<Result<(), String>> {
        if !self.unpackers.contains_key(&dictionary) {
            let content: Vec<u8> = match dictionary {
                Some(id) => {
                    let mut statement =
                        self.connection.prepare_cached("SELECT content FROM dictionaries WHERE id = ?")?;
                    statement.query_row([id], |row| row.get(0))?
                }
                None => Vec::new(),
            };
            match Decompressor::with_dictionary(&content) {
                Ok(unpacker) => self.unpackers.insert(dictionary, unpacker),
                Err(error) => return Ok(Err(error.to_string())),
            };
        }
        let Some(unpacker) = self.unpackers.get_mut(&dictionary) else { return Ok(Ok(())) };
        let length = Decompressor::upper_bound(packed).filter(|length| *length <= LONGEST);
        let Some(length) = length else { return Ok(Err("it does not say its length, or lies".to_owned())) };
        self.line.clear();
        self.line.reserve(length);
        Ok(unpacker.decompress_to_buffer(packed, &mut self.line).map(drop).map_err(|error| error.to_string()))
    }
}

/// Takes the one event that a record is about.
struct Found<'f, F> {
    fold: &'f mut F,
    address: Address,
    /// Which of the events at the address it is.
    part: u32,
    salvaged: bool,
    without_bodies: bool,
    seen: u32,
}

impl<F: Fold> Sink for Found<'_, F> {
    fn event(&mut self, event: &Event<'_>, _: Range<usize>) {
        let is_it = self.seen == self.part;
        self.seen += 1;
        if !is_it {
            return;
        }
        if !self.salvaged && !self.without_bodies {
            return self.fold.event(event, self.address);
        }
        let mut event = event.clone();
        event.salvaged |= self.salvaged;
        if self.without_bodies && !event.is_truncated() {
            // To a question it is the same who left the bodies out.
            event.annotations.insert(0, ("audit.k8s.io/truncated".into(), "true".into()));
        }
        self.fold.event(&event, self.address);
    }

    fn bad(&mut self, _: Range<usize>, _: &str) {}

    fn wants_details(&self) -> bool {
        self.fold.wants_details()
    }

    fn note(&mut self) -> Option<Note> {
        // What is handed over otherwise than it was decoded, or not at all, is not noted.
        let is_whole = self.part == 0 && self.seen == 1 && !self.salvaged && !self.without_bodies;
        if is_whole { self.fold.note() } else { None }
    }

    fn again(&mut self, note: Note, times: &Times, _: Range<usize>) -> bool {
        let is_whole = self.part == 0 && !self.salvaged && !self.without_bodies;
        is_whole && self.fold.again(note, times, self.address)
    }
}
