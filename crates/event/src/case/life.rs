//! One name, several lives: which facts belong to which incarnation of an object.

use std::sync::Arc;

use crate::case::controllers::Component;
use crate::case::detail::{Owner, Victim};
use crate::case::fact::Fact;
use crate::subject::Key;
use crate::time::Timestamp;

/// The facts about one incarnation of an object.
#[derive(Clone, Debug)]
pub(crate) struct Life<'l> {
    pub(crate) key: Arc<Key>,
    pub(crate) uid: Option<&'l str>,
    /// By time.
    pub(crate) facts: Vec<&'l Fact>,
    /// When the next incarnation of the name was created, if one was.
    pub(crate) succeeded_at: Option<Timestamp>,
    /// How the answer of a deletecollection lists it.
    pub(crate) listed: Option<&'l Victim>,
    /// When it certainly ended: the kubelet confirmed it, or nobody was to wait for it.
    pub(crate) closed_at: Option<Timestamp>,
}

impl<'l> Life<'l> {
    pub(crate) fn new(key: &Arc<Key>, uid: Option<&'l str>) -> Self {
        Self {
            key: Arc::clone(key),
            uid,
            facts: Vec::new(),
            succeeded_at: None,
            listed: None,
            closed_at: None,
        }
    }

    fn push(&mut self, fact: &'l Fact) {
        self.uid = self.uid.or(fact.uid.as_deref().filter(|_| fact.is_accepted()));
        if ends_life(fact) {
            self.closed_at = self.closed_at.or(Some(fact.time));
        }
        self.facts.push(fact);
    }

    /// The owners that a body named; the managing one first.
    pub(crate) fn owners(&self) -> Option<&'l [Owner]> {
        let listed = self.listed.iter().map(|victim| victim.owners.as_slice());
        self.facts
            .iter()
            .map(|fact| fact.detail.owners.as_slice())
            .chain(listed)
            .find(|owners| !owners.is_empty())
    }

    /// The node: from a body, from the binding, or from the kubelet that spoke for the pod.
    pub(crate) fn node(&self) -> Option<&'l str> {
        let by_kubelet = |fact: &&'l Fact| {
            (fact.component == Some(Component::Kubelet))
                .then(|| fact.actor.username.strip_prefix("system:node:"))?
        };
        let stated = self.facts.iter().find_map(|fact| fact.detail.node.as_deref());
        stated.or_else(|| self.facts.iter().find_map(by_kubelet))
    }

    /// The labels that were last seen.
    pub(crate) fn labels(&self) -> Option<&'l [(String, String)]> {
        self.labelled_by()?.detail.labels.as_ref().map(|labels| labels.as_slice())
    }

    /// What showed them.
    pub(crate) fn labelled_by(&self) -> Option<&'l Fact> {
        self.facts.iter().copied().rev().find(|fact| fact.detail.labels.is_some())
    }

    /// When the object was there for the first time, as far as the facts say.
    pub(crate) fn seen_from(&self) -> Option<Timestamp> {
        self.facts.iter().find(|fact| fact.succeeded()).map(|fact| fact.effective())
    }

    /// When it was made, if that was seen: its creation, or for a pod its binding, which comes once and at once.
    pub(crate) fn made_at(&self) -> Option<Timestamp> {
        let makes = |fact: &&&Fact| {
            fact.verb == "create" && matches!(fact.subresource.as_ref(), "" | "binding") && fact.succeeded()
        };
        self.facts.iter().find(makes).map(|fact| fact.received)
    }

    /// Its creation, if it was seen.
    pub(crate) fn creation(&self) -> Option<&'l Fact> {
        self.facts.iter().copied().find(|fact| fact.is("create") && fact.succeeded())
    }
}

/// Whether the object is certainly gone after `fact`: the kubelet confirms a pod's end, or nobody was to wait for it.
fn ends_life(fact: &Fact) -> bool {
    is_last_word(fact)
        || fact.succeeded() && fact.is("delete") && fact.key.is_pod() && fact.detail.grace_seconds == Some(0)
}

/// Whether this is the kubelet's delete that ends every graceful removal: it confirms, and never decides.
///
/// The kubelet sends it with grace period 0 once the containers have stopped
/// ([source](https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/status/status_manager.go)).
pub(crate) fn is_last_word(fact: &Fact) -> bool {
    fact.key.is_pod() && fact.is("delete") && fact.succeeded() && fact.component == Some(Component::Kubelet)
}

/// Sorts the facts about one object, which are in order of time, into its incarnations.
///
/// A uid tells for certain. Where none is recorded (most entries at Metadata level), a create begins a life, and so
/// does any request that came in after the last one certainly ended and still found the object.
pub(crate) fn lives<'l>(key: &Arc<Key>, facts: impl Iterator<Item = &'l Fact>) -> Vec<Life<'l>> {
    let mut lives: Vec<Life<'l>> = Vec::new();
    for fact in facts {
        let at = place(&lives, fact).unwrap_or_else(|| {
            if let Some(last) = lives.last_mut() {
                last.succeeded_at = Some(fact.effective());
            }
            lives.push(Life::new(key, None));
            lives.len() - 1
        });
        lives[at].push(fact);
    }
    lives
}

/// Which life a fact belongs to; `None` if it begins another.
fn place(lives: &[Life<'_>], fact: &Fact) -> Option<usize> {
    let last = lives.len().checked_sub(1)?;
    let begins = fact.is("create") && fact.succeeded();
    let outlives = fact.is_accepted() && lives[last].closed_at.is_some_and(|end| fact.received > end);
    if let Some(uid) = fact.uid.as_deref() {
        if let Some(known) = lives.iter().rposition(|life| life.uid == Some(uid)) {
            return Some(known);
        }
        let adopts = lives[last].uid.is_none() && !begins && !outlives && fact.is_accepted();
        // A request for another incarnation that was refused tells of this one all the same.
        return (adopts || !fact.is_accepted()).then_some(last);
    }
    let fresh = begins && lives[last].facts.iter().any(|earlier| earlier.succeeded());
    (!(fresh || outlives)).then_some(last)
}
