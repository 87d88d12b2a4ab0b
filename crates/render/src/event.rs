//! Events themselves, one a line.

use std::borrow::Cow;
use std::io;

use audit_who_event::client::client;
use audit_who_event::event::{Event, ObjectRef, ResponseStatus, User};
use audit_who_event::json::Json;
use audit_who_event::subject::Key;
use audit_who_event::time::Timestamp;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::paint::{self, Painted};
use crate::table::{NONE, shown};
use crate::{Style, json};

/// Statuses from here on are errors.
const FIRST_ERROR: u16 = 400;

/// Writes an event in one line: time, user, verb and object, status, client. Before its end an event has its stage instead
/// of a status.
///
/// The error is that of `out`.
pub fn write_event(event: &Event<'_>, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    let time = event.stage_time.or(event.received);
    let time = time.map_or_else(|| "time unknown".to_owned(), |time| style.zone.display(time).to_string());
    let user = Painted { text: shown(&who(event)), style: paint::USER, color: style.color };
    let (status, bad) = status(event);
    let status = Painted {
        text: shown(&status),
        style: if bad { paint::BAD } else { anstyle::Style::new() },
        color: style.color && bad,
    };
    let client = client(&event.user_agent).unwrap_or_else(|| NONE.to_owned());
    writeln!(out, "{time}  {user}  {}  {status}  {}", shown(&request(event)), shown(&client))
}

/// Writes an event as one line of JSON, in which no character is hidden: `text`, which is the event's own JSON, where
/// that is known, else what was read of it, as `audit.k8s.io/v1`.
///
/// The error is that of `out`.
pub fn write_event_json(event: &Event<'_>, text: Option<&str>, out: &mut dyn io::Write) -> io::Result<()> {
    match text {
        Some(text) => {
            json::raw(out, text)?;
            out.write_all(b"\n")
        }
        None => json::line(&Written(event), out),
    }
}

fn who(event: &Event<'_>) -> String {
    let name =
        |user: &User<'_>| if user.username.is_empty() { NONE.to_owned() } else { user.username.to_string() };
    match &event.impersonated_user {
        Some(other) => format!("{} as {}", name(&event.user), name(other)),
        None => name(&event.user),
    }
}

/// `create pod shop/web-1/eviction`, `list pods of namespace shop`, `get /healthz`.
fn request(event: &Event<'_>) -> String {
    let verb = if event.verb.is_empty() { NONE } else { &event.verb };
    match (Key::of(event), &event.object_ref) {
        (Some(key), Some(object)) if !object.subresource.is_empty() => {
            format!("{verb} {key}/{}", object.subresource)
        }
        (Some(key), _) => format!("{verb} {key}"),
        _ => format!("{verb} {}", event.request_uri),
    }
}

/// The status, and whether it is bad.
fn status(event: &Event<'_>) -> (Cow<'static, str>, bool) {
    let code = event.code();
    match event.stage.as_ref() {
        "RequestReceived" => ("received".into(), false),
        "ResponseStarted" if code < FIRST_ERROR => ("started".into(), false),
        "Panic" => ("panic".into(), true),
        _ if code == 0 => (NONE.into(), false),
        _ => (code.to_string().into(), code >= FIRST_ERROR),
    }
}

/// An event as `audit.k8s.io/v1` has it; what is empty is left out.
struct Written<'a, 'e>(&'a Event<'e>);

impl Serialize for Written<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.0;
        let mut map = Fields(serializer.serialize_map(None)?);
        map.text("kind", "Event")?;
        map.text("apiVersion", "audit.k8s.io/v1")?;
        map.text("level", &event.level)?;
        map.text("auditID", &event.audit_id)?;
        map.text("stage", &event.stage)?;
        map.text("requestURI", &event.request_uri)?;
        map.text("verb", &event.verb)?;
        map.some("user", Some(WrittenUser(&event.user)))?;
        map.some("impersonatedUser", event.impersonated_user.as_ref().map(WrittenUser))?;
        map.list("sourceIPs", &event.source_ips)?;
        map.text("userAgent", &event.user_agent)?;
        map.some("objectRef", event.object_ref.as_ref().map(WrittenReference))?;
        map.some("responseStatus", event.response_status.as_ref().map(WrittenStatus))?;
        map.some("requestObject", event.request_object.and_then(raw))?;
        map.some("responseObject", event.response_object.and_then(raw))?;
        map.some::<Timestamp>("requestReceivedTimestamp", event.received)?;
        map.some::<Timestamp>("stageTimestamp", event.stage_time)?;
        let annotations = (!event.annotations.is_empty()).then_some(Pairs(&event.annotations));
        map.some("annotations", annotations)?;
        map.0.end()
    }
}

struct WrittenUser<'a, 'e>(&'a User<'e>);

impl Serialize for WrittenUser<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = Fields(serializer.serialize_map(None)?);
        map.text("username", &self.0.username)?;
        map.text("uid", &self.0.uid)?;
        map.list("groups", &self.0.groups)?;
        map.some("extra", (!self.0.extra.is_empty()).then_some(Pairs(&self.0.extra)))?;
        map.0.end()
    }
}

struct WrittenReference<'a, 'e>(&'a ObjectRef<'e>);

impl Serialize for WrittenReference<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = Fields(serializer.serialize_map(None)?);
        map.text("resource", &self.0.resource)?;
        map.text("namespace", &self.0.namespace)?;
        map.text("name", &self.0.name)?;
        map.text("uid", &self.0.uid)?;
        map.text("apiGroup", &self.0.api_group)?;
        map.text("apiVersion", &self.0.api_version)?;
        map.text("resourceVersion", &self.0.resource_version)?;
        map.text("subresource", &self.0.subresource)?;
        map.0.end()
    }
}

