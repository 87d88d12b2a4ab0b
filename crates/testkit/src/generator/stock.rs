//! What a busy cluster's log is made of.
//!
//! The mix follows a recording of a loaded API server: events, bindings and pod writes of the scheduler and of clients
//! first, then reads, refusals and config maps. Leases, node status and watches, of which that recording had few because
//! its nodes were idle, have the share that they have in a cluster with kubelets.

use super::body::{
    conditions, config, deployment, event, node_body, options, pod_body, pod_list, pod_status, scaled,
};
use crate::cast::{Actor, KUBECTL};
use crate::entry::{Entry, Level};
use crate::json::Json;
use crate::object_ref::ObjectRef;
use crate::{list, object};

/// Where and on what the requests are.
pub(super) const NAMESPACES: [&str; 12] = [
    "shop",
    "billing",
    "search",
    "ingest",
    "lab",
    "ml-serve",
    "web-front",
    "orders",
    "auth",
    "observability",
    "batch-eu",
    "batch-us",
];
/// Nodes of the cluster.
pub(super) const NODES: [&str; 8] =
    ["worker-1", "worker-2", "worker-3", "worker-4", "worker-5", "worker-6", "worker-7", "worker-8"];
/// What pods are called, before hash and suffix.
pub(super) const APPS: [&str; 8] = [
    "api-6c5b7d9f48-",
    "auth-7d9c6f5b84-",
    "cart-59f8b7c6d4-",
    "gateway-84c9d6f7b5-",
    "indexer-6f7d8c9b54-",
    "mailer-5d4f6c7b98-",
    "queue-",
    "web-7b8c9d5f46-",
];

/// The user who evicts the pods of `Generator::hits`.
pub(super) const EVICTOR: &str = "maria";

/// Entries with holes, and how often each comes in a thousand lines.
pub(super) fn mix() -> Vec<(u16, Entry)> {
    let mut mix = Vec::new();
    mix.extend(cluster());
    mix.extend(workloads());
    mix.extend(clients());
    mix
}

/// The entries of a pod that is created, evicted and, at the end, deleted by its kubelet.
pub(super) fn eviction_story() -> [Entry; 3] {
    let maria = Actor::person(EVICTOR, "platform");
    [create_pod(&Actor::jonas()), evict(&maria), last_delete()]
}

fn pod() -> ObjectRef {
    ObjectRef::pod("@NAMESPACE@", "@POD@")
}

/// The target of an update: its body told uid and resource version.
fn updated(object: ObjectRef) -> ObjectRef {
    ObjectRef { resource_version: "@VERSION@".to_owned(), ..object.with_uid("@UID@") }
}

/// Leases, nodes, watches: the hum of a cluster.
fn cluster() -> Vec<(u16, Entry)> {
    let kubelet = Actor::kubelet("@NODE@");
    let manager = Actor::controller("deployment-controller");
    let coordination = |namespace: &str, name: &str| {
        updated(ObjectRef::of_group("coordination.k8s.io", "v1", "leases", namespace, name))
    };
    let node = ObjectRef::core("nodes", "", "@NODE@");
    let heartbeat = object! {
        "status": object! { "conditions": conditions(&["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"]) },
    };
    let events = ObjectRef::of_group("events.k8s.io", "v1", "events", "@NAMESPACE@", "@POD@.@HEX@");
    let watch =
        "allowWatchBookmarks=true&resourceVersion=@VERSION@&timeout=7m21s&timeoutSeconds=441&watch=true";
    let scheduler = Actor::scheduler();
    vec![
        (90, kubelet.call("update", coordination("kube-node-lease", "@NODE@")).query("timeout=10s")),
        (40, scheduler.call("update", coordination("kube-system", "kube-scheduler")).query("timeout=5s")),
        (20, kubelet.call("get", node.clone()).query("resourceVersion=0&timeout=10s")),
        (
            25,
            kubelet
                .call("patch", node.clone().with_subresource("status"))
                .query("timeout=10s")
                .body(heartbeat)
                .answer(200, node_body()),
        ),
        (15, manager.call("watch", ObjectRef::of_group("apps", "v1", "replicasets", "", "")).query(watch)),
        (15, kubelet.call("watch", ObjectRef::core("configmaps", "@NAMESPACE@", "settings")).query(watch)),
        (130, scheduler.call("create", events.clone()).body(event(false)).answer(201, event(true))),
        (
            10,
            scheduler
                .call("patch", events)
                .body(object! { "series": object! { "count": 2 } })
                .answer(200, event(true)),
        ),
    ]
}

