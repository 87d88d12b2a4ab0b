//! Asks a question of logs while they are written: answers come as they come true.
//!
//! ```text
//! Tailer ─► batches ─► can an entry matter? ─► ask again, with what was before ─► new answers ─► commit
//! ```
//!
//! An entry matters if the first look of the question wants it. Then the question is asked again, of the objects that such
//! entries are about, with a context of [`CONTEXT`] before them: in lines that are remembered where these go back so far,
//! else in the files as they are now. Of the answers those are told that rest on an entry that was not committed before.

mod again;
mod context;
mod memory;
mod told;

use std::collections::{BTreeMap, HashMap, VecDeque};

use audit_who_event::answer::Answer;
use audit_who_event::case::{Ask, Case};
use audit_who_event::coverage::{BadSpan, Coverage};
use audit_who_event::filter::Filter;
use audit_who_event::subject::Key;
use audit_who_event::time::Timestamp;

use self::again::is_early;
use self::memory::Memory;
use self::told::Told;
use crate::ask::investigate;
use crate::error::Error;
use crate::input::Inputs;
use crate::logs::Files;
use crate::scan::{Account, Scan};
use crate::tail::{Batch, StopHandle, Tailer};

/// How long before a new entry the context of an answer begins, in microseconds: one hour, the longest grace period that
/// is met in practice.
pub const CONTEXT: i64 = 60 * 60 * 1_000_000;
/// How long an answer is held back that later entries may tell better, in microseconds of the entries' time.
pub const PATIENCE: i64 = 60 * 1_000_000;

/// Bytes that are read before a question is asked again.
const ROUND: u64 = 4 * 1024 * 1024;
/// Batches that wait for an answer that is held back; beyond it it is told as it is.
const WAITING: usize = 16_384;

/// A question that is asked of logs while they are written.
///
/// Iteration waits for what comes true, until it is [stopped](Self::stop_handle). What is read counts as read when the
/// [`Round`] is committed that tells of it: an answer whose round was not committed is told again by the next process
/// that uses the same store.
///
/// ```no_run
/// use audit_who_core::event::case::{Ask, Subject};
/// use audit_who_core::event::{question, target::Target};
/// use audit_who_core::follow::Follow;
/// use audit_who_core::{Scan, tail::Tailer};
///
/// let question = question::named("evicted").ok_or("no such question")?;
/// let ask = Ask::new(question, Subject::Target(Target::parse("pod")?));
/// let tailer = Tailer::builder().path("/var/log/kubernetes/audit").db("cursor.db").build()?;
/// let mut follow = Follow::new(tailer, Scan::new(), ask);
/// for answer in follow.begin()?.answers {
///     println!("{}", answer.text);
/// }
/// for round in &mut follow {
///     let round = round?;
///     for answer in &round.answers {
///         println!("{}", answer.text);
///     }
///     round.commit()?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Follow {
    tailer: Tailer,
    scan: Scan,
    ask: Ask,
    /// As it was opened: it tells which entries matter.
    case: Case,
    first: Vec<Filter>,
    account: Account<Case>,
    memory: Memory,
    /// Up to which byte the generations were read when the question was asked first.
    asked: HashMap<i64, u64>,
    /// Whether all that was there at the start was read.
    caught_up: bool,
    told: Told,
    /// What may be told better later, by object and time.
    held: BTreeMap<(Key, Timestamp), Held>,
    /// Batches that are not committed, in the order in which they were read.
    waiting: VecDeque<Waiting>,
    next: u64,
    /// The file of each generation when it was read last.
    paths: HashMap<i64, String>,
    /// Objects that new entries are about.
    touched: BTreeMap<Key, Touch>,
    bad_spans: Vec<BadSpan>,
    found: u64,
    /// Bytes.
    memory_limit: u64,
}

/// What is there when following begins.
#[derive(Debug)]
pub struct Begun {
    /// Answers by time: all that there are, or those that rest on entries behind the place to which the store was committed.
    pub answers: Vec<Answer>,
    /// What was searched.
    pub coverage: Coverage,
}

