//! When the entries of a plain file were written, told from few of its lines.

use std::io::Read;
use std::iter;
use std::ops::Range;

use audit_who_event::case::Window;
use audit_who_event::time::Timestamp;

use super::file::{LogFile, Snapshot};
use crate::dated;

/// Where lines that are looked at stand further from the order of their times, a file has no outline; in microseconds.
/// An API server writes an entry within milliseconds of its stage.
pub(crate) const DISORDER: i64 = 3_000_000;

/// How far entries may stand from the order of their times where nobody looked, in microseconds: ten times what may be
/// seen.
pub(crate) const SLACK: i64 = 10 * DISORDER;

/// The least bytes between two places that are looked at.
pub(crate) const SPACING: u64 = 256 * 1024;
/// How many places are looked at in a long file.
const PLACES: u64 = 256;

/// Bytes that are read at a place, and how many at the most where they hold no whole line with a time.
const GLANCE: usize = 8 * 1024;
const LONGEST: usize = 4 * 1024 * 1024;

/// How near the part of a file that is read begins and ends to what is wanted, in bytes.
const NEAR: u64 = 64 * 1024;

/// Of how many logs, one after the other, a file has an outline.
const MOST_LOGS: usize = 32;

/// The least lines that are looked at of each of them.
const LEAST_MARKS: usize = 8;

/// A line with its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Where the line begins, in bytes from the start of the content.
    pub(crate) offset: u64,
    /// Stage time; of several entries that of the last one.
    pub(crate) time: Timestamp,
}

impl Mark {
    /// A line of a text that stands at `from`. `None` if there are several entries in it, too far apart to have one time.
    fn of(dated: dated::Dated, from: u64) -> Option<Self> {
        let (first, last) = dated.times.into_inner();
        let offset = from + dated.line.start as u64;
        (last.since(first) <= DISORDER).then_some(Self { offset, time: last })
    }
}

/// Some lines of a file whose entries are nearly in the order of their times, or that is some such logs one after the other.
#[derive(Debug)]
pub(crate) struct Outline {
    /// Of each log by offset: the first line with a time, lines between, the last line with a time. What stands between two
    /// logs may belong to either of them.
    logs: Vec<Vec<Mark>>,
}

/// The parts of a file that can hold what lies within a window.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Bytes from the start of the file, in order and apart; all ends are starts of lines, or the ends of the file.
    pub(crate) ranges: Vec<Range<u64>>,
    /// The first and the last line of what lies before the window, and of what lies behind it; by time, and apart.
    pub(crate) outside: Vec<(Mark, Mark)>,
}

impl Outline {
    /// Looks at lines in places that are `spacing` bytes apart, or further in a long file.
    ///
    /// `None` where they are not in order, where a place holds no line with a time or one whose entries are far apart, where
    /// the file can't be read, and where it is no longer than `spacing`: then only reading all of it tells what is in it.
    pub(crate) fn of(file: &LogFile, spacing: u64) -> Option<Self> {
        if file.length <= spacing {
            return None;
        }
        let glances = Glances { open: file.snapshot(0).ok()?, length: file.length };
        let step = spacing.max(file.length / PLACES).max(1);
        let mut marks = Vec::new();
        let mut place = 0;
        while place < file.length {
            match glances.at(place) {
                Seen::Lines(first, last) => {
                    marks.push(first);
                    marks.extend(Some(last).filter(|last| last.offset < place + step));
                }
                Seen::End => break,
                Seen::Nothing => return None,
            }
            place += step;
        }
        marks.push(glances.last()?);
        marks.dedup();
        let mut logs = marks.is_sorted_by_key(|mark| mark.offset).then(|| logs(marks))??;
        for number in 1..logs.len() {
            let [one, next] = &mut logs[number - 1..=number] else { continue };
            glances.look_between(one, next, spacing);
        }
        Some(Self { logs })
    }

