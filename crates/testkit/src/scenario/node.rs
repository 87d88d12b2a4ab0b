//! Pods that go because of their node.

use super::Scenario;
use super::eviction::web;
use super::object::{self, Object, delete_options};
use super::story::Story;
use crate::cast::Actor;
use crate::json::Json;
use crate::object_ref::ObjectRef;
use crate::{list, object};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "taint",
        about: "maria taints `worker-1` NoExecute; the node controller deletes `shop/web-1`",
        tell: taint,
    },
    Scenario {
        name: "taint-among-others",
        about: "jonas labels `worker-1`; maria taints it NoExecute, which `shop/web-1` tolerates for a minute; meanwhile jonas adds a taint that has nothing \
                to do with it; the node controller deletes the pod",
        tell: taint_among_others,
    },
    Scenario {
        name: "node-silent",
        about: "`worker-1` goes silent; the node controller taints it and deletes `shop/web-1`; nobody asked for it",
        tell: node_silent,
    },
    Scenario {
        name: "node-pressure",
        about: "the kubelet of `worker-1` evicts `shop/web-1` for want of memory: a status patch, no delete",
        tell: node_pressure,
    },
    Scenario {
        name: "spoofed-pressure",
        about: "mallory writes the status of a node-pressure eviction onto `shop/web-1`: no eviction",
        tell: spoofed_pressure,
    },
    Scenario {
        name: "pod-gc",
        about: "maria deletes the node `worker-1`; a minute later the pod garbage collector deletes `shop/web-1`",
        tell: pod_gc,
    },
];

const BY_TAINT: (&str, &str) = ("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint");

fn node_controller() -> Actor {
    Actor::controller("node-controller")
}

/// The node controller does away with a pod of a tainted node.
fn evict_by_taint(story: &mut Story, pod: &mut Object) {
    story.mark(&node_controller(), pod, BY_TAINT.0, BY_TAINT.1);
    story.delete(&node_controller(), pod, delete_options(), 30);
}

fn taint_patch(key: &str, effects: &[&str]) -> Json {
    let taints: Vec<Json> = effects.iter().map(|&effect| object! { "effect": effect, "key": key }).collect();
    object! { "taints": taints }
}

fn taint(story: &mut Story) {
    let mut node = Object::node("worker-1");
    story.place(&mut node);
    let mut pod = web(story, "web-1");
    story.send(Actor::maria().call("get", node.at.clone()));
    node.spec = taint_patch("maintenance", &["NoExecute"]);
    let patch = object! { "spec": node.spec.clone() };
    story.patch(&Actor::maria(), &mut node, "", "fieldManager=kubectl-taint&fieldValidation=Strict", patch);
    evict_by_taint(story, &mut pod);
    story.last_words(&mut pod);
}

/// `kubectl taint` sends all taints that a node is to have.
fn taint_among_others(story: &mut Story) {
    let mut node = Object::node("worker-1");
    story.place(&mut node);
    let mut pod = web(story, "web-1");
    node.labels.set(&["disk"], "ssd");
    let labels = object! { "metadata": object! { "labels": object! { "disk": "ssd" } } };
    story.patch(&Actor::jonas(), &mut node, "", "fieldManager=kubectl-label", labels);
    let mut taints = Vec::new();
    for (actor, key, effect) in
        [(Actor::maria(), "maintenance", "NoExecute"), (Actor::jonas(), "batch", "NoSchedule")]
    {
        story.send(actor.call("get", node.at.clone()));
        taints.push(object! { "effect": effect, "key": key });
        node.spec = object! { "taints": taints.clone() };
        let patch = object! { "spec": node.spec.clone() };
        story.patch(&actor, &mut node, "", "fieldManager=kubectl-taint&fieldValidation=Strict", patch);
        story.wait(30_000);
    }
    evict_by_taint(story, &mut pod);
    story.last_words(&mut pod);
}

fn node_silent(story: &mut Story) {
    let mut node = Object::node("worker-1");
    story.place(&mut node);
    let mut pod = web(story, "web-1");
    story.hum();
    node.status = object! {
        "conditions": list![object! {
            "type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown",
            "message": "Kubelet stopped posting node status.",
        }],
    };
    let controller = node_controller();
    story.update(&controller, &mut node, "status");
    let ready = object! { "type": "Ready", "status": "False", "lastTransitionTime": story.seconds() };
    pod.status = object! { "phase": "Running", "conditions": list![ready] };
    story.update(&controller, &mut pod, "status");
    for effects in [&["NoSchedule"][..], &["NoSchedule", "NoExecute"]] {
        node.spec = taint_patch("node.kubernetes.io/unreachable", effects);
        let metadata = object! { "resourceVersion": &node.resource_version };
        let patch = object! { "metadata": metadata, "spec": node.spec.clone() };
        story.patch(&controller, &mut node, "", "", patch);
        story.wait(5000);
    }
    story.wait(295_000);
    evict_by_taint(story, &mut pod);
    // The kubelet is back much later.
    story.wait(900_000);
    story.last_words(&mut pod);
}

fn pressure(story: &Story) -> Json {
    let message = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 51200Ki. Container app \
                   was using 900Mi, request is 64Mi, has larger consumption of memory. ";
    let target = object! {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "TerminationByKubelet",
        "message": "The node was low on resource: memory.",
        "lastTransitionTime": story.seconds(),
    };
    object! { "phase": "Failed", "reason": "Evicted", "message": message, "conditions": list![target] }
}

fn node_pressure(story: &mut Story) {
    let mut pod = web(story, "web-1");
    let kubelet = Actor::kubelet("worker-1");
    let status = pressure(story);
    story.report(&kubelet, &mut pod, status);
    let event = object! {
        "kind": "Event",
        "apiVersion": "v1",
        "metadata": object! { "name": "web-1.18a3f0c2d41b7001", "namespace": "shop" },
        "involvedObject": object! { "kind": "Pod", "namespace": "shop", "name": "web-1", "uid": &pod.uid },
        "reason": "Evicted",
        "message": "The node was low on resource: memory. Threshold quantity: 100Mi, available: 51200Ki. ",
        "source": object! { "component": "kubelet", "host": "worker-1" },
        "firstTimestamp": story.seconds(),
        "type": "Warning",
    };
    let at = ObjectRef::core("events", "shop", "web-1.18a3f0c2d41b7001");
    story.send(kubelet.call("create", at).body(event.clone()).answer(201, event));
}

fn spoofed_pressure(story: &mut Story) {
    let mut pod = web(story, "web-1");
    let status = pressure(story);
    let mallory =
        Actor::person("mallory", "shop-devs").with_agent("kubelet/v1.36.2 (linux/amd64) kubernetes/1f5c7a2");
    story.report(&mallory, &mut pod, status);
    story.wait(4000);
    let status = object::running(&story.seconds());
    story.report(&Actor::kubelet("worker-1"), &mut pod, status);
}

fn pod_gc(story: &mut Story) {
    let mut node = Object::node("worker-1");
    story.place(&mut node);
    let mut pod = web(story, "web-1");
    story.delete_at_once(&Actor::maria(), &node, object::kubectl_options());
    story.wait(57_000);
    story.hum();
    let collector = Actor::controller("pod-garbage-collector");
    story.mark(&collector, &mut pod, "DeletionByPodGC", "PodGC: node no longer exists");
    story.delete(&collector, &mut pod, delete_options().with("gracePeriodSeconds", 0), 0);
    story.late_words(&pod);
}
