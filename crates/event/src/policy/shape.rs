//! Which rules decide requests that are alike, when neither the user, the namespace nor the name is known.

use serde::Serialize;

use crate::policy::{Policy, Rule};
use crate::question::needs::{Known, Need, On, Who};
use crate::resource::Resource;

/// Stands for every kind that is not built in. The domain `invalid` belongs to nobody, so that no rule names it.
pub(super) const CUSTOM: (&str, &str) = ("custom.invalid", "customs");

/// What stands for all verbs.
const VERBS: &[&str] = &["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// Kinds that nobody asks about: such as are written all the time, such as are never stored, and such as no API server
/// serves any more.
const UNASKED: &[&str] = &[
    "events",
    "leases",
    "leasecandidates",
    "bindings",
    "componentstatuses",
    "podtemplates",
    "selfsubjectreviews",
    "tokenreviews",
    "localsubjectaccessreviews",
    "selfsubjectaccessreviews",
    "selfsubjectrulesreviews",
    "subjectaccessreviews",
    "auditsinks",
    "podpresets",
    "podschedulingcontexts",
    "podsecuritypolicies",
    "resourceclasses",
];

/// Requests that differ in user, namespace and name alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shape {
    pub(super) who: Party,
    pub(super) verb: &'static str,
    pub(super) group: &'static str,
    pub(super) resource: &'static str,
    pub(super) subresource: &'static str,
}

/// Whose requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Party {
    Anyone,
    Nobody,
    Known(&'static Known),
}

/// Which requests of a shape a rule matches, where it does not match all. An empty list is no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Only those of these users.
    pub users: Vec<String>,
    /// Only those of users in one of these groups.
    pub user_groups: Vec<String>,
    /// Only those in these namespaces.
    pub namespaces: Vec<String>,
    /// Only those about objects of these names.
    pub names: Vec<String>,
}

/// A rule, and which requests of a shape it decides: those within its limits that no case before it decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    /// `None` where no rule matches.
    pub(super) rule: Option<usize>,
    pub(super) limits: Limits,
}

impl Limits {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lists().iter().all(|list| list.is_empty())
    }

    /// Whether only parts of Kubernetes are meant, which act for somebody else or for themselves.
    pub fn is_of_components(&self) -> bool {
        let users = !self.users.is_empty() && self.users.iter().all(|name| is_component(name));
        let groups =
            !self.user_groups.is_empty() && self.user_groups.iter().all(|name| name == "system:nodes");
        users || groups
    }

    fn lists(&self) -> [&[String]; 4] {
        [&self.users, &self.user_groups, &self.namespaces, &self.names]
    }

    /// Whether everything within `other` is within these.
    fn cover(&self, other: &Self) -> bool {
        self.lists().into_iter().zip(other.lists()).all(|(own, other)| {
            own.is_empty() || !other.is_empty() && other.iter().all(|name| own.contains(name))
        })
    }
}

/// The names of Kubernetes' own parts: they begin with `system:`, and the service accounts of controllers are in
/// `kube-system`.
fn is_component(name: &str) -> bool {
    match name.strip_prefix("system:serviceaccount:") {
        Some(account) => account.strip_prefix("kube-system:").is_some_and(|name| {
            name.ends_with("-controller")
                || name.ends_with("-collector")
                || matches!(name, "horizontal-pod-autoscaler" | "node-problem-detector" | "kube-proxy")
        }),
        None => name == "kubelet" || name.starts_with("system:") && name != "system:anonymous",
    }
}

impl Policy {
    /// The cases of a shape in the order of rules; the last has no limits.
    pub(super) fn cases(&self, shape: &Shape) -> Vec<Case> {
        let mut cases: Vec<Case> = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let Some(limits) = rule.limits(shape) else { continue };
            if cases.iter().any(|case| case.limits.cover(&limits)) {
                continue;
            }
            let last = limits.is_empty();
            cases.push(Case { rule: Some(index), limits });
            if last {
                return cases;
            }
        }
        cases.push(Case { rule: None, limits: Limits::default() });
        cases
    }
}

impl Rule {
    /// Which requests of a shape it matches; `None` for none of them.
    fn limits(&self, shape: &Shape) -> Option<Limits> {
        if !self.verbs.is_empty() && !self.verbs.iter().any(|verb| verb == shape.verb) {
            return None;
        }
        if self.namespaces.is_empty() && self.resources.is_empty() && !self.non_resource_urls.is_empty() {
            return None;
        }
        let (users, user_groups) = self.parties(shape.who)?;
        Some(Limits { users, user_groups, namespaces: self.places(shape)?, names: self.names(shape)? })
    }