    /// Which parts of `file`, whose outline this is, can hold what lies within `window`.
    pub(crate) fn extent(&self, file: &LogFile, window: Window) -> Extent {
        let Ok(open) = file.snapshot(0) else { return Extent::whole(file.length) };
        let glances = Glances { open, length: file.length };
        let mut extent = Extent::default();
        let mut start = 0;
        for (number, log) in self.logs.iter().enumerate() {
            let next = self.logs.get(number + 1).and_then(|next| next.first());
            let end = next.map_or(file.length, |next| next.offset);
            extent.add_log(&glances, log, start..end, window);
            if let (Some(last), Some(next)) = (log.last(), next) {
                extent.add(last.offset..next.offset);
            }
            start = end;
        }
        extent.join_outside();
        extent
    }
}

impl Extent {
    /// All of a file of so many bytes.
    pub(crate) fn whole(length: u64) -> Self {
        Self { ranges: iter::once(0..length).collect(), outside: Vec::new() }
    }

    /// Adds bytes that stand behind all others, or overlap the last of them.
    fn add(&mut self, range: Range<u64>) {
        match self.ranges.last_mut() {
            _ if range.is_empty() => {}
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => self.ranges.push(range),
        }
    }

    /// Adds of a log, which stands `within` these bytes, what can lie within `window`.
    fn add_log(&mut self, glances: &Glances, log: &[Mark], within: Range<u64>, window: Window) {
        let (from, until) = (window.from.plus(-SLACK), window.until.plus(SLACK));
        let (Some(first), Some(last)) = (log.first(), log.last()) else { return };
        let before = log.iter().rposition(|mark| mark.time < from);
        let before = before.map(|at| match log.get(at + 1) {
            Some(next) => glances.narrow(log[at], *next, |time| time >= from).0,
            None => log[at],
        });
        let behind = log.iter().position(|mark| mark.time > until);
        let behind = behind.map(|at| match at.checked_sub(1) {
            Some(earlier) => glances.narrow(log[earlier], log[at], |time| time > until).1,
            None => log[at],
        });
        let start = before.map_or(within.start, |mark| mark.offset);
        let end = behind.map_or(within.end, |mark| mark.offset);
        self.add(start..end);
        let outside = [before.map(|mark| (*first, mark)), behind.map(|mark| (mark, *last))];
        self.outside.extend(outside.into_iter().flatten());
    }

    /// Tells once what lies outside in several logs.
    fn join_outside(&mut self) {
        self.outside.sort_unstable_by_key(|(first, _)| first.time);
        self.outside.dedup_by(|(first, last), (_, before)| {
            let overlap = first.time <= before.time;
            if overlap && last.time > before.time {
                *before = *last;
            }
            overlap
        });
    }
}

/// The lines of each log, where a file is some of them one after the other; of one log, all. `None` where they are in no such
/// order.
///
/// Where another log begins, it takes long until its lines are as late as the last one's. Where it does not, some entries came
/// late, or the lines of several logs were mixed, and more of that may stand where nobody looked.
fn logs(marks: Vec<Mark>) -> Option<Vec<Vec<Mark>>> {
    let least = LEAST_MARKS.max(marks.len() / MOST_LOGS);
    let is_behind = |latest: Timestamp, mark: &Mark| latest.since(mark.time) > DISORDER;
    let (mut starts, mut latest) = (vec![0], Timestamp::MIN);
    for (place, mark) in marks.iter().enumerate() {
        latest = latest.max(mark.time);
        if is_behind(latest, mark) {
            let is_long = marks.get(place..place + least)?.iter().all(|mark| is_behind(latest, mark));
            let before = starts.last().copied().unwrap_or_default();
            if !is_long || place - before < least {
                return None;
            }
            starts.push(place);
            latest = mark.time;
        }
    }
    let mut rest = marks;
    let mut logs: Vec<Vec<Mark>> = starts.iter().rev().map(|start| rest.split_off(*start)).collect();
    logs.reverse();
    Some(logs)
}

/// Whether no line stands further than [`DISORDER`] behind a later one.
fn is_in_order(marks: &[Mark]) -> bool {
    let mut latest = Timestamp::MIN;
    marks.iter().all(|mark| {
        latest = latest.max(mark.time);
        latest.since(mark.time) <= DISORDER
    })
}

