//! What was searched, byte by byte, so that "nobody did" can be told from "these files can't tell".

mod server;
mod timeline;

use serde::Serialize;

pub use self::server::{Gap, KEPT_GAPS, Reading, ServerCoverage, Why, folder, servers};
pub use self::timeline::{Moment, PAUSE, Timeline};
use crate::census::Seen;
use crate::keep::Keep;
use crate::time::Timestamp;

/// How many bad spans of one source are kept with their place; beyond it they are counted.
pub const KEPT_SPANS: usize = 16;

/// What became of the bytes that were read. Every byte is in exactly one of the byte counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// One element a file or stream, ordered by name.
    pub sources: Vec<SourceCoverage>,
    /// The sum over all sources.
    pub total: Tally,
    /// One element an API server, ordered by name.
    pub servers: Vec<ServerCoverage>,
    /// The first places of each source that could not be read, ordered by source and offset; `total.bad_lines` counts
    /// all.
    pub bad_spans: Vec<BadSpan>,
    /// Inputs that were not read at all, or not to their end.
    pub problems: Vec<Problem>,
    /// Entries of the kinds that would answer the question, whatever object they are about; counted only where nothing
    /// was found.
    pub seen: Vec<Seen>,
    /// Which events a store keeps, where others may have answered the question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<Keep>,
    /// Entries among those that the answer rests on whose bodies the API server cut off for their size.
    pub truncated: u64,
    /// Where the question has a window and something was found: nothing before this stage time was looked at, for causes
    /// neither.
    pub context_from: Option<Timestamp>,
    /// Why something may be missing, in words; empty if every byte between the first entry and the last was read and
    /// nothing speaks for a loss.
    pub incomplete: Vec<String>,
    /// What the answer rests on, in words: who was found, or why nobody was.
    pub verdict: String,
}

/// Counts of one source or of all.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Decompressed bytes that were read.
    pub bytes: u64,
    /// Lines that hold an entry, or that the prefilter took for one.
    pub entries: u64,
    /// Bytes of entries that were decoded.
    pub decoded_bytes: u64,
    /// Bytes of lines that can't hold what was asked for and were not decoded.
    pub skipped_bytes: u64,
    /// Bytes of bad lines.
    pub bad_bytes: u64,
    /// Bytes of blank lines, line ends and byte order marks.
    pub blank_bytes: u64,
    /// Lines that hold no entry: torn, not JSON, NULs, too long.
    pub bad_lines: u64,
    /// Bytes that were not read, as nothing there lies within the times that were asked about; of a compressed file those
    /// on disk. They are not among `bytes`.
    pub outside_bytes: u64,
    /// Stage time of the earliest entry that was looked at.
    pub from: Option<Timestamp>,
    /// Stage time of the latest entry that was looked at; of a compressed file that was not read, when it was rotated.
    pub until: Option<Timestamp>,
}

/// What was read of one source.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceCoverage {
    /// The file, as it was named or found; `-` for standard input.
    pub source: String,
    /// `plain`, `gzip` or `zstd`.
    pub encoding: &'static str,
    /// What was found in it.
    #[serde(flatten)]
    pub tally: Tally,
}

/// A run of bytes that holds no entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BadSpan {
    /// The file.
    pub source: String,
    /// Bytes from the start of the (decompressed) content.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// Why it is no entry.
    pub reason: String,
}

/// An input that could not be read as wanted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The path, as it was named or found.
    pub source: String,
    /// What went wrong, and what to do about it.
    pub message: String,
    /// Whether data is missing because of it (and the exit status is 2).
    pub fatal: bool,
}

impl Coverage {
    /// What was found in these sources, and the sum. Where one is no audit log, the times in its lines are no entry's stage
    /// times, and are left out.
    pub fn of(mut sources: Vec<SourceCoverage>) -> Self {
        let mut total = Tally::default();
        for source in &mut sources {
            if source.is_no_log() {
                (source.tally.from, source.tally.until) = (None, None);
            }
            total.add(&source.tally);
        }
        Self { sources, total, ..Self::default() }
    }

    /// What is or may be lost between two times, in words: gaps, lines and files that could not be read, bodies that were
    /// cut off.
    pub fn losses(&self, from: Timestamp, until: Timestamp) -> Vec<String> {
        let gaps = self.servers.iter().flat_map(|server| &server.gaps);
        let gaps = gaps.filter(|gap| gap.touches(from, until)).count() as u64;
        let no_logs = self.sources.iter().filter(|source| source.is_no_log()).count() as u64;
        let logs = self.sources.iter().filter(|source| !source.is_no_log());
        let bad_lines = logs.map(|source| source.tally.bad_lines).sum();
        let unread = self.problems.iter().filter(|problem| problem.fatal).count() as u64;
        let counts = [
            (gaps, "time without entries", "times without entries"),
            (bad_lines, "bad line", "bad lines"),
            (no_logs, "file without a single entry", "files without a single entry"),
            (unread, "input that could not be read to its end", "inputs that could not be read to their end"),
            (self.truncated, "entry whose bodies were cut off", "entries whose bodies were cut off"),
        ];
        let told = |(count, one, many): (u64, &str, &str)| {
            (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { many }))
        };
        counts.into_iter().filter_map(told).collect()
    }
}

impl Coverage {
    /// Notes what is kept where that may not be enough to answer what is asked, as `suffices` says, and tells it in words.
    pub(crate) fn doubt_kept(&mut self, suffices: impl Fn(Keep) -> bool) -> Option<String> {
        self.kept = self.kept.filter(|keep| !suffices(*keep));
        let told = self.kept_in_words()?;
        self.incomplete.push(told.clone());
        Some(told)
    }

    /// Why nothing is known of the time that was searched.
    pub(crate) const fn timeless(&self) -> &'static str {
        if self.total.entries == 0 {
            "these files hold no audit entries, so they can't tell"
        } else {
            "no entry in these files tells when it was written, so they can't tell"
        }
    }

    /// What a store keeps, where others may have answered the question.
    pub fn kept_in_words(&self) -> Option<String> {
        let told = self.kept.and_then(Keep::told)?;
        Some(format!("of the events that were logged the store keeps only {told}"))
    }
}

impl SourceCoverage {
    /// Whether it was read and holds lines, but not one of them is an entry: then it is no audit log.
    pub const fn is_no_log(&self) -> bool {
        self.tally.entries == 0 && self.tally.bad_lines > 0 && self.tally.outside_bytes == 0
    }
}

impl Tally {
    /// Adds what another part of the same input found.
    pub fn add(&mut self, other: &Self) {
        self.bytes += other.bytes;
        self.entries += other.entries;
        self.decoded_bytes += other.decoded_bytes;
        self.skipped_bytes += other.skipped_bytes;
        self.bad_bytes += other.bad_bytes;
        self.blank_bytes += other.blank_bytes;
        self.bad_lines += other.bad_lines;
        self.outside_bytes += other.outside_bytes;
        self.saw(other.from);
        self.saw(other.until);
    }

    /// Widens the time range by an entry's stage time.
    pub fn saw(&mut self, time: Option<Timestamp>) {
        let Some(time) = time else { return };
        self.from = Some(self.from.map_or(time, |from| from.min(time)));
        self.until = Some(self.until.map_or(time, |until| until.max(time)));
    }

    /// Whether every byte that was read is accounted for.
    pub const fn is_balanced(&self) -> bool {
        self.decoded_bytes + self.skipped_bytes + self.bad_bytes + self.blank_bytes == self.bytes
    }
}
