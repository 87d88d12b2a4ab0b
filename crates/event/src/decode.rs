//! One JSON object into one [`Event`].

mod parts;
mod shape;
mod shapes;

use std::borrow::Cow;

use serde::Deserialize;

pub(crate) use self::shapes::{Found, Set, Shapes};

use crate::envelope;
use crate::event::{Event, ObjectRef, ResponseStatus, User};
use crate::json::{Cursor, Json};
use crate::plain::{self, Plain};
use crate::time::Timestamp;
use crate::wire::{Detail, Int, List, Pairs, Str, Strs, Uri, lenient};

lenient!(User<'a> {
    "username" => username: Str<'de>,
    "uid" => uid: Detail<Str<'de>>,
    "groups" => groups: Strs<'de>,
    "extra" => extra: Pairs<'de, Strs<'de>>,
});

lenient!(ObjectRef<'a> {
    "resource" => resource: Str<'de>,
    "namespace" => namespace: Str<'de>,
    "name" => name: Detail<Str<'de>>,
    "uid" => uid: Detail<Str<'de>>,
    "apiGroup" => api_group: Str<'de>,
    "apiVersion" => api_version: Str<'de>,
    "resourceVersion" => resource_version: Detail<Str<'de>>,
    "subresource" => subresource: Str<'de>,
});

lenient!(ResponseStatus<'a> {
    ["metadata"],
    "status" => status: Detail<Str<'de>>,
    "message" => message: Detail<Str<'de>>,
    "reason" => reason: Detail<Str<'de>>,
    "details" => details: Option<Json<'de>>,
    "code" => code: Int,
});

/// A time; what is no RFC 3339 time is absent.
#[derive(Default)]
struct Time(Option<Timestamp>);

impl From<Time> for Option<Timestamp> {
    fn from(time: Time) -> Self {
        time.0
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Str::deserialize(deserializer).map(|text| Self(Timestamp::parse(&text.0)))
    }
}

impl<'a> Plain<'a> for Time {
    fn plain(cursor: &mut Cursor<'a>) -> Option<Self> {
        Str::plain(cursor).map(|text| Self(Timestamp::parse(&text.0)))
    }
}

/// `metadata` of v1alpha1 and v1beta1 events.
#[derive(Debug, Default)]
pub(crate) struct OldMetadata<'a> {
    creation: Option<Timestamp>,
    _life: std::marker::PhantomData<&'a ()>,
}
lenient!(OldMetadata<'a> { "creationTimestamp" => creation: Time });

/// `authenticationMetadata`, since Kubernetes 1.36.
#[derive(Debug, Default)]
pub(crate) struct Authentication<'a> {
    constraint: Cow<'a, str>,
}
lenient!(Authentication<'a> { "impersonationConstraint" => constraint: Str<'de> });

/// Every key of an event in every version, and `items` of a list of events.
#[derive(Debug, Default)]
pub(crate) struct WireEvent<'a> {
    pub(crate) event: Event<'a>,
    pub(crate) items: Option<Json<'a>>,
    authentication: Authentication<'a>,
    /// The level, where a collector put another one in its place.
    kept_level: Cow<'a, str>,
    /// What a collector tells of where it comes from.
    kubernetes: Option<Json<'a>>,
    old_timestamp: Option<Timestamp>,
    old_metadata: OldMetadata<'a>,
}

lenient!(WireEvent<'a> {
    ["kind", "apiVersion"],
    "level" => event.level: Detail<Str<'de>>,
    "auditID" => event.audit_id: Str<'de>,
    "stage" => event.stage: Str<'de>,
    "requestURI" => event.request_uri: Uri<'de>,
    "verb" => event.verb: Str<'de>,
    "user" => event.user: User<'de>,
    "impersonatedUser" => event.impersonated_user: Option<User<'de>>,
    "authenticationMetadata" => authentication: Authentication<'de>,
    "sourceIPs" => event.source_ips: Strs<'de>,
    "userAgent" => event.user_agent: Str<'de>,
    "objectRef" => event.object_ref: Option<ObjectRef<'de>>,
    "responseStatus" => event.response_status: Option<ResponseStatus<'de>>,
    "requestObject" => event.request_object: Option<Json<'de>>,
    "responseObject" => event.response_object: Option<Json<'de>>,
    "requestReceivedTimestamp" => event.received: Time,
    "stageTimestamp" => event.stage_time: Time,
    "timestamp" => old_timestamp: Time,
    "metadata" => old_metadata: OldMetadata<'de>,
    "annotations" => event.annotations: Pairs<'de, Str<'de>>,
    "items" => items: Option<Json<'de>>,
    "k8s_audit_level" => kept_level: Detail<Str<'de>>,
    "kubernetes" => kubernetes: Option<Json<'de>>,
});

