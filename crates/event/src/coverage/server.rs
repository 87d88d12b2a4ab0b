//! What was read of each API server, and when its log is silent for longer than it ever is.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::timeline::{Moment, PAUSE, Timeline};
use super::{BadSpan, Problem, SourceCoverage};
use crate::time::Timestamp;

/// How many gaps of one server are kept, the longest ones; beyond it they are counted.
pub const KEPT_GAPS: usize = 100;

/// A pause within one file is a gap only if it is longer than this, in microseconds. Between two files a third may be
/// missing, and bad lines may have been entries: there [`PAUSE`] is the least.
const PAUSE_IN_FILE: i64 = 300_000_000;
/// A pause is a gap if it is so many times longer than the usual one.
const TIMES_USUAL: i64 = 100;
/// One of so many pauses may be unusual: the longest ones don't count for what is usual.
const UNUSUAL: u64 = 50;
/// Fewer entries tell nothing about what is usual.
const FEW: u64 = 10;

/// What was read of one API server: of the files in one folder, as every API server writes into its own; standard input
/// is a server of its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerCoverage {
    /// The folder, as it was named or found; `-` for standard input.
    pub name: String,
    /// Stage time of the earliest entry that was looked at.
    pub from: Timestamp,
    /// Stage time of the latest entry that was looked at.
    pub until: Timestamp,
    /// Files that hold entries.
    pub files: u64,
    /// Lines that hold an entry, or that the prefilter took for one.
    pub entries: u64,
    /// A pause between two entries of one file that is longer is a gap, in seconds; `None` where there are too few
    /// entries to say. Between files and beside bad lines it is a gap earlier.
    pub longest_pause: Option<i64>,
    /// The longest gaps, by time.
    pub gaps: Vec<Gap>,
    /// How many gaps there are in all.
    pub gap_count: u64,
}

/// A time without entries of a server.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// The server, by its folder.
    pub server: String,
    /// Stage time of the last entry before.
    pub from: Timestamp,
    /// Stage time of the first entry behind.
    pub until: Timestamp,
    /// What stands between the two.
    pub why: Why,
    /// The file that holds the last entry before.
    pub before: String,
    /// The file that holds the first entry behind.
    pub behind: String,
}

/// What stands in the place of the entries of a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Nothing: the server was down, or a file between the two is missing, or events could not be written.
    NoEntries,
    /// Lines that hold no entry.
    BadLines,
    /// A file that could not be read to its end.
    DamagedFile,
    /// Content that is known to be lost: it went away before it was read. Where no entries are known behind it, the gap
    /// ends where it begins.
    Lost,
}

impl Why {
    const fn words(self) -> &'static str {
        match self {
            Self::NoEntries => "no entries",
            Self::BadLines => "bad lines",
            Self::DamagedFile => "a damaged file",
            Self::Lost => "lost content",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// What was read, as far as it tells why entries are missing.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// The sources by number, as in addresses.
    pub sources: &'a [SourceCoverage],
    /// Bytes that hold no entry.
    pub bad_spans: &'a [BadSpan],
    /// Inputs that were not read to their end.
    pub problems: &'a [Problem],
}

/// What was read of each server, by name. `timelines` are those of the sources, in their order.
pub fn servers(reading: Reading<'_>, timelines: Vec<Timeline>) -> Vec<ServerCoverage> {
    let mut groups: BTreeMap<&str, (Timeline, u64, u64)> = BTreeMap::new();
    for (source, timeline) in reading.sources.iter().zip(timelines) {
        let is_empty = source.tally.entries == 0 && source.tally.outside_bytes == 0;
        if timeline.first().is_none() || is_empty {
            continue;
        }
        let (known, files, entries) = groups.entry(folder(&source.source)).or_default();
        known.merge(timeline);
        *files += 1;
        *entries += source.tally.entries;
    }
    let server = |(name, (timeline, files, entries)): (&str, (Timeline, u64, u64))| {
        let (first, last) = (timeline.first()?, timeline.last()?);
        let usual = usual_pause(&timeline, entries);
        let pauses = timeline.pauses().filter(|_| usual.is_some());
        let gaps = pauses.map(|(before, behind)| reading.gap(name, before, behind));
        let mut gaps: Vec<Gap> = gaps.filter(|gap| gap.is_longer_than(usual.unwrap_or_default())).collect();
        let gap_count = gaps.len() as u64;
        gaps.sort_by_key(|gap| (std::cmp::Reverse(gap.until.since(gap.from)), gap.from));
        gaps.truncate(KEPT_GAPS);
        gaps.sort_by_key(|gap| gap.from);
        Some(ServerCoverage {
            name: name.to_owned(),
            from: first.time,
            until: last.time,
            files,
            entries,
            longest_pause: usual.map(|usual| usual.max(PAUSE_IN_FILE) / 1_000_000),
            gaps,
            gap_count,
        })
    };
    groups.into_iter().filter_map(server).collect()
}

/// The folder that a source is in; `.` for a name without one, `-` for standard input.
pub fn folder(source: &str) -> &str {
    match source.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None if source == "-" => "-",
        None => ".",
    }
}

