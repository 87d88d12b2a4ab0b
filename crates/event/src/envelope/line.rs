//! The forms in which entries stand in a line.

use std::ops::Range;

use memchr::memmem;

use super::Sink;
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

/// A line as text, with the length it has in the log.
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) lossy: bool,
    pub(super) length: usize,
}

impl<'a> Line<'a> {
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
