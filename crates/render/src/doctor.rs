//! The report on a log's health: findings first, what can be asked next, the policy last.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;

use audit_who_event::answer::Envelope;
use audit_who_event::census::{Doctor, Example, Extent, Pair, Seen, Server};

use crate::paint::{self, Painted};
use crate::summary::{counted, duration, gap, grouped, plural, range, size};
use crate::terminal::neutral;
use crate::{Style, json};

/// Examples of one finding that are shown; the JSON output has more.
const SHOWN: usize = 5;
/// Files of one server that are shown.
const FILES_SHOWN: usize = 12;
/// Resources of the policy that are shown.
const RESOURCES_SHOWN: usize = 40;
/// The stages of a request.
const STAGES: [&str; 2] = ["RequestReceived", "ResponseComplete"];

/// Writes the report as one JSON object on a line of its own. The error is that of `out`.
pub fn write_doctor_json(doctor: &Doctor, out: &mut dyn io::Write) -> io::Result<()> {
    json::line(&Envelope::new("Doctor", doctor), out)
}

/// Writes the report for people, in many small pieces. The error is that of `out`.
pub fn write_doctor(doctor: &Doctor, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut page = Page { style, out };
    page.findings(doctor)?;
    for server in &doctor.servers {
        page.server(server)?;
    }
    page.unread(doctor)?;
    if doctor.total.entries == 0 {
        // What is logged can't be told from nothing.
        return Ok(());
    }
    page.requests(doctor)?;
    page.questions(doctor)?;
    page.policy(&doctor.policy)
}

struct Page<'a> {
    style: &'a Style,
    out: &'a mut dyn io::Write,
}

