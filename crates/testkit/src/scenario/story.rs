//! A story being told: the clock runs, requests become entries.

use super::object::{self, Object};
use crate::cast::Actor;
use crate::entry::{Entry, Level, Stage};
use crate::json::Json;
use crate::object_ref::ObjectRef;
use crate::random::SplitMix64;
use crate::time::second_time;
use crate::{list, object};

/// All stories begin on 2026-03-02 at 09:00 UTC.
const BEGIN: i64 = 1_772_442_000_000_000;

/// Collects the entries of one story.
pub(super) struct Story {
    entries: Vec<Entry>,
    now: i64,
    random: SplitMix64,
    version: u32,
    hums: usize,
}

impl Story {
    /// A story that begins with what a cluster does all day.
    pub(super) fn new(name: &str) -> Self {
        let mut story = Self {
            entries: Vec::new(),
            now: BEGIN,
            random: SplitMix64::from_text(name),
            version: 4000,
            hums: 0,
        };
        for _ in 0..3 {
            story.hum();
        }
        story
    }

    /// The entries in the order of the log: the order in which stages were reached.
    pub(super) fn into_entries(mut self) -> Vec<Entry> {
        self.hum();
        self.entries.sort_by_key(|entry| entry.stage_time);
        self.entries
    }

    /// Lets time go by.
    pub(super) fn wait(&mut self, millis: i64) {
        self.now += millis * 1000;
    }

    /// Now, as bodies say it.
    pub(super) fn seconds(&self) -> String {
        second_time(self.now)
    }

    /// Seconds from now, as bodies say it.
    pub(super) fn seconds_from_now(&self, seconds: i64) -> String {
        second_time(self.now + seconds * 1_000_000)
    }

    /// A uid that no other object of the story has.
    pub(super) fn uid(&mut self) -> String {
        self.random.text(SplitMix64::uuid)
    }

    /// Puts the object into the cluster without telling: it was there before the log began.
    pub(super) fn place(&mut self, object: &mut Object) {
        object.uid = self.uid();
        object.created = second_time(self.now - 86_400_000_000);
        object.bound = true;
        self.touch(object);
    }

    /// The API server stores the object as it now is.
    pub(super) fn touch(&mut self, object: &mut Object) {
        self.version += 1 + self.random.below(3);
        object.store(self.version);
    }

    /// The request comes in and is answered some milliseconds later.
    pub(super) fn send(&mut self, entry: Entry) {
        let audit_id = self.uid();
        self.send_as(entry, audit_id);
    }

    /// The same with an audit id that the client chose.
    pub(super) fn send_as(&mut self, entry: Entry, audit_id: String) {
        let received = self.now + i64::from(self.random.below(900));
        let stage_time = received + 1500 + i64::from(self.random.below(8000));
        self.now = stage_time + 400;
        let entry = Entry { audit_id, received, stage_time, ..entry };
        if entry.stage == Stage::ResponseComplete {
            self.entries.push(entry.as_received());
        }
        self.entries.push(entry);
    }

    /// A request that is answered bit by bit, such as a session or a watch: its end, milliseconds after it began, has an
    /// entry of its own, unless it is still open. Other things go on meanwhile.
    pub(super) fn open(&mut self, entry: Entry, lasts: Option<i64>) {
        let received = self.now + i64::from(self.random.below(900));
        let started = received + 1500 + i64::from(self.random.below(3000));
        let entry = Entry { audit_id: self.uid(), received, ..entry };
        self.entries.push(entry.as_received());
        self.entries.push(Entry { stage: Stage::ResponseStarted, stage_time: started, ..entry.clone() });
        self.entries.extend(lasts.map(|millis| Entry { stage_time: started + millis * 1000, ..entry }));
        self.now = started + 400;
    }

    /// A watch that began `minutes` ago and ends now; its first stages are too old for this log.
    fn end_watch(&mut self, actor: &Actor, object: ObjectRef, minutes: i64) {
        let watch =
            actor.call("watch", object).query("allowWatchBookmarks=true&resourceVersion=3981&watch=true");
        let received = self.now - minutes * 60_000_000;
        let audit_id = self.uid();
        self.entries.push(Entry { audit_id, received, stage_time: self.now, ..watch });
        self.now += 700;
    }

    /// One of the things that go on in any cluster.
    pub(super) fn hum(&mut self) {
        self.wait(350);
        let worker = ["worker-2", "worker-3"][self.hums % 2];
        let kubelet = Actor::kubelet(worker);
        match self.hums % 4 {
            0 => {
                let at =
                    ObjectRef::of_group("coordination.k8s.io", "v1", "leases", "kube-node-lease", worker);
                let uid = SplitMix64::from_text(worker).text(SplitMix64::uuid);
                let lease = ObjectRef { resource_version: self.version.to_string(), ..at.with_uid(&uid) };
                self.send(kubelet.call("update", lease).query("timeout=10s"));
            }
            1 => self.send(Actor::jonas().call("list", ObjectRef::pod("shop", "")).query("limit=500")),
            2 => {
                let manager = Actor::controller("deployment-controller");
                let object = ObjectRef::of_group("apps", "v1", "deployments", "", "");
                self.end_watch(&manager, object, 7);
            }
            _ => {
                let mut node = Object::node(worker);
                self.place(&mut node);
                let beat = object! { "type": "Ready", "lastHeartbeatTime": self.seconds() };
                let patch = object! { "status": object! { "conditions": list![beat] } };
                self.send(
                    kubelet
                        .call("patch", node.at.clone().with_subresource("status"))
                        .body(patch)
                        .answer(200, node.body()),
                );
            }
        }
        self.hums += 1;
    }

