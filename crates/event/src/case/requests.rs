//! The questions that single requests answer: who asked for it, what came of it, and what exactly was done.

use std::collections::{BTreeMap, BTreeSet};

use crate::answer::{Actor, Answer, Attempts, Certainty, Object, Outcome};
use crate::case::fact::Fact;
use crate::case::inquiry::{Inquiry, Link};
use crate::case::removal::outcome_of_refusal;
use crate::case::removals::is_meant;
use crate::case::{Ask, Findings, Subject, tell};
use crate::filter::Filter;
use crate::glob::Glob;
use crate::subject::group_of_today;
use crate::target::Target;

/// Which requests answer a question, and how.
#[derive(Debug)]
pub(crate) struct Request {
    /// Verbs, any of them; empty for all.
    pub(crate) verbs: &'static [&'static str],
    /// Subresources, any of them, the object itself being the empty one; empty for all.
    pub(crate) subresources: &'static [&'static str],
    /// Whether requests that change nothing matter.
    pub(crate) reads: bool,
    /// Whether the bodies are compared.
    pub(crate) bodies: bool,
    /// Whether requests about a whole collection may answer it too.
    pub(crate) collections: bool,
    /// What a request did, in the past tense and with its object; `None` if it does not answer the question.
    pub(crate) tell: fn(&Story<'_, '_>) -> Option<Told>,
    /// Who was behind it, where it is a component that acted.
    pub(crate) behind: for<'l> fn(&Inquiry<'l>, &'l Fact) -> Vec<Link<'l>>,
}

/// A request with what happened before.
#[derive(Debug)]
pub(crate) struct Story<'i, 'l> {
    pub(crate) fact: &'l Fact,
    /// Earlier facts about the same object, by time.
    pub(crate) earlier: &'i [&'l Fact],
    /// The entries of the same request's other stages.
    pub(crate) stages: &'i [&'l Fact],
    pub(crate) subject: &'i Subject,
}

/// What a request did.
#[derive(Debug)]
pub(crate) struct Told {
    /// `scaled deployment apps/web from 3 to 1`.
    pub(crate) did: String,
    pub(crate) certainty: Certainty,
    pub(crate) notes: Vec<String>,
}

impl Told {
    pub(crate) fn recorded(did: String) -> Option<Self> {
        Some(Self { did, certainty: Certainty::Recorded, notes: Vec::new() })
    }

    pub(crate) fn inferred(did: String, note: &str) -> Option<Self> {
        Some(Self { did, certainty: Certainty::Inferred, notes: vec![note.to_owned()] })
    }
}

/// What most questions have in common.
pub(crate) const CHANGE: Request = Request {
    verbs: &["update", "patch"],
    subresources: &[""],
    reads: false,
    bodies: false,
    collections: false,
    tell: |story| Told::recorded(format!("changed {}", story.fact.key)),
    behind: nobody,
};

/// No component is behind the requests of a question.
pub(crate) fn nobody<'l>(_: &Inquiry<'l>, _: &'l Fact) -> Vec<Link<'l>> {
    Vec::new()
}

/// The requests about the target, or by the user.
pub(crate) fn first_look(request: &Request, subject: &Subject) -> Vec<Filter> {
    match subject {
        Subject::User(name) => vec![
            Filter { username: Some(name.clone()), ..Filter::default() },
            Filter { impersonated: Some(name.clone()), ..Filter::default() },
        ],
        Subject::Target(target) => about(request, target),
    }
}

fn about(request: &Request, target: &Target) -> Vec<Filter> {
    let groups = target.groups.iter().map(|group| group_of_today(group, &target.resource).to_owned());
    let of_resource =
        Filter { groups: groups.collect(), resource: Some(target.resource.clone()), ..Filter::default() };
    let namespace = target.namespace.clone().filter(|_| target.namespaced != Some(false));
    let mut filters = vec![Filter {
        namespace: namespace.clone(),
        names: vec![target.name.clone()],
        ..of_resource.clone()
    }];
    if request.collections {
        for namespace in [namespace.clone(), namespace.as_ref().map(|_| Glob::new(""))] {
            filters.push(Filter { namespace, names: vec![Glob::new("")], ..of_resource.clone() });
        }
        filters.dedup();
    }
    filters
}

/// One answer a request, or one for each way in which a user's requests fared.
pub(crate) fn judge(inquiry: &Inquiry<'_>, ask: &Ask, request: &'static Request) -> Findings {
    let mut findings = Findings::default();
    let mut refused: BTreeMap<(Outcome, String, String), Vec<&Fact>> = BTreeMap::new();
    for key in inquiry.ledger.keys() {
        let facts: Vec<&Fact> = inquiry.ledger.of(key).collect();
        let superseded = superseded(&facts);
        for (index, fact) in facts.iter().enumerate() {
            let wanted = is_asked(request, &ask.subject, fact) && !superseded.contains(&fact.address);
            if !wanted || !is_incarnation(ask, fact) {
                continue;
            }
            let stages = stages(&facts, fact);
            let story = Story { fact, earlier: &facts[..index], stages: &stages, subject: &ask.subject };
            let Some(told) = (request.tell)(&story) else { continue };
            match outcome(fact) {
                Outcome::Succeeded if !fact.selected => {}
                Outcome::Succeeded => findings.answers.push(done(inquiry, ask, &story, told, request)),
                outcome => {
                    let kind = (outcome, fact.actor.username.clone(), format!("{} {}", fact.verb, fact.key));
                    refused.entry(kind).or_default().push(fact);
                }
            }
        }
    }
    refused.retain(|_, facts| facts.iter().any(|fact| fact.selected));
    findings.answers.extend(
        refused.into_iter().filter_map(|((outcome, ..), facts)| tried(inquiry, ask, outcome, &facts)),
    );
    findings
}

