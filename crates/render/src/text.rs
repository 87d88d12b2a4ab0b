//! Sentences, for somebody who was woken up: what happened first, what proves it last.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io;
use std::sync::Arc;

use audit_who_event::answer::{
    Actor, Answer, Attempts, Cause, Certainty, Evidence, Mechanism, Object, Outcome,
};
use audit_who_event::subject::Key;

use crate::paint::{self, Painted};
use crate::terminal::{columns, neutral};
use crate::wrap::wrap;
use crate::{Report, Style};

/// Entries that are listed for one answer; the JSON output lists all.
const EVIDENCE_SHOWN: usize = 5;

/// Columns of `  evidence  `.
const INDENT: usize = 12;

pub(crate) fn write(report: &Report<'_>, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut page = Page { style, out, begun: false };
    for answer in report.answers {
        page.answer(answer)?;
    }
    let verdict = &report.coverage.verdict;
    if report.answers.is_empty() && report.related.iter().all(may_have_shown) && !verdict.is_empty() {
        page.line(verdict)?;
    }
    let mut about = None;
    for answer in report.related {
        let introduction = introduction(answer);
        if about.as_ref() != Some(&introduction) {
            page.line(&introduction)?;
            about = Some(introduction);
        }
        page.answer(answer)?;
    }
    Ok(())
}

/// Writes one answer, apart from what was written before if something was.
pub(crate) fn one(answer: &Answer, begun: bool, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    Page { style, out, begun }.answer(answer)
}

/// Whether a related answer tells of what may have shown an object, which says nothing of whether that is there.
fn may_have_shown(answer: &Answer) -> bool {
    answer.mechanism.is_none() && answer.outcome == Outcome::Succeeded
}

/// What introduces related answers: removals of an object that was asked about in vain, or what may have shown it.
pub(crate) fn introduction(answer: &Answer) -> String {
    if may_have_shown(answer) {
        return "It may also have been seen here:".to_owned();
    }
    let object = Key::from(&answer.object);
    match (answer.outcome, answer.mechanism) {
        (Outcome::Succeeded, Some(Mechanism::NodePressure)) => {
            format!("{object} was not deleted. It was evicted:")
        }
        (Outcome::Succeeded, _) => format!("{object} was not evicted. It was removed:"),
        _ => format!("What these files hold about the end of {object}:"),
    }
}

/// `namespace/name`, or the name alone. Not neutral.
pub(crate) fn place(object: &Object) -> String {
    object.namespace.as_ref().map_or_else(|| object.name.clone(), |space| format!("{space}/{}", object.name))
}

/// The links from the actor to the root cause.
pub(crate) fn links(answer: &Answer) -> &[Arc<Cause>] {
    if answer.chain.is_empty() { answer.cause.as_slice() } else { &answer.chain }
}

/// Who is behind `actor`. Not neutral.
pub(crate) fn who(actor: &Actor) -> String {
    let name = if actor.username.is_empty() { "somebody" } else { &actor.username };
    actor
        .impersonated
        .as_ref()
        .map_or_else(|| name.to_owned(), |other| format!("{name} as {}", other.username))
}

struct Page<'a> {
    style: &'a Style,
    out: &'a mut dyn io::Write,
    begun: bool,
}

