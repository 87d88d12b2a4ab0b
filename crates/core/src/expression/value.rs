//! An event as a value of the expression language.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use audit_who_event::event::{Event, ObjectRef, ResponseStatus, User};
use audit_who_event::json::Json;
use audit_who_event::time::Timestamp;
use cel::Value;
use cel::objects::{Key, Map};

/// A value, and how many values are in it.
pub(super) struct Converted {
    pub(super) value: Value,
    pub(super) size: usize,
}

/// The event under the names of `audit.k8s.io/v1`; what it does not have is empty. An error says which body is none.
pub(super) fn converted(event: &Event<'_>) -> Result<Converted, String> {
    let request = body(event.request_object, "requestObject")?;
    let response = body(event.response_object, "responseObject")?;
    let nobody = User::default();
    let status = status(event.response_status.as_ref().unwrap_or(&ResponseStatus::default()))?;
    let annotations = event.annotations.iter().map(|(name, value)| (name.to_string(), text(value)));
    let constraint = record([("impersonationConstraint", text(&event.impersonation_constraint))]);
    let value = record([
        ("level", text(&event.level)),
        ("auditID", text(&event.audit_id)),
        ("stage", text(&event.stage)),
        ("requestURI", text(&event.request_uri)),
        ("verb", text(&event.verb)),
        ("user", user(&event.user)),
        ("impersonatedUser", user(event.impersonated_user.as_ref().unwrap_or(&nobody))),
        ("authenticationMetadata", constraint),
        ("sourceIPs", texts(&event.source_ips)),
        ("userAgent", text(&event.user_agent)),
        ("objectRef", object(event.object_ref.as_ref().unwrap_or(&ObjectRef::default()))),
        ("responseStatus", status),
        ("requestObject", request),
        ("responseObject", response),
        ("requestReceivedTimestamp", time(event.received)),
        ("stageTimestamp", time(event.stage_time)),
        ("annotations", map(annotations)),
    ]);
    let size = size(&value);
    Ok(Converted { value, size })
}

fn user(user: &User<'_>) -> Value {
    let extra = user.extra.iter().map(|(name, values)| (name.to_string(), texts(values)));
    record([
        ("username", text(&user.username)),
        ("uid", text(&user.uid)),
        ("groups", texts(&user.groups)),
        ("extra", map(extra)),
    ])
}

fn object(object: &ObjectRef<'_>) -> Value {
    record([
        ("resource", text(&object.resource)),
        ("namespace", text(&object.namespace)),
        ("name", text(&object.name)),
        ("uid", text(&object.uid)),
        ("apiGroup", text(&object.api_group)),
        ("apiVersion", text(&object.api_version)),
        ("resourceVersion", text(&object.resource_version)),
        ("subresource", text(&object.subresource)),
    ])
}

fn status(status: &ResponseStatus<'_>) -> Result<Value, String> {
    Ok(record([
        ("code", Value::Int(i64::from(status.code))),
        ("status", text(&status.status)),
        ("message", text(&status.message)),
        ("reason", text(&status.reason)),
        ("details", body(status.details, "responseStatus.details")?),
    ]))
}

/// A body that is not recorded is an empty one.
fn body(raw: Option<Json<'_>>, name: &str) -> Result<Value, String> {
    let Some(raw) = raw else { return Ok(map([])) };
    let parsed: serde_json::Value =
        serde_json::from_str(raw.get()).map_err(|error| format!("{name} can't be read: {error}"))?;
    Ok(if parsed.is_null() { map([]) } else { json(parsed) })
}

/// The parser bounds how deep a body is.
fn json(value: serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::String(value) => Value::String(Arc::new(value)),
        serde_json::Value::Array(values) => Value::List(Arc::new(values.into_iter().map(json).collect())),
        serde_json::Value::Object(fields) => map(fields.into_iter().map(|(name, value)| (name, json(value)))),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Value::Int(value),
            (None, Some(value)) => Value::UInt(value),
            (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
    }
}

fn text(text: &str) -> Value {
    Value::String(Arc::new(text.to_owned()))
}

fn texts(texts: &[Cow<'_, str>]) -> Value {
    Value::List(Arc::new(texts.iter().map(|item| text(item)).collect()))
}

fn time(time: Option<Timestamp>) -> Value {
    let time = time.unwrap_or_default().to_datetime().unwrap_or_default();
    Value::Timestamp(time.fixed_offset())
}

fn record<const N: usize>(fields: [(&str, Value); N]) -> Value {
    map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)))
}

fn map(fields: impl IntoIterator<Item = (String, Value)>) -> Value {
    let fields: HashMap<Key, Value> =
        fields.into_iter().map(|(name, value)| (Key::from(name), value)).collect();
    Value::Map(Map { map: Arc::new(fields) })
}

fn size(value: &Value) -> usize {
    match value {
        Value::List(values) => 1 + values.iter().map(size).sum::<usize>(),
        Value::Map(fields) => 1 + fields.map.values().map(size).sum::<usize>(),
        _ => 1,
    }
}
