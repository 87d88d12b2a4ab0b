//! What was searched, in a few lines beside the answer.

use std::collections::BTreeSet;
use std::fmt::Display;

use audit_who_event::coverage::{BadSpan, Coverage, Gap, Problem, SourceCoverage, Why};
use audit_who_event::time::Timestamp;

use crate::paint::{self, Painted};
use crate::terminal::neutral;
use crate::{Style, Zone};

/// Files that are no audit logs and are told one by one.
const OTHERS_SHOWN: usize = 5;
/// Bad lines that are told one by one.
const BAD_SHOWN: usize = 5;
/// Inputs that were passed over and are told one by one.
const WARNINGS_SHOWN: usize = 5;
/// Gaps of one server that are told one by one.
const GAPS_SHOWN: usize = 5;

/// What could not be read and what was searched, one line each, without line ends: for the error stream.
///
/// The last line always says what was searched; `Coverage::verdict` is not among them.
pub fn summary(coverage: &Coverage, style: &Style) -> Vec<String> {
    let told = |word, look, rest: &str| {
        let word = Painted { text: word, style: look, color: style.color };
        format!("{word} {}", neutral(rest))
    };
    let mut lines = Vec::new();
    let others = || coverage.sources.iter().filter(|source| source.is_no_log());
    for source in others().take(OTHERS_SHOWN) {
        lines.push(told("not an audit log:", paint::ODD, &no_log(source, coverage)));
    }
    lines.extend(and_more(others().skip(OTHERS_SHOWN).count() as u64));
    let (logs, bad_lines) = in_logs(coverage);
    for span in logs.iter().take(BAD_SHOWN) {
        let place = format!("{}:{} ({} bytes)", span.source, span.offset, grouped(span.length));
        lines.push(told("bad line:", paint::ODD, &format!("{place}: {}", span.reason)));
    }
    let more = bad_lines.saturating_sub(logs.len().min(BAD_SHOWN) as u64);
    if !logs.is_empty() {
        lines.extend(and_more(more));
    }
    for (text, more) in gaps(coverage, style) {
        if more { lines.push(text) } else { lines.push(told("gap:", paint::ODD, &text)) }
    }
    if let Some(kept) = coverage.kept_in_words() {
        lines.push(told("warning:", paint::ODD, &kept));
    }
    let (errors, warnings): (Vec<_>, Vec<_>) = coverage.problems.iter().partition(|problem| problem.fatal);
    let problem = |problem: &Problem| format!("{}: {}", problem.source, problem.message);
    lines.extend(errors.iter().map(|error| told("error:", paint::BAD, &problem(error))));
    let shown = warnings.iter().take(WARNINGS_SHOWN);
    lines.extend(shown.map(|warning| told("warning:", paint::ODD, &problem(warning))));
    lines.extend(and_more(warnings.len().saturating_sub(WARNINGS_SHOWN) as u64));
    lines.push(searched(coverage, bad_lines, style));
    lines
}

/// `… and 1,204 more`, where there are more than those told one by one.
fn and_more(count: u64) -> Option<String> {
    (count > 0).then(|| format!("… and {} more", grouped(count)))
}

/// One line about a source that holds no entry: its lines say nothing one by one.
fn no_log(source: &SourceCoverage, coverage: &Coverage) -> String {
    let name = &source.source;
    let lines = counted(source.tally.bad_lines, "line, which is no entry", "lines, none of them an entry");
    let first = coverage.bad_spans.iter().find(|span| span.source == *name);
    let first = first.map(|span| format!("; first at byte {}: {}", span.offset, span.reason));
    format!("{name}: {lines}{}", first.unwrap_or_default())
}

/// The bad spans that are kept of audit logs, and how many bad lines these logs have in all.
fn in_logs(coverage: &Coverage) -> (Vec<&BadSpan>, u64) {
    let others = || coverage.sources.iter().filter(|source| source.is_no_log());
    let names: BTreeSet<&str> = others().map(|source| source.source.as_str()).collect();
    let spans = coverage.bad_spans.iter().filter(|span| !names.contains(span.source.as_str()));
    let elsewhere: u64 = others().map(|source| source.tally.bad_lines).sum();
    (spans.collect(), coverage.total.bad_lines.saturating_sub(elsewhere))
}

