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
mod tests;
