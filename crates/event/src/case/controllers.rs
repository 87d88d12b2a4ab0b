//! The built-in components that remove things, told by their credentials.

use crate::answer::{Actor, Mechanism};
use crate::subject::Key;

/// A part of Kubernetes that acts by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Component {
    Scheduler,
    Kubelet,
    /// The node lifecycle controller, and its taint manager (a controller of its own since Kubernetes 1.29).
    NodeLifecycle,
    PodGc,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    Deployment,
    Job,
    CronJob,
    JobTtl,
    GarbageCollector,
    Namespace,
    Autoscaler,
    /// Any other part of a controller manager that runs with one credential.
    Other,
}

/// Service account names of the controller manager's controllers
/// ([source](https://github.com/kubernetes/kubernetes/blob/master/cmd/kube-controller-manager/names/controller_names.go),
/// and the names that the controllers give to their clients in `cmd/kube-controller-manager/app`).
const CONTROLLERS: &[(&str, Component)] = &[
    ("node-controller", Component::NodeLifecycle),
    ("node-lifecycle-controller", Component::NodeLifecycle),
    ("taint-eviction-controller", Component::NodeLifecycle),
    ("pod-garbage-collector", Component::PodGc),
    ("replicaset-controller", Component::ReplicaSet),
    ("replication-controller", Component::ReplicaSet),
    ("statefulset-controller", Component::StatefulSet),
    ("daemon-set-controller", Component::DaemonSet),
    ("deployment-controller", Component::Deployment),
    ("job-controller", Component::Job),
    ("cronjob-controller", Component::CronJob),
    ("ttl-after-finished-controller", Component::JobTtl),
    ("generic-garbage-collector", Component::GarbageCollector),
    ("namespace-controller", Component::Namespace),
    ("horizontal-pod-autoscaler", Component::Autoscaler),
];

/// All users as which the node lifecycle controller may act.
pub(crate) const NODE_LIFECYCLE: &[&str] = &[
    "system:kube-controller-manager",
    "system:serviceaccount:kube-system:node-controller",
    "system:serviceaccount:kube-system:node-lifecycle-controller",
    "system:serviceaccount:kube-system:taint-eviction-controller",
];

/// How a component's delete of an object is called. For pods only, unless said otherwise.
const MECHANISMS: &[(Component, Scope, Mechanism)] = &[
    (Component::Scheduler, Scope::Pods, Mechanism::Preemption),
    (Component::NodeLifecycle, Scope::Pods, Mechanism::Taint),
    (Component::PodGc, Scope::Pods, Mechanism::PodGc),
    (Component::ReplicaSet, Scope::Pods, Mechanism::ScaleDown),
    (Component::StatefulSet, Scope::Pods, Mechanism::ScaleDown),
    (Component::DaemonSet, Scope::Pods, Mechanism::Rollout),
    (Component::Job, Scope::Pods, Mechanism::ScaleDown),
    (Component::Deployment, Scope::Anything, Mechanism::Rollout),
    (Component::CronJob, Scope::Anything, Mechanism::CronjobHistory),
    (Component::JobTtl, Scope::Anything, Mechanism::JobTtl),
    (Component::GarbageCollector, Scope::Anything, Mechanism::OwnerGc),
    (Component::Namespace, Scope::Anything, Mechanism::NamespaceDeletion),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Pods,
    Anything,
}

impl Component {
    /// Which component sent a request, by its authenticated user alone: anybody may call their client "kubelet".
    ///
    /// Where the controller manager runs all controllers with one credential (`system:kube-controller-manager`,
    /// `--use-service-account-credentials=false`), its own `User-Agent` ends in the controller's name.
    pub(crate) fn of(actor: &Actor) -> Option<Self> {
        if actor.impersonated.is_some() {
            return None;
        }
        let username = actor.username.as_str();
        if username == "system:kube-scheduler" {
            return Some(Self::Scheduler);
        }
        if username.starts_with("system:node:") {
            return Some(Self::Kubelet);
        }
        if username == "system:kube-controller-manager" {
            let agent = actor.user_agent.as_deref().unwrap_or_default();
            let name = agent.rsplit(['/', ':']).next().unwrap_or_default();
            return Some(Self::named(name).unwrap_or(Self::Other));
        }
        let name = username.strip_prefix("system:serviceaccount:kube-system:")?;
        Self::named(name)
    }

    /// Whether this component's own judgement may be the root of things: it found a node silent, or a load high.
    pub(crate) const fn acts_by_itself(self) -> bool {
        matches!(self, Self::NodeLifecycle | Self::Autoscaler | Self::Kubelet)
    }

    fn named(name: &str) -> Option<Self> {
        CONTROLLERS.iter().find(|(own, _)| *own == name).map(|(_, component)| *component)
    }

    /// How this component's delete of `key` is called; `None` where it acts like anybody.
    pub(crate) fn mechanism(self, key: &Key) -> Option<Mechanism> {
        MECHANISMS
            .iter()
            .find(|(component, scope, _)| *component == self && (*scope == Scope::Anything || key.is_pod()))
            .map(|(_, _, mechanism)| *mechanism)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(username: &str, user_agent: &str) -> Actor {
        Actor { username: username.to_owned(), user_agent: Some(user_agent.to_owned()), ..Actor::default() }
    }

    #[test]
    fn the_credential_tells_and_the_agent_does_not() {
        let of = |username, agent| Component::of(&actor(username, agent));
        assert_eq!(of("system:kube-scheduler", ""), Some(Component::Scheduler));
        assert_eq!(of("mallory", "kube-scheduler/v1.36.2"), None);
        assert_eq!(of("system:serviceaccount:shop:replicaset-controller", ""), None);
        assert_eq!(of("system:node:n1", "kubelet"), Some(Component::Kubelet));
    }

    #[test]
    fn one_credential_for_all_controllers_leaves_their_own_word() {
        let agent =
            "kube-controller-manager/v1.30.1 (linux/amd64) kubernetes/6911225/generic-garbage-collector";
        assert_eq!(
            Component::of(&actor("system:kube-controller-manager", agent)),
            Some(Component::GarbageCollector)
        );
        assert_eq!(Component::of(&actor("system:kube-controller-manager", "x")), Some(Component::Other));
    }

    #[test]
    fn every_user_of_the_node_lifecycle_controller_is_listed() {
        let accounts = CONTROLLERS.iter().filter(|(_, component)| *component == Component::NodeLifecycle);
        let mut users: Vec<String> =
            accounts.map(|(name, _)| format!("system:serviceaccount:kube-system:{name}")).collect();
        users.push("system:kube-controller-manager".to_owned());
        users.sort();
        assert_eq!(users, NODE_LIFECYCLE);
    }

    #[test]
    fn who_acts_as_somebody_else_is_no_component() {
        let mut actor = actor("system:kube-scheduler", "");
        actor.impersonated = Some(crate::answer::Identity::default());
        assert_eq!(Component::of(&actor), None);
    }
}
