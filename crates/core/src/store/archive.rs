//! Questions asked of a store.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use audit_who_event::answer::Evidence;
use audit_who_event::count::Counting;
use audit_who_event::coverage::{Coverage, Problem};
use audit_who_event::event::{Event, ObjectRef};
use audit_who_event::filter::Filter;
use audit_who_event::fold::{Address, Fold};
use audit_who_event::look::Look;
use audit_who_event::share::{Kind, Share};
use rusqlite::{Connection, params_from_iter};

use super::holdings::Holdings;
use super::kinds::Kinds;
use super::query::{Planner, Query};
use super::reader::Reader;
use super::{failure, open_read_only, sums};
use crate::error::{Error, ErrorKind};
use crate::evidence::hashes::is_still;
use crate::evidence::{self, Hashes};
use crate::logs::Logs;

/// How many records are read in one transaction at the most: a writer can't clean up behind a long one.
const LARGEST_CHUNK: usize = 4096;
/// And how many at least: fewer take less time than beginning with them.
const SMALLEST_CHUNK: usize = 128;

/// A store that is asked, while a collector may write to it.
///
/// What its questions rest on is what the store held when it was opened. It is only read, in short transactions.
#[derive(Debug)]
pub struct Archive {
    connection: Connection,
    path: PathBuf,
    busy_timeout: Duration,
    holdings: Holdings,
    threads: usize,
}

impl Archive {
    /// Opens the store at `path`. What another process has locked is waited for as long as `busy_timeout` says.
    ///
    /// # Errors
    ///
    /// If there is no store, or it can't be read, or is of another schema.
    pub fn open(path: impl AsRef<Path>, busy_timeout: Duration) -> Result<Self, Error> {
        let path = path.as_ref();
        let connection = open_read_only(path, busy_timeout)?;
        let holdings = Holdings::load(&connection).map_err(|error| failure::of(path, &error))?;
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        Ok(Self { connection, path: path.to_owned(), busy_timeout, holdings, threads })
    }