impl Page<'_> {
    fn answer(&mut self, answer: &Answer) -> io::Result<()> {
        self.sentence(answer)?;
        self.outcome(answer)?;
        for link in links(answer) {
            self.because(link)?;
        }
        if let Some(actor) = &answer.actor {
            self.actor(actor)?;
        }
        if let Some(minted) = &answer.token_minted {
            self.token(minted)?;
        }
        self.attempts(&answer.attempts)?;
        for note in &answer.notes {
            self.field("note", note, None)?;
        }
        self.evidence(answer)
    }

    /// A line of its own, apart from what is above it.
    fn line(&mut self, text: &str) -> io::Result<()> {
        self.part()?;
        self.wrapped(&neutral(text), 0, 0, None)
    }

    /// An empty line between two parts.
    fn part(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) { writeln!(self.out) } else { Ok(()) }
    }

    fn sentence(&mut self, answer: &Answer) -> io::Result<()> {
        self.part()?;
        let time = answer
            .time
            .map_or_else(|| "time unknown".to_owned(), |time| self.style.zone.display(time).to_string());
        write!(self.out, "{time}  ")?;
        let root = answer.cause.as_ref().map(|cause| &cause.actor);
        let mut names = root.into_iter().chain(&answer.actor).map(|actor| actor.username.as_str());
        let text = neutral(&answer.text);
        let bold = names.find_map(|name| find_name(&text, &neutral(name)));
        self.wrapped(&text, columns(&time) + 2, INDENT, bold)
    }

    /// Said unless it is what a reader takes for granted: done, and stated by an entry.
    fn outcome(&mut self, answer: &Answer) -> io::Result<()> {
        let inferred = answer.certainty == Certainty::Inferred;
        if answer.outcome == Outcome::Succeeded && !inferred {
            return Ok(());
        }
        let outcome = self.paint(answer.outcome, paint::outcome(answer.outcome));
        let certainty = if inferred { ", inferred" } else { "" };
        writeln!(self.out, "  outcome   {outcome}{certainty}")
    }

    fn because(&mut self, link: &Cause) -> io::Result<()> {
        let time = link.time.map(|time| self.style.zone.display(time).to_string());
        let certainty = (link.certainty == Certainty::Inferred).then(|| "inferred".to_owned());
        let aside: Vec<_> = time.into_iter().chain(certainty).collect();
        let aside = if aside.is_empty() { String::new() } else { format!(" ({})", aside.join(", ")) };
        let who = who(&link.actor);
        self.field("because", &format!("{who} {}{aside}", link.action), Some(0..neutral(&who).len()))
    }

    fn actor(&mut self, actor: &Actor) -> io::Result<()> {
        if let Some(other) = &actor.impersonated {
            self.field("as", &format!("{} (impersonated)", other.username), None)?;
        }
        if let Some(pod) = &actor.pod {
            let node = actor.node.as_ref().map(|node| format!(" on node {node}")).unwrap_or_default();
            self.field("by", &format!("pod {pod}{node}"), None)?;
        }
        if let Some(arn) = &actor.arn {
            let session =
                actor.session.as_ref().map(|session| format!(" (session {session})")).unwrap_or_default();
            self.field("arn", &format!("{arn}{session}"), None)?;
        }
        if actor.source_ips.is_empty() {
            return Ok(());
        }
        self.field("from", &actor.source_ips.join(", "), None)
    }

    /// Who had the token minted with which somebody acted.
    fn token(&mut self, minted: &Cause) -> io::Result<()> {
        let time =
            minted.time.map(|time| format!(" ({})", self.style.zone.display(time))).unwrap_or_default();
        let who = who(&minted.actor);
        self.field("token", &format!("{who} {}{time}", minted.action), Some(0..neutral(&who).len()))
    }

    fn attempts(&mut self, attempts: &Attempts) -> io::Result<()> {
        let counts = [
            (attempts.blocked, "blocked"),
            (attempts.denied, "denied"),
            (attempts.failed, "failed"),
            (attempts.dry_run, "dry run"),
        ];
        let said: Vec<_> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if said.is_empty() {
            return Ok(());
        }
        self.field("attempts", &said.join(", "), None)
    }

    fn evidence(&mut self, answer: &Answer) -> io::Result<()> {
        let mut seen = BTreeSet::new();
        let of_causes = links(answer).iter().flat_map(|link| &link.evidence);
        let entries: Vec<_> =
            answer.evidence.iter().chain(of_causes).filter(|entry| seen.insert(*entry)).collect();
        let shown = &entries[..entries.len().min(EVIDENCE_SHOWN)];
        let places: Vec<_> =
            shown.iter().map(|entry| neutral(&entry.source).into_owned() + &offset(entry)).collect();
        let widest = places.iter().map(|place| columns(place)).max().unwrap_or(0);
        for (entry, place) in shown.iter().zip(&places) {
            let mut line = format!("evidence  {place}{:1$}", "", widest - columns(place));
            let id =
                if entry.audit_id.is_empty() { String::new() } else { format!("auditID {}", entry.audit_id) };
            for told in [&entry.stage, &id].into_iter().filter(|told| !told.is_empty()) {
                line = line + "  " + told;
            }
            let line = self.paint(neutral(line.trim_end()), paint::QUIET);
            writeln!(self.out, "  {line}")?;
        }
        if entries.len() > shown.len() {
            let more = format!("evidence  … and {} more in the JSON output", entries.len() - shown.len());
            let more = self.paint(more, paint::QUIET);
            writeln!(self.out, "  {more}")?;
        }
        Ok(())
    }

    fn field(&mut self, label: &str, text: &str, bold: Option<std::ops::Range<usize>>) -> io::Result<()> {
        write!(self.out, "  {label:<8}  ")?;
        self.wrapped(&neutral(text), INDENT, INDENT, bold)
    }

    /// Writes neutral text behind `first` columns, with what is in `bold` (bytes) as a user's name.
    fn wrapped(
        &mut self,
        text: &str,
        first: usize,
        rest: usize,
        bold: Option<std::ops::Range<usize>>,
    ) -> io::Result<()> {
        let bold = bold.unwrap_or(0..0);
        for (number, line) in wrap(text, first, rest, self.style.width).into_iter().enumerate() {
            let margin = if number == 0 { 0 } else { rest };
            let from = bold.start.clamp(line.start, line.end);
            let until = bold.end.clamp(line.start, line.end);
            write!(self.out, "{:margin$}{}", "", &text[line.start..from])?;
            if from < until {
                let name = self.paint(&text[from..until], paint::USER);
                write!(self.out, "{name}")?;
            }
            writeln!(self.out, "{}", &text[until..line.end])?;
        }
        Ok(())
    }

    fn paint<T: Display>(&self, text: T, style: anstyle::Style) -> Painted<T> {
        Painted { text, style, color: self.style.color }
    }
}

