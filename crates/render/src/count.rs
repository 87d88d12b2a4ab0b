//! Counts, as a table for people and row by row for programs.

use std::collections::HashSet;
use std::io;

use audit_who_event::answer::Envelope;
use audit_who_event::count::{Api, Count, Counts, LatencyMicros};
use audit_who_event::coverage::Coverage;
use audit_who_event::time::Timestamp;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};

use crate::sheet::inert;
use crate::summary::grouped;
use crate::table::{NONE, shown, told};
use crate::terminal::neutral;
use crate::{Format, Style, json, yaml};

/// A column of the table.
struct Column {
    head: &'static str,
    cell: fn(&Count, &Style) -> String,
    place: Place,
}

/// Where a column stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// At the left, as text.
    Text,
    /// At the right, as a number.
    Number,
    /// The same, but only in the wide table.
    Wide,
}

const fn column(head: &'static str, place: Place, cell: fn(&Count, &Style) -> String) -> Column {
    Column { head, cell, place }
}

/// Columns for every count, behind its key.
const COLUMNS: [Column; 10] = [
    column("REQUESTS", Place::Number, |row, _| grouped(row.requests)),
    column("SHARE", Place::Number, |row, _| format!("{:.1}%", row.share * 100.0)),
    column("ERRORS", Place::Number, |row, _| grouped(row.errors)),
    column("LONG-RUNNING", Place::Wide, |row, _| grouped(row.long_running)),
    column("OPEN", Place::Wide, |row, _| grouped(row.open)),
    column("P50", Place::Number, |row, _| took(row, |latency| latency.p50_micros)),
    column("P99", Place::Number, |row, _| took(row, |latency| latency.p99_micros)),
    column("MAX", Place::Number, |row, _| took(row, |latency| latency.max_micros)),
    column("FIRST", Place::Text, |row, style| time(row.first, style)),
    column("LAST", Place::Text, |row, style| time(row.last, style)),
];

/// Columns for uses of deprecated APIs, between the key and what every count has.
const API: [Column; 4] = [
    column("REMOVED IN", Place::Text, |row, _| api(row, |api| told(api.removed_release.as_ref()))),
    column("USER", Place::Text, |row, _| api(row, |api| api.user.clone())),
    column("CLIENT", Place::Text, |row, _| api(row, |api| told(api.client.as_ref()))),
    column("VERBS", Place::Text, |row, _| api(row, |api| api.verbs.join(","))),
];

type Field = fn(&Count) -> String;

/// Names of CSV columns and what stands in them; empty where it is not known. Columns are added at the end.
const SHEET: [(&str, Field); 23] = [
    ("question", |row| row.question.to_owned()),
    ("dimension", |row| row.dimension.to_owned()),
    ("key", |row| row.key.clone()),
    ("others", |row| row.others.to_string()),
    ("requests", |row| row.requests.to_string()),
    ("errors", |row| row.errors.to_string()),
    ("share", |row| row.share.to_string()),
    ("long_running", |row| row.long_running.to_string()),
    ("open", |row| row.open.to_string()),
    ("measured", |row| micros(row, |latency| latency.measured)),
    ("p50_micros", |row| micros(row, |latency| latency.p50_micros)),
    ("p99_micros", |row| micros(row, |latency| latency.p99_micros)),
    ("max_micros", |row| micros(row, |latency| latency.max_micros)),
    ("first", |row| given(row.first.as_ref())),
    ("last", |row| given(row.last.as_ref())),
    ("api_group", |row| part(row, |api| api.api_group.clone())),
    ("api_version", |row| part(row, |api| api.api_version.clone())),
    ("resource", |row| part(row, |api| api.resource.clone())),
    ("subresource", |row| part(row, |api| api.subresource.clone())),
    ("removed_release", |row| part(row, |api| given(api.removed_release.as_ref()))),
    ("user", |row| part(row, |api| api.user.clone())),
    ("client", |row| part(row, |api| given(api.client.as_ref()))),
    ("verbs", |row| part(row, |api| api.verbs.join(" "))),
];

