//! Changes of objects that stay.

use super::Scenario;
use super::eviction::web;
use super::object::{Object, pod_spec};
use super::story::Story;
use crate::cast::Actor;
use crate::entry::Entry;
use crate::json::Json;
use crate::object_ref::ObjectRef;
use crate::{list, object};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "labels",
        about: "maria labels and annotates `shop/web-1` and `worker-1` with kubectl; jonas removes the label `tier` of the pod",
        tell: labels,
    },
    Scenario {
        name: "node-taints",
        about: "maria taints `worker-1`, cordons and uncordons it, and takes the taint off; the node controller follows the cordon \
                with a taint of its own",
        tell: node_taints,
    },
    Scenario {
        name: "changes",
        about: "deployment `shop/web` is changed by jonas (kubectl apply), by `ops/argocd` (server-side apply, then the same again), \
                and by `ops/tuner` (an update, after one that was refused with 409)",
        tell: changes,
    },
    Scenario {
        name: "deprecated",
        about: "`ops/ci` lists budgets of an older API server by `policy/v1beta1`, which Kubernetes 1.25 removed, and reads the deprecated endpoints \
                `shop/web`",
        tell: deprecated,
    },
];

/// A merge patch of a map in the metadata, as `kubectl label` and `kubectl annotate` send it; `null` removes.
fn mark(story: &mut Story, actor: &Actor, object: &mut Object, map: &str, key: &str, value: Json) {
    let (marks, manager) = match map {
        "labels" => (&mut object.labels, "kubectl-label"),
        _ => (&mut object.annotations, "kubectl-annotate"),
    };
    if value == Json::Null {
        let Json::Object(members) = marks else { return };
        members.retain(|(name, _)| name != key);
    } else {
        marks.set(&[key], value.clone());
    }
    let patch = object! { "metadata": object! {}.with(map, object! {}.with(key, value)) };
    story.patch(actor, object, "", &format!("fieldManager={manager}"), patch);
    story.wait(15_000);
}

fn labels(story: &mut Story) {
    let mut node = Object::node("worker-1");
    story.place(&mut node);
    let mut pod = web(story, "web-1");
    let maria = Actor::maria();
    mark(story, &maria, &mut pod, "labels", "tier", "gold".into());
    mark(story, &maria, &mut pod, "annotations", "example.com/owner", "shop team".into());
    mark(story, &maria, &mut node, "labels", "disk", "ssd".into());
    mark(story, &maria, &mut node, "annotations", "example.com/rack", "r12".into());
    mark(story, &Actor::jonas(), &mut pod, "labels", "tier", Json::Null);
}

/// A patch of the node's spec by the node controller names the version that it saw.
fn set_taints(story: &mut Story, node: &mut Object, taints: Vec<Json>) {
    let metadata = object! { "resourceVersion": &node.resource_version };
    let patch = object! { "metadata": metadata, "spec": object! { "taints": taints.clone() } };
    node.spec.set(&["taints"], taints);
    story.patch(&Actor::controller("node-controller"), node, "", "", patch);
}

/// `kubectl cordon`, or `uncordon` with `null`.
fn cordon(story: &mut Story, node: &mut Object, unschedulable: Json) {
    let spec = object! { "unschedulable": unschedulable };
    let taints = node.spec.at(&["taints"]).clone();
    node.spec = if spec == object! { "unschedulable": true } {
        spec.clone()
    } else {
        object! {}
    };
    node.spec.set(&["taints"], taints);
    story.patch(&Actor::maria(), node, "", "", object! { "spec": spec });
}

fn node_taints(story: &mut Story) {
    let mut node = Object::node("worker-1");
    story.place(&mut node);
    let maria = Actor::maria();
    let by_kubectl = "fieldManager=kubectl-taint&fieldValidation=Strict";
    let maintenance = object! { "effect": "NoSchedule", "key": "maintenance", "value": "yes" };
    let spec = object! { "taints": list![maintenance.clone()] };
    node.spec = spec.clone();
    story.patch(&maria, &mut node, "", by_kubectl, object! { "spec": spec });
    story.wait(30_000);
    cordon(story, &mut node, true.into());
    let unschedulable = object! {
        "effect": "NoSchedule", "key": "node.kubernetes.io/unschedulable", "timeAdded": story.seconds(),
    };
    set_taints(story, &mut node, vec![maintenance.clone(), unschedulable]);
    story.wait(900_000);
    cordon(story, &mut node, Json::Null);
    set_taints(story, &mut node, vec![maintenance]);
    story.wait(5000);
    node.spec = object! {};
    let patch = object! { "spec": object! { "taints": Json::Null } };
    story.patch(&maria, &mut node, "", by_kubectl, patch);
}

