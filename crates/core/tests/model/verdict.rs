//! Whether what was delivered is what was written.

use std::collections::BTreeMap;

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::content::{Content, Form, Held, LIVE};
use super::reader::Delivery;
use super::world::World;

/// Where each generation has one, and why.
type Gaps = BTreeMap<i64, Vec<String>>;

/// A generation as the store has it.
#[derive(Debug)]
struct Row {
    id: i64,
    offset: usize,
    head: (usize, usize, Vec<u8>),
}

impl World {
    /// Fails unless every line was delivered once from its place, and what is lost is told.
    pub(crate) fn judge(&self) {
        let connection = Connection::open(&self.reader.db).unwrap();
        let gaps = gaps(&connection);
        self.stored_is_what_was_delivered(&connection);
        let rows = rows(&connection);
        let owners = self.owners(&rows);
        for index in 0..self.contents.all.len() {
            let owned = owners.get(&index).map(Vec::as_slice).unwrap_or_default();
            self.judge_content(index, owned, &owners, &gaps);
        }
    }

    fn stored_is_what_was_delivered(&self, connection: &Connection) {
        let mut statement = connection.prepare("SELECT generation, offset, bytes FROM delivered").unwrap();
        let stored = statement.query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?))
        });
        let mut stored: Vec<_> = stored.unwrap().map(Result::unwrap).collect();
        let delivered = self.reader.delivered.iter().flat_map(|delivery| {
            delivery
                .entries
                .iter()
                .map(|(offset, bytes)| (delivery.generation, offset.cast_signed(), bytes.clone()))
        });
        let mut delivered: Vec<_> = delivered.collect();
        stored.sort();
        delivered.sort();
        assert_eq!(stored, delivered, "what the store has is not what was committed");
    }

    /// Whose content each generation is: generations by content.
    fn owners<'r>(&self, rows: &'r [Row]) -> BTreeMap<usize, Vec<&'r Row>> {
        let mut owners: BTreeMap<usize, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            let mut deliveries: Vec<_> =
                self.reader.delivered.iter().filter(|delivery| delivery.generation == row.id).collect();
            deliveries.sort_by_key(|delivery| delivery.from);
            let mut at = 0;
            for delivery in &deliveries {
                assert_eq!(delivery.from, at, "generation {} was not read from there", row.id);
                at += delivery.length;
            }
            assert_eq!(at, row.offset as u64, "generation {} does not stand where it was committed", row.id);
            let is_of = |content: &Content| {
                let (skip, length, hash) = &row.head;
                let head = content.bytes.get(*skip..skip + length);
                head.is_some_and(|head| Sha256::digest(head)[..] == hash[..])
                    && deliveries.iter().all(|delivery| is_from(delivery, content))
            };
            let candidates: Vec<_> =
                (0..self.contents.all.len()).filter(|index| is_of(&self.contents.all[*index])).collect();
            assert!(
                !candidates.is_empty(),
                "generation {} is of nothing that was written: {deliveries:?}",
                row.id
            );
            let free = candidates.iter().find(|index| !owners.contains_key(*index));
            owners.entry(*free.unwrap_or(&candidates[0])).or_default().push(row);
        }
        owners
    }

    fn judge_content(&self, index: usize, owned: &[&Row], owners: &BTreeMap<usize, Vec<&Row>>, gaps: &Gaps) {
        let content = &self.contents.all[index];
        let read: Vec<_> = owned.iter().filter(|row| row.offset > 0).collect();
        assert!(read.len() < 2, "content {index} was delivered twice, as {read:?}");
        let read = read.first().map_or(0, |row| row.offset);
        let wanted = self.wanted(index);
        assert!(
            read >= wanted,
            "content {index} is there up to {wanted}, and was read up to {read}: {owned:?}"
        );
        let has_gap = owned.iter().any(|row| gaps.contains_key(&row.id));
        let files =
            self.contents.files.values().filter(|held| held.content == index && held.form != Form::Packing);
        let whole = files.map(|held| self.contents.length(held)).max();
        if whole == Some(content.bytes.len()) {
            // Of a copy it is not known that it is all.
            assert!(
                !has_gap || content.copied,
                "content {index} is there, and was read, but has a gap: {owned:?} {gaps:?}"
            );
            return;
        }
        let lost = lines_end(&content.bytes) > read;
        if !lost {
            return;
        }
        // What was written to a file that its writer should have left, or after a copy, is lost without a trace unless a
        // look met it.
        let met = if content.left || content.truncated { content.met } else { content.bytes.len() };
        if content.held {
            assert!(
                read >= lines_end(&content.bytes[..met]),
                "content {index} was held, and was read up to {read}"
            );
            return;
        }
        let is_untold = (content.left || content.copied)
            && (content.forgotten || read >= lines_end(&content.bytes[..content.met]));
        if !owned.is_empty() {
            assert!(has_gap || is_untold, "content {index} is lost behind {read}, and has no gap: {owned:?}");
            return;
        }
        let met = lines_end(&content.bytes[..content.met]) > 0;
        assert!(!met, "content {index} was met, and there is no generation of it");
        let mut older = owners.range(..index).peekable();
        // It can be missed only between two that were met.
        if content.traceless || older.peek().is_none() || owners.range(index..).next().is_none() {
            return;
        }
        assert!(
            older.any(|(_, rows)| rows.iter().any(|row| gaps.contains_key(&row.id))),
            "content {index} was never met, and no older one has a gap"
        );
    }

    /// How much of a content's bytes must have been read, as they are still there.
    fn wanted(&self, index: usize) -> usize {
        let content = &self.contents.all[index];
        let files: Vec<_> = self
            .contents
            .files
            .iter()
            .filter(|(_, held)| held.content == index && held.form != Form::Packing)
            .collect();
        let is_empty = |byte: &u8| *byte == 0 || byte.is_ascii_whitespace();
        if content.bytes.iter().all(is_empty) {
            return 0;
        }
        let longest = files.iter().map(|(_, held)| self.contents.length(held)).max().unwrap_or(0);
        let is_live = files.iter().any(|(name, _)| *name == LIVE);
        // Of a file that was removed a copy is left, and none stands in its place: its writer may go on, if it is held.
        let is_copy = |held: &Held| held.prefix.is_some() && held.form == Form::Plain;
        let is_removed =
            !self.contents.files.contains_key(LIVE) && files.iter().all(|(_, held)| is_copy(held));
        if is_live || is_removed {
            return lines_end(&content.bytes[..longest]);
        }
        longest
    }
}

