//! What one thread does in a scan, piece by piece.

use std::io::Read;

use audit_who_event::coverage::{Tally, Timeline};
use audit_who_event::envelope;
use audit_who_event::fold::{Fold, Foreseen};

use super::BLOCK;
use super::ahead::ahead;
use super::beside::Beside;
use super::buffer::Buffer;
use super::collector::Spans;
use super::decode::Trust;
use super::documents::Documents;
use super::ledger::{Ledger, Rules};
use super::lines::{Ended, Lines};
use super::marks::Marks;
use super::order::Order;
use super::payoff::Payoff;
use super::plan::{Part, Piece};
use super::spelled::Spelled;
use crate::codec::{Decoder, Encoding, MAGIC};
use crate::error::{Error, ErrorKind};
use crate::frames::Frame;
use crate::head::Headed;
use crate::input::file::LogFile;
use crate::input::{Content, Source};
use crate::layout::{HEAD, Layout};
use crate::spool::{Stream, Unreadable};

/// What one thread does and learns.
pub(super) struct Worker<'a, F> {
    sources: &'a [Source],
    rules: &'a Rules<F>,
    buffer: Buffer,
    decoder: envelope::Decoder,
    marks: Marks,
    /// What begins here or later in a whole source is not read.
    reach: u64,
    pub(super) findings: Findings<F>,
    /// How much of what was found was taken to foresee more.
    pub(super) taken: usize,
    pub(super) beside: Option<Beside<F>>,
    /// Of what is read, to tell how often strings are met in it.
    sample: &'a [u8],
}

/// What was learned from some pieces.
pub(super) struct Findings<F> {
    pub(super) fold: F,
    /// What was found beside, at the end.
    pub(super) beside: Option<F>,
    /// By source.
    pub(super) tallies: Vec<Tally>,
    /// By source.
    pub(super) timelines: Vec<Timeline>,
    /// By source.
    pub(super) orders: Vec<Order>,
    /// By source.
    pub(super) spelled: Vec<Spelled>,
    /// By source: the encoding, as far as it was told.
    pub(super) encodings: Vec<Option<Encoding>>,
    pub(super) spans: Spans,
    pub(super) errors: Vec<Error>,
}

impl<F: Fold> Findings<F> {
    pub(super) fn merge(&mut self, other: Self) {
        self.fold.merge(other.fold);
        match (&mut self.beside, other.beside) {
            (Some(beside), Some(more)) => beside.merge(more),
            (beside, more) => *beside = beside.take().or(more),
        }
        for (tally, more) in self.tallies.iter_mut().zip(&other.tallies) {
            tally.add(more);
        }
        for (timeline, more) in self.timelines.iter_mut().zip(other.timelines) {
            timeline.merge(more);
        }
        for (order, more) in self.orders.iter_mut().zip(other.orders) {
            order.merge(more);
        }
        for (spelled, more) in self.spelled.iter_mut().zip(other.spelled) {
            spelled.merge(more);
        }
        for (encoding, told) in self.encodings.iter_mut().zip(other.encodings) {
            *encoding = encoding.or(told);
        }
        self.spans.merge(other.spans);
        self.errors.extend(other.errors);
    }
}

impl<'a, F: Fold> Worker<'a, F> {
    pub(super) fn new(
        sources: &'a [Source],
        rules: &'a Rules<F>,
        sample: &'a [u8],
        (block, reach): (usize, u64),
        fold: F,
    ) -> Self {
        let findings = Findings {
            fold,
            beside: None,
            tallies: vec![Tally::default(); sources.len()],
            timelines: vec![Timeline::default(); sources.len()],
            orders: vec![Order::default(); sources.len()],
            spelled: vec![Spelled::default(); sources.len()],
            encodings: vec![None; sources.len()],
            spans: Spans::default(),
            errors: Vec::new(),
        };
        Self {
            sources,
            rules,
            buffer: Buffer::new(block),
            decoder: envelope::Decoder::default(),
            marks: Marks::default(),
            reach,
            findings,
            taken: 0,
            beside: None,
            sample,
        }
    }

    /// Searches what it reads from now on for what is foreseen, too.
    pub(super) fn search_beside(&mut self, version: usize, foreseen: Option<Foreseen<F>>) {
        let before = self.beside.take();
        self.beside = foreseen.map(|foreseen| {
            let Rules { decode, max_line, .. } = *self.rules;
            let mut beside = Beside::new(foreseen, version, self.sample, decode, max_line);
            if let Some(before) = before {
                beside.fold.merge(before.fold);
                beside.taken = before.taken;
            }
            beside
        });
    }