/// Pods come and go.
fn workloads() -> Vec<(u16, Entry)> {
    let replicas = Actor::controller("replicaset-controller");
    let binding = object! {
        "kind": "Binding",
        "apiVersion": "v1",
        "metadata": object! { "name": "@POD@", "namespace": "@NAMESPACE@", "uid": "@UID@" },
        "target": object! { "kind": "Node", "name": "@NODE@" },
    };
    let bound = pod().with_subresource("binding").with_uid("@UID@");
    let status = object! { "metadata": object! { "uid": "@UID@" }, "status": pod_status() };
    let rebalancer = Actor::service_account("ops", "rebalancer", "rebalancer/v0.33 (linux/amd64)");
    let cause = object! {
        "reason": "DisruptionBudget",
        "message": "The disruption budget web needs 2 healthy pods and has 2 currently",
    };
    let generated = create_pod(&replicas);
    let at = generated.object_ref.clone().map(ObjectRef::collection);
    vec![
        (70, Actor::scheduler().call("create", bound).body(binding).succeed(201, None)),
        (60, Entry { object_ref: at, ..generated }),
        (
            90,
            Actor::kubelet("@NODE@")
                .call("patch", pod().with_subresource("status"))
                .body(status)
                .answer(200, pod_body(true)),
        ),
        (15, replicas.call("delete", pod()).body(options()).answer(200, pod_body(true))),
        (35, last_delete()),
        (20, evict(&rebalancer)),
        (
            5,
            evict(&rebalancer).fail(
                429,
                "TooManyRequests",
                "Cannot evict pod as it would violate the pod's disruption budget.",
                Some(object! { "causes": list![cause] }),
            ),
        ),
    ]
}

/// People, pipelines, and those who may not.
fn clients() -> Vec<(u16, Entry)> {
    let jonas = Actor::jonas();
    let deployer = Actor::service_account("ci", "deployer", "Helm/3.19.0");
    let intruder = Actor::service_account("lab", "notebook", "Go-http-client/2.0");
    let deployments = ObjectRef::of_group("apps", "v1", "deployments", "@NAMESPACE@", "web");
    let settings = ObjectRef::core("configmaps", "@NAMESPACE@", "settings");
    let review = ObjectRef::of_group("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "", "");
    let secret = ObjectRef::core("secrets", "@NAMESPACE@", "db-password");
    let label = object! { "metadata": object! { "labels": object! { "seen": "yes" } } };
    let exists = object! { "name": "settings", "kind": "configmaps" };
    let forbidden = |verb: &str, object: ObjectRef| {
        let kind = object.resource.clone();
        let message = format!(
            "{kind} is forbidden: User \"{}\" cannot {verb} resource \"{kind}\" in API group \"\" in the namespace \
             \"@NAMESPACE@\"",
            intruder.user.username
        );
        let entry =
            intruder.call(verb, object).fail(403, "Forbidden", &message, Some(object! { "kind": kind }));
        entry.decided("forbid", "")
    };
    vec![
        (40, create_pod(&jonas)),
        (
            25,
            jonas
                .call("patch", pod())
                .query("fieldManager=kubectl-label")
                .body(label)
                .answer(200, pod_body(true)),
        ),
        (15, jonas.call("delete", pod()).body(options()).answer(200, pod_body(true))),
        (60, whole(jonas.call("get", pod()), pod_body(true))),
        (50, whole(jonas.call("list", ObjectRef::pod("@NAMESPACE@", "")).query("limit=500"), pod_list())),
        (
            25,
            whole(
                deployer.call("list", ObjectRef::pod("@NAMESPACE@", "")).query("labelSelector=app%3Dweb"),
                pod_list(),
            ),
        ),
        (25, deployer.call("get", deployments.clone())),
        (
            15,
            deployer
                .call("patch", deployments)
                .query("fieldManager=helm")
                .body(scaled())
                .answer(200, deployment()),
        ),
        (20, deployer.call("get", secret.clone())),
        (25, deployer.call("update", updated(settings.clone())).body(config()).answer(200, config())),
        (
            10,
            deployer.call("create", settings.clone()).body(config()).fail(
                409,
                "AlreadyExists",
                "configmaps \"settings\" already exists",
                Some(exists),
            ),
        ),
        (
            20,
            jonas.call("create", review).body(object! { "kind": "SelfSubjectAccessReview" }).answer(
                201,
                object! { "kind": "SelfSubjectAccessReview", "status": object! { "allowed": true } },
            ),
        ),
        (12, forbidden("create", ObjectRef::pod("@NAMESPACE@", ""))),
        (12, forbidden("get", secret)),
        (6, forbidden("patch", settings)),
    ]
}

/// A read of which the policy keeps the answer.
fn whole(entry: Entry, answer: Json) -> Entry {
    Entry { level: Level::RequestResponse, ..entry.answer(200, answer) }
}

fn create_pod(actor: &Actor) -> Entry {
    let entry = actor.call("create", pod()).body(pod_body(false)).answer(201, pod_body(true));
    let entry = if actor.agent == KUBECTL {
        entry.query("fieldManager=kubectl-create&fieldValidation=Strict")
    } else {
        entry
    };
    entry.annotation("pod-security.kubernetes.io/enforce-policy", "privileged:latest")
}

fn evict(actor: &Actor) -> Entry {
    let body = object! {
        "kind": "Eviction",
        "apiVersion": "policy/v1",
        "metadata": object! { "name": "@POD@", "namespace": "@NAMESPACE@" },
        "deleteOptions": object! {},
    };
    actor.call("create", pod().with_subresource("eviction")).body(body).succeed(201, None)
}

fn last_delete() -> Entry {
    let options = object! {
        "kind": "DeleteOptions",
        "apiVersion": "meta.k8s.io/__internal",
        "gracePeriodSeconds": 0,
        "preconditions": object! { "uid": "@UID@" },
    };
    Actor::kubelet("@NODE@").call("delete", pod()).body(options).answer(200, pod_body(true))
}
