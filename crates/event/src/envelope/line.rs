//! The forms in which entries stand in a line.

use std::ops::Range;

use memchr::memmem;

use super::Sink;
use super::wrapped::{self, Held};
use crate::decode::{WireEvent, elements};
use crate::event::Event;
use crate::json::Json;
use crate::legacy;

/// How every record of the log backend begins: after a torn write the next record is looked for by it.
///
/// Inside a JSON string the quotes would be escaped, so it can't be met there.
const RECORD_START: &[u8] = br#"{"kind":"Event","apiVersion":"audit.k8s.io/"#;

/// What stands in an event, however that is wrapped.
const MARKS: [&[u8]; 2] = [b"audit.k8s.io/", b"auditID"];

pub(super) const NO_JSON: &str = "neither JSON nor a legacy audit entry";
pub(super) const NO_EVENT: &str = "JSON, but no audit event: it has neither auditID nor verb and requestURI";
pub(super) const WRAPPED: &str = "something else around an audit event: unwrap it first";
pub(super) const FOREIGN: &str = "printed by a container that is no API server: who it names may be made up";

/// So many objects and lists may stand in each other around an entry.
const DEEPEST: usize = 20;

/// A string counts for more of them: its text is copied.
const STRING: usize = 4;

/// A line as text, with the length it has in the log.
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) lossy: bool,
    pub(super) length: usize,
    /// If it is the text of a string: where that stands in the line of the log.
    pub(super) place: Option<Range<usize>>,
    /// How much stands around it.
    pub(super) depth: usize,
}

impl<'a> Line<'a> {
    /// A line of the log, which has so many bytes there.
    pub(super) const fn of(text: &'a str, length: usize) -> Self {
        Self { text, lossy: false, length, place: None, depth: 0 }
    }

    pub(super) fn decode(&self, sink: &mut impl Sink) {
        let mut at = 0;
        let mut salvaged = false;
        loop {
            at += self.text[at..].len() - self.text[at..].trim_start().len();
            if at == self.text.len() {
                return;
            }
            let mut record = WireEvent::default();
            match read(&self.text[at..], sink.wants_details(), &mut record) {
                Ok(length) => {
                    let end = at + length;
                    // Behind a torn record only a whole rest of the line counts: what a torn record merely held
                    // inside its bodies, written by whoever sent the request, does not end with the line.
                    if !salvaged || self.record_ends(end) {
                        self.value(&mut record, at..end, salvaged, sink);
                    } else {
                        sink.bad(self.span(at..end), "inside a torn record");
                    }
                    at = end;
                }
                Err(_) if !self.text[at..].starts_with(['{', '[']) => {
                    let Some(end) = self.no_object(at, sink) else {
                        return sink.bad(
                            self.span(at..self.text.len()),
                            self.no_event(at..self.text.len(), NO_JSON),
                        );
                    };
                    at = end;
                }
                Err(error) => {
                    let next =
                        memmem::find(&self.text.as_bytes()[at + 1..], RECORD_START).map(|n| at + 1 + n);
                    let span = self.span(at..next.unwrap_or(self.text.len()));
                    let torn = if self.lossy { self.length } else { self.text.len() - at };
                    sink.bad(span, &reason(torn, &error));
                    let Some(next) = next else { return };
                    at = next;
                    salvaged = true;
                }
            }
        }
    }

    /// Hands over what was read from a part of the text, or says why that is nothing.
    pub(super) fn value(
        &self,
        read: &mut WireEvent<'a>,
        part: Range<usize>,
        salvaged: bool,
        sink: &mut impl Sink,
    ) {
        let value = Json::checked(&self.text[part.clone()]);
        if !self.hand_over(read, value, self.depth, salvaged, sink) {
            sink.bad(self.span(part.clone()), self.no_event(part, NO_EVENT));
        }
    }

