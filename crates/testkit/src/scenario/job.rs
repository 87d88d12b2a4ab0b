//! Pods that go because their job is over, or has to wait.

use super::Scenario;
use super::cascade::{collector, release};
use super::object::{self, Object, delete_options, kubectl_options};
use super::story::Story;
use crate::cast::Actor;
use crate::object_ref::ObjectRef;
use crate::{list, object};

pub(super) const SCENARIOS: &[Scenario] = &[
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
    Scenario {
        name: "job-suspend",
        about: "jonas suspends job `shop/report`, which maria created; the job controller deletes its pod",
        tell: job_suspend,
    },
    Scenario {
        name: "job-resumed",
        about: "jonas suspends job `shop/report`, and maria resumes it; half a minute later its deadline is over, and the job controller \
                deletes its pod",
        tell: job_resumed,
    },
];

fn controller() -> Actor {
    Actor::controller("job-controller")
}

/// A job of the namespace `shop`.
fn job(name: &str, ttl: Option<i64>) -> Object {
    let mut template = object::template(object::app(name));
    template.set(&["spec", "restartPolicy"], "Never");
    let labels = template.at(&["metadata", "labels"]).clone();
    let spec = object! { "parallelism": 1, "completions": 1, "template": template }
        .with_some("ttlSecondsAfterFinished", ttl)
        .with("suspend", false);
    let at = ObjectRef::of_group("batch", "v1", "jobs", "shop", name);
    Object { labels, ..Object::new(at, "Job", spec) }
}

/// The job's pod runs.
fn start(story: &mut Story, job: &Object, suffix: &str) -> Object {
    let prefix = format!("{}-", job.at.name);
    let mut pod = Object::child_pod(job, &format!("{prefix}{suffix}"), &prefix, "worker-3");
    story.spawn(&controller(), &mut pod);
    story.wait(12_000);
    pod
}

/// The job's pod runs and is done.
fn finish(story: &mut Story, job: &mut Object, suffix: &str) -> Object {
    let mut pod = start(story, job, suffix);
    story.report(&Actor::kubelet(pod.node), &mut pod, object! { "phase": "Succeeded" });
    job.status = object! { "succeeded": 1, "completionTime": story.seconds() };
    story.update(&controller(), job, "status");
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
    story.send(controller.call("get", tick.at));
    story.delete_at_once(&controller, run, kubectl_options());
    collect(story, pod);
}

fn job_suspend(story: &mut Story) {
    let mut report = job("report", None);
    story.create(&Actor::maria(), &mut report, "fieldManager=kubectl-create&fieldValidation=Strict");
    let mut pod = start(story, &report, "v8n5d");
    suspend(story, &mut report, &mut pod);
}

/// Jonas suspends the job; its controller deletes the pod.
fn suspend(story: &mut Story, report: &mut Object, pod: &mut Object) {
    set_suspended(story, &Actor::jonas(), report, true);
    story.delete(&controller(), pod, delete_options(), 30);
    note(story, report, "Suspended", "JobSuspended", "Job suspended");
    story.last_words(pod);
}

fn set_suspended(story: &mut Story, actor: &Actor, job: &mut Object, suspend: bool) {
    story.send(actor.call("get", job.at.clone()));
    job.spec.set(&["suspend"], suspend);
    let patch = object! { "spec": object! { "suspend": suspend } };
    story.patch(actor, job, "", "fieldManager=kubectl-patch", patch);
}

/// The job controller writes a condition into the job's status.
fn note(story: &mut Story, job: &mut Object, kind: &str, reason: &str, message: &str) {
    let condition = object! {
        "type": kind, "status": "True", "lastTransitionTime": story.seconds(), "reason": reason, "message": message,
    };
    job.status = object! { "conditions": list![condition] };
    story.update(&controller(), job, "status");
}

/// A job that is over its deadline loses its pods
/// ([source](https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/job/job_controller.go)).
fn job_resumed(story: &mut Story) {
    let mut report = job("report", None);
    story.create(&Actor::maria(), &mut report, "fieldManager=kubectl-create&fieldValidation=Strict");
    let mut pod = start(story, &report, "v8n5d");
    suspend(story, &mut report, &mut pod);
    story.wait(5000);
    set_suspended(story, &Actor::maria(), &mut report, false);
    let mut pod = start(story, &report, "c2m7k");
    story.wait(20_000);
    story.delete(&controller(), &mut pod, delete_options(), 30);
    note(story, &mut report, "Failed", "DeadlineExceeded", "Job was active longer than specified deadline");
    story.last_words(&mut pod);
}
