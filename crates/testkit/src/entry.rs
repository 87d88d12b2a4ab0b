//! One audit entry, written as kube-apiserver writes it.

use crate::json::Json;
use crate::object;
use crate::object_ref::ObjectRef;
use crate::time::micro_time;

/// How much an audit policy records, from little to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// No bodies.
    Metadata,
    /// The request's body.
    Request,
    /// Both bodies.
    RequestResponse,
}

impl Level {
    /// The word of the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "Metadata",
            Self::Request => "Request",
            Self::RequestResponse => "RequestResponse",
        }
    }
}

/// When in the life of a request the entry was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before anything was decided: no status, no bodies, no annotations.
    RequestReceived,
    /// The headers of a long-running answer are out. A 401 has this stage alone.
    ResponseStarted,
    /// The answer is out.
    ResponseComplete,
    /// The handler panicked.
    Panic,
}

impl Stage {
    /// The word of the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequestReceived => "RequestReceived",
            Self::ResponseStarted => "ResponseStarted",
            Self::ResponseComplete => "ResponseComplete",
            Self::Panic => "Panic",
        }
    }
}

/// An authenticated or impersonated user; the default is the `{}` of a failed login.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// Name.
    pub username: String,
    /// Set for service accounts.
    pub uid: String,
    /// Groups, in the order of the log.
    pub groups: Vec<String>,
    /// `X509SHA256=…` or `JTI=…`; empty for none.
    pub credential: String,
    /// What else the token tells, such as `authentication.kubernetes.io/pod-name`: key and value, in the order of keys.
    pub extra: Vec<(String, String)>,
}

impl User {
    fn to_json(&self) -> Json {
        let some = |text: &String| (!text.is_empty()).then(|| Json::from(text));
        let credential = ("authentication.kubernetes.io/credential-id", &self.credential);
        let more = self.extra.iter().map(|(key, value)| (key.as_str(), value));
        let extra = std::iter::once(credential).chain(more).filter(|(_, value)| !value.is_empty());
        let extra = extra.fold(object! {}, |json, (key, value)| json.with(key, vec![value]));
        object! {}
            .with_some("username", some(&self.username))
            .with_some("uid", some(&self.uid))
            .with_some("groups", (!self.groups.is_empty()).then(|| self.groups.iter().collect::<Vec<_>>()))
            .with_some("extra", (extra != object! {}).then_some(extra))
    }
}

/// One entry of a log. Fields are what the API server knew; what of them is written depends on stage and level.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The most that the policy records of this request.
    pub level: Level,
    /// Identifies the request, unless the client chose it.
    pub audit_id: String,
    /// Stage of this entry.
    pub stage: Stage,
    /// Path and query, unescaped by JSON.
    pub request_uri: String,
    /// Kubernetes verb.
    pub verb: String,
    /// Who was authenticated.
    pub user: User,
    /// Whom the user acted as.
    pub impersonated: Option<User>,
    /// Addresses, the true peer last.
    pub source_ips: Vec<String>,
    /// The client's own word.
    pub user_agent: String,
    /// What the request is about; `None` for paths that are no resource.
    pub object_ref: Option<ObjectRef>,
    /// `responseStatus`.
    pub status: Option<Json>,
    /// `requestObject`, kept from level Request on.
    pub request_object: Option<Json>,
    /// `responseObject`, kept at level `RequestResponse`.
    pub response_object: Option<Json>,
    /// When the request came in, microseconds since the Unix epoch.
    pub received: i64,
    /// When the stage was reached, microseconds since the Unix epoch.
    pub stage_time: i64,
    /// Annotations, in the order of their keys.
    pub annotations: Vec<(String, String)>,
}