impl Page<'_> {
    fn line(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.out, "{}", neutral(&text.to_string()))
    }

    fn heading(&mut self, text: &str) -> io::Result<()> {
        let text = neutral(text);
        writeln!(self.out, "\n{}", Painted { text, style: paint::USER, color: self.style.color })
    }

    fn findings(&mut self, doctor: &Doctor) -> io::Result<()> {
        if doctor.findings.is_empty() {
            return self.line("These logs are healthy.");
        }
        let count = doctor.findings.len() as u64;
        let title = format!("{} to know before relying on these logs:", counted(count, "thing", "things"));
        writeln!(self.out, "{}", Painted { text: title, style: paint::ODD, color: self.style.color })?;
        for finding in &doctor.findings {
            self.line(format_args!("  {finding}"))?;
        }
        Ok(())
    }

    fn server(&mut self, server: &Server) -> io::Result<()> {
        let zone = self.style.zone;
        let read = &server.coverage;
        self.heading(&format!("server {}", read.name))?;
        let entries = counted(read.entries, "entry", "entries");
        let files = plural(read.files, "file");
        self.line(format_args!("  {entries} in {files}, {}", range(zone, read.from, read.until)))?;
        for generation in server.generations.iter().take(FILES_SHOWN) {
            let source = &generation.source;
            let tally = &source.tally;
            let (Some(from), Some(until)) = (tally.from, tally.until) else { continue };
            let name = source.source.rsplit('/').next().unwrap_or_default();
            let rotated = generation
                .rotated
                .map(|time| format!(", rotated {}", zone.display(time)))
                .unwrap_or_default();
            let (encoding, size) = (source.encoding, size(tally.bytes));
            let entries = counted(tally.entries, "entry", "entries");
            let when = range(zone, from, until);
            self.line(format_args!("  file   {name}: {entries}, {size}, {encoding}, {when}{rotated}"))?;
        }
        self.more(server.generations.len() as u64, server.generations.len().min(FILES_SHOWN))?;
        for lease in &server.leases {
            self.line(format_args!("  lease  {lease}"))?;
        }
        self.line(format_args!("  clock  goes back by {} at most", duration(server.clock_back)))?;
        for found in read.gaps.iter().take(SHOWN) {
            self.line(format_args!("  gap    {}", gap(found, zone)))?;
        }
        self.more(read.gap_count, read.gaps.len().min(SHOWN))
    }

    /// What could not be read.
    fn unread(&mut self, doctor: &Doctor) -> io::Result<()> {
        if doctor.no_logs.is_empty() && doctor.bad_spans.is_empty() && doctor.problems.is_empty() {
            return Ok(());
        }
        self.heading("not read")?;
        for source in doctor.no_logs.iter().take(SHOWN) {
            let lines =
                counted(source.tally.bad_lines, "line, which is no entry", "lines, none of them an entry");
            self.line(format_args!("  not an audit log: {}: {lines}", source.source))?;
        }
        self.more(doctor.no_logs.len() as u64, doctor.no_logs.len().min(SHOWN))?;
        let is_log = |name: &str| !doctor.no_logs.iter().any(|source| source.source == name);
        let spans: Vec<_> = doctor.bad_spans.iter().filter(|span| is_log(&span.source)).collect();
        for span in spans.iter().take(SHOWN) {
            let length = grouped(span.length);
            self.line(format_args!(
                "  bad line: {}:{} ({length} bytes): {}",
                span.source, span.offset, span.reason
            ))?;
        }
        let elsewhere: u64 = doctor.no_logs.iter().map(|source| source.tally.bad_lines).sum();
        self.more(doctor.total.bad_lines.saturating_sub(elsewhere), spans.len().min(SHOWN))?;
        let (errors, warnings): (Vec<_>, Vec<_>) = doctor.problems.iter().partition(|problem| problem.fatal);
        for error in errors {
            self.line(format_args!("  error: {}: {}", error.source, error.message))?;
        }
        for warning in warnings.iter().take(SHOWN) {
            self.line(format_args!("  warning: {}: {}", warning.source, warning.message))?;
        }
        self.more(warnings.len() as u64, warnings.len().min(SHOWN))
    }

    /// What entries say about each other.
    fn requests(&mut self, doctor: &Doctor) -> io::Result<()> {
        let singles = [
            ("requests without an end: what came of them is lost", &doctor.endless, doctor.endless_count),
            (
                "requests without a start: the entry of their coming in is lost",
                &doctor.startless,
                doctor.startless_count,
            ),
        ];
        for (title, examples, count) in singles {
            if count > 0 {
                self.heading(title)?;
                for example in examples.iter().take(SHOWN) {
                    self.example("  ", example)?;
                }
                self.more(count, examples.len().min(SHOWN))?;
            }
        }
        if doctor.conflict_count > 0 {
            self.heading("one audit ID and stage, two entries: chosen by the client, passed on, logged at two levels, or forged")?;
            for Pair { one, other } in doctor.conflicts.iter().take(SHOWN) {
                self.example("  ", one)?;
                self.example("    but ", other)?;
            }
            self.more(doctor.conflict_count, doctor.conflicts.len().min(SHOWN))?;
        }
        if !doctor.copies.is_empty() {
            self.heading("entries that stand in two places: answers count them once")?;
            for copies in doctor.copies.iter().take(SHOWN) {
                let entries = counted(copies.entries, "entry", "entries");
                let place = if copies.of == copies.source { "again" } else { copies.of.as_str() };
                let place = if place == "again" { place.to_owned() } else { format!("in {place} too") };
                self.line(format_args!("  {entries} of {} stand {place}", copies.source))?;
            }
            self.more(doctor.copies.len() as u64, doctor.copies.len().min(SHOWN))?;
        }
        self.heading("requests")?;
        let open = counted(doctor.open, "watch or session", "watches and sessions");
        let under_way = counted(doctor.under_way, "request", "requests");
        self.line(format_args!("  {open} still open, {under_way} under way at the end"))?;
        if doctor.compared_one_in > 1 {
            let one_in = grouped(doctor.compared_one_in);
            self.line(format_args!("  one of {one_in} requests was compared: there are too many to keep"))?;
        }
        Ok(())
    }

    fn example(&mut self, indent: &str, example: &Example) -> io::Result<()> {
        let time = example.time.map_or_else(String::new, |time| self.style.zone.display(time).to_string());
        let Example { stage, verb, request_uri, username, source, offset, audit_id, .. } = example;
        self.line(format_args!("{indent}{time}  {username}: {verb} {request_uri}"))?;
        let blank = " ".repeat(indent.len());
        self.line(format_args!("{blank}  {source}:{offset}  {stage}  auditID {audit_id}"))
    }

    fn questions(&mut self, doctor: &Doctor) -> io::Result<()> {
        self.heading("questions that these logs can answer")?;
        let of = |extent: Extent| doctor.questions.iter().filter(move |judged| judged.extent == extent);
        let whole: Vec<&str> = of(Extent::Whole).map(|judged| judged.question).collect();
        if !whole.is_empty() {
            self.line(format_args!("  yes   {}", whole.join(", ")))?;
        }
        for (word, extent) in [("part", Extent::Part), ("no  ", Extent::None)] {
            let mut by_reason: BTreeMap<String, Vec<&str>> = BTreeMap::new();
            for judged in of(extent) {
                let why = if judged.why.is_empty() { "no entries".to_owned() } else { judged.why.join("; ") };
                by_reason.entry(why).or_default().push(judged.question);
            }
            for (why, names) in by_reason {
                self.line(format_args!("  {word}  {}: {why}", names.join(", ")))?;
            }
        }
        Ok(())
    }

    /// One line a resource: which verbs are logged at which level.
    fn policy(&mut self, seen: &[Seen]) -> io::Result<()> {
        self.heading("audit policy, as far as entries show it")?;
        for stage in STAGES {
            if !seen.iter().any(|row| row.stages.iter().any(|own| own == stage)) {
                self.line(format_args!("  stage {stage} is never logged"))?;
            }
        }
        let mut resources: BTreeMap<String, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
        for row in seen {
            let verbs = resources.entry(resource(row)).or_default().entry(&row.level).or_default();
            if !verbs.contains(&row.verb.as_str()) {
                verbs.push(&row.verb);
            }
        }
        for (name, levels) in resources.iter().take(RESOURCES_SHOWN) {
            let levels: Vec<String> = levels
                .iter()
                .map(|(level, verbs)| format!("{} ({})", known(level), verbs.join(" ")))
                .collect();
            self.line(format_args!("  {name}: {}", levels.join(", ")))?;
        }
        self.more(resources.len() as u64, resources.len().min(RESOURCES_SHOWN))
    }

    fn more(&mut self, count: u64, shown: usize) -> io::Result<()> {
        match count.saturating_sub(shown as u64) {
            0 => Ok(()),
            more => self.line(format_args!("  … and {} more", grouped(more))),
        }
    }
}

