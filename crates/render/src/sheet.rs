//! One CSV row an answer. Columns are added at the end, never renamed or moved.

use std::borrow::Cow;
use std::io;

use audit_who_event::answer::{Answer, Evidence};

use crate::Report;
use crate::terminal::{is_hidden, neutral};

type Cell = fn(&Row<'_>) -> String;

struct Row<'a> {
    kind: &'static str,
    answer: &'a Answer,
}

/// Column names and what stands in them; empty where it is not known.
const COLUMNS: [(&str, Cell); 27] = [
    ("question", |row| row.answer.question.to_owned()),
    ("outcome", |row| row.answer.outcome.to_string()),
    ("mechanism", |row| told(row.answer.mechanism.as_ref())),
    ("certainty", |row| row.answer.certainty.to_string()),
    ("time", |row| told(row.answer.time.as_ref())),
    ("api_group", |row| row.answer.object.api_group.clone()),
    ("resource", |row| row.answer.object.resource.clone()),
    ("namespace", |row| told(row.answer.object.namespace.as_ref())),
    ("name", |row| row.answer.object.name.clone()),
    ("uid", |row| told(row.answer.object.uid.as_ref())),
    ("username", |row| told(row.answer.actor.as_ref().map(|actor| &actor.username))),
    ("impersonated", |row| {
        let other = row.answer.actor.as_ref().and_then(|actor| actor.impersonated.as_ref());
        told(other.map(|other| &other.username))
    }),
    ("client", |row| told(row.answer.actor.as_ref().and_then(|actor| actor.client.as_ref()))),
    ("source_ips", |row| told(row.answer.actor.as_ref().map(|actor| actor.source_ips.join(" ")).as_ref())),
    ("cause_username", |row| told(row.answer.cause.as_ref().map(|cause| &cause.actor.username))),
    ("cause_action", |row| told(row.answer.cause.as_ref().map(|cause| &cause.action))),
    ("cause_time", |row| told(row.answer.cause.as_ref().and_then(|cause| cause.time.as_ref()))),
    ("blocked", |row| row.answer.attempts.blocked.to_string()),
    ("denied", |row| row.answer.attempts.denied.to_string()),
    ("failed", |row| row.answer.attempts.failed.to_string()),
    ("dry_run", |row| row.answer.attempts.dry_run.to_string()),
    ("text", |row| row.answer.text.clone()),
    ("source", |row| told(row.proof().map(|entry| &entry.source))),
    ("offset", |row| told(row.proof().map(|entry| &entry.offset))),
    ("length", |row| told(row.proof().map(|entry| &entry.length))),
    ("audit_id", |row| told(row.proof().map(|entry| &entry.audit_id))),
    ("kind", |row| row.kind.to_owned()),
];

impl Row<'_> {
    /// The deciding entry.
    fn proof(&self) -> Option<&Evidence> {
        self.answer.evidence.first()
    }
}

/// Writes one answer, below the names of the columns unless these were written.
pub(crate) fn one(answer: &Answer, begun: bool, out: &mut dyn io::Write) -> io::Result<()> {
    let mut sheet = csv::Writer::from_writer(out);
    if !begun {
        sheet.write_record(COLUMNS.map(|(name, _)| name))?;
    }
    let row = Row { kind: "Answer", answer };
    sheet.write_record(COLUMNS.map(|(_, cell)| inert(&cell(&row)).into_owned()))?;
    sheet.flush()
}

pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut sheet = csv::Writer::from_writer(out);
    sheet.write_record(COLUMNS.map(|(name, _)| name))?;
    let answers = report.answers.iter().map(|answer| Row { kind: "Answer", answer });
    let related = report.related.iter().map(|answer| Row { kind: "RelatedAnswer", answer });
    for row in answers.chain(related) {
        sheet.write_record(COLUMNS.map(|(_, cell)| inert(&cell(&row)).into_owned()))?;
    }
    sheet.flush()
}

fn told(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

/// Neutral text that no spreadsheet takes for a formula: an apostrophe goes before what could begin one.
///
/// Spreadsheets trim white space and some read full-width signs, so both count. The sign is looked for in the text as
/// recorded: an escape in front of it would not survive another program's unescaping.
pub(crate) fn inert(text: &str) -> Cow<'_, str> {
    let first = text.trim_start_matches(|c: char| c.is_whitespace() || is_hidden(c)).chars().next();
    let sign = matches!(first, Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'));
    if sign || text.starts_with(['\t', '\r']) { format!("'{}", neutral(text)).into() } else { neutral(text) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hostile;
    use crate::sample::Sample;

    fn written(sample: &Sample) -> String {
        let mut out = Vec::new();
        write(&sample.report(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    const HEADER: &str = "question,outcome,mechanism,certainty,time,api_group,resource,namespace,name,uid,username,\
         impersonated,client,source_ips,cause_username,cause_action,cause_time,blocked,denied,failed,dry_run,text,\
         source,offset,length,audit_id,kind\n";

    #[test]
    fn an_answer_is_a_row() {
        let row = "deleted,succeeded,scale-down,inferred,2026-11-23T05:45:10.504068Z,,pods,shop,web-1,0c5e7d1a,\
             system:serviceaccount:kube-system:replicaset-controller,,kube-controller-manager,10.0.0.2,alice,\
             scaled deployment apps/web from 3 to 1,2026-11-23T05:45:09.100000Z,0,1,0,0,\
             \"alice scaled down deployment shop/web, so the replicaset controller deleted pod shop/web-1.\",\
             audit.log,123456,2210,7d7e,Answer\n";
        assert_eq!(written(&Sample::scaled_down()), format!("{HEADER}{row}"));
    }

    #[test]
    fn a_related_answer_says_that_it_is_one() {
        let mut sample = Sample::scaled_down();
        std::mem::swap(&mut sample.answers, &mut sample.related);
        assert!(written(&sample).ends_with(",RelatedAnswer\n"));
        sample.related.clear();
        assert_eq!(written(&sample), HEADER);
    }

    #[test]
    fn formulas_are_text() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("  @SUM(A1)", "'  @SUM(A1)"),
            ("\t-2", r"'\t-2"),
            ("\tx", r"'\tx"),
            ("\u{feff}=1", r"'\u{feff}=1"),
            ("\n＝1", r"'\n＝1"),
            ("1=1", "1=1"),
            ("a\nb", r"a\nb"),
            ("", ""),
        ] {
            assert_eq!(inert(text), cell);
        }
    }

    proptest! {
        #[test]
        fn no_cell_is_a_formula_or_hides_anything(text in hostile::text()) {
            let sheet = written(&Sample::hostile(&text));
            let mut rows = csv::Reader::from_reader(sheet.as_bytes());
            let mut count = 0;
            for row in rows.records() {
                for cell in &row.unwrap() {
                    prop_assert!(!cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']), "{cell:?}");
                    prop_assert!(!cell.contains(is_hidden), "{cell:?}");
                }
                count += 1;
            }
            prop_assert_eq!(count, 2);
        }
    }
}
