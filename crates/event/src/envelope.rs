//! From the bytes of a line to the events in it.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;

use crate::decode::{Found, Set, Shapes, WireEvent, elements};
use crate::event::Event;
use crate::json::model::Models;
use crate::json::{Cursor, Json};
use crate::legacy;
use crate::note::{Note, Times};
use crate::spares::Spares;

/// Takes what a line holds.
pub trait Sink {
    /// An event, and which bytes of the line hold it.
    fn event(&mut self, event: &Event<'_>, span: Range<usize>);
    /// Bytes of the line that hold no event, and why.
    fn bad(&mut self, span: Range<usize>, reason: &str);
    /// Whether details of events are looked at: level, groups, extra, addresses, annotations, uids, names of objects, what a
    /// status says beside its code, and queries of URIs. If not they may be empty, and nothing is allocated for an event as
    /// the API server writes it.
    fn wants_details(&self) -> bool {
        true
    }
    /// Notes what the event was that was handed over last, so that others like it can be told [again](Self::again); `None` if
    /// each must be handed over whole.
    fn note(&mut self) -> Option<Note> {
        None
    }
    /// Takes an event that differs from the one noted in its times, and else in nothing that the note depends on, and which
    /// bytes of the line hold it. If it returns `false`, the note is not known anymore, and the event is handed over whole.
    fn again(&mut self, _: Note, _: &Times, _: Range<usize>) -> bool {
        false
    }
}

/// How every record of the log backend begins: after a torn write the next record is looked for by it.
///
/// Inside a JSON string the quotes would be escaped, so it can't be met there.
const RECORD_START: &[u8] = br#"{"kind":"Event","apiVersion":"audit.k8s.io/"#;

/// What stands in an event, however that is wrapped.
const MARKS: [&[u8]; 2] = [b"audit.k8s.io/", b"auditID"];

const NO_JSON: &str = "neither JSON nor a legacy audit entry";
const NO_EVENT: &str = "JSON, but no audit event: it has neither auditID nor verb and requestURI";
const WRAPPED: &str = "something else around an audit event: unwrap it first";

/// Decodes one line, in whatever form it is, and hands every event and every bad span in it to `sink`.
///
/// Read are: events, one or several behind each other; lists of events, as the webhook backend posts them; JSON arrays
/// of events; the legacy text format. The line has no line end. Whatever the bytes are, this returns: what can't be read
/// is a bad span. Bytes that are no UTF-8 do not cost the event; they stand as U+FFFD in it.
pub fn decode(line: &[u8], sink: &mut impl Sink) {
    // Nearly every line is valid: checking that is much faster than looking for what is to be replaced.
    let text = std::str::from_utf8(line).map_or_else(|_| String::from_utf8_lossy(line), Cow::Borrowed);
    let lossy = matches!(text, Cow::Owned(_));
    Line { text: &text, lossy, length: line.len() }.decode(sink);
}

/// Decodes lines as [`decode`] does, and faster the more it has seen.
///
/// A log says nearly the same again and again. Where no details are wanted, lines are kept that were decoded, at most 4096
/// of up to 4 KiB without their bodies, and 4 MiB of bodies; what differs from one of them in nothing but values is read by
/// comparing it. Where details are wanted, an event as the API server writes it is put into the memory of those before,
/// and bodies are compared with 16 of those.
#[derive(Debug, Default)]
pub struct Decoder {
    shapes: Shapes,
    spares: Spares,
    models: Models,
}

impl Decoder {
    /// Decodes one line, and hands every event and every bad span in it to `sink`.
    pub fn decode(&mut self, line: &[u8], sink: &mut impl Sink) {
        let known = if sink.wants_details() { None } else { self.shapes.find(line) };
        let is_read = match known {
            Some(Found { set, length }) if length == line.len() => self.decode_alike(set, line, sink),
            _ => false,
        };
        if !(is_read || self.decode_event(line, sink)) {
            decode(line, sink);
        }
    }

    /// Decodes the line that `text` begins with, and hands its event to `sink`, if it is like one before; says how long it is,
    /// in bytes without its end, which is `\n` or `\r\n`. `None` for a line that is to be [decoded](Self::decode) on its own:
    /// nobody has looked for its end then.
    pub fn decode_next(&mut self, text: &[u8], sink: &mut impl Sink) -> Option<usize> {
        if sink.wants_details() {
            return None;
        }
        let Found { set, length } = self.shapes.find(text)?;
        if length == text.len() {
            return None;
        }
        self.decode_alike(set, &text[..length], sink).then_some(length)
    }

    /// Reads an event that is all of a line which is like one that was kept; says whether it is.
    fn decode_alike(&mut self, set: Set, line: &[u8], sink: &mut impl Sink) -> bool {
        if let Some(note) = self.shapes.note(set)
            && sink.again(note, &self.shapes.times(), 0..line.len())
        {
            return true;
        }
        let mut record = WireEvent::default();
        let read = self.shapes.read(set, line, &mut record);
        let Some(event) = read.and_then(|()| record.event()) else { return false };
        sink.event(event, 0..line.len());
        self.shapes.take_note(set, sink.note());
        true
    }