impl Entry {
    /// A request for an object by `user`, answered with 200 and allowed. Reads, leases and secrets are recorded at level
    /// Metadata at most, all else wholly.
    pub fn new(user: User, verb: &str, object: ObjectRef) -> Self {
        let read = matches!(verb, "get" | "list" | "watch");
        let kept = read || matches!(object.resource.as_str(), "leases" | "secrets");
        Self {
            level: if kept { Level::Metadata } else { Level::RequestResponse },
            audit_id: String::new(),
            stage: Stage::ResponseComplete,
            request_uri: object.path(verb == "create" && object.subresource.is_empty()),
            verb: verb.to_owned(),
            user,
            impersonated: None,
            source_ips: vec!["10.0.0.1".to_owned()],
            user_agent: String::new(),
            object_ref: Some(object),
            status: Some(object! { "metadata": object! {}, "code": 200 }),
            request_object: None,
            response_object: None,
            received: 0,
            stage_time: 0,
            annotations: Vec::new(),
        }
        .decided("allow", "")
    }

    /// With a query behind the path.
    #[must_use]
    pub fn query(mut self, query: &str) -> Self {
        self.request_uri = format!("{}?{query}", self.request_uri);
        self
    }

    /// With a body of the request.
    #[must_use]
    pub fn body(mut self, body: Json) -> Self {
        self.request_object = Some(body);
        self
    }

    /// Answered with an object.
    #[must_use]
    pub fn answer(mut self, code: i64, body: Json) -> Self {
        self.status = Some(object! { "metadata": object! {}, "code": code });
        self.response_object = Some(body);
        self
    }

    /// Answered by a switch of protocols (101), as sessions are: no bodies.
    #[must_use]
    pub fn switched(mut self) -> Self {
        self.status = Some(object! { "metadata": object! {}, "code": 101 });
        self.level = Level::Metadata;
        self
    }

    /// Answered with a `Status` of success, as evictions, bindings and deletes that are done at once are.
    #[must_use]
    pub fn succeed(mut self, code: i64, details: Option<Json>) -> Self {
        let status = object! { "metadata": object! {}, "status": "Success" }.with_some("details", details);
        let body = object! { "kind": "Status", "apiVersion": "v1" };
        self.response_object = Some(body.joined(&status.clone().with("code", code)));
        self.status = Some(status.with("code", code));
        self
    }

    /// Answered with a `Status` of failure.
    #[must_use]
    pub fn fail(mut self, code: i64, reason: &str, message: &str, details: Option<Json>) -> Self {
        let status =
            object! { "metadata": object! {}, "status": "Failure", "message": message, "reason": reason }
                .with_some("details", details)
                .with("code", code);
        self.response_object = Some(object! { "kind": "Status", "apiVersion": "v1" }.joined(&status));
        self.status = Some(status);
        self
    }

    /// The client hung up before there was an answer; whether anything was done, this does not say.
    #[must_use]
    pub fn hung_up(self) -> Self {
        let message = "Timeout: request did not complete within requested timeout - context canceled";
        self.fail(504, "Timeout", message, Some(object! {}))
    }

    /// With the authorizer's decision and its reason.
    #[must_use]
    pub fn decided(mut self, decision: &str, reason: &str) -> Self {
        let keys = ["authorization.k8s.io/decision", "authorization.k8s.io/reason"];
        self.annotations.retain(|(key, _)| !keys.contains(&key.as_str()));
        self.annotations
            .extend(keys.into_iter().zip([decision, reason]).map(|(k, v)| (k.to_owned(), v.to_owned())));
        self.annotations.sort();
        self
    }

