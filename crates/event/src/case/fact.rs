//! What one entry says about one object, kept after its line is gone.

use std::borrow::Cow;
use std::sync::Arc;

use crate::answer::{Actor, Answer, Attempts, Certainty, Object, Outcome};
use crate::case::controllers::Component;
use crate::case::detail::{Detail, Reading};
use crate::event::Event;
use crate::filter::{ISSUED_CREDENTIAL, Request};
use crate::fold::Address;
use crate::json::Json;
use crate::long_running::SWITCHING_PROTOCOLS;
use crate::subject::Key;
use crate::time::Timestamp;
use crate::uri;

/// One entry that matters to a case.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says another thing of the entry")]
pub(crate) struct Fact {
    pub(crate) address: Address,
    pub(crate) audit_id: String,
    pub(crate) stage: Cow<'static, str>,
    /// When the request was answered.
    pub(crate) time: Timestamp,
    /// Whether the entry says so; if not, it is when the request came in.
    pub(crate) is_dated: bool,
    /// When it came in.
    pub(crate) received: Timestamp,
    pub(crate) verb: Cow<'static, str>,
    pub(crate) key: Arc<Key>,
    /// The number of the object, once it has one.
    pub(crate) object: Option<usize>,
    pub(crate) subresource: Cow<'static, str>,
    pub(crate) uid: Option<String>,
    pub(crate) code: u16,
    pub(crate) message: String,
    pub(crate) actor: Arc<Actor>,
    pub(crate) component: Option<Component>,
    pub(crate) uri: String,
    pub(crate) dry_run: bool,
    /// The credential that a token request issued.
    pub(crate) issued: Option<String>,
    /// Request and response bodies, where the question compares them.
    pub(crate) bodies: Option<Box<Bodies>>,
    /// Whether the request's body would be here if there was one.
    pub(crate) body_recorded: bool,
    pub(crate) salvaged: bool,
    /// Whether the request is one of those that answers are wanted of.
    pub(crate) selected: bool,
    pub(crate) detail: Detail,
}

/// Stages, verbs and subresources that nearly every entry has.
const WORDS: &[&str] = &[
    "",
    "ResponseComplete",
    "ResponseStarted",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "get",
    "list",
    "watch",
    "status",
    "binding",
    "eviction",
    "scale",
];

/// Longer bodies are not compared, in bytes.
const LONGEST_BODY: usize = 512 * 1024;

/// The bodies of a request, as they were recorded.
#[derive(Clone, Debug)]
pub(crate) struct Bodies {
    pub(crate) request: Option<String>,
    pub(crate) response: Option<String>,
}

impl Bodies {
    pub(crate) fn of(event: &Event<'_>) -> Self {
        let short = |body: Option<Json<'_>>| {
            body.map(Json::get).filter(|body| body.len() <= LONGEST_BODY).map(str::to_owned)
        };
        Self { request: short(event.request_object), response: short(event.response_object) }
    }
}

impl Fact {
    /// Takes from an event what rules look at; of bodies only the parts they know.
    pub(crate) fn of(
        event: &Event<'_>,
        key: Arc<Key>,
        address: Address,
        actor: Arc<Actor>,
        reading: Reading<'_>,
    ) -> Self {
        let detail = Detail::of(event, reading);
        let received = event.received.or(event.stage_time).unwrap_or_default();
        let reference_uid =
            event.object_ref.as_ref().map(|object| object.uid.as_ref()).filter(|uid| !uid.is_empty());
        Self {
            address,
            audit_id: event.audit_id.to_string(),
            stage: word(&event.stage),
            time: event.stage_time.unwrap_or(received),
            is_dated: event.stage_time.is_some(),
            received,
            verb: word(&event.verb),
            key,
            object: None,
            subresource: event
                .object_ref
                .as_ref()
                .map_or(Cow::Borrowed(""), |object| word(&object.subresource)),
            uid: reference_uid.map(str::to_owned).or_else(|| detail.uid.clone()),
            code: event.code(),
            message: event
                .response_status
                .as_ref()
                .map_or_else(String::new, |status| status.message.to_string()),
            component: Component::of(&actor),
            actor,
            uri: event.request_uri.to_string(),
            dry_run: detail.dry_run || uri::params(&event.request_uri, "dryRun").any(|value| value == "All"),
            issued: event.annotation(ISSUED_CREDENTIAL).map(str::to_owned),
            bodies: None,
            body_recorded: event.level.starts_with("Request") && !event.is_truncated(),
            salvaged: event.salvaged,
            selected: false,
            detail,
        }
    }

