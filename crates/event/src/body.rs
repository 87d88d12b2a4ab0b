//! What the questions need to know from request and response bodies.
//!
//! A body is any Kubernetes object, options of a request, or a patch. Only the parts that rules look at are read, and
//! each part on its own: a custom resource may have anything below `spec`.

use std::borrow::Cow;
use std::fmt;

use crate::decode::elements;
use crate::json::Json;
use crate::json::model::Models;
use crate::plain::{self, Plain};
use crate::wire::{Flag, Int, List, Pairs, Str, Strs, lenient};

/// A request's or response's body.
#[derive(Clone, Debug, Default)]
pub struct Body<'a> {
    /// Kind, as the body says.
    pub kind: Cow<'a, str>,
    /// Object metadata.
    pub metadata: Metadata<'a>,
    spec: Option<Json<'a>>,
    status: Option<Json<'a>>,
    items: Option<Json<'a>>,
    /// `DeleteOptions.gracePeriodSeconds`.
    pub grace_seconds: Option<i64>,
    /// `DeleteOptions.preconditions`.
    pub preconditions: Preconditions<'a>,
    /// `DeleteOptions.dryRun`.
    pub dry_run: Vec<Cow<'a, str>>,
    /// `Eviction.deleteOptions`.
    pub delete_options: Option<Box<Body<'a>>>,
    /// `Binding.target.name`: the node.
    pub target: Reference<'a>,
    /// The reason of a Kubernetes Event.
    pub reason: Cow<'a, str>,
    /// The text of a Kubernetes Event: `note` (events.k8s.io) or `message` (core).
    pub note: Cow<'a, str>,
    /// What a role binding binds.
    pub role: Reference<'a>,
    /// Whom a role binding binds it to.
    pub subjects: Vec<Reference<'a>>,
    /// What a Kubernetes Event is about: `regarding` (events.k8s.io) or `involvedObject` (core).
    pub regarding: Reference<'a>,
}
lenient!(Body<'a> {
    "kind" => kind: Str<'de>,
    "metadata" => metadata: Metadata<'de>,
    "spec" => spec: Option<Json<'de>>,
    "status" => status: Option<Json<'de>>,
    "items" => items: Option<Json<'de>>,
    "gracePeriodSeconds" => grace_seconds: Int,
    "preconditions" => preconditions: Preconditions<'de>,
    "dryRun" => dry_run: Strs<'de>,
    "deleteOptions" => delete_options: Option<Box<Body<'de>>>,
    "target" => target: Reference<'de>,
    "reason" => reason: Str<'de>,
    "note" => note: Str<'de>,
    "message" => note: Str<'de>,
    "roleRef" => role: Reference<'de>,
    "subjects" => subjects: List<Reference<'de>>,
    "regarding" => regarding: Reference<'de>,
    "involvedObject" => regarding: Reference<'de>,
});

/// `metadata` of an object.
#[derive(Clone, Debug, Default)]
pub struct Metadata<'a> {
    /// Name.
    pub name: Cow<'a, str>,
    /// Namespace.
    pub namespace: Cow<'a, str>,
    /// Identity of the incarnation.
    pub uid: Cow<'a, str>,
    /// Rises with each change of `spec`.
    pub generation: Option<i64>,
    /// Set once the object is being deleted.
    pub deletion_timestamp: Cow<'a, str>,
    /// Labels.
    pub labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Annotations.
    pub annotations: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// What must be done before the object may go.
    pub finalizers: Vec<Cow<'a, str>>,
    /// Owners.
    pub owner_references: Vec<OwnerReference<'a>>,
}
lenient!(Metadata<'a> {
    "name" => name: Str<'de>,
    "namespace" => namespace: Str<'de>,
    "uid" => uid: Str<'de>,
    "generation" => generation: Int,
    "deletionTimestamp" => deletion_timestamp: Str<'de>,
    "labels" => labels: Pairs<'de, Str<'de>>,
    "annotations" => annotations: Pairs<'de, Str<'de>>,
    "finalizers" => finalizers: Strs<'de>,
    "ownerReferences" => owner_references: List<OwnerReference<'de>>,
});

