//! What events are looked for in.

use std::collections::BTreeSet;

use audit_who_event::answer::Evidence;
use audit_who_event::count::Counting;
use audit_who_event::coverage::{Coverage, Problem};
use audit_who_event::fold::{Fold, Foresee};
use audit_who_event::look::Look;

use crate::evidence::hashes::{self, Hashes};
use crate::input::Inputs;
use crate::scan::{Scan, Searched, Stretches};

/// How many bytes of each source are enough to count entries in, if they tell what is logged; and how many are, if they do not.
/// What a policy logs at all is mostly there.
const SAMPLES: [u64; 2] = [1024 * 1024, 16 * 1024 * 1024];

/// Where events are looked for: [`Files`], or an [`Archive`](crate::store::Archive). What questions mean is above.
pub trait Logs {
    /// The names of the sources, by the number that an [`Address`](audit_who_event::fold::Address) carries.
    fn sources(&self) -> Vec<String>;

    /// Hands the events that `look` wants, and maybe others, to folds that `fork` makes, and merges these.
    ///
    /// What can't be read is a problem of the coverage, whose verdict is left empty, and the rest is read.
    fn look<F: Fold>(&self, look: &Look, fork: impl FnMut() -> F) -> (F, Coverage);

    /// Looks as [`look`](Self::look) does, and maybe beside for what `foresight` foresees from what is found; says in what
    /// that was looked for.
    fn look_back<F: Fold>(
        &self,
        look: &Look,
        fork: impl FnMut() -> F,
        _: &mut dyn Foresee<F>,
    ) -> (F, Coverage, Searched) {
        let (fold, coverage) = self.look(look, fork);
        (fold, coverage, Searched::default())
    }

    /// Hands over what another look wants, at what was looked through before: what can't be read, and no other coverage. The
    /// events in what is `known` may be left out.
    fn look_again<F: Fold>(
        &self,
        look: &Look,
        fork: impl FnMut() -> F,
        _known: &Stretches,
    ) -> (F, Vec<Problem>) {
        let (fold, coverage) = self.look(look, fork);
        (fold, coverage.problems)
    }

    /// Counts the requests that `counting` wants.
    ///
    /// What can't be read is a problem of the coverage, whose verdict is left empty, and the rest is counted.
    fn count(&self, counting: &Counting) -> (Counting, Coverage) {
        self.look(&counting.look(), || counting.fork())
    }

    /// The events of a look in a part of the logs that is mostly enough to count entries in: in a small one if what was found
    /// there `suffices`.
    fn sample<F: Fold>(
        &self,
        look: &Look,
        fork: impl FnMut() -> F,
        suffices: impl Fn(&F) -> bool,
    ) -> (F, Coverage);

    /// The SHA-256 of each of these entries that can be read again: of its bytes as they are in the logs.
    fn hashes(&self, entries: &BTreeSet<Evidence>) -> Hashes;

    /// With how many threads they are read.
    fn threads(&self) -> usize {
        1
    }

    /// Whether a look takes as long as what it finds, rather than as all there is.
    fn is_indexed(&self) -> bool {
        false
    }

    /// Whether a sample holds an event of each kind (verb, resource, stage, level) that is wanted and there, so that all
    /// of them would tell no more.
    fn samples_every_kind(&self) -> bool {
        false
    }
}

/// Inputs, and how they are read.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    scan: &'a Scan,
    inputs: &'a Inputs,
}

impl<'a> Files<'a> {
    /// Reads `inputs` as `scan` says. A sample is the first MiB of each, or, of a part within a window, that in its middle; 16 MiB
    /// if one does not suffice. Of many inputs it is of some, evenly chosen, and no more than of sixteen long ones.
    pub const fn new(scan: &'a Scan, inputs: &'a Inputs) -> Self {
        Self { scan, inputs }
    }
}

impl Logs for Files<'_> {
    fn sources(&self) -> Vec<String> {
        (0..self.inputs.len()).map(|source| self.inputs.source_name(source).to_owned()).collect()
    }

    fn look<F: Fold>(&self, look: &Look, fork: impl FnMut() -> F) -> (F, Coverage) {
        self.scan.run(self.inputs, look, fork)
    }

    fn look_back<F: Fold>(
        &self,
        look: &Look,
        fork: impl FnMut() -> F,
        foresight: &mut dyn Foresee<F>,
    ) -> (F, Coverage, Searched) {
        self.scan.run_back(self.inputs, look, fork, foresight)
    }

    fn look_again<F: Fold>(
        &self,
        look: &Look,
        fork: impl FnMut() -> F,
        known: &Stretches,
    ) -> (F, Vec<Problem>) {
        let (fold, coverage) = self.scan.clone().again(known.clone()).run(self.inputs, look, fork);
        (fold, coverage.problems)
    }

    fn sample<F: Fold>(
        &self,
        look: &Look,
        mut fork: impl FnMut() -> F,
        suffices: impl Fn(&F) -> bool,
    ) -> (F, Coverage) {
        let [small, large] = SAMPLES.map(|bytes| self.scan.clone().reach(bytes));
        let sampled = small.run(self.inputs, look, &mut fork);
        if suffices(&sampled.0) { sampled } else { large.run(self.inputs, look, fork) }
    }

    fn hashes(&self, entries: &BTreeSet<Evidence>) -> Hashes {
        hashes::hashes(entries, |name| self.inputs.content(name))
    }

    fn threads(&self) -> usize {
        self.scan.thread_count()
    }
}
