//! Whose requests are needed.

/// Whose requests.
#[derive(Clone, Copy, Debug)]
pub enum Who {
    /// Anybody's.
    Anyone,
    /// Those of clients whose authentication failed: they have no user.
    Nobody,
    /// Those of parts of Kubernetes.
    Known(&'static [Known]),
}

/// A user that is the same in every cluster, but for a `*` at the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known {
    /// Name of the user.
    pub name: &'static str,
    /// Its groups.
    pub groups: &'static [&'static str],
}

const AUTHENTICATED: &[&str] = &["system:authenticated"];

const SERVICE_ACCOUNT: &[&str] =
    &["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"];

pub(super) const ANONYMOUS: Known = Known { name: "system:anonymous", groups: &["system:unauthenticated"] };

const NODE: Known = Known { name: "system:node:*", groups: &["system:nodes", "system:authenticated"] };

const SCHEDULER: Known = Known { name: "system:kube-scheduler", groups: AUTHENTICATED };

/// All controllers where the controller manager runs them with one credential.
const MANAGER: Known = Known { name: "system:kube-controller-manager", groups: AUTHENTICATED };

/// The service accounts of controllers, and [`MANAGER`] in their stead.
macro_rules! controllers {
    ($($name:literal),* $(,)?) => {
        &[$(Known { name: concat!("system:serviceaccount:kube-system:", $name), groups: SERVICE_ACCOUNT },)* MANAGER]
    };
}

pub(super) const BY_NODES: Who = Who::Known(&[NODE]);

pub(super) const BY_SCHEDULER: Who = Who::Known(&[SCHEDULER]);

pub(super) const BY_ANONYMOUS: Who = Who::Known(&[ANONYMOUS]);

pub(super) const BY_NODE_CONTROLLER: Who =
    Who::Known(controllers!["node-controller", "taint-eviction-controller"]);

pub(super) const BY_POD_GC: Who = Who::Known(controllers!["pod-garbage-collector"]);

pub(super) const BY_DEPLOYMENT: Who = Who::Known(controllers!["deployment-controller"]);

pub(super) const BY_AUTOSCALER: Who = Who::Known(controllers!["horizontal-pod-autoscaler"]);

/// Controllers that make objects for their owners.
pub(super) const BY_MAKERS: Who = Who::Known(controllers![
    "replicaset-controller",
    "replication-controller",
    "statefulset-controller",
    "daemon-set-controller",
    "deployment-controller",
    "job-controller",
    "cronjob-controller",
]);

/// Controllers that delete what they find superfluous.
pub(super) const BY_REMOVERS: Who = Who::Known(controllers![
    "node-controller",
    "taint-eviction-controller",
    "pod-garbage-collector",
    "replicaset-controller",
    "replication-controller",
    "statefulset-controller",
    "daemon-set-controller",
    "deployment-controller",
    "job-controller",
    "cronjob-controller",
    "ttl-after-finished-controller",
    "generic-garbage-collector",
    "namespace-controller",
]);