/// The longest pause that a log of this pace has by its nature, in microseconds.
fn usual_pause(timeline: &Timeline, entries: u64) -> Option<i64> {
    if entries < FEW {
        return None;
    }
    let mut pauses: Vec<i64> =
        timeline.pauses().map(|(before, behind)| behind.time.since(before.time)).collect();
    pauses.sort_unstable_by_key(|pause| std::cmp::Reverse(*pause));
    let unusual = entries.div_ceil(UNUSUAL);
    let left_out: i64 = pauses.iter().take(usize::try_from(unusual).unwrap_or(usize::MAX)).sum();
    let others = i64::try_from(entries - 1 - unusual).unwrap_or(i64::MAX).max(1);
    Some(((timeline.length() - left_out).max(0) / others).saturating_mul(TIMES_USUAL))
}

impl Gap {
    /// Whether something may be missing between two times because of it.
    pub(super) fn touches(&self, from: Timestamp, until: Timestamp) -> bool {
        let is_open = self.why == Why::Lost && self.from == self.until;
        self.from < until && (self.until > from || is_open)
    }

    fn is_longer_than(&self, usual: i64) -> bool {
        let in_file = self.before == self.behind && self.why == Why::NoEntries;
        let least = if in_file { PAUSE_IN_FILE } else { PAUSE };
        self.until.since(self.from) > usual.max(least)
    }
}

