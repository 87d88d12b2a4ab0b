//! Counts as they are told.

use std::fmt::Write;

use serde::Serialize;

use super::Counting;
use super::dimension::{Dimension, SEPARATOR};
use super::latency::Latency;
use super::sums::Sums;
use crate::case::Window;
use crate::coverage::Coverage;
use crate::keep::Keep;
use crate::time::Timestamp;

/// The key of the row for all that had no room.
const OTHERS: &str = "(others)";

/// Everything that was counted.
#[derive(Debug, PartialEq)]
pub struct Counts {
    /// The question's name.
    pub question: &'static str,
    /// What a row stands for, in words: one, and several.
    pub nouns: [&'static str; 2],
    /// What was counted, in words: one, and several.
    pub counted: [&'static str; 2],
    /// Most requests first, then by key; the row of all that had no room comes last.
    pub rows: Vec<Count>,
    /// All requests, those of rows that are not shown among them.
    pub requests: u64,
    /// Keys that have a row, shown or not.
    pub keys: u64,
    /// Rows beyond the limit.
    pub hidden: u64,
    /// Requests of rows beyond the limit.
    pub hidden_requests: u64,
}

/// The requests of one user, verb, resource …
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    /// The question's name.
    pub question: &'static str,
    /// By what was counted: the dimension's name.
    pub dimension: &'static str,
    /// The user, verb, resource …; `-` where entries say none.
    pub key: String,
    /// Whether this row is for all keys that had no room, and `key` is none.
    pub others: bool,
    /// Requests that were answered.
    pub requests: u64,
    /// Those answered with a status of 400 or more.
    pub errors: u64,
    /// Part of all requests that were counted, from 0 to 1.
    pub share: f64,
    /// Those of them that last as long as the client wants: watches, sessions, logs.
    pub long_running: u64,
    /// Long-running requests whose start is here and whose end is not; they are not among `requests`.
    pub open: u64,
    /// How long requests took that are not long-running; `None` where no entry tells.
    pub latency: Option<LatencyMicros>,
    /// Stage time of the first entry that was counted.
    pub first: Option<Timestamp>,
    /// Stage time of the last entry that was counted.
    pub last: Option<Timestamp>,
    /// The parts of the key, where deprecated APIs are counted.
    pub api: Option<Api>,
}

/// How long requests took, in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LatencyMicros {
    /// How many were measured.
    pub measured: u64,
    /// Half of them took no longer; up to an eighth too much.
    pub p50_micros: u64,
    /// 99 of 100 took no longer; up to an eighth too much.
    pub p99_micros: u64,
    /// The longest, exactly.
    pub max_micros: u64,
}

/// A use of a deprecated API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Api {
    /// API group, empty for the core group.
    pub api_group: String,
    /// Version.
    pub api_version: String,
    /// Plural resource name.
    pub resource: String,
    /// Subresource, empty for none.
    pub subresource: String,
    /// The release that no longer serves it, such as `1.32`, where one is planned.
    pub removed_release: Option<String>,
    /// The user, with whom they acted as: `root (acting as alice)`.
    pub user: String,
    /// The program, told from the user agent: the client's own word.
    pub client: Option<String>,
    /// Verbs of the requests; `other` for what is no verb of resources.
    pub verbs: Vec<&'static str>,
}

impl Api {
    /// From the parts of a key; a key that was cut lacks some.
    fn of(key: &str, row: &Sums) -> Self {
        let mut parts = key.splitn(7, SEPARATOR);
        let mut part = || parts.next().unwrap_or_default().to_owned();
        let given = |text: String| (!text.is_empty()).then_some(text);
        Self {
            api_group: part(),
            api_version: part(),
            resource: part(),
            subresource: part(),
            removed_release: given(part()),
            client: given(part()),
            user: part(),
            verbs: row.verbs(),
        }
    }

    /// `cronjobs.v1beta1.batch`, as kubectl takes it, and a subresource.
    fn name(&self) -> String {
        let mut name = format!("{}.{}", self.resource, self.api_version);
        for (mark, part) in [('.', &self.api_group), ('/', &self.subresource)] {
            if !part.is_empty() {
                name.push(mark);
                name.push_str(part);
            }
        }
        name
    }
}

