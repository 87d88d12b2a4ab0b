//! What was done to a node that made its pods go: drained, tainted, silent.

use crate::answer::Certainty;
use crate::case::controllers::Component;
use crate::case::fact::Fact;
use crate::case::inquiry::{self, Inquiry, Link, key};
use crate::case::soonest::Soonest;
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
    let taints = inquiry.known.taints.of(&node, || Taints::of(inquiry.ledger.of(&node)));
    let added = taints.until(time).standing?;
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
#[derive(Clone, Copy, Debug)]
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

/// What a node's facts tell of its taints up to one of them.
#[derive(Clone, Copy, Debug, Default)]
struct State<'l> {
    /// The last `NoExecute` taint that was put on it and not taken off since.
    standing: Option<Added<'l>>,
    known: Option<&'l Vec<String>>,
}

impl<'l> State<'l> {
    fn after(self, fact: &'l Fact) -> Self {
        let added = Added::by(fact, self.known).map(|added| added.behind(self.standing.as_ref()));
        let known = fact.taints().or(self.known);
        Self { standing: added.or(self.standing).filter(|added| added.stands(known)), known }
    }
}

/// The taints of a node over time: many pods may go for them, and they may change as often.
#[derive(Debug, Default)]
pub(super) struct Taints<'l> {
    /// What succeeded, by time.
    facts: Vec<&'l Fact>,
    /// Behind each of them.
    states: Vec<State<'l>>,
    soonest: Soonest,
}

impl<'l> Taints<'l> {
    fn of(facts: impl Iterator<Item = &'l Fact>) -> Self {
        let facts: Vec<&Fact> = facts.filter(|fact| fact.succeeded()).collect();
        let mut state = State::default();
        let states = facts.iter().map(|fact| {
            state = state.after(fact);
            state
        });
        let states = states.collect();
        let soonest = Soonest::of(facts.iter().copied());
        Self { facts, states, soonest }
    }

    /// What those tell that came in at or before a time.
    fn until(&self, time: Timestamp) -> State<'l> {
        let done = self.facts.partition_point(|fact| fact.effective() <= time);
        let end = self.soonest.until(time);
        let state = done.checked_sub(1).map(|last| self.states[last]).unwrap_or_default();
        let under_way = self.facts[done..end.max(done)].iter().filter(|fact| fact.received <= time);
        under_way.fold(state, |state, fact| state.after(fact))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::case::actors::actor_of;
    use crate::case::detail::Reading;
    use crate::event::{Event, ObjectRef, ResponseStatus};
    use crate::fold::Address;
    use crate::json::Json;

    fn fact(place: usize, (time, took, body): &(i64, i64, String)) -> Fact {
        let at = |time: i64| Some(Timestamp::from_micros(time));
        let event = Event {
            level: "Request".into(),
            stage: "ResponseComplete".into(),
            verb: "patch".into(),
            object_ref: Some(ObjectRef { resource: "nodes".into(), ..ObjectRef::default() }),
            response_status: Some(ResponseStatus { code: 200, ..ResponseStatus::default() }),
            request_object: Json::new(body).ok(),
            received: at(time - took),
            stage_time: at(*time),
            ..Event::default()
        };
        let address = Address { source: 0, offset: place as u64, length: 1 };
        Fact::of(&event, Arc::new(node_key("n1")), address, Arc::new(actor_of(&event)), Reading::default())
    }

    proptest! {
        /// What is looked up is what going through all facts finds.
        #[test]
        fn taints_are_those_of_the_slow_way(
            changes in prop::collection::vec((0_i64..30, 0_i64..6, prop::collection::vec(0_u8..3, 0..3)), 0..12), time in 0_i64..32,
        ) {
            let body = |taints: &[u8]| {
                let taints: Vec<_> = taints.iter().map(|key| serde_json::json!({"key": key.to_string(), "effect": "NoExecute"})).collect();
                serde_json::json!({"spec": {"taints": taints}}).to_string()
            };
            let mut told: Vec<_> = changes.iter().map(|(time, took, taints)| (*time, *took, body(taints))).collect();
            told.sort_unstable();
            let facts: Vec<Fact> = told.iter().enumerate().map(|(place, told)| fact(place, told)).collect();
            let time = Timestamp::from_micros(time);
            let past = facts.iter().filter(|fact| fact.received <= time);
            let slowly = past.fold(State::default(), State::after);
            let found = Taints::of(facts.iter()).until(time);
            let told = |state: State<'_>| (state.standing.map(|added| (added.fact.address, added.taint.map(str::to_owned), added.is_doubtful)), state.known.cloned());
            prop_assert_eq!(told(found), told(slowly));
        }
    }
}
