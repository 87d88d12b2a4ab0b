//! What a store holds of which content: what its answers rest on.

use std::collections::{BTreeMap, HashMap};

use audit_who_event::coverage::{
    self, BadSpan, Coverage, Gap, KEPT_GAPS, KEPT_SPANS, Problem, Reading, ServerCoverage, SourceCoverage,
    Tally, Timeline, Why,
};
use audit_who_event::keep::Keep;
use audit_who_event::time::Timestamp;
use rusqlite::{Connection, Row};

use super::{runs, settings};
use crate::codec::Encoding;

/// The generations of a store as they were when it was opened, each a source.
#[derive(Debug)]
pub(super) struct Holdings {
    /// By name.
    generations: Vec<Generation>,
    /// The place of each generation among them.
    pub(super) sources: HashMap<i64, usize>,
    timelines: Vec<Timeline>,
    bad_spans: Vec<BadSpan>,
    losses: Vec<Loss>,
    /// Events of an earlier stage time were removed.
    horizon: Timestamp,
}

#[derive(Debug)]
struct Generation {
    id: i64,
    /// Where the content was read last.
    path: String,
    encoding: &'static str,
    keep: Option<Keep>,
    /// Whether all of its events were removed for their age.
    removed: bool,
    /// With all entries skipped.
    tally: Tally,
}

/// Content that went away before it was read.
#[derive(Debug)]
struct Loss {
    source: usize,
    length: Option<u64>,
    reason: String,
}