    /// Reads with so many threads, at least one; one a processor by default. What is found does not depend on it.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = if threads == 0 { 1 } else { threads };
        self
    }

    /// The entry that was read `offset` bytes into the decompressed content of the file at `path`, as answers name them; `None`
    /// if none is held of it.
    ///
    /// # Errors
    ///
    /// If the store can't be read, or its record can't be unpacked.
    pub fn entry_at(&self, path: &str, offset: u64) -> Result<Option<Held>, Error> {
        let mut reader = Reader::new(&self.connection, &self.holdings.sources);
        let mut first = None;
        let held = self.held(&mut reader, path, offset, &mut |held| {
            first = Some(held);
            true
        });
        held.map_err(|error| failure::of(&self.path, &error))?;
        first.transpose().map_err(|why| {
            let detail = format!("the record of {path}:{offset} can't be unpacked: {why}");
            Error::new(ErrorKind::CorruptStore, self.path.to_string_lossy(), detail)
        })
    }

    /// Hands over what is held of a place, until `take` is content. The newest file at the path comes first: the same may
    /// have been read under its name before.
    fn held(
        &self,
        reader: &mut Reader<'_>,
        path: &str,
        offset: u64,
        take: &mut dyn FnMut(Result<Held, String>) -> bool,
    ) -> rusqlite::Result<()> {
        let mut generations = self.connection.prepare_cached(
            "SELECT r.generation, r.sha256 FROM generations AS g JOIN records AS r INDEXED BY records_by_address \
             ON r.generation = g.id AND r.offset = ? WHERE g.path = ? ORDER BY g.id DESC",
        )?;
        let mut rows = generations.query((offset.cast_signed(), path))?;
        while let Some(row) = rows.next()? {
            let (generation, sha256): (i64, Option<Vec<u8>>) = (row.get(0)?, row.get(1)?);
            let Some(stored) = reader.stored(generation, offset)? else { continue };
            let held = stored.map(|bytes| Held {
                sha256: sha256.map_or_else(|| evidence::sha256(&bytes), |hash| evidence::hex(&hash)),
                bytes,
            });
            if take(held) {
                break;
            }
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The records that a look may want: of each kind those that a fold looks at.
    fn wanted(
        &self,
        filters: Option<&[Filter]>,
        share: impl Fn(&Kind<'_>) -> Share,
    ) -> rusqlite::Result<Work> {
        let planner = Planner::load(&self.connection)?;
        let Some(queries) = filters.and_then(|filters| planner.queries(filters, share)) else {
            let bounds = "SELECT ifnull(min(id), 0), ifnull(max(id) + 1, 0) FROM records";
            let all = self.connection.query_row(bounds, [], |row| Ok(row.get(0)?..row.get(1)?))?;
            return Ok(Work::All(all));
        };
        let mut ids = Vec::new();
        for query in queries {
            self.collect(&query, &mut ids)?;
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(Work::Some(ids))
    }

    /// Hands an event of each kind that a look may want to a fold: of what is logged, be it kept or not.
    fn tell_kinds(&self, filters: Option<&[Filter]>, fold: &mut impl Fold) -> rusqlite::Result<()> {
        let every = [Filter::default()];
        let kinds = Kinds::load(&self.connection)?;
        let wanted = filters.unwrap_or(&every).iter().flat_map(|filter| kinds.of(filter));
        let wanted: BTreeMap<i64, Kind<'_>> = wanted.collect();
        for Kind { group, resource, subresource, verb, stage, level } in wanted.into_values() {
            let object = ObjectRef {
                resource: resource.into(),
                api_group: group.into(),
                subresource: subresource.into(),
                ..ObjectRef::default()
            };
            let event = Event {
                verb: verb.into(),
                stage: stage.into(),
                level: level.into(),
                object_ref: (!resource.is_empty()).then_some(object),
                ..Event::default()
            };
            fold.event(&event, Address { source: 0, offset: 0, length: 0 });
        }
        Ok(())
    }

    fn collect(&self, query: &Query, ids: &mut Vec<i64>) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare_cached(&query.sql)?;
        for id in statement.query_map(params_from_iter(&query.parameters), |row| row.get(0))? {
            ids.push(id?);
        }
        Ok(())
    }

    /// Reads records, with several threads if they are many.
    fn read<F: Fold>(&self, work: rusqlite::Result<Work>, mut fork: impl FnMut() -> F) -> (F, Coverage) {
        let work = match work {
            Ok(work) => work,
            Err(error) => return (fork(), self.unread(Some(&error))),
        };
        let (holdings, next) = (&self.holdings, AtomicUsize::new(0));
        let chunks = Chunks::of(&work, self.threads);
        let run = |connection: &Connection, fold: F| Part::read(connection, holdings, &chunks, &next, fold);
        let mut part = thread::scope(|scope| {
            let helpers = 1..self.threads.min(chunks.count());
            // A thread or a connection that can't be had leaves its work to the others.
            let helpers: Vec<_> = helpers
                .map_while(|_| {
                    let connection = open_read_only(&self.path, self.busy_timeout).ok()?;
                    let fold = fork();
                    let run = &run;
                    thread::Builder::new().spawn_scoped(scope, move || run(&connection, fold)).ok()
                })
                .collect();
            let mut part = run(&self.connection, fork());
            for helper in helpers {
                part.merge(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            part
        });
        let mut coverage = self.holdings.coverage(&part.decoded);
        if let Some(error) = part.error.take() {
            coverage.problems.push(Problem::from(&failure::of(&self.path, &error)));
        }
        let source = self.path.to_string_lossy();
        let unreadable = part.unreadable.into_iter();
        coverage.problems.extend(unreadable.map(|message| Problem {
            source: source.to_string(),
            message,
            fatal: true,
        }));
        (part.fold, coverage)
    }

    /// What is held, where nothing of it was read.
    fn unread(&self, error: Option<&rusqlite::Error>) -> Coverage {
        let mut coverage = self.holdings.coverage(&vec![0; self.holdings.sources.len()]);
        coverage.problems.extend(error.map(|error| Problem::from(&failure::of(&self.path, error))));
        coverage
    }
}

impl Logs for Archive {
    fn sources(&self) -> Vec<String> {
        self.holdings.names()
    }

    fn look<F: Fold>(&self, look: &Look, mut fork: impl FnMut() -> F) -> (F, Coverage) {
        let fold = fork();
        let work = self.wanted(look.filters.as_deref(), |kind| fold.share(kind));
        self.read(work, fork)
    }

    /// Whole hours are counted from their sums, where all requests are wanted.
    fn count(&self, counting: &Counting) -> (Counting, Coverage) {
        let mut summed = counting.fork();
        let rest = match sums::count(&self.connection, &mut summed) {
            Ok(Some(rest)) => rest,
            Ok(None) => return self.look(&counting.look(), || counting.fork()),
            Err(error) => return (counting.fork(), self.unread(Some(&error))),
        };
        let (mut counted, coverage) = self.look(&counting.look_within(&rest), || counting.fork());
        counted.merge(summed);
        (counted, coverage)
    }

    /// One event of each kind, with its verb, resource, stage and level alone.
    fn sample<F: Fold>(
        &self,
        look: &Look,
        mut fork: impl FnMut() -> F,
        _: impl Fn(&F) -> bool,
    ) -> (F, Coverage) {
        let mut fold = fork();
        let told = self.tell_kinds(look.filters.as_deref(), &mut fold);
        (fold, self.unread(told.as_ref().err()))
    }

    fn threads(&self) -> usize {
        self.threads
    }

    fn is_indexed(&self) -> bool {
        true
    }

    fn samples_every_kind(&self) -> bool {
        true
    }

    /// Of what was read, whatever became of the files.
    fn hashes(&self, entries: &BTreeSet<Evidence>) -> Hashes {
        let mut reader = Reader::new(&self.connection, &self.holdings.sources);
        let mut hashes = Hashes::new();
        for entry in entries {
            let ended = self.held(&mut reader, &entry.source, entry.offset, &mut |held| match held {
                Ok(held) if is_still(entry, &held.bytes) => {
                    hashes.insert(entry.clone(), held.sha256);
                    true
                }
                _ => false,
            });
            // What can't be read has no hash, which says so.
            if ended.is_err() {
                break;
            }
        }
        hashes
    }
}

/// An entry that a store holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its bytes as they were read, but for the bodies of very long ones, which are `null`.
    pub bytes: Vec<u8>,
    /// SHA-256 of the bytes as they were read, in hexadecimal digits.
    pub sha256: String,
}

/// The records to be read.
enum Work {
    /// Those with a number in the range.
    All(Range<i64>),
    /// Those with these numbers.
    Some(Vec<i64>),
}

impl Work {
    /// How many numbers these are.
    fn len(&self) -> usize {
        match self {
            Self::All(ids) => usize::try_from(ids.end.saturating_sub(ids.start)).unwrap_or_default(),
            Self::Some(ids) => ids.len(),
        }
    }
}

/// Records cut so that each thread has some of them, and each cut is read in one transaction.
struct Chunks<'w> {
    work: &'w Work,
    /// Records a chunk.
    size: usize,
}

impl<'w> Chunks<'w> {
    fn of(work: &'w Work, threads: usize) -> Self {
        let size = (work.len() / (threads * 4)).clamp(SMALLEST_CHUNK, LARGEST_CHUNK);
        Self { work, size }
    }

    fn count(&self) -> usize {
        self.work.len().div_ceil(self.size)
    }

    /// Reads the chunk with a number; `None` if there are not so many.
    fn read(
        &self,
        number: usize,
        reader: &mut Reader<'_>,
        fold: &mut impl Fold,
    ) -> Option<rusqlite::Result<()>> {
        let start = number.checked_mul(self.size).filter(|start| *start < self.work.len())?;
        let end = self.work.len().min(start.saturating_add(self.size));
        Some(match self.work {
            Work::All(ids) => {
                let id = |place: usize| ids.start.saturating_add_unsigned(place as u64);
                reader.range(id(start)..id(end), fold)
            }
            Work::Some(ids) => reader.records(&ids[start..end], fold),
        })
    }
}

/// What one thread learned.
struct Part<F> {
    fold: F,
    decoded: Vec<u64>,
    error: Option<rusqlite::Error>,
    unreadable: Option<String>,
}

impl<F: Fold> Part<F> {
    fn read(
        connection: &Connection,
        holdings: &Holdings,
        chunks: &Chunks<'_>,
        next: &AtomicUsize,
        mut fold: F,
    ) -> Self {
        let mut reader = Reader::new(connection, &holdings.sources);
        let mut error = None;
        while error.is_none()
            && !fold.is_full()
            && let Some(read) = chunks.read(next.fetch_add(1, Ordering::Relaxed), &mut reader, &mut fold)
        {
            error = read.err();
        }
        Self { fold, decoded: reader.decoded, error, unreadable: reader.failed }
    }

    fn merge(&mut self, other: Self) {
        self.fold.merge(other.fold);
        for (own, more) in self.decoded.iter_mut().zip(other.decoded) {
            *own += more;
        }
        self.error = self.error.take().or(other.error);
        self.unreadable = self.unreadable.take().or(other.unreadable);
    }
}