impl<'a> WireEvent<'a> {
    /// Reads the JSON value at the start of `text`; says how many bytes it takes. Without `details`, what
    /// [`Sink::wants_details`](crate::envelope::Sink::wants_details) names stays empty. After an error, what was read is of no use.
    pub(crate) fn read(&mut self, text: &'a str, details: bool) -> Result<usize, serde_json::Error> {
        if let Some(length) = self.walk(text, &mut Cursor::new(text, details)) {
            return Ok(length);
        }
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Self>();
        *self = values.next().transpose()?.unwrap_or_default();
        Ok(values.byte_offset())
    }

    /// The same as far as no parser is needed, with a cursor at the start; `None` if one is.
    pub(crate) fn walk(&mut self, text: &'a str, cursor: &mut Cursor<'a>) -> Option<usize> {
        (text.starts_with('{') && self.fill(cursor).is_some()).then(|| cursor.at())
    }

    /// The event, if this object is one: it identifies a request, or says verb and URI. What another container than an API server's
    /// printed is none.
    pub(crate) fn event(&mut self) -> Option<&mut Event<'a>> {
        let event = &mut self.event;
        if event.audit_id.is_empty() && (event.verb.is_empty() || event.request_uri.is_empty()) {
            return None;
        }
        if self.kubernetes.is_some_and(envelope::is_of_another_container) {
            return None;
        }
        let old_time = self.old_timestamp.or(self.old_metadata.creation);
        event.received = event.received.or(old_time);
        event.stage_time = event.stage_time.or(old_time);
        if !self.kept_level.is_empty() {
            event.level = std::mem::take(&mut self.kept_level);
        }
        event.annotations.iter_mut().for_each(|(name, _)| restore_dots(name));
        event.impersonation_constraint = std::mem::take(&mut self.authentication.constraint);
        Some(event)
    }
}

/// Gives the name of an annotation its dots back where they were replaced, as Filebeat does: its prefix is the name of a domain, in
/// which no underscore stands.
fn restore_dots(name: &mut Cow<'_, str>) {
    if let Some((domain, rest)) = name.split_once('/').filter(|(domain, _)| domain.contains('_')) {
        *name = Cow::Owned(format!("{}/{rest}", domain.replace('_', ".")));
    }
}

