//! Answers as sentences. They hold text from the log as it is; whoever shows them makes it harmless.

use crate::answer::{Actor, Answer, Attempts, Mechanism, Outcome};
use crate::case::controllers::Component;
use crate::case::fact::Fact;
use crate::subject::Key;

/// How a removal is told: before and after the object.
const PHRASES: &[(Mechanism, &str, &str)] = &[
    (Mechanism::EvictionApi, "evicted", "through the eviction API"),
    (Mechanism::Preemption, "evicted", "to make room for a pod of higher priority"),
    (Mechanism::Taint, "evicted", "because of a NoExecute taint on its node"),
    (Mechanism::NodePressure, "evicted", "because its node ran short of resources"),
    (Mechanism::Delete, "deleted", ""),
    (Mechanism::DeleteCollection, "deleted", "with a whole collection"),
    (Mechanism::ScaleDown, "deleted", "because fewer were wanted"),
    (Mechanism::Rollout, "deleted", "to replace it by a newer version"),
    (Mechanism::OwnerGc, "deleted", "because its owner was deleted"),
    (Mechanism::NamespaceDeletion, "deleted", "because its namespace was deleted"),
    (Mechanism::PodGc, "deleted", "as garbage"),
    (Mechanism::JobTtl, "deleted", "because its time to live after finishing had run out"),
    (Mechanism::CronjobHistory, "deleted", "because its cron job keeps only so many finished jobs"),
    (Mechanism::Finalizer, "deleted", "which had to wait for its finalizers"),
];

/// What became of an attempt, as a sentence's end.
const ENDS: &[(Outcome, &str)] = &[
    (Outcome::Blocked, "was refused by a disruption budget"),
    (Outcome::Denied, "was not allowed to"),
    (Outcome::Failed, "failed"),
    (Outcome::DryRun, "only as a dry run: nothing was changed"),
];

/// A user, with whom they acted as and with what.
pub(crate) fn who(actor: &Actor) -> String {
    let username = if actor.username.is_empty() { "somebody unauthenticated" } else { &actor.username };
    match &actor.impersonated {
        Some(impersonated) => format!("{username} (acting as {})", impersonated.username),
        None => username.to_owned(),
    }
}

/// The client's own word, where the credential does not tell more.
fn with_client(actor: &Actor) -> String {
    aside(actor, None)
}

/// What more is known of an attempt, in brackets: the server's word, the client's word.
fn aside(actor: &Actor, detail: Option<&str>) -> String {
    let client = actor.client.as_deref().filter(|_| Component::of(actor).is_none());
    match detail.into_iter().chain(client).collect::<Vec<_>>().join("; ") {
        none if none.is_empty() => none,
        told => format!(" ({told})"),
    }
}

/// `alice evicted pod drain/web-1 through the eviction API (kubectl): alice drained node n2 (kubectl)`.
pub(crate) fn removal(answer: &Answer, object: &Key, budget: Option<&str>) -> String {
    let phrase = PHRASES.iter().find(|(mechanism, _, _)| answer.mechanism == Some(*mechanism));
    let (_, verb, manner) = phrase.unwrap_or(&PHRASES[4]);
    let unconfirmed = answer.outcome == Outcome::Unconfirmed;
    let asked =
        if unconfirmed { format!("asked to have {object} {verb}") } else { format!("{verb} {object}") };
    let manner = if manner.is_empty() { String::new() } else { format!(" {manner}") };
    let (by, client) =
        answer.actor.as_ref().map(|actor| (who(actor), with_client(actor))).unwrap_or_default();
    let refusals = match answer.attempts.blocked {
        0 => String::new(),
        count => format!(", after {} by {}", times(count, "refusal"), budget_named(budget)),
    };
    let because = answer.cause.as_ref().map(|cause| {
        let far = if answer.chain.len() > 1 { "; behind it, " } else { ": " };
        format!("{far}{} {}{}", who(&cause.actor), cause.action, with_client(&cause.actor))
    });
    let doubt = if unconfirmed { "; nothing shows that it went" } else { "" };
    format!("{by} {asked}{manner}{client}{refusals}{}{doubt}", because.unwrap_or_default())
}

