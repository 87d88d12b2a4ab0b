//! What a request is about, and the path that says so.

use crate::json::Json;
use crate::object;

/// `objectRef` of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectRef {
    /// Plural resource name.
    pub resource: String,
    /// Namespace; empty for what has none. A namespace object carries its own name here.
    pub namespace: String,
    /// Name; empty for lists, collections and generated names.
    pub name: String,
    /// Set only where the request's body tells it: updates and bindings.
    pub uid: String,
    /// API group, empty for the core group.
    pub group: String,
    /// API version within the group.
    pub version: String,
    /// Set only where the request's body tells it: updates.
    pub resource_version: String,
    /// Subresource, such as `eviction`.
    pub subresource: String,
}

impl ObjectRef {
    /// An object of the core group. `name` may be empty: the collection.
    pub fn core(resource: &str, namespace: &str, name: &str) -> Self {
        Self::of_group("", "v1", resource, namespace, name)
    }

    /// A pod.
    pub fn pod(namespace: &str, name: &str) -> Self {
        Self::core("pods", namespace, name)
    }

    /// An object of any group.
    pub fn of_group(group: &str, version: &str, resource: &str, namespace: &str, name: &str) -> Self {
        Self {
            resource: resource.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            group: group.to_owned(),
            version: version.to_owned(),
            ..Self::default()
        }
    }

    /// The same object's subresource.
    #[must_use]
    pub fn with_subresource(mut self, subresource: &str) -> Self {
        subresource.clone_into(&mut self.subresource);
        self
    }

    /// The same object with the uid that the request's body told.
    #[must_use]
    pub fn with_uid(mut self, uid: &str) -> Self {
        uid.clone_into(&mut self.uid);
        self
    }

    /// The collection that the object is in.
    #[must_use]
    pub fn collection(mut self) -> Self {
        self.name.clear();
        self.uid.clear();
        self.resource_version.clear();
        self
    }

    /// Group and version as bodies say them: `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// The path of the request, without a query. A name is left out if `on_collection` (a create).
    pub fn path(&self, on_collection: bool) -> String {
        let root = if self.group.is_empty() { "/api" } else { "/apis" };
        let mut path = format!("{root}/{}", self.api_version());
        let namespace = if self.resource == "namespaces" { "" } else { &self.namespace };
        let (namespaces, name) = (if namespace.is_empty() { "" } else { "namespaces" }, &self.name);
        let name = if on_collection { "" } else { name };
        for part in [namespaces, namespace, &self.resource, name, &self.subresource] {
            if !part.is_empty() {
                path.push('/');
                path.push_str(part);
            }
        }
        path
    }

    /// The JSON of an entry, empty fields left out.
    pub fn to_json(&self) -> Json {
        let members = [
            ("resource", &self.resource),
            ("namespace", &self.namespace),
            ("name", &self.name),
            ("uid", &self.uid),
            ("apiGroup", &self.group),
            ("apiVersion", &self.version),
            ("resourceVersion", &self.resource_version),
            ("subresource", &self.subresource),
        ];
        members
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .fold(object! {}, |json, (key, value)| json.with(key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_api() {
        let pod = ObjectRef::pod("shop", "web-1");
        assert_eq!(pod.path(false), "/api/v1/namespaces/shop/pods/web-1");
        assert_eq!(pod.path(true), "/api/v1/namespaces/shop/pods");
        assert_eq!(
            pod.with_subresource("eviction").path(false),
            "/api/v1/namespaces/shop/pods/web-1/eviction"
        );
        assert_eq!(ObjectRef::core("namespaces", "shop", "shop").path(false), "/api/v1/namespaces/shop");
        assert_eq!(ObjectRef::core("nodes", "", "n1").path(false), "/api/v1/nodes/n1");
        let scale = ObjectRef::of_group("apps", "v1", "deployments", "shop", "web").with_subresource("scale");
        assert_eq!(scale.path(false), "/apis/apps/v1/namespaces/shop/deployments/web/scale");
    }
}
