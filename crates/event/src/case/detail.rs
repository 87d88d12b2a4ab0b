//! What the bodies of one entry tell the rules.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, LazyLock};

use crate::body::{
    Body, Mark, Metadata, OwnerReference, PatchOperation, Reference, Spec, Switch, Taint, json_patch,
};
use crate::event::Event;
use crate::json::Json;
use crate::json::model::Models;

/// An owner of an object, as a body names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) uid: String,
}

/// One object of the list that a deletecollection answers with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Victim {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    /// Whether it was being deleted already.
    pub(crate) terminating: bool,
    pub(crate) owners: Vec<Owner>,
}

/// What the bodies of an entry tell; nothing is kept where there are none, as in most logs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Detail(Option<Box<Told>>);

static NOTHING: LazyLock<Told> = LazyLock::new(Told::default);

/// How bodies are read.
#[derive(Debug, Default)]
pub(crate) struct Reading<'m> {
    /// What they are compared with, where many of them are read.
    pub(crate) models: Option<&'m mut Models>,
    /// Whether nobody asks for any object that a deletecollection answers with.
    pub(crate) passes_victims: bool,
}

impl Detail {
    pub(crate) fn of(event: &Event<'_>, reading: Reading<'_>) -> Self {
        let told = event.response_status.as_ref().and_then(|status| status.details);
        let any = event.request_object.is_some() || event.response_object.is_some() || told.is_some();
        Self(any.then(|| Box::new(Told::of(event, reading))))
    }
}

/// The labels of an object, in the order of the body.
pub(crate) type Labels = Vec<(String, String)>;

impl Detail {
    /// What is kept, if anything is.
    pub(crate) fn told(&self) -> Option<&Told> {
        self.0.as_deref()
    }

    /// The labels, to be shared with other facts.
    pub(crate) fn labels_mut(&mut self) -> Option<&mut Arc<Labels>> {
        self.0.as_mut()?.labels.as_mut()
    }
}

impl Deref for Detail {
    type Target = Told;
    fn deref(&self) -> &Told {
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

impl DerefMut for Detail {
    fn deref_mut(&mut self) -> &mut Told {
        self.0.get_or_insert_default()
    }
}

/// What the object was, became or was asked to become. Everything is absent where no body says it.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent thing that a body says")]
pub(crate) struct Told {
    pub(crate) uid: Option<String>,
    pub(crate) dry_run: bool,
    pub(crate) owners: Vec<Owner>,
    pub(crate) labels: Option<Arc<Labels>>,
    pub(crate) finalizers: Option<Vec<String>>,
    /// Whether the answered object is being deleted.
    pub(crate) terminating: Option<bool>,
    pub(crate) node: Option<String>,
    pub(crate) grace_seconds: Option<i64>,
    /// Whether the request says that the kubelet evicted the pod.
    pub(crate) kubelet_evicted: bool,
    /// `metadata.generation` of the answered object: it rises by one with each change of `spec`.
    pub(crate) generation: Option<i64>,
    /// Replicas after the request; `replicas_asked` says whether the request itself named them.
    pub(crate) replicas: Option<i64>,
    pub(crate) replicas_asked: bool,
    /// A fingerprint of the pod template after the request.
    pub(crate) template: Option<u64>,
    pub(crate) template_asked: bool,
    pub(crate) suspend: Option<bool>,
    /// Whether the request cordons or uncordons a node.
    pub(crate) cordons: Option<bool>,
    /// Whether the request restarts a workload as `kubectl rollout restart` does.
    pub(crate) restarts: bool,
    /// Whether the request approves a certificate signing request.
    pub(crate) approves: bool,
    seldom: Option<Box<Seldom>>,
}

/// What few bodies tell. It takes no room where it is absent, and is only written where there is something to write.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seldom {
    /// The reason of a `DisruptionTarget` condition that the request sets.
    pub(crate) disruption: Option<String>,
    pub(crate) nominated_node: Option<String>,
    /// The `NoExecute` taints that the request sets.
    pub(crate) no_execute: Vec<String>,
    /// The taints that the request sets, and those that the answer shows.
    pub(crate) taints_asked: Option<Vec<String>>,
    pub(crate) taints: Option<Vec<String>>,
    /// Labels and annotations that the request sets, or removes.
    pub(crate) labels_asked: Vec<(String, Option<String>)>,
    pub(crate) annotations_asked: Vec<(String, Option<String>)>,
    /// What a role binding grants, and to whom.
    pub(crate) grants: Option<(String, Vec<String>)>,
    /// Kind and name of what an autoscaler scales.
    pub(crate) scale_target: Option<(String, String)>,
    /// What a deletecollection removed; `None` where the list was not recorded.
    pub(crate) victims: Option<Vec<Victim>>,
    /// A Kubernetes Event: its reason, whom it is about, its text.
    pub(crate) note: Option<(String, String, String)>,
    /// The disruption budget that refused an eviction.
    pub(crate) budget: Option<String>,
}

static NOTHING_SELDOM: LazyLock<Seldom> = LazyLock::new(Seldom::default);

impl Deref for Told {
    type Target = Seldom;
    fn deref(&self) -> &Seldom {
        self.seldom.as_deref().unwrap_or(&NOTHING_SELDOM)
    }
}

impl DerefMut for Told {
    fn deref_mut(&mut self) -> &mut Seldom {
        self.seldom.get_or_insert_default()
    }
}

impl Told {
    /// What few bodies tell, if this one does.
    pub(crate) fn seldom(&self) -> Option<&Seldom> {
        self.seldom.as_deref()
    }

