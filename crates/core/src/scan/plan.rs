//! What there is to read, in pieces that threads take one after the other, and what need not be read at all.

use std::cmp::Reverse;

use audit_who_event::case::Window;
use audit_who_event::coverage::{Moment, Tally, Timeline};
use audit_who_event::time::Timestamp;

use crate::codec::Encoding;
use crate::frames::Frame;
use crate::input::file::LogFile;
use crate::input::outline::{Extent, Mark, SLACK};
use crate::input::{Content, Source, rotation};
use crate::layout::Layout;

/// One piece of work: a source, or the lines that begin in a part of it.
pub(super) struct Piece {
    pub(super) source: usize,
    pub(super) part: Part,
}

pub(super) enum Part {
    Whole {
        /// Whether the other threads are done sooner than this one, so that one more may decode ahead of it.
        alone: bool,
    },
    /// Bytes from the start of a plain file.
    Range { from: u64, stop: u64 },
    /// Bytes from the start of the content, which is decoded from a frame on that begins at or just before them.
    Frames { first: Frame, from: u64, stop: u64 },
}

/// Who reads how much at once, at the most and at the least; in bytes.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    /// How many threads read.
    pub(super) threads: usize,
    /// Of a plain file that one thread takes at once.
    pub(super) range: u64,
    /// Of a source, from where its reading begins.
    pub(super) reach: u64,
    /// From one place of a plain file to the next that is looked at to find what lies within a window.
    pub(super) spacing: u64,
}

/// Part of a source that holds nothing within the window, and is not read.
struct Outside {
    source: usize,
    bytes: u64,
    /// The first and the last entry in it.
    ends: Vec<(Mark, Mark)>,
}

/// How much of a source is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Portion {
    /// Not all.
    Part,
    /// All, in ranges, of which those that are wanted can be read alone.
    Ranges,
    /// All, from its start.
    Whole,
}

/// Pieces, and what is in none of them.
#[derive(Default)]
pub(super) struct Plan {
    /// What can't be cut comes first, the largest before the others, so that no thread is left alone with it at the end.
    pub(super) pieces: Vec<Piece>,
    outside: Vec<Outside>,
}

impl Plan {
    /// Cuts the sources into pieces that hold all that lies within `window`.
    pub(super) fn new(sources: &[Source], window: Window, sizes: Sizes) -> Self {
        let is_bounded = window != Window::default();
        let spans = if is_bounded { rotation::spans(sources) } else { vec![None; sources.len()] };
        let (mut plan, mut whole) = (Self::default(), Vec::new());
        for ((number, source), span) in sources.iter().enumerate().zip(spans) {
            let span = source.span.get().copied().or(span);
            match &source.content {
                Content::File(file) if file.encoding == Encoding::Plain && file.layout == Layout::Lines => {
                    let extent = if is_bounded { file.extent(window, sizes.spacing) } else { None };
                    plan.cut(number, file, extent, sizes);
                }
                Content::File(file) => match span.filter(|span| is_outside(*span, window)) {
                    Some(span) => plan.leave(number, file.length, span),
                    None => match file.frames(sizes.range) {
                        [] => whole.push((file.length, number)),
                        frames => plan.cut_frames(number, frames, sizes),
                    },
                },
                Content::Stream(_) => match span.filter(|span| is_outside(*span, window)) {
                    Some(span) => plan.leave(number, 0, span),
                    // It may be of any length.
                    None => whole.push((u64::MAX, number)),
                },
            }
        }
        whole.sort_by_key(|(length, number)| (Reverse(*length), *number));
        let others = sizes.threads.saturating_sub(1) as u64;
        let mut left: u64 = whole.iter().fold(0, |sum, (length, _)| sum.saturating_add(*length));
        let whole = whole.into_iter().map(|(length, source)| {
            left = left.saturating_sub(length);
            Piece { source, part: Part::Whole { alone: length.saturating_mul(others) > left } }
        });
        plan.pieces.splice(0..0, whole);
        plan
    }

    /// Cuts the part of a plain file that is to be read into ranges; without an `extent` that is all of it.
    fn cut(&mut self, source: usize, file: &LogFile, extent: Option<Extent>, sizes: Sizes) {
        let Extent { range, outside } =
            extent.unwrap_or(Extent { range: 0..file.length, outside: Vec::new() });
        let bytes = file.length - (range.end - range.start);
        if bytes > 0 {
            self.outside.push(Outside { source, bytes, ends: outside });
        }
        // At both ends of what may lie within a window much lies outside of it.
        let beyond = (range.end - range.start).saturating_sub(sizes.reach);
        let mut from = if bytes > 0 { range.start + beyond / 2 } else { range.start };
        let reached = range.end.min(from.saturating_add(sizes.reach));
        while from < reached {
            let stop = (from + sizes.range).min(range.end);
            self.pieces.push(Piece { source, part: Part::Range { from, stop } });
            from = stop;
        }
    }

    /// Cuts zstd data where frames begin. A line may go on in the next frame, and whether one begins with a frame is told only
    /// by the end of the frame before: so the first line end in a frame still belongs to the piece before.
    fn cut_frames(&mut self, source: usize, frames: &[Frame], sizes: Sizes) {
        let from = |frame: &Frame| if frame.content == 0 { 0 } else { frame.content + 1 };
        let ends = frames.iter().skip(1).map(from).chain([u64::MAX]);
        for (first, stop) in frames.iter().zip(ends).filter(|(first, _)| first.content < sizes.reach) {
            let part = Part::Frames { first: *first, from: from(first), stop: stop.min(sizes.reach) };
            self.pieces.push(Piece { source, part });
        }
    }

    /// Leaves out a source with entries between two times.
    fn leave(&mut self, source: usize, bytes: u64, (first, last): (Timestamp, Timestamp)) {
        let ends = [first, last].map(|time| Mark { offset: 0, time });
        self.outside.push(Outside { source, bytes, ends: vec![ends.into()] });
    }

    /// How much is read, by source.
    pub(super) fn portions(&self, sources: usize) -> Vec<Portion> {
        let mut portions = vec![Portion::Whole; sources];
        for piece in self.pieces.iter().filter(|piece| matches!(piece.part, Part::Range { .. })) {
            portions[piece.source] = Portion::Ranges;
        }
        for outside in &self.outside {
            portions[outside.source] = Portion::Part;
        }
        portions
    }

    /// Says of what is not read how long it is and when it was written.
    pub(super) fn tell(self, tallies: &mut [Tally], timelines: &mut [Timeline]) {
        for Outside { source, bytes, ends } in self.outside {
            tallies[source].outside_bytes += bytes;
            for (first, last) in ends {
                let moment = |mark: Mark| Moment { time: mark.time, source, offset: mark.offset };
                tallies[source].saw(Some(first.time));
                tallies[source].saw(Some(last.time));
                timelines[source].pass_over(moment(first), moment(last));
            }
        }
    }
}

/// Whether a source whose entries were written between two times holds none within the window.
fn is_outside((first, last): (Timestamp, Timestamp), window: Window) -> bool {
    last.plus(SLACK) < window.from || first.plus(-SLACK) > window.until
}
