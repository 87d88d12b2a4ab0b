//! Pods that their controller deletes: scaling and rollouts.

use super::Scenario;
use super::object::{Object, delete_options, pod_spec};
use super::story::Story;
use crate::cast::Actor;
use crate::json::Json;
use crate::object;
use crate::object_ref::ObjectRef;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "scale-down",
        about: "maria scales deployment `shop/web` from 2 to 1 with kubectl; the replica set controller deletes a pod",
        tell: scale_down,
    },
    Scenario {
        name: "scale-down-hpa",
        about: "the autoscaler that maria created scales deployment `shop/web` from 2 to 1",
        tell: scale_down_hpa,
    },
    Scenario {
        name: "rollout",
        about: "maria restarts deployment `shop/web` (kubectl rollout restart); its old pod goes",
        tell: rollout,
    },
    Scenario {
        name: "rollout-image",
        about: "maria restarts deployment `shop/web`, then jonas sets another image; each costs a pod",
        tell: rollout_image,
    },
    Scenario {
        name: "statefulset-scale",
        about: "jonas scales stateful set `shop/db` from 2 to 1; its controller deletes `shop/db-1`",
        tell: statefulset_scale,
    },
    Scenario {
        name: "daemonset-rollout",
        about: "maria restarts daemon set `shop/agent`; its controller deletes a pod and makes a new one",
        tell: daemonset_rollout,
    },
];

const KUBECTL_CREATE: &str = "fieldManager=kubectl-create&fieldValidation=Strict";

/// A deployment `shop/web` with its replica set and pods.
pub(super) struct Web {
    pub(super) deployment: Object,
    pub(super) set: Object,
    pub(super) pods: Vec<Object>,
}

/// Names of the revisions' hashes, and of the pods of each.
const HASHES: [&str; 3] = ["6d8c79bf5c", "7f9d4c6b88", "55b9c7d4f9"];
const SUFFIXES: [&str; 3] = ["4kzt8", "q7xjm", "w2h6p"];
const NODES: [&str; 3] = ["worker-1", "worker-2", "worker-3"];

impl Web {
    /// Jonas creates it, the controllers do the rest.
    pub(super) fn start(story: &mut Story, replicas: i64) -> Self {
        let mut deployment = Object::workload("deployments", "Deployment", "web", replicas);
        story.create(&Actor::jonas(), &mut deployment, KUBECTL_CREATE);
        let set = Self::new_set(story, &deployment, 0, replicas);
        let mut web = Self { deployment, set, pods: Vec::new() };
        for (i, suffix) in SUFFIXES.iter().enumerate().take(usize::try_from(replicas).unwrap_or(0)) {
            web.spawn(story, suffix, NODES[i % 3]);
        }
        story.wait(90_000);
        web
    }

    /// The deployment controller makes the replica set of a revision.
    fn new_set(story: &mut Story, deployment: &Object, revision: usize, replicas: i64) -> Object {
        let hash = HASHES[revision];
        let mut set = Object::workload("replicasets", "ReplicaSet", &format!("web-{hash}"), replicas);
        set.labels.push(("pod-template-hash", hash.to_owned()));
        set.annotations.push(("deployment.kubernetes.io/revision", (revision + 1).to_string()));
        set.owner = Some(deployment.as_owner());
        story.create(&Actor::controller("deployment-controller"), &mut set, "");
        set
    }

    fn spawn(&mut self, story: &mut Story, suffix: &str, node: &'static str) {
        let prefix = format!("{}-", self.set.at.name);
        let mut pod = Object::child_pod(&self.set, &format!("{prefix}{suffix}"), &prefix, node);
        story.spawn(&Actor::controller("replicaset-controller"), &mut pod);
        self.pods.push(pod);
    }

    /// The replica set is told to shrink, and does: the last pod goes.
    fn shrink(&mut self, story: &mut Story, replicas: i64) {
        self.set.spec.replace("replicas", replicas);
        story.update(&Actor::controller("deployment-controller"), &mut self.set, "");
        if let Some(mut pod) = self.pods.pop() {
            story.delete(&Actor::controller("replicaset-controller"), &mut pod, delete_options(), 30);
            story.last_words(&mut pod);
        }
    }

    /// The template was changed: the next revision's pod comes, the old one goes.
    fn roll(&mut self, story: &mut Story, revision: usize) {
        let mut next = Self {
            deployment: self.deployment.clone(),
            set: Self::new_set(story, &self.deployment, revision, 1),
            pods: Vec::new(),
        };
        next.spawn(story, SUFFIXES[revision], NODES[revision]);
        self.shrink(story, 0);
        *self = next;
        story.wait(20_000);
    }

    /// A patch of the pod template, as kubectl's commands make it.
    fn patch_template(&mut self, story: &mut Story, actor: &Actor, manager: &str, template: Json) {
        let patch = object! { "spec": object! { "template": template } };
        story.patch(actor, &mut self.deployment, "", &format!("fieldManager={manager}"), patch);
    }
}

