//! Objects that go because another went: owners, namespaces, finished jobs.

use super::Scenario;
use super::object::{Object, delete_options, kubectl_options};
use super::story::Story;
use super::workload::Web;
use crate::cast::{Actor, KUBECTL};
use crate::entry::Entry;
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
        name: "namespace-deletion",
        about: "service account `ops/ci` deletes namespace `lab`; the namespace controller empties it of a pod and a config map",
        tell: namespace_deletion,
    },
    Scenario {
        name: "job-ttl",
        about: "jonas' job `shop/report` is over; its time to live ends and job and pod go",
        tell: job_ttl,
    },
    Scenario {
        name: "cronjob-history",
        about: "jonas' cron job `shop/tick` keeps one finished job: the older one and its pod go",
        tell: cronjob_history,
    },
];

fn collector() -> Actor {
    Actor::controller("generic-garbage-collector")
}

fn owner_gc(story: &mut Story) {
    let Web { deployment, set, mut pods } = Web::start(story, 1);
    story.delete_at_once(&Actor::maria(), &deployment, kubectl_options());
    story.delete_at_once(&collector(), &set, Story::collected(&set));
    for pod in &mut pods {
        let options = Story::collected(pod);
        story.delete(&collector(), pod, options, 30);
        story.last_words(pod);
    }
}

/// The garbage collector removes the finalizer of a foreground delete: the object is gone.
fn release(story: &mut Story, object: &mut Object) {
    object.finalizers.clear();
    let metadata = object! { "resourceVersion": &object.resource_version, "finalizers": Json::Null };
    story.patch(&collector(), object, "", "", object! { "metadata": metadata });
}

fn owner_gc_foreground(story: &mut Story) {
    let Web { mut deployment, mut set, mut pods } = Web::start(story, 1);
    let foreground = delete_options().with("propagationPolicy", "Foreground");
    deployment.finalizers.push("foregroundDeletion");
    story.delete(&Actor::maria(), &mut deployment, foreground, 0);
    set.finalizers.push("foregroundDeletion");
    let mut options = Story::collected(&set);
    options.replace("propagationPolicy", "Foreground");
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

/// The namespace controller deletes all objects of one kind; the answer lists what was there.
fn empty_of(story: &mut Story, resource: &str, kind: &str, items: &[&Object]) {
    let list = object! {
        "kind": format!("{kind}List"),
        "apiVersion": "v1",
        "metadata": object! { "resourceVersion": "4400" },
        "items": items.iter().map(|item| item.body()).collect::<Vec<_>>(),
    };
    let controller = Actor::controller("namespace-controller");
    let entry = controller.call("deletecollection", ObjectRef::core(resource, "lab", ""));
    story.send(entry.body(kubectl_options()).answer(200, list));
}

fn namespace_deletion(story: &mut Story) {
    let mut namespace = Object::new(ObjectRef::core("namespaces", "lab", "lab"), "Namespace", object! {});
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
    let ci = Actor::service_account("ops", "ci", KUBECTL);
    namespace.status = object! { "phase": "Terminating" };
    namespace.deletion = Some((story.seconds(), 0));
    story.touch(&mut namespace);
    let entry = ci.call("delete", namespace.at.clone());
    story.send(entry.body(kubectl_options()).answer(200, namespace.body()));
    story.wait(5000);
    empty_of(story, "configmaps", "ConfigMap", &[&settings]);
    empty_of(story, "pods", "Pod", &[&pod]);
    story.doom(&mut pod, 30);
    for _ in 0..3 {
        empty_of(story, "pods", "Pod", &[&pod]);
        story.wait(250);
    }
    story.last_words(&mut pod);
    empty_of(story, "pods", "Pod", &[]);
    let controller = Actor::controller("namespace-controller");
    story.update(&controller, &mut namespace, "finalize");
}

/// A job, and the actor who makes its pod.
fn job(name: &str, ttl: Option<i64>) -> Object {
    let spec = object! { "parallelism": 1, "completions": 1 }.with_some("ttlSecondsAfterFinished", ttl);
    Object {
        labels: vec![("app", "report".to_owned())],
        ..Object::new(ObjectRef::of_group("batch", "v1", "jobs", "shop", name), "Job", spec)
    }
}

/// The job's pod runs and is done.
fn finish(story: &mut Story, job: &mut Object, suffix: &str) -> Object {
    let prefix = format!("{}-", job.at.name);
    let mut pod = Object::child_pod(job, &format!("{prefix}{suffix}"), &prefix, "worker-3");
    let controller = Actor::controller("job-controller");
    story.spawn(&controller, &mut pod);
    story.wait(12_000);
    story.report(&Actor::kubelet(pod.node), &mut pod, object! { "phase": "Succeeded" });
    job.status = object! { "succeeded": 1, "completionTime": story.seconds() };
    story.update(&controller, job, "status");
    pod
}

/// The garbage collector follows the job; a finished pod needs no grace, and the kubelet comes too late.
fn collect(story: &mut Story, pod: &mut Object) {
    let options = Story::collected(pod);
    story.delete(&collector(), pod, options, 0);
    story.late_words(pod);
}

fn job_ttl(story: &mut Story) {
    let mut report = job("report", Some(60));
    story.create(&Actor::jonas(), &mut report, "fieldManager=kubectl-create&fieldValidation=Strict");
    let mut pod = finish(story, &mut report, "v8n5d");
    story.wait(60_000);
    let ttl = Actor::controller("ttl-after-finished-controller");
    story.send(ttl.call("get", report.at.clone()));
    report.finalizers.push("foregroundDeletion");
    let options = delete_options()
        .with("preconditions", object! { "uid": &report.uid })
        .with("propagationPolicy", "Foreground");
    story.delete(&ttl, &mut report, options, 0);
    collect(story, &mut pod);
    release(story, &mut report);
}

fn cronjob_history(story: &mut Story) {
    let spec = object! { "schedule": "* * * * *", "successfulJobsHistoryLimit": 1 };
    let at = ObjectRef::of_group("batch", "v1", "cronjobs", "shop", "tick");
    let mut tick = Object::new(at, "CronJob", spec);
    story.create(&Actor::jonas(), &mut tick, "fieldManager=kubectl-create&fieldValidation=Strict");
    let controller = Actor::controller("cronjob-controller");
    let mut runs = ["29540701", "29540702"].map(|minute| {
        let mut run = Object { owner: Some(tick.as_owner()), ..job(&format!("tick-{minute}"), None) };
        story.create(&controller, &mut run, "");
        let pod = finish(story, &mut run, "k6r4z");
        (run, pod)
    });
    let (run, pod) = &mut runs[0];
    let entry: Entry = controller.call("get", tick.at);
    story.send(entry);
    story.delete_at_once(&controller, run, kubectl_options());
    collect(story, pod);
}
