//! Follows files while they grow, through every kind of rotation.
//!
//! A file is known by what is in it: the head of its content, and the last record in front of the place that reading has
//! come to. Under whatever name and in whatever form that content lies, plain or packed, it is one *generation*, and is
//! read once. How far it is read stands in a store, and moves in the transaction in which a [`Batch`] is committed.
//!
//! ```text
//! look: which files are there, and which generation does each hold? ─► read ─► Batch ─► commit_with
//!  ▲                                                                                        │
//!  └────────── wait: a hint from the system, or the refresh interval ◄───────────────────────┘
//! ```
//!
//! Hints only shorten the wait: what is true is looked up in the files each time.

mod batch;
mod comparison;
mod conclusion;
mod content;
mod cut;
mod discovery;
mod folders;
mod generation;
mod heads;
pub(crate) mod identity;
mod look;
mod metrics;
mod options;
mod part;
mod place;
mod revisit;
mod rotation;
pub(crate) mod verification;
mod wake;
mod watch;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::batch::Shared;
pub use self::batch::{Batch, Entry, Span};
pub(crate) use self::cut::Flaw;
use self::discovery::Discovery;
pub use self::discovery::{NO_FILE, OTHER_CONTAINER};
use self::generation::{Generation, Read};
use self::heads::Heads;
use self::identity::Stat;
pub use self::metrics::Metrics;
pub use self::options::Builder;
use self::rotation::Rotated;
use self::wake::{Handle, Wake};
use crate::error::Error;
use crate::store::Store;
use crate::store::checkpoint;

/// How many looks in a row must miss a file before it counts as gone: one may fall between two steps of a rename.
const MISSING_LOOKS: u32 = 2;
/// How often is looked at the most before it is waited: a file may change each time, and give nothing to read.
const MAX_LOOKS: usize = 4;
/// After how many looks without anything new, an interval apart, a file that was rotated counts as closed by its writer.
const QUIET_LOOKS: u32 = 5;

/// Follows files, and yields what is new in [batches](Batch).
///
/// Iteration waits for more, until it is [stopped](Self::stop_handle) or, with
/// [`exit_on_eof`](Builder::exit_on_eof), until there is nothing more to read; it may be taken up again after that.
///
/// An error is one of the store: nothing was skipped, and the next step tries again. A file that can't be read is told in
/// the log (of the `log` crate) and tried again at each look.
#[derive(Debug)]
pub struct Tailer {
    options: Builder,
    discovery: Discovery,
    wake: Wake,
    shared: Arc<Shared>,
    /// The oldest first, which is the order of their numbers.
    generations: Vec<Generation>,
    heads: Heads,
    /// Those in front of it have nothing to read, as of the last look.
    read_from: usize,
    /// Files that tell nothing yet, or nothing new, as they were.
    passed_over: HashMap<(u64, u64), PassedOver>,
    /// Files that begin as a generation does and go on otherwise, with its number.
    strangers: Vec<(Stat, i64)>,
    /// What can't be followed, as it was told.
    refused: BTreeMap<PathBuf, String>,
    last_look: Option<Instant>,
    /// When a look was last counted as quiet or not.
    last_counted: Option<Instant>,
    /// Whether the last look changed something.
    settled: bool,
    /// Whether files that are there are read from their end.
    from_end: bool,
    /// Whether the store knew files when it was opened.
    resumed: bool,
}

/// How far the generation in a file is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Device and inode.
    pub(crate) file: (u64, u64),
    pub(crate) generation: i64,
    /// Bytes from the start of the decompressed content.
    pub(crate) offset: u64,
}

/// A file that tells nothing yet, or nothing new, as it was when it was looked into.
#[derive(Debug)]
struct PassedOver {
    stat: Stat,
    rotated: Rotated,
    /// Looks in a row that found it so.
    quiet_looks: u32,
    /// Whether it may be of use now that something else happened.
    again: bool,
}

/// Stops a [`Tailer`] from elsewhere.
#[derive(Clone, Debug)]
pub struct StopHandle(Handle);

