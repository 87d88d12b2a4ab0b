//! What a case will want to know of the causes of what a look has found so far.

use std::collections::HashSet;
use std::sync::Arc;

use crate::case::room::Room;
use crate::case::wanted::Wanted;
use crate::case::{Ask, Case, Findings, Window};
use crate::census::Census;
use crate::event::Event;
use crate::filter::Filter;
use crate::fold::{Address, Fold, Foresee, Foreseen};
use crate::look::Look;

/// Nothing is judged beforehand beyond so many entries.
const MOST_FACTS: usize = 256;

/// Nor beyond so many bytes of lines.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// How often what is known is judged beforehand.
const MOST_TRIES: usize = 16;

/// What is found beside may take so many bytes of memory. Looking again for it is slower, but takes no more than is wanted.
const MOST_ROOM: u64 = 32 * 1024 * 1024;

/// How often more is foreseen with a window. Where entries of all times are anywhere, there is always more, and all of it is looked for
/// again.
const MOST_CHANGES: usize = 4;

/// More strings than this are not searched for beforehand: a search for many takes longer than reading.
const MOST_STRINGS: usize = 32;

/// Where more bytes of lines were decoded, what is counted beside is not rare.
const MOST_COUNTED: u64 = 16 * 1024 * 1024;

/// What is counted beside.
#[derive(Debug)]
pub(super) struct Counted {
    census: Census,
    /// Bytes of the entries that were looked at for that.
    bytes: u64,
}

impl Counted {
    pub(super) fn event(&mut self, event: &Event<'_>, address: Address) {
        self.bytes += address.length;
        self.census.event(event, address);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.census.merge(other.census);
    }

    const fn is_rare(&self) -> bool {
        self.bytes <= MOST_COUNTED
    }
}

/// Looks for causes before all effects are known.
///
/// Causes come before their effects. While a look reads logs from their end to their beginning, what it has found is judged
/// as if it was all, and what would be looked for then is looked for in what is still to be read. What that finds is held
/// back until the case wants it, so that a case learns the same as if it looked again.
///
/// With a window, causes are looked for at any time, wherever the context begins in the end: what can't be cut by time is read
/// as a whole, and holds them.
///
/// As long as nothing is found, and as far as that is rare, what is logged at all within the window is counted: if nothing is
/// found in the end, that is asked next.
#[derive(Debug)]
pub struct Foresight {
    ask: Arc<Ask>,
    /// What the first look finds all of.
    found: Arc<[Filter]>,
    sources: Vec<String>,
    /// What was found so far, of what the question wants and beside.
    known: Case,
    /// Bytes of the lines of what is known.
    bytes: u64,
    tries: usize,
    /// What is looked for beside, each with the version that it came with.
    filters: Vec<(usize, Filter)>,
    /// How often more was foreseen.
    changes: usize,
    /// How often what is looked for beside was changed.
    version: usize,
    /// All that was found beside.
    beside: Case,
    /// What is to be counted where nothing is found.
    census: Option<Census>,
    /// What is counted of that beside.
    counts: Option<Census>,
}

impl Foresight {
    /// The foresight of a case that has not looked yet. `sources` are the names of the sources by number.
    pub fn of(case: &Case, sources: &[String]) -> Self {
        let room = Arc::new(Room::new(case.room.limit().min(MOST_ROOM)));
        let empty = || Case::empty(&case.ask, &room);
        // That is known to be looked for next, whatever is found.
        let filters: Vec<_> = case.ask.lasting().map(|filter| (1, filter)).collect();
        Self {
            ask: Arc::clone(&case.ask),
            found: case.ask.finds_whole(case.wanted.filters()),
            sources: sources.to_vec(),
            known: empty(),
            bytes: 0,
            tries: 0,
            changes: 0,
            version: usize::from(!filters.is_empty()),
            filters,
            beside: empty(),
            census: case.census(&Findings::default()),
            counts: None,
        }
    }

    /// What was counted beside in all that was read, if `case` has met nothing, and that was rare: neither depends on when it
    /// was known.
    pub fn counted(&mut self, case: &Case) -> Option<Census> {
        self.counts.as_ref().filter(|_| case.facts.is_empty())?;
        self.beside.counted.take().filter(Counted::is_rare).map(|counted| counted.census)
    }

    fn stop_counting(&mut self) {
        self.version += usize::from(self.counts.take().is_some());
    }

    /// What was found of that which `case` wants next, and the version since which all of that was looked for beside:
    /// what was read before may hold more of it. `None` if some of it was never looked for.
    pub fn recall(&self, case: &Case) -> Option<(Case, usize)> {
        let wanted = case.wanted.filters().iter();
        let since: Option<Vec<usize>> = wanted.map(|filter| self.since(filter)).collect();
        Some((case.recalled(&self.beside), since?.into_iter().max()?))
    }

    /// The version since which what a filter wants is looked for.
    fn since(&self, wanted: &Filter) -> Option<usize> {
        let covering = self.filters.iter().filter(|(_, filter)| filter.covers(wanted));
        covering.map(|(version, _)| *version).min()
    }