    fn of(event: &Event<'_>, Reading { mut models, passes_victims }: Reading<'_>) -> Self {
        let mut detail = Self::default();
        let mut parse = |raw| match &mut models {
            Some(models) => Body::parse_like(raw, models),
            None => Body::parse(raw),
        };
        if let Some(request) = event.request_object {
            match json_patch(request) {
                Some(operations) => detail.read_json_patch(&operations),
                None => parse(request).iter().for_each(|body| detail.read_request(event, request, body)),
            }
        }
        if let Some(response) = event.response_object.and_then(parse) {
            detail.read_response(event, &response, passes_victims);
        }
        if let Some(details) = event.response_status.as_ref().and_then(|status| status.details) {
            detail.read_status_details(details);
        }
        detail
    }

    fn read_request(&mut self, event: &Event<'_>, raw: Json<'_>, body: &Body<'_>) {
        self.dry_run = body.is_dry_run();
        self.grace_seconds = body.grace_seconds;
        self.uid = some(&body.preconditions.uid).or_else(|| some(&body.metadata.uid));
        self.owners = owners(&body.metadata);
        self.node = some(&body.target.name);
        let spec = body.spec();
        self.read_spec(&spec);
        self.replicas_asked = self.replicas.is_some();
        // The stored template has defaults filled in: only answers are comparable with each other.
        self.template_asked = self.template.take().is_some();
        self.read_node_wishes(&spec);
        self.read_marks(event, raw);
        let restarted =
            |(name, _): &(Cow<'_, str>, Cow<'_, str>)| name == "kubectl.kubernetes.io/restartedAt";
        self.restarts = self.template_asked && body.template_metadata().annotations.iter().any(restarted);
        if !body.role.name.is_empty() {
            let subjects = body.subjects.iter().map(subject_of).collect();
            self.grants = Some((format!("{} {}", body.role.kind, body.role.name), subjects));
        }
        // Only what the request itself says counts as done by it: the answer repeats what others did before.
        let status = body.status();
        let disrupted =
            status.conditions.iter().find(|c| c.name == "DisruptionTarget" && c.status != "False");
        if let Some(condition) = disrupted {
            self.disruption = Some(condition.reason.to_string());
        }
        self.approves = status.conditions.iter().any(|condition| condition.name == "Approved");
        self.kubelet_evicted = status.phase == "Failed" && status.reason == "Evicted";
        if !status.nominated_node.is_empty() {
            self.nominated_node = Some(status.nominated_node.to_string());
        }
        if event.object_ref.as_ref().is_some_and(|object| object.resource == "events") {
            self.note =
                Some((body.reason.to_string(), body.regarding.name.to_string(), body.note.to_string()));
        }
    }