struct WrittenStatus<'a, 'e>(&'a ResponseStatus<'e>);

impl Serialize for WrittenStatus<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = Fields(serializer.serialize_map(None)?);
        map.text("status", &self.0.status)?;
        map.text("message", &self.0.message)?;
        map.text("reason", &self.0.reason)?;
        map.some("details", self.0.details.and_then(raw))?;
        map.some("code", (self.0.code > 0).then_some(self.0.code))?;
        map.0.end()
    }
}

/// JSON to be written as it is, which it always can be.
fn raw(json: Json<'_>) -> Option<&RawValue> {
    serde_json::from_str(json.get()).ok()
}

/// Names with what belongs to them, as an object.
struct Pairs<'a, 'e, T>(&'a [(Cow<'e, str>, T)]);

impl<T: Serialize> Serialize for Pairs<'_, '_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The fields of an object that are not empty.
struct Fields<M>(M);

impl<M: SerializeMap> Fields<M> {
    fn text(&mut self, name: &str, value: &str) -> Result<(), M::Error> {
        if value.is_empty() { Ok(()) } else { self.0.serialize_entry(name, value) }
    }

    fn list(&mut self, name: &str, values: &[Cow<'_, str>]) -> Result<(), M::Error> {
        if values.is_empty() { Ok(()) } else { self.0.serialize_entry(name, values) }
    }

    fn some<T: Serialize>(&mut self, name: &str, value: Option<T>) -> Result<(), M::Error> {
        value.map_or(Ok(()), |value| self.0.serialize_entry(name, &value))
    }
}

#[cfg(test)]
mod tests {
    use audit_who_event::envelope::{self, Sink};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::hostile;
    use crate::sample::PLAIN;
    use crate::terminal::is_hidden;

    /// Both forms of the first event of a line, the JSON with and without its text.
    struct Both {
        text: String,
        json: [String; 2],
    }

    impl Sink for Both {
        fn event(&mut self, event: &Event<'_>, _: std::ops::Range<usize>) {
            let mut out = Vec::new();
            write_event(event, &PLAIN, &mut out).unwrap();
            let mut json = Vec::new();
            write_event_json(event, None, &mut json).unwrap();
            self.text = String::from_utf8(out).unwrap();
            self.json[1] = String::from_utf8(json).unwrap();
            let mut json = Vec::new();
            write_event_json(event, Some(&self.json[0]), &mut json).unwrap();
            self.json[0] = String::from_utf8(json).unwrap();
        }

        fn bad(&mut self, span: std::ops::Range<usize>, reason: &str) {
            panic!("{span:?}: {reason}");
        }
    }

    fn written(line: &str) -> Both {
        let mut both = Both { text: String::new(), json: [line.to_owned(), String::new()] };
        envelope::decode(line.as_bytes(), &mut both);
        both
    }

    fn eviction(name: &str) -> Value {
        json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": "7d7e",
            "stage": "ResponseComplete", "requestURI": "/api/v1/namespaces/shop/pods/web-1/eviction", "verb": "create",
            "user": {"username": name, "groups": ["sre"], "extra": {"key": ["value"]}},
            "impersonatedUser": {"username": "root"}, "sourceIPs": ["203.0.113.7"], "userAgent": "kubectl/v1.32.4",
            "objectRef": {"resource": "pods", "namespace": "shop", "name": "web-1", "apiVersion": "v1", "subresource": "eviction"},
            "responseStatus": {"status": "Success", "code": 201}, "requestObject": {"kind": "Eviction", "x": name},
            "requestReceivedTimestamp": "2026-11-23T05:45:10.500000Z", "stageTimestamp": "2026-11-23T05:45:10.504068Z",
            "annotations": {"authorization.k8s.io/decision": "allow"},
        })
    }

    #[test]
    fn an_event_is_one_line() {
        assert_eq!(
            written(&eviction("alice").to_string()).text,
            "2026-11-23 05:45:10 UTC  alice as root  create pod shop/web-1/eviction  201  kubectl\n"
        );
        let line = r#"{"auditID":"a","stage":"RequestReceived","verb":"get","requestURI":"/healthz"}"#;
        assert_eq!(written(line).text, "time unknown  -  get /healthz  received  -\n");
    }

    #[test]
    fn its_own_text_is_kept_as_it_is() {
        let line = eviction("al\\u0069ce é").to_string();
        assert_eq!(written(&line).json[0], line + "\n");
        let spaced = "{\"auditID\":\t\"a\",\r\"verb\":\"get\" }";
        assert_eq!(written(spaced).json[0], "{\"auditID\": \"a\", \"verb\":\"get\" }\n");
    }

    #[test]
    fn what_was_read_is_written_as_it_was() {
        let event = eviction("alice");
        let read: Value = serde_json::from_str(&written(&event.to_string()).json[1]).unwrap();
        assert_eq!(read, event);
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_written(text in hostile::text()) {
            prop_assume!(!text.is_empty());
            let event = eviction(&text);
            let Both { text, json } = written(&event.to_string());
            prop_assert!(!text.trim_end_matches('\n').contains(is_hidden), "{text}");
            for json in json {
                prop_assert!(!json.trim_end_matches('\n').contains(is_hidden), "{json}");
                prop_assert_eq!(&serde_json::from_str::<Value>(&json).unwrap(), &event);
            }
        }
    }
}
