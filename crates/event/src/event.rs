//! One decoded audit entry.

use std::borrow::Cow;

use crate::json::Json;
use crate::time::Timestamp;

/// One audit event, borrowed from its line where nothing had to be unescaped.
///
/// Every field of `audit.k8s.io/v1` is here, and every one is optional when read: an absent string is empty. The keys
/// are those of [`types.go`](https://github.com/kubernetes/apiserver/blob/master/pkg/apis/audit/v1/types.go).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event<'a> {
    /// How much was recorded: `Metadata`, `Request` or `RequestResponse`.
    pub level: Cow<'a, str>,
    /// Identifies the request; the client may have chosen it, so it is no key.
    pub audit_id: Cow<'a, str>,
    /// `RequestReceived`, `ResponseStarted`, `ResponseComplete` or `Panic`.
    pub stage: Cow<'a, str>,
    /// Path and query as the client sent them.
    pub request_uri: Cow<'a, str>,
    /// Kubernetes verb, or the HTTP method in lower case for what is no resource.
    pub verb: Cow<'a, str>,
    /// Who was authenticated.
    pub user: User<'a>,
    /// Whom the user acted as.
    pub impersonated_user: Option<User<'a>>,
    /// `authenticationMetadata.impersonationConstraint`, since Kubernetes 1.36.
    pub impersonation_constraint: Cow<'a, str>,
    /// Where the request came from; all but the last can be set by the client.
    pub source_ips: Vec<Cow<'a, str>>,
    /// The `User-Agent` header: the client's own word.
    pub user_agent: Cow<'a, str>,
    /// What the request is about.
    pub object_ref: Option<ObjectRef<'a>>,
    /// The HTTP status that was answered, with its message.
    pub response_status: Option<ResponseStatus<'a>>,
    /// The request's body, unparsed.
    pub request_object: Option<Json<'a>>,
    /// The response's body, unparsed.
    pub response_object: Option<Json<'a>>,
    /// When the request came in.
    pub received: Option<Timestamp>,
    /// When this stage was reached.
    pub stage_time: Option<Timestamp>,
    /// Annotations, in the order of the line.
    pub annotations: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Whether the line held bytes that are no UTF-8, which stand here as U+FFFD.
    pub lossy: bool,
    /// Whether the event was found behind a torn one in the same line.
    pub salvaged: bool,
}

/// An authenticated or impersonated user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User<'a> {
    /// Name.
    pub username: Cow<'a, str>,
    /// What identifies the user besides the name.
    pub uid: Cow<'a, str>,
    /// Groups.
    pub groups: Vec<Cow<'a, str>>,
    /// More facts from the authenticator.
    pub extra: Vec<(Cow<'a, str>, Vec<Cow<'a, str>>)>,
}

/// What a request is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectRef<'a> {
    /// Plural resource name.
    pub resource: Cow<'a, str>,
    /// Namespace, empty for what has none. A namespace object has its own name here.
    pub namespace: Cow<'a, str>,
    /// Name, empty for lists, collections and generated names.
    pub name: Cow<'a, str>,
    /// Set only where the request's body told it.
    pub uid: Cow<'a, str>,
    /// API group, empty for the core group.
    pub api_group: Cow<'a, str>,
    /// API version within the group.
    pub api_version: Cow<'a, str>,
    /// Set only where the request's body told it.
    pub resource_version: Cow<'a, str>,
    /// Subresource, such as `eviction`, `status`, `scale`.
    pub subresource: Cow<'a, str>,
}

/// The status that was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseStatus<'a> {
    /// HTTP status; 0 where none was recorded.
    pub code: u16,
    /// `Success` or `Failure`.
    pub status: Cow<'a, str>,
    /// Human text.
    pub message: Cow<'a, str>,
    /// Machine text, such as `Forbidden`.
    pub reason: Cow<'a, str>,
    /// More facts: name, group, kind, uid, causes; unparsed.
    pub details: Option<Json<'a>>,
}

impl Event<'_> {
    /// The first value of one of the user's `extra` keys.
    pub fn extra(&self, key: &str) -> Option<&str> {
        let (_, values) = self.user.extra.iter().find(|(name, _)| name == key)?;
        values.first().map(AsRef::as_ref)
    }

    /// The value of an annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_ref())
    }

    /// The HTTP status, 0 where none was recorded.
    pub fn code(&self) -> u16 {
        self.response_status.as_ref().map_or(0, |status| status.code)
    }

    /// Whether the truncating backend cut the bodies off
    /// ([source](https://github.com/kubernetes/apiserver/blob/master/plugin/pkg/audit/truncate/truncate.go)).
    pub fn is_truncated(&self) -> bool {
        self.annotation("audit.k8s.io/truncated") == Some("true")
    }
}
