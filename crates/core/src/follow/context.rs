//! Where a question is looked into again while logs are followed: in what is remembered, and else in the files.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use audit_who_event::case::{Ask, Case, Findings};
use audit_who_event::event::Event;
use audit_who_event::filter::Filter;
use audit_who_event::fold::{Address, Fold};
use audit_who_event::look::Look;
use audit_who_event::share::{Kind, Share};
use audit_who_event::time::Timestamp;

use super::memory::{CHANGES, Lane, Memory};
use crate::input::Inputs;
use crate::input::file::Identity;
use crate::scan::Scan;

/// What a question is looked into.
pub(super) struct Context<'a> {
    memory: &'a Memory,
    /// What the lines of the lane of subjects meet.
    first: &'a [Filter],
    scan: &'a Scan,
    paths: &'a [PathBuf],
    /// What stands before is not missed where it is forgotten.
    from: Timestamp,
    /// Opened if what is remembered does not suffice.
    files: OnceCell<Inputs>,
}

/// Where an entry is, by the number in its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In what is remembered of a generation.
    Generation(i64),
    /// In a file.
    File(Option<Identity>, String),
}

impl<'a> Context<'a> {
    pub(super) const fn new(
        memory: &'a Memory,
        first: &'a [Filter],
        scan: &'a Scan,
        paths: &'a [PathBuf],
        from: Timestamp,
    ) -> Self {
        Self { memory, first, scan, paths, from, files: OnceCell::new() }
    }

    /// Looks as often as the question needs to. Instead of its source's name, evidence has the number of its place among
    /// [`places`](Self::places).
    pub(super) fn ask(&self, ask: Ask) -> Findings {
        let mut case = Case::new(ask);
        loop {
            let part = self.look(&case);
            let numbers: Vec<String> = (0..self.places().count()).map(|number| number.to_string()).collect();
            let findings = case.learn(part, &numbers);
            if !case.is_open() {
                return findings;
            }
        }
    }

    /// What the numbers in evidence mean.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> + '_ {
        let remembered = self.memory.generations().iter().map(|id| Place::Generation(*id));
        let files = self.files.get().into_iter().flat_map(Inputs::sources);
        remembered.chain(files.map(|source| Place::File(source.identity(), source.name.clone())))
    }

    fn look(&self, case: &Case) -> Case {
        let look = case.look();
        if let Some(lanes) = self.lanes(&look) {
            let mut fold = case.fork();
            for lane in lanes {
                self.memory.look(lane, &look, &mut fold);
            }
            return fold;
        }
        let files = self.files.get_or_init(|| Inputs::open(self.paths));
        let shift = self.memory.generations().len();
        let (found, _) = self.scan.run(files, &look, || Shifted { fold: case.fork(), shift });
        found.fold
    }

    /// The lanes that hold all that a look wants; `None` if something of it is not remembered. That a line is in both does
    /// no harm.
    fn lanes(&self, look: &Look) -> Option<BTreeSet<Lane>> {
        let from = look.window().from.max(self.from);
        let lane_of = |filter: &Filter| {
            let is_first = self.first.iter().any(|first| first.covers(filter));
            let changes = !filter.verbs.is_empty() && filter.verbs.iter().all(|verb| CHANGES.contains(verb));
            let lanes = [(is_first, Lane::Subject), (changes, Lane::Changes)];
            lanes
                .into_iter()
                .find_map(|(holds, lane)| (holds && self.memory.reaches(lane, from)).then_some(lane))
        };
        look.filters.as_ref()?.iter().map(lane_of).collect()
    }
}

/// Takes events from files, whose numbers stand behind those of what is remembered.
struct Shifted<F> {
    fold: F,
    shift: usize,
}

impl<F: Fold> Fold for Shifted<F> {
    fn event(&mut self, event: &Event<'_>, address: Address) {
        self.fold.event(event, Address { source: address.source + self.shift, ..address });
    }

    fn share(&self, kind: &Kind<'_>) -> Share {
        self.fold.share(kind)
    }

    fn is_full(&self) -> bool {
        self.fold.is_full()
    }

    fn merge(&mut self, other: Self) {
        self.fold.merge(other.fold);
    }
}