    /// Hands over the event or the list of events that was read from `value`, or what stands in that; says whether there was
    /// anything.
    fn hand_over(
        &self,
        read: &mut WireEvent<'a>,
        value: Json<'a>,
        depth: usize,
        salvaged: bool,
        sink: &mut impl Sink,
    ) -> bool {
        if let Some(items) = read.items {
            // The items of a list of Kubernetes are its objects, in which anybody may have written what looks like an entry.
            let is_array = value.get().starts_with('[');
            self.hand_over_items(items, if is_array { depth + 1 } else { DEEPEST }, sink);
            return true;
        }
        let Some(event) = read.event() else { return self.unwrap(value, depth, sink) };
        event.lossy = self.lossy;
        event.salvaged = salvaged;
        sink.event(event, self.place_of(value));
        true
    }

    /// Hands over the entries that stand in a value which is none; says whether there was anything.
    fn unwrap(&self, value: Json<'a>, depth: usize, sink: &mut impl Sink) -> bool {
        match value.get().as_bytes().first() {
            _ if depth >= DEEPEST => false,
            Some(b'{') => self.unwrap_object(value, wrapped::pairs(value), depth, sink),
            Some(b'[') => self.unwrap_list(value, depth + 1, sink),
            Some(b'"') => wrapped::text(value).is_some_and(|text| {
                self.decode_text(&text, self.place_of(value), depth, sink);
                true
            }),
            _ => false,
        }
    }

    fn unwrap_object(
        &self,
        object: Json<'a>,
        pairs: wrapped::Members<'a>,
        depth: usize,
        sink: &mut impl Sink,
    ) -> bool {
        match wrapped::held(pairs) {
            Held::Values(values) => {
                values.into_iter().fold(false, |any, value| self.look_into(value, depth + 1, sink) | any)
            }
            Held::Foreign => {
                sink.bad(self.place_of(object), FOREIGN);
                true
            }
        }
    }

    /// Hands over the entry that a value is, or those that stand in it.
    fn look_into(&self, value: Json<'a>, depth: usize, sink: &mut impl Sink) -> bool {
        if depth >= DEEPEST || !value.get().starts_with('{') {
            return self.unwrap(value, depth, sink);
        }
        let pairs = wrapped::pairs(value);
        let mut record = WireEvent::default();
        if wrapped::is_entry(&pairs) && record.read(value.get(), sink.wants_details()).is_ok() {
            return self.hand_over(&mut record, value, depth, false, sink);
        }
        self.unwrap_object(value, pairs, depth, sink)
    }