/// Writes counts to `out` in many small pieces: hand in a buffered writer.
///
/// The error is that of `out`.
pub fn write_counts(
    counts: &Counts,
    coverage: &Coverage,
    format: Format,
    style: &Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Text | Format::Wide => table(counts, coverage, format == Format::Wide, style, out),
        Format::Json => {
            counts.rows.iter().try_for_each(|row| json::line(&Envelope::new("Count", row), out))?;
            json::line(&Envelope::new("Coverage", coverage), out)
        }
        Format::Yaml => {
            counts.rows.iter().try_for_each(|row| yaml::document(&Envelope::new("Count", row), out))?;
            yaml::document(&Envelope::new("Coverage", coverage), out)
        }
        Format::Csv => sheet(counts, out),
        Format::Name => {
            let mut written = HashSet::new();
            let mut new = counts.rows.iter().map(|row| row.key.as_str()).filter(|key| written.insert(*key));
            new.try_for_each(|key| writeln!(out, "{}", neutral(key)))
        }
    }
}

/// The rows, then what is not among them; what was searched in vain if there are none.
fn table(
    counts: &Counts,
    coverage: &Coverage,
    wide: bool,
    style: &Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    if counts.rows.is_empty() {
        return writeln!(out, "{}", neutral(&coverage.verdict));
    }
    let of_apis = counts.rows.iter().any(|row| row.api.is_some());
    let columns: Vec<&Column> = API
        .iter()
        .filter(|_| of_apis)
        .chain(COLUMNS.iter().filter(|column| wide || column.place != Place::Wide))
        .collect();
    let key = if of_apis { "API".to_owned() } else { counts.nouns[0].to_uppercase() };
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(std::iter::once(key).chain(columns.iter().map(|column| column.head.to_owned())));
    for row in &counts.rows {
        let cells = columns.iter().map(|column| shown(&(column.cell)(row, style)));
        table.add_row(std::iter::once(shown(&row.key)).chain(cells));
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if at > 0 && columns[at - 1].place != Place::Text {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    counts.rest().map_or(Ok(()), |rest| writeln!(out, "{rest}"))
}

fn sheet(counts: &Counts, out: &mut dyn io::Write) -> io::Result<()> {
    let mut sheet = csv::Writer::from_writer(out);
    sheet.write_record(SHEET.map(|(name, _)| name))?;
    for row in &counts.rows {
        sheet.write_record(SHEET.map(|(_, cell)| inert(&cell(row)).into_owned()))?;
    }
    sheet.flush()
}

fn api(row: &Count, cell: fn(&Api) -> String) -> String {
    row.api.as_ref().map_or_else(|| NONE.to_owned(), cell)
}

fn part(row: &Count, cell: fn(&Api) -> String) -> String {
    row.api.as_ref().map(cell).unwrap_or_default()
}

fn given(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn micros(row: &Count, value: fn(&LatencyMicros) -> u64) -> String {
    given(row.latency.as_ref().map(value).as_ref())
}

fn time(time: Option<Timestamp>, style: &Style) -> String {
    told(time.map(|time| style.zone.display(time)))
}

fn took(row: &Count, value: fn(&LatencyMicros) -> u64) -> String {
    row.latency.as_ref().map_or_else(|| NONE.to_owned(), |latency| duration(value(latency)))
}

/// Milliseconds below ten seconds, seconds from there on, both with one digit of fraction, rounded up: a request took
/// some time.
fn duration(micros: u64) -> String {
    let (unit, name) = if micros < 10_000_000 { (1_000, "ms") } else { (1_000_000, "s") };
    let tenths = micros.div_ceil(unit / 10);
    format!("{}.{} {name}", grouped(tenths / 10), tenths % 10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hostile;
    use crate::sample::{PLAIN, coverage};
    use crate::terminal::is_hidden;

    const CONTRACT: &str = include_str!("../../../docs/answer.md");

    fn count(key: &str, requests: u64) -> Count {
        Count {
            question: "top",
            dimension: "users",
            key: key.to_owned(),
            others: false,
            requests,
            errors: 2,
            share: 0.25,
            long_running: 3,
            open: 1,
            latency: Some(LatencyMicros {
                measured: requests - 3,
                p50_micros: 1_151,
                p99_micros: 90_111,
                max_micros: 61_000_001,
            }),
            first: Timestamp::parse("2026-11-23T05:44:57Z"),
            last: None,
            api: None,
        }
    }

    fn api_of(user: &str) -> Api {
        Api {
            api_group: "batch".into(),
            api_version: "v1beta1".into(),
            resource: "cronjobs".into(),
            subresource: String::new(),
            removed_release: Some("1.25".into()),
            user: user.into(),
            client: Some("helm".into()),
            verbs: vec!["get", "create"],
        }
    }

    fn counts(rows: Vec<Count>) -> Counts {
        let (nouns, counted) = (["user", "users"], ["request", "requests"]);
        Counts {
            question: "top",
            nouns,
            counted,
            rows,
            requests: 4936,
            keys: 14,
            hidden: 12,
            hidden_requests: 5,
        }
    }

    fn written(counts: &Counts, format: Format) -> String {
        let mut out = Vec::new();
        write_counts(counts, &coverage(), format, &PLAIN, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_stand_at_the_right() {
        let told = counts(vec![count("alice", 1234), count("日本\n", 12)]);
        assert_eq!(
            written(&told, Format::Text),
            "\
USER    REQUESTS  SHARE  ERRORS     P50      P99     MAX  FIRST                    LAST
alice      1,234  25.0%       2  1.2 ms  90.2 ms  61.1 s  2026-11-23 05:44:57 UTC  -
日本\\n        12  25.0%       2  1.2 ms  90.2 ms  61.1 s  2026-11-23 05:44:57 UTC  -
12 more users with 5 requests; --limit 0 shows all
"
        );
        let wide = written(&told, Format::Wide);
        assert!(wide.lines().next().unwrap().contains("ERRORS  LONG-RUNNING  OPEN  "), "{wide}");
        assert_eq!(written(&counts(Vec::new()), Format::Text), "1 pod was found\n");
        assert_eq!(written(&told, Format::Name), "alice\n日本\\n\n");
    }

    #[test]
    fn uses_of_apis_have_their_columns() {
        let told = counts(vec![Count { api: Some(api_of("root")), ..count("cronjobs.v1beta1.batch", 7) }]);
        let text = written(&told, Format::Text);
        let mut lines = text.lines().map(|line| line.split("  ").filter(|cell| !cell.is_empty()));
        let head: Vec<&str> = lines.next().unwrap().take(6).map(str::trim).collect();
        let row: Vec<&str> = lines.next().unwrap().take(6).map(str::trim).collect();
        assert_eq!(head, ["API", "REMOVED IN", "USER", "CLIENT", "VERBS", "REQUESTS"]);
        assert_eq!(row, ["cronjobs.v1beta1.batch", "1.25", "root", "helm", "get,create", "7"]);
    }

    #[test]
    fn the_contract_names_every_field() {
        let row = count("cronjobs.v1beta1.batch", 7);
        let row = Count { question: "deprecated", dimension: "apis", api: Some(api_of("root")), ..row };
        let json = written(&counts(vec![row]), Format::Json);
        assert!(
            CONTRACT.contains(json.lines().next().unwrap()),
            "the example in docs/answer.md is not {json}"
        );
        let value: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
        let nested = ["latency", "api"].map(|field| &value[field]);
        for name in [&value].into_iter().chain(nested).flat_map(|part| part.as_object().unwrap().keys()) {
            assert!(CONTRACT.contains(&format!("`{name}`")), "docs/answer.md does not explain {name}");
        }
        for (name, _) in SHEET {
            let camel = name.split('_').enumerate().map(|(at, word)| match at {
                0 => word.to_owned(),
                _ => format!("{}{}", word[..1].to_uppercase(), &word[1..]),
            });
            assert!(json.contains(&format!("\"{}\":", camel.collect::<String>())), "{name} is in CSV alone");
        }
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_written(text in hostile::text()) {
            let told = counts(vec![Count { api: Some(api_of(&text)), ..count(&text, 7) }, count(&text, 3)]);
            for format in Format::all() {
                let out = written(&told, format);
                prop_assert!(!out.lines().any(|line| line.contains(is_hidden)), "{}: {}", format, out);
            }
            prop_assert_eq!(written(&told, Format::Json).lines().count(), 3);
        }
    }
}
