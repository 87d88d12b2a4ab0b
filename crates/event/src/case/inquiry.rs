//! Looking behind a fact: what is known of other objects, and what would have to be looked for.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::answer::{Actor, Cause, Certainty, Evidence};
use crate::case::Window;
use crate::case::changes::Changes;
use crate::case::context::{Context, LATENCY};
use crate::case::detail::Owner;
use crate::case::evictions::Evictions;
use crate::case::fact::Fact;
use crate::case::growth::Growths;
use crate::case::known::{Known, Removed};
use crate::case::ledger::Ledger;
use crate::case::life::Life;
use crate::case::removal::removal;
use crate::filter::Filter;
use crate::glob::Glob;
use crate::resource::Resource;
use crate::subject::Key;
use crate::time::Timestamp;

/// How long after the removal of what it depends on an object may still be made, by who has not heard of it yet, in
/// microseconds.
const HEARSAY: i64 = 10 * 1_000_000;

/// So many filters that differ in their times alone are left apart.
const FEW: usize = 16;

/// The lives of an object that so many facts are about are made anew each time.
const FEW_FACTS: usize = 16;

const CHANGES: &[&str] = &["create", "update", "patch", "delete"];
pub(super) const COLLECTIONS: &[&str] = &["deletecollection"];

/// One look at all facts of a case. What it misses is noted, for the next look.
#[derive(Debug)]
pub(crate) struct Inquiry<'l> {
    pub(crate) ledger: &'l Ledger,
    pub(crate) sources: &'l [String],
    /// Beyond what the facts don't go, if the question has a window.
    pub(crate) context: Option<Context>,
    /// With how many threads many objects are judged at the most.
    pub(super) threads: usize,
    /// Each with the time up to which it is needed, besides its own.
    needs: RefCell<BTreeMap<Filter, Timestamp>>,
    /// Whether a cause was missed.
    is_silent: Cell<bool>,
    pub(super) known: Arc<Known<'l>>,
}

/// One link of a chain of causes.
#[derive(Clone, Debug)]
pub(crate) struct Link<'l> {
    pub(crate) fact: &'l Fact,
    pub(crate) action: String,
    pub(crate) certainty: Certainty,
    pub(crate) proof: Vec<&'l Fact>,
}

impl<'l> Inquiry<'l> {
    pub(crate) fn new(
        ledger: &'l Ledger,
        sources: &'l [String],
        context: Option<Context>,
        threads: usize,
    ) -> Self {
        Self {
            ledger,
            sources,
            context,
            threads,
            needs: RefCell::default(),
            is_silent: Cell::new(false),
            known: Arc::default(),
        }
    }

    /// One that misses nothing yet, for another thread.
    pub(super) fn another(&self) -> Self {
        let new = Self::new(self.ledger, self.sources, self.context, self.threads);
        Self { known: Arc::clone(&self.known), ..new }
    }

    /// Takes what another one misses.
    pub(super) fn add(&self, other: Self) {
        for (filter, until) in other.needs.into_inner() {
            self.need_until(filter, until);
        }
        self.is_silent.set(self.is_silent.get() || other.is_silent.get());
    }

