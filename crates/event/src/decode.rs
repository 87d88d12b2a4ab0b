//! One JSON object into one [`Event`].

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::event::{Event, ObjectRef, ResponseStatus, User};
use crate::time::Timestamp;
use crate::wire::{Int, List, Pairs, Str, Strs, lenient};

lenient!(User<'a> {
    "username" => username: Str<'de>,
    "uid" => uid: Str<'de>,
    "groups" => groups: Strs<'de>,
    "extra" => extra: Pairs<'de, Strs<'de>>,
});

lenient!(ObjectRef<'a> {
    "resource" => resource: Str<'de>,
    "namespace" => namespace: Str<'de>,
    "name" => name: Str<'de>,
    "uid" => uid: Str<'de>,
    "apiGroup" => api_group: Str<'de>,
    "apiVersion" => api_version: Str<'de>,
    "resourceVersion" => resource_version: Str<'de>,
    "subresource" => subresource: Str<'de>,
});

lenient!(ResponseStatus<'a> {
    "code" => code: Int,
    "status" => status: Str<'de>,
    "message" => message: Str<'de>,
    "reason" => reason: Str<'de>,
    "details" => details: Option<&'de RawValue>,
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

/// `metadata` of v1alpha1 and v1beta1 events.
#[derive(Default)]
pub(crate) struct OldMetadata<'a> {
    creation: Option<Timestamp>,
    _life: std::marker::PhantomData<&'a ()>,
}
lenient!(OldMetadata<'a> { "creationTimestamp" => creation: Time });

/// `authenticationMetadata`, since Kubernetes 1.36.
#[derive(Default)]
pub(crate) struct Authentication<'a> {
    constraint: Cow<'a, str>,
}
lenient!(Authentication<'a> { "impersonationConstraint" => constraint: Str<'de> });

/// Every key of an event in every version, and `items` of a list of events.
#[derive(Default)]
pub(crate) struct WireEvent<'a> {
    pub(crate) items: Option<&'a RawValue>,
    pub(crate) level: Cow<'a, str>,
    pub(crate) audit_id: Cow<'a, str>,
    pub(crate) stage: Cow<'a, str>,
    pub(crate) request_uri: Cow<'a, str>,
    pub(crate) verb: Cow<'a, str>,
    pub(crate) user: User<'a>,
    pub(crate) impersonated_user: Option<User<'a>>,
    pub(crate) authentication: Authentication<'a>,
    pub(crate) source_ips: Vec<Cow<'a, str>>,
    pub(crate) user_agent: Cow<'a, str>,
    pub(crate) object_ref: Option<ObjectRef<'a>>,
    pub(crate) response_status: Option<ResponseStatus<'a>>,
    pub(crate) request_object: Option<&'a RawValue>,
    pub(crate) response_object: Option<&'a RawValue>,
    pub(crate) received: Option<Timestamp>,
    pub(crate) stage_time: Option<Timestamp>,
    pub(crate) old_timestamp: Option<Timestamp>,
    pub(crate) old_metadata: OldMetadata<'a>,
    pub(crate) annotations: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

lenient!(WireEvent<'a> {
    "level" => level: Str<'de>,
    "auditID" => audit_id: Str<'de>,
    "stage" => stage: Str<'de>,
    "requestURI" => request_uri: Str<'de>,
    "verb" => verb: Str<'de>,
    "user" => user: User<'de>,
    "impersonatedUser" => impersonated_user: Option<User<'de>>,
    "authenticationMetadata" => authentication: Authentication<'de>,
    "sourceIPs" => source_ips: Strs<'de>,
    "userAgent" => user_agent: Str<'de>,
    "objectRef" => object_ref: Option<ObjectRef<'de>>,
    "responseStatus" => response_status: Option<ResponseStatus<'de>>,
    "requestObject" => request_object: Option<&'de RawValue>,
    "responseObject" => response_object: Option<&'de RawValue>,
    "requestReceivedTimestamp" => received: Time,
    "stageTimestamp" => stage_time: Time,
    "timestamp" => old_timestamp: Time,
    "metadata" => old_metadata: OldMetadata<'de>,
    "annotations" => annotations: Pairs<'de, Str<'de>>,
    "items" => items: Option<&'de RawValue>,
});

impl<'a> WireEvent<'a> {
    /// Reads the JSON value at the start of `text`; also says how many bytes it takes.
    pub(crate) fn read(text: &'a str) -> Result<(Self, usize), serde_json::Error> {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Self>();
        match values.next() {
            Some(read) => read.map(|event| (event, values.byte_offset())),
            None => Ok((Self::default(), text.len())),
        }
    }

    /// The event, if this object is one: it identifies a request, or says verb and URI.
    pub(crate) fn into_event(self) -> Option<Event<'a>> {
        if self.audit_id.is_empty() && (self.verb.is_empty() || self.request_uri.is_empty()) {
            return None;
        }
        let old_time = self.old_timestamp.or(self.old_metadata.creation);
        Some(Event {
            level: self.level,
            audit_id: self.audit_id,
            stage: self.stage,
            request_uri: self.request_uri,
            verb: self.verb,
            user: self.user,
            impersonated_user: self.impersonated_user,
            impersonation_constraint: self.authentication.constraint,
            source_ips: self.source_ips,
            user_agent: self.user_agent,
            object_ref: self.object_ref,
            response_status: self.response_status,
            request_object: self.request_object,
            response_object: self.response_object,
            received: self.received.or(old_time),
            stage_time: self.stage_time.or(old_time),
            annotations: self.annotations,
            lossy: false,
            salvaged: false,
        })
    }
}

/// The elements of a JSON list, unparsed.
pub(crate) fn elements(list: &RawValue) -> Vec<&RawValue> {
    serde_json::from_str::<List<&RawValue>>(list.get()).map(|list| list.0).unwrap_or_default()
}
