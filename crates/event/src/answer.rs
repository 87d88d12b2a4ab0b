//! What a question gets back: answers with their causes and their evidence.
//!
//! The shape is a contract (`audit-who/v1`, see `docs/answer.md`): fields are added, never renamed or dropped.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::time::Timestamp;

/// The `apiVersion` of everything that is printed as JSON or YAML.
pub const API_VERSION: &str = "audit-who/v1";

/// One thing that happened, or was tried, to one object.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The question's name, as in the table of questions.
    pub question: &'static str,
    /// What it happened to.
    pub object: Object,
    /// What came of it.
    pub outcome: Outcome,
    /// How it was done; `None` for questions that know only one way.
    pub mechanism: Option<Mechanism>,
    /// Whether entries state it or rules infer it.
    pub certainty: Certainty,
    /// When the deciding request was answered; of a session (`exec` and the like), when it came in.
    pub time: Option<Timestamp>,
    /// Who sent the deciding request; `None` where these files don't say.
    pub actor: Option<Arc<Actor>>,
    /// The root cause; `None` where the actor is the root, or the root is not known.
    pub cause: Option<Arc<Cause>>,
    /// The links from the actor to the root cause, nearest first; its last link is `cause`.
    pub chain: Vec<Arc<Cause>>,
    /// Who had the token minted that the actor used, where it was one and its request is in these files.
    pub token_minted: Option<Arc<Cause>>,
    /// Requests for the same thing that did not do it.
    pub attempts: Attempts,
    /// The answer as one English sentence, without its time. Holds text from the log as it is: not for a terminal.
    pub text: String,
    /// What to know before relying on the answer: rules that were applied, and what they can't exclude.
    pub notes: Vec<String>,
    /// The entries that prove it, the deciding one first.
    pub evidence: Vec<Evidence>,
}

/// A Kubernetes object, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    /// API group, empty for the core group.
    pub api_group: String,
    /// Plural resource name, such as `pods`.
    pub resource: String,
    /// Namespace; `None` for what has none.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// The incarnation, where a body or a reference told it.
    pub uid: Option<String>,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was done.
    Succeeded,
    /// Refused by a disruption budget (429).
    Blocked,
    /// Refused by authentication or authorization (401, 403).
    Denied,
    /// Any other error.
    Failed,
    /// Asked for with `dryRun=All`: nothing was changed.
    DryRun,
    /// Accepted, but nothing that must follow did.
    Unconfirmed,
    /// It happened, but no entry in these files says who asked for it.
    Unknown,
}

/// How an object went, or what else was done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    /// `create pods/eviction`.
    EvictionApi,
    /// The scheduler made room for a pod of higher priority.
    Preemption,
    /// A `NoExecute` taint.
    Taint,
    /// The kubelet ran short of memory, disk or PIDs.
    NodePressure,
    /// A request to delete this object.
    Delete,
    /// A request to delete a collection that held it.
    DeleteCollection,
    /// Its owner needed fewer.
    ScaleDown,
    /// Its owner replaced it with another version.
    Rollout,
    /// Its owner was deleted.
    OwnerGc,
    /// Its namespace was deleted.
    NamespaceDeletion,
    /// Its node was gone, or too many pods had terminated.
    PodGc,
    /// `ttlSecondsAfterFinished` ran out.
    JobTtl,
    /// The cron job keeps only so many finished jobs.
    CronjobHistory,
    /// Its last finalizer was removed after a delete.
    Finalizer,
}

/// Whether entries state a thing or rules infer it. The two are never mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// An entry states it.
    Recorded,
    /// Times, names or owners say so, by a rule named in `docs/rules.md`.
    Inferred,
}