/// What an object calls itself.
#[derive(Debug, Default)]
struct Name<'a> {
    name: Cow<'a, str>,
}
lenient!(Name<'a> { "name" => name: Str<'de> });

#[derive(Debug, Default)]
struct Named<'a> {
    metadata: Name<'a>,
}
lenient!(Named<'a> { ["kind", "apiVersion"], "metadata" => metadata: Name<'de> });

/// The name in an object's `metadata`, read without all the rest of the body; empty if it tells none, `None` if it is no object.
pub(crate) fn name(raw: Json<'_>) -> Option<Cow<'_, str>> {
    plain::read::<Named<'_>>(raw.get()).ok().map(|named| named.metadata.name)
}

/// One owner of an object.
#[derive(Clone, Debug, Default)]
pub struct OwnerReference<'a> {
    /// Group and version.
    pub api_version: Cow<'a, str>,
    /// Kind.
    pub kind: Cow<'a, str>,
    /// Name, in the object's own namespace or without one.
    pub name: Cow<'a, str>,
    /// Identity.
    pub uid: Cow<'a, str>,
    /// Whether this owner manages the object.
    pub controller: Option<bool>,
}
lenient!(OwnerReference<'a> {
    "apiVersion" => api_version: Str<'de>,
    "kind" => kind: Str<'de>,
    "name" => name: Str<'de>,
    "uid" => uid: Str<'de>,
    "controller" => controller: Flag,
});

/// `preconditions` of a delete.
#[derive(Clone, Debug, Default)]
pub struct Preconditions<'a> {
    /// The only incarnation that may be deleted.
    pub uid: Cow<'a, str>,
}
lenient!(Preconditions<'a> { "uid" => uid: Str<'de> });

/// A reference to another object.
#[derive(Clone, Debug, Default)]
pub struct Reference<'a> {
    /// Kind.
    pub kind: Cow<'a, str>,
    /// Namespace.
    pub namespace: Cow<'a, str>,
    /// Name.
    pub name: Cow<'a, str>,
    /// Identity.
    pub uid: Cow<'a, str>,
}
lenient!(Reference<'a> {
    "kind" => kind: Str<'de>,
    "namespace" => namespace: Str<'de>,
    "name" => name: Str<'de>,
    "uid" => uid: Str<'de>,
});

/// The parts of a `spec` that rules look at, of pods, nodes, workloads and autoscalers alike.
#[derive(Clone, Debug, Default)]
pub struct Spec<'a> {
    /// The node a pod runs on.
    pub node_name: Cow<'a, str>,
    /// How many pods are wanted.
    pub replicas: Option<i64>,
    /// Whether a job or cron job is suspended.
    pub suspend: Option<bool>,
    /// The pod template, unparsed.
    pub template: Option<Json<'a>>,
    /// A node's taints; `None` where they are not mentioned.
    pub taints: Option<Vec<Taint<'a>>>,
    /// Whether a node is cordoned.
    pub unschedulable: Switch,
    /// What an autoscaler scales.
    pub scale_target: Reference<'a>,
}
lenient!(Spec<'a> {
    "nodeName" => node_name: Str<'de>,
    "replicas" => replicas: Int,
    "suspend" => suspend: Flag,
    "template" => template: Option<Json<'de>>,
    "taints" => taints: OptionalTaints<'de>,
    "unschedulable" => unschedulable: Switch,
    "scaleTargetRef" => scale_target: Reference<'de>,
});

/// A truth value that a patch may set, unset or leave alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Switch {
    /// Not mentioned.
    #[default]
    Alone,
    /// True.
    On,
    /// False or null.
    Off,
}

impl<'de> serde::Deserialize<'de> for Switch {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Flag::deserialize(deserializer).map(|flag| if flag.0 == Some(true) { Self::On } else { Self::Off })
    }
}

impl Plain<'_> for Switch {}

