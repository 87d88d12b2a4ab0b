//! The report on the health of a log. Its fields are described in `docs/doctor.md`.

use serde::Serialize;

use super::answerable::{Answerable, answerable};
use super::checkup::{Checked, Lookup};
use super::rows::Seen;
use crate::coverage::{BadSpan, Coverage, Problem, ServerCoverage, SourceCoverage, Tally, folder};
use crate::event::Event;
use crate::fold::Address;
use crate::keep::Keep;
use crate::time::Timestamp;

/// Entries are written nearly in order; stage times that go back further speak of a clock that was set, in microseconds.
const CLOCK_SET: i64 = 10_000_000;
/// Longer texts of an example are cut, in bytes.
const MAX_TEXT: usize = 512;

/// What is known of a log as a whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Doctor {
    /// What to know before relying on these logs, in words; empty if they are healthy.
    pub findings: Vec<String>,
    /// One element an API server, by name.
    pub servers: Vec<Server>,
    /// The sum over all sources.
    pub total: Tally,
    /// Entries that stand in two places, by the sources that hold them.
    pub copies: Vec<Copies>,
    /// Entries that share audit ID and stage with one that says something else: the first ones.
    pub conflicts: Vec<Pair>,
    /// How many there are in all.
    pub conflict_count: u64,
    /// Requests that came in, and of whose end there is no entry: the first ones.
    pub endless: Vec<Example>,
    /// How many there are in all.
    pub endless_count: u64,
    /// Requests that ended, and of whose coming in there is no entry though that is logged: the first ones.
    pub startless: Vec<Example>,
    /// How many there are in all.
    pub startless_count: u64,
    /// Watches and sessions without an end.
    pub open: u64,
    /// Requests that came in less than a minute before the last entry, without an end.
    pub under_way: u64,
    /// One of so many requests was compared with others; 1 if all were.
    pub compared_one_in: u64,
    /// Entries whose bodies the API server cut off.
    pub truncated: u64,
    /// Entries that were found behind a torn one in the same line.
    pub salvaged: u64,
    /// The audit policy as far as entries show it.
    pub policy: Vec<Seen>,
    /// Which questions these logs can answer.
    pub questions: Vec<Answerable>,
    /// The first places of each source that could not be read.
    pub bad_spans: Vec<BadSpan>,
    /// Inputs that were not read at all, or not to their end.
    pub problems: Vec<Problem>,
    /// Sources that hold no entry at all.
    pub no_logs: Vec<SourceCoverage>,
}

/// One API server.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// What was read of it.
    #[serde(flatten)]
    pub coverage: ServerCoverage,
    /// Its files, the oldest entries first.
    pub generations: Vec<Generation>,
    /// The leases that are renewed in its log: one an API server.
    pub leases: Vec<String>,
    /// The furthest that a stage time lies before an earlier one, in microseconds.
    pub clock_back: i64,
}

/// One file through its renames.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Generation {
    /// What was read of it.
    #[serde(flatten)]
    pub source: SourceCoverage,
    /// When it was rotated, as its name tells; `None` if it does not.
    pub rotated: Option<Timestamp>,
}

/// Entries of one source that stand in another too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Copies {
    /// The source that holds them first.
    pub of: String,
    /// The source that holds them again; the same one if they stand twice in it.
    pub source: String,
    /// How many.
    pub entries: u64,
}

/// Two entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pair {
    /// The one.
    pub one: Example,
    /// The other.
    pub other: Example,
}

/// One entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Example {
    /// The file; `-` for standard input.
    pub source: String,
    /// Bytes from the start of the decompressed content.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// The audit ID.
    #[serde(rename = "auditID")]
    pub audit_id: String,
    /// The stage.
    pub stage: String,
    /// When the stage was reached.
    pub time: Option<Timestamp>,
    /// The verb.
    pub verb: String,
    /// Path and query, cut after 512 bytes.
    #[serde(rename = "requestURI")]
    pub request_uri: String,
    /// Who sent the request.
    pub username: String,
}

impl Example {
    pub(super) fn of(event: &Event<'_>, address: Address) -> Self {
        let text = |text: &str| text[..text.floor_char_boundary(MAX_TEXT)].to_owned();
        Self {
            source: String::new(),
            offset: address.offset,
            length: address.length,
            audit_id: text(&event.audit_id),
            stage: text(&event.stage),
            time: event.stage_time,
            verb: text(&event.verb),
            request_uri: text(&event.request_uri),
            username: text(&event.user.username),
        }
    }
}

/// Which server each of the sources is of, by number: the servers are numbered in the order of their names.
pub fn servers_of(sources: &[String]) -> Vec<usize> {
    let mut folders: Vec<&str> = sources.iter().map(|source| folder(source)).collect();
    folders.sort_unstable();
    folders.dedup();
    sources.iter().map(|source| folders.binary_search(&folder(source)).unwrap_or_default()).collect()
}

