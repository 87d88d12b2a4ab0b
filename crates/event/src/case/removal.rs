//! How one incarnation of an object went, and what was tried.

use crate::answer::{Certainty, Mechanism, Outcome};
use crate::case::collection::{self, Hit};
use crate::case::controllers::Component;
use crate::case::fact::Fact;
use crate::case::ledger::Ledger;
use crate::case::life::{Life, is_last_word};
use crate::time::Timestamp;

/// Default `terminationGracePeriodSeconds` and some time to stop, in microseconds.
const USUAL_GRACE: i64 = 35_000_000;

/// The longest grace period that is met in practice, in microseconds: databases and batch workers.
const LONGEST_GRACE: i64 = 60 * 60 * 1_000_000;

/// What is known of the end of one life.
#[derive(Debug)]
pub(crate) struct Removal<'l> {
    /// The request that decided it, if it is in the facts.
    pub(crate) decided: Option<Decided<'l>>,
    /// The kubelet's status report that it evicted the pod for want of resources. The object stays.
    pub(crate) pressure: Option<&'l Fact>,
    /// The removal happened, but no request for it is in the facts: what shows that it did.
    pub(crate) unexplained: Option<Unexplained<'l>>,
    /// Requests that did not do it, with what came of them.
    pub(crate) attempts: Vec<(&'l Fact, Outcome)>,
}

/// The request that removed an object.
#[derive(Debug)]
pub(crate) struct Decided<'l> {
    pub(crate) fact: &'l Fact,
    pub(crate) outcome: Outcome,
    pub(crate) mechanism: Mechanism,
    pub(crate) certainty: Certainty,
    /// More entries that prove it: conditions set before, the kubelet's last word.
    pub(crate) proof: Vec<&'l Fact>,
    pub(crate) notes: Vec<String>,
}

/// A removal whose request is not in the facts.
#[derive(Debug)]
pub(crate) struct Unexplained<'l> {
    pub(crate) shown_by: &'l Fact,
    /// Deletes of collections that may have done it.
    pub(crate) possible: Vec<&'l Fact>,
    /// Requests that may have done it, of which none can be told to be the one.
    pub(crate) rivals: Vec<&'l Fact>,
}

impl<'l> Unexplained<'l> {
    /// All of them: what shows it, and who may have done it.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &'l Fact> + '_ {
        std::iter::once(&self.shown_by).chain(&self.rivals).chain(&self.possible).copied()
    }
}

/// Judges one life.
pub(crate) fn removal<'l>(ledger: &'l Ledger, life: &Life<'l>) -> Removal<'l> {
    let mut judged =
        Removal { decided: None, pressure: pressure(life), unexplained: None, attempts: Vec::new() };
    let mut accepted: Vec<(&Fact, Certainty)> = Vec::new();
    let mut doubtful: Vec<&Fact> = Vec::new();
    for fact in life.facts.iter().copied().filter(|fact| is_request(fact)) {
        if fact.succeeded() {
            accepted.push((fact, Certainty::Recorded));
        } else if may_have_taken_effect(fact) {
            doubtful.push(fact);
        } else if let Some(outcome) = attempt(fact) {
            judged.attempts.push((fact, outcome));
        }
    }
    let mut possible = Vec::new();
    for (fact, hit) in collection::hits(ledger, life) {
        match hit {
            Hit::Listed => accepted.push((fact, Certainty::Recorded)),
            Hit::Selected => accepted.push((fact, Certainty::Inferred)),
            Hit::Possible => possible.push(fact),
        }
    }
    accepted.sort_by_key(|(fact, _)| fact.time);

    let ends: Vec<&Fact> = life.facts.iter().copied().filter(|fact| shows_end(fact)).collect();
    let first = accepted.first().copied();
    // Before it was there, that it is missing shows nothing: `kubectl apply` looks for an object and then creates it.
    let after = first.map(|(fact, _)| fact.received).or_else(|| life.seen_from()).unwrap_or(Timestamp::MIN);
    let end = ends.iter().copied().find(|fact| fact.time >= after);
    match (first, end) {
        (Some((fact, certainty)), end) => match rivals(&accepted, end) {
            Some(rivals) => judged.unexplained = Some(Unexplained { possible, ..rivals }),
            None => judged.decided = Some(decide(life, fact, certainty, end)),
        },
        (None, Some(end)) => explain_late(&mut judged, life, &mut doubtful, possible, end),
        (None, None) => {}
    }
    judged.attempts.extend(doubtful.into_iter().map(|fact| (fact, Outcome::Failed)));
    judged.attempts.sort_by_key(|(fact, _)| fact.time);
    judged
}