    /// Creates the object. `query` is what the client adds, such as its field manager.
    pub(super) fn create(&mut self, actor: &Actor, object: &mut Object, query: &str) {
        let draft = object.draft();
        if object.spec.at(&["priorityClassName"]) != &Json::Null {
            // Admission looks the number up.
            object.spec.set(&["priority"], 100_000);
        }
        object.uid = self.uid();
        object.created = self.seconds();
        self.touch(object);
        let entry = actor.call("create", object.at.clone()).body(draft).answer(201, object.body());
        let entry = if query.is_empty() { entry } else { entry.query(query) };
        // A generated name is in no objectRef: only the answer tells it.
        let named = object.generate_name.is_empty();
        let at = entry.object_ref.clone().map(|at| if named { at } else { at.collection() });
        let entry = Entry { object_ref: at, ..entry };
        self.send(match object.at.group.as_str() {
            "" if object.kind == "Pod" => {
                entry.annotation("pod-security.kubernetes.io/enforce-policy", "privileged:latest")
            }
            _ => entry,
        });
    }

    /// Creates a pod with kubectl, binds it and lets it run.
    pub(super) fn start(&mut self, actor: &Actor, pod: &mut Object) {
        self.create(actor, pod, "fieldManager=kubectl-create&fieldValidation=Strict");
        self.bind(pod);
        self.run(pod);
    }

    /// A controller creates a pod of its template; it is bound and runs.
    pub(super) fn spawn(&mut self, controller: &Actor, pod: &mut Object) {
        self.create(controller, pod, "");
        self.bind(pod);
        self.run(pod);
    }

    /// The scheduler puts the pod on its node.
    pub(super) fn bind(&mut self, pod: &mut Object) {
        pod.bound = true;
        let binding = object! {
            "kind": "Binding",
            "apiVersion": "v1",
            "metadata": object! {
                "name": &pod.at.name, "namespace": &pod.at.namespace, "uid": &pod.uid,
            },
            "target": object! { "kind": "Node", "name": pod.node },
        };
        let at = pod.at.clone().with_subresource("binding").with_uid(&pod.uid);
        self.send(Actor::scheduler().call("create", at).body(binding).succeed(201, None));
    }

    /// The kubelet reports that the pod runs.
    pub(super) fn run(&mut self, pod: &mut Object) {
        self.wait(800);
        let status = object::running(&self.seconds());
        self.report(&Actor::kubelet(pod.node), pod, status);
    }

    /// Somebody patches the pod's status.
    pub(super) fn report(&mut self, actor: &Actor, pod: &mut Object, status: Json) {
        let patch = object! { "metadata": object! { "uid": &pod.uid }, "status": status.clone() };
        pod.status = status;
        self.patch(actor, pod, "status", "", patch);
    }

    /// A patch of the object or a subresource of it, answered with the object as it then is.
    pub(super) fn patch(&mut self, actor: &Actor, object: &mut Object, sub: &str, query: &str, patch: Json) {
        self.touch(object);
        let entry = actor
            .call("patch", object.at.clone().with_subresource(sub))
            .body(patch)
            .answer(200, object.body());
        self.send(if query.is_empty() { entry } else { entry.query(query) });
    }

    /// An update of the object: `objectRef` then holds uid and resource version of the request's body.
    pub(super) fn update(&mut self, actor: &Actor, object: &mut Object, sub: &str) {
        let body = object.body();
        let at = ObjectRef { resource_version: object.resource_version.clone(), ..object.at.clone() };
        let at = at.with_subresource(sub).with_uid(&object.uid);
        self.touch(object);
        self.send(actor.call("update", at).body(body).answer(200, object.body()));
    }

    /// A controller marks the pod as a target of disruption: the patch before its delete.
    pub(super) fn mark(&mut self, actor: &Actor, pod: &mut Object, reason: &str, message: &str) {
        let condition = object! {
            "lastTransitionTime": self.seconds(),
            "message": message,
            "reason": reason,
            "status": "True",
            "type": "DisruptionTarget",
        };
        let patch = object! {
            "metadata": object! { "uid": &pod.uid },
            "status": object! { "conditions": list![condition.clone()] },
        };
        pod.status = object! { "phase": "Running", "conditions": list![condition] };
        self.patch(actor, pod, "status", "", patch);
    }

