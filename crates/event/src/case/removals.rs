//! The questions about how objects went: from the lives of the target's objects to answers.

use std::collections::BTreeMap;

use crate::answer::{Answer, Attempts, Certainty, Mechanism, Outcome};
use crate::case::cause::{Behind, behind};
use crate::case::controllers::Component;
use crate::case::fact::Fact;
use crate::case::inquiry::Inquiry;
use crate::case::life::Life;
use crate::case::removal::{Decided, Removal, Unexplained, removal};
use crate::case::{Ask, Findings, tell};
use crate::filter::Filter;
use crate::glob::Glob;
use crate::question::{self, Question};
use crate::subject::{Key, group_of_today};
use crate::target::Target;

/// The removals that are judged: those by the mechanisms that the question is about, or all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Asked,
    Others,
}

/// Judges every incarnation of every object that is meant, and keeps what went by one of the mechanisms.
///
/// How else objects went matters only where nothing answers the question: then alone it is judged, too, with what is behind
/// it.
pub(crate) fn judge(inquiry: &Inquiry<'_>, ask: &Ask) -> Findings {
    let mut findings = Findings::default();
    let Some(target) = ask.subject.target() else { return findings };
    let objects = inquiry.ledger.objects();
    for which in [Which::Asked, Which::Others] {
        let parts = inquiry.in_parts(objects.len(), |inquiry, numbers| {
            let mut findings = Findings::default();
            let meant = numbers.filter(|number| is_meant(target, &objects[*number]));
            for life in meant.flat_map(|number| inquiry.ledger.lives_of(number)) {
                if target.uid.as_deref().is_none_or(|uid| life.uid == Some(uid)) {
                    judge_life(inquiry, ask, &life, which, &mut findings);
                }
            }
            findings
        });
        for part in parts {
            findings.add(part);
        }
        let is_answer =
            |answer: &Answer| answer.outcome == Outcome::Succeeded && ask.window.holds(answer.time);
        if findings.answers.iter().any(is_answer) {
            break;
        }
    }
    findings
}

/// The names of Kubernetes Events are patterns, of which each is held against each; of more objects all are taken.
const FEW_NAMES: usize = 16;

/// The requests about the target, the deletes of collections that may hold it, and the Kubernetes Events about it.
pub(crate) fn first_look(target: &Target, names: &[Glob]) -> Vec<Filter> {
    let groups = target.groups.iter().map(|group| group_of_today(group, &target.resource).to_owned());
    let about =
        Filter { groups: groups.collect(), resource: Some(target.resource.clone()), ..Filter::default() };
    let namespace = target.namespace.clone().filter(|_| target.namespaced != Some(false));
    let mut filters = vec![Filter { namespace: namespace.clone(), names: names.to_vec(), ..about.clone() }];
    for namespace in [namespace.clone(), namespace.as_ref().map(|_| Glob::new(""))] {
        let filter = Filter { namespace, verbs: &["deletecollection"], ..about.clone() };
        if !filters.contains(&filter) {
            filters.push(filter);
        }
    }
    if target.resource == "pods" {
        let names = if names.len() <= FEW_NAMES { names } else { std::slice::from_ref(&target.name) };
        let names = names.iter().map(|name| Glob::new(format!("{name}.*"))).collect();
        filters.push(Filter {
            resource: Some("events".to_owned()),
            namespace,
            names,
            verbs: &["create"],
            ..Filter::default()
        });
    }
    filters
}

/// Whether the target means this object; a collection it never means.
pub(crate) fn is_meant(target: &Target, key: &Key) -> bool {
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

fn judge_life<'l>(inquiry: &Inquiry<'l>, ask: &Ask, life: &Life<'l>, which: Which, findings: &mut Findings) {
    let question = ask.question;
    // What is behind it may tell a rollout from a scale-down, and no question is about one of the two alone.
    let is_told = |mechanism| question.rule.counts(mechanism) == (which == Which::Asked);
    let judged = removal(inquiry.ledger, life);
    let attempts = counts(&judged.attempts);
    if let Some(fact) = judged.pressure.filter(|fact| fact.selected && is_told(Mechanism::NodePressure)) {
        let answer = pressure(inquiry, life, fact);
        sort_in(question, Mechanism::NodePressure, answer, findings);
    }
    let decided = judged.decided.as_ref().filter(|decided| decided.fact.selected);
    if let Some(decided) = decided.filter(|decided| is_told(decided.mechanism)) {
        let behind = behind(inquiry, life, decided);
        let mechanism = behind.mechanism.unwrap_or(decided.mechanism);
        let answer = removed(inquiry, life, decided, behind, &judged.attempts);
        sort_in(question, mechanism, answer, findings);
    }
    // Nobody decided it for certain: whoever may have is reason enough to tell of it.
    let unexplained = judged.unexplained.as_ref().filter(|it| it.facts().any(|fact| fact.selected));
    if let Some(unexplained) = unexplained.filter(|_| is_told(Mechanism::Delete)) {
        let answer = Answer { attempts, ..unknown(inquiry, life, unexplained) };
        sort_in(question, Mechanism::Delete, answer, findings);
    }
    // An answer that is told counts what was tried before.
    let is_within = |fact: &Fact| ask.window.holds(Some(fact.time));
    let counts_tries =
        decided.is_some_and(|decided| decided.outcome == Outcome::Succeeded && is_within(decided.fact));
    if which == Which::Asked && !counts_tries {
        let by_eviction = question.rule.counts(Mechanism::NodePressure);
        let asked = |fact: &Fact| (!by_eviction || fact.subresource == "eviction") && is_within(fact);
        findings.answers.extend(tries(inquiry, question, life, &judged, asked));
    }
}

