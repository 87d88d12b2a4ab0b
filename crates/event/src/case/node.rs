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
    let fact = inquiry.ledger.last_before(&node, time, |fact| fact.succeeded() && adds_no_execute(fact))?;
    let taint = fact.detail.no_execute.first().map_or("NoExecute", String::as_str);
    let action = match fact.component {
        Some(Component::NodeLifecycle) => format!("found {node} silent or not ready and tainted it {taint}"),
        _ => format!("tainted {node} {taint}"),
    };
    Some(Link { fact, action, certainty: Certainty::Inferred, proof: Vec::new() })
}

/// With a body, the request sets a `NoExecute` taint. Without one, `kubectl taint` names itself as field manager, and
/// the node lifecycle controller writes a node's status only when it has given the node up.
fn adds_no_execute(fact: &Fact) -> bool {
    if fact.body_recorded {
        return fact.is_change() && !fact.detail.no_execute.is_empty();
    }
    let by_kubectl = fact.is("patch") && fact.field_manager() == Some("kubectl-taint");
    let given_up = fact.component == Some(Component::NodeLifecycle)
        && fact.verb == "update"
        && fact.subresource == "status";
    by_kubectl || given_up
}
