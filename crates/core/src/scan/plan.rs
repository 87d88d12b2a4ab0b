//! What there is to read, in pieces that threads take one after the other, and what need not be read at all.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use audit_who_event::case::Window;
use audit_who_event::coverage::{Moment, Tally, Timeline};
use audit_who_event::time::Timestamp;

use super::stretches::{Stretch, Stretches};
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

impl Piece {
    /// What is read of it.
    pub(super) const fn stretch(&self) -> Stretch {
        let (from, stop) = match self.part {
            Part::Whole { .. } => (0, u64::MAX),
            Part::Range { from, stop } | Part::Frames { from, stop, .. } => (from, stop),
        };
        Stretch { source: self.source, from, stop }
    }

    /// What is left of it without what need not be read; what can't be cut is left as a whole.
    fn without(self, known: &Stretches) -> Vec<Self> {
        let missing = known.missing(self.stretch());
        match self.part {
            Part::Range { .. } => {
                let range =
                    |Stretch { source, from, stop }| Self { source, part: Part::Range { from, stop } };
                missing.into_iter().map(range).collect()
            }
            _ if missing.is_empty() => Vec::new(),
            _ => vec![self],
        }
    }

    /// Bytes of content, about.
    const fn content(&self) -> u64 {
        match self.part {
            Part::Range { from, stop } | Part::Frames { from, stop, .. } => stop - from,
            Part::Whole { length, .. } => length.saturating_mul(UNPACKED),
        }
    }

    /// Bytes on disk of what can't be cut.
    const fn uncut(&self) -> u64 {
        if let Part::Whole { length, .. } = self.part { length } else { 0 }
    }
}