    /// With one more annotation.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations.push((key.to_owned(), value.to_owned()));
        self.annotations.sort();
        self
    }

    /// What was known of the same request when it came in: no answer, no bodies, no name for a create, nobody
    /// impersonated yet.
    #[must_use]
    pub fn as_received(&self) -> Self {
        let create = self.verb == "create";
        let early = |object: ObjectRef| match object.subresource.as_str() {
            "" if create => object.collection(),
            _ => ObjectRef { uid: String::new(), resource_version: String::new(), ..object },
        };
        Self {
            stage: Stage::RequestReceived,
            impersonated: None,
            object_ref: self.object_ref.clone().map(early),
            status: None,
            request_object: None,
            response_object: None,
            stage_time: self.received,
            annotations: Vec::new(),
            ..self.clone()
        }
    }

    /// The line of the log, without its newline, under a policy of the given level.
    pub fn to_line(&self, policy: Level) -> String {
        let level = self.level.min(policy);
        let request_object = self.request_object.clone().filter(|_| level >= Level::Request);
        let response_object = self.response_object.clone().filter(|_| level >= Level::RequestResponse);
        let constraint = object! { "impersonationConstraint": "impersonate:user-info" };
        let annotations =
            self.annotations.iter().fold(object! {}, |json, (key, value)| json.with(key, value));
        object! {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": level.as_str(),
            "auditID": &self.audit_id,
            "stage": self.stage.as_str(),
            "requestURI": &self.request_uri,
            "verb": &self.verb,
            "user": self.user.to_json(),
        }
        .with_some("impersonatedUser", self.impersonated.as_ref().map(User::to_json))
        .with_some("authenticationMetadata", self.impersonated.as_ref().map(|_| constraint))
        .with("sourceIPs", self.source_ips.iter().collect::<Vec<_>>())
        .with("userAgent", &self.user_agent)
        .with_some("objectRef", self.object_ref.as_ref().map(ObjectRef::to_json))
        .with_some("responseStatus", self.status.clone())
        .with_some("requestObject", request_object)
        .with_some("responseObject", response_object)
        .with("requestReceivedTimestamp", micro_time(self.received))
        .with("stageTimestamp", micro_time(self.stage_time))
        .with_some("annotations", (!self.annotations.is_empty()).then_some(annotations))
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let user = User { username: "maria".into(), groups: vec!["platform".into()], ..User::default() };
        let entry = Entry::new(user, "create", ObjectRef::pod("shop", "web-1").with_subresource("eviction"))
            .query("dryRun=All&pretty=true")
            .body(object! { "kind": "Eviction" })
            .succeed(201, None);
        Entry { audit_id: "id-1".into(), received: 1_000_000, stage_time: 1_002_000, ..entry }
    }

    #[test]
    fn a_whole_entry_has_the_shape_of_the_api_server() {
        assert_eq!(
            entry().to_line(Level::RequestResponse),
            concat!(
                r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"id-1","#,
                r#""stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/pods/web-1/eviction"#,
                r#"?dryRun=All\u0026pretty=true","verb":"create","user":{"username":"maria","groups":["platform"]},"#,
                r#""sourceIPs":["10.0.0.1"],"userAgent":"","objectRef":{"resource":"pods","namespace":"shop","#,
                r#""name":"web-1","apiVersion":"v1","subresource":"eviction"},"responseStatus":{"metadata":{},"#,
                r#""status":"Success","code":201},"requestObject":{"kind":"Eviction"},"responseObject":"#,
                r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","code":201},"#,
                r#""requestReceivedTimestamp":"1970-01-01T00:00:01.000000Z","#,
                r#""stageTimestamp":"1970-01-01T00:00:01.002000Z","#,
                r#""annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":""}}"#
            )
        );
    }

    #[test]
    fn a_lower_level_drops_bodies() {
        let line = entry().to_line(Level::Request);
        assert!(line.contains("requestObject") && !line.contains("responseObject"));
        let line = entry().to_line(Level::Metadata);
        assert!(!line.contains("requestObject") && line.contains(r#""level":"Metadata""#));
    }

    #[test]
    fn what_is_received_says_little() {
        let received = entry().as_received().to_line(Level::RequestResponse);
        for absent in ["responseStatus", "requestObject", "annotations"] {
            assert!(!received.contains(absent), "{received}");
        }
        let create = Entry { object_ref: Some(ObjectRef::pod("shop", "web-1")), ..entry() };
        assert!(
            create
                .as_received()
                .to_line(Level::Metadata)
                .contains(r#""objectRef":{"resource":"pods","namespace":"shop","apiVersion":"v1"}"#)
        );
    }
}