impl Holdings {
    /// Reads them, in one transaction.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let transaction = connection.unchecked_transaction()?;
        let mut statement = transaction.prepare(
            "SELECT id, path, encoding, keep, start, offset, lines, entry_bytes, bad_bytes, bad_lines, blank_bytes, \
             first_us, last_us FROM generations ORDER BY path, id",
        )?;
        let generations: Vec<Generation> =
            statement.query_map([], generation)?.collect::<rusqlite::Result<_>>()?;
        let sources: HashMap<i64, usize> =
            generations.iter().enumerate().map(|(source, generation)| (generation.id, source)).collect();
        let horizon = settings::horizon(&transaction)?.map_or(Timestamp::MIN, Timestamp::from_micros);
        let mut holdings = Self {
            horizon,
            timelines: vec![Timeline::default(); generations.len()],
            bad_spans: Vec::new(),
            losses: Vec::new(),
            generations,
            sources,
        };
        holdings.forget_the_removed();
        holdings.load_runs(&transaction)?;
        holdings.load_bad_spans(&transaction)?;
        holdings.load_losses(&transaction)?;
        Ok(holdings)
    }

    /// Entries before the horizon were read, but are not held.
    fn forget_the_removed(&mut self) {
        for Generation { tally, removed, .. } in &mut self.generations {
            *removed = tally.until.is_some_and(|until| until < self.horizon);
            tally.until = tally.until.filter(|until| *until >= self.horizon);
            tally.from = tally.until.and(tally.from).map(|from| from.max(self.horizon));
        }
    }

    fn load_runs(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare(&format!("SELECT generation, {} FROM runs", runs::COLUMNS))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let Some(source) = self.sources.get(&row.get(0)?).copied() else { continue };
            let (mut first, last) = runs::run(row, 1, source)?;
            if last.time >= self.horizon {
                first.time = first.time.max(self.horizon);
                self.timelines[source].add_run(first, last);
            }
        }
        Ok(())
    }

    fn load_bad_spans(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let sql = format!(
            "SELECT offset, length, reason FROM bad_spans WHERE generation = ? ORDER BY offset LIMIT {KEPT_SPANS}"
        );
        let mut statement = connection.prepare(&sql)?;
        for generation in self.generations.iter().filter(|generation| generation.tally.bad_lines > 0) {
            let span = |row: &Row<'_>| {
                Ok(BadSpan {
                    source: generation.path.clone(),
                    offset: unsigned(row, 0)?,
                    length: unsigned(row, 1)?,
                    reason: row.get(2)?,
                })
            };
            for span in statement.query_map([generation.id], span)? {
                self.bad_spans.push(span?);
            }
        }
        Ok(())
    }

    fn load_losses(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement =
            connection.prepare("SELECT generation, length, reason FROM gaps ORDER BY generation, offset")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let Some(source) = self.sources.get(&row.get(0)?).copied() else { continue };
            if self.generations[source].removed {
                continue;
            }
            let length = row.get::<_, Option<i64>>(1)?.map(i64::cast_unsigned);
            self.losses.push(Loss { source, length, reason: row.get(2)? });
        }
        Ok(())
    }

    /// The names of the sources.
    pub(super) fn names(&self) -> Vec<String> {
        self.generations.iter().map(|generation| generation.path.clone()).collect()
    }

    /// What a look rests on that decoded so many bytes of each source.
    pub(super) fn coverage(&self, decoded: &[u64]) -> Coverage {
        let sources = self.generations.iter().zip(decoded).map(|(generation, decoded)| {
            let mut tally = generation.tally.clone();
            tally.decoded_bytes = (*decoded).min(tally.skipped_bytes);
            tally.skipped_bytes -= tally.decoded_bytes;
            SourceCoverage { source: generation.path.clone(), encoding: generation.encoding, tally }
        });
        let mut coverage = Coverage::of(sources.collect());
        coverage.bad_spans.clone_from(&self.bad_spans);
        let keep = |keep| self.generations.iter().any(|generation| generation.keep == Some(keep));
        coverage.kept = [Keep::Notable, Keep::All].into_iter().find(|rule| keep(*rule));
        let reading = Reading { sources: &coverage.sources, bad_spans: &coverage.bad_spans, problems: &[] };
        coverage.servers = coverage::servers(reading, self.timelines.clone());
        self.tell_losses(&mut coverage);
        coverage
    }

    /// Tells what was lost as a gap of its server, or as a problem where there is no entry of the server at all.
    fn tell_losses(&self, coverage: &mut Coverage) {
        let mut servers: BTreeMap<String, ServerCoverage> = std::mem::take(&mut coverage.servers)
            .into_iter()
            .map(|server| (server.name.clone(), server))
            .collect();
        for loss in &self.losses {
            let path = &self.generations[loss.source].path;
            if let Some(server) = servers.get_mut(coverage::folder(path)) {
                let gap = self.gap(loss, server);
                note(server, gap);
            } else {
                let length = loss
                    .length
                    .map_or_else(|| "an unknown number of".to_owned(), |length| length.to_string());
                let message =
                    format!("{length} bytes are lost: the file was {} before they were read", loss.reason);
                coverage.problems.push(Problem { source: path.clone(), message, fatal: false });
            }
        }
        coverage.servers = servers.into_values().collect();
    }

    /// The time between the last entry in front of what was lost and the first one behind it in another source.
    fn gap(&self, loss: &Loss, server: &ServerCoverage) -> Gap {
        let own = &self.generations[loss.source];
        // Of what was never read nothing is known but that it is of the server.
        let from = own.tally.until.unwrap_or(server.from);
        let others =
            self.generations.iter().zip(&self.timelines).enumerate().filter(|(source, (other, _))| {
                *source != loss.source && coverage::folder(&other.path) == server.name
            });
        let behind = others.flat_map(|(_, (other, timeline))| {
            timeline.runs().map(move |(first, last)| (first.time.max(from), last.time, other))
        });
        let next = behind.filter(|(_, last, _)| *last > from).min_by_key(|(first, ..)| *first);
        let (until, behind) = next.map_or((from, own), |(first, _, other)| (first, other));
        Gap {
            server: server.name.clone(),
            from,
            until,
            why: Why::Lost,
            before: own.path.clone(),
            behind: behind.path.clone(),
        }
    }
}

/// Adds a gap to those of a server, or says of the same one why it is there.
fn note(server: &mut ServerCoverage, gap: Gap) {
    if let Some(same) =
        server.gaps.iter_mut().find(|known| known.from == gap.from && known.until == gap.until)
    {
        same.why = gap.why;
        return;
    }
    server.gap_count += 1;
    if server.gaps.len() < KEPT_GAPS {
        server.gaps.push(gap);
        server.gaps.sort_by_key(|gap| gap.from);
    }
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}

fn generation(row: &Row<'_>) -> rusqlite::Result<Generation> {
    let time =
        |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_micros));
    let tally = Tally {
        bytes: unsigned(row, 5)?.saturating_sub(unsigned(row, 4)?),
        entries: unsigned(row, 6)?,
        decoded_bytes: 0,
        skipped_bytes: unsigned(row, 7)?,
        outside_bytes: 0,
        bad_bytes: unsigned(row, 8)?,
        bad_lines: unsigned(row, 9)?,
        blank_bytes: unsigned(row, 10)?,
        from: time(11)?,
        until: time(12)?,
    };
    Ok(Generation {
        id: row.get(0)?,
        path: row.get(1)?,
        encoding: Encoding::named(row.get_ref(2)?.as_str()?).name(),
        keep: row.get::<_, Option<String>>(3)?.as_deref().and_then(Keep::named),
        removed: false,
        tally,
    })
}
