//! What changed workloads, and who was behind it.

use crate::answer::{Certainty, Mechanism};
use crate::case::autoscaler;
use crate::case::controllers::Component;
use crate::case::fact::Fact;
use crate::case::growth::Growths;
use crate::case::inquiry::{Inquiry, Link};
use crate::case::ledger::Ledger;
use crate::subject::Key;
use crate::time::Timestamp;

/// How soon a controller acts on what a workload newly wants, in microseconds. What was wanted long ago is no reason for
/// what is done now: then the reason is in none of the facts.
pub(super) const PROMPT: i64 = 60 * 1_000_000;

/// How soon a controller begins to act, such as the deployment controller to make a replica set for a new template, in
/// microseconds.
pub(super) const AT_ONCE: i64 = 10 * 1_000_000;

/// A change of a workload that may have made its controller act.
#[derive(Clone, Debug)]
pub(super) struct Change<'l> {
    pub(super) fact: &'l Fact,
    /// Replicas before, where known, and after, where known; `None` if it does not scale.
    pub(super) scales: Option<(Option<i64>, Option<i64>)>,
    pub(super) templates: bool,
    pub(super) suspends: bool,
    /// Whether what it changed had to be told from what followed.
    pub(super) guessed: bool,
}

impl Change<'_> {
    /// Whether it may have asked for more than there were, and `made` be one of these: a stateful set's pods are numbered.
    pub(super) fn may_have_made(&self, made: &Key) -> bool {
        let numbered = self.fact.key.resource == "statefulsets" && made.is_pod();
        let ordinal = made.ordinal().filter(|_| numbered);
        self.scales.is_some_and(|(from, to)| {
            from.zip(to).is_none_or(|(from, to)| to > from)
                && from.zip(ordinal).is_none_or(|(from, ordinal)| from <= ordinal)
        })
    }

    /// Whether it may have asked for fewer than there were, so that a pod that was made then was removed at `time`.
    pub(super) fn shrinks_between(&self, made: Option<Timestamp>, time: Timestamp) -> bool {
        let shrinks = self.scales.is_some_and(|(from, to)| from.zip(to).is_none_or(|(from, to)| to < from));
        shrinks && made.is_none_or(|made| made <= self.fact.time) && self.is_prompt(time)
    }

    /// Whether it suspends or resumes a job, as far as it can be told.
    pub(super) fn is_about_suspension(&self) -> bool {
        self.guessed || self.fact.detail.suspend.is_some()
    }

    /// Tells from what followed what it changed, where its entry does not: without bodies, another replica set that grows soon
    /// after tells a changed template from all else. The next change came in at `end`, or nothing is known from there on.
    pub(super) fn guess(&mut self, growths: Option<&Growths>, end: Timestamp) {
        if !self.guessed {
            return;
        }
        let from = self.fact.received;
        let end = end.min(from.plus(AT_ONCE));
        let restarts = matches!(self.fact.field_manager(), Some("kubectl-rollout" | "kubectl-set"));
        let has_other = |growths: &Growths| growths.is_another(growths.last_before(from), from, end);
        self.templates = restarts || growths.is_some_and(has_other);
        self.scales = (!self.templates && self.fact.key.resource == "deployments").then_some((None, None));
        self.suspends = self.fact.key.resource == "jobs";
    }

    /// Whether what was done at a time may have been done for it: soon, and at once where it had to be told from that.
    pub(super) fn is_prompt(&self, time: Timestamp) -> bool {
        time.since(self.fact.received) <= if self.guessed { AT_ONCE } else { PROMPT }
    }
}

/// The changes of a workload, by anybody but the controllers that work it, as far as its own entries tell them, by time.
pub(super) fn recorded<'l>(ledger: &'l Ledger, workload: &Key) -> Vec<Change<'l>> {
    let mut changes: Vec<Change<'l>> = Vec::new();
    // Each with the fact that says it.
    let (mut replicas, mut template) = (None, None);
    for fact in ledger.of(workload).filter(|fact| fact.succeeded() && fact.is_change()) {
        let detail = &fact.detail;
        let (replicas_before, template_before) = (replicas, template);
        replicas = detail.replicas.map(|count| (fact, count)).or(replicas);
        template = detail.template.map(|print| (fact, print)).or(template);
        let worked = matches!(fact.component, Some(Component::Deployment | Component::GarbageCollector));
        if fact.is("create") || worked {
            continue;
        }
        let differs = replicas_before.zip(detail.replicas).is_some_and(|((earlier, before), after)| {
            before != after && fact.may_have_changed(detail.replicas_asked, earlier)
        });
        let asked = detail.replicas_asked && (replicas_before.is_none() || !detail.template_asked);
        let scales = fact.subresource == "scale" || differs || asked;
        let templates = match (template_before, detail.template) {
            (Some((earlier, before)), Some(after)) => {
                before != after && fact.may_have_changed(detail.template_asked, earlier)
            }
            _ => detail.template_asked,
        };
        let replicas_before = replicas_before.map(|(_, before)| before);
        changes.push(Change {
            fact,
            scales: scales.then_some((replicas_before, detail.replicas)),
            templates,
            suspends: detail.suspend == Some(true),
            guessed: !fact.body_recorded && fact.subresource != "scale",
        });
    }
    changes
}

/// The chain behind a change: an autoscaler does what its author told it to.
pub(super) fn links<'l>(
    inquiry: &Inquiry<'l>,
    change: &Change<'l>,
    mechanism: Mechanism,
    time: Timestamp,
) -> Vec<Link<'l>> {
    let first = Link {
        fact: change.fact,
        action: action(change, mechanism),
        certainty: Certainty::Inferred,
        proof: Vec::new(),
    };
    let mut links = vec![first];
    if change.fact.component == Some(Component::Autoscaler) {
        links.extend(autoscaler::author(inquiry, &change.fact.key, time));
    }
    links
}

fn action(change: &Change<'_>, mechanism: Mechanism) -> String {
    let workload = &change.fact.key;
    match (mechanism, change.scales) {
        (Mechanism::Rollout, _) => match change.fact.field_manager() {
            Some("kubectl-rollout") => format!("restarted or rolled back {workload}"),
            _ => format!("changed the pod template of {workload}"),
        },
        (_, Some((Some(from), Some(to)))) => format!("scaled {workload} from {from} to {to}"),
        (_, Some((None, Some(to)))) => format!("scaled {workload} to {to}"),
        (_, Some(_)) => format!("scaled {workload}"),
        (_, None) if change.guessed => format!("changed {workload}"),
        (_, None) => format!("suspended {workload}"),
    }
}