    /// Reads an event that is all of a line, as nearly every one is; says whether it is.
    fn decode_event(&mut self, line: &[u8], sink: &mut impl Sink) -> bool {
        let Ok(text) = std::str::from_utf8(line) else { return false };
        let mut cursor = Cursor::new(text, sink.wants_details());
        std::mem::swap(&mut cursor.spares, &mut self.spares);
        cursor.models = cursor.details.then(|| std::mem::take(&mut self.models));
        let mut record = WireEvent::default();
        let is_whole = record.walk(text, &mut cursor) == Some(line.len()) && record.items.is_none();
        let event = if is_whole { record.event() } else { None };
        let is_event = event.map(|event| sink.event(event, 0..line.len())).is_some();
        if is_event
            && !cursor.details
            && let Some(kept) = self.shapes.keep(text, &record)
        {
            self.shapes.take_note(kept, sink.note());
        }
        cursor.spares.reclaim(&mut record.event);
        self.spares = cursor.spares;
        if let Some(models) = cursor.models {
            self.models = models;
        }
        is_event
    }
}

/// A line as text, with the length it has in the log.
struct Line<'a> {
    text: &'a str,
    lossy: bool,
    length: usize,
}

impl<'a> Line<'a> {
    fn decode(&self, sink: &mut impl Sink) {
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
                    let whole = !salvaged || self.record_ends(end);
                    if whole {
                        self.hand_over(&mut record, at..end, salvaged, sink);
                    } else {
                        sink.bad(self.span(at..end), "inside a torn record");
                    }
                    at = end;
                }
                Err(_) if !self.text[at..].starts_with(['{', '[']) => {
                    // JSON comes first: a client can put text that looks like a legacy entry into a JSON string.
                    let Some(end) = self.legacy(at, sink) else {
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

    fn hand_over(&self, read: &mut WireEvent<'a>, span: Range<usize>, salvaged: bool, sink: &mut impl Sink) {
        if let Some(items) = read.items {
            return self.hand_over_items(items, sink);
        }
        match read.event() {
            Some(event) => {
                event.lossy = self.lossy;
                event.salvaged = salvaged;
                sink.event(event, self.span(span));
            }
            None => sink.bad(self.span(span.clone()), self.no_event(span, NO_EVENT)),
        }
    }

    /// Why there is no event in a part of the line: where none is to be seen in it, for the reason that is given.
    fn no_event(&self, part: Range<usize>, otherwise: &'static str) -> &'static str {
        let is_in = |mark: &&[u8]| memmem::find(&self.text.as_bytes()[part.clone()], mark).is_some();
        if MARKS.iter().all(is_in) { WRAPPED } else { otherwise }
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

    fn hand_over_items(&self, items: Json<'a>, sink: &mut impl Sink) {
        for item in elements(items) {
            let start = item.get().as_ptr().addr() - self.text.as_ptr().addr();
            let span = start..start + item.get().len();
            let mut record = WireEvent::default();
            match record.read(item.get(), sink.wants_details()) {
                Ok(_) => {
                    // A list in a list is no form that anything writes, and would let depth grow.
                    record.items = None;
                    self.hand_over(&mut record, span, false, sink);
                }
                Err(error) => sink.bad(self.span(span), &reason(item.get().len(), &error)),
            }
        }
    }

    fn record_ends(&self, at: usize) -> bool {
        let rest = self.text[at..].trim_start();
        rest.is_empty() || rest.as_bytes().starts_with(RECORD_START)
    }

    /// Offsets in a line that was not UTF-8 have moved: then only the whole line can be named.
    fn span(&self, span: Range<usize>) -> Range<usize> {
        if self.lossy { 0..self.length } else { span }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Default, Debug, PartialEq)]
    struct Seen {
        events: Vec<(String, Range<usize>, bool)>,
        bad: Vec<(Range<usize>, String)>,
    }

    impl Sink for Seen {
        fn event(&mut self, event: &Event<'_>, span: Range<usize>) {
            self.events.push((event.audit_id.to_string(), span, event.salvaged));
        }
        fn bad(&mut self, span: Range<usize>, reason: &str) {
            self.bad.push((span, reason.to_owned()));
        }
    }

    fn seen(line: impl AsRef<[u8]>) -> Seen {
        let mut seen = Seen::default();
        decode(line.as_ref(), &mut seen);
        seen
    }

    #[test]
    fn what_is_around_an_event_is_told_from_what_holds_none() {
        let event = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a","verb":"get"}"#;
        let escaped = event.replace('"', "\\\"");
        for (line, reason) in [
            (format!(r#"{{"log":"{escaped}","stream":"stdout"}}"#), WRAPPED),
            (format!(r#"{{"log":{event}}}"#), WRAPPED),
            (format!("2026-01-01T00:00:00Z stdout F {event}"), WRAPPED),
            (r#"{"kind":"Policy","apiVersion":"audit.k8s.io/v1","rules":[]}"#.to_owned(), NO_EVENT),
            (r#"{"ids":["auditID"]}"#.to_owned(), NO_EVENT),
            ("started".to_owned(), NO_JSON),
        ] {
            let seen = seen(&line);
            assert!(seen.events.is_empty(), "{line}");
            assert_eq!(seen.bad, [(0..line.len(), reason.to_owned())], "{line}");
        }
    }

    fn record(id: &str) -> String {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"{id}","verb":"get","requestURI":"/a\u0026b"}}"#
        )
    }

    #[test]
    fn a_record_is_one_event() {
        let line = record("a");
        assert_eq!(seen(&line).events, [("a".to_owned(), 0..line.len(), false)]);
        assert_eq!(seen(&line).bad, []);
    }

    #[test]
    fn a_list_yields_its_items_each_with_its_own_place() {
        let line = r#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[{"auditID":"a"},{"auditID":"b"},7]}"#;
        let seen = seen(line);
        let places: Vec<&str> = seen.events.iter().map(|(_, span, _)| &line[span.clone()]).collect();
        assert_eq!(places, [r#"{"auditID":"a"}"#, r#"{"auditID":"b"}"#]);
        assert_eq!(seen.bad.len(), 1);
    }

    #[test]
    fn an_array_is_read_like_a_list() {
        assert_eq!(seen(r#" [{"auditID":"a"}] "#).events.len(), 1);
    }

    #[test]
    fn a_torn_record_costs_nothing_but_itself_wherever_it_is_torn() {
        let (torn, whole) = (record("torn"), record("whole"));
        for cut in 1..torn.len() {
            let line = format!("{}{whole}", &torn[..cut]);
            let seen = seen(&line);
            assert_eq!(seen.events, [("whole".to_owned(), cut..line.len(), true)], "cut at {cut}");
            assert_eq!(seen.bad.len(), 1, "cut at {cut}");
            assert_eq!(seen.bad[0].0, 0..cut);
        }
    }

    #[test]
    fn what_a_sender_put_into_a_body_is_not_taken_for_a_record() {
        let line =
            format!(r#"{{"kind":"Event","auditID":"outer","requestObject":{},"verb":"cre"#, record("forged"));
        let seen = seen(&line);
        assert_eq!(seen.events, []);
        assert!(seen.bad.iter().any(|(_, reason)| reason == "inside a torn record"), "{seen:?}");
    }

    #[test]
    fn old_times_unknown_fields_nulls_and_repeated_keys_are_read() {
        let line = r#"{"metadata":{"creationTimestamp":"2017-09-11T19:55:05Z"},"timestamp":null,"auditID":"x","auditID":"a",
            "verb":null,"user":null,"sourceIPs":null,"annotations":null,"objectRef":null,"new":{"a":[1,{}]},"responseStatus":{"code":200.5}}"#;
        assert_eq!(seen(line).events[0].0, "a");
        let mut read = WireEvent::default();
        read.read(line, true).unwrap();
        assert_eq!(read.event().unwrap().stage_time, crate::time::Timestamp::parse("2017-09-11T19:55:05Z"));
    }

    #[test]
    fn bytes_that_are_no_utf8_cost_nothing() {
        let mut line = record("a").into_bytes();
        let at = line.len() - 3;
        line.insert(at, 0xff);
        let seen = seen(&line);
        assert_eq!(seen.events, [("a".to_owned(), 0..line.len(), false)]);
    }

    #[test]
    fn a_torn_line_is_as_long_as_in_the_log_whatever_its_bytes() {
        for torn in [&b"{\"auditID\":\"a"[..], b"{\"auditID\":\"\xff\xfe"] {
            let reason = format!("torn: the JSON ends after {} bytes", torn.len());
            assert_eq!(seen(torn).bad, [(0..torn.len(), reason)]);
        }
    }

    #[test]
    fn core_events_and_other_json_are_told_apart() {
        for line in
            [r#"{"kind":"Event","apiVersion":"v1","reason":"Evicted"}"#, "{}", "null", "[]x", "7", "x"]
        {
            let seen = seen(line);
            assert_eq!(seen.events, [], "{line}");
            assert!(!seen.bad.is_empty(), "{line}");
        }
    }

    #[test]
    fn depth_does_not_hurt() {
        let deep =
            format!(r#"{{"auditID":"a","requestObject":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(seen(deep).events.len(), 1);
        assert_eq!(seen(r#"{"user":"#.repeat(100_000)).events.len(), 0);
    }

    proptest! {
        #[test]
        fn any_bytes_end_as_spans_of_the_line(bytes in proptest::collection::vec(any::<u8>(), 0..300), around in 0..4_usize) {
            let mut line = record("a").into_bytes();
            let at = line.len() * around / 3;
            line.splice(at..at, bytes);
            let seen = seen(&line);
            for span in seen.events.iter().map(|e| &e.1).chain(seen.bad.iter().map(|b| &b.0)) {
                prop_assert!(span.start <= span.end && span.end <= line.len());
            }
            prop_assert!(!seen.events.is_empty() || !seen.bad.is_empty());
        }
    }
}