/// What a request asks an object's labels and annotations to be; `None` as a value removes one.
#[derive(Clone, Debug, Default)]
pub struct Marks<'a> {
    /// Labels.
    pub labels: Vec<(Cow<'a, str>, Mark<'a>)>,
    /// Annotations.
    pub annotations: Vec<(Cow<'a, str>, Mark<'a>)>,
}
lenient!(Marks<'a> {
    "labels" => labels: Pairs<'de, Mark<'de>>,
    "annotations" => annotations: Pairs<'de, Mark<'de>>,
});

/// The value of a label or annotation; `None` removes it.
#[derive(Clone, Debug, Default)]
pub struct Mark<'a>(pub Option<Cow<'a, str>>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Mark<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<Str<'de>>::deserialize(deserializer).map(|value| Self(value.map(Into::into)))
    }
}

impl<'a> Plain<'a> for Mark<'a> {}

/// A taint of a node.
#[derive(Clone, Debug, Default)]
pub struct Taint<'a> {
    /// Key.
    pub key: Cow<'a, str>,
    /// Value, empty for none.
    pub value: Cow<'a, str>,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: Cow<'a, str>,
}
lenient!(Taint<'a> { "key" => key: Str<'de>, "value" => value: Str<'de>, "effect" => effect: Str<'de> });

/// `maintenance=yes:NoExecute`, as `kubectl taint` takes it.
impl fmt::Display for Taint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value.as_ref() {
            "" => write!(f, "{}:{}", self.key, self.effect),
            value => write!(f, "{}={value}:{}", self.key, self.effect),
        }
    }
}

/// Taints that are there, or are null, which removes them.
struct OptionalTaints<'a>(Vec<Taint<'a>>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for OptionalTaints<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        List::<Taint<'de>>::deserialize(deserializer).map(|taints| Self(taints.0))
    }
}

impl<'a> Plain<'a> for OptionalTaints<'a> {}

impl<'a> From<OptionalTaints<'a>> for Option<Vec<Taint<'a>>> {
    fn from(taints: OptionalTaints<'a>) -> Self {
        Some(taints.0)
    }
}

/// The parts of a `status` that rules look at.
#[derive(Clone, Debug, Default)]
pub struct Status<'a> {
    /// A pod's phase.
    pub phase: Cow<'a, str>,
    /// Why a pod is in that phase.
    pub reason: Cow<'a, str>,
    /// The same for humans.
    pub message: Cow<'a, str>,
    /// Where the scheduler wants to make room for a pod.
    pub nominated_node: Cow<'a, str>,
    /// Conditions.
    pub conditions: Vec<Condition<'a>>,
}
lenient!(Status<'a> {
    "phase" => phase: Str<'de>,
    "reason" => reason: Str<'de>,
    "message" => message: Str<'de>,
    "nominatedNodeName" => nominated_node: Str<'de>,
    "conditions" => conditions: List<Condition<'de>>,
});

/// One condition of a status.
#[derive(Clone, Debug, Default)]
pub struct Condition<'a> {
    /// What it is about.
    pub name: Cow<'a, str>,
    /// `True`, `False` or `Unknown`.
    pub status: Cow<'a, str>,
    /// Why.
    pub reason: Cow<'a, str>,
}
lenient!(Condition<'a> {
    "type" => name: Str<'de>,
    "status" => status: Str<'de>,
    "reason" => reason: Str<'de>,
});

/// One operation of a JSON patch ([RFC 6902](https://www.rfc-editor.org/rfc/rfc6902)).
#[derive(Clone, Debug, Default)]
pub struct PatchOperation<'a> {
    /// `add`, `replace`, `remove`, …
    pub op: Cow<'a, str>,
    /// JSON pointer.
    pub path: Cow<'a, str>,
    /// The new value, unparsed.
    pub value: Option<Json<'a>>,
}
lenient!(PatchOperation<'a> {
    "op" => op: Str<'de>,
    "path" => path: Str<'de>,
    "value" => value: Option<Json<'de>>,
});

