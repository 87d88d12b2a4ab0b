//! Accounts for content that comes bit by bit, as it is followed.

use std::collections::HashMap;

use audit_who_event::coverage::{
    self, BadSpan, Coverage, KEPT_SPANS, Reading, SourceCoverage, Tally, Timeline,
};
use audit_who_event::envelope::Decoder;
use audit_who_event::fold::Fold;
use audit_who_event::literals::Literals;
use audit_who_event::time::Timestamp;

use super::collector::Spans;
use super::decode::{Decode, Trust};
use super::ledger::{Ledger, Rules};
use super::marks::Marks;
use super::order::Order;
use super::payoff::Payoff;
use super::prefilter::Prefilter;
use super::spelled::Spelled;
use crate::tail::{Batch, Flaw};

/// What was followed so far, by the file that the API server writes: what is rotated from it belongs to it.
pub(crate) struct Account<F> {
    rules: Rules<F>,
    decoder: Decoder,
    marks: Marks,
    numbers: HashMap<String, usize>,
    sources: Vec<SourceCoverage>,
    timelines: Vec<Timeline>,
    /// The first of each source.
    spans: Vec<Vec<BadSpan>>,
}

impl<F: Fold> Account<F> {
    /// Hands on the events of lines in which one of `literals` stands.
    pub(crate) fn new(literals: &Literals) -> Self {
        Self {
            // Longer lines than are held are none in a batch.
            rules: Rules {
                prefilter: Prefilter::new(literals),
                decode: Decode::new(),
                max_line: usize::MAX,
                accounts: true,
                within: None,
            },
            decoder: Decoder::default(),
            marks: Marks::default(),
            numbers: HashMap::new(),
            sources: Vec::new(),
            timelines: Vec::new(),
            spans: Vec::new(),
        }
    }

    /// Accounts for a batch and hands its events to `fold`; their addresses tell no source. Returns its first bad spans.
    pub(crate) fn read(&mut self, batch: &Batch, fold: &mut F) -> Vec<BadSpan> {
        let source = self.number(batch.source());
        let (mut spans, mut order, mut spelled) = (Spans::default(), Order::default(), Spelled::default());
        let mut ledger = Ledger {
            rules: &self.rules,
            source,
            decoder: &mut self.decoder,
            fold,
            tally: &mut self.sources[source].tally,
            timeline: &mut self.timelines[source],
            order: &mut order,
            spans: &mut spans,
            search: Payoff::default(),
            marks: &mut self.marks,
            spelled: &mut spelled,
            escapes: None,
            beside: None,
            trust: Trust::default(),
        };
        if batch.data.is_empty() {
            for span in &batch.spans {
                match span.flaw {
                    Flaw::Nuls => ledger.nuls(span.offset, span.length),
                    Flaw::Overlong => ledger.bad(span.offset, span.length, span.reason()),
                }
            }
        } else {
            ledger.lines(batch.from, &batch.data);
        }
        let spans = spans.into_named(|_| batch.path());
        let kept = &mut self.spans[source];
        let room = KEPT_SPANS.saturating_sub(kept.len());
        kept.extend(spans.iter().take(room).cloned());
        spans
    }

    fn number(&mut self, source: &str) -> usize {
        if let Some(number) = self.numbers.get(source) {
            return *number;
        }
        let number = self.sources.len();
        self.numbers.insert(source.to_owned(), number);
        self.sources.push(SourceCoverage {
            source: source.to_owned(),
            encoding: "plain",
            tally: Tally::default(),
        });
        self.timelines.push(Timeline::default());
        self.spans.push(Vec::new());
        number
    }

    /// Stage time of the latest entry that was looked at.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        let logs = self.sources.iter().filter(|source| !source.is_no_log());
        logs.filter_map(|source| source.tally.until).max()
    }

    /// All of it. The verdict is left empty.
    pub(crate) fn coverage(&self) -> Coverage {
        let mut coverage = Coverage::of(self.sources.clone());
        coverage.bad_spans = self.spans.iter().flatten().cloned().collect();
        coverage.bad_spans.sort();
        let Coverage { sources, bad_spans, problems, .. } = &coverage;
        let timelines = self.timelines.clone();
        coverage.servers = coverage::servers(Reading { sources, bad_spans, problems }, timelines);
        coverage.sources.sort_by(|a, b| a.source.cmp(&b.source));
        coverage
    }
}