    /// What was learned.
    pub(super) fn end(self) -> Findings<F> {
        Findings { beside: self.beside.map(|beside| beside.fold), ..self.findings }
    }

    /// Does one piece of work. What can't be read becomes an error among the findings.
    pub(super) fn work(&mut self, piece: &Piece) {
        let source = &self.sources[piece.source];
        let ended = match (&source.content, &piece.part) {
            (Content::File(file), Part::Range { from, stop }) => self.range(piece.source, file, *from, *stop),
            (Content::File(file), Part::Frames { first, from, stop }) => {
                self.frames(piece.source, file, *first, *from, *stop)
            }
            (Content::File(file), Part::Whole { alone, .. }) => self.file(piece.source, file, *alone),
            (Content::Stream(stream), _) => self.stream(piece.source, stream),
        };
        let error = match ended {
            Ok(Ended { error: None, .. }) => return,
            Ok(Ended { error: Some(error), offset }) => Error::reading(source.name.as_str(), offset, error),
            Err(error) => error,
        };
        self.findings.errors.push(error);
    }

    fn range(&mut self, source: usize, file: &LogFile, from: u64, stop: u64) -> Result<Ended, Error> {
        // Whether a line begins at `from` is told by the byte before it.
        let start = from.saturating_sub(1);
        let reader = file.snapshot(start)?;
        let (ledger, buffer) = self.ledger(source, Encoding::Plain);
        let lines = Lines::new(reader, buffer, ledger, start, stop);
        Ok(if from == 0 { lines.run() } else { lines.run_behind_line_end() })
    }

    fn frames(
        &mut self,
        source: usize,
        file: &LogFile,
        first: Frame,
        from: u64,
        stop: u64,
    ) -> Result<Ended, Error> {
        let decoder = self.decoder(source, file.encoding, file.snapshot(first.at)?)?;
        let (ledger, buffer) = self.ledger(source, file.encoding);
        let lines = Lines::new(decoder, buffer, ledger, first.content, stop);
        Ok(if from == 0 { lines.run() } else { lines.run_behind_line_end() })
    }

    fn stream(&mut self, source: usize, stream: &Stream) -> Result<Ended, Error> {
        let name = self.sources[source].name.as_str();
        let reading = stream.open().map_err(|error| match error {
            Unreadable::Opening(error) => Error::opening(name, error),
            Unreadable::Copy(error) => Error::new(ErrorKind::Spool, name, error),
        })?;
        let reader = Headed::new(reading, MAGIC);
        let encoding = Encoding::of(reader.head());
        let decoder = self.decoder(source, encoding, reader)?;
        Ok(self.read(source, encoding, decoder))
    }

    fn file(&mut self, source: usize, file: &LogFile, alone: bool) -> Result<Ended, Error> {
        let encoding = file.encoding;
        let decoder = self.decoder(source, encoding, file.snapshot(0)?)?;
        Ok(if alone && encoding != Encoding::Plain {
            ahead(decoder, BLOCK, |reader| self.read(source, encoding, reader))
        } else {
            self.read(source, encoding, decoder)
        })
    }

    fn decoder<R: Read>(&self, source: usize, encoding: Encoding, raw: R) -> Result<Decoder<R>, Error> {
        let name = self.sources[source].name.as_str();
        Decoder::new(encoding, raw).map_err(|error| Error::opening(name, error))
    }

    fn read(&mut self, source: usize, encoding: Encoding, content: impl Read) -> Ended {
        let reader = Headed::new(content, HEAD);
        let layout = Layout::of(reader.head());
        let reach = self.reach;
        let (ledger, buffer) = self.ledger(source, encoding);
        match layout {
            Layout::Lines => Lines::new(reader, buffer, ledger, 0, reach).run(),
            Layout::Documents => Documents::new(reader, buffer, ledger, reach).run(),
        }
    }

    fn ledger(&mut self, source: usize, encoding: Encoding) -> (Ledger<'_, F>, &mut Buffer) {
        let Findings { fold, tallies, timelines, orders, spelled, encodings, spans, .. } = &mut self.findings;
        encodings[source] = Some(encoding);
        let (tally, timeline, order) = (&mut tallies[source], &mut timelines[source], &mut orders[source]);
        (
            Ledger {
                rules: self.rules,
                source,
                decoder: &mut self.decoder,
                fold,
                tally,
                timeline,
                order,
                spans,
                search: Payoff::default(),
                marks: &mut self.marks,
                spelled: &mut spelled[source],
                escapes: self.sources[source].escapes.get().map(AsRef::as_ref),
                beside: self.beside.as_mut(),
                trust: Trust::default(),
            },
            &mut self.buffer,
        )
    }
}