impl Reading<'_> {
    fn gap(&self, server: &str, before: Moment, behind: Moment) -> Gap {
        let name = |moment: Moment| self.sources.get(moment.source).map_or("", |source| &source.source);
        let is_damaged = self.problems.iter().any(|problem| problem.fatal && problem.source == name(before));
        let bad_between = self.bad_spans.iter().any(|span| {
            let is_behind = span.source == name(before) && span.offset >= before.offset;
            let is_before = span.source == name(behind) && span.offset < behind.offset;
            if before.source == behind.source { is_behind && is_before } else { is_behind || is_before }
        });
        let why = match (before.source == behind.source, bad_between) {
            (false, _) if is_damaged => Why::DamagedFile,
            (_, true) => Why::BadLines,
            _ => Why::NoEntries,
        };
        Gap {
            server: server.to_owned(),
            from: before.time,
            until: behind.time,
            why,
            before: name(before).to_owned(),
            behind: name(behind).to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::Tally;

    fn at(seconds: i64, source: usize) -> Moment {
        let offset = u64::try_from(seconds).unwrap() * 1000;
        Moment { time: Timestamp::from_micros(seconds * 1_000_000), source, offset }
    }

    fn source(name: &str, entries: u64) -> SourceCoverage {
        SourceCoverage {
            source: name.to_owned(),
            encoding: "plain",
            tally: Tally { entries, ..Tally::default() },
        }
    }

    fn timeline(source: usize, seconds: impl IntoIterator<Item = i64>) -> Timeline {
        let mut timeline = Timeline::default();
        seconds.into_iter().for_each(|second| timeline.add(at(second, source)));
        timeline
    }

    fn gaps(server: &ServerCoverage) -> Vec<(i64, i64, Why)> {
        let second = |time: Timestamp| time.as_micros() / 1_000_000;
        server.gaps.iter().map(|gap| (second(gap.from), second(gap.until), gap.why)).collect()
    }

    #[test]
    fn a_file_between_two_others_is_missed() {
        let sources = [source("a/1.log", 100), source("a/audit.log", 100), source("b/audit.log", 600)];
        let reading = Reading { sources: &sources, bad_spans: &[], problems: &[] };
        let timelines =
            vec![timeline(0, 0..100), timeline(1, 400..500), timeline(2, (0..500).chain(550..600))];
        let servers = servers(reading, timelines.clone());
        assert_eq!(servers.len(), 2);
        assert_eq!((servers[0].name.as_str(), servers[0].files, servers[0].entries), ("a", 2, 200));
        assert_eq!(servers[0].longest_pause, Some(300));
        assert_eq!(gaps(&servers[0]), [(99, 400, Why::NoEntries)]);
        assert_eq!(
            (servers[0].gaps[0].before.as_str(), servers[0].gaps[0].behind.as_str()),
            ("a/1.log", "a/audit.log")
        );
        assert_eq!(gaps(&servers[1]), []);

        let problems = [Problem { source: "a/1.log".into(), message: String::new(), fatal: true }];
        let damaged = super::servers(Reading { problems: &problems, ..reading }, timelines);
        assert_eq!(gaps(&damaged[0]), [(99, 400, Why::DamagedFile)]);
    }

    #[test]
    fn bad_lines_are_the_reason_of_the_gap_that_they_stand_in() {
        let sources = [source("audit.log", 400)];
        let span = |offset| BadSpan { source: "audit.log".into(), offset, length: 1, reason: String::new() };
        let spans = [span(150_000)];
        let reading = Reading { sources: &sources, bad_spans: &spans, problems: &[] };
        let timelines = vec![timeline(0, (0..100).chain(300..400).chain(600..700).chain(1100..1200))];
        let servers = servers(reading, timelines);
        assert_eq!(servers[0].name, ".");
        assert_eq!(gaps(&servers[0]), [(99, 300, Why::BadLines), (699, 1100, Why::NoEntries)]);
    }

    #[test]
    fn what_is_silent_by_nature_has_no_gaps() {
        let sources = [source("audit.log", 60)];
        let reading = Reading { sources: &sources, bad_spans: &[], problems: &[] };
        // One entry an hour or so, with nights.
        let hours = (0..60).map(|number: i64| (number / 10 * 24 + number % 10) * 3600);
        assert_eq!(gaps(&servers(reading, vec![timeline(0, hours)])[0]), []);
        // Nobody knows what is usual in a log of three entries.
        let few = [source("audit.log", 3)];
        let server = &servers(Reading { sources: &few, ..reading }, vec![timeline(0, [0, 1, 90_000])])[0];
        assert_eq!((gaps(server), server.longest_pause), (vec![], None));
    }

    #[test]
    fn a_clock_that_was_wrong_once_hides_no_gap() {
        let sources = [source("audit.log", 400)];
        let reading = Reading { sources: &sources, bad_spans: &[], problems: &[] };
        let day = 1_000_000;
        let seconds = std::iter::once(0).chain(day..day + 200).chain(day + 900..day + 1100);
        let found = &servers(reading, vec![timeline(0, seconds)])[0];
        assert_eq!(gaps(found), [(0, day, Why::NoEntries), (day + 199, day + 900, Why::NoEntries)]);
    }

    #[test]
    fn a_server_is_a_folder() {
        for (name, is) in
            [("a/b/audit.log", "a/b"), ("audit.log", "."), ("-", "-"), ("/audit.log", "/"), ("./x", ".")]
        {
            assert_eq!(folder(name), is);
        }
    }
}