impl Counts {
    /// What was not shown, or not counted apart, in words; `None` if all was.
    pub fn rest(&self) -> Option<String> {
        let many = self.nouns[1];
        let mut told = String::new();
        if self.hidden > 0 {
            let _ = write!(
                told,
                "{} more {} with {} {}; --limit 0 shows all",
                self.hidden,
                noun(self.hidden, self.nouns),
                self.hidden_requests,
                noun(self.hidden_requests, ["request", "requests"])
            );
        }
        if self.rows.last().is_some_and(|row| row.others) {
            let stop = if told.is_empty() { "" } else { ". " };
            let _ = write!(
                told,
                "{stop}There were more {many} than can be counted apart: {} of them, chosen by a hash, have their \
                 whole count, and all others are one row",
                self.keys
            );
        }
        (!told.is_empty()).then_some(told)
    }

    /// Fills in all of `coverage` that depends on what was counted; `counting` is what was asked.
    pub fn judge_coverage(&self, counting: &Counting, coverage: &mut Coverage) {
        coverage.incomplete = coverage.losses(counting.window.from, counting.window.until);
        let kept = coverage.doubt_kept(|keep| keep == Keep::All);
        let kept = kept.map(|kept| format!("; {kept}")).unwrap_or_default();
        coverage.verdict = format!("{}: {}{kept}", counting.asked(), self.verdict(counting.window, coverage));
    }

    /// What was counted in all, in words, or that nothing was, and between which times.
    fn verdict(&self, window: Window, coverage: &Coverage) -> String {
        if !self.rows.is_empty() {
            let (requests, keys) = (noun(self.requests, self.counted), noun(self.keys, self.nouns));
            let sum = format!("{} {requests}, {} {keys}", self.requests, self.keys);
            return self.rest().map_or_else(|| sum.clone(), |rest| format!("{sum}; {rest}"));
        }
        let (Some(from), Some(until)) = (coverage.total.from, coverage.total.until) else {
            return coverage.timeless().to_owned();
        };
        if window.from > until || window.until < from {
            return format!("these files can't tell: they hold entries from {from} to {until}");
        }
        format!("no {} within {} to {}", self.counted[0], from.max(window.from), until.min(window.until))
    }
}

/// The singular or the plural.
fn noun(count: u64, [one, many]: [&'static str; 2]) -> &'static str {
    if count == 1 { one } else { many }
}

/// Puts rows into the order in which they are told.
pub(super) fn counts(
    question: &'static str,
    dimension: &'static Dimension,
    mut rows: Vec<(Box<str>, Sums)>,
    others: Option<&Sums>,
    limit: Option<usize>,
) -> Counts {
    rows.sort_unstable_by(|(a_key, a), (b_key, b)| (b.requests, a_key).cmp(&(a.requests, b_key)));
    let keys = rows.len() as u64;
    let sum = |rows: &[(Box<str>, Sums)]| rows.iter().map(|(_, row)| row.requests).sum::<u64>();
    let requests = sum(&rows) + others.map_or(0, |row| row.requests);
    let hidden = rows.split_off(limit.map_or(rows.len(), |limit| limit.min(rows.len())));
    let shown = rows.iter().map(|(key, row)| (Some(key.as_ref()), row));
    let shown = shown.chain(others.map(|row| (None, row)));
    Counts {
        question,
        nouns: [dimension.one, dimension.many],
        counted: dimension.counted,
        rows: shown.map(|(key, row)| count(question, dimension, key, row, requests)).collect(),
        requests,
        keys,
        hidden: hidden.len() as u64,
        hidden_requests: sum(&hidden),
    }
}

fn count(
    question: &'static str,
    dimension: &'static Dimension,
    key: Option<&str>,
    row: &Sums,
    all: u64,
) -> Count {
    let api = key.filter(|_| dimension.is_api).map(|key| Api::of(key, row));
    Count {
        question,
        dimension: dimension.name,
        key: api.as_ref().map_or_else(|| key.unwrap_or(OTHERS).to_owned(), Api::name),
        others: key.is_none(),
        requests: row.requests,
        errors: row.errors,
        share: share(row.requests, all),
        long_running: row.long_running,
        open: row.open(),
        latency: latency(&row.latency),
        first: row.first,
        last: row.last,
        api,
    }
}

/// To a millionth.
fn share(part: u64, all: u64) -> f64 {
    let millionths = (u128::from(part) * 1_000_000).checked_div(u128::from(all)).unwrap_or(0);
    f64::from(u32::try_from(millionths).unwrap_or(u32::MAX)) / 1e6
}

fn latency(latency: &Latency) -> Option<LatencyMicros> {
    let measured = latency.measured();
    (measured > 0).then(|| LatencyMicros {
        measured,
        p50_micros: latency.quantile(50),
        p99_micros: latency.quantile(99),
        max_micros: latency.max(),
    })
}
