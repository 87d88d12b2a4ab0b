//! From the lives of the target's objects to answers.

use std::collections::BTreeMap;

use crate::answer::{Answer, Attempts, Certainty, Mechanism, Object, Outcome};
use crate::case::cause::{Behind, behind};
use crate::case::controllers::Component;
use crate::case::fact::Fact;
use crate::case::inquiry::Inquiry;
use crate::case::life::Life;
use crate::case::removal::{Decided, Removal, Unexplained, removal};
use crate::case::{Findings, Window, tell};
use crate::question::{self, Question};
use crate::subject::{Key, group_of_today};
use crate::target::Target;

/// How many entries prove a repeated attempt; more are only counted.
const KEPT_ATTEMPTS: usize = 10;

/// Judges every incarnation of every object that the target means.
pub(crate) fn findings(
    inquiry: &Inquiry<'_>,
    question: &'static Question,
    target: &Target,
    window: Window,
) -> Findings {
    let mut findings = Findings::default();
    for key in inquiry.ledger.keys().filter(|key| is_meant(target, key)) {
        for life in inquiry.ledger.lives(key) {
            if target.uid.as_deref().is_none_or(|uid| life.uid == Some(uid)) {
                judge(inquiry, question, &life, &mut findings);
            }
        }
    }
    for answers in [&mut findings.answers, &mut findings.related] {
        answers.retain(|answer| window.holds(answer.time));
        answers.sort_by(|a, b| (a.time, &a.object, a.outcome).cmp(&(b.time, &b.object, b.outcome)));
    }
    if findings.answers.iter().any(|answer| answer.outcome == Outcome::Succeeded) {
        findings.related.clear();
    }
    findings
}

fn is_meant(target: &Target, key: &Key) -> bool {
    let groups = || target.groups.iter().map(|group| group_of_today(group, &target.resource));
    !key.name.is_empty()
        && key.resource == target.resource
        && groups().any(|group| group == key.group)
        && target.name.matches(&key.name)
        && target
            .namespace
            .as_ref()
            .is_none_or(|namespace| key.namespace.is_empty() || namespace.matches(&key.namespace))
}

fn judge<'l>(inquiry: &Inquiry<'l>, question: &'static Question, life: &Life<'l>, findings: &mut Findings) {
    let judged = removal(inquiry.ledger, life);
    let attempts = counts(&judged.attempts);
    if let Some(fact) = judged.pressure {
        let answer = pressure(inquiry, life, fact);
        sort_in(question, Mechanism::NodePressure, answer, findings);
    }
    if let Some(decided) = &judged.decided {
        let behind = behind(inquiry, life, decided);
        let mechanism = behind.mechanism.unwrap_or(decided.mechanism);
        let answer = removed(inquiry, life, decided, behind, &judged.attempts);
        sort_in(question, mechanism, answer, findings);
    }
    if let Some(unexplained) = &judged.unexplained {
        let answer = Answer { attempts, ..unknown(inquiry, life, unexplained) };
        sort_in(question, Mechanism::Delete, answer, findings);
    }
    if judged.decided.as_ref().is_none_or(|decided| decided.outcome != Outcome::Succeeded) {
        let by_eviction = question.mechanisms.contains(&Mechanism::NodePressure);
        let asked = |fact: &Fact| !by_eviction || fact.subresource == "eviction";
        findings.answers.extend(tries(inquiry, question, life, &judged, asked));
    }
}

/// An answer where the mechanism is one that the question is about, related otherwise.
fn sort_in(question: &'static Question, mechanism: Mechanism, answer: Answer, findings: &mut Findings) {
    if question.mechanisms.contains(&mechanism) {
        findings.answers.push(Answer { question: question.name, ..answer });
        return;
    }
    let other = question::QUESTIONS.iter().find(|other| other.mechanisms.contains(&mechanism));
    findings.related.push(Answer { question: other.unwrap_or(question).name, ..answer });
}

fn object(life: &Life<'_>) -> Object {
    let key = &life.key;
    Object {
        api_group: key.group.clone(),
        resource: key.resource.clone(),
        namespace: (!key.namespace.is_empty()).then(|| key.namespace.clone()),
        name: key.name.clone(),
        uid: life.uid.map(str::to_owned),
    }
}

fn blank(life: &Life<'_>, fact: &Fact, outcome: Outcome) -> Answer {
    Answer {
        question: "",
        object: object(life),
        outcome,
        mechanism: None,
        certainty: Certainty::Recorded,
        time: Some(fact.time),
        actor: Some(fact.actor.clone()),
        cause: None,
        chain: Vec::new(),
        attempts: Attempts::default(),
        text: String::new(),
        notes: notes_on(fact),
        evidence: Vec::new(),
    }
}

/// What to know of an entry before relying on it.
fn notes_on(fact: &Fact) -> Vec<String> {
    let salvaged = "the entry stands behind a torn one in the same line [rule: salvaged]";
    fact.salvaged.then(|| salvaged.to_owned()).into_iter().collect()
}