/// What new entries told.
#[derive(Debug)]
#[must_use = "what is not committed is told again by the next process"]
pub struct Round {
    /// Answers that were not told before, by time.
    pub answers: Vec<Answer>,
    /// The first of the lines that hold no entry.
    pub bad_spans: Vec<BadSpan>,
    batches: Vec<Batch>,
}

/// What is held back.
#[derive(Debug)]
struct Held {
    /// The first batch that it rests on.
    batch: u64,
    /// As it is told if later entries don't tell it better; `None` where there is no answer yet.
    answer: Option<Answer>,
}

/// The first of the new entries about an object.
#[derive(Clone, Copy, Debug)]
struct Touch {
    time: Timestamp,
    batch: u64,
}

/// A batch that is not committed.
#[derive(Debug)]
struct Waiting {
    number: u64,
    batch: Batch,
}

impl Round {
    /// Notes that what it tells was told.
    ///
    /// # Errors
    ///
    /// If the store can't be written.
    pub fn commit(mut self) -> Result<(), Error> {
        self.batches.iter_mut().try_for_each(Batch::commit)
    }

    fn is_silent(&self) -> bool {
        self.answers.is_empty() && self.bad_spans.is_empty()
    }
}

impl Follow {
    /// Asks `ask` of what `tailer` follows; files are read as `scan` says where what is remembered does not suffice.
    pub fn new(tailer: Tailer, scan: Scan, ask: Ask) -> Self {
        let case = Case::new(ask.clone());
        let look = case.look();
        Self {
            account: Account::new(&look.literals),
            first: look.filters.unwrap_or_default(),
            memory: Memory::new(!tailer.is_resumed()),
            tailer,
            scan,
            ask,
            case,
            asked: HashMap::new(),
            caught_up: false,
            told: Told::default(),
            held: BTreeMap::new(),
            waiting: VecDeque::new(),
            next: 0,
            paths: HashMap::new(),
            touched: BTreeMap::new(),
            bad_spans: Vec::new(),
            found: 0,
            memory_limit: u64::MAX,
        }
    }

    /// Gives up rather than keep entries of what is there that take more than about so many bytes of memory. Without this
    /// there is no limit. What comes later is asked about object by object.
    #[must_use]
    pub const fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// Stops the iteration from another thread.
    pub fn stop_handle(&self) -> StopHandle {
        self.tailer.stop_handle()
    }

    /// Asks the question of what is there. To be called once, before iteration.
    ///
    /// # Errors
    ///
    /// If the store can't be read or written, or if what is there takes more memory than it may.
    pub fn begin(&mut self) -> Result<Begun, Error> {
        let positions = self.tailer.positions()?;
        let inputs = Inputs::open(self.tailer.files());
        let mut case = Case::new(self.ask.clone()).memory_limit(self.memory_limit);
        let asked = investigate(&Files::new(&self.scan, &inputs), &mut case);
        if let Some(excess) = case.excess() {
            return Err(Error::exceeded(excess));
        }
        let mut committed: HashMap<&str, u64> = HashMap::new();
        for source in inputs.sources() {
            let Some(position) = positions.iter().find(|position| source.identity() == Some(position.file))
            else {
                continue;
            };
            committed.insert(&source.name, position.offset);
            let read = self.asked.entry(position.generation).or_default();
            *read = source.content_length().max(*read);
        }
        let newest = asked.coverage.total.until.unwrap_or(Timestamp::MIN);
        let mut answers = Vec::new();
        for answer in asked.findings.answers {
            let is_new = |source: &str, offset| committed.get(source).is_none_or(|read| offset >= *read);
            if !answer.evidence.iter().any(|entry| is_new(&entry.source, entry.offset)) {
                continue;
            }
            match is_early(&answer, newest) {
                Some(time) => self.hold(answer, time, 0),
                None => self.tell(answer, &mut answers),
            }
        }
        Ok(Begun { answers, coverage: asked.coverage })
    }

