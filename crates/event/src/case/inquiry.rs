//! Looking behind a fact: what is known of other objects, and what would have to be looked for.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::answer::{Actor, Cause, Certainty, Evidence};
use crate::case::detail::Owner;
use crate::case::fact::Fact;
use crate::case::ledger::Ledger;
use crate::case::life::Life;
use crate::case::removal::{Decided, removal};
use crate::filter::Filter;
use crate::glob::Glob;
use crate::resource::Resource;
use crate::subject::Key;
use crate::time::Timestamp;

const CHANGES: &[&str] = &["create", "update", "patch", "delete"];
const COLLECTIONS: &[&str] = &["deletecollection"];

/// One look at all facts of a case. What it misses is noted, for the next look.
#[derive(Debug)]
pub(crate) struct Inquiry<'l> {
    pub(crate) ledger: &'l Ledger,
    pub(crate) sources: &'l [String],
    needs: RefCell<BTreeSet<Filter>>,
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
    pub(crate) fn new(ledger: &'l Ledger, sources: &'l [String]) -> Self {
        Self { ledger, sources, needs: RefCell::default() }
    }

    /// What to look for to know more.
    pub(crate) fn into_needs(self) -> BTreeSet<Filter> {
        self.needs.into_inner()
    }

    pub(crate) fn need(&self, filter: Filter) {
        self.needs.borrow_mut().insert(filter);
    }

    /// Asks for the changes and removals of everything in a namespace (or outside of all) with one of these names.
    pub(crate) fn need_names(&self, namespace: &str, names: Vec<Glob>) {
        let within = Filter { namespace: Some(Glob::new(namespace)), ..Filter::default() };
        if !namespace.is_empty() {
            self.need(Filter { verbs: COLLECTIONS, ..within.clone() });
        }
        self.need(Filter { names, verbs: CHANGES, ..within });
    }

    /// Asks for the changes and removals of one object.
    pub(crate) fn need_object(&self, key: &Key) {
        self.need_names(&key.namespace, vec![Glob::new(&*key.name)]);
    }

    /// The object that an owner reference in `namespace` means; `None` where its resource can't be told.
    pub(crate) fn owner_key(&self, namespace: &str, owner: &Owner) -> Option<Key> {
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
            self.need_names(namespace, vec![Glob::new(&*owner.name)]);
        }
        let kind = owner.kind.to_ascii_lowercase();
        let of_that_name = self
            .ledger
            .keys()
            .filter(|key| key.name == owner.name && (key.namespace == namespace || key.namespace.is_empty()));
        let mut alike = of_that_name.filter(|key| key.resource.starts_with(&kind));
        alike.next().cloned()
    }

    /// How `key` was removed at or before `time`, the last time if it had several lives.
    pub(crate) fn removed_before(
        &self,
        key: &Key,
        uid: Option<&str>,
        time: Timestamp,
    ) -> Option<(Life<'l>, Decided<'l>)> {
        self.need_object(key);
        let lives = self.ledger.lives(key).into_iter().rev();
        let mut same = lives.filter(|life| uid.is_none_or(|uid| life.uid.is_none_or(|own| own == uid)));
        same.find_map(|life| {
            let decided = removal(self.ledger, &life).decided?;
            (decided.fact.received <= time).then_some((life, decided))
        })
    }

    /// Who had the token minted that an actor used, where it was one and its request is recorded.
    ///
    /// A bound token's `JTI` is in the user's extra, and in an annotation of the token request
    /// ([source](https://github.com/kubernetes/enhancements/tree/master/keps/sig-auth/4193-bound-service-account-token-improvements)).
    pub(crate) fn minted(&self, actor: &Actor) -> Option<Arc<Cause>> {
        let credential = actor.credential.as_deref().filter(|credential| credential.starts_with("JTI="))?;
        self.need(Filter {
            resource: Some("serviceaccounts".to_owned()),
            verbs: &["create"],
            issued: Some(credential.to_owned()),
            ..Filter::default()
        });
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
            stage: fact.stage.clone(),
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

pub(crate) fn key(group: &str, resource: &str, namespace: &str, name: &str) -> Key {
    Key {
        group: group.to_owned(),
        resource: resource.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}