/// With no accepted request, an object that went did so by one that was answered with an error, or by an unknown one.
fn explain_late<'l>(
    judged: &mut Removal<'l>,
    life: &Life<'l>,
    doubtful: &mut Vec<&'l Fact>,
    possible: Vec<&'l Fact>,
    end: &'l Fact,
) {
    let caused = |fact: &&Fact| fact.received <= end.time && end.time.since(fact.time) <= USUAL_GRACE;
    if let Some(at) = doubtful.iter().rposition(caused) {
        let fact = doubtful.remove(at);
        let mut decided = decide(life, fact, Certainty::Inferred, Some(end));
        decided.notes.push(format!(
            "the request was answered with {} and took effect all the same: the removal followed it [rule: late-effect]",
            fact.code
        ));
        judged.decided = Some(decided);
        return;
    }
    // What is missing was never there, or went before the facts begin.
    let was_there = life.seen_from().is_some();
    judged.unexplained = was_there.then_some(Unexplained { shown_by: end, possible, rivals: Vec::new() });
}

fn decide<'l>(life: &Life<'l>, fact: &'l Fact, certainty: Certainty, end: Option<&'l Fact>) -> Decided<'l> {
    let mut decided = Decided {
        fact,
        outcome: Outcome::Succeeded,
        mechanism: mechanism(fact),
        certainty,
        proof: Vec::new(),
        notes: Vec::new(),
    };
    decided.find_presence(life);
    decided.find_reason(life);
    decided.find_completion(life);
    decided.confirm(life, end);
    if let Some(end) = end.filter(|end| end.address != fact.address) {
        decided.proof.push(end);
    }
    decided
}

impl<'l> Decided<'l> {
    /// Of a collection's delete that does not list the object: looks for what tells that it was in the collection.
    fn find_presence(&mut self, life: &Life<'l>) {
        if self.certainty == Certainty::Recorded || self.fact.verb != "deletecollection" {
            return;
        }
        let is_before = |fact: &&Fact| fact.succeeded() && fact.effective() <= self.fact.time;
        let seen = life.facts.iter().copied().rev().find(is_before);
        let labels = life.labelled_by().filter(|_| collection::asks_for_labels(self.fact));
        self.proof.extend(seen);
        self.proof.extend(labels.filter(|labels| seen.is_none_or(|seen| seen.address != labels.address)));
        self.notes.push(
            "what it removed is not recorded: the object had been there, and no selector leaves it out [rule: collection]"
                .to_owned(),
        );
    }

    /// Looks for the condition that a component sets on a pod before it deletes it: it states the reason.
    fn find_reason(&mut self, life: &Life<'l>) {
        let expected = match self.mechanism {
            Mechanism::Preemption => "PreemptionByScheduler",
            Mechanism::Taint => "DeletionByTaintManager",
            Mechanism::PodGc => "DeletionByPodGC",
            _ => return,
        };
        let stated = life.facts.iter().copied().find(|fact| {
            fact.component == self.fact.component
                && fact.succeeded()
                && fact.detail.disruption.as_deref() == Some(expected)
        });
        if let Some(fact) = stated {
            self.proof.push(fact);
            return;
        }
        self.certainty = Certainty::Inferred;
        self.notes.push(format!(
            "no entry states the reason {expected}; who deleted the pod tells it [rule: reason-by-component]"
        ));
    }

    /// Looks for the removal of the last finalizer, which somebody else may have done much later.
    fn find_completion(&mut self, life: &Life<'l>) {
        if self.mechanism != Mechanism::Delete || life.key.is_pod() {
            return;
        }
        let waited_for = self.fact.detail.finalizers.iter().flatten();
        let waited_for: Vec<&str> = waited_for.map(String::as_str).filter(|name| !is_cascade(name)).collect();
        if self.fact.detail.terminating != Some(true) || waited_for.is_empty() {
            return;
        }
        self.mechanism = Mechanism::Finalizer;
        let released = life.facts.iter().copied().find(|fact| {
            fact.time >= self.fact.time
                && fact.is_change()
                && fact.succeeded()
                && fact.detail.finalizers.as_ref().is_some_and(Vec::is_empty)
        });
        let Some(fact) = released else {
            self.outcome = Outcome::Unconfirmed;
            self.notes.push(format!("it waits for its finalizers: {}", waited_for.join(", ")));
            return;
        };
        self.notes.push(format!("it went when {} removed the last finalizer", fact.actor.username));
        self.proof.push(fact);
    }

    /// At Metadata level a dry run in the body looks like the real thing: then the removal itself must be seen.
    fn confirm(&mut self, life: &Life<'l>, end: Option<&'l Fact>) {
        if self.fact.body_recorded || self.fact.component.is_some() {
            return;
        }
        if let Some(end) = end.filter(|end| is_last_word(end)) {
            if end.time.since(self.fact.time) > USUAL_GRACE {
                self.certainty = Certainty::Inferred;
                self.notes.push(
                    "the pod went later than usual: after a long grace period, or after another request that is not \
                     here, and this one was a dry run [rule: late-removal]"
                        .to_owned(),
                );
            }
            return;
        }
        if end.is_some() || life.succeeded_at.is_some() {
            return;
        }
        if life.key.is_pod() {
            self.outcome = Outcome::Unconfirmed;
            self.notes.push(
                "the request's body is not recorded, and nothing shows that the pod went: it may have been a dry run \
                 [rule: dry-run-by-missing-removal]"
                    .to_owned(),
            );
        } else {
            self.certainty = Certainty::Inferred;
            self.notes.push(
                "the request's body is not recorded: a dry run in it can't be excluded [rule: delete-without-body]"
                    .to_owned(),
            );
        }
    }
}