/// The legacy format tells no level.
const fn known(level: &str) -> &str {
    if level.is_empty() { "level unknown" } else { level }
}

/// `deployments.apps/scale`, as kubectl writes it.
fn resource(row: &Seen) -> String {
    let Seen { api_group, resource, subresource, .. } = row;
    let dot = if api_group.is_empty() { "" } else { "." };
    let slash = if subresource.is_empty() { "" } else { "/" };
    if resource.is_empty() {
        "(no resource)".to_owned()
    } else {
        format!("{resource}{dot}{api_group}{slash}{subresource}")
    }
}

#[cfg(test)]
mod tests {
    use audit_who_event::census::{Answerable, Copies, Generation};
    use audit_who_event::coverage::{BadSpan, Problem};
    use proptest::prelude::*;

    use super::*;
    use crate::sample::{self, PLAIN};
    use crate::terminal::is_hidden;
    use crate::{Zone, hostile};

    /// A report with one of everything, and `text` wherever a log can put some.
    fn report(text: &str) -> Doctor {
        let coverage = sample::Sample::hostile(text).coverage;
        let example = Example {
            source: text.to_owned(),
            offset: 12,
            audit_id: text.to_owned(),
            stage: text.to_owned(),
            time: sample::at("2026-11-23T05:46:00Z"),
            verb: text.to_owned(),
            request_uri: text.to_owned(),
            username: text.to_owned(),
            ..Example::default()
        };
        let generation =
            Generation { source: coverage.sources[0].clone(), rotated: sample::at("2026-11-23T05:47:40Z") };
        let server = Server {
            coverage: coverage.servers[0].clone(),
            generations: vec![generation; 14],
            leases: vec![text.to_owned()],
            clock_back: 12_000,
        };
        let policy = Seen {
            resource: text.to_owned(),
            verb: text.to_owned(),
            level: text.to_owned(),
            ..coverage.seen[0].clone()
        };
        let judged = |question, extent, why: &str| Answerable { question, extent, why: vec![why.to_owned()] };
        Doctor {
            findings: vec![text.to_owned()],
            servers: vec![server],
            total: coverage.total,
            copies: vec![Copies { of: text.to_owned(), source: text.to_owned(), entries: 3 }],
            conflicts: vec![Pair { one: example.clone(), other: example.clone() }],
            conflict_count: 7,
            endless: vec![example.clone()],
            endless_count: 1,
            startless: vec![example],
            startless_count: 1,
            open: 1,
            under_way: 2,
            compared_one_in: 4,
            truncated: 1,
            salvaged: 1,
            policy: vec![policy],
            questions: vec![
                judged("evicted", Extent::Whole, ""),
                judged("scaled", Extent::Part, text),
                judged("labeled", Extent::Part, text),
                judged("token", Extent::None, text),
            ],
            bad_spans: vec![BadSpan {
                source: text.to_owned(),
                offset: 1,
                length: 2,
                reason: text.to_owned(),
            }],
            problems: vec![Problem { source: text.to_owned(), message: text.to_owned(), fatal: true }],
            no_logs: vec![coverage.sources[0].clone(); 9],
        }
    }

    fn written(doctor: &Doctor) -> String {
        let mut out = Vec::new();
        write_doctor(doctor, &PLAIN, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn everything_that_is_known_is_told_and_long_lists_are_cut() {
        let text = written(&report("x"));
        for line in [
            "1 thing to know before relying on these logs:\n  x\n",
            "  … and 2 more\n  lease  x\n  clock  goes back by 12 ms at most\n  gap    x: no entries for 97 s, ",
            "\nrequests without an end: what came of them is lost\n  2026-11-23 05:46:00 UTC  x: x x\n    x:12  x  auditID x\n",
            "    but 2026-11-23 05:46:00 UTC  x: x x\n",
            "  … and 6 more\n",
            "  … and 4 more\n",
            "  3 entries of x stand again\n",
            "  1 watch or session still open, 2 requests under way at the end\n  one of 4 requests was compared",
            "  yes   evicted\n  part  scaled, labeled: x\n  no    token: x\n",
            "  stage RequestReceived is never logged\n  x/eviction: x (x)\n",
        ] {
            assert!(text.contains(line), "{line:?} is not in\n{text}");
        }
    }

    #[test]
    fn times_are_shown_in_the_zone_that_is_asked_for() {
        let mut out = Vec::new();
        let style = Style { zone: Zone::parse("Asia/Tokyo").unwrap(), ..PLAIN };
        write_doctor(&report("x"), &style, &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("2026-11-23 14:46:00 +09:00  x: x x"));
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_told(text in hostile::text()) {
            prop_assert!(!written(&report(&text)).lines().any(|line| line.contains(is_hidden)));
        }
    }
}