impl Doctor {
    /// Writes the report from what was read, what was found, and what the entries in question say.
    pub fn new(mut coverage: Coverage, checked: Checked, lookup: &Lookup, sources: &[String]) -> Self {
        let numbers = servers_of(sources);
        coverage.incomplete = coverage.losses(Timestamp::MIN, Timestamp::MAX);
        coverage.doubt_kept(|keep| keep == Keep::All);
        let compared = &checked.compared;
        let examples = |places: &[Address]| places.iter().map(|at| lookup.example(*at, sources)).collect();
        let server = |server: &ServerCoverage| server_of(server, &coverage, &checked, sources, &numbers);
        let copies = compared.copies.iter().map(|((of, source), entries)| Copies {
            of: sources[*of].clone(),
            source: sources[*source].clone(),
            entries: *entries,
        });
        let mut doctor = Self {
            findings: coverage.incomplete.clone(),
            servers: coverage.servers.iter().map(server).collect(),
            copies: copies.collect(),
            conflicts: compared.conflicts.iter().map(|pair| lookup.pair(*pair, sources)).collect(),
            conflict_count: compared.conflict_count,
            endless: examples(&compared.endless),
            endless_count: compared.endless_count,
            startless: examples(&compared.startless),
            startless_count: compared.startless_count,
            open: compared.open,
            under_way: compared.under_way,
            compared_one_in: compared.one_in,
            truncated: checked.truncated,
            salvaged: checked.salvaged,
            questions: answerable(&checked.seen),
            policy: checked.seen,
            no_logs: coverage.sources.iter().filter(|source| source.is_no_log()).cloned().collect(),
            total: coverage.total,
            bad_spans: coverage.bad_spans,
            problems: coverage.problems,
        };
        doctor.findings.extend(doctor.oddities());
        if doctor.total.entries == 0 {
            doctor.findings.push("there is no audit entry in these files".to_owned());
        }
        doctor
    }

    /// What is odd besides what could not be read.
    fn oddities(&self) -> Vec<String> {
        let copies = self.copies.iter().map(|copies| copies.entries).sum();
        let counts = [
            (self.endless_count, "request without an end", "requests without an end"),
            (self.startless_count, "request without a start", "requests without a start"),
            (copies, "entry that stands in two places", "entries that stand in two places"),
            (
                self.conflict_count,
                "entry with the audit ID and stage of another one",
                "entries with the audit ID and stage of another one",
            ),
            (self.truncated, "entry whose bodies were cut off", "entries whose bodies were cut off"),
            (self.salvaged, "entry behind a torn one", "entries behind a torn one"),
        ];
        let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
        let mut told: Vec<String> = counts
            .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
            .collect();
        for server in &self.servers {
            let name = &server.coverage.name;
            if server.clock_back > CLOCK_SET {
                told.push(format!("the clock of {name} goes back by {} s", server.clock_back / 1_000_000));
            }
            if server.leases.len() > 1 {
                told.push(format!(
                    "{} API servers log into {name}: gaps of one are hidden by the other",
                    server.leases.len()
                ));
            }
        }
        told
    }
}

fn server_of(
    server: &ServerCoverage,
    coverage: &Coverage,
    checked: &Checked,
    sources: &[String],
    numbers: &[usize],
) -> Server {
    let of_server = |name: &str| folder(name) == server.name;
    let own =
        coverage.sources.iter().filter(|source| of_server(&source.source) && source.tally.from.is_some());
    let mut generations: Vec<Generation> =
        own.map(|source| Generation { source: source.clone(), rotated: rotated(&source.source) }).collect();
    generations.sort_by_key(|generation| generation.source.tally.from);
    let mut leases: Vec<String> = checked
        .names
        .iter()
        .filter(|(source, _)| sources.get(**source).is_some_and(|name| of_server(name)))
        .flat_map(|(_, names)| names.iter().cloned())
        .collect();
    leases.sort();
    leases.dedup();
    let number = sources.iter().position(|name| of_server(name)).map(|source| numbers[source]);
    let clock_back = number.and_then(|number| checked.compared.clock_back.get(number)).copied();
    Server { coverage: server.clone(), generations, leases, clock_back: clock_back.unwrap_or_default() }
}

/// When a file was rotated, from the name that the API server gave it: `audit-2026-11-23T05-45-51.188.log`, perhaps
/// with `.gz` behind.
fn rotated(name: &str) -> Option<Timestamp> {
    const SHAPE: &str = "2026-11-23T05-45-51.188";
    let name = name.rsplit('/').next()?;
    (0..name.len()).filter_map(|at| name.get(at..at + SHAPE.len())).find_map(|text| {
        let (date, time) = text.split_once('T')?;
        Timestamp::parse(&format!("{date}T{}Z", time.replacen('-', ":", 2)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_rotated_file_tells_when() {
        let time = Timestamp::parse("2026-11-23T05:45:51.188Z");
        assert!(time.is_some());
        assert_eq!(rotated("a/audit-2026-11-23T05-45-51.188.log"), time);
        assert_eq!(rotated("audit-2026-11-23T05-45-51.188.log.gz"), time);
        assert_eq!(rotated("2026-11-23T05-45-51.188/audit.log"), None);
        assert_eq!(rotated("audit-2026-13-23T05-45-51.188.log"), None);
    }
}