    /// The users and groups that it is limited to among the party.
    fn parties(&self, who: Party) -> Option<(Vec<String>, Vec<String>)> {
        match who {
            Party::Nobody => {
                (self.users.is_empty() && self.user_groups.is_empty()).then(<(Vec<_>, Vec<_>)>::default)
            }
            Party::Anyone => {
                let all = self.user_groups.iter().any(|group| group == "system:authenticated");
                Some((self.users.clone(), if all { Vec::new() } else { self.user_groups.clone() }))
            }
            Party::Known(known) => {
                let in_group = self.user_groups.iter().any(|group| known.groups.contains(&group.as_str()));
                if !self.user_groups.is_empty() && !in_group {
                    return None;
                }
                let of_it: Vec<String> =
                    self.users.iter().filter(|name| known.may_be(name)).cloned().collect();
                if !self.users.is_empty() && of_it.is_empty() {
                    return None;
                }
                let exact = !known.name.ends_with('*');
                Some((if exact { Vec::new() } else { of_it }, Vec::new()))
            }
        }
    }

    /// The namespaces that it is limited to.
    fn places(&self, shape: &Shape) -> Option<Vec<String>> {
        if shape.is_namespaced() {
            let inside: Vec<String> =
                self.namespaces.iter().filter(|name| !name.is_empty()).cloned().collect();
            return (self.namespaces.is_empty() || !inside.is_empty()).then_some(inside);
        }
        let outside = self.namespaces.is_empty() || self.namespaces.iter().any(String::is_empty);
        outside.then(Vec::new)
    }

    /// The names that it is limited to. The name of an object that is created is not in the path, and rules see paths.
    fn names(&self, shape: &Shape) -> Option<Vec<String>> {
        if self.resources.is_empty() {
            return Some(Vec::new());
        }
        let mut of_it = self
            .resources
            .iter()
            .filter(|own| own.holds(shape.group, shape.resource, shape.subresource))
            .peekable();
        of_it.peek()?;
        let (limited, free): (Vec<_>, Vec<_>) = of_it.partition(|own| own.looks_at_names());
        if !free.is_empty() {
            return Some(Vec::new());
        }
        let names = limited.iter().flat_map(|own| own.resource_names.iter());
        if !shape.has_name() && names.clone().any(String::is_empty) {
            return Some(Vec::new());
        }
        let names: Vec<String> = names.filter(|name| !name.is_empty()).cloned().collect();
        (shape.may_have_name() && !names.is_empty()).then_some(names)
    }
}

impl Known {
    /// Whether it may have this name.
    fn may_be(&self, name: &str) -> bool {
        self.name.strip_suffix('*').map_or(self.name == name, |prefix| name.starts_with(prefix))
    }
}

impl Shape {
    /// Whether rules see a namespace. A request about a namespace object is in that namespace
    /// ([requestinfo.go](https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go)).
    pub(super) fn is_namespaced(&self) -> bool {
        let known = Resource::of(self.group, self.resource);
        known.is_none_or(|kind| kind.namespaced || kind.plural == "namespaces")
    }

    /// Whether the path names an object.
    fn has_name(&self) -> bool {
        self.may_have_name() && !matches!(self.verb, "list" | "watch" | "deletecollection")
    }

    /// Whether rules may see a name: of a collection they do where a field selector picks one.
    fn may_have_name(&self) -> bool {
        self.verb != "create" || !self.subresource.is_empty()
    }

    /// The requests that a need is about.
    pub(super) fn of(need: &Need) -> impl Iterator<Item = Self> {
        let parties = match need.who {
            Who::Anyone => vec![Party::Anyone],
            Who::Nobody => vec![Party::Nobody],
            Who::Known(users) => users.iter().map(Party::Known).collect(),
        };
        let verbs = if need.verbs.is_empty() { VERBS } else { need.verbs };
        let subresources = need.subresources;
        parties.into_iter().flat_map(move |who| {
            kinds(need.on).into_iter().flat_map(move |(group, resource)| {
                subresources.iter().flat_map(move |subresource| {
                    verbs.iter().map(move |verb| Self { who, verb, group, resource, subresource })
                })
            })
        })
    }
}

/// API group and plural name of the kinds that a need is about.
pub(super) fn kinds(on: On) -> Vec<(&'static str, &'static str)> {
    match on {
        On::Kinds(kinds) => kinds.to_vec(),
        On::Every => {
            let asked = Resource::all().iter().filter(|kind| !UNASKED.contains(&kind.plural));
            let mut kinds: Vec<_> =
                asked.filter_map(|kind| Some((kind.groups.first().copied()?, kind.plural))).collect();
            kinds.push(CUSTOM);
            kinds
        }
    }
}