    /// As [`Self::unwrap`]; where some of a list hold entries, the others are told to hold none.
    fn unwrap_list(&self, list: Json<'a>, depth: usize, sink: &mut impl Sink) -> bool {
        let elements = elements(list);
        let missed = elements.iter().filter(|element| !self.look_into(**element, depth, sink));
        let missed: Vec<Json<'_>> = missed.copied().collect();
        let is_any = missed.len() < elements.len();
        let is_bad = |value: &Json<'_>| value.get().starts_with(['{', '[']) && !wrapped::is_field(*value);
        for element in missed.into_iter().filter(|element| is_any && is_bad(element)) {
            sink.bad(self.place_of(element), NO_EVENT);
        }
        is_any
    }

    /// Decodes the text of a string that stands at `place`.
    fn decode_text(&self, text: &str, place: Range<usize>, depth: usize, sink: &mut impl Sink) {
        let depth = depth + STRING;
        Line { text, lossy: self.lossy, length: text.len(), place: Some(place), depth }.decode(sink);
    }

    /// Why there is no event in a part of the line: where none is to be seen in it, for the reason that is given.
    fn no_event(&self, part: Range<usize>, otherwise: &'static str) -> &'static str {
        let is_in = |mark: &&[u8]| memmem::find(&self.text.as_bytes()[part.clone()], mark).is_some();
        if MARKS.iter().all(is_in) { WRAPPED } else { otherwise }
    }

    /// Reads what stands from `at` on, which is no object or list, and says up to where; `None` if that is nothing known.
    ///
    /// JSON comes first: a client can put text that looks like a legacy entry into a JSON string.
    fn no_object(&self, at: usize, sink: &mut impl Sink) -> Option<usize> {
        let text = &self.text[at..];
        if let Some(length) = wrapped::prefix(text.as_bytes()) {
            return Some(at + length);
        }
        if let Some((start, entry)) = wrapped::field(text).filter(|_| self.depth < DEEPEST) {
            let line = self.span(at + start..self.text.len());
            self.decode_text(&entry, line, self.depth, sink);
            return Some(self.text.len());
        }
        self.string(at, sink).or_else(|| self.legacy(at, sink))
    }

    /// Reads a string of JSON, as it stands around an entry which is read again from where it was found.
    fn string(&self, at: usize, sink: &mut impl Sink) -> Option<usize> {
        let mut values = serde_json::Deserializer::from_str(&self.text[at..]).into_iter::<Json<'_>>();
        let value = values.next()?.ok().filter(|value| value.get().starts_with('"'))?;
        self.unwrap(value, self.depth, sink).then(|| at + values.byte_offset())
    }

    /// Reads the first legacy entry from `at` on, and says where it ends; the text before it is the writer's prefix.
    fn legacy(&self, at: usize, sink: &mut impl Sink) -> Option<usize> {
        let (span, read) = legacy::parse(&self.text.as_bytes()[at..])?;
        let span = at + span.start..at + span.end;
        let end = span.end;
        match read {
            Ok(event) => sink.event(&Event { lossy: self.lossy, ..event }, self.span(span)),
            Err(reason) => sink.bad(self.span(span), &reason),
        }
        Some(end)
    }

    fn hand_over_items(&self, items: Json<'a>, depth: usize, sink: &mut impl Sink) {
        for item in elements(items) {
            let mut record = WireEvent::default();
            let is_object = item.get().starts_with('{');
            let is_any = match is_object.then(|| record.read(item.get(), sink.wants_details())).transpose() {
                Ok(_) => {
                    // A list in a list is no form that anything writes, and would let depth grow.
                    record.items = None;
                    self.hand_over(&mut record, item, depth, false, sink)
                }
                Err(error) => {
                    sink.bad(self.place_of(item), &reason(item.get().len(), &error));
                    true
                }
            };
            if !is_any {
                sink.bad(self.place_of(item), NO_EVENT);
            }
        }
    }

    fn record_ends(&self, at: usize) -> bool {
        let rest = self.text[at..].trim_start();
        rest.is_empty() || rest.as_bytes().starts_with(RECORD_START)
    }

    /// Where a value stands that is a part of the text.
    fn place_of(&self, value: Json<'a>) -> Range<usize> {
        let start = value.get().as_ptr().addr() - self.text.as_ptr().addr();
        self.span(start..start + value.get().len())
    }

    /// Offsets in a string are others than in the line; and in a line that was not UTF-8 they have moved: then only the whole
    /// line can be named.
    fn span(&self, span: Range<usize>) -> Range<usize> {
        match &self.place {
            Some(place) => place.clone(),
            None if self.lossy => 0..self.length,
            None => span,
        }
    }
}

/// Reads one value: an event, a list of events, or an array, which is taken for the items of a list. Says how long it is.
fn read<'a>(text: &'a str, details: bool, into: &mut WireEvent<'a>) -> Result<usize, serde_json::Error> {
    if !text.starts_with('[') {
        return into.read(text, details);
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Json<'_>>();
    into.items = values.next().transpose()?;
    Ok(values.byte_offset())
}

/// Why text of so many bytes is no entry.
fn reason(length: usize, error: &serde_json::Error) -> String {
    if error.is_eof() {
        return format!("torn: the JSON ends after {length} bytes");
    }
    format!("broken JSON: {error}")
}