/// The elements of a JSON list, unparsed.
pub(crate) fn elements(list: Json<'_>) -> Vec<Json<'_>> {
    plain::read::<List<Json<'_>>>(list.get()).map(|list| list.0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the parser alone makes of the first value.
    fn parsed(text: &str) -> Option<(String, usize)> {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<WireEvent<'_>>();
        let read = values.next()?.ok()?;
        Some((format!("{read:?}"), values.byte_offset()))
    }

    fn walked(text: &str, details: bool) -> Option<(WireEvent<'_>, usize)> {
        let mut event = WireEvent::default();
        let mut cursor = Cursor::new(text, details);
        event.fill(&mut cursor).map(|()| (event, cursor.at()))
    }

    /// Values where a text belongs: spelled with escapes, of other kinds, broken.
    const TEXTS: &[&str] = &[
        r#""""#,
        r#""a""#,
        r#""pods""#,
        r#""200""#,
        r#""a\u0026b""#,
        r#""/a?b\u0026c?d""#,
        r#""?b\u0026c""#,
        r#""\ud834\udd1e""#,
        r#""ä\n\"""#,
        "200",
        "-7",
        "12345678901234567890",
        "1.5e3",
        "true",
        "null",
        r#""2026-01-01T00:00:00.000001Z""#,
        r#""2026-01-01T00:00:00Z""#,
    ];
    const TEXT_KEYS: &[&str] = &[
        "level",
        "auditID",
        "stage",
        "requestURI",
        "verb",
        "userAgent",
        "stageTimestamp",
        "timestamp",
        "requestReceivedTimestamp",
        "unknown",
        "ver\\u0062",
    ];
    const USER_KEYS: &[&str] = &["username", "uid", "unknown"];
    const OBJECT_KEYS: &[&str] =
        &["resource", "namespace", "name", "uid", "apiGroup", "apiVersion", "subresource"];
    const STATUS_KEYS: &[&str] = &["code", "code", "status", "message", "reason"];
    const OTHER_KEYS: &[&str] = &["impersonationConstraint", "creationTimestamp"];
    const RAW_KEYS: &[&str] = &["requestObject", "responseObject", "items", "unknown"];

    fn any_of(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
        prop::sample::select(texts).prop_map(str::to_owned)
    }

    fn list(items: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
        prop::collection::vec(items, 0..3).prop_map(|items| format!("[{}]", items.join(" , ")))
    }

    fn object(pairs: impl Strategy<Value = (String, String)>) -> impl Strategy<Value = String> {
        prop::collection::vec(pairs, 0..5).prop_map(|pairs| {
            let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("\"{key}\" :{value}")).collect();
            format!("{{{}}}", pairs.join(", "))
        })
    }

    /// Any value at all.
    fn value() -> impl Strategy<Value = String> {
        any_of(TEXTS).prop_recursive(3, 12, 3, |inner| {
            prop_oneof![list(inner.clone()), object((any_of(TEXT_KEYS), inner))]
        })
    }

    /// A key of an event with a value that mostly suits it.
    fn pair() -> impl Strategy<Value = (String, String)> {
        let texts = |keys| (any_of(keys), any_of(TEXTS));
        let user = prop_oneof![
            3 => texts(USER_KEYS),
            1 => (any_of(&["groups"]), list(any_of(TEXTS))),
            1 => (any_of(&["extra"]), object((any_of(USER_KEYS), list(any_of(TEXTS))))),
        ];
        let status = prop_oneof![4 => texts(STATUS_KEYS), 1 => (any_of(&["details"]), value())];
        prop_oneof![
            6 => texts(TEXT_KEYS),
            2 => (any_of(&["user", "impersonatedUser"]), object(user)),
            2 => (any_of(&["objectRef"]), object(texts(OBJECT_KEYS))),
            2 => (any_of(&["responseStatus"]), object(status)),
            1 => (any_of(&["authenticationMetadata", "metadata"]), object(texts(OTHER_KEYS))),
            1 => (any_of(&["sourceIPs"]), list(any_of(TEXTS))),
            1 => (any_of(&["annotations"]), object(texts(TEXT_KEYS))),
            2 => (any_of(RAW_KEYS), value()),
            1 => (any_of(&["user", "objectRef", "responseStatus", "annotations", "sourceIPs", "code"]), value()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// What the walk reads at all, it reads as the parser does.
        #[test]
        fn the_walk_agrees_with_the_parser(
            text in object(pair()), behind in "(|  x|\\{\\}|,)", cut in prop::option::weighted(0.2, 0..300_usize)
        ) {
            let mut text = text + &behind;
            if let Some(cut) = cut.filter(|cut| text.is_char_boundary(*cut)) {
                text.truncate(cut);
            }
            if let Some((event, length)) = walked(&text, true) {
                prop_assert_eq!(Some((format!("{event:?}"), length)), parsed(&text));
                let (brief, brief_length) = walked(&text, false).unwrap();
                prop_assert_eq!(brief_length, length);
                let told = |event: &Event<'_>| {
                    (event.user.username.to_string(), event.verb.to_string(), event.code(), event.stage_time)
                };
                prop_assert_eq!(told(&brief.event), told(&event.event));
                let behind = event.event.request_uri.strip_prefix(&*brief.event.request_uri);
                prop_assert!(behind.is_some_and(|query| query.is_empty() || query.starts_with('?')), "{:?}", brief.event);
                let (mut brief, mut event) = (brief, event);
                prop_assert_eq!(brief.event().is_some(), event.event().is_some());
            }
            prop_assert_eq!(walked(&text, true).is_some(), walked(&text, false).is_some());
        }
    }

    #[test]
    fn what_the_api_server_writes_needs_no_parser() {
        let line = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","stage":"ResponseComplete",
            "requestURI":"/api/v1/pods?a=1\u0026b=2","verb":"list","user":{"username":"u","groups":["g"],"extra":{"k":["v"]}},
            "sourceIPs":["10.0.0.1"],"objectRef":{"resource":"pods"},"responseStatus":{"metadata":{},"code":200},
            "requestReceivedTimestamp":"2026-01-01T00:00:00.000001Z","annotations":{"a":"b"}}"#;
        let (read, length) = walked(line, true).unwrap();
        assert_eq!(Some((format!("{read:?}"), length)), parsed(line));
        assert_eq!(read.event.request_uri, "/api/v1/pods?a=1&b=2");
        let (brief, _) = walked(line, false).unwrap();
        assert!(brief.event.user.groups.is_empty() && brief.event.annotations.is_empty());
    }

    #[test]
    fn what_a_collector_replaced_is_restored() {
        let line = r#"{"auditID":"a","level":"default","annotations":{"authorization_k8s_io/decision":"allow",
            "mutation.webhook.admission.k8s.io/round_0_index_1":"{}","a_b":"c"},"k8s_audit_level":"Metadata"}"#;
        let mut read = walked(line, true).unwrap().0;
        let event = read.event().unwrap();
        let names: Vec<&str> = event.annotations.iter().map(|(name, _)| &**name).collect();
        let restored =
            ["authorization.k8s.io/decision", "mutation.webhook.admission.k8s.io/round_0_index_1", "a_b"];
        assert_eq!((&*event.level, names), ("Metadata", restored.to_vec()));
    }

    /// A status is spelled by its digits: they are what a line that holds one is found by.
    #[test]
    fn a_status_is_a_whole_number() {
        for (code, read) in [
            ("403", 403),
            (r#""403""#, 403),
            ("4.03e2", 0),
            ("403.0", 0),
            ("403e0", 0),
            ("40300e-2", 0),
            ("-403", 0),
            ("65939", 0),
            ("18446744073709551615", 0),
            ("true", 0),
            ("null", 0),
        ] {
            let line = format!(r#"{{"responseStatus":{{"code":{code}}}}}"#);
            assert_eq!(walked(&line, true).unwrap().0.event.code(), read, "{code}");
            let parsed: WireEvent<'_> = serde_json::from_str(&line).unwrap();
            assert_eq!(parsed.event.code(), read, "{code}");
        }
    }
}