impl<'a> Body<'a> {
    /// What a body asks labels and annotations to be.
    pub fn marks(raw: Json<'a>) -> Marks<'a> {
        #[derive(Default)]
        struct Marked<'a> {
            metadata: Marks<'a>,
        }
        lenient!(Marked<'a> { "metadata" => metadata: Marks<'de> });
        plain::read::<Marked<'a>>(raw.get()).map(|marked| marked.metadata).unwrap_or_default()
    }

    /// Reads a body; `None` if it is no JSON object that can be read.
    pub fn parse(raw: Json<'a>) -> Option<Self> {
        plain::read(raw.get()).ok()
    }

    /// The same; what nobody looks into is compared with what stood in other bodies.
    pub(crate) fn parse_like(raw: Json<'a>, models: &mut Models) -> Option<Self> {
        plain::read_like(raw.get(), models).ok()
    }

    /// `spec`, empty if it is absent or of another shape.
    pub fn spec(&self) -> Spec<'a> {
        self.spec.and_then(|raw| plain::read(raw.get()).ok()).unwrap_or_default()
    }

    /// The metadata of the pod template in `spec`, empty if there is none.
    pub fn template_metadata(&self) -> Metadata<'a> {
        let template = self.spec().template.and_then(Self::parse);
        template.map(|template| template.metadata).unwrap_or_default()
    }

    /// `status`, empty if it is absent or of another shape.
    pub fn status(&self) -> Status<'a> {
        self.status.and_then(|raw| plain::read(raw.get()).ok()).unwrap_or_default()
    }

    /// The objects of a list; `None` if this is no list.
    pub fn items(&self) -> Option<impl Iterator<Item = Option<Body<'a>>>> {
        self.items.map(|items| elements(items).into_iter().map(Self::parse))
    }

    /// Whether this is a list, as [`items`](Self::items) tells.
    pub(crate) const fn is_list(&self) -> bool {
        self.items.is_some()
    }

    /// Whether this asks for a dry run, of a delete or of an eviction.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run.iter().any(|value| value == "All")
            || self
                .delete_options
                .as_ref()
                .is_some_and(|options| options.dry_run.iter().any(|value| value == "All"))
    }
}

/// Reads a JSON patch; `None` if the body is none.
pub fn json_patch(raw: Json<'_>) -> Option<Vec<PatchOperation<'_>>> {
    if !raw.get().starts_with('[') {
        return None;
    }
    Some(plain::read::<List<PatchOperation<'_>>>(raw.get()).ok()?.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A body with some of the keys that are read, and of those that nobody looks into.
    fn body() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            4 => "\"(kind|reason)\":\"[ab]{0,3}\"",
            4 => r#""metadata":\{"name":"[ab]{1,9}","managedFields":\[(\{"manager":"[ab]{0,40}","f":\{\}\},?){1,3}\]\}"#,
            4 => r#""spec":\{"containers":\[\{"image":"[ab]{0,40}"(,"ports":\[1,2\])?\}\],"nodeName":"[ab]{0,9}"\}"#,
            4 => r#""status":\{"phase":"[ab]{0,40}","podIPs":\[(\{"ip":"1"\})?\]\}"#,
            2 => r#""other":(\[1,"[ab]{0,40}"\]|\{"a":null,"b":"[ab]{0,40}"\}|7)"#,
            1 => r#""(spec|items|metadata)":(7|null|\[\]|\[1,\]|\{"a"\}|"x")"#,
        ];
        let parts = proptest::collection::vec(part, 0..6);
        (parts, "(\\}| ?\\} |\\}x|)").prop_map(|(parts, end)| format!("{{{}{end}", parts.join(",")))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        /// What nobody looks into is passed as it is where no body came before.
        #[test]
        fn bodies_are_read_as_if_each_was_alone(bodies in proptest::collection::vec(body(), 1..30)) {
            let mut models = Models::default();
            for body in &bodies {
                let read = Body::parse_like(Json::checked(body), &mut models);
                let alone = serde_json::from_str::<Body<'_>>(body).ok();
                prop_assert_eq!(format!("{read:?}"), format!("{alone:?}"));
            }
        }
    }
}