    /// The incarnations of an object, the first one first. If they are made of many facts, that is done once: others may ask, too.
    pub(crate) fn lives(&self, object: &Key) -> Arc<Vec<Life<'l>>> {
        let lives = || self.ledger.lives(object);
        if self.ledger.of(object).nth(FEW_FACTS).is_none() {
            return Arc::new(lives());
        }
        self.known.lives.of(object, lives)
    }

    /// The changes of a workload, by anybody but the controllers that work it.
    pub(super) fn changes(&self, workload: &Key) -> Arc<Changes<'l>> {
        self.known.changes.of(workload, || Changes::of(self, workload))
    }

    /// When the replica sets of a deployment grew.
    pub(crate) fn growths(&self, deployment: &Key) -> Arc<Growths> {
        self.known.growths.of(deployment, || Growths::of(self.ledger, deployment))
    }

    /// All evictions, by node.
    pub(crate) fn evictions(&self) -> &Evictions<'l> {
        self.known.evictions.get_or_init(|| Evictions::of(self))
    }

    /// What to look for to know more.
    pub(crate) fn into_needs(self) -> impl Iterator<Item = Filter> {
        let within = self.context.map(Context::window).unwrap_or_default();
        let needs = self.needs.into_inner().into_iter();
        merged(needs.map(move |(filter, until)| filter.within(Window { until, ..within })))
    }

    /// Whether the facts don't say all that was asked of them.
    pub(crate) const fn is_silent(&self) -> bool {
        self.is_silent.get()
    }

    pub(crate) fn need(&self, filter: Filter) {
        self.need_until(filter, Timestamp::MAX);
    }

    /// Asks for what came in before `effect`, by when a cause of it did.
    pub(crate) fn need_before(&self, filter: Filter, effect: Timestamp) {
        self.need_until(filter, effect.plus(LATENCY));
    }

    fn need_until(&self, filter: Filter, until: Timestamp) {
        let mut needs = self.needs.borrow_mut();
        let needed = needs.entry(filter).or_insert(until);
        *needed = until.max(*needed);
    }

    /// Asks for what tells of objects at the time of `effect`. What comes later may tell more of the same objects, such as
    /// their uid: it is left out where the question has a window.
    pub(crate) fn need_about(&self, filter: Filter, effect: Timestamp) {
        self.need_until(filter, if self.context.is_some() { effect.plus(LATENCY) } else { Timestamp::MAX });
    }

    /// Asks for the changes and removals of everything in a namespace (or outside of all) with one of these names.
    pub(crate) fn need_names(&self, namespace: &str, names: Vec<Glob>, effect: Timestamp) {
        if !namespace.is_empty() {
            self.need_about(Filter { verbs: COLLECTIONS, ..changes(namespace) }, effect);
        }
        self.need_about(Filter { names, ..changes(namespace) }, effect);
    }

    /// Asks for the changes and removals of one object.
    pub(crate) fn need_object(&self, key: &Key, effect: Timestamp) {
        self.need_names(&key.namespace, vec![Glob::new(&*key.name)], effect);
    }

    /// Where the context begins, if somebody may have asked for the removal before that, and `fact` only again: an object may
    /// wait long for its finalizers. Of a removal that was immediate the answer holds the uid and no object.
    pub(crate) fn may_repeat(&self, life: &Life<'_>, fact: &Fact) -> Option<Timestamp> {
        let from = self.context.and_then(|context| context.from)?;
        let is_known = life.creation().is_some() || fact.uid.is_some() && fact.detail.terminating.is_none();
        (!life.key.is_pod() && !is_known).then_some(from)
    }

    /// Notes that entries don't say something that earlier ones might.
    pub(crate) fn miss(&self) {
        self.is_silent.set(true);
    }

    /// Words for that entries don't say something, and from when on they might.
    pub(crate) fn silence(&self, about: &str) -> String {
        self.miss();
        match self.context.and_then(|context| context.from) {
            Some(from) => {
                format!(
                    "these files don't say {about} from {from} on; what came before was not looked at [rule: context]"
                )
            }
            None => format!("these files don't say {about}"),
        }
    }

    /// Words for that it is not known what something was like before, if that was not looked for as far back as files go.
    pub(crate) fn doubt_before(&self) -> Option<String> {
        let from = self.context.and_then(|context| context.from)?;
        self.miss();
        Some(format!(
            "what it was like before {from} was not looked at: some of it may have been so already [rule: context]"
        ))
    }

    /// The object that an owner reference in `namespace` means; `None` where its resource can't be told.
    pub(crate) fn owner_key(&self, namespace: &str, owner: &Owner, effect: Timestamp) -> Option<Key> {
        if let Some(known) = Resource::named(&owner.kind) {
            let group = known.groups.first().copied().unwrap_or_default();
            return Some(key(
                group,
                known.plural,
                if known.namespaced { namespace } else { "" },
                &owner.name,
            ));
        }
        // Of a kind that is not built in, the plural is not known: an object of that name and identity tells it.
        for namespace in [namespace, ""] {
            self.need_names(namespace, vec![Glob::new(&*owner.name)], effect);
        }
        let kind = owner.kind.to_ascii_lowercase();
        self.ledger.of_kind(&kind, namespace, &owner.name).cloned()
    }

    /// How `key`, on which `dependent` rests, was removed at or before `time`, the last time if it had several lives. What was made
    /// later rests on another life of it, whose end is in none of the facts; a uid tells lives apart.
    pub(super) fn removed_before(
        &self,
        key: &Key,
        uid: Option<&str>,
        dependent: &Life<'_>,
        time: Timestamp,
    ) -> Option<Arc<Removed<'l>>> {
        self.need_object(key, time);
        let removals = self.known.removals.of(key, || self.removals(key));
        let mut same = removals
            .iter()
            .rev()
            .filter(|removed| uid.is_none_or(|uid| removed.life.uid.is_none_or(|own| own == uid)));
        let found = same.find(|removed| {
            let fact = removed.decided.fact;
            let was_made =
                uid.is_some() || dependent.made_at().is_none_or(|made| made <= fact.time.plus(HEARSAY));
            fact.received <= time && was_made
        });
        found.cloned()
    }

    /// How the incarnations of an object were removed, of which that is known.
    fn removals(&self, key: &Key) -> Vec<Arc<Removed<'l>>> {
        let decided = |life: Life<'l>| {
            let decided = removal(self.ledger, &life).decided?;
            Some(Arc::new(Removed { life, decided }))
        };
        self.ledger.lives(key).into_iter().filter_map(decided).collect()
    }

    /// Who had the token minted that an actor used, where it was one and its request is recorded.
    ///
    /// A bound token's `JTI` is in the user's extra, and in an annotation of the token request
    /// ([source](https://github.com/kubernetes/enhancements/tree/master/keps/sig-auth/4193-bound-service-account-token-improvements)).
    pub(crate) fn minted(&self, actor: &Actor, used: Timestamp) -> Option<Arc<Cause>> {
        let credential = actor.credential.as_deref().filter(|credential| credential.starts_with("JTI="))?;
        let request = Filter {
            resource: Some("serviceaccounts".to_owned()),
            verbs: &["create"],
            issued: Some(credential.to_owned()),
            ..Filter::default()
        };
        self.need_before(request, used);
        let fact = self.ledger.issuer_of(credential)?;
        let action = format!("had the token of {} minted that was used", fact.key);
        Some(self.cause(&Link { fact, action, certainty: Certainty::Recorded, proof: Vec::new() }))
    }

    pub(crate) fn evidence(&self, fact: &Fact) -> Evidence {
        Evidence {
            source: self.sources.get(fact.address.source).cloned().unwrap_or_default(),
            offset: fact.address.offset,
            length: fact.address.length,
            audit_id: fact.audit_id.clone(),
            stage: fact.stage.to_string(),
            sha256: None,
        }
    }

    pub(crate) fn cause(&self, link: &Link<'_>) -> Arc<Cause> {
        Arc::new(Cause {
            actor: Arc::clone(&link.fact.actor),
            action: link.action.clone(),
            time: Some(link.fact.time),
            certainty: link.certainty,
            evidence: std::iter::once(&link.fact)
                .chain(&link.proof)
                .map(|fact| self.evidence(fact))
                .collect(),
            cause: None,
        })
    }
}

