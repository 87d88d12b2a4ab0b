//! From the bytes of a line to the events in it.

mod line;
mod wrapped;

use std::borrow::Cow;
use std::ops::Range;

use self::line::Line;
pub(crate) use self::wrapped::is_of_another_container;
pub use self::wrapped::{has_prefix, is_api_server};
use crate::decode::{Found, Set, Shapes, WireEvent};
use crate::event::Event;
use crate::json::Cursor;
use crate::json::model::Models;
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

/// Decodes one line, in whatever form it is, and hands every event and every bad span in it to `sink`.
///
/// Read are: events, one or several behind each other; lists of events, as the webhook backend posts them; JSON arrays
/// of events; the legacy text format. The line has no line end. Whatever the bytes are, this returns: what can't be read
/// is a bad span. Bytes that are no UTF-8 do not cost the event; they stand as U+FFFD in it.
pub fn decode(line: &[u8], sink: &mut impl Sink) {
    // Nearly every line is valid: checking that is much faster than looking for what is to be replaced.
    let text = std::str::from_utf8(line).map_or_else(|_| String::from_utf8_lossy(line), Cow::Borrowed);
    let lossy = matches!(text, Cow::Owned(_));
    Line { lossy, ..Line::of(&text, line.len()) }.decode(sink);
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
        if !(is_read || self.decode_object(line, sink)) {
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

    /// Reads one object that is all of a line, as nearly every event is; says whether there is one.
    fn decode_object(&mut self, line: &[u8], sink: &mut impl Sink) -> bool {
        let Ok(text) = std::str::from_utf8(line) else { return false };
        let mut cursor = Cursor::new(text, sink.wants_details());
        std::mem::swap(&mut cursor.spares, &mut self.spares);
        cursor.models = cursor.details.then(|| std::mem::take(&mut self.models));
        let mut record = WireEvent::default();
        let is_whole = record.walk(text, &mut cursor) == Some(line.len()) && record.items.is_none();
        let event = if is_whole { record.event() } else { None };
        let is_event = event.map(|event| sink.event(event, 0..line.len())).is_some();
        if is_whole && !is_event {
            Line::of(text, line.len()).value(&mut record, 0..line.len(), false, sink);
        }
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
        is_whole
    }
}

#[cfg(test)]
mod tests;
