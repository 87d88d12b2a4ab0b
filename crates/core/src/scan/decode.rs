//! How lines are decoded, and which are taken for entries without that.

use std::ops::Range;

use audit_who_event::envelope::{self, Decoder, Sink};
use audit_who_event::event::Event;
use audit_who_event::fold::Fold;

use super::collector::Collector;

/// What is done with a line.
pub(super) struct Decode<F> {
    /// Hands on what is in it.
    pub(super) line: fn(&mut Decoder, &[u8], &mut Collector<'_, F>),
    /// Tells whether it holds an entry.
    pub(super) is_entry: fn(&[u8]) -> bool,
}

impl<F: Fold> Decode<F> {
    pub(super) fn new() -> Self {
        Self { line: |decoder, line, sink| decoder.decode(line, sink), is_entry }
    }
}

impl<F> Clone for Decode<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Decode<F> {}

/// Whether lines that have the shape of an entry are taken for one: once one was looked at that is. So a log whose entries are
/// wrapped in something else is told for what it is, though nobody asks for what is in any of its lines.
#[derive(Default)]
pub(super) struct Trust(bool);

impl Trust {
    /// Whether a line is taken for an entry; if none was yet, it is looked at.
    pub(super) fn takes(&mut self, line: &[u8], is_entry: fn(&[u8]) -> bool) -> bool {
        self.0 = self.0 || is_entry(line);
        self.0
    }
}

fn is_entry(line: &[u8]) -> bool {
    let mut probe = Probe(false);
    envelope::decode(line, &mut probe);
    probe.0
}

/// Whether there is an event.
struct Probe(bool);

impl Sink for Probe {
    fn event(&mut self, _: &Event<'_>, _: Range<usize>) {
        self.0 = true;
    }

    fn bad(&mut self, _: Range<usize>, _: &str) {}

    fn wants_details(&self) -> bool {
        false
    }
}