impl StopHandle {
    /// Ends the iteration before the next batch.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        self.0.is_stopped()
    }
}

impl Tailer {
    /// Says what to follow, and how.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn new(mut options: Builder, store: Store) -> Result<Self, Error> {
        options.max_open_files = options.open_files();
        let own = ["", "-wal", "-shm", "-journal", "-lock"].map(|suffix| {
            let mut path = store.path().as_os_str().to_owned();
            path.push(suffix);
            PathBuf::from(path)
        });
        let discovery = Discovery::new(&options.paths, &options.excluded, own.into())?;
        let known = checkpoint::all(store.connection()).map_err(|error| store.failure(&error))?;
        let resumed = !known.is_empty();
        let from_end = !options.read_from_head && !resumed;
        let wake = Wake::new(options.inotify_watcher);
        let shared = Arc::new(Shared::new(store, &known));
        let mut heads = Heads::default();
        for (index, checkpoint) in known.iter().enumerate() {
            heads.note(checkpoint.head, index);
        }
        Ok(Self {
            options,
            discovery,
            wake,
            shared,
            heads,
            read_from: 0,
            generations: known.into_iter().map(Generation::new).collect(),
            passed_over: HashMap::new(),
            strangers: Vec::new(),
            refused: BTreeMap::new(),
            last_look: None,
            last_counted: None,
            settled: false,
            from_end,
            resumed,
        })
    }

    /// Stops the iteration from another thread or a signal handler.
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle(self.wake.handle())
    }

    /// The store that batches are committed to.
    pub fn store(&self) -> StoreHandle {
        StoreHandle(Arc::clone(&self.shared))
    }

    /// What was done so far.
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.shared.metrics)
    }

    /// What can't be followed or read at present, with why: what is no regular file, what may not be opened, what the
    /// system fails to read.
    pub fn refused(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.refused.iter().map(|(path, why)| (path.as_path(), why.as_str()))
    }

    /// Whether the store knew files when it was opened.
    pub(crate) const fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Looks which files there are, and tells which generation each holds and how far that is committed.
    pub(crate) fn positions(&mut self) -> Result<Vec<Position>, Error> {
        self.look()?;
        let of = |generation: &Generation| {
            let (id, offset) = (generation.checkpoint.id, generation.checkpoint.offset);
            let places = generation.places.iter();
            places
                .map(|place| Position { file: place.identity(), generation: id, offset })
                .collect::<Vec<_>>()
        };
        Ok(self.generations.iter().flat_map(of).collect())
    }

    /// The files that are there now.
    pub(crate) fn files(&mut self) -> Vec<PathBuf> {
        self.discovery.list(Instant::now()).files.into_iter().map(|found| found.path.to_path_buf()).collect()
    }

    /// The best file that holds a generation, as of the last look.
    pub(crate) fn path_of(&self, id: i64) -> Option<&Path> {
        let generation = self.generations.iter().find(|generation| generation.checkpoint.id == id)?;
        generation.places.first().map(|place| place.path.as_path())
    }

    /// The generation that a file holds, by device and inode, as of the last look.
    pub(crate) fn generation_of(&self, file: (u64, u64)) -> Option<i64> {
        let holds = |generation: &&Generation| generation.places.iter().any(|place| place.identity() == file);
        self.generations.iter().find(holds).map(|generation| generation.checkpoint.id)
    }

    /// The next batch that can be had without waiting; `None` if there is none now.
    ///
    /// # Errors
    ///
    /// If the store can't be read or written.
    pub fn poll(&mut self) -> Result<Option<Batch>, Error> {
        let mut looks = 0;
        while looks < MAX_LOOKS {
            self.rewind();
            if self.wake.was_hinted() || self.is_due() {
                self.look()?;
                looks += 1;
            }
            if let Some(batch) = self.read() {
                return Ok(Some(batch));
            }
            self.conclude()?;
            // What the last look changed may have brought more, and what was missed once is looked for again.
            if looks > 0 && self.settled && !self.generations.iter().any(Generation::is_in_doubt) {
                break;
            }
            self.last_look = None;
        }
        Ok(None)
    }

    fn is_due(&self) -> bool {
        self.last_look.is_none_or(|last| last.elapsed() >= self.interval())
    }

    fn interval(&self) -> Duration {
        self.options.interval(self.wake.is_watching())
    }

    /// Goes back where a batch was dropped, and on where an earlier one was committed after that.
    fn rewind(&mut self) {
        for id in self.shared.take_touched() {
            let index = self.generations.binary_search_by_key(&id, |generation| generation.checkpoint.id);
            let Some(generation) = index.ok().and_then(|index| self.generations.get_mut(index)) else {
                continue;
            };
            if let Some(progress) = self.shared.take_moved(id, generation.at) {
                generation.rewind(progress.offset, progress.tail);
                self.read_from = 0;
                // What had nothing new for it may have by now.
                self.passed_over.values_mut().for_each(|passed| passed.again = true);
                self.last_look = None;
            }
        }
    }

    /// Reads from the oldest generation that has more.
    fn read(&mut self) -> Option<Batch> {
        for index in self.read_from..self.generations.len() {
            self.read_from = index;
            while self.generations[index].unread {
                let was_open = self.generations[index].open.is_some();
                let read = self.generations[index].read(self.options.limits, &self.shared);
                if !was_open && self.generations[index].open.is_some() {
                    self.hold(index);
                }
                match read {
                    Ok(Read::Batch(batch)) => return Some(batch),
                    Ok(Read::Nothing) => {}
                    Ok(Read::Other(stat)) => self.displace(index, &stat),
                    Err((_, error)) if content::is_starved(&error) && self.relieve() => {}
                    Err((path, error)) => {
                        log::warn!(path:? = path, error:% = error; "a file can't be read: it is tried again");
                        self.refused.insert(path, format!("can't be read: {error}"));
                        let generation = &mut self.generations[index];
                        generation.open = None;
                        generation.unread = false;
                        generation.to_retry = true;
                    }
                }
            }
        }
        None
    }

    /// Takes it that a file holds other content than this generation, for which it was held.
    fn displace(&mut self, index: usize, stat: &Stat) {
        let generation = &mut self.generations[index];
        generation.displace(stat);
        self.strangers.push((*stat, generation.checkpoint.id));
        self.passed_over.values_mut().for_each(|passed| passed.again = true);
        // Which generation it holds is told by the next look.
        self.last_look = None;
        self.settled = false;
    }

    /// No more files are held open than allowed; the one that was read last is.
    fn hold(&mut self, last: usize) {
        let mut held = self.generations.iter().filter(|generation| generation.open.is_some()).count();
        for (index, generation) in self.generations.iter_mut().enumerate() {
            if held <= self.options.max_open_files {
                return;
            }
            if index != last && generation.open.is_some() && !generation.places.is_empty() {
                generation.open = None;
                held -= 1;
            }
        }
    }

    /// Lets go of all files that can be opened again; whether there was one.
    fn relieve(&mut self) -> bool {
        let is_held =
            |generation: &&mut Generation| generation.open.is_some() && !generation.places.is_empty();
        let held = self.generations.iter_mut().filter(is_held);
        held.map(|generation| generation.open = None).count() > 0
    }

    /// Waits until something may have changed.
    fn wait(&self) {
        let interval = self.interval();
        let since = self.last_look.map_or(interval, |last| last.elapsed());
        self.wake.wait(interval.saturating_sub(since).max(Duration::from_millis(1)));
    }
}

impl Iterator for Tailer {
    type Item = Result<Batch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.wake.handle().is_stopped() {
                return None;
            }
            match self.poll().transpose() {
                None if self.options.exit_on_eof => return None,
                None => self.wait(),
                some => return some,
            }
        }
    }
}

/// The store that a tailer commits to, for what else is to be done with it.
#[derive(Clone, Debug)]
pub struct StoreHandle(Arc<Shared>);

impl StoreHandle {
    /// Does something with the store, while no batch is committed.
    pub fn with<T>(&self, act: impl FnOnce(&mut Store) -> T) -> T {
        act(&mut self.0.store())
    }
}