/// A line for each of the first gaps of every server, and one that counts the others.
fn gaps(coverage: &Coverage, style: &Style) -> Vec<(String, bool)> {
    let mut lines = Vec::new();
    for server in &coverage.servers {
        lines.extend(server.gaps.iter().take(GAPS_SHOWN).map(|gap| (self::gap(gap, style.zone), false)));
        let more = and_more(server.gap_count.saturating_sub(GAPS_SHOWN as u64));
        lines.extend(more.map(|text| (text, true)));
    }
    lines
}

/// `audit-a: no entries for 12 min, 2026-11-23 05:44:57 to 05:56:58 UTC, between a.log and b.log`.
pub(crate) fn gap(gap: &Gap, zone: Zone) -> String {
    let lasted = duration(gap.until.since(gap.from));
    let place = match (&gap.before, &gap.behind) {
        (before, behind) if before == behind => format!("in {before}"),
        (before, behind) => format!("between {before} and {behind}"),
    };
    if gap.why == Why::Lost && gap.until == gap.from {
        return format!("{}: lost content behind {}, {place}", gap.server, zone.display(gap.from));
    }
    let what = match gap.why {
        Why::NoEntries => format!("no entries for {lasted}"),
        why => format!("no entries but {why} for {lasted}"),
    };
    format!("{}: {what}, {}, {place}", gap.server, range(zone, gap.from, gap.until))
}

/// Microseconds in the two largest units that say something: `2 h 5 min`, `61 s`.
pub(crate) fn duration(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, seconds) {
        (1.., _) => format!("{} d {hours} h", grouped(days)),
        (_, 3_600..) => format!("{hours} h {minutes} min"),
        (_, 120..) if seconds % 60 == 0 => format!("{minutes} min"),
        (_, 120..) => format!("{minutes} min {} s", seconds % 60),
        (_, 1..) => format!("{seconds} s"),
        _ => format!("{} ms", micros / 1_000),
    }
}

fn searched(coverage: &Coverage, bad_lines: u64, style: &Style) -> String {
    let total = &coverage.total;
    let mut line = format!(
        "searched {}{}, {}, {}",
        sources(&coverage.sources),
        servers(coverage),
        size(total.bytes),
        counted(total.entries, "entry", "entries")
    );
    if let (Some(from), Some(until)) = (total.from, total.until) {
        line = format!("{line}, {}", range(style.zone, from, until));
    }
    if total.outside_bytes > 0 {
        line = format!("{line}; {} outside of the window not read", size(total.outside_bytes));
    }
    if let Some(from) = coverage.context_from {
        line = format!("{line}; causes looked for from {} on", style.zone.display(from));
    }
    if bad_lines > 0 {
        line = format!("{line}; {}", plural(bad_lines, "bad line"));
    }
    line
}

/// A range of times; date and offset are said once where both ends share them.
pub(crate) fn range(zone: Zone, from: Timestamp, until: Timestamp) -> String {
    let (from, until) = (zone.display(from).to_string(), zone.display(until).to_string());
    let ends: (Vec<&str>, Vec<&str>) = (from.split(' ').collect(), until.split(' ').collect());
    match (ends.0.as_slice(), ends.1.as_slice()) {
        ([day, first, offset], [same_day, last, same]) if offset == same && day == same_day => {
            format!("{day} {first} to {last} {offset}")
        }
        ([day, first, offset], [until, last, same]) if offset == same => {
            format!("{day} {first} to {until} {last} {offset}")
        }
        _ => format!("{from} to {until}"),
    }
}

fn sources(sources: &[SourceCoverage]) -> String {
    let streams = sources.iter().filter(|source| source.source == "-").count();
    match (sources.len() - streams, streams) {
        (0, 0) => "no files".to_owned(),
        (0, _) => "standard input".to_owned(),
        (files, 0) => plural(files as u64, "file"),
        (files, _) => format!("{} and standard input", plural(files as u64, "file")),
    }
}