    /// When it counts as done. A session ends when somebody leaves; what counts is when they came in.
    pub(crate) fn counts_at(&self) -> Timestamp {
        if self.code == SWITCHING_PROTOCOLS { self.received } else { self.time }
    }

    /// Whether the request was carried out (a dry run was not).
    pub(crate) fn succeeded(&self) -> bool {
        self.is_accepted() && !self.dry_run
    }

    /// Whether the answer was a success, be it to a dry run.
    pub(crate) fn is_accepted(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Whether the request is `verb` on the object itself.
    pub(crate) fn is(&self, verb: &str) -> bool {
        self.verb == verb && self.subresource.is_empty()
    }

    /// Whether the request changes the object's own fields (or its scale), not its status.
    pub(crate) fn is_change(&self) -> bool {
        matches!(self.verb.as_ref(), "create" | "update" | "patch")
            && matches!(self.subresource.as_ref(), "" | "scale")
    }

    /// Whether no other change of `spec` lies between an earlier entry about the object and this one.
    pub(crate) fn is_next_after(&self, earlier: &Self) -> bool {
        let generations = earlier.detail.generation.zip(self.detail.generation);
        generations.is_some_and(|(before, after)| after - before <= 1)
    }

    /// Whether it may be the request itself that changed a field since `earlier`, rather than one that is not in the facts: a
    /// patch changes what it asks for, and an update carries all fields.
    pub(crate) fn may_have_changed(&self, asked: bool, earlier: &Self) -> bool {
        asked || self.verb != "patch" || self.is_next_after(earlier)
    }

    /// The taints that a node had after the request.
    pub(crate) fn taints(&self) -> Option<&Vec<String>> {
        let told = self.detail.taints.as_ref().or(self.detail.taints_asked.as_ref());
        told.filter(|_| self.succeeded())
    }

    /// When an effect of the request can be met at the earliest: what a create makes is there before it is answered.
    pub(crate) fn effective(&self) -> Timestamp {
        if self.is("create") { self.received } else { self.time }
    }

    /// Who names the fields that were set, such as `kubectl-rollout`.
    pub(crate) fn field_manager(&self) -> Option<&str> {
        self.actor.field_manager.as_deref()
    }

    /// An answer with all that the entry itself says, about one incarnation of an object; the question, how it was done
    /// and who was behind it are for the caller to fill in.
    pub(crate) fn answer(&self, about: &Key, uid: Option<&str>, outcome: Outcome) -> Answer {
        let salvaged = "the entry stands behind a torn one in the same line [rule: salvaged]";
        Answer {
            question: "",
            object: Object { uid: uid.map(str::to_owned), ..Object::from(about) },
            outcome,
            mechanism: None,
            certainty: Certainty::Recorded,
            time: Some(self.time),
            actor: Some(Arc::clone(&self.actor)),
            cause: None,
            chain: Vec::new(),
            token_minted: None,
            attempts: Attempts::default(),
            text: String::new(),
            notes: self.salvaged.then(|| salvaged.to_owned()).into_iter().collect(),
            evidence: Vec::new(),
        }
    }

    /// What makes two records of one entry equal, wherever they stand.
    pub(crate) fn identity(&self) -> impl Ord + '_ {
        (
            self.time,
            self.received,
            &self.audit_id,
            &self.stage,
            &self.verb,
            &self.uri,
            self.code,
            &self.actor.username,
        )
    }
}

impl Request for Fact {
    fn verb(&self) -> &str {
        &self.verb
    }

    fn subresource(&self) -> &str {
        &self.subresource
    }

    fn code(&self) -> u16 {
        self.code
    }

    fn username(&self) -> &str {
        &self.actor.username
    }

    fn impersonated(&self) -> Option<&str> {
        self.actor.impersonated.as_ref().map(|user| user.username.as_str())
    }

    fn issued(&self) -> Option<&str> {
        self.issued.as_deref()
    }

    fn stage_time(&self) -> Option<Timestamp> {
        self.is_dated.then_some(self.time)
    }
}

/// A word that takes no room where it is one of those that nearly every entry has.
fn word(text: &str) -> Cow<'static, str> {
    let known = WORDS.iter().find(|word| **word == text);
    known.map_or_else(|| Cow::Owned(text.to_owned()), |word| Cow::Borrowed(*word))
}
