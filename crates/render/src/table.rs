//! A table as kubectl prints them: no lines, two spaces between columns, nothing cut to fit the screen.

use std::io;

use audit_who_event::answer::{Answer, Cause};
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

use crate::terminal::neutral;
use crate::text::{introduction, place, who};
use crate::{Report, Style};

type Cell = fn(&Answer, &Style) -> String;

/// Characters of a cell that are shown. No ordinary cell comes near it; without it one hostile name would make every
/// row of its column as long as itself.
const LONGEST: usize = 1000;

/// Stands where a thing is not known, or is not.
pub(crate) const NONE: &str = "-";

const COLUMNS: [(&str, Cell); 9] = [
    ("TIME", |answer, style| {
        answer.time.map_or_else(|| NONE.to_owned(), |time| style.zone.display(time).to_string())
    }),
    ("OUTCOME", |answer, _| answer.outcome.to_string()),
    ("MECHANISM", |answer, _| told(answer.mechanism)),
    ("OBJECT", |answer, _| {
        let dot = if answer.object.api_group.is_empty() { "" } else { "." };
        format!("{}{dot}{} {}", answer.object.resource, answer.object.api_group, place(&answer.object))
    }),
    ("ACTOR", |answer, _| told(answer.actor.as_deref().map(who))),
    ("CAUSE", |answer, _| told(answer.cause.as_deref().map(cause))),
    ("CERTAINTY", |answer, _| answer.certainty.to_string()),
    ("CLIENT", |answer, _| told(answer.actor.as_ref().and_then(|actor| actor.client.as_ref()))),
    ("EVIDENCE", evidence),
];

pub(crate) fn write(report: &Report<'_>, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    rows(report.answers, true, style, out)?;
    for same_object in report.related.chunk_by(|one, next| one.object == next.object) {
        writeln!(out, "{}", neutral(&introduction(&same_object[0])))?;
        rows(same_object, true, style, out)?;
    }
    Ok(())
}

/// Writes one answer, below a head unless one was written.
pub(crate) fn one(answer: &Answer, begun: bool, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    rows(std::slice::from_ref(answer), !begun, style, out)
}

/// Writes nothing for no answers: a head alone would look like a result.
fn rows(answers: &[Answer], head: bool, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    if answers.is_empty() {
        return Ok(());
    }
    let cells = answers.iter().map(|answer| COLUMNS.map(|(_, cell)| cell(answer, style)));
    aligned(head.then(|| COLUMNS.map(|(head, _)| head)), cells, out)
}

/// Writes a table as kubectl prints them, with every hidden character as a visible escape. Without rows only the head is
/// written.
///
/// The error is that of `out`.
pub fn write_table<const N: usize>(
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    aligned(Some(head), rows, out)
}

fn aligned<const N: usize>(
    head: Option<[&str; N]>,
    rows: impl IntoIterator<Item = [String; N]>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if let Some(head) = head {
        table.set_header(head);
    }
    for row in rows {
        table.add_row(row.map(|cell| shown(&cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Neutral text, cut with a visible `…` beyond `LONGEST`.
pub(crate) fn shown(text: &str) -> String {
    let text = neutral(text);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

pub(crate) fn told(value: Option<impl ToString>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| value.to_string())
}

fn cause(cause: &Cause) -> String {
    format!("{} {}", who(&cause.actor), cause.action)
}

/// The deciding entry, and how many more there are.
fn evidence(answer: &Answer, _: &Style) -> String {
    match answer.evidence.as_slice() {
        [] => NONE.to_owned(),
        [only] => format!("{}:{}", only.source, only.offset),
        [first, more @ ..] => format!("{}:{} (+{})", first.source, first.offset, more.len()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hostile;
    use crate::sample::{self, PLAIN, Sample};
    use crate::terminal::is_hidden;

    fn written(sample: &Sample) -> String {
        let mut out = Vec::new();
        write(&sample.report(), &PLAIN, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_aligned_and_whole() {
        let mut sample = Sample::evicted();
        let mut other = sample::scaled_down();
        other.actor = None;
        other.time = None;
        other.object.namespace = None;
        other.object.name = "日本\n".into();
        other.evidence.push(other.evidence[0].clone());
        sample.answers.push(other);
        sample.related.push(sample::evicted());
        assert_eq!(
            written(&sample),
            "\
TIME                     OUTCOME    MECHANISM     OBJECT            ACTOR  CAUSE                                         CERTAINTY  CLIENT   EVIDENCE
2026-11-23 05:45:10 UTC  succeeded  eviction-api  pods drain/web-1  alice  -                                             recorded   kubectl  audit.log:1234
-                        succeeded  scale-down    pods 日本\\n       -      alice scaled deployment apps/web from 3 to 1  inferred   -        audit.log:123456 (+1)
pod drain/web-1 was not evicted. It was removed:
TIME                     OUTCOME    MECHANISM     OBJECT            ACTOR  CAUSE  CERTAINTY  CLIENT   EVIDENCE
2026-11-23 05:45:10 UTC  succeeded  eviction-api  pods drain/web-1  alice  -      recorded   kubectl  audit.log:1234
"
        );
    }

    #[test]
    fn no_answers_are_no_table() {
        let mut sample = Sample::evicted();
        sample.answers.clear();
        assert_eq!(written(&sample), "");
    }

    #[test]
    fn a_hostile_name_does_not_stretch_the_table() {
        let mut sample = Sample::evicted();
        sample.answers[0].object.name = "é".repeat(100_000);
        let table = written(&sample);
        assert!(table.lines().all(|line| line.chars().count() < 1200));
        assert!(table.contains("éé…  alice"));
    }

    proptest! {
        #[test]
        fn every_answer_is_one_visible_line(text in hostile::text()) {
            let table = written(&Sample::hostile(&text));
            prop_assert_eq!(table.lines().count(), 5);
            prop_assert!(!table.lines().any(|line| line.contains(is_hidden)));
        }
    }
}