    /// An eviction through the API, to be answered.
    pub(super) fn eviction(actor: &Actor, pod: &Object) -> Entry {
        let body = object! {
            "kind": "Eviction",
            "apiVersion": "policy/v1",
            "metadata": object! { "name": &pod.at.name, "namespace": &pod.at.namespace },
            "deleteOptions": object! {},
        };
        actor.call("create", pod.at.clone().with_subresource("eviction")).body(body)
    }

    /// The pod is evicted.
    pub(super) fn evict(&mut self, actor: &Actor, pod: &mut Object) {
        let entry = Self::eviction(actor, pod).succeed(201, None);
        self.accept(pod);
        self.send(entry);
    }

    /// The API server itself marks an evicted pod, without an entry of its own.
    pub(super) fn accept(&mut self, pod: &mut Object) {
        let condition = object! {
            "type": "DisruptionTarget",
            "status": "True",
            "lastTransitionTime": self.seconds(),
            "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting",
        };
        pod.status = object! { "phase": "Running", "conditions": list![condition] };
        self.doom(pod, 30);
    }

    /// A disruption budget refuses the eviction.
    pub(super) fn refuse(&mut self, actor: &Actor, pod: &Object, budget: &str) {
        let message = format!("The disruption budget {budget} needs 2 healthy pods and has 2 currently");
        let cause = object! { "reason": "DisruptionBudget", "message": message };
        let entry = Self::eviction(actor, pod).fail(
            429,
            "TooManyRequests",
            "Cannot evict pod as it would violate the pod's disruption budget.",
            Some(object! { "causes": list![cause] }),
        );
        self.send(entry);
    }

    /// The object is to go after `grace` seconds.
    pub(super) fn doom(&mut self, object: &mut Object, grace: i64) {
        object.doom(self.seconds_from_now(grace), grace);
        self.touch(object);
    }

    /// A delete that is answered with the object, which goes after `grace` seconds.
    pub(super) fn delete(&mut self, actor: &Actor, object: &mut Object, options: Json, grace: i64) {
        self.doom(object, grace);
        let entry = actor.call("delete", object.at.clone()).body(options).answer(200, object.body());
        self.send(entry);
    }

    /// A delete that is done at once and answered with a Status that names the uid.
    pub(super) fn delete_at_once(&mut self, actor: &Actor, object: &Object, options: Json) {
        let group = (!object.at.group.is_empty()).then(|| Json::from(&object.at.group));
        let details = object! { "name": &object.at.name }
            .with_some("group", group)
            .with("kind", &object.at.resource)
            .with("uid", &object.uid);
        self.send(actor.call("delete", object.at.clone()).body(options).succeed(200, Some(details)));
    }

    /// A delete of all that the query selects of a collection, answered with the list of what was there.
    pub(super) fn delete_all(
        &mut self,
        actor: &Actor,
        from: ObjectRef,
        query: &str,
        kind: &str,
        items: &[&Object],
    ) {
        let list = object! {
            "kind": format!("{kind}List"),
            "apiVersion": from.api_version(),
            "metadata": object! { "resourceVersion": self.version.to_string() },
            "items": items.iter().map(|item| item.item()).collect::<Vec<_>>(),
        };
        let entry = actor.call("deletecollection", from).body(object::kubectl_options()).answer(200, list);
        self.send(if query.is_empty() { entry } else { entry.query(query) });
    }

    /// The garbage collector's way to delete, with the uid it means.
    pub(super) fn collected(object: &Object) -> Json {
        let preconditions = object! { "uid": &object.uid, "resourceVersion": &object.resource_version };
        object::delete_options().with("preconditions", preconditions).with("propagationPolicy", "Background")
    }

    fn last_options(pod: &Object) -> Json {
        object::delete_options()
            .with("gracePeriodSeconds", 0)
            .with("preconditions", object! { "uid": &pod.uid })
    }

    /// The kubelet has stopped the pod and takes it off the API server.
    pub(super) fn last_words(&mut self, pod: &mut Object) {
        self.wait(1100);
        let options = Self::last_options(pod);
        self.delete(&Actor::kubelet(pod.node), pod, options, 0);
    }

    /// The kubelet comes too late with its last delete.
    pub(super) fn late_words(&mut self, pod: &Object) {
        let message = format!("pods \"{}\" not found", pod.at.name);
        let details = object! { "name": &pod.at.name, "kind": "pods" };
        let entry = Actor::kubelet(pod.node).call("delete", pod.at.clone()).body(Self::last_options(pod));
        self.send(entry.fail(404, "NotFound", &message, Some(details)));
    }

    /// Nobody was authenticated: one entry, stage `ResponseStarted`, user `{}`.
    pub(super) fn refuse_login(&mut self, entry: Entry) {
        self.send(Entry {
            stage: Stage::ResponseStarted,
            user: crate::entry::User::default(),
            status: Some(object! {
                "metadata": object! {}, "status": "Failure", "message": "Unauthorized",
                "reason": "Unauthorized", "code": 401,
            }),
            request_object: None,
            response_object: None,
            annotations: Vec::new(),
            level: Level::RequestResponse,
            ..entry
        });
    }
}
