//! What of an event may differ from one line to the next while its keys stay the same.

use std::ops::Range;

use super::WireEvent;
use crate::event::{ObjectRef, ResponseStatus, User};
use crate::json::Json;
use crate::json::walk::Walk;
use crate::note::Fields;
use crate::time::Timestamp;

/// A part of an event by its place.
#[derive(Debug)]
pub(super) enum Part {
    /// A value that may differ.
    Value(Value),
    /// A value that tells nothing, and stays the same.
    Same,
    /// An object with these keys, each at most once.
    Object(&'static [(&'static str, Self)]),
    /// An object with any keys.
    Map(&'static Self),
    List(&'static Self),
}

/// How a value is read, and where it belongs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    Text(Fields, for<'a> fn(&mut WireEvent<'a>, &'a str)),
    /// A URI, without its query where that holds escapes.
    Uri,
    /// When the request came in.
    Received,
    /// When the stage was reached.
    Reached,
    /// An HTTP status of three digits.
    Code,
    /// Any value, unparsed.
    Raw(for<'a> fn(&mut WireEvent<'a>, Option<Json<'a>>)),
    /// A string that nobody looks at.
    Passed,
}

impl Value {
    /// Where the value stands that begins at `start`, strings without their quotes; `None` if it is of another kind, or one
    /// that is not read here.
    pub(super) fn range(self, line: &[u8], start: usize) -> Option<Range<usize>> {
        match self {
            Self::Text(..) | Self::Uri | Self::Received | Self::Reached | Self::Passed => {
                let start = start + 1;
                (line.get(start - 1) == Some(&b'"')).then_some(start..self.end(line, start)?)
            }
            Self::Code | Self::Raw(_) => Some(start..self.end(line, start)?),
        }
    }

    /// Where the value ends whose text begins at `start`, of strings behind the quote. A text that is empty is none that
    /// differs from others as these do.
    #[inline]
    pub(super) fn end(self, line: &[u8], start: usize) -> Option<usize> {
        let mut walk = Walk::in_line(line, start);
        match self {
            Self::Text(..) => walk.end_of_plain(start).filter(|end| *end > start),
            Self::Received | Self::Reached => walk.end_of_plain(start),
            Self::Uri => match walk.end_of_plain(start) {
                Some(end) => (end > start).then_some(end),
                None => walk.end_of_path(start).and_then(|_| end_of_string(line, start)),
            },
            Self::Passed => end_of_string(line, start),
            Self::Code => {
                let is_code = matches!(line.get(start..)?, [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9', ..]);
                is_code.then_some(start + 3)
            }
            Self::Raw(_) => {
                let begins = line.get(start).is_some_and(|byte| !byte.is_ascii_whitespace());
                begins.then(|| walk.skip())??;
                Some(walk.at())
            }
        }
    }

    /// Puts the value with this text where it belongs.
    #[inline]
    pub(super) fn put<'a>(self, text: &'a str, record: &mut WireEvent<'a>) {
        match self {
            Self::Text(_, put) => put(record, text),
            Self::Uri => {
                let query = memchr::memchr(b'\\', text.as_bytes()).and_then(|_| text.find('?'));
                record.event.request_uri = text[..query.unwrap_or(text.len())].into();
            }
            Self::Received => record.event.received = Timestamp::parse(text),
            Self::Reached => record.event.stage_time = Timestamp::parse(text),
            Self::Code => status(record).code = text.parse().unwrap_or_default(),
            Self::Raw(put) => put(record, (text != "null").then(|| Json::checked(text))),
            Self::Passed => {}
        }
    }

    /// The field that it is, if that tells events apart.
    pub(super) const fn field(self) -> Fields {
        match self {
            Self::Text(field, _) => field,
            Self::Uri => Fields::URI,
            Self::Code => Fields::CODE,
            Self::Raw(_) => Fields::BODIES,
            Self::Received | Self::Reached | Self::Passed => Fields::NONE,
        }
    }

    /// Whether it is another one in nearly every line.
    pub(super) const fn is_always_another(self) -> bool {
        matches!(self, Self::Uri | Self::Received | Self::Reached | Self::Raw(_))
    }
}

/// Where a string ends whose escapes are those of whole characters.
fn end_of_string(line: &[u8], start: usize) -> Option<usize> {
    let mut walk = Walk::in_line(line, start - 1);
    walk.string()?.then(|| walk.at() - 1)
}

fn object<'r, 'a>(record: &'r mut WireEvent<'a>) -> &'r mut ObjectRef<'a> {
    record.event.object_ref.get_or_insert_default()
}

fn status<'r, 'a>(record: &'r mut WireEvent<'a>) -> &'r mut ResponseStatus<'a> {
    record.event.response_status.get_or_insert_default()
}

fn impersonated<'r, 'a>(record: &'r mut WireEvent<'a>) -> &'r mut User<'a> {
    record.event.impersonated_user.get_or_insert_default()
}

const PASSED: Part = Part::Value(Value::Passed);

const fn text(field: Fields, put: for<'a> fn(&mut WireEvent<'a>, &'a str)) -> Part {
    Part::Value(Value::Text(field, put))
}

const fn raw(put: for<'a> fn(&mut WireEvent<'a>, Option<Json<'a>>)) -> Part {
    Part::Value(Value::Raw(put))
}

/// The event, without details. An event with any other key is not read by the like of it.
pub(super) static EVENT: Part = Part::Object(&[
    ("kind", Part::Same),
    ("apiVersion", Part::Same),
    ("level", PASSED),
    ("auditID", text(Fields::AUDIT_ID, |record, text| record.event.audit_id = text.into())),
    ("stage", text(Fields::STAGE, |record, text| record.event.stage = text.into())),
    ("requestURI", Part::Value(Value::Uri)),
    ("verb", text(Fields::VERB, |record, text| record.event.verb = text.into())),
    (
        "user",
        Part::Object(&[
            ("username", text(Fields::USER, |record, text| record.event.user.username = text.into())),
            ("uid", PASSED),
            ("groups", Part::List(&PASSED)),
            ("extra", Part::Map(&Part::List(&PASSED))),
        ]),
    ),
    (
        "impersonatedUser",
        Part::Object(&[
            ("username", text(Fields::USER, |record, text| impersonated(record).username = text.into())),
            ("uid", PASSED),
            ("groups", Part::List(&PASSED)),
            ("extra", Part::Map(&Part::List(&PASSED))),
        ]),
    ),
    (
        "authenticationMetadata",
        Part::Object(&[(
            "impersonationConstraint",
            text(Fields::USER, |record, text| record.authentication.constraint = text.into()),
        )]),
    ),
    ("sourceIPs", Part::List(&PASSED)),
    ("userAgent", text(Fields::CLIENT, |record, text| record.event.user_agent = text.into())),
    (
        "objectRef",
        Part::Object(&[
            ("resource", text(Fields::RESOURCE, |record, text| object(record).resource = text.into())),
            ("namespace", text(Fields::NAMESPACE, |record, text| object(record).namespace = text.into())),
            ("name", PASSED),
            ("uid", PASSED),
            ("apiGroup", text(Fields::RESOURCE, |record, text| object(record).api_group = text.into())),
            ("apiVersion", text(Fields::RESOURCE, |record, text| object(record).api_version = text.into())),
            ("resourceVersion", PASSED),
            (
                "subresource",
                text(Fields::SUBRESOURCE, |record, text| object(record).subresource = text.into()),
            ),
        ]),
    ),
    (
        "responseStatus",
        Part::Object(&[
            ("metadata", Part::Same),
            ("status", PASSED),
            ("message", PASSED),
            ("reason", PASSED),
            ("details", raw(|record, json| status(record).details = json)),
            ("code", Part::Value(Value::Code)),
        ]),
    ),
    ("requestObject", raw(|record, json| record.event.request_object = json)),
    ("responseObject", raw(|record, json| record.event.response_object = json)),
    ("requestReceivedTimestamp", Part::Value(Value::Received)),
    ("stageTimestamp", Part::Value(Value::Reached)),
    ("annotations", Part::Map(&PASSED)),
]);
