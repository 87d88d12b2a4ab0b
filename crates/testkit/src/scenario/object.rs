//! The objects of the stories, and their bodies.

use crate::json::Json;
use crate::object_ref::ObjectRef;
use crate::{list, object};

/// An object in the cluster: its fields are what bodies say of it.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) at: ObjectRef,
    pub(super) kind: &'static str,
    pub(super) generate_name: String,
    pub(super) uid: String,
    pub(super) resource_version: String,
    pub(super) created: String,
    /// When it goes, and the grace in seconds.
    pub(super) deletion: Option<(String, i64)>,
    pub(super) labels: Vec<(&'static str, String)>,
    pub(super) annotations: Vec<(&'static str, String)>,
    /// The controller that owns it, as an owner reference.
    pub(super) owner: Option<Json>,
    pub(super) finalizers: Vec<&'static str>,
    /// The `spec`, or the `data` of a config map.
    pub(super) spec: Json,
    pub(super) status: Json,
    /// Where it runs; empty for what is no pod, or not bound.
    pub(super) node: &'static str,
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
            created: String::new(),
            deletion: None,
            labels: Vec::new(),
            annotations: Vec::new(),
            owner: None,
            finalizers: Vec::new(),
            spec,
            status: object! {},
            node: "",
        }
    }

    /// A pod of the namespace `shop`, to run on `worker-1`.
    pub(super) fn pod(name: &str) -> Self {
        Self::pod_on("shop", name, "worker-1")
    }

    /// A pod that the scheduler will put on `node`.
    pub(super) fn pod_on(namespace: &str, name: &str, node: &'static str) -> Self {
        let app = name.split('-').next().unwrap_or(name).to_owned();
        Self {
            labels: vec![("app", app)],
            status: object! { "phase": "Pending", "qosClass": "BestEffort" },
            node,
            ..Self::new(ObjectRef::pod(namespace, name), "Pod", pod_spec("registry.example/shop/web:1.4.2"))
        }
    }

    /// A pod that a controller makes of its template.
    pub(super) fn child_pod(owner: &Self, name: &str, generate_name: &str, node: &'static str) -> Self {
        Self {
            generate_name: generate_name.to_owned(),
            owner: Some(owner.as_owner()),
            labels: owner.labels.clone(),
            ..Self::pod_on(&owner.at.namespace, name, node)
        }
    }

    /// A workload of group `apps` in the namespace `shop`, with a pod template.
    pub(super) fn workload(resource: &str, kind: &'static str, name: &str, replicas: i64) -> Self {
        let app = name.split('-').next().unwrap_or(name).to_owned();
        let template = object! {
            "metadata": object! { "labels": object! { "app": &app } },
            "spec": pod_spec("registry.example/shop/web:1.4.2"),
        };
        let spec = object! {}
            .with_some("replicas", (kind != "DaemonSet").then_some(replicas))
            .with("selector", object! { "matchLabels": object! { "app": &app } })
            .with("template", template);
        Self {
            labels: vec![("app", app)],
            ..Self::new(ObjectRef::of_group("apps", "v1", resource, "shop", name), kind, spec)
        }
    }

    /// A node.
    pub(super) fn node(name: &str) -> Self {
        Self {
            labels: vec![
                ("kubernetes.io/hostname", name.to_owned()),
                ("kubernetes.io/os", "linux".to_owned()),
            ],
            status: object! {
                "capacity": object! { "cpu": "4", "memory": "8Gi", "pods": "110" },
                "conditions": list![object! { "type": "Ready", "status": "True", "reason": "KubeletReady" }],
            },
            ..Self::new(ObjectRef::core("nodes", "", name), "Node", object! {})
        }
    }

    /// The `apiVersion` of its bodies.
    pub(super) fn api_version(&self) -> String {
        match self.at.group.as_str() {
            "" => self.at.version.clone(),
            group => format!("{group}/{}", self.at.version),
        }
    }

    /// The reference that a child's `ownerReferences` holds.
    pub(super) fn as_owner(&self) -> Json {
        object! {
            "apiVersion": self.api_version(),
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
            created: String::new(),
            node: "",
            status: object! {},
            ..self.clone()
        };
        draft.body()
    }

    /// What the API server answers.
    pub(super) fn body(&self) -> Json {
        let spec = match (&self.spec, self.node) {
            (spec, "") => spec.clone(),
            (spec, node) => spec.clone().with("nodeName", node),
        };
        let head =
            object! { "kind": self.kind, "apiVersion": self.api_version(), "metadata": self.metadata() };
        match self.kind {
            "ConfigMap" => head.with("data", spec),
            _ => head.with("spec", spec).with("status", self.status.clone()),
        }
    }

    fn metadata(&self) -> Json {
        let text = |text: &String| (!text.is_empty()).then(|| Json::from(text));
        let map = |pairs: &Vec<(&'static str, String)>| {
            let json = pairs.iter().fold(object! {}, |json, (key, value)| json.with(key, value));
            (!pairs.is_empty()).then_some(json)
        };
        // A namespace is in no namespace, whatever its objectRef says.
        let namespace = if self.at.resource == "namespaces" { None } else { text(&self.at.namespace) };
        let (at, grace) = self.deletion.clone().unzip();
        object! {}
            .with_some("name", text(&self.at.name))
            .with_some("generateName", text(&self.generate_name))
            .with_some("namespace", namespace)
            .with_some("uid", text(&self.uid))
            .with_some("resourceVersion", text(&self.resource_version))
            .with_some("creationTimestamp", text(&self.created))
            .with_some("deletionTimestamp", at)
            .with_some("deletionGracePeriodSeconds", grace)
            .with_some("labels", map(&self.labels))
            .with_some("annotations", map(&self.annotations))
            .with_some("ownerReferences", self.owner.clone().map(|owner| vec![owner]))
            .with_some("finalizers", (!self.finalizers.is_empty()).then(|| self.finalizers.clone()))
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