/// Whether what came in a batch stands there in a content, and all of it that holds anything.
fn is_from(delivery: &Delivery, content: &Content) -> bool {
    let [from, until] =
        [delivery.from, delivery.from + delivery.length].map(|at| usize::try_from(at).unwrap());
    let Some(bytes) = content.bytes.get(from..until) else { return false };
    let mut rest = bytes.to_vec();
    for (offset, entry) in &delivery.entries {
        let at = usize::try_from(*offset).unwrap() - from;
        if rest.get(at..at + entry.len()) != Some(entry) {
            return false;
        }
        rest[at..at + entry.len()].fill(b'\n');
    }
    for (offset, length) in &delivery.spans {
        let [at, length] = [*offset - delivery.from, *length].map(|at| usize::try_from(at).unwrap());
        let Some(span) = rest.get_mut(at..at + length) else { return false };
        span.fill(b'\n');
    }
    rest.iter().all(u8::is_ascii_whitespace)
}

/// Where the last line ends.
fn lines_end(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
}

fn rows(connection: &Connection) -> Vec<Row> {
    let mut statement = connection
        .prepare("SELECT id, offset, head_skip, head_length, head_hash FROM generations ORDER BY id")
        .unwrap();
    let rows = statement.query_map([], |row| {
        let unsigned = |column| row.get::<_, i64>(column).map(|value| usize::try_from(value).unwrap());
        Ok(Row { id: row.get(0)?, offset: unsigned(1)?, head: (unsigned(2)?, unsigned(3)?, row.get(4)?) })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn gaps(connection: &Connection) -> Gaps {
    let mut statement = connection.prepare("SELECT generation, offset || ' ' || reason FROM gaps").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let mut gaps = Gaps::new();
    for (generation, gap) in rows.unwrap().map(Result::unwrap) {
        gaps.entry(generation).or_default().push(gap);
    }
    gaps
}
