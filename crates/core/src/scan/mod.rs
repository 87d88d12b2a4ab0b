//! From inputs to what a fold learned from them, with every byte accounted for.

mod account;
mod ahead;
mod beside;
mod buffer;
mod clock;
mod collector;
mod decode;
mod documents;
mod escapes;
mod hits;
mod ledger;
mod lines;
mod marks;
mod names;
mod order;
mod payoff;
mod plan;
mod prefilter;
mod requirements;
mod sample;
mod spelled;
mod stretches;
mod strings;
#[cfg(test)]
mod tests;
mod turns;
mod work;

use std::collections::{BTreeMap, HashSet};
use std::num::NonZero;
use std::thread;

use audit_who_event::coverage::{self, Coverage, Problem, Reading, SourceCoverage};
use audit_who_event::fold::{Fold, Foresee};
use audit_who_event::look::Look;

pub(crate) use self::account::Account;
use self::decode::Decode;
use self::ledger::Rules;
pub(crate) use self::marks::Marks;
use self::plan::{Plan, Portion, Sizes};
pub(crate) use self::prefilter::Prefilter;
pub use self::stretches::Stretches;
pub use self::turns::Searched;
use self::turns::Turns;
use self::work::{Findings, Worker};
use crate::codec::Encoding;
use crate::error::Error;
use crate::input::outline::SPACING;
use crate::input::{Content, Inputs, Source};

/// Bytes that are read at once: larger blocks fall out of the processor's cache.
const BLOCK: usize = 128 * 1024;
/// Bytes of a plain file that one thread takes at once.
const RANGE: u64 = 8 * 1024 * 1024;
/// Bytes of the longest line that is held.
const MAX_LINE: usize = 256 * 1024 * 1024;

/// How inputs are read.
#[derive(Clone, Debug)]
pub struct Scan {
    threads: usize,
    max_line: usize,
    block: usize,
    range: u64,
    /// Lines of each source that begin in so many bytes of it are read.
    reach: u64,
    /// Bytes between the places of a plain file that are looked at to find what lies within a window.
    spacing: u64,
    /// Whether every byte is accounted for.
    accounts: bool,
    /// What is not read.
    known: Stretches,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            threads: thread::available_parallelism().map_or(1, NonZero::get),
            max_line: MAX_LINE,
            block: BLOCK,
            range: RANGE,
            reach: u64::MAX,
            spacing: SPACING,
            accounts: true,
            known: Stretches::default(),
        }
    }
}

impl Scan {
    /// Reads with one thread a processor and lines of up to 256 MiB.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads with so many threads, at least one. What is found does not depend on it.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = if threads == 0 { 1 } else { threads };
        self
    }

    pub(crate) const fn thread_count(&self) -> usize {
        self.threads
    }

    /// Holds lines of up to `bytes`. A longer one is a bad span; the lines behind it are read.
    #[must_use]
    pub const fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }

    /// Reads of each source only what begins in the first `bytes`, or in the middle of a part within a window. Of many sources
    /// it reads some, so that it is no more than of sixteen long ones.
    pub(crate) const fn reach(mut self, bytes: u64) -> Self {
        self.reach = bytes;
        self
    }

    /// Hands on the events of lines that can matter, and passes over the rest: for who has accounted for it before. What
    /// is `known` already is not read.
    pub(crate) fn again(self, known: Stretches) -> Self {
        Self { accounts: false, known, ..self }
    }

    /// Reads all inputs and hands the events of lines that can matter to folds that `fork` makes, one a thread.
    ///
    /// A line can matter if the literals of `look` say so. The others are counted as entries by their outer shape alone,
    /// once one was looked at that is an entry, in each piece that is read; what has not the shape of a JSON object is
    /// decoded even so, so that every line that can't be read is told of. A fold may therefore see events that are not
    /// wanted.
    ///
    /// Time ranges and gaps in the coverage are told from every event that was decoded; of the others only the first and
    /// the last of each 128 KiB are looked at (and of several events in one line the last), and more where these are far
    /// apart: where entries are out of order, a range may miss a little.
    ///
    /// Where the look has a window, parts of plain files and whole compressed files that hold nothing within it are not
    /// read, as `docs/time.md` says: they are known by their ends, and told as bytes outside.
    ///
    /// The same inputs may be read again: files at the length they had first, streams from a copy. Inputs that can't be
    /// read, or not to their end, are problems of the coverage. Its verdict is left empty.
    pub fn run<F: Fold>(&self, inputs: &Inputs, look: &Look, fork: impl FnMut() -> F) -> (F, Coverage) {
        let (fold, coverage, _) = self.read(inputs, look, fork, None, Decode::new());
        (fold, coverage)
    }

    /// Reads all inputs as [`run`](Self::run) does, the newest entries first, and looks beside for what `foresight` foresees
    /// from what is found; says in what that was looked for.
    pub(crate) fn run_back<F: Fold>(
        &self,
        inputs: &Inputs,
        look: &Look,
        fork: impl FnMut() -> F,
        foresight: &mut dyn Foresee<F>,
    ) -> (F, Coverage, Searched) {
        self.read(inputs, look, fork, Some(foresight), Decode::new())
    }

    fn read<F: Fold>(
        &self,
        inputs: &Inputs,
        look: &Look,
        mut fork: impl FnMut() -> F,
        mut foresight: Option<&mut dyn Foresee<F>>,
        decode: Decode<F>,
    ) -> (F, Coverage, Searched) {
        let sources = inputs.sources();
        let sample = sample::of(sources);
        let plan = self.plan(sources, look, foresight.is_some());
        if let Some(foresight) = &mut foresight {
            let is_whole = plan.is_mostly_whole(sources.len());
            foresight.begin(is_whole, &mut |look| Prefilter::of(look, &sample).permille_of(&sample));
        }
        let prefilter = Prefilter::of(look, &sample);
        let rules =
            Rules { prefilter, decode, max_line: self.max_line, accounts: self.accounts, within: None };
        let turns = Turns::new(&plan.pieces, foresight);
        let run = |mut worker: Worker<'_, F>| {
            while let Some(piece) = turns.next(&mut worker) {
                worker.work(piece);
            }
            worker.end()
        };
        let mut worker = || Worker::new(sources, &rules, &sample, (self.block, self.reach), fork());
        let mut findings = thread::scope(|scope| {
            let helpers = 1..self.threads.min(plan.pieces.len());
            // A thread that can't be had leaves its work to the others.
            let helpers: Vec<_> = helpers
                .map_while(|_| {
                    let worker = worker();
                    thread::Builder::new().spawn_scoped(scope, || run(worker)).ok()
                })
                .collect();
            let mut findings = run(worker());
            for helper in helpers {
                findings.merge(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            findings
        });
        let searched = turns.end(findings.beside.take());
        if self.reach == u64::MAX && self.accounts {
            remember(inputs, &plan, &findings, self.spacing);
        }
        plan.tell(&mut findings.tallies, &mut findings.timelines);
        let (fold, coverage) = conclude(inputs, findings);
        (fold, coverage, searched)
    }

    fn plan(&self, sources: &[Source], look: &Look, goes_back: bool) -> Plan {
        let sizes =
            Sizes { threads: self.threads, range: self.range, reach: self.reach, spacing: self.spacing };
        let plan = Plan::new(sources, look.window(), sizes).without(&self.known);
        let plan = if self.reach < u64::MAX { plan.sampled(self.reach) } else { plan };
        if goes_back { plan.newest_first(sources, self.threads) } else { plan }
    }
}