/// Looks at single places of a file.
struct Glances {
    open: Snapshot,
    /// Bytes of the file.
    length: u64,
}

/// What stands at a place.
enum Seen {
    /// The first and the last line with a time of those that begin there.
    Lines(Mark, Mark),
    /// The end of the file, behind its last line with a time.
    End,
    /// No line with a time for long, or one that has none for all of its entries, or an error.
    Nothing,
}

impl Glances {
    /// Looks at the lines that begin at `place` or soon behind it.
    fn at(&self, place: u64) -> Seen {
        // Whether a line begins at `place` is told by the byte before it.
        let from = place.saturating_sub(1);
        let mut wanted = GLANCE;
        loop {
            let Some(text) = self.read(from, wanted) else { return Seen::Nothing };
            let skipped = if place == 0 { Some(0) } else { memchr::memchr(b'\n', &text).map(|at| at + 1) };
            let whole = memchr::memrchr(b'\n', &text).map_or(0, |at| at + 1);
            let lines = skipped.unwrap_or(whole).min(whole)..whole;
            if let Some(first) = dated::first(&text, lines.clone(), LONGEST) {
                let first = Mark::of(first, from);
                let last = dated::last(&text, lines, LONGEST).map_or(first, |last| Mark::of(last, from));
                return first.zip(last).map_or(Seen::Nothing, |(first, last)| Seen::Lines(first, last));
            }
            if from + text.len() as u64 >= self.length {
                return Seen::End;
            }
            if wanted >= LONGEST {
                return Seen::Nothing;
            }
            wanted *= 8;
        }
    }

    /// The last line of the file that has a time.
    fn last(&self) -> Option<Mark> {
        let mut wanted = GLANCE;
        loop {
            let from = self.length.saturating_sub(wanted as u64);
            let text = self.read(from, wanted)?;
            let start =
                if from == 0 { 0 } else { memchr::memchr(b'\n', &text).map_or(text.len(), |at| at + 1) };
            if let Some(dated) = dated::last(&text, start..text.len(), LONGEST) {
                return Mark::of(dated, from);
            }
            if from == 0 || wanted >= LONGEST {
                return None;
            }
            wanted *= 8;
        }
    }

    /// Adds to two logs, the second of which begins somewhere behind the last known line of the first, lines in places that
    /// are nearer to each other, if they tell which of them belong to which.
    fn look_between(&self, one: &mut Vec<Mark>, next: &mut Vec<Mark>, spacing: u64) {
        let (Some(last), Some(first)) = (one.last().copied(), next.first().copied()) else { return };
        let mut marks = vec![last];
        let mut place = last.offset + spacing;
        while place < first.offset {
            let Seen::Lines(found, _) = self.at(place) else { return };
            marks.push(found);
            place += spacing;
        }
        marks.retain(|mark| mark.offset < first.offset);
        marks.dedup();
        marks.push(first);
        let begins = marks.windows(2).position(|pair| pair[0].time.since(pair[1].time) > DISORDER);
        let (of_one, of_next) = marks.split_at(begins.map_or(0, |last| last + 1));
        if is_in_order(of_one) && is_in_order(of_next) {
            one.extend(of_one.iter().skip(1));
            next.splice(0..1, of_next.iter().copied());
        }
    }

    /// Two lines near each other, from `early` to `late`, between which `is_late` changes.
    fn narrow(&self, mut early: Mark, mut late: Mark, is_late: impl Fn(Timestamp) -> bool) -> (Mark, Mark) {
        while late.offset.saturating_sub(early.offset) > NEAR {
            let Seen::Lines(found, _) = self.at(early.offset.midpoint(late.offset)) else { break };
            if found.offset >= late.offset {
                break;
            }
            if is_late(found.time) { late = found } else { early = found }
        }
        (early, late)
    }

    /// So many bytes from `from` on, or those up to the file's end.
    fn read(&self, from: u64, wanted: usize) -> Option<Vec<u8>> {
        let mut text = Vec::with_capacity(wanted);
        self.open.from(from).take(wanted as u64).read_to_end(&mut text).ok()?;
        Some(text)
    }
}
