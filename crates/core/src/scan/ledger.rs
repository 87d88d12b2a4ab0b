//! Where every byte of a source ends up: decoded, skipped, bad or blank.

use std::mem;
use std::ops::Range;

use audit_who_event::case::Window;
use audit_who_event::coverage::{Tally, Timeline};
use audit_who_event::envelope::Decoder;
use audit_who_event::fold::{Address, Fold};
use audit_who_event::peek;

use super::beside::Beside;
use super::clock::Clock;
use super::collector::{Collector, Spans};
use super::decode::{Decode, Trust};
use super::hits::Hits;
use super::marks::Marks;
use super::order::Order;
use super::payoff::Payoff;
use super::prefilter::Prefilter;
use super::spelled::Spelled;
use crate::dated::{self, may_be_entry};
use crate::layout::BOM;

/// What a scan does with a line.
pub(super) struct Rules<F> {
    pub(super) prefilter: Prefilter,
    pub(super) decode: Decode<F>,
    /// Bytes.
    pub(super) max_line: usize,
    /// Whether every byte is accounted for; if not, only lines that are selected are looked at.
    pub(super) accounts: bool,
    /// Lines whose times lie outside are not decoded, if it does no harm to miss one that tells them in another way.
    pub(super) within: Option<Window>,
}

impl<F> Rules<F> {
    fn is_outside(&self, line: &[u8]) -> bool {
        let Some(Window { from, until }) = self.within else { return false };
        peek::stage_times(line).is_some_and(|times| *times.end() < from || *times.start() > until)
    }
}

/// Accounts for the bytes of one source, and hands its events to a fold.
pub(super) struct Ledger<'a, F> {
    pub(super) rules: &'a Rules<F>,
    pub(super) source: usize,
    pub(super) decoder: &'a mut Decoder,
    pub(super) fold: &'a mut F,
    pub(super) tally: &'a mut Tally,
    pub(super) timeline: &'a mut Timeline,
    pub(super) order: &'a mut Order,
    pub(super) spans: &'a mut Spans,
    pub(super) search: Payoff,
    /// What is noted of each block.
    pub(super) marks: &'a mut Marks,
    pub(super) spelled: &'a mut Spelled,
    /// Where all escapes are, if it is known.
    pub(super) escapes: Option<&'a [u64]>,
    /// What else is searched for in the same text.
    pub(super) beside: Option<&'a mut Beside<F>>,
    pub(super) trust: Trust,
}

