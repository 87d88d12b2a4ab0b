//! Which object an event is about.

use std::fmt;
use std::sync::LazyLock;

use crate::answer::Object;
use crate::body;
use crate::case::detail::{Detail, Reading};
use crate::event::{Event, ObjectRef};
use crate::resource::Resource;
use crate::uri;

/// An object by its names, without its incarnation.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// API group, empty for the core group.
    pub group: String,
    /// Plural resource name.
    pub resource: String,
    /// Namespace, empty for what has none.
    pub namespace: String,
    /// Name, empty for a collection.
    pub name: String,
}

impl Key {
    /// The object an event's reference names; `None` for requests that are about no resource.
    ///
    /// Four things differ from the plain `objectRef`: a namespace object is in no namespace, though its reference says
    /// it is in itself; a generated name stands only in the response's body; v1alpha1 references have the group in
    /// front of the version; and of several groups that serve the same objects (`extensions` and `apps`) the one of
    /// today stands for all.
    pub fn of(event: &Event<'_>) -> Option<Self> {
        let mut key = Self::default();
        key.set(event).then_some(key)
    }

    /// Puts the key of an event in the place of this one, and into its memory; says whether the event has one.
    pub(crate) fn set(&mut self, event: &Event<'_>) -> bool {
        let Some(object) = event.object_ref.as_ref() else { return false };
        let group = group(object);
        let is_namespace = group.is_empty() && object.resource == "namespaces";
        put(&mut self.group, group_of_today(group, &object.resource));
        put(&mut self.resource, &object.resource);
        put(&mut self.namespace, if is_namespace { "" } else { &object.namespace });
        put(&mut self.name, &object.name);
        // The API server makes a name up for a create with `generateName`.
        if self.name.is_empty()
            && event.verb == "create"
            && let Some(name) = event.response_object.and_then(body::name)
        {
            self.name.push_str(&name);
        }
        true
    }

    /// Whether this is a pod of the core group.
    pub fn is_pod(&self) -> bool {
        self.group.is_empty() && self.resource == "pods"
    }

    /// The number that a stateful set gives to its pod.
    pub(crate) fn ordinal(&self) -> Option<i64> {
        self.name.rsplit_once('-').and_then(|(_, number)| number.parse().ok())
    }

    /// Whether this is an object of the core group with that plural name.
    pub fn is_core(&self, resource: &str) -> bool {
        self.group.is_empty() && self.resource == resource
    }
}

fn put(own: &mut String, text: &str) {
    own.clear();
    own.push_str(text);
}

/// What an event says of its object besides the names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Particulars {
    /// Which incarnation it is about, where the reference or a body tells it.
    pub uid: Option<String>,
    /// Whether the request was to change nothing, by its query or its body.
    pub dry_run: bool,
}

impl Particulars {
    /// Takes them from the event and its bodies.
    pub fn of(event: &Event<'_>) -> Self {
        let detail = Detail::of(event, Reading::default());
        let reference = event.object_ref.as_ref().map(|object| object.uid.as_ref());
        Self {
            uid: reference.filter(|uid| !uid.is_empty()).map(str::to_owned).or_else(|| detail.uid.clone()),
            dry_run: detail.dry_run || uri::params(&event.request_uri, "dryRun").any(|value| value == "All"),
        }
    }
}

/// The API group (that of today) and the plural name of what an event is about; empty for requests that are about no
/// resource. The same as in its [`Key`].
pub fn resource_of<'e>(event: &'e Event<'_>) -> (&'e str, &'e str) {
    event.object_ref.as_ref().map_or(("", ""), |object| {
        (group_of_today(group(object), &object.resource), object.resource.as_ref())
    })
}

/// `pod drain/web-1`, `deployment apps/web`, `node n4`, `secrets of namespace misc`: as sentences name an object or a
/// collection.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            f.write_str(&self.resource)?;
            if !self.group.is_empty() && Resource::of(&self.group, &self.resource).is_none() {
                write!(f, ".{}", self.group)?;
            }
            return match self.namespace.as_str() {
                "" => f.write_str(" of the whole cluster"),
                namespace => write!(f, " of namespace {namespace}"),
            };
        }
        match Resource::of(&self.group, &self.resource) {
            Some(resource) => write!(f, "{} ", resource.singular())?,
            None if self.group.is_empty() => write!(f, "{} ", self.resource)?,
            None => write!(f, "{}.{} ", self.resource, self.group)?,
        }
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}

impl From<&Key> for Object {
    fn from(key: &Key) -> Self {
        Self {
            api_group: key.group.clone(),
            resource: key.resource.clone(),
            namespace: (!key.namespace.is_empty()).then(|| key.namespace.clone()),
            name: key.name.clone(),
            uid: None,
        }
    }
}

impl From<&Object> for Key {
    fn from(object: &Object) -> Self {
        Self {
            group: object.api_group.clone(),
            resource: object.resource.clone(),
            namespace: object.namespace.clone().unwrap_or_default(),
            name: object.name.clone(),
        }
    }
}

/// The group of a reference: v1alpha1 wrote it in front of the version.
pub(crate) fn group<'a>(object: &'a ObjectRef<'_>) -> &'a str {
    match object.api_version.split_once('/') {
        Some((group, _)) if object.api_group.is_empty() => group,
        _ => object.api_group.as_ref(),
    }
}

/// The first of the groups that serve the same objects; other groups are themselves.
pub(crate) fn group_of_today<'a>(group: &'a str, resource: &str) -> &'a str {
    /// Those that several groups serve: asked for each entry, they are few enough to be looked through.
    static MOVED: LazyLock<Vec<&Resource>> =
        LazyLock::new(|| Resource::all().iter().filter(|resource| resource.groups.len() > 1).collect());
    let mut moved = MOVED.iter().filter(|known| known.plural == resource);
    moved
        .find(|known| known.groups.contains(&group))
        .and_then(|known| known.groups.first().copied())
        .unwrap_or(group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_those_of_today_wherever_a_resource_moved() {
        let groups: Vec<&str> =
            Resource::all().iter().flat_map(|resource| resource.groups).copied().collect();
        for group in groups.iter().chain(&["example.com"]) {
            for plural in Resource::all().iter().map(|resource| resource.plural).chain(["widgets"]) {
                let known = Resource::of(group, plural).map(|resource| resource.groups[0]);
                assert_eq!(group_of_today(group, plural), known.unwrap_or(group), "{plural}.{group}");
            }
        }
        assert_eq!(group_of_today("extensions", "deployments"), "apps");
    }
}