/// Keeps what spares who looks again a part of the work: where escapes are, and between which times the sources that can't
/// be cut hold entries, where these are in order.
fn remember<F>(inputs: &Inputs, plan: &Plan, findings: &Findings<F>, least: u64) {
    let failed: HashSet<&str> = findings.errors.iter().map(Error::path).collect();
    let portions = plan.portions(inputs.len());
    for ((number, source), portion) in inputs.sources().iter().enumerate().zip(portions) {
        if portion == Portion::Part || failed.contains(source.name.as_str()) {
            continue;
        }
        // What was kept first holds: the content is the same.
        if let Some(escapes) = findings.spelled[number].known() {
            let _ = source.escapes.set(escapes);
        }
        let tally = &findings.tallies[number];
        // In short content few lines are looked at.
        let is_known = portion == Portion::Whole && tally.bytes > least && findings.orders[number].is_kept();
        if let Some(span) = tally.from.zip(tally.until).filter(|_| is_known) {
            let _ = source.span.set(span);
        }
    }
}

/// Puts what was learned into the order of names.
fn conclude<F>(inputs: &Inputs, findings: Findings<F>) -> (F, Coverage) {
    let Findings { fold, tallies, timelines, encodings, spans, errors, .. } = findings;
    let described = inputs.sources().iter().zip(encodings).zip(tallies);
    let sources = described.map(|((source, told), tally)| {
        let encoding = match &source.content {
            Content::File(file) => file.encoding,
            Content::Stream(_) => told.unwrap_or(Encoding::Plain),
        };
        SourceCoverage { source: source.name.clone(), encoding: encoding.name(), tally }
    });
    let mut coverage = Coverage::of(sources.collect());
    coverage.bad_spans = spans.into_named(|source| inputs.source_name(source));
    coverage.problems = problems(inputs.errors(), &errors);
    let Coverage { sources, bad_spans, problems, .. } = &coverage;
    coverage.servers = coverage::servers(Reading { sources, bad_spans, problems }, timelines);
    (fold, coverage)
}

/// Says each thing once, though several threads may have met it in one file: at the first place.
fn problems(opening: &[Error], reading: &[Error]) -> Vec<Problem> {
    let mut first: BTreeMap<_, &Error> = BTreeMap::new();
    for error in opening.iter().chain(reading) {
        let kept = first.entry((error.path(), error.kind())).or_insert(error);
        if error.offset() < kept.offset() {
            *kept = error;
        }
    }
    let mut problems: Vec<Problem> = first.into_values().map(Problem::from).collect();
    problems.sort();
    problems
}