/// The deployment's container with another image and one variable.
fn container(image: &str, level: &str) -> Json {
    let env = list![object! { "name": "LOG_LEVEL", "value": level }];
    object! { "name": "app", "image": image, "env": env }
}

fn set_container(deployment: &mut Object, container: &Json) {
    let mut spec = pod_spec("");
    let resources = object! { "requests": object! { "cpu": "100m", "memory": "64Mi" } };
    spec.set(&["containers"], Json::List(vec![container.clone().with("resources", resources)]));
    deployment.spec.set(&["template", "spec"], spec);
}

const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// `kubectl apply`: what the file says and the object does not, with the file itself as an annotation.
fn apply(story: &mut Story, actor: &Actor, web: &mut Object) {
    let container = container("registry.example/shop/web:1.5.0", "debug");
    web.spec.set(&["replicas"], 3);
    set_container(web, &container);
    let file = object! { "apiVersion": "apps/v1", "kind": "Deployment", "spec": web.spec.clone() };
    let file = format!("{file}\n");
    web.annotations.set(&[APPLIED], &file);
    let spec = object! {
        "$setElementOrder/containers": list![object! { "name": "app" }],
        "containers": list![container],
    };
    let patch = object! {
        "metadata": object! { "annotations": object! {}.with(APPLIED, &file) },
        "spec": object! { "replicas": 3, "template": object! { "spec": spec } },
    };
    let query = "fieldManager=kubectl-client-side-apply&fieldValidation=Strict";
    story.patch(actor, web, "", query, patch);
}

fn changes(story: &mut Story) {
    let mut web = Object::workload("Deployment", "shop", "web", Some(2));
    let query = "fieldManager=kubectl-client-side-apply&fieldValidation=Strict";
    story.create(&Actor::jonas(), &mut web, query);
    story.wait(60_000);
    apply(story, &Actor::jonas(), &mut web);
    story.wait(60_000);
    // Server-side apply sends the whole of what its manager wants, and nothing else.
    let argocd = Actor::service_account("ops", "argocd", "argocd-application-controller/v3.1");
    let container = container("registry.example/shop/web:1.5.1", "debug");
    set_container(&mut web, &container);
    let wish = object! {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": object! { "name": "web", "namespace": "shop" },
        "spec": object! { "template": object! { "spec": object! { "containers": list![container] } } },
    };
    let query = "fieldManager=argocd-controller&force=true";
    story.patch(&argocd, &mut web, "", query, wish.clone());
    story.wait(180_000);
    let again = argocd.call("patch", web.at.clone()).query(query).body(wish);
    story.send(again.answer(200, web.body()));
    story.wait(4000);
    let tuner = Actor::service_account("ops", "tuner", "tuner/v0.7");
    refuse_update(story, &tuner, &web);
    story.wait(1000);
    web.spec.set(&["replicas"], 5);
    web.spec.set(&["minReadySeconds"], 10);
    story.update(&tuner, &mut web, "");
}

/// An update of what was changed meanwhile.
fn refuse_update(story: &mut Story, actor: &Actor, object: &Object) {
    let stale = Object { resource_version: "3990".to_owned(), ..object.clone() };
    let at = ObjectRef { resource_version: stale.resource_version.clone(), ..stale.at.clone() };
    let message = "Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified; please apply \
                   your changes to the latest version and try again";
    let details = object! { "name": "web", "group": "apps", "kind": "deployments" };
    let entry = actor.call("update", at.with_uid(&stale.uid)).body(stale.body());
    story.send(entry.fail(409, "Conflict", message, Some(details)));
}

/// The API server marks requests for deprecated versions.
fn deprecated(story: &mut Story) {
    let ci = Actor::service_account("ops", "ci", "budget-report/0.3 (linux/amd64)");
    let mark = |entry: Entry| entry.annotation("k8s.io/deprecated", "true");
    let budgets = ObjectRef::of_group("policy", "v1beta1", "poddisruptionbudgets", "shop", "");
    for _ in 0..2 {
        let list = mark(ci.call("list", budgets.clone()).query("limit=500"));
        story.send(list.annotation("k8s.io/removed-release", "1.25"));
        story.wait(60_000);
    }
    story.send(mark(ci.call("get", ObjectRef::core("endpoints", "shop", "web"))));
    let today = ObjectRef::of_group("policy", "v1", "poddisruptionbudgets", "shop", "");
    story.send(Actor::maria().call("list", today).query("limit=500"));
}