    /// How many answers say that what was asked about came to be.
    pub const fn found(&self) -> u64 {
        self.found
    }

    /// Tells what was held back, and what was read of which files since the start. To be called once, after iteration.
    pub fn finish(&mut self) -> (Round, Coverage) {
        let round = self.settle(true);
        let mut coverage = self.account.coverage();
        let lost = self.tailer.metrics().gaps();
        if lost > 0 {
            let losses = if lost == 1 { "1 loss".to_owned() } else { format!("{lost} losses") };
            coverage.incomplete.push(format!("{losses} of entries in files that were followed"));
        }
        self.case.judge_followed(self.found, &mut coverage);
        (round, coverage)
    }

    fn tell(&mut self, answer: Answer, answers: &mut Vec<Answer>) {
        if self.told.note(&answer) {
            self.found += u64::from(answer.outcome == self.ask.question.outcome());
            answers.push(answer);
        }
    }

    fn hold(&mut self, answer: Answer, time: Timestamp, batch: u64) {
        self.held.insert((Key::from(&answer.object), time), Held { batch, answer: Some(answer) });
    }

    /// Reads what can be had without waiting, after `first`.
    fn gather(&mut self, first: Batch) -> Result<(), Error> {
        let mut bytes = 0;
        let mut batch = Some(first);
        while let Some(read) = batch.take() {
            bytes += read.length();
            self.note(read);
            if bytes >= ROUND || self.waiting.len() > WAITING {
                return Ok(());
            }
            batch = self.tailer.poll()?;
        }
        if !self.caught_up {
            self.caught_up = true;
            self.asked = HashMap::new();
            self.memory.begins_at(self.newest());
        }
        Ok(())
    }

    fn newest(&self) -> Timestamp {
        self.account.newest().unwrap_or(Timestamp::MIN)
    }

    /// Takes a batch, and finds out which objects its entries are about, if any.
    fn note(&mut self, mut batch: Batch) {
        let mut found = self.case.fork();
        self.bad_spans.extend(self.account.read(&batch, &mut found));
        let asked = self.asked.get(&batch.generation()).copied().unwrap_or(0);
        let mut offsets = Vec::new();
        for (key, time, address) in found.entries() {
            offsets.push(address.offset);
            if address.offset >= asked {
                let touch = self.touched.entry(key.clone()).or_insert(Touch { time, batch: self.next });
                touch.time = time.min(touch.time);
            }
        }
        offsets.sort_unstable();
        self.memory.keep(&batch, &offsets);
        if self.paths.get(&batch.generation()).is_none_or(|path| path != batch.path()) {
            self.paths.insert(batch.generation(), batch.path().to_owned());
        }
        batch.release();
        self.waiting.push_back(Waiting { number: self.next, batch });
        self.next += 1;
    }

    /// Asks again what new entries may have changed, and says what can be told and committed; with `all`, also what is
    /// held back.
    fn settle(&mut self, all: bool) -> Round {
        let all = all || self.waiting.len() > WAITING;
        let mut answers = self.ask_again(all);
        answers.sort_by(|a, b| (a.time, &a.object, a.outcome).cmp(&(b.time, &b.object, b.outcome)));
        let held_from = self.held.values().map(|held| held.batch).min().unwrap_or(u64::MAX);
        let ready = self.waiting.iter().take_while(|waiting| waiting.number < held_from).count();
        let batches = self.waiting.drain(..ready).map(|waiting| waiting.batch).collect();
        Round { answers, bad_spans: std::mem::take(&mut self.bad_spans), batches }
    }
}

impl Iterator for Follow {
    type Item = Result<Round, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let read = self.tailer.next()?.and_then(|first| self.gather(first));
            if let Err(error) = read {
                return Some(Err(error));
            }
            let round = self.settle(false);
            if !round.is_silent() {
                return Some(Ok(round));
            }
            if let Err(error) = round.commit() {
                return Some(Err(error));
            }
        }
    }
}