    /// Looks from now on for what the case would look for if there was nothing but what is known.
    fn look_forward(&mut self) {
        let next = self.version + 1;
        let new: Vec<Filter> =
            self.further_looks().into_iter().filter(|filter| self.since(filter).is_none()).collect();
        if new.is_empty() {
            return;
        }
        if self.has_window() && self.changes >= MOST_CHANGES {
            return self.give_up();
        }
        let before = self.filters.len();
        self.filters.extend(new.into_iter().map(|filter| (next, filter)));
        let strings = self.wanted().literals;
        if strings.as_slice().is_some_and(|strings| strings.len() <= MOST_STRINGS) {
            self.version = next;
            self.changes += 1;
        } else {
            self.filters.truncate(before);
        }
    }

    /// What the looks behind the first would be for if there was nothing but what is known.
    fn further_looks(&self) -> Vec<Filter> {
        let mut case = Case::new(Ask::clone(&self.ask));
        let mut findings = case.learn(case.recalled(&self.known), &self.sources);
        let mut filters = Vec::new();
        while case.is_open() {
            filters.extend(case.wanted.filters().iter().map(|filter| self.widened(filter)));
            findings = case.learn_more(findings, case.recalled(&self.known), &self.sources);
        }
        filters
    }

    /// What a filter wants; if the question has a window, whenever it was, but for what lies behind it alone.
    fn widened(&self, filter: &Filter) -> Filter {
        let is_fixed = !self.has_window() || filter.from == Some(self.ask.window.until);
        let [from, until] = [filter.from, filter.until].map(|time| time.filter(|_| is_fixed));
        Filter { from, until, ..filter.clone() }
    }

    fn has_window(&self) -> bool {
        self.ask.window != Window::default()
    }

    /// Foresees nothing, and nothing further: the case looks for all of it again.
    fn give_up(&mut self) {
        self.filters.clear();
        (self.tries, self.version) = (MOST_TRIES, self.version + 1);
    }

    /// Gives up where more was found beside than may be kept.
    fn give_up_if_exceeded(&mut self) {
        if self.beside.is_exceeded() && !self.filters.is_empty() {
            self.give_up();
        }
    }

    fn wanted(&self) -> Look {
        Look::for_filters(self.filters.iter().map(|(_, filter)| filter.clone()).collect())
    }
}

impl Foresee<Case> for Foresight {
    fn begin(&mut self, is_whole: bool, permille: &mut dyn FnMut(&Look) -> usize) {
        let census = self.census.as_ref().filter(|_| is_whole || !self.has_window());
        self.counts = census.and_then(|census| census.beside(permille));
        self.version += usize::from(self.counts.is_some());
    }

    fn take(&mut self, found: &Case, taken: &mut usize) {
        let new = &found.facts[*taken..];
        if !new.is_empty() || found.counted.as_ref().is_some_and(|counted| !counted.is_rare()) {
            self.stop_counting();
        }
        *taken = found.facts.len();
        self.give_up_if_exceeded();
        self.bytes = new.iter().fold(self.bytes, |sum, fact| sum.saturating_add(fact.address.length));
        let are_few = self.known.facts.len() + new.len() <= MOST_FACTS && self.bytes <= MOST_BYTES;
        if new.is_empty() || !are_few || self.tries == MOST_TRIES {
            return;
        }
        self.known.facts.extend(new.iter().cloned());
        self.tries += 1;
        self.look_forward();
    }

    fn version(&self) -> usize {
        self.version
    }

    fn foreseen(&self) -> Option<Foreseen<Case>> {
        if self.counts.is_none() && self.filters.is_empty() {
            return None;
        }
        let census = self.counts.as_ref();
        let look = census.map(Census::look).into_iter().fold(self.wanted(), Look::or);
        let counted = census.map(|census| Counted { census: census.fork(), bytes: 0 });
        let wanted = Wanted::new(self.filters.iter().map(|(_, filter)| filter.clone()).collect());
        let found = Arc::clone(&self.found);
        let fold = Case { wanted, found, counted, ..Case::empty(&self.ask, &self.beside.room) };
        // Of what is only counted the fewer is met the more is doubted.
        let within = self.filters.is_empty().then_some(self.ask.window);
        Some(Foreseen { look, within: within.filter(|_| self.has_window()), fold })
    }

    fn found(&mut self, beside: Case) {
        self.beside = beside;
        self.give_up_if_exceeded();
    }
}

impl Case {
    /// What a look for what is wanted would find among what was `found` before.
    fn recalled(&self, found: &Self) -> Self {
        let mut facts: Vec<_> = found.facts.iter().filter(|fact| self.wants(fact)).cloned().collect();
        for fact in &mut facts {
            self.keep_named_victims(fact);
        }
        let addresses = facts.iter().map(|fact| fact.address);
        let truncated = addresses.filter(|address| found.truncated.contains(address)).collect();
        Self { facts, truncated, ..self.fork() }
    }

    /// Takes what was recalled for this look. Some of it may have been found again: it is taken once.
    pub fn add(&mut self, mut recalled: Self) {
        let found: HashSet<Address> = self.facts.iter().map(|fact| fact.address).collect();
        recalled.facts.retain(|fact| !found.contains(&fact.address));
        recalled.facts.iter().for_each(|fact| self.room.take(fact));
        self.merge(recalled);
    }
}