fn removed<'l>(
    inquiry: &Inquiry<'l>,
    life: &Life<'l>,
    decided: &Decided<'l>,
    behind: Behind<'l>,
    attempts: &[(&Fact, Outcome)],
) -> Answer {
    let mut answer = blank(life, decided.fact, decided.outcome);
    answer.mechanism = Some(behind.mechanism.unwrap_or(decided.mechanism));
    answer.certainty = decided.certainty;
    answer.attempts = counts(attempts);
    answer.chain = behind.links.iter().map(|link| inquiry.cause(link)).collect();
    // A component that does what others want is no root: then the root is in none of these files.
    let ends =
        behind.links.last().is_some_and(|link| link.fact.component.is_none_or(Component::acts_by_itself));
    answer.cause = answer.chain.last().filter(|_| ends).cloned();
    let budget = attempts.iter().find_map(|(fact, _)| fact.detail.budget.as_deref());
    answer.text = tell::removal(&answer, &life.key, budget);
    answer.notes.extend(decided.notes.iter().cloned().chain(behind.notes));
    answer.evidence =
        std::iter::once(&decided.fact).chain(&decided.proof).map(|fact| inquiry.evidence(fact)).collect();
    answer
}

fn pressure(inquiry: &Inquiry<'_>, life: &Life<'_>, fact: &Fact) -> Answer {
    let mut answer = blank(life, fact, Outcome::Succeeded);
    answer.mechanism = Some(Mechanism::NodePressure);
    answer.text = tell::removal(&answer, &life.key, None);
    answer.notes.push("the pod's object stays, in phase Failed, until somebody deletes it".to_owned());
    answer.evidence = vec![inquiry.evidence(fact)];
    answer
}

fn unknown(inquiry: &Inquiry<'_>, life: &Life<'_>, unexplained: &Unexplained<'_>) -> Answer {
    let names = |facts: &[&Fact]| {
        let mut names: Vec<String> = facts.iter().map(|fact| tell::who(&fact.actor)).collect();
        names.sort();
        names.dedup();
        names
    };
    let mut answer = blank(life, unexplained.shown_by, Outcome::Unknown);
    answer.actor = None;
    answer.certainty = Certainty::Inferred;
    answer.text = tell::unexplained(&life.key, &names(&unexplained.rivals), &names(&unexplained.possible));
    let facts =
        std::iter::once(&unexplained.shown_by).chain(&unexplained.rivals).chain(&unexplained.possible);
    answer.evidence = facts.map(|fact| inquiry.evidence(fact)).collect();
    answer
}

fn counts(attempts: &[(&Fact, Outcome)]) -> Attempts {
    let of = |wanted| attempts.iter().filter(|(_, outcome)| *outcome == wanted).count() as u64;
    Attempts {
        blocked: of(Outcome::Blocked),
        denied: of(Outcome::Denied),
        failed: of(Outcome::Failed),
        dry_run: of(Outcome::DryRun),
    }
}

/// What came of an attempt, whose it was, and its subresource.
type Kind<'f> = (Outcome, &'f str, &'f str);

/// What was tried in vain: one answer for each way that each user fared.
fn tries(
    inquiry: &Inquiry<'_>,
    question: &'static Question,
    life: &Life<'_>,
    judged: &Removal<'_>,
    asked: impl Fn(&Fact) -> bool,
) -> Vec<Answer> {
    let mut groups: BTreeMap<Kind<'_>, Vec<&Fact>> = BTreeMap::new();
    for (fact, outcome) in judged.attempts.iter().filter(|(fact, _)| asked(fact)) {
        let kind = (*outcome, fact.actor.username.as_str(), fact.subresource.as_str());
        groups.entry(kind).or_default().push(fact);
    }
    let answer = |((outcome, _, subresource), facts): (Kind<'_>, Vec<&Fact>)| {
        let last = facts.last().copied()?;
        let mechanism = if subresource == "eviction" { Mechanism::EvictionApi } else { Mechanism::Delete };
        let mut answer = blank(life, last, outcome);
        answer.question = question.name;
        answer.mechanism = Some(mechanism);
        answer.attempts = counts(&facts.iter().map(|fact| (*fact, outcome)).collect::<Vec<_>>());
        let detail = match outcome {
            Outcome::Blocked => {
                facts.iter().find_map(|fact| fact.detail.budget.as_ref()).map(|name| format!("budget {name}"))
            }
            Outcome::Failed => Some(format!("{} {}", last.code, last.message).trim().to_owned()),
            _ => None,
        };
        let count = facts.len() as u64;
        answer.text = tell::attempt(&last.actor, &life.key, mechanism, outcome, count, detail.as_deref());
        if facts.len() > KEPT_ATTEMPTS {
            answer.notes.push(format!("the last {KEPT_ATTEMPTS} of {count} entries are named"));
        }
        answer.evidence = facts.iter().rev().take(KEPT_ATTEMPTS).map(|fact| inquiry.evidence(fact)).collect();
        Some(answer)
    };
    groups.into_iter().filter_map(answer).collect()
}
