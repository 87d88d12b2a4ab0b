//! Pods that go for the sake of others.

use super::Scenario;
use super::eviction::web;
use super::object::{Object, delete_options};
use super::story::Story;
use super::workload::{Deployed, kubectl_scale};
use crate::cast::Actor;
use crate::json::Json;
use crate::object_ref::ObjectRef;
use crate::{list, object};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "preemption",
        about: "jonas creates `shop/urgent` of a high priority; the scheduler preempts `shop/web-1` for it",
        tell: preemption,
    },
    Scenario {
        name: "preemption-by-deployment",
        about: "jonas scales maria's deployment `shop/urgent` of a high priority from 1 to 2; the scheduler preempts \
                `shop/web-1` for the new pod",
        tell: preemption_by_deployment,
    },
];

/// An event of `events.k8s.io`, named after the pod.
fn scheduler_event(story: &mut Story, pod: &Object, [kind, action, reason]: [&str; 3], note: &str) {
    let name =
        format!("{}.18a3f0c2d41b{:04x}", pod.at.name, pod.resource_version.parse::<u32>().unwrap_or(0));
    let at = ObjectRef::of_group("events.k8s.io", "v1", "events", &pod.at.namespace, &name);
    let event = object! {
        "kind": "Event",
        "apiVersion": "events.k8s.io/v1",
        "metadata": object! { "name": name, "namespace": &pod.at.namespace },
        "eventTime": story.seconds().replace('Z', ".000000Z"),
        "reportingController": "default-scheduler",
        "reportingInstance": "default-scheduler-control-1",
        "action": action,
        "reason": reason,
        "regarding": object! {
            "kind": "Pod", "namespace": &pod.at.namespace, "name": &pod.at.name, "uid": &pod.uid,
            "apiVersion": "v1", "resourceVersion": &pod.resource_version,
        },
        "note": note,
        "type": kind,
    };
    story.send(Actor::scheduler().call("create", at).body(event.clone()).answer(201, event));
}

/// There is no room for the pod yet: the scheduler writes down on which node there will be.
fn nominate(story: &mut Story, pod: &mut Object, node: &str) {
    const NO_ROOM: &str = "0/3 nodes are available: 3 Insufficient cpu.";
    scheduler_event(story, pod, ["Warning", "Scheduling", "FailedScheduling"], NO_ROOM);
    let condition = object! {
        "lastProbeTime": Json::Null,
        "lastTransitionTime": story.seconds(),
        "message": NO_ROOM,
        "observedGeneration": pod.generation,
        "reason": "Unschedulable",
        "status": "False",
        "type": "PodScheduled",
    };
    let status = object! { "conditions": list![condition], "nominatedNodeName": node };
    pod.status = object! { "phase": "Pending", "qosClass": "BestEffort" };
    for key in ["conditions", "nominatedNodeName"] {
        pod.status.set(&[key], status.at(&[key]).clone());
    }
    story.patch(&Actor::scheduler(), pod, "status", "", object! { "status": status });
}

/// The scheduler removes the victim to make room for the pod `urgent` on its node.
fn preempt(story: &mut Story, victim: &mut Object, urgent: &mut Object) {
    let scheduler = Actor::scheduler();
    nominate(story, urgent, victim.node);
    let message = "default-scheduler: preempting to accommodate a higher priority pod";
    story.mark(&scheduler, victim, "PreemptionByScheduler", message);
    let note = format!("Preempted by pod {} on node {}", urgent.uid, victim.node);
    // The scheduler often deletes, and tells, twice.
    for _ in 0..2 {
        story.delete(&scheduler, victim, delete_options(), 30);
        scheduler_event(story, victim, ["Normal", "Preempting", "Preempted"], &note);
    }
    story.last_words(victim);
    story.bind(urgent);
    let note = format!("Successfully assigned shop/{} to {}", urgent.at.name, urgent.node);
    scheduler_event(story, urgent, ["Normal", "Binding", "Scheduled"], &note);
    story.run(urgent);
}

fn preemption(story: &mut Story) {
    let mut pod = web(story, "web-1");
    let mut urgent = Object::pod("urgent");
    urgent.spec.set(&["priorityClassName"], "urgent");
    story.create(&Actor::jonas(), &mut urgent, "fieldManager=kubectl-create&fieldValidation=Strict");
    preempt(story, &mut pod, &mut urgent);
}

fn preemption_by_deployment(story: &mut Story) {
    let mut pod = Object::pod_on("shop", "web-1", "worker-2");
    story.start(&Actor::jonas(), &mut pod);
    let mut deployment = Object::workload("Deployment", "shop", "urgent", Some(1));
    deployment.spec.set(&["template", "spec", "priorityClassName"], "urgent");
    let mut urgent = Deployed::start(story, &Actor::maria(), deployment);
    kubectl_scale(story, &Actor::jonas(), &mut urgent.deployment, 2);
    urgent.resize(story, 2);
    let mut second = urgent.new_pod(story, 1);
    preempt(story, &mut pod, &mut second);
}