/// `alice tried 3 times to evict pod drain/forever and was refused by disruption budget forever (kubectl)`.
pub(crate) fn attempt(
    actor: &Actor,
    object: &Key,
    mechanism: Mechanism,
    outcome: Outcome,
    count: u64,
    detail: Option<&str>,
) -> String {
    let verb = if mechanism == Mechanism::EvictionApi { "evict" } else { "delete" };
    let tried = if count == 1 { "tried".to_owned() } else { format!("tried {count} times") };
    let end = ENDS.iter().find(|(known, _)| *known == outcome).map_or("failed", |(_, end)| end);
    let link = if outcome == Outcome::DryRun { "," } else { " and" };
    format!("{} {tried} to {verb} {object}{link} {end}{}", who(actor), aside(actor, detail))
}

/// For a removal whose request is not in the facts.
pub(crate) fn unexplained(object: &Key, rivals: &[String], possible: &[String]) -> String {
    let what = match rivals {
        [] => format!("{object} was removed, but these files don't hold who asked for it"),
        _ => format!("{object} was removed, and any of these may have done it: {}", rivals.join(", ")),
    };
    match possible {
        [] => what,
        _ => format!("{what}; possibly by a delete of the whole collection, by {}", possible.join(", ")),
    }
}

fn budget_named(budget: Option<&str>) -> String {
    budget.map_or_else(|| "a disruption budget".to_owned(), |name| format!("disruption budget {name}"))
}

fn times(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// How many entries prove a repeated attempt; more are only counted.
const KEPT: usize = 10;

/// `bob scaled deployment apps/web from 3 to 1 (kubectl)`.
pub(crate) fn done(answer: &Answer, did: &str) -> String {
    let (by, client) =
        answer.actor.as_ref().map(|actor| (who(actor), with_client(actor))).unwrap_or_default();
    let because = answer.cause.as_ref().map(|cause| {
        format!("; behind it, {} {}{}", who(&cause.actor), cause.action, with_client(&cause.actor))
    });
    format!("{by} {did}{client}{}", because.unwrap_or_default())
}

/// `bob tried to delete node n3 and was not allowed to (kubectl)`.
///
/// Without an infinitive the request's own words stand for it: its verb, and the subresource if it has one.
pub(crate) fn refused(fact: &Fact, infinitive: Option<&str>, outcome: Outcome, count: u64) -> String {
    let actor = &fact.actor;
    let what = match (infinitive, fact.subresource.as_ref()) {
        (Some(infinitive), _) => format!("{infinitive} {}", fact.key),
        (None, "") => format!("{} {}", fact.verb, fact.key),
        (None, sub) => format!("{} {}/{sub} for {}", fact.verb, fact.key.resource, fact.key),
    };
    let tried = if count == 1 { "tried".to_owned() } else { format!("tried {count} times") };
    let end = ENDS.iter().find(|(known, _)| *known == outcome).map_or("failed", |(_, end)| end);
    let link = if outcome == Outcome::DryRun { "," } else { " and" };
    let message = format!("{} {}", fact.code, fact.message);
    let message = (outcome != Outcome::DryRun).then(|| message.trim_end());
    format!("{} {tried} to {what}{link} {end}{}", who(actor), aside(actor, message))
}

/// Attempts that all fared alike.
pub(crate) fn counts(outcome: Outcome, count: u64) -> Attempts {
    let of = |wanted| if outcome == wanted { count } else { 0 };
    Attempts {
        blocked: of(Outcome::Blocked),
        denied: of(Outcome::Denied),
        failed: of(Outcome::Failed),
        dry_run: of(Outcome::DryRun),
    }
}

/// The entries that are named for repeated attempts, the newest first.
pub(crate) fn newest<'f, 'l>(facts: &'f [&'l Fact]) -> impl Iterator<Item = &'l Fact> + 'f {
    facts.iter().rev().take(KEPT).copied()
}

/// That more entries were met than are named.
pub(crate) fn left_out(count: usize) -> Option<String> {
    (count > KEPT).then(|| format!("the last {KEPT} of {count} entries are named"))
}
