//! The objects of the stories, and their bodies.

use crate::json::Json;
use crate::object_ref::ObjectRef;
use crate::{list, object};

/// Kinds whose objects have no generation.
const UNCOUNTED: [&str; 8] = [
    "CertificateSigningRequest",
    "ClusterRoleBinding",
    "ConfigMap",
    "HorizontalPodAutoscaler",
    "Namespace",
    "Node",
    "Role",
    "Secret",
];

/// An object in the cluster: its fields are what bodies say of it.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) at: ObjectRef,
    pub(super) kind: &'static str,
    pub(super) generate_name: String,
    pub(super) uid: String,
    pub(super) resource_version: String,
    /// Rises with each change of the spec; 0 for an object that is not stored, or of a kind that does not count.
    pub(super) generation: i64,
    /// The spec that the generation counts.
    pub(super) counted: Json,
    pub(super) created: String,
    /// When it goes, and the grace in seconds.
    pub(super) deletion: Option<(String, i64)>,
    /// An object, or `null` for none; so are annotations.
    pub(super) labels: Json,
    pub(super) annotations: Json,
    /// The controller that owns it, as an owner reference.
    pub(super) owner: Option<Json>,
    pub(super) finalizers: Vec<&'static str>,
    /// The `spec`, the `data` of a config map, or what a role or binding has beside its metadata.
    pub(super) spec: Json,
    pub(super) status: Json,
    /// Where it runs, or will once it is bound; empty for what is no pod.
    pub(super) node: &'static str,
    pub(super) bound: bool,
}

impl Object {
    /// A new object that the API server has not seen yet.
    pub(super) fn new(at: ObjectRef, kind: &'static str, spec: Json) -> Self {
        Self {
            at,
            kind,
            generate_name: String::new(),
            uid: String::new(),
            resource_version: String::new(),
            generation: 0,
            counted: Json::Null,
            created: String::new(),
            deletion: None,
            labels: Json::Null,
            annotations: Json::Null,
            owner: None,
            finalizers: Vec::new(),
            spec,
            status: object! {},
            node: "",
            bound: false,
        }
    }

    /// A pod of the namespace `shop`, to run on `worker-1`.
    pub(super) fn pod(name: &str) -> Self {
        Self::pod_on("shop", name, "worker-1")
    }

    /// A pod that the scheduler will put on `node`.
    pub(super) fn pod_on(namespace: &str, name: &str, node: &'static str) -> Self {
        Self::pod_of(&template(app(name)), ObjectRef::pod(namespace, name), node)
    }

    /// A pod that a controller makes of its template.
    pub(super) fn child_pod(owner: &Self, name: &str, generate_name: &str, node: &'static str) -> Self {
        let at = ObjectRef::pod(&owner.at.namespace, name);
        Self {
            generate_name: generate_name.to_owned(),
            owner: Some(owner.as_owner()),
            ..Self::pod_of(owner.spec.at(&["template"]), at, node)
        }
    }

    fn pod_of(template: &Json, at: ObjectRef, node: &'static str) -> Self {
        Self {
            labels: template.at(&["metadata", "labels"]).clone(),
            annotations: template.at(&["metadata", "annotations"]).clone(),
            status: object! { "phase": "Pending", "qosClass": "BestEffort" },
            node,
            ..Self::new(at, "Pod", template.at(&["spec"]).clone())
        }
    }

    /// A workload of group `apps` with a pod template. A daemon set has no number of replicas.
    pub(super) fn workload(kind: &'static str, namespace: &str, name: &str, replicas: Option<i64>) -> Self {
        let template = template(app(name));
        let labels = template.at(&["metadata", "labels"]).clone();
        let spec = object! {}
            .with_some("replicas", replicas)
            .with("selector", object! { "matchLabels": labels.clone() })
            .with("template", template);
        let resource = format!("{}s", kind.to_lowercase());
        Self {
            labels,
            ..Self::new(ObjectRef::of_group("apps", "v1", &resource, namespace, name), kind, spec)
        }
    }

