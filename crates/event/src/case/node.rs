//! What was done to a node that made its pods go: drained, tainted, silent.

use crate::answer::Certainty;
use crate::case::controllers::Component;
use crate::case::fact::Fact;
use crate::case::inquiry::{self, Inquiry, Link, key};
use crate::filter::Filter;
use crate::glob::Glob;
use crate::subject::Key;
use crate::time::Timestamp;

/// How long a drain may take from its cordon to its last eviction when bodies are not recorded, in microseconds.
const DRAIN_WITHOUT_BODY: i64 = 10 * 60 * 1_000_000;

/// How soon a `NoExecute` taint acts on pods that don't tolerate it for a time, in microseconds.
const AT_ONCE: i64 = 10 * 1_000_000;

fn node_key(name: &str) -> Key {
    key("", "nodes", "", name)
}

/// The cordon with which the evicting user began to drain the node, if that is what they did.
///
/// `kubectl drain` patches `spec.unschedulable` and then evicts pod by pod
/// ([source](https://github.com/kubernetes/kubectl/blob/master/pkg/drain/drain.go)). Without bodies a patch of the node
/// by the same user, without a field manager, shortly before, is taken for the cordon.
pub(crate) fn drain<'l>(inquiry: &Inquiry<'l>, eviction: &Fact, node: &str) -> Option<Link<'l>> {
    let node = node_key(node);
    // Who evicts is rarer in a log than a node's name.
    let patches = Filter {
        resource: Some(node.resource.clone()),
        verbs: &["patch"],
        username: Some(Glob::new(&*eviction.actor.username)),
        ..Filter::default()
    };
    inquiry.need_before(patches, eviction.time);
    let fact = inquiry.ledger.last_before(&node, eviction.time, |fact| {
        fact.is("patch") && fact.succeeded() && fact.actor.username == eviction.actor.username
    })?;
    let cordons = if fact.body_recorded {
        fact.detail.cordons == Some(true)
    } else {
        fact.field_manager().is_none() && eviction.time.since(fact.time) <= DRAIN_WITHOUT_BODY
    };
    cordons.then(|| Link {
        fact,
        action: format!("drained {node}"),
        certainty: Certainty::Inferred,
        proof: Vec::new(),
    })
}

/// Who tainted the node so that its pods had to go: a person, or the node lifecycle controller for a node that went
/// silent, where no human is behind it.
pub(crate) fn taint<'l>(inquiry: &Inquiry<'l>, node: &str, time: Timestamp) -> Option<Link<'l>> {
    let node = node_key(node);
    let changes = Filter { names: vec![Glob::new(&*node.name)], ..inquiry::changes("") };
    inquiry.need_before(changes, time);
    let facts = inquiry.ledger.of(&node).filter(|fact| fact.received <= time && fact.succeeded());
    let added = standing_no_execute(facts)?;
    if added.is_doubtful && time.since(added.fact.time) > AT_ONCE {
        return None;
    }
    let (fact, taint) = (added.fact, added.taint.unwrap_or("NoExecute"));
    let action = match fact.component {
        Some(Component::NodeLifecycle) => format!("found {node} silent or not ready and tainted it {taint}"),
        _ => format!("tainted {node} {taint}"),
    };
    Some(Link { fact, action, certainty: Certainty::Inferred, proof: Vec::new() })
}

/// A request that put a `NoExecute` taint on a node, and that taint, if a body says it.
struct Added<'l> {
    fact: &'l Fact,
    taint: Option<&'l str>,
    /// Whether it may have been there before, or be of another kind, or have been taken off.
    is_doubtful: bool,
}

impl<'l> Added<'l> {
    /// What a request adds to the taints that are `known` to be there: whoever changes one taint sends all of them. Without a
    /// body, `kubectl taint` names itself as field manager, and the node lifecycle controller writes a node's status only when
    /// it has given the node up.
    fn by(fact: &'l Fact, known: Option<&Vec<String>>) -> Option<Self> {
        if fact.body_recorded {
            let is_new = |taint: &&String| known.is_none_or(|known| !known.contains(taint));
            let added = fact.detail.no_execute.iter().filter(|_| fact.is_change()).find(is_new);
            // Several at once may be one, and another whose own request is in none of the facts.
            let count = fact.detail.taints_asked.iter().flatten().filter(is_new).count();
            let is_doubtful = fact.component.is_none() && (known.is_none() || count > 1);
            return added.map(|taint| Self { fact, taint: Some(taint.as_str()), is_doubtful });
        }
        let by_kubectl = fact.is("patch") && fact.field_manager() == Some("kubectl-taint");
        let given_up = fact.component == Some(Component::NodeLifecycle)
            && fact.verb == "update"
            && fact.subresource == "status";
        (by_kubectl || given_up).then_some(Self { fact, taint: None, is_doubtful: by_kubectl })
    }

    /// A node that was given up may have lost its pods for what was in doubt before.
    fn behind(self, before: Option<&Self>) -> Self {
        let is_doubtful = self.taint.is_none() && before.is_some_and(|before| before.is_doubtful);
        Self { is_doubtful: self.is_doubtful || is_doubtful, ..self }
    }

    /// Whether it is still there, as far as taints are `known`.
    fn stands(&self, known: Option<&Vec<String>>) -> bool {
        let is_known = |taint: &str| known.is_none_or(|known| known.iter().any(|own| own == taint));
        self.taint.is_none_or(is_known)
    }
}

/// The last `NoExecute` taint that a node was given and that was not taken off since; its facts are by time.
fn standing_no_execute<'l>(facts: impl Iterator<Item = &'l Fact>) -> Option<Added<'l>> {
    let (mut standing, mut known) = (None, None);
    for fact in facts {
        standing = Added::by(fact, known).map(|added| added.behind(standing.as_ref())).or(standing);
        known = fact.taints().or(known);
        standing = standing.filter(|added: &Added<'_>| added.stands(known));
    }
    standing
}