pub(super) enum Part {
    Whole {
        /// Bytes on disk; of a stream it may be any.
        length: u64,
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

/// So many sources are read as far as a sample reaches, if they are long enough.
const SAMPLED: u64 = 16;

/// Compressed logs are so many times as long when they are unpacked, about.
const UNPACKED: u64 = 10;

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
        let mut plan = Self::default();
        let whole = |source, length| Piece { source, part: Part::Whole { length, alone: false } };
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
                        [] => plan.pieces.push(whole(number, file.length)),
                        frames => plan.cut_frames(number, frames, sizes),
                    },
                },
                Content::Stream(_) => match span.filter(|span| is_outside(*span, window)) {
                    Some(span) => plan.leave(number, 0, span),
                    None => plan.pieces.push(whole(number, u64::MAX)),
                },
            }
        }
        plan.arranged_by(sizes.threads, |piece| Reverse(piece.uncut()))
    }

    /// Puts first what holds the newest entries, but for what can't be cut and takes longer than a thread's share.
    pub(super) fn newest_first(self, sources: &[Source], threads: usize) -> Self {
        let written = rotation::written(sources);
        let all = self.pieces.iter().fold(0, |sum: u64, piece| sum.saturating_add(piece.uncut()));
        let share = all / threads.max(1) as u64;
        self.arranged_by(threads, |piece| {
            let Stretch { source, from, .. } = piece.stretch();
            (Reverse(piece.uncut().saturating_sub(share)), Reverse((written[source], source, from)))
        })
    }

    /// Leaves out sources, evenly, where more than a sample is to be read.
    pub(super) fn sampled(mut self, reach: u64) -> Self {
        let mut sources: BTreeMap<usize, u64> = BTreeMap::new();
        for piece in &self.pieces {
            let bytes = sources.entry(piece.source).or_default();
            *bytes = bytes.saturating_add(piece.content()).min(reach);
        }
        let step = sources.values().sum::<u64>().div_ceil(reach.saturating_mul(SAMPLED)).max(1);
        let kept: HashSet<usize> = sources.into_keys().step_by(usize::try_from(step).unwrap_or(1)).collect();
        self.pieces.retain(|piece| kept.contains(&piece.source));
        self
    }

    /// Leaves out what need not be read.
    pub(super) fn without(self, known: &Stretches) -> Self {
        let pieces = self.pieces.into_iter().flat_map(|piece| piece.without(known));
        Self { pieces: pieces.collect(), ..self }
    }

    /// Puts the pieces in order. One more thread may decode ahead of what can't be cut, where the others are done sooner.
    fn arranged_by<K: Ord>(mut self, threads: usize, key: impl FnMut(&Piece) -> K) -> Self {
        self.pieces.sort_by_cached_key(key);
        let others = threads.saturating_sub(1) as u64;
        let mut left: u64 = 0;
        for piece in self.pieces.iter_mut().rev() {
            if let Part::Whole { length, alone } = &mut piece.part {
                *alone = length.saturating_mul(others) > left;
                left = left.saturating_add(*length);
            }
        }
        self
    }

    /// Cuts the parts of a plain file that are to be read into ranges; without an `extent` that is all of it.
    fn cut(&mut self, source: usize, file: &LogFile, extent: Option<Extent>, sizes: Sizes) {
        let Extent { ranges, outside } = extent.unwrap_or_else(|| Extent::whole(file.length));
        let read: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        let bytes = file.length - read;
        if bytes > 0 {
            self.outside.push(Outside { source, bytes, ends: outside });
        }
        // At both ends of what may lie within a window much lies outside of it.
        let mut passed = if bytes > 0 { read.saturating_sub(sizes.reach) / 2 } else { 0 };
        let mut left = sizes.reach;
        for range in ranges {
            let mut from = range.end.min(range.start + passed);
            passed -= from - range.start;
            let reached = range.end.min(from.saturating_add(left));
            left -= reached - from;
            while from < reached {
                let stop = (from + sizes.range).min(reached);
                self.pieces.push(Piece { source, part: Part::Range { from, stop } });
                from = stop;
            }
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

    /// Whether sources that are read as a whole make up at least half of what is read.
    pub(super) fn is_mostly_whole(&self, sources: usize) -> bool {
        let portions = self.portions(sources);
        let read = |is_part| {
            let pieces =
                self.pieces.iter().filter(|piece| (portions[piece.source] == Portion::Part) == is_part);
            pieces.fold(0, |sum: u64, piece| sum.saturating_add(piece.content()))
        };
        read(false) >= read(true)
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

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::input::Inputs;

    #[test]
    fn the_newest_entries_come_first() {
        let folder = tempfile::tempdir().unwrap();
        // Day of the last change, bytes of content, and whether it is compressed.
        let files = [
            ("audit-2026-08-01T00-00-00.000.log.gz", 9, 10, true),
            ("audit-2026-08-02T00-00-00.000.log", 9, 25, false),
            ("audit.log", 5, 10, false),
            ("other.log.1", 4, 10, false),
            ("other.log.2.gz", 3, 10, true),
            ("other.log.3.gz", 2, 60_000, true),
        ];
        let mut random = audit_who_testkit::random::SplitMix64::new(1);
        let day = |day: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(day * 86_400 + 4_000_000_000);
        let paths = files.map(|(name, changed, length, is_packed)| {
            let path = folder.path().join(name);
            let mut content: Vec<u8> = (0..length).map(|_| random.next().to_le_bytes()[0]).collect();
            if is_packed {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                std::io::Write::write_all(&mut encoder, &content).unwrap();
                content = encoder.finish().unwrap();
            }
            fs::write(&path, content).unwrap();
            File::options().append(true).open(&path).unwrap().set_modified(day(changed)).unwrap();
            path
        });
        let inputs = Inputs::open(&paths);
        let sizes = Sizes { threads: 2, range: 10, reach: u64::MAX, spacing: 1 };
        let plan = Plan::new(inputs.sources(), Window::default(), sizes);
        let order = plan.newest_first(inputs.sources(), 2).pieces.into_iter().map(|piece| {
            let Stretch { source, from, .. } = piece.stretch();
            (source, from)
        });
        // The large one takes more than a thread's share. What names don't tell was changed long after what they tell.
        let expected = [(5, 0), (2, 0), (3, 0), (4, 0), (1, 20), (1, 10), (1, 0), (0, 0)];
        assert_eq!(order.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn of_many_sources_a_sample_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let sampled = |count: usize, length: usize, reach| {
            let paths: Vec<_> = (0..count)
                .map(|number| folder.path().join(format!("{count}-{length}-{number:03}.log")))
                .collect();
            for path in &paths {
                fs::write(path, vec![b'x'; length]).unwrap();
            }
            let inputs = Inputs::open(&paths);
            let sizes = Sizes { threads: 2, range: 60, reach, spacing: 1 };
            let plan = Plan::new(inputs.sources(), Window::default(), sizes).sampled(reach);
            let mut sources: Vec<usize> = plan.pieces.iter().map(|piece| piece.source).collect();
            sources.sort_unstable();
            sources
        };
        // Of a long one each piece within reach.
        assert_eq!(sampled(3, 500, 100), [0, 0, 1, 1, 2, 2]);
        assert_eq!(sampled(16, 100, 50), (0..16).collect::<Vec<_>>());
        assert_eq!(sampled(17, 100, 50), (0..17).step_by(2).collect::<Vec<_>>());
        assert_eq!(sampled(160, 20, 50), (0..160).step_by(4).collect::<Vec<_>>());
        assert_eq!(sampled(100, 1, 50), (0..100).collect::<Vec<_>>());
        assert_eq!(sampled(0, 1, 50), [0; 0]);
    }
}
