//! Which rule decides a request: the API server's own way, for one request at a time.

use crate::policy::{GroupResources, Level, Policy, Rule, Stage};

/// What rules look at in a request for a resource.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// The authenticated user; `None` where authentication failed.
    pub user: Option<User<'a>>,
    /// The verb, such as `deletecollection`.
    pub verb: &'a str,
    /// The namespace in the path, empty for none; of a namespace object its own name.
    pub namespace: &'a str,
    /// The API group, empty for the core group.
    pub group: &'a str,
    /// The plural resource name.
    pub resource: &'a str,
    /// The subresource, empty for the object itself.
    pub subresource: &'a str,
    /// The name in the path: empty for collections and for the create of an object.
    pub name: &'a str,
}

/// A user as rules see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User<'a> {
    /// Name.
    pub name: &'a str,
    /// Groups.
    pub groups: &'a [&'a str],
}

/// What a policy does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The index of the deciding rule; `None` where none matches, so that nothing is recorded.
    pub rule: Option<usize>,
    /// How much is recorded.
    pub level: Level,
}

impl Policy {
    /// The first rule that matches decides.
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        let rule = self.rules.iter().position(|rule| rule.matches(request));
        Decision { rule, level: self.level_of(rule) }
    }

    /// The level of a rule, or of none.
    pub(super) fn level_of(&self, rule: Option<usize>) -> Level {
        rule.and_then(|rule| self.rules.get(rule)).map_or(Level::None, |rule| rule.level)
    }

    /// Whether a stage makes no entry where this rule decides, or none: what the policy omits, every rule omits.
    pub fn omits(&self, rule: Option<usize>, stage: Stage) -> bool {
        let of_rule = rule.and_then(|rule| self.rules.get(rule)).map(|rule| rule.omit_stages.as_slice());
        self.omit_stages.contains(&stage) || of_rule.is_some_and(|stages| stages.contains(&stage))
    }
}

impl Rule {
    fn matches(&self, request: &Request<'_>) -> bool {
        let by_name = || request.user.is_some_and(|user| self.users.iter().any(|name| name == user.name));
        let by_group = || {
            let groups = request.user.map_or(&[][..], |user| user.groups);
            self.user_groups.iter().any(|group| groups.contains(&group.as_str()))
        };
        (self.users.is_empty() || by_name())
            && (self.user_groups.is_empty() || by_group())
            && (self.verbs.is_empty() || self.verbs.iter().any(|verb| verb == request.verb))
            && self.matches_resource(request)
    }

    fn matches_resource(&self, request: &Request<'_>) -> bool {
        let Request { namespace, group, resource, subresource, name, .. } = *request;
        if self.namespaces.is_empty() && self.resources.is_empty() {
            return self.non_resource_urls.is_empty();
        }
        (self.namespaces.is_empty() || self.namespaces.iter().any(|own| own == namespace))
            && (self.resources.is_empty()
                || self.resources.iter().any(|own| {
                    own.holds(group, resource, subresource)
                        && (!own.looks_at_names() || own.resource_names.iter().any(|own| own == name))
                }))
    }
}

impl GroupResources {
    /// Whether the resource is among these, names aside. `pods/*` holds `pods` too.
    pub(super) fn holds(&self, group: &str, resource: &str, subresource: &str) -> bool {
        self.group == group
            && (self.resources.is_empty()
                || self.resources.iter().any(|own| spells(own, resource, subresource)))
    }

    /// Whether only objects of some names are meant. Without resources the names are not looked at.
    pub(super) fn looks_at_names(&self) -> bool {
        !self.resource_names.is_empty() && !self.resources.is_empty()
    }
}

fn spells(own: &str, resource: &str, subresource: &str) -> bool {
    let whole = match own.split_once('/') {
        Some((of, sub)) => of == resource && sub == subresource && !subresource.is_empty(),
        None => own == resource && subresource.is_empty(),
    };
    let any_of_subresource = || !subresource.is_empty() && own.strip_prefix("*/") == Some(subresource);
    own == "*" || whole || any_of_subresource() || own.strip_suffix("/*") == Some(resource)
}