impl<F: Fold> Ledger<'_, F> {
    pub(super) const fn max_line(&self) -> usize {
        self.rules.max_line
    }

    /// Whether what takes the events takes no more.
    pub(super) fn is_full(&self) -> bool {
        self.fold.is_full()
    }

    /// Accounts for whole lines, the last of which may lack its end. `offset` is where they begin.
    pub(super) fn lines(&mut self, offset: u64, text: &[u8]) {
        if !self.rules.accounts {
            return self.selected_lines(offset, text, None);
        }
        self.tally.bytes += text.len() as u64;
        let rules = self.rules;
        let (skipped, spelled) = (self.tally.skipped_bytes, self.spelled.count());
        let mut marks = mem::take(self.marks);
        let prefilter = self.search.next(&rules.prefilter);
        // What is searched for beside is looked for in the same pass.
        let both = self.beside.as_ref().and_then(|beside| prefilter.triples_of_both(beside.prefilter()));
        let mut hits = match &both {
            Some((triples, count)) => {
                marks.take(text, &triples[..*count]);
                prefilter.hits_at(text, &marks, None)
            }
            None => prefilter.hits(text, &mut marks, None),
        };
        if !hits.searches() {
            self.spelled.missed();
        }
        if hits.is_in_all() {
            self.all_lines(offset, text);
        } else {
            self.searched_lines(offset, text, &mut hits);
        }
        self.search.saw(text.len(), self.tally.skipped_bytes - skipped);
        self.clock(offset).look(text);
        if let Some(beside) = &mut self.beside {
            let escapes = self.spelled.behind(spelled);
            beside.lines(self.decoder, self.source, (offset, text), escapes, both.map(|_| &marks));
        }
        *self.marks = marks;
    }

    /// Decodes every line. Nobody looks for the end of one that is like another: that is known when it is decoded.
    fn all_lines(&mut self, offset: u64, text: &[u8]) {
        let mut start = 0;
        while start < text.len() {
            let rest = &text[start..];
            let length = self.like(offset + start as u64, rest).unwrap_or_else(|| {
                let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                self.line(offset + start as u64, &rest[..length], true);
                length
            });
            let is_ended = length < rest.len();
            self.tally.blank_bytes += u64::from(is_ended);
            start += length + usize::from(is_ended);
        }
    }

    /// Decodes the line that `text` begins with, if it is like another, and accounts for it; says how long it is, without its
    /// line feed.
    fn like(&mut self, offset: u64, text: &[u8]) -> Option<usize> {
        // The end of a line that is too long is not in here.
        let text = &text[..text.len().min(self.rules.max_line.saturating_add(1))];
        let (decoder, mut collector) = self.decoding(offset);
        let length = decoder.decode_next(text, &mut collector)?;
        let carriage = usize::from(text[length] == b'\r');
        self.tally.entries += 1;
        self.tally.decoded_bytes += length as u64;
        self.tally.blank_bytes += carriage as u64;
        Some(length + carriage)
    }

    /// Decodes the lines that are selected, and passes the others.
    fn searched_lines(&mut self, offset: u64, text: &[u8], hits: &mut Hits<'_>) {
        let rules = self.rules;
        if text.len() <= rules.max_line
            && let Some(objects) = hits.unselected_objects()
            && self.trust.takes(&text[..hits.line_end(0)], rules.decode.is_entry)
        {
            self.tally.entries += objects as u64;
            self.tally.skipped_bytes += (text.len() - objects) as u64;
            self.tally.blank_bytes += objects as u64;
            return;
        }
        let mut start = 0;
        while start < text.len() {
            let end = hits.line_end(start);
            let selected = hits.is_in(start, end);
            self.note(offset, hits.spelled());
            let line = &text[start..end];
            if !selected && line.len() <= rules.max_line && self.is_taken(line) {
                self.tally.entries += 1;
                self.tally.skipped_bytes += line.len() as u64;
            } else {
                self.line(offset + start as u64, line, selected);
            }
            self.tally.blank_bytes += u64::from(end < text.len());
            start = end + 1;
        }
    }

    fn note(&mut self, offset: u64, spelled: Option<usize>) {
        if let Some(place) = spelled {
            self.spelled.saw(offset + place as u64);
        }
    }

    /// Decodes the lines that are selected, without a look at the others. `taken` are the marks of the text, if what is
    /// searched for is among these.
    pub(super) fn selected_lines(&mut self, offset: u64, text: &[u8], taken: Option<&Marks>) {
        let mut marks = mem::take(self.marks);
        let noted = self.escapes.map(|escapes| (escapes, offset));
        let prefilter = self.search.next(&self.rules.prefilter);
        let mut hits = match taken {
            Some(taken) => prefilter.hits_at(text, taken, None),
            None => prefilter.hits(text, &mut marks, noted),
        };
        let (mut start, mut skipped) = (0, text.len());
        while let Some(hit) = (start < text.len()).then(|| hits.next(start)).flatten() {
            let Range { start: begin, end: next } = dated::line_around(text, &(start..text.len()), hit);
            let end = next - usize::from(text[begin..next].ends_with(b"\n"));
            if hits.is_in(begin, end) && !self.rules.is_outside(&text[begin..end]) {
                skipped -= end - begin;
                self.line(offset + begin as u64, &text[begin..end], true);
            }
            start = next;
        }
        *self.marks = marks;
        self.search.saw(text.len(), skipped as u64);
    }

    const fn clock(&mut self, offset: u64) -> Clock<'_> {
        Clock {
            source: self.source,
            offset,
            max_line: self.rules.max_line,
            tally: &mut *self.tally,
            timeline: &mut *self.timeline,
            order: &mut *self.order,
        }
    }

    /// Accounts for one record that is not found by line ends.
    pub(super) fn record(&mut self, offset: u64, record: &[u8]) {
        self.tally.bytes += record.len() as u64;
        self.spelled.missed();
        let selected = self.rules.prefilter.hits(record, self.marks, None).is_in(0, record.len());
        self.line(offset, record, selected);
        self.clock(offset).look_at_record(record);
        if let Some(beside) = &mut self.beside {
            beside.record(self.decoder, self.source, (offset, record));
        }
    }

    /// Accounts for a line without its end: NULs, a byte order mark, a carriage return, and what they surround.
    fn line(&mut self, offset: u64, line: &[u8], selected: bool) {
        let nuls = line.iter().take_while(|byte| **byte == 0).count();
        if nuls > 0 {
            self.nul_span(offset, nuls as u64);
        }
        let mut text = &line[nuls..];
        let mut offset = offset + nuls as u64;
        if text.len() > self.rules.max_line {
            return self.overlong_span(offset, text.len() as u64);
        }
        if offset == 0
            && let Some(rest) = text.strip_prefix(BOM)
        {
            self.tally.blank_bytes += BOM.len() as u64;
            (text, offset) = (rest, BOM.len() as u64);
        }
        if let Some(rest) = text.strip_suffix(b"\r") {
            self.tally.blank_bytes += 1;
            text = rest;
        }
        match text.trim_ascii_start() {
            [] => self.tally.blank_bytes += text.len() as u64,
            object if !selected && self.is_taken(object) => {
                self.tally.entries += 1;
                self.tally.skipped_bytes += text.len() as u64;
            }
            _ => self.decode(offset, text),
        }
    }

    /// Whether a line is taken for an entry without decoding it for good.
    fn is_taken(&mut self, line: &[u8]) -> bool {
        may_be_entry(line) && self.trust.takes(line, self.rules.decode.is_entry)
    }

    /// What decodes, and what takes what is found in a line that begins at `offset`.
    const fn decoding(&mut self, offset: u64) -> (&mut Decoder, Collector<'_, F>) {
        let collector = Collector {
            fold: self.fold,
            tally: self.tally,
            timeline: self.timeline,
            spans: self.spans,
            source: self.source,
            offset,
            events: 0,
            bad: 0,
        };
        (self.decoder, collector)
    }

    fn decode(&mut self, offset: u64, text: &[u8]) {
        let decode = self.rules.decode;
        let (decoder, mut collector) = self.decoding(offset);
        (decode.line)(decoder, text, &mut collector);
        let (events, length) = (collector.events, text.len() as u64);
        let bad = collector.bad.min(length);
        self.tally.entries += u64::from(events > 0);
        self.tally.bad_bytes += bad;
        self.tally.decoded_bytes += length - bad;
    }

    /// Accounts for line ends and other white space.
    pub(super) const fn blank(&mut self, count: usize) {
        self.tally.bytes += count as u64;
        self.tally.blank_bytes += count as u64;
    }

    /// Accounts for a run of NULs, as a truncated file whose writer goes on leaves them.
    pub(super) fn nuls(&mut self, offset: u64, length: u64) {
        self.tally.bytes += length;
        self.nul_span(offset, length);
    }

    /// Accounts for a line or value that is longer than may be held.
    pub(super) fn overlong(&mut self, offset: u64, length: u64) {
        self.tally.bytes += length;
        self.overlong_span(offset, length);
    }

    /// Accounts for bytes that hold no entry.
    pub(super) fn bad(&mut self, offset: u64, length: u64, reason: &str) {
        self.tally.bytes += length;
        self.bad_span(offset, length, || reason.to_owned());
    }

    fn nul_span(&mut self, offset: u64, length: u64) {
        self.bad_span(offset, length, || format!("{length} NUL bytes"));
    }

    fn overlong_span(&mut self, offset: u64, length: u64) {
        let limit = self.rules.max_line;
        self.bad_span(offset, length, || format!("line longer than {limit} bytes"));
    }

    fn bad_span(&mut self, offset: u64, length: u64, reason: impl FnOnce() -> String) {
        self.tally.bad_bytes += length;
        self.tally.bad_lines += 1;
        self.spans.add(Address { source: self.source, offset, length }, reason);
    }
}