    fn read_node_wishes(&mut self, spec: &Spec<'_>) {
        self.cordons = match spec.unschedulable {
            Switch::Alone => None,
            Switch::On => Some(true),
            Switch::Off => Some(false),
        };
        if self.taints.is_some() {
            self.taints_asked = self.taints.take();
            let no_execute = spec.taints.iter().flatten().filter(|taint| taint.effect == "NoExecute");
            self.no_execute = no_execute.map(ToString::to_string).collect();
        }
    }

    /// What a patch or an update asks of labels and annotations; of a create they are no change.
    fn read_marks(&mut self, event: &Event<'_>, raw: Json<'_>) {
        if event.verb == "create" {
            return;
        }
        let marks = Body::marks(raw);
        let owned = |marks: &[(Cow<'_, str>, Mark<'_>)]| {
            let value = |mark: &Mark<'_>| mark.0.as_ref().map(ToString::to_string);
            marks.iter().map(|(name, mark)| (name.to_string(), value(mark))).collect()
        };
        if !(marks.labels.is_empty() && marks.annotations.is_empty()) {
            self.labels_asked = owned(&marks.labels);
            self.annotations_asked = owned(&marks.annotations);
        }
    }

    fn read_json_patch(&mut self, operations: &[PatchOperation<'_>]) {
        for operation in operations {
            let value = operation.value.map_or("null", Json::get);
            match operation.path.as_ref() {
                "/spec/replicas" => {
                    self.replicas = value.parse().ok();
                    self.replicas_asked = true;
                }
                "/spec/suspend" => self.suspend = value.parse().ok(),
                "/spec/unschedulable" => self.cordons = Some(value == "true"),
                path if path.starts_with("/spec/template") => self.template_asked = true,
                path if path.starts_with("/spec/taints") => self.read_patched_taints(path, value),
                path => self.read_patched_mark(path, operation),
            }
        }
    }

    /// Taints that a JSON patch sets: all of them, or one among others that it does not name.
    fn read_patched_taints(&mut self, path: &str, value: &str) {
        let all: Option<Vec<Taint<'_>>> = serde_json::from_str(value).ok();
        let one: Option<Taint<'_>> = serde_json::from_str(value).ok();
        let set = all.as_ref().map_or_else(|| one.iter().collect(), |all| all.iter().collect::<Vec<_>>());
        let no_execute = set.iter().filter(|taint| taint.effect == "NoExecute");
        self.no_execute.extend(no_execute.map(ToString::to_string));
        if path == "/spec/taints" {
            self.taints_asked = Some(set.iter().map(ToString::to_string).collect());
        }
    }

    /// A label or annotation that a JSON patch sets or removes.
    fn read_patched_mark(&mut self, path: &str, operation: &PatchOperation<'_>) {
        let value = operation.value.and_then(|value| serde_json::from_str(value.get()).ok());
        let value = value.filter(|_| operation.op != "remove");
        // In a JSON pointer `~1` stands for `/` and `~0` for `~`.
        let name = |escaped: &str| escaped.replace("~1", "/").replace("~0", "~");
        if let Some(label) = path.strip_prefix("/metadata/labels/") {
            self.labels_asked.push((name(label), value));
        } else if let Some(annotation) = path.strip_prefix("/metadata/annotations/") {
            self.annotations_asked.push((name(annotation), value));
        }
    }

    fn read_spec(&mut self, spec: &Spec<'_>) {
        self.node = some(&spec.node_name).or_else(|| self.node.take());
        self.replicas = spec.replicas.or(self.replicas);
        self.template = spec.template.map(fingerprint).or(self.template);
        self.suspend = spec.suspend.or(self.suspend);
        let target = &spec.scale_target;
        if !target.name.is_empty() {
            self.scale_target = Some((target.kind.to_string(), target.name.to_string()));
        }
        if let Some(taints) = &spec.taints {
            self.taints = Some(taints.iter().map(ToString::to_string).collect());
        }
    }

    fn read_response(&mut self, event: &Event<'_>, body: &Body<'_>, passes_victims: bool) {
        if body.kind == "Status" {
            return;
        }
        if event.verb == "deletecollection" {
            self.victims = if passes_victims {
                body.is_list().then(Vec::new)
            } else {
                body.items().map(|items| items.flatten().map(|item| victim(&item)).collect())
            };
            return;
        }
        let metadata = &body.metadata;
        self.uid = self.uid.take().or_else(|| some(&metadata.uid));
        self.owners = if metadata.owner_references.is_empty() {
            std::mem::take(&mut self.owners)
        } else {
            owners(metadata)
        };
        let labels: Labels = metadata.labels.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        self.labels = Some(Arc::new(labels));
        self.generation = metadata.generation;
        self.finalizers = Some(metadata.finalizers.iter().map(ToString::to_string).collect());
        self.terminating = Some(!metadata.deletion_timestamp.is_empty());
        self.read_spec(&body.spec());
        if body.kind == "Node" && self.taints.is_none() {
            // The whole node is shown: it has none.
            self.taints = Some(Vec::new());
        }
    }

    fn read_status_details(&mut self, raw: Json<'_>) {
        #[derive(serde::Deserialize, Default)]
        #[serde(default)]
        struct Details {
            uid: Option<String>,
            causes: Option<Vec<DetailCause>>,
        }
        #[derive(serde::Deserialize, Default)]
        #[serde(default)]
        struct DetailCause {
            reason: Option<String>,
            message: Option<String>,
        }
        let Ok(details) = serde_json::from_str::<Details>(raw.get()) else { return };
        self.uid = self.uid.take().or(details.uid);
        let budget = details.causes.unwrap_or_default().into_iter();
        let mut budget = budget.filter(|cause| cause.reason.as_deref() == Some("DisruptionBudget"));
        if let Some(name) = budget.next().and_then(|cause| budget_name(&cause.message?)) {
            self.budget = Some(name);
        }
    }
}

/// `The disruption budget guard needs 1 healthy pods and has 1 currently`: the words around the name are those of
/// [eviction.go](https://github.com/kubernetes/kubernetes/blob/master/pkg/registry/core/pod/storage/eviction.go).
fn budget_name(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("disruption budget ")?;
    rest.split_whitespace().next().map(str::to_owned)
}

fn victim(item: &Body<'_>) -> Victim {
    Victim {
        namespace: item.metadata.namespace.to_string(),
        name: item.metadata.name.to_string(),
        uid: item.metadata.uid.to_string(),
        terminating: !item.metadata.deletion_timestamp.is_empty(),
        owners: owners(&item.metadata),
    }
}

/// The owners, the managing one first. A reference that a patch takes away has a uid and no name.
fn owners(metadata: &Metadata<'_>) -> Vec<Owner> {
    let is_named = |owner: &&OwnerReference<'_>| !owner.kind.is_empty() && !owner.name.is_empty();
    let mut references: Vec<&OwnerReference<'_>> =
        metadata.owner_references.iter().filter(is_named).collect();
    references.sort_by_key(|owner| owner.controller != Some(true));
    let owner = |reference: &OwnerReference<'_>| Owner {
        kind: reference.kind.to_string(),
        name: reference.name.to_string(),
        uid: reference.uid.to_string(),
    };
    references.into_iter().map(owner).collect()
}

/// `user bob`, `serviceaccount ops/ci`.
fn subject_of(subject: &Reference<'_>) -> String {
    let namespace =
        if subject.namespace.is_empty() { String::new() } else { format!("{}/", subject.namespace) };
    format!("{} {namespace}{}", subject.kind.to_ascii_lowercase(), subject.name)
}

fn fingerprint(template: Json<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    template.get().hash(&mut hasher);
    hasher.finish()
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