/// Takes many filters that differ in their times alone for one where these overlap: each event is held against each filter, and
/// somebody may cordon nodes all day.
fn merged(filters: impl Iterator<Item = Filter>) -> impl Iterator<Item = Filter> {
    let mut alike: BTreeMap<Filter, Vec<Window>> = BTreeMap::new();
    for filter in filters {
        let window = Window {
            from: filter.from.unwrap_or(Timestamp::MIN),
            until: filter.until.unwrap_or(Timestamp::MAX),
        };
        alike.entry(Filter { from: None, until: None, ..filter }).or_default().push(window);
    }
    alike.into_iter().flat_map(|(filter, windows)| {
        let windows = if windows.len() > FEW { runs(windows) } else { windows };
        windows.into_iter().map(move |window| filter.clone().within(window))
    })
}

/// The times that lie in any of the windows.
fn runs(mut windows: Vec<Window>) -> Vec<Window> {
    windows.sort_by_key(|window| window.from);
    let mut runs: Vec<Window> = Vec::new();
    for window in windows {
        match runs.last_mut() {
            Some(run) if window.from <= run.until => run.until = run.until.max(window.until),
            _ => runs.push(window),
        }
    }
    runs
}

/// The changes and removals of everything in a namespace, or outside of all.
pub(crate) fn changes(namespace: &str) -> Filter {
    Filter { namespace: Some(Glob::new(namespace)), verbs: CHANGES, ..Filter::default() }
}

pub(crate) fn key(group: &str, resource: &str, namespace: &str, name: &str) -> Key {
    Key {
        group: group.to_owned(),
        resource: resource.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is wanted at any time is wanted by what many filters become, and by few of these.
        #[test]
        fn merged_filters_want_the_same(times in prop::collection::vec((0_i64..60, 0_i64..4), 0..40)) {
            let at = |micros: i64| Timestamp::from_micros(micros);
            let filters: Vec<Filter> = times.iter().map(|(from, length)| {
                changes("shop").within(Window { from: at(*from), until: at(from + length) })
            }).collect();
            let merged: Vec<Filter> = merged(filters.iter().cloned()).collect();
            for micros in 0..70 {
                let moment = changes("shop").within(Window { from: at(micros), until: at(micros) });
                let wanted = |filters: &[Filter]| filters.iter().filter(|filter| filter.covers(&moment)).count();
                prop_assert_eq!(wanted(&filters) > 0, wanted(&merged) > 0);
                prop_assert!(filters.len() <= FEW || wanted(&merged) <= 1);
            }
        }
    }
}