/// What came of a request. Long-running ones that were let in are answered with 101.
fn outcome(fact: &Fact) -> Outcome {
    match fact.code {
        101 => Outcome::Succeeded,
        200..=299 if fact.dry_run => Outcome::DryRun,
        200..=299 => Outcome::Succeeded,
        _ => outcome_of_refusal(fact),
    }
}

fn is_asked(request: &Request, subject: &Subject, fact: &Fact) -> bool {
    let meant = match subject {
        Subject::User(_) => true,
        Subject::Target(target) => {
            is_meant(target, &fact.key) || request.collections && fact.key.name.is_empty()
        }
    };
    meant
        && (request.verbs.is_empty() || request.verbs.contains(&fact.verb.as_str()))
        && (request.subresources.is_empty() || request.subresources.contains(&fact.subresource.as_str()))
}

fn is_incarnation(ask: &Ask, fact: &Fact) -> bool {
    let uid = ask.subject.target().and_then(|target| target.uid.as_ref());
    uid.is_none_or(|uid| fact.uid.as_ref() == Some(uid))
}

/// The entries that only begin a request whose end is known: one answer a request.
fn superseded(facts: &[&Fact]) -> BTreeSet<crate::fold::Address> {
    let request = |fact: &Fact| (fact.audit_id.clone(), fact.uri.clone(), fact.actor.username.clone());
    let ended: BTreeSet<_> =
        facts.iter().filter(|fact| fact.stage != "ResponseStarted").map(|fact| request(fact)).collect();
    let begun = facts.iter().filter(|fact| fact.stage == "ResponseStarted");
    begun.filter(|fact| ended.contains(&request(fact))).map(|fact| fact.address).collect()
}

/// The entries of the same request. The id alone does not tell: a client may choose it.
fn stages<'l>(facts: &[&'l Fact], of: &Fact) -> Vec<&'l Fact> {
    if of.code != 101 {
        return Vec::new();
    }
    let same = |fact: &&&Fact| {
        fact.audit_id == of.audit_id
            && fact.uri == of.uri
            && fact.actor.username == of.actor.username
            && fact.stage != of.stage
    };
    facts.iter().filter(same).copied().collect()
}

fn blank(ask: &Ask, fact: &Fact, outcome: Outcome) -> Answer {
    Answer {
        question: ask.question.name,
        object: Object {
            api_group: fact.key.group.clone(),
            resource: fact.key.resource.clone(),
            namespace: (!fact.key.namespace.is_empty()).then(|| fact.key.namespace.clone()),
            name: fact.key.name.clone(),
            uid: fact.uid.clone(),
        },
        outcome,
        mechanism: None,
        certainty: Certainty::Recorded,
        time: Some(fact.time),
        actor: Some(Actor::clone(&fact.actor)),
        cause: None,
        chain: Vec::new(),
        attempts: Attempts::default(),
        text: String::new(),
        notes: Vec::new(),
        evidence: Vec::new(),
    }
}

fn done<'l>(
    inquiry: &Inquiry<'l>,
    ask: &Ask,
    story: &Story<'_, 'l>,
    told: Told,
    request: &Request,
) -> Answer {
    let fact = story.fact;
    let mut answer = blank(ask, fact, Outcome::Succeeded);
    answer.certainty = told.certainty;
    if fact.component.is_some() {
        answer.chain = (request.behind)(inquiry, fact).iter().map(|link| inquiry.cause(link)).collect();
        answer.cause = answer.chain.last().cloned();
    }
    answer.text = tell::done(&answer, &told.did);
    answer.notes = told.notes;
    answer.evidence = std::iter::once(&fact).chain(story.stages).map(|fact| inquiry.evidence(fact)).collect();
    answer
}

/// Requests of one user about one object that fared alike.
fn tried(inquiry: &Inquiry<'_>, ask: &Ask, outcome: Outcome, facts: &[&Fact]) -> Option<Answer> {
    let last = facts.last().copied()?;
    let mut answer = blank(ask, last, outcome);
    answer.attempts = tell::counts(outcome, facts.len() as u64);
    answer.text = tell::refused(&last.actor, ask.question.infinitive, last, outcome, facts.len() as u64);
    answer.evidence = tell::newest(facts).map(|fact| inquiry.evidence(fact)).collect();
    answer.notes.extend(tell::left_out(facts.len()));
    Some(answer)
}