/// Of how many API servers the logs are: where only one of several is here, requests to the others are not.
fn servers(coverage: &Coverage) -> String {
    match coverage.servers.len() as u64 {
        0 => String::new(),
        count => format!(" of {}", plural(count, "API server")),
    }
}

pub(crate) fn plural(count: u64, one: &str) -> String {
    counted(count, one, &format!("{one}s"))
}

pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// `1204` as `1,204`.
pub(crate) fn grouped(number: impl Display) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes in decimal units with one digit of fraction, rounded down: `6.1 MB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match UNITS.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", grouped(bytes / unit), bytes % unit / (unit / 10)),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use audit_who_event::coverage::Tally;
    use proptest::prelude::*;

    use super::*;
    use crate::hostile;
    use crate::sample::{self, PLAIN, Sample};
    use crate::terminal::is_hidden;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    #[test]
    fn all_that_was_and_was_not_read_is_told() {
        assert_eq!(
            summary(&sample::coverage(), &PLAIN),
            [
                "bad line: audit.log:12345 (630 bytes): torn JSON: the line ends inside a string",
                "gap: logs: no entries for 97 s, 2026-11-23 05:46:00 to 05:47:37 UTC, in logs/audit-2026-11-23T05-47-40.000.log",
                "error: old/audit.log.gz: permission denied; read it as root",
                "searched 1 file of 1 API server, 6.1 MB, 4,512 entries, 2026-11-23 05:44:57 to 05:48:10 UTC; 1 bad line",
            ]
        );
    }

    #[test]
    fn what_was_left_out_for_its_time_is_told() {
        let mut coverage = sample::coverage();
        coverage.total.outside_bytes = 1_900_000_000;
        coverage.context_from = Timestamp::parse("2026-11-23T05:42:00Z");
        assert_eq!(
            summary(&coverage, &PLAIN).last().map(String::as_str),
            Some(
                "searched 1 file of 1 API server, 6.1 MB, 4,512 entries, 2026-11-23 05:44:57 to 05:48:10 UTC; \
                 1.9 GB outside of the window not read; causes looked for from 2026-11-23 05:42:00 UTC on; 1 bad line"
            )
        );
    }

    #[test]
    fn many_bad_lines_are_counted() {
        let mut coverage = sample::coverage();
        coverage.bad_spans = vec![coverage.bad_spans[0].clone(); 7];
        coverage.total.bad_lines = 1209;
        coverage.problems[0].fatal = false;
        coverage.sources[0].source = "-".into();
        let lines = summary(&coverage, &Style { zone: zone("Asia/Tokyo"), ..PLAIN });
        assert_eq!(
            lines[8],
            "searched standard input of 1 API server, 6.1 MB, 4,512 entries, 2026-11-23 14:44:57 to 14:48:10 +09:00; 1,209 bad lines"
        );
        assert_eq!(lines[5], "… and 1,204 more");
        assert_eq!(lines[7], "warning: old/audit.log.gz: permission denied; read it as root");
        assert_eq!(lines.len(), 9);
    }

    #[test]
    fn a_file_that_is_no_log_is_told_in_one_line() {
        let mut coverage = sample::coverage();
        let mut klog = coverage.sources[0].clone();
        klog.source = "klog/x.log".into();
        klog.tally = Tally { bad_lines: 1240, ..Tally::default() };
        coverage.total.bad_lines += 1240;
        let span =
            |offset| BadSpan { source: "klog/x.log".into(), offset, length: 9, reason: "no JSON".into() };
        coverage.bad_spans.extend([span(0), span(10)]);
        coverage.sources.push(klog);
        let lines = summary(&coverage, &PLAIN);
        assert_eq!(
            lines[0],
            "not an audit log: klog/x.log: 1,240 lines, none of them an entry; first at byte 0: no JSON"
        );
        assert!(lines[1].starts_with("bad line: audit.log:12345"), "{lines:?}");
        assert!(lines[4].ends_with("; 1 bad line"), "{lines:?}");
        assert_eq!(lines.len(), 5);
    }

    #[test]
    fn many_files_that_are_no_logs_are_counted() {
        let mut coverage = sample::coverage();
        let other = |number| {
            let mut source = coverage.sources[0].clone();
            source.source = format!("wrapped/{number}.json");
            source.tally = Tally { bad_lines: 1, ..Tally::default() };
            source
        };
        let others: Vec<_> = (0..2_005).map(other).collect();
        coverage.total.bad_lines += 2_005;
        coverage.sources.extend(others);
        let lines = summary(&coverage, &PLAIN);
        assert_eq!(lines[4], "not an audit log: wrapped/4.json: 1 line, which is no entry");
        assert_eq!(lines[5], "… and 2,000 more");
        assert!(lines[6].starts_with("bad line: audit.log:12345"), "{lines:?}");
        assert_eq!(lines.len(), 10);
    }

    #[test]
    fn gaps_say_when_and_where() {
        let mut coverage = sample::coverage();
        let server = &mut coverage.servers[0];
        let gap = server.gaps[0].clone();
        server.gaps = vec![gap; 6];
        server.gaps[1].behind = "logs/audit.log".into();
        server.gaps[1].why = Why::DamagedFile;
        server.gap_count = 205;
        let lines = summary(&coverage, &PLAIN);
        assert_eq!(
            lines[1],
            "gap: logs: no entries for 97 s, 2026-11-23 05:46:00 to 05:47:37 UTC, in logs/audit-2026-11-23T05-47-40.000.log"
        );
        assert_eq!(
            lines[2],
            "gap: logs: no entries but a damaged file for 97 s, 2026-11-23 05:46:00 to 05:47:37 UTC, \
             between logs/audit-2026-11-23T05-47-40.000.log and logs/audit.log"
        );
        assert_eq!(lines[6], "… and 200 more");
        let durations =
            [950_000, 1_000_000, 119_999_999, 125_000_000, 7_500_000_000, 100_000_000_000].map(duration);
        assert_eq!(durations, ["950 ms", "1 s", "119 s", "2 min 5 s", "2 h 5 min", "1 d 3 h"]);
    }

    #[test]
    fn a_range_says_date_and_offset_once() {
        let range = |name: &str, from, until| {
            let at = |text| Timestamp::parse(text).unwrap();
            super::range(zone(name), at(from), at(until))
        };
        assert_eq!(
            range("utc", "2026-11-23T05:44:57Z", "2026-11-23T05:48:10Z"),
            "2026-11-23 05:44:57 to 05:48:10 UTC"
        );
        assert_eq!(
            range("UTC", "2026-11-22T05:44:57Z", "2026-11-23T05:48:10Z"),
            "2026-11-22 05:44:57 to 2026-11-23 05:48:10 UTC"
        );
        assert_eq!(
            range("Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
            "2026-10-25 02:30:00 +02:00 to 2026-10-25 02:30:00 +01:00"
        );
        assert_eq!(
            super::range(Zone::Utc, Timestamp::from_micros(0), Timestamp::MAX),
            format!("1970-01-01 00:00:00 UTC to {}", Timestamp::MAX)
        );
    }

    #[test]
    fn nothing_read_is_told_too() {
        assert_eq!(summary(&Coverage::default(), &PLAIN), ["searched no files, 0 B, 0 entries"]);
    }

    #[test]
    fn colours_mark_what_is_wrong() {
        let lines = summary(&sample::coverage(), &Style { color: true, ..PLAIN });
        assert_eq!(lines[0][..19], *"\u{1b}[33mbad line:\u{1b}[0m ");
        assert_eq!(
            lines[2],
            "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m old/audit.log.gz: permission denied; read it as root"
        );
    }

    #[test]
    fn sizes_are_rounded_down() {
        let sizes = [999, 1_000, 1_999, 999_999, 10_490_000_000, u64::MAX].map(size);
        assert_eq!(sizes, ["999 B", "1.0 kB", "1.9 kB", "999.9 kB", "10.4 GB", "18,446,744.0 TB"]);
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_told(text in hostile::text()) {
            let lines = summary(&Sample::hostile(&text).coverage, &PLAIN);
            prop_assert!(!lines.iter().any(|line| line.contains(is_hidden)));
        }
    }
}
