//! Lines as they are stored: zstd frames, made with a dictionary of lines like them.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};
use zstd::bulk::Compressor;

/// What lines are compressed with; higher levels save little of lines this short.
const LEVEL: i32 = 1;
/// Bytes of a dictionary.
const DICTIONARY: usize = 64 * 1024;
/// No more bytes of one line are taken into a dictionary.
const SAMPLE: usize = 4 * 1024;

/// How every zstd frame begins; no entry does.
pub(super) const MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Bytes that lines are expected to repeat.
#[derive(Debug)]
pub(super) struct Dictionary {
    /// From its content, so that one dictionary has one number.
    pub(super) id: i64,
    pub(super) content: Vec<u8>,
}

impl Dictionary {
    fn new(content: Vec<u8>) -> Self {
        let hash = Sha256::digest(&content);
        let head = hash.iter().take(4).fold(0, |id, byte| id << 8 | i64::from(*byte));
        Self { id: head, content }
    }

    /// The newest one of a store.
    pub(super) fn stored(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let row = connection.query_row(
            "SELECT id, content FROM dictionaries ORDER BY rowid DESC LIMIT 1",
            [],
            |row| Ok(Self { id: row.get(0)?, content: row.get(1)? }),
        );
        row.optional()
    }

    /// Stores it, if it is not there.
    pub(super) fn store(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut known = connection.prepare_cached("SELECT 1 FROM dictionaries WHERE id = ?")?;
        if !known.exists([self.id])? {
            let mut insert =
                connection.prepare_cached("INSERT INTO dictionaries (id, content) VALUES (?, ?)")?;
            insert.execute((self.id, &self.content))?;
        }
        Ok(())
    }
}

/// Compresses lines; the first ones become the dictionary of those that follow.
pub(super) struct Packer {
    compressor: Option<Compressor<'static>>,
    dictionary: Option<Arc<Dictionary>>,
    sample: Vec<u8>,
}

impl Packer {
    /// Packs with this dictionary, or without one until there were enough lines to make one of.
    pub(super) fn new(dictionary: Option<Dictionary>) -> Self {
        let content = dictionary.as_ref().map_or(&[][..], |dictionary| &dictionary.content);
        // Without memory for it, lines are stored as they are.
        let compressor = Compressor::with_dictionary(LEVEL, content).ok();
        Self { compressor, dictionary: dictionary.map(Arc::new), sample: Vec::new() }
    }

    /// What [`pack`](Self::pack) compresses with now.
    pub(super) const fn dictionary(&self) -> Option<&Arc<Dictionary>> {
        self.dictionary.as_ref()
    }

    /// Makes a dictionary of the lines that were packed, if there is none yet and they are enough.
    pub(super) fn learn(&mut self) {
        if self.dictionary.is_some() || self.sample.len() < DICTIONARY {
            return;
        }
        self.sample.truncate(DICTIONARY);
        *self = Self::new(Some(Dictionary::new(std::mem::take(&mut self.sample))));
    }

    /// Puts the compressed `line`, or the line itself if that is shorter, behind what is in `out`.
    pub(super) fn pack(&mut self, line: &[u8], out: &mut Vec<u8>) {
        if self.dictionary.is_none() && self.sample.len() < DICTIONARY {
            self.sample.extend_from_slice(&line[..line.len().min(SAMPLE)]);
        }
        let start = out.len();
        let bound = zstd::zstd_safe::compress_bound(line.len());
        out.resize(start + bound, 0);
        let packed = self.compressor.as_mut().and_then(|compressor| {
            compressor.compress_to_buffer(line, &mut out[start..]).ok().filter(|length| *length < line.len())
        });
        out.truncate(start + packed.unwrap_or_default());
        if packed.is_none() {
            out.extend_from_slice(line);
        }
    }
}
