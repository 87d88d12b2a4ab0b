//! What a policy records that it had better not: secrets, and what is written all the time and nobody asks about.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::policy::review::excerpt;
use crate::policy::shape::{Case, Party, Shape};
use crate::policy::{Level, Policy};
use crate::question::needs::Known;

/// What is recorded though it had better not be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Excess {
    /// The rule's number, the first being 1.
    pub rule: usize,
    /// The rule in short.
    pub excerpt: String,
    /// What it records.
    pub what: &'static str,
}

const NODE: &Known = &Known { name: "system:node:*", groups: &["system:nodes", "system:authenticated"] };

/// What a policy had better not record.
struct Excessive {
    what: &'static str,
    who: Party,
    verbs: &'static [&'static str],
    /// API group, plural name and subresource.
    kinds: &'static [(&'static str, &'static str, &'static str)],
    /// From this level on.
    level: Level,
}

/// Contents of secrets are in the body of a request that writes them, and in the response to one that reads them.
const EXCESSIVE: &[Excessive] = &[
    Excessive {
        what: SECRETS,
        who: Party::Anyone,
        verbs: &["create", "update", "patch"],
        kinds: &[("", "secrets", "")],
        level: Level::Request,
    },
    Excessive {
        what: SECRETS,
        who: Party::Anyone,
        verbs: &["get", "list", "delete", "deletecollection"],
        kinds: &[("", "secrets", "")],
        level: Level::RequestResponse,
    },
    Excessive {
        what: TOKENS,
        who: Party::Anyone,
        verbs: &["create"],
        kinds: &[("", "serviceaccounts", "token")],
        level: Level::RequestResponse,
    },
    Excessive {
        what: TOKENS,
        who: Party::Anyone,
        verbs: &["create"],
        kinds: &[("authentication.k8s.io", "tokenreviews", "")],
        level: Level::Request,
    },
    Excessive {
        what: LEASES,
        who: Party::Known(NODE),
        verbs: &["update"],
        kinds: &[("coordination.k8s.io", "leases", "")],
        level: Level::Metadata,
    },
    Excessive {
        what: NOTES,
        who: Party::Known(NODE),
        verbs: &["create", "patch"],
        kinds: &[("", "events", ""), ("events.k8s.io", "events", "")],
        level: Level::Metadata,
    },
];

pub(super) const SECRETS: &str = "the contents of secrets";
const TOKENS: &str = "tokens, with which whoever reads the log can act as somebody else";
const LEASES: &str = "every renewal of a lease, which no question looks at";
const NOTES: &str = "all Kubernetes Events; questions look at the scheduler's alone";

pub(super) fn excess(policy: &Policy) -> Vec<Excess> {
    let mut found = BTreeSet::new();
    for own in EXCESSIVE {
        let shapes = own.kinds.iter().flat_map(|(group, resource, subresource)| {
            own.verbs.iter().map(move |verb| Shape { who: own.who, verb, group, resource, subresource })
        });
        for Case { rule, .. } in shapes.flat_map(|shape| policy.cases(&shape)) {
            if let Some(index) = rule.filter(|_| policy.level_of(rule) >= own.level) {
                found.insert(Excess { rule: index + 1, excerpt: excerpt(policy, rule), what: own.what });
            }
        }
    }
    found.into_iter().collect()
}