fn offset(entry: &Evidence) -> String {
    format!(":{}", entry.offset)
}

/// Where `name` stands in `text` as a word of its own, in bytes.
fn find_name(text: &str, name: &str) -> Option<std::ops::Range<usize>> {
    let joined = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(name).map(|(at, _)| at..at + name.len()).find(|found| {
        let before = text[..found.start].chars().next_back();
        !name.is_empty() && !joined(before) && !joined(text[found.end..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use audit_who_event::answer::Identity;
    use proptest::prelude::*;

    use super::*;
    use crate::hostile;
    use crate::sample::{self, PLAIN, Sample};
    use crate::terminal::is_hidden;

    fn written(sample: &Sample, style: &Style) -> String {
        let mut out = Vec::new();
        write(&sample.report(), style, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_plain_answer_is_short() {
        assert_eq!(
            written(&Sample::evicted(), &PLAIN),
            "\
2026-11-23 05:45:10 UTC  alice evicted pod drain/web-1 through the eviction API (kubectl), draining node n2.
  from      203.0.113.7
  evidence  audit.log:1234  ResponseComplete  auditID 7d7e
"
        );
    }

    #[test]
    fn causes_stand_above_the_evidence() {
        assert_eq!(
            written(&Sample::scaled_down(), &PLAIN),
            "\
2026-11-23 05:45:10 UTC  alice scaled down deployment shop/web, so the replicaset controller deleted pod shop/web-1.
  outcome   succeeded, inferred
  because   system:serviceaccount:kube-system:deployment-controller scaled replicaset apps/web-5d8f from 3 to 1 (2026-11-23 05:45:09 UTC, inferred)
  because   alice scaled deployment apps/web from 3 to 1 (2026-11-23 05:45:09 UTC, inferred)
  from      10.0.0.2
  attempts  1 denied
  note      2 other pods of replicaset web-5d8f went in the same second.
  evidence  audit.log:123456  ResponseComplete  auditID 7d7e
  evidence  audit.log:10610   ResponseComplete  auditID 9a0e
  evidence  audit.log:8400    ResponseComplete  auditID 2b1c
"
        );
    }

    #[test]
    fn a_related_answer_is_introduced() {
        let mut sample = Sample::evicted();
        sample.answers.clear();
        let mut removed = sample::evicted();
        removed.text = "alice deleted pod drain/web-1.".into();
        removed.time = None;
        removed.mechanism = Some(Mechanism::Delete);
        removed.evidence.clear();
        sample.related = vec![removed.clone(), removed];
        assert_eq!(
            written(&sample, &PLAIN),
            "\
pod drain/web-1 was not evicted. It was removed:

time unknown  alice deleted pod drain/web-1.
  from      203.0.113.7

time unknown  alice deleted pod drain/web-1.
  from      203.0.113.7
"
        );
    }

    #[test]
    fn what_may_have_shown_it_stands_behind_that_nobody_did() {
        let mut sample = Sample::evicted();
        sample.answers.clear();
        sample.coverage.verdict = "nobody read it".into();
        let listed = Answer {
            text: "maria listed secrets".into(),
            time: None,
            mechanism: None,
            actor: None,
            evidence: Vec::new(),
            ..sample::evicted()
        };
        sample.related = vec![listed];
        assert_eq!(
            written(&sample, &PLAIN),
            "\
nobody read it

It may also have been seen here:

time unknown  maria listed secrets
"
        );
    }

    #[test]
    fn sentences_wrap_under_their_field() {
        let mut sample = Sample::scaled_down();
        sample.answers[0].chain.clear();
        sample.answers[0].evidence = (0..8).map(|n| sample::proof(n, "7d7e")).collect();
        sample.answers[0].actor = None;
        assert_eq!(
            written(&sample, &Style { width: Some(72), ..PLAIN }),
            "\
2026-11-23 05:45:10 UTC  alice scaled down deployment shop/web, so the
            replicaset controller deleted pod shop/web-1.
  outcome   succeeded, inferred
  because   alice scaled deployment apps/web from 3 to 1 (2026-11-23
            05:45:09 UTC, inferred)
  attempts  1 denied
  note      2 other pods of replicaset web-5d8f went in the same second.
  evidence  audit.log:0  ResponseComplete  auditID 7d7e
  evidence  audit.log:1  ResponseComplete  auditID 7d7e
  evidence  audit.log:2  ResponseComplete  auditID 7d7e
  evidence  audit.log:3  ResponseComplete  auditID 7d7e
  evidence  audit.log:4  ResponseComplete  auditID 7d7e
  evidence  … and 4 more in the JSON output
"
        );
    }

    #[test]
    fn colours_mark_who_and_how_it_ended() {
        let mut sample = Sample::evicted();
        let answer = &mut sample.answers[0];
        answer.outcome = Outcome::Denied;
        answer.text = "malice and alice".into();
        let actor = Arc::make_mut(answer.actor.as_mut().unwrap());
        actor.impersonated = Some(Identity { username: "ro\u{1b}ot".into(), groups: Vec::new() });
        assert_eq!(
            written(&sample, &Style { color: true, ..PLAIN }),
            "2026-11-23 05:45:10 UTC  malice and \u{1b}[1malice\u{1b}[0m\n  \
             outcome   \u{1b}[1m\u{1b}[31mdenied\u{1b}[0m\n  \
             as        ro\\x1bot (impersonated)\n  \
             from      203.0.113.7\n  \
             \u{1b}[2mevidence  audit.log:1234  ResponseComplete  auditID 7d7e\u{1b}[0m\n"
        );
    }

    #[test]
    fn an_entry_without_an_id_is_a_place() {
        let mut sample = Sample::evicted();
        let answer = &mut sample.answers[0];
        answer.actor = None;
        answer.evidence.push(answer.evidence[0].clone());
        answer.evidence[0].audit_id.clear();
        answer.evidence[0].stage.clear();
        answer.evidence[0].offset = 9;
        let text = written(&sample, &PLAIN);
        let (_, evidence) = text.split_once('\n').unwrap();
        assert_eq!(
            evidence,
            "  evidence  audit.log:9\n  evidence  audit.log:1234  ResponseComplete  auditID 7d7e\n"
        );
    }

    #[test]
    fn nothing_found_is_the_verdict() {
        let mut sample = Sample::evicted();
        sample.answers.clear();
        sample.coverage.verdict = "nobody evicted pod drain/web-2\u{7}".into();
        assert_eq!(written(&sample, &PLAIN), "nobody evicted pod drain/web-2\\x07\n");
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_written(text in hostile::text(), width in prop::option::of(40..90_usize)) {
            let sample = Sample::hostile(&text);
            let plain = written(&sample, &Style { width, ..PLAIN });
            prop_assert!(!plain.lines().any(|line| line.contains(is_hidden)));
            let mut colored = written(&sample, &Style { width, color: true, ..PLAIN });
            for ours in ["\u{1b}[1m", "\u{1b}[2m", "\u{1b}[32m", "\u{1b}[0m"] {
                colored = colored.replace(ours, "");
            }
            prop_assert_eq!(colored, plain);
        }
    }
}