/// Where bodies are not recorded an accepted request may have been a dry run. Then the removal must follow it within
/// the usual grace period; with requests by several people, or long after, nobody can be named.
fn rivals<'l>(accepted: &[(&'l Fact, Certainty)], end: Option<&'l Fact>) -> Option<Unexplained<'l>> {
    let (first, _) = accepted.first()?;
    let end = end?;
    let waited = end.time.since(first.time);
    let sure = first.body_recorded || first.component.is_some() || !is_last_word(end);
    if sure || waited <= USUAL_GRACE {
        return None;
    }
    let before_end: Vec<&Fact> =
        accepted.iter().map(|(fact, _)| *fact).filter(|fact| fact.time <= end.time).collect();
    let others = before_end.iter().any(|fact| fact.actor.username != first.actor.username);
    let doubt = others || waited > LONGEST_GRACE;
    doubt.then_some(Unexplained { shown_by: end, possible: Vec::new(), rivals: before_end })
}

fn pressure<'l>(life: &Life<'l>) -> Option<&'l Fact> {
    let node = life.node();
    life.facts.iter().copied().find(|fact| {
        fact.subresource == "status"
            && fact.succeeded()
            && fact.detail.kubelet_evicted
            && fact.component == Some(Component::Kubelet)
            && node.is_none_or(|node| fact.actor.username.strip_prefix("system:node:") == Some(node))
    })
}

/// Whether the entry asks for the removal of the object.
fn is_request(fact: &Fact) -> bool {
    let evicts = fact.key.is_pod() && fact.verb == "create" && fact.subresource == "eviction";
    // The kubelet deletes mirror pods of its own accord, all others only when their time has come.
    evicts || fact.is("delete") && !is_last_word(fact)
}

/// Whether the entry shows that the object is gone.
fn shows_end(fact: &Fact) -> bool {
    let missing = fact.code == 404 && (fact.is("get") || fact.is("delete"));
    let follow_up = fact.key.is_core("namespaces")
        && fact.component == Some(Component::Namespace)
        && matches!(fact.subresource.as_ref(), "finalize" | "status")
        && fact.succeeded();
    is_last_word(fact) || missing || follow_up
}

/// Server errors: the API server may have done it before it gave up or the client hung up (a delete recorded as 504 had
/// removed the pod 2 of 5 times when tried; an eviction recorded so never had).
fn may_have_taken_effect(fact: &Fact) -> bool {
    fact.code >= 500 && fact.is("delete") && !fact.dry_run
}

/// What came of a request that did not succeed; `None` where it is a component's routine.
fn attempt(fact: &Fact) -> Option<Outcome> {
    if fact.is_accepted() {
        return Some(Outcome::DryRun);
    }
    if fact.component == Some(Component::Kubelet)
        || fact.component.is_some() && matches!(fact.code, 404 | 409)
    {
        return None;
    }
    Some(outcome_of_refusal(fact))
}

/// Refused by a disruption budget, by authorization, or failed otherwise
/// ([eviction.go](https://github.com/kubernetes/kubernetes/blob/master/pkg/registry/core/pod/storage/eviction.go):
/// 429 with a `DisruptionBudget` cause, 500 where more than one budget covers the pod).
pub(crate) fn outcome_of_refusal(fact: &Fact) -> Outcome {
    match fact.code {
        401 | 403 => Outcome::Denied,
        _ if is_refused_by_budget(fact) => Outcome::Blocked,
        _ => Outcome::Failed,
    }
}

fn is_refused_by_budget(fact: &Fact) -> bool {
    let named = ["disruption budget", "more than one PodDisruptionBudget"];
    matches!(fact.code, 429 | 500)
        && (fact.detail.budget.is_some() || named.iter().any(|words| fact.message.contains(words)))
}

fn mechanism(fact: &Fact) -> Mechanism {
    if fact.subresource == "eviction" {
        return Mechanism::EvictionApi;
    }
    let by_component = fact.component.and_then(|component| component.mechanism(&fact.key));
    by_component.unwrap_or(if fact.verb == "deletecollection" {
        Mechanism::DeleteCollection
    } else {
        Mechanism::Delete
    })
}

/// Finalizers that the garbage collector itself sets and removes
/// ([deletion](https://kubernetes.io/docs/concepts/architecture/garbage-collection/#cascading-deletion)).
fn is_cascade(finalizer: &str) -> bool {
    finalizer == "foregroundDeletion" || finalizer == "orphan"
}