/// An answer where the mechanism is one that the question is about, related otherwise.
fn sort_in(question: &'static Question, mechanism: Mechanism, answer: Answer, findings: &mut Findings) {
    if question.rule.counts(mechanism) {
        findings.answers.push(Answer { question: question.name, ..answer });
        return;
    }
    let other = question::QUESTIONS.iter().find(|other| other.rule.counts(mechanism));
    findings.related.push(Answer { question: other.unwrap_or(question).name, ..answer });
}

fn removed<'l>(
    inquiry: &Inquiry<'l>,
    life: &Life<'l>,
    decided: &Decided<'l>,
    behind: Behind<'l>,
    attempts: &[(&Fact, Outcome)],
) -> Answer {
    let mut answer = decided.fact.answer(&life.key, life.uid, decided.outcome);
    answer.mechanism = Some(behind.mechanism.unwrap_or(decided.mechanism));
    answer.certainty = if behind.is_guessed { Certainty::Inferred } else { decided.certainty };
    answer.attempts = counts(attempts);
    answer.chain = behind.links.iter().map(|link| inquiry.cause(link)).collect();
    // A component that does what others want is no root: then the root is in none of these files.
    let ends =
        behind.links.last().is_some_and(|link| link.fact.component.is_none_or(Component::acts_by_itself));
    answer.cause = answer.chain.last().filter(|_| ends).cloned();
    answer.token_minted = inquiry.minted(&decided.fact.actor, decided.fact.time);
    let budget = attempts.iter().find_map(|(fact, _)| fact.detail.budget.as_deref());
    answer.text = tell::removal(&answer, &life.key, budget);
    answer.notes.extend(decided.notes.iter().cloned().chain(behind.notes));
    answer.notes.extend(inquiry.may_repeat(life, decided.fact).map(|from| {
        format!("whether somebody had asked for it before {from} was not looked at [rule: context]")
    }));
    let proof = std::iter::once(&decided.fact).chain(&decided.proof).chain(&behind.shown_by);
    answer.evidence = proof.map(|fact| inquiry.evidence(fact)).collect();
    answer
}

fn pressure(inquiry: &Inquiry<'_>, life: &Life<'_>, fact: &Fact) -> Answer {
    let mut answer = fact.answer(&life.key, life.uid, Outcome::Succeeded);
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
    let mut answer = unexplained.shown_by.answer(&life.key, life.uid, Outcome::Unknown);
    answer.actor = None;
    answer.certainty = Certainty::Inferred;
    answer.text = tell::unexplained(&life.key, &names(&unexplained.rivals), &names(&unexplained.possible));
    answer.evidence = unexplained.facts().map(|fact| inquiry.evidence(fact)).collect();
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
        let kind = (*outcome, fact.actor.username.as_str(), fact.subresource.as_ref());
        groups.entry(kind).or_default().push(fact);
    }
    groups.retain(|_, facts| facts.iter().any(|fact| fact.selected));
    let answer = |((outcome, _, subresource), facts): (Kind<'_>, Vec<&Fact>)| {
        let last = facts.last().copied()?;
        let mechanism = if subresource == "eviction" { Mechanism::EvictionApi } else { Mechanism::Delete };
        let mut answer = last.answer(&life.key, life.uid, outcome);
        answer.question = question.name;
        answer.mechanism = Some(mechanism);
        answer.attempts = tell::counts(outcome, facts.len() as u64);
        let detail = match outcome {
            Outcome::Blocked => {
                facts.iter().find_map(|fact| fact.detail.budget.as_ref()).map(|name| format!("budget {name}"))
            }
            Outcome::Failed => Some(format!("{} {}", last.code, last.message).trim().to_owned()),
            _ => None,
        };
        let count = facts.len() as u64;
        answer.text = tell::attempt(&last.actor, &life.key, mechanism, outcome, count, detail.as_deref());
        answer.notes.extend(tell::left_out(facts.len()));
        answer.evidence = tell::newest(&facts).map(|fact| inquiry.evidence(fact)).collect();
        Some(answer)
    };
    groups.into_iter().filter_map(answer).collect()
}
