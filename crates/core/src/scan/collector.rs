//! What is found in one line, and which bytes hold nothing.

use std::collections::BTreeMap;
use std::ops::Range;

use audit_who_event::coverage::{BadSpan, KEPT_SPANS, Moment, Tally, Timeline};
use audit_who_event::envelope::Sink;
use audit_who_event::event::Event;
use audit_who_event::fold::{Address, Fold};
use audit_who_event::note::{Note, Times};
use audit_who_event::time::Timestamp;

/// Takes what the decoder finds in one line.
pub(super) struct Collector<'a, F> {
    pub(super) fold: &'a mut F,
    pub(super) tally: &'a mut Tally,
    pub(super) timeline: &'a mut Timeline,
    pub(super) spans: &'a mut Spans,
    pub(super) source: usize,
    /// Where the line begins.
    pub(super) offset: u64,
    /// How many events were found,
    pub(super) events: u64,
    /// and how many bytes that hold none.
    pub(super) bad: u64,
}

impl<F> Collector<'_, F> {
    fn address(&self, span: &Range<usize>) -> Address {
        let length = span.end.saturating_sub(span.start) as u64;
        Address { source: self.source, offset: self.offset + span.start as u64, length }
    }

    fn saw(&mut self, address: Address, time: Option<Timestamp>) {
        self.events += 1;
        self.tally.saw(time);
        if let Some(time) = time {
            self.timeline.add(Moment { time, source: address.source, offset: address.offset });
        }
    }
}

impl<F: Fold> Sink for Collector<'_, F> {
    fn event(&mut self, event: &Event<'_>, span: Range<usize>) {
        let address = self.address(&span);
        self.saw(address, event.stage_time);
        self.fold.event(event, address);
    }

    fn note(&mut self) -> Option<Note> {
        self.fold.note()
    }

    fn again(&mut self, note: Note, times: &Times, span: Range<usize>) -> bool {
        let address = self.address(&span);
        let is_known = self.fold.again(note, times, address);
        if is_known {
            self.saw(address, times.stage_time);
        }
        is_known
    }

    fn bad(&mut self, span: Range<usize>, reason: &str) {
        let address = self.address(&span);
        self.bad += address.length;
        self.tally.bad_lines += 1;
        self.spans.add(address, || reason.to_owned());
    }

    fn wants_details(&self) -> bool {
        self.fold.wants_details()
    }
}

/// The first bad spans of each source, however they come: one file that is no log hides no bad line of another.
#[derive(Debug, Default)]
pub(super) struct Spans(BTreeMap<usize, BTreeMap<Address, String>>);

impl Spans {
    pub(super) fn add(&mut self, address: Address, reason: impl FnOnce() -> String) {
        let spans = self.0.entry(address.source).or_default();
        let full = spans.len() >= KEPT_SPANS;
        if full && spans.last_key_value().is_some_and(|(last, _)| *last <= address) {
            return;
        }
        spans.insert(address, reason());
        if spans.len() > KEPT_SPANS {
            spans.pop_last();
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (address, reason) in other.0.into_values().flatten() {
            self.add(address, || reason);
        }
    }

    /// The spans in order; `name` names a source.
    pub(super) fn into_named<'a>(self, name: impl Fn(usize) -> &'a str) -> Vec<BadSpan> {
        let named = |(address, reason): (Address, String)| BadSpan {
            source: name(address.source).to_owned(),
            offset: address.offset,
            length: address.length,
            reason,
        };
        self.0.into_values().flatten().map(named).collect()
    }
}
