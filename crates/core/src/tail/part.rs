//! What is read at once of a generation's content.

use std::io;

use super::batch::Span;
use super::content::{Content, End};
use super::cut::{self, Flaw};
use super::identity::{Mark, tail_of};

/// How much is read at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of a batch, unless one line is longer.
    pub(crate) batch: usize,
    /// Bytes of the longest line that is held.
    pub(crate) line: usize,
}

/// A part of content that is accounted for.
pub(super) struct Part {
    /// Bytes.
    pub(super) length: u64,
    pub(super) data: Vec<u8>,
    pub(super) records: Vec<cut::Run>,
    pub(super) spans: Vec<Span>,
    pub(super) unterminated: bool,
    pub(super) tail: Mark,
    pub(super) end: End,
}

impl Part {
    /// Cuts the part that begins `at` so many bytes out of the content, of which no more will come if it is `closed`; `None` if a
    /// run that is too long to be held has no end yet.
    pub(super) fn next(
        content: &mut Content,
        at: u64,
        limits: Limits,
        closed: bool,
    ) -> io::Result<Option<Self>> {
        let mut wanted = limits.batch;
        let mut data = Vec::new();
        loop {
            let end = content.window(at, wanted, &mut data)?;
            let ended = match end {
                End::Now => closed && matches!(content, Content::Plain(_)),
                End::Ever => true,
                // What a line lacks may be had from another copy, if it is damaged.
                End::More | End::Damaged(_) => false,
            };
            let cut = cut::cut(&data, ended);
            if cut.used == 0 && matches!(end, End::More) {
                if data[0] == 0 {
                    content.give_back(&mut data, 0);
                    let passed = content.pass_nuls(at, closed)?;
                    return Ok(passed.map(|length| Self::span(at, length, None, Flaw::Nuls)));
                }
                if data.len() > limits.line {
                    content.give_back(&mut data, 0);
                    let passed = content.pass_line(at, closed)?;
                    return Ok(
                        passed.map(|(length, sha256)| Self::span(at, length, Some(sha256), Flaw::Overlong))
                    );
                }
                content.give_back(&mut data, 0);
                wanted = (wanted * 4).min(limits.line + 1).max(wanted + 1);
                continue;
            }
            content.give_back(&mut data, cut.used);
            return Ok(Some(Self::new(at, data, cut, end, limits.line)));
        }
    }

    fn new(at: u64, data: Vec<u8>, cut: cut::Cut, end: End, max_line: usize) -> Self {
        let (long, records): (Vec<_>, Vec<_>) =
            cut.records.into_iter().partition(|run| run.length > max_line);
        let unterminated =
            cut.unterminated && records.last().is_some_and(|run| run.start + run.length == data.len());
        let nuls = cut.nuls.iter().map(|run| Span {
            offset: at + run.start as u64,
            length: run.length as u64,
            sha256: None,
            flaw: Flaw::Nuls,
        });
        let long = long.iter().map(|run| Span {
            offset: at + run.start as u64,
            length: run.length as u64,
            sha256: Some(Mark::of(&data[run.start..run.start + run.length]).hash),
            flaw: Flaw::Overlong,
        });
        let mut spans: Vec<Span> = nuls.chain(long).collect();
        spans.sort_by_key(|span| span.offset);
        Self { length: data.len() as u64, tail: tail_of(&data), data, records, spans, unterminated, end }
    }

    /// One span, whose bytes were not held.
    fn span(at: u64, length: u64, sha256: Option<[u8; 32]>, flaw: Flaw) -> Self {
        Self {
            length,
            data: Vec::new(),
            records: Vec::new(),
            spans: vec![Span { offset: at, length, sha256, flaw }],
            unterminated: false,
            tail: Mark::default(),
            end: End::More,
        }
    }
}
