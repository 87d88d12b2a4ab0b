//! Objects that go because another went: their owner or their namespace.

use super::Scenario;
use super::object::{Object, delete_options, kubectl_options};
use super::story::Story;
use super::workload::Deployed;
use crate::cast::{Actor, KUBECTL};
use crate::json::Json;
use crate::object;
use crate::object_ref::ObjectRef;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "owner-gc",
        about: "maria deletes deployment `shop/web`; the garbage collector deletes its replica set, then its pod",
        tell: owner_gc,
    },
    Scenario {
        name: "owner-gc-foreground",
        about: "maria deletes deployment `shop/web` in the foreground: pod first, then replica set, the deployment last",
        tell: owner_gc_foreground,
    },
    Scenario {
        name: "owner-collection",
        about: "maria deletes all deployments of namespace `lab` in one request; the garbage collector deletes the replica set \
                and the pod of `lab/web`",
        tell: owner_collection,
    },
    Scenario {
        name: "namespace-deletion",
        about: "service account `ops/ci` deletes namespace `lab`; the namespace controller empties it of a pod and a config map",
        tell: namespace_deletion,
    },
    Scenario {
        name: "namespace-again-unseen",
        about: "service account `ops/ci` deletes namespace `lab`, and maria makes it again; it goes once more, but the log does not hold \
                who asked for that",
        tell: namespace_again_unseen,
    },
];

pub(super) fn collector() -> Actor {
    Actor::controller("generic-garbage-collector")
}

fn owner_gc(story: &mut Story) {
    let mut web = Deployed::web(story, 1);
    story.delete_at_once(&Actor::maria(), &web.deployment, kubectl_options());
    collect(story, &mut web);
}

/// The garbage collector follows a deployment that is gone.
fn collect(story: &mut Story, orphans: &mut Deployed) {
    story.delete_at_once(&collector(), &orphans.set, Story::collected(&orphans.set));
    for pod in &mut orphans.pods {
        let options = Story::collected(pod);
        story.delete(&collector(), pod, options, 30);
        story.last_words(pod);
    }
}

/// The garbage collector removes the finalizer of a foreground delete: the object is gone.
pub(super) fn release(story: &mut Story, object: &mut Object) {
    object.finalizers.clear();
    let metadata = object! { "resourceVersion": &object.resource_version, "finalizers": Json::Null };
    story.patch(&collector(), object, "", "", object! { "metadata": metadata });
}

fn owner_gc_foreground(story: &mut Story) {
    let Deployed { mut deployment, mut set, mut pods } = Deployed::web(story, 1);
    let foreground = delete_options().with("propagationPolicy", "Foreground");
    deployment.finalizers.push("foregroundDeletion");
    story.delete(&Actor::maria(), &mut deployment, foreground, 0);
    set.finalizers.push("foregroundDeletion");
    let mut options = Story::collected(&set);
    options.set(&["propagationPolicy"], "Foreground");
    story.delete(&collector(), &mut set, options, 0);
    for pod in &mut pods {
        // The collector is at times faster than its own watch, and deletes again.
        for _ in 0..2 {
            let options = Story::collected(pod);
            story.delete(&collector(), pod, options, 30);
        }
        story.last_words(pod);
    }
    release(story, &mut set);
    release(story, &mut deployment);
}

fn owner_collection(story: &mut Story) {
    let mut idle = Object::workload("Deployment", "lab", "idle", Some(0));
    story.place(&mut idle);
    let deployment = Object::workload("Deployment", "lab", "web", Some(1));
    let mut web = Deployed::start(story, &Actor::jonas(), deployment);
    let all = web.deployment.at.clone().collection();
    story.delete_all(&Actor::maria(), all, "", "Deployment", &[&idle, &web.deployment]);
    collect(story, &mut web);
}

/// The namespace controller deletes all objects of one kind.
fn empty_of(story: &mut Story, resource: &str, kind: &str, items: &[&Object]) {
    let controller = Actor::controller("namespace-controller");
    story.delete_all(&controller, ObjectRef::core(resource, "lab", ""), "", kind, items);
}

fn lab() -> Object {
    Object::new(ObjectRef::core("namespaces", "lab", "lab"), "Namespace", object! {})
}

/// Service account `ops/ci` deletes the namespace.
fn delete_by_ci(story: &mut Story, namespace: &mut Object) {
    let ci = Actor::service_account("ops", "ci", KUBECTL);
    namespace.status = object! { "phase": "Terminating" };
    namespace.deletion = Some((story.seconds(), 0));
    story.touch(namespace);
    let entry = ci.call("delete", namespace.at.clone());
    story.send(entry.body(kubectl_options()).answer(200, namespace.body()));
    story.wait(5000);
}

/// The namespace controller empties the namespace of a pod, and lets it go.
fn empty_of_pod(story: &mut Story, namespace: &mut Object, pod: &mut Object) {
    empty_of(story, "pods", "Pod", &[pod]);
    story.doom(pod, 30);
    for _ in 0..3 {
        empty_of(story, "pods", "Pod", &[pod]);
        story.wait(250);
    }
    story.last_words(pod);
    empty_of(story, "pods", "Pod", &[]);
    story.update(&Actor::controller("namespace-controller"), namespace, "finalize");
}

fn namespace_deletion(story: &mut Story) {
    let mut namespace = lab();
    story.place(&mut namespace);
    let mut pod = Object::pod_on("lab", "probe", "worker-2");
    story.start(&Actor::jonas(), &mut pod);
    let mut settings = Object::new(
        ObjectRef::core("configmaps", "lab", "settings"),
        "ConfigMap",
        object! { "mode": "test" },
    );
    story.create(&Actor::jonas(), &mut settings, "fieldManager=kubectl-create&fieldValidation=Strict");
    story.wait(60_000);
    delete_by_ci(story, &mut namespace);
    empty_of(story, "configmaps", "ConfigMap", &[&settings]);
    empty_of_pod(story, &mut namespace, &mut pod);
}

fn namespace_again_unseen(story: &mut Story) {
    let mut namespace = lab();
    story.place(&mut namespace);
    let mut pod = Object::pod_on("lab", "probe", "worker-2");
    story.start(&Actor::jonas(), &mut pod);
    story.wait(60_000);
    delete_by_ci(story, &mut namespace);
    empty_of_pod(story, &mut namespace, &mut pod);
    story.wait(60_000);
    let mut namespace = lab();
    story.create(&Actor::maria(), &mut namespace, "fieldManager=kubectl-create&fieldValidation=Strict");
    let mut pod = Object::pod_on("lab", "probe", "worker-2");
    story.start(&Actor::jonas(), &mut pod);
    story.wait(60_000);
    namespace.status = object! { "phase": "Terminating" };
    namespace.deletion = Some((story.seconds(), 0));
    story.touch(&mut namespace);
    empty_of_pod(story, &mut namespace, &mut pod);
}
