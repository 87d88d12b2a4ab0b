//! Pods that their controller deletes: scaling and rollouts.

use super::Scenario;
use super::object::{Object, delete_options, pod_spec};
use super::story::Story;
use crate::cast::Actor;
use crate::json::Json;
use crate::object_ref::ObjectRef;
use crate::{list, object};

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
        name: "scale-then-rollout",
        about: "jonas scales deployment `shop/web` from 2 to 1, and half a minute later maria sets another image: each costs a pod",
        tell: scale_then_rollout,
    },
    Scenario {
        name: "rollout-unseen",
        about: "jonas scales deployment `shop/web` from 2 to 1; half a minute later another image is rolled out, but the log does not \
                hold who set it",
        tell: rollout_unseen,
    },
    Scenario {
        name: "rollback",
        about: "maria restarts deployment `shop/web`, jonas undoes it (kubectl rollout undo): the old replica set grows again, \
                the newer one's pod goes",
        tell: rollback,
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

/// A deployment with its newest replica set and the pods of that.
pub(super) struct Deployed {
    pub(super) deployment: Object,
    pub(super) set: Object,
    pub(super) pods: Vec<Object>,
}

/// Names of the revisions' hashes, and of the pods in the order in which they come.
const HASHES: [&str; 3] = ["6d8c79bf5c", "7f9d4c6b88", "55b9c7d4f9"];
const SUFFIXES: [&str; 3] = ["4kzt8", "q7xjm", "w2h6p"];
const NODES: [&str; 3] = ["worker-1", "worker-2", "worker-3"];

const REVISION: &str = "deployment.kubernetes.io/revision";

fn deployment_controller() -> Actor {
    Actor::controller("deployment-controller")
}

impl Deployed {
    /// Jonas creates deployment `shop/web`.
    pub(super) fn web(story: &mut Story, replicas: i64) -> Self {
        Self::start(story, &Actor::jonas(), Object::workload("Deployment", "shop", "web", Some(replicas)))
    }

    /// Somebody creates the deployment, the controllers do the rest.
    pub(super) fn start(story: &mut Story, creator: &Actor, mut deployment: Object) -> Self {
        story.create(creator, &mut deployment, KUBECTL_CREATE);
        let replicas = deployment.replicas();
        let set = Self::new_set(story, &mut deployment, 0, replicas);
        let mut deployed = Self { deployment, set, pods: Vec::new() };
        for i in 0..usize::try_from(replicas).unwrap_or(0) {
            deployed.spawn(story, i);
        }
        story.wait(90_000);
        deployed
    }

    /// The deployment controller makes the replica set of a revision: its template is the deployment's, and a hash.
    fn new_set(story: &mut Story, deployment: &mut Object, revision: usize, replicas: i64) -> Object {
        let hash = HASHES[revision];
        let name = format!("{}-{hash}", deployment.at.name);
        let labels = deployment.labels.clone().with("pod-template-hash", hash);
        let mut set = Object::workload("ReplicaSet", &deployment.at.namespace, &name, Some(replicas));
        set.spec.set(&["selector", "matchLabels"], labels.clone());
        set.spec.set(&["template"], deployment.spec.at(&["template"]).clone());
        set.spec.set(&["template", "metadata", "labels"], labels.clone());
        set.labels = labels;
        set.annotations.set(&[REVISION], (revision + 1).to_string());
        set.owner = Some(deployment.as_owner());
        story.create(&deployment_controller(), &mut set, "");
        // The controller notes the revision with the deployment's status. No story tells the status of workloads.
        deployment.annotations = set.annotations.clone();
        story.touch(deployment);
        set
    }

    /// The replica set controller asks for the pod; nobody has bound it yet.
    pub(super) fn new_pod(&self, story: &mut Story, i: usize) -> Object {
        let prefix = format!("{}-", self.set.at.name);
        let mut pod = Object::child_pod(&self.set, &format!("{prefix}{}", SUFFIXES[i]), &prefix, NODES[i]);
        story.create(&Actor::controller("replicaset-controller"), &mut pod, "");
        pod
    }

    fn spawn(&mut self, story: &mut Story, i: usize) {
        let mut pod = self.new_pod(story, i);
        story.bind(&mut pod);
        story.run(&mut pod);
        self.pods.push(pod);
    }

    /// The replica set is told how many pods to have.
    pub(super) fn resize(&mut self, story: &mut Story, replicas: i64) {
        self.set.spec.set(&["replicas"], replicas);
        story.update(&deployment_controller(), &mut self.set, "");
    }

    /// The replica set is told to shrink, and does: the last pod goes.
    fn shrink(&mut self, story: &mut Story, replicas: i64) {
        self.resize(story, replicas);
        if let Some(mut pod) = self.pods.pop() {
            story.delete(&Actor::controller("replicaset-controller"), &mut pod, delete_options(), 30);
            story.last_words(&mut pod);
        }
    }

    /// The template was changed: the replica set of a new revision takes over from the old one, which is given back.
    fn roll(&mut self, story: &mut Story, revision: usize) -> Object {
        let next = Self::new_set(story, &mut self.deployment, revision, 1);
        self.hand_over(story, next, revision)
    }

    /// A pod of the next replica set comes, the old one's goes; the old replica set is given back.
    fn hand_over(&mut self, story: &mut Story, next: Object, i: usize) -> Object {
        let mut old = Self {
            deployment: self.deployment.clone(),
            set: std::mem::replace(&mut self.set, next),
            pods: std::mem::take(&mut self.pods),
        };
        self.spawn(story, i);
        old.shrink(story, 0);
        story.wait(20_000);
        old.set
    }
}

/// A patch of a workload's pod template, as kubectl's commands make it.
fn patch_template(story: &mut Story, actor: &Actor, workload: &mut Object, manager: &str, template: Json) {
    let patch = object! { "spec": object! { "template": template } };
    story.patch(actor, workload, "", &format!("fieldManager={manager}"), patch);
}

/// `kubectl rollout restart`: the pod template gets an annotation that it did not have.
fn restart(story: &mut Story, actor: &Actor, workload: &mut Object) {
    let annotations = object! { "kubectl.kubernetes.io/restartedAt": story.seconds() };
    workload.spec.set(&["template", "metadata", "annotations"], annotations.clone());
    let template = object! { "metadata": object! { "annotations": annotations } };
    patch_template(story, actor, workload, "kubectl-rollout", template);
}

/// `kubectl set image`: the pod template's container gets another image.
fn set_image(story: &mut Story, actor: &Actor, workload: &mut Object, image: &str) {
    workload.spec.set(&["template", "spec"], pod_spec(image));
    let spec = object! {
        "$setElementOrder/containers": list![object! { "name": "app" }],
        "containers": list![object! { "image": image, "name": "app" }],
    };
    patch_template(story, actor, workload, "kubectl-set", object! { "spec": spec });
}

/// `kubectl rollout undo`: a JSON patch without a field manager gives a deployment the pod template of an older replica
/// set ([source](https://github.com/kubernetes/kubectl/blob/master/pkg/polymorphichelpers/rollback.go)).
fn undo(story: &mut Story, actor: &Actor, deployment: &mut Object, template: Json) {
    story.send(actor.call("get", deployment.at.clone()));
    let sets = ObjectRef::of_group("apps", "v1", "replicasets", &deployment.at.namespace, "");
    story.send(actor.call("list", sets).query(&format!("labelSelector=app%3D{}", deployment.at.name)));
    let replace = |path: &str, value: Json| object! { "op": "replace", "path": path, "value": value };
    let patch = list![
        replace("/spec/template", template.clone()),
        replace("/metadata/annotations", deployment.annotations.clone()),
    ];
    deployment.spec.set(&["template"], template);
    story.patch(actor, deployment, "", "", patch);
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
pub(super) fn kubectl_scale(story: &mut Story, actor: &Actor, object: &mut Object, to: i64) {
    let from = object.replicas();
    object.spec.set(&["replicas"], to);
    story.touch(object);
    let entry = actor.call("patch", object.at.clone().with_subresource("scale"));
    let patch = object! { "spec": object! { "replicas": to } };
    story.send(entry.body(patch).answer(200, scale(object, to, from)));
}

fn scale_down(story: &mut Story) {
    let mut web = Deployed::web(story, 2);
    kubectl_scale(story, &Actor::maria(), &mut web.deployment, 1);
    web.shrink(story, 1);
}

fn scale_down_hpa(story: &mut Story) {
    let mut web = Deployed::web(story, 2);
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
    web.deployment.spec.set(&["replicas"], 1);
    story.touch(&mut web.deployment);
    let entry = controller.call("update", at.with_uid(&web.deployment.uid)).body(body);
    story.send(entry.answer(200, scale(&web.deployment, 1, 2)));
    web.shrink(story, 1);
}

fn rollout(story: &mut Story) {
    let mut web = Deployed::web(story, 1);
    restart(story, &Actor::maria(), &mut web.deployment);
    web.roll(story, 1);
}

fn rollout_image(story: &mut Story) {
    let mut web = Deployed::web(story, 1);
    restart(story, &Actor::maria(), &mut web.deployment);
    web.roll(story, 1);
    set_image(story, &Actor::jonas(), &mut web.deployment, NEXT_IMAGE);
    web.roll(story, 2);
}

/// The deployment is scaled, and half a minute goes by.
fn scaled_web(story: &mut Story) -> Deployed {
    let mut web = Deployed::web(story, 2);
    kubectl_scale(story, &Actor::jonas(), &mut web.deployment, 1);
    web.shrink(story, 1);
    story.wait(30_000);
    web
}

const NEXT_IMAGE: &str = "registry.example/shop/web:1.5.0";

fn scale_then_rollout(story: &mut Story) {
    let mut web = scaled_web(story);
    set_image(story, &Actor::maria(), &mut web.deployment, NEXT_IMAGE);
    web.roll(story, 2);
}

fn rollout_unseen(story: &mut Story) {
    let mut web = scaled_web(story);
    web.deployment.spec.set(&["template", "spec"], pod_spec(NEXT_IMAGE));
    story.touch(&mut web.deployment);
    web.roll(story, 2);
}

fn rollback(story: &mut Story) {
    let mut web = Deployed::web(story, 1);
    let template = web.deployment.spec.at(&["template"]).clone();
    restart(story, &Actor::maria(), &mut web.deployment);
    let mut first = web.roll(story, 1);
    undo(story, &Actor::jonas(), &mut web.deployment, template);
    // The controller finds that it has a replica set for this template, and makes that one's revision the newest.
    first.annotations.set(&[REVISION], "3");
    first.annotations.set(&["deployment.kubernetes.io/revision-history"], "1");
    story.update(&deployment_controller(), &mut first, "");
    first.spec.set(&["replicas"], 1);
    story.update(&deployment_controller(), &mut first, "");
    web.hand_over(story, first, 2);
}

fn statefulset_scale(story: &mut Story) {
    let mut db = Object::workload("StatefulSet", "shop", "db", Some(2));
    story.create(&Actor::jonas(), &mut db, KUBECTL_CREATE);
    let controller = Actor::controller("statefulset-controller");
    let mut pods = [("db-0", "worker-1"), ("db-1", "worker-2")].map(|(name, node)| {
        // The pods of a stateful set are named by their controller, not by the API server.
        let mut pod = Object::child_pod(&db, name, "", node);
        story.spawn(&controller, &mut pod);
        pod
    });
    story.wait(45_000);
    kubectl_scale(story, &Actor::jonas(), &mut db, 1);
    story.delete(&controller, &mut pods[1], delete_options(), 30);
    story.last_words(&mut pods[1]);
}

fn daemonset_rollout(story: &mut Story) {
    let mut agent = Object::workload("DaemonSet", "shop", "agent", None);
    story.create(&Actor::jonas(), &mut agent, KUBECTL_CREATE);
    let controller = Actor::controller("daemon-set-controller");
    let mut old = Object::child_pod(&agent, "agent-b5v9x", "agent-", "worker-1");
    story.spawn(&controller, &mut old);
    story.wait(70_000);
    restart(story, &Actor::maria(), &mut agent);
    story.delete(&controller, &mut old, delete_options(), 30);
    story.last_words(&mut old);
    let mut new = Object::child_pod(&agent, "agent-m4tqc", "agent-", "worker-1");
    story.spawn(&controller, &mut new);
}
