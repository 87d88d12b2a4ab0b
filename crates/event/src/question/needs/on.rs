//! On which resources requests are needed.

/// On which resources.
#[derive(Clone, Copy, Debug)]
pub enum On {
    /// Objects of every kind that questions are asked about, those of custom resources among them. Kubernetes Events
    /// and leases are not: they are written all the time, and who wrote them is nobody's question.
    Every,
    /// API group and plural name.
    Kinds(&'static [(&'static str, &'static str)]),
}

pub(super) const PODS: On = On::Kinds(&[("", "pods")]);

pub(super) const NODES: On = On::Kinds(&[("", "nodes")]);

pub(super) const EVENTS: On = On::Kinds(&[("", "events"), ("events.k8s.io", "events")]);

pub(super) const AUTOSCALERS: On = On::Kinds(&[("autoscaling", "horizontalpodautoscalers")]);

pub(super) const REPLICA_SETS: On = On::Kinds(&[("apps", "replicasets")]);

pub(super) const JOBS: On = On::Kinds(&[("batch", "jobs"), ("batch", "cronjobs")]);

pub(super) const ROLES: On = On::Kinds(&[
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("rbac.authorization.k8s.io", "roles"),
]);

/// What has replicas, and a subresource `scale`.
pub(super) const SCALABLE: On = On::Kinds(&[
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("", "replicationcontrollers"),
]);

/// What has a pod template that can be rolled out.
pub(super) const ROLLED_OUT: On =
    On::Kinds(&[("apps", "daemonsets"), ("apps", "deployments"), ("apps", "statefulsets")]);

/// What controllers make and remove pods for.
pub(super) const WORKLOADS: On = On::Kinds(&[
    ("apps", "daemonsets"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("batch", "jobs"),
]);

pub(super) const CSR: On = On::Kinds(&[("certificates.k8s.io", "certificatesigningrequests")]);