/// Who sent a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// The authenticated user: the real one, also where somebody else is impersonated.
    pub username: String,
    /// The groups of that user.
    pub groups: Vec<String>,
    /// Whom the user acted as.
    pub impersonated: Option<Identity>,
    /// The program, told from `userAgent`: the client's own word.
    pub client: Option<String>,
    /// The `User-Agent` header as recorded: the client's own word.
    pub user_agent: Option<String>,
    /// Addresses the request came through; all but the last are the client's own word.
    #[serde(rename = "sourceIPs")]
    pub source_ips: Vec<String>,
    /// The credential, such as `X509SHA256=…` or `JTI=…`.
    pub credential: Option<String>,
    /// The pod whose service account token it was, as `namespace/name`.
    pub pod: Option<String>,
    /// The node that pod ran on.
    pub node: Option<String>,
    /// The AWS identity behind an EKS user: its ARN.
    pub arn: Option<String>,
    /// The name of the AWS session.
    pub session: Option<String>,
    /// Who sets the fields, from `fieldManager` in the request: the client's own word.
    pub field_manager: Option<String>,
}

/// A user name with its groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// User name.
    pub username: String,
    /// Groups.
    pub groups: Vec<String>,
}

/// One link between what happened and who brought it about.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// Who.
    pub actor: Arc<Actor>,
    /// What they did, such as `scaled deployment apps/web from 3 to 1`. Holds text from the log as it is.
    pub action: String,
    /// When.
    pub time: Option<Timestamp>,
    /// Whether the link is stated by entries or inferred from them.
    pub certainty: Certainty,
    /// The entries that prove it.
    pub evidence: Vec<Evidence>,
    /// The link behind this one; always `None` in `Answer::cause`, which is the root.
    pub cause: Option<Box<Cause>>,
}

/// How often a thing was tried without effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempts {
    /// Refused by a disruption budget.
    pub blocked: u64,
    /// Refused by authentication or authorization.
    pub denied: u64,
    /// Other errors.
    pub failed: u64,
    /// Dry runs.
    pub dry_run: u64,
}

/// One entry that proves a claim, and where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The file, as it was named or found; `-` for standard input.
    pub source: String,
    /// Bytes from the start of the (decompressed) content.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// The entry's `auditID`: the client may have chosen it.
    #[serde(rename = "auditID")]
    pub audit_id: String,
    /// The entry's stage.
    pub stage: String,
    /// SHA-256 of its bytes, in hexadecimal digits; `None` where they were not read again.
    pub sha256: Option<String>,
}

impl Answer {
    /// Changes all entries that the answer rests on, those of its causes among them.
    pub fn change_evidence(&mut self, change: &mut impl FnMut(&mut Evidence)) {
        self.evidence.iter_mut().for_each(&mut *change);
        let causes = self.chain.iter_mut().chain(&mut self.cause).chain(&mut self.token_minted);
        for cause in causes {
            let mut cause = Arc::make_mut(cause);
            loop {
                cause.evidence.iter_mut().for_each(&mut *change);
                let Some(next) = cause.cause.as_deref_mut() else { break };
                cause = next;
            }
        }
    }
}

/// Writes the name that serde gives to a unit variant.
macro_rules! display_as_serialized {
    ($($type:ty),*) => {$(
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.serialize(f)
            }
        }
    )*};
}
display_as_serialized!(Outcome, Mechanism, Certainty);

/// Wraps a value so that it is written with its `apiVersion` and `kind`, as on a line of `-o json`.
#[derive(Debug)]
pub struct Envelope<'a, T> {
    kind: &'static str,
    value: &'a T,
}

impl<'a, T: Serialize> Envelope<'a, T> {
    /// Gives `value` the kind `kind`.
    pub const fn new(kind: &'static str, value: &'a T) -> Self {
        Self { kind, value }
    }
}

impl<T: Serialize> Serialize for Envelope<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Tagged<'a, T> {
            api_version: &'static str,
            kind: &'static str,
            #[serde(flatten)]
            value: &'a T,
        }
        Tagged { api_version: API_VERSION, kind: self.kind, value: self.value }.serialize(serializer)
    }
}
