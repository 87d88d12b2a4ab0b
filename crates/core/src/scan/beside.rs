//! Searches what is read for something else beside.

use audit_who_event::coverage::{Tally, Timeline};
use audit_who_event::envelope;
use audit_who_event::fold::{Fold, Foreseen};

use super::collector::Spans;
use super::decode::{Decode, Trust};
use super::ledger::{Ledger, Rules};
use super::marks::Marks;
use super::order::Order;
use super::payoff::Payoff;
use super::prefilter::Prefilter;
use super::spelled::Spelled;

/// What one thread searches for beside, and what it has found of that.
///
/// It accounts for nothing: the bytes are accounted for by what they are read for.
pub(super) struct Beside<F> {
    rules: Rules<F>,
    pub(super) fold: F,
    /// How much of what was found was taken to foresee more.
    pub(super) taken: usize,
    /// With which version of what is foreseen it came.
    pub(super) version: usize,
    marks: Marks,
    unused: Unused,
}

/// What a ledger asks for.
#[derive(Default)]
struct Unused {
    tally: Tally,
    timeline: Timeline,
    order: Order,
    spans: Spans,
    spelled: Spelled,
}

impl<F: Fold> Beside<F> {
    /// Searches for what is foreseen. How often strings are met in `sample` tells what is searched for.
    pub(super) fn new(
        foreseen: Foreseen<F>,
        version: usize,
        sample: &[u8],
        decode: Decode<F>,
        max_line: usize,
    ) -> Self {
        let prefilter = Prefilter::of(&foreseen.look, sample);
        // What it does not select is none of its business.
        let decode = Decode { is_entry: |_| true, ..decode };
        let rules = Rules { prefilter, decode, max_line, accounts: false, within: foreseen.within };
        Self {
            rules,
            fold: foreseen.fold,
            taken: 0,
            version,
            marks: Marks::default(),
            unused: Unused::default(),
        }
    }

    /// Searches whole lines of a source, the last of which may lack its end; `offset` is where they begin. `escapes` are
    /// the places where they spell letters as escapes, if these are known; `taken` are marks of them, if what is searched for
    /// is among these.
    pub(super) fn lines(
        &mut self,
        decoder: &mut envelope::Decoder,
        source: usize,
        (offset, text): (u64, &[u8]),
        escapes: Option<&[u64]>,
        taken: Option<&Marks>,
    ) {
        self.ledger(decoder, source, escapes).selected_lines(offset, text, taken);
    }

    /// What selects lines.
    pub(super) const fn prefilter(&self) -> &Prefilter {
        &self.rules.prefilter
    }

    /// Searches one record that is not found by line ends.
    pub(super) fn record(
        &mut self,
        decoder: &mut envelope::Decoder,
        source: usize,
        (offset, record): (u64, &[u8]),
    ) {
        self.ledger(decoder, source, None).record(offset, record);
    }

    fn ledger<'a>(
        &'a mut self,
        decoder: &'a mut envelope::Decoder,
        source: usize,
        escapes: Option<&'a [u64]>,
    ) -> Ledger<'a, F> {
        let Unused { tally, timeline, order, spans, spelled } = &mut self.unused;
        Ledger {
            rules: &self.rules,
            source,
            decoder,
            fold: &mut self.fold,
            tally,
            timeline,
            order,
            spans,
            search: Payoff::default(),
            marks: &mut self.marks,
            spelled,
            escapes,
            beside: None,
            trust: Trust::default(),
        }
    }
}