    /// A node.
    pub(super) fn node(name: &str) -> Self {
        Self {
            labels: object! { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" },
            status: object! {
                "capacity": object! { "cpu": "4", "memory": "8Gi", "pods": "110" },
                "conditions": list![object! { "type": "Ready", "status": "True", "reason": "KubeletReady" }],
            },
            ..Self::new(ObjectRef::core("nodes", "", name), "Node", object! {})
        }
    }

    /// How many pods the spec asks for.
    pub(super) fn replicas(&self) -> i64 {
        match self.spec.at(&["replicas"]) {
            Json::Number(replicas) => *replicas,
            _ => 0,
        }
    }

    /// The reference that a child's `ownerReferences` holds.
    pub(super) fn as_owner(&self) -> Json {
        object! {
            "apiVersion": self.at.api_version(),
            "kind": self.kind,
            "name": &self.at.name,
            "uid": &self.uid,
            "controller": true,
            "blockOwnerDeletion": true,
        }
    }

    /// What a client sends to create it.
    pub(super) fn draft(&self) -> Json {
        let name = if self.generate_name.is_empty() { self.at.name.as_str() } else { "" };
        let draft = Self {
            at: ObjectRef { name: name.to_owned(), ..self.at.clone() },
            uid: String::new(),
            resource_version: String::new(),
            generation: 0,
            created: String::new(),
            status: object! {},
            ..self.clone()
        };
        draft.body()
    }

    /// What the API server answers.
    pub(super) fn body(&self) -> Json {
        self.members(object! { "kind": self.kind, "apiVersion": self.at.api_version() })
    }

    /// The same as an item of a list, where the list alone says kind and version.
    pub(super) fn item(&self) -> Json {
        self.members(object! {})
    }

    fn members(&self, head: Json) -> Json {
        let head = head.with("metadata", self.metadata());
        let spec = self
            .spec
            .clone()
            .with_some("nodeName", (self.bound && !self.node.is_empty()).then_some(self.node));
        match self.kind {
            "ConfigMap" => head.with("data", spec),
            "ClusterRoleBinding" | "Role" => head.joined(&spec),
            _ => head.with("spec", spec).with("status", self.status.clone()),
        }
    }

    /// The API server stores the object: a new resource version, and a new generation if its spec is a new one.
    pub(super) fn store(&mut self, version: u32) {
        self.resource_version = version.to_string();
        if self.counted != self.spec && !UNCOUNTED.contains(&self.kind) {
            self.generation += 1;
            self.counted = self.spec.clone();
        }
    }

    /// The API server takes note that the object is to go, which counts as a change of its spec, but once.
    pub(super) fn doom(&mut self, at: String, grace: i64) {
        if self.deletion.is_none() && self.generation > 0 {
            self.generation += 1;
        }
        self.deletion = Some((at, grace));
    }

    fn metadata(&self) -> Json {
        let text = |text: &String| (!text.is_empty()).then(|| Json::from(text));
        let map = |map: &Json| (*map != Json::Null).then(|| map.clone());
        // A namespace is in no namespace, whatever its objectRef says.
        let namespace = if self.at.resource == "namespaces" { None } else { text(&self.at.namespace) };
        let (at, grace) = self.deletion.clone().unzip();
        object! {}
            .with_some("name", text(&self.at.name))
            .with_some("generateName", text(&self.generate_name))
            .with_some("namespace", namespace)
            .with_some("uid", text(&self.uid))
            .with_some("resourceVersion", text(&self.resource_version))
            .with_some("generation", (self.generation > 0).then_some(self.generation))
            .with_some("creationTimestamp", text(&self.created))
            .with_some("deletionTimestamp", at)
            .with_some("deletionGracePeriodSeconds", grace)
            .with_some("labels", map(&self.labels))
            .with_some("annotations", map(&self.annotations))
            .with_some("ownerReferences", self.owner.clone().map(|owner| vec![owner]))
            .with_some("finalizers", (!self.finalizers.is_empty()).then(|| self.finalizers.clone()))
    }
}

/// The app that an object belongs to, by its name: `web` for `web-1`.
pub(super) fn app(name: &str) -> &str {
    name.split('-').next().unwrap_or(name)
}

/// What pods of an app are made of.
pub(super) fn template(app: &str) -> Json {
    object! {
        "metadata": object! { "labels": object! { "app": app } },
        "spec": pod_spec(&format!("registry.example/shop/{app}:1.4.2")),
    }
}

/// The part of a pod that is the same in all stories.
pub(super) fn pod_spec(image: &str) -> Json {
    object! {
        "containers": list![object! {
            "name": "app",
            "image": image,
            "resources": object! { "requests": object! { "cpu": "100m", "memory": "64Mi" } },
        }],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "serviceAccountName": "default",
        "schedulerName": "default-scheduler",
    }
}

/// The conditions of a pod that runs.
pub(super) fn running(since: &str) -> Json {
    let condition = |kind: &str| object! { "type": kind, "status": "True", "lastTransitionTime": since };
    object! {
        "phase": "Running",
        "conditions": list![condition("PodScheduled"), condition("ContainersReady"), condition("Ready")],
        "podIP": "10.2.0.11",
        "startTime": since,
    }
}

/// `DeleteOptions` as the audit log writes them.
pub(super) fn delete_options() -> Json {
    object! { "kind": "DeleteOptions", "apiVersion": "meta.k8s.io/__internal" }
}

/// The `DeleteOptions` of kubectl.
pub(super) fn kubectl_options() -> Json {
    delete_options().with("propagationPolicy", "Background")
}