/// The pod template's annotation that `kubectl rollout restart` writes.
fn restarted_at(story: &Story) -> Json {
    let annotations = object! { "kubectl.kubernetes.io/restartedAt": story.seconds() };
    object! { "metadata": object! { "annotations": annotations } }
}

/// The `Scale` of a workload.
fn scale(object: &Object, wanted: i64, present: i64) -> Json {
    let metadata = object! {
        "name": &object.at.name,
        "namespace": &object.at.namespace,
        "uid": &object.uid,
        "resourceVersion": &object.resource_version,
    };
    object! {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": object! { "replicas": wanted },
        "status": object! { "replicas": present },
    }
}

/// `kubectl scale`: a patch of the subresource without a field manager.
fn kubectl_scale(story: &mut Story, actor: &Actor, object: &mut Object, from: i64, to: i64) {
    story.touch(object);
    let entry = actor.call("patch", object.at.clone().with_subresource("scale"));
    let patch = object! { "spec": object! { "replicas": to } };
    story.send(entry.body(patch).answer(200, scale(object, to, from)));
    object.spec.replace("replicas", to);
}

fn scale_down(story: &mut Story) {
    let mut web = Web::start(story, 2);
    kubectl_scale(story, &Actor::maria(), &mut web.deployment, 2, 1);
    web.shrink(story, 1);
}

fn scale_down_hpa(story: &mut Story) {
    let mut web = Web::start(story, 2);
    let target = object! { "kind": "Deployment", "name": "web", "apiVersion": "apps/v1" };
    let spec = object! { "scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 4 };
    let at = ObjectRef::of_group("autoscaling", "v2", "horizontalpodautoscalers", "shop", "web");
    let mut autoscaler = Object::new(at, "HorizontalPodAutoscaler", spec);
    story.create(&Actor::maria(), &mut autoscaler, "fieldManager=kubectl-autoscale&fieldValidation=Strict");
    story.wait(300_000);
    let controller = Actor::controller("horizontal-pod-autoscaler");
    let at = web.deployment.at.clone().with_subresource("scale");
    story.send(controller.call("get", at.clone()));
    let body = scale(&web.deployment, 1, 2);
    let at = ObjectRef { resource_version: web.deployment.resource_version.clone(), ..at };
    story.touch(&mut web.deployment);
    let entry = controller.call("update", at.with_uid(&web.deployment.uid)).body(body);
    story.send(entry.answer(200, scale(&web.deployment, 1, 2)));
    web.shrink(story, 1);
}

fn rollout(story: &mut Story) {
    let mut web = Web::start(story, 1);
    let template = restarted_at(story);
    web.patch_template(story, &Actor::maria(), "kubectl-rollout", template);
    web.roll(story, 1);
}

fn rollout_image(story: &mut Story) {
    let mut web = Web::start(story, 1);
    let template = restarted_at(story);
    web.patch_template(story, &Actor::maria(), "kubectl-rollout", template);
    web.roll(story, 1);
    let container = object! { "image": "registry.example/shop/web:1.5.0", "name": "app" };
    let template = object! { "spec": object! { "containers": vec![container] } };
    web.patch_template(story, &Actor::jonas(), "kubectl-set", template);
    web.roll(story, 2);
}

fn statefulset_scale(story: &mut Story) {
    let mut db = Object::workload("statefulsets", "StatefulSet", "db", 2);
    story.create(&Actor::jonas(), &mut db, KUBECTL_CREATE);
    let controller = Actor::controller("statefulset-controller");
    let mut pods = [("db-0", "worker-1"), ("db-1", "worker-2")].map(|(name, node)| {
        // The pods of a stateful set are named by their controller, not by the API server.
        let mut pod = Object::child_pod(&db, name, "", node);
        story.spawn(&controller, &mut pod);
        pod
    });
    story.wait(45_000);
    kubectl_scale(story, &Actor::jonas(), &mut db, 2, 1);
    story.delete(&controller, &mut pods[1], delete_options(), 30);
    story.last_words(&mut pods[1]);
}

fn daemonset_rollout(story: &mut Story) {
    let mut agent = Object::workload("daemonsets", "DaemonSet", "agent", 0);
    story.create(&Actor::jonas(), &mut agent, KUBECTL_CREATE);
    let controller = Actor::controller("daemon-set-controller");
    let mut old = Object::child_pod(&agent, "agent-b5v9x", "agent-", "worker-1");
    story.spawn(&controller, &mut old);
    story.wait(70_000);
    let patch = object! { "spec": object! { "template": restarted_at(story) } };
    agent.spec.replace("template", object! { "spec": pod_spec("registry.example/shop/agent:2") });
    story.patch(&Actor::maria(), &mut agent, "", "fieldManager=kubectl-rollout", patch);
    story.delete(&controller, &mut old, delete_options(), 30);
    story.last_words(&mut old);
    let mut new = Object::child_pod(&agent, "agent-m4tqc", "agent-", "worker-1");
    story.spawn(&controller, &mut new);
}
