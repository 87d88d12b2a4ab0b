//! Pods that somebody deletes.

use super::Scenario;
use super::eviction::web;
use super::object::{Object, delete_options, kubectl_options};
use super::story::Story;
use crate::cast::Actor;
use crate::json::Json;
use crate::object;
use crate::object_ref::ObjectRef;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "delete",
        about: "jonas deletes `shop/web-1`; the kubelet has the last word",
        tell: delete,
    },
    Scenario {
        name: "delete-forced",
        about: "jonas deletes `shop/web-1` with grace period 0; the kubelet's last delete finds nothing (404)",
        tell: delete_forced,
    },
    Scenario {
        name: "delete-504",
        about: "jonas hangs up while he deletes `shop/web-1` (504, context canceled); the pod goes all the same",
        tell: delete_504,
    },
    Scenario {
        name: "delete-dry-run",
        about: "jonas tries to delete `shop/web-1`, the dry run in the body; the pod lives",
        tell: delete_dry_run,
    },
    Scenario {
        name: "delete-collection",
        about: "maria deletes the pods labelled `app=web` in one request: `shop/web-1`, `shop/web-2`; `shop/api-1` lives",
        tell: delete_collection,
    },
    Scenario {
        name: "finalizer",
        about: "maria deletes the config map `shop/settings`, held by a finalizer; jonas removes the finalizer later",
        tell: finalizer,
    },
    Scenario {
        name: "incarnations",
        about: "two pods called `shop/web-1` after each other: jonas deletes the first, maria evicts the second",
        tell: incarnations,
    },
    Scenario {
        name: "two-namespaces",
        about: "`shop/web-1` is evicted by maria, `lab/web-1` is deleted by jonas",
        tell: two_namespaces,
    },
    Scenario {
        name: "requester-missing",
        about: "`shop/web-1` goes, but the log holds only the kubelet's last delete",
        tell: requester_missing,
    },
];

fn delete(story: &mut Story) {
    let mut pod = web(story, "web-1");
    story.delete(&Actor::jonas(), &mut pod, kubectl_options(), 30);
    story.hum();
    story.last_words(&mut pod);
}

fn delete_forced(story: &mut Story) {
    let mut pod = web(story, "web-1");
    let options = delete_options().with("gracePeriodSeconds", 0).with("propagationPolicy", "Background");
    story.delete(&Actor::jonas(), &mut pod, options, 0);
    story.late_words(&pod);
}

fn delete_504(story: &mut Story) {
    let mut pod = web(story, "web-1");
    let entry = Actor::jonas().call("delete", pod.at.clone()).body(kubectl_options());
    story.doom(&mut pod, 30);
    story.send(entry.hung_up());
    story.last_words(&mut pod);
}

fn delete_dry_run(story: &mut Story) {
    let mut pod = web(story, "web-1");
    let mut dying = pod.clone();
    let options = kubectl_options().with("dryRun", vec!["All"]);
    story.delete(&Actor::jonas(), &mut dying, options, 30);
    story.wait(40_000);
    story.run(&mut pod);
}

fn delete_collection(story: &mut Story) {
    let mut victims = [web(story, "web-1"), web(story, "web-2")];
    let mut bystander = web(story, "api-1");
    let [first, second] = &victims;
    let pods = ObjectRef::pod("shop", "");
    story.delete_all(&Actor::maria(), pods, "labelSelector=app%3Dweb", "Pod", &[first, second]);
    for pod in &mut victims {
        story.doom(pod, 30);
        story.last_words(pod);
    }
    story.run(&mut bystander);
}

fn finalizer(story: &mut Story) {
    let mut settings = Object::new(
        ObjectRef::core("configmaps", "shop", "settings"),
        "ConfigMap",
        object! { "mode": "test" },
    );
    settings.finalizers = vec!["backup.example/keep"];
    story.create(&Actor::jonas(), &mut settings, "fieldManager=kubectl-create&fieldValidation=Strict");
    story.wait(20_000);
    story.delete(&Actor::maria(), &mut settings, kubectl_options(), 0);
    story.hum();
    story.wait(600_000);
    settings.finalizers.clear();
    let patch = object! { "metadata": object! { "finalizers": Json::Null } };
    story.patch(&Actor::jonas(), &mut settings, "", "fieldManager=kubectl-patch", patch);
    let details = object! { "name": "settings", "kind": "configmaps" };
    let gone = Actor::jonas().call("get", settings.at);
    story.send(gone.fail(404, "NotFound", "configmaps \"settings\" not found", Some(details)));
}

fn incarnations(story: &mut Story) {
    let mut first = web(story, "web-1");
    story.delete(&Actor::jonas(), &mut first, kubectl_options(), 30);
    story.last_words(&mut first);
    story.wait(3000);
    let mut second = web(story, "web-1");
    story.evict(&Actor::maria(), &mut second);
    story.last_words(&mut second);
}

fn two_namespaces(story: &mut Story) {
    let mut here = web(story, "web-1");
    let mut there = Object::pod_on("lab", "web-1", "worker-2");
    story.start(&Actor::maria(), &mut there);
    story.evict(&Actor::maria(), &mut here);
    story.last_words(&mut here);
    story.delete(&Actor::jonas(), &mut there, kubectl_options(), 30);
    story.last_words(&mut there);
}

fn requester_missing(story: &mut Story) {
    let mut pod = Object::pod("web-1");
    story.place(&mut pod);
    story.doom(&mut pod, 30);
    story.hum();
    story.last_words(&mut pod);
    story.hum();
}
