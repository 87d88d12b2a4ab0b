//! From batches of lines to what a store holds of them: all that takes time but no database.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use audit_who_event::coverage::Moment;
use audit_who_event::envelope::{Decoder, Sink};
use audit_who_event::event::Event;
use audit_who_event::filter::ISSUED_CREDENTIAL;
use audit_who_event::keep::Keep;
use audit_who_event::subject::{self, Key, Particulars};
use audit_who_event::time::Timestamp;
use sha2::{Digest, Sha256};

use super::compression::{Dictionary, Packer};
use super::prepared::{Bad, Prepared, Row, Text};
use super::sums::Counter;
use super::{Store, settings};
use crate::error::Error;
use crate::layout::BOM;
use crate::tail::{Batch, Entry};

/// Of longer events the bodies are not stored, in bytes.
const LONGEST: usize = 1024 * 1024;

/// Decodes batches, chooses the events to keep, and compresses their lines.
///
/// ```text
/// Tailer ─► Batch ─► Recorder::prepare ─► Prepared ─► Batch::commit_with(|tx| prepared.write(tx))
/// ```
pub struct Recorder {
    keep: Keep,
    packer: Packer,
    decoder: Decoder,
    /// The words and kinds of the batch at hand, by number: emptied for each, so that memory stays bounded.
    words: HashMap<String, usize>,
    kinds: HashMap<String, usize>,
    /// The kind at hand: one buffer for all of them.
    name: String,
    sums: Counter,
}

impl Recorder {
    /// Records for `store`, by the rule `keep`, which is noted there.
    ///
    /// # Errors
    ///
    /// If the store can't be read or written.
    pub fn new(store: &Store, keep: Keep) -> Result<Self, Error> {
        let set_up = || {
            settings::set_keep(store.connection(), keep)?;
            Dictionary::stored(store.connection())
        };
        let dictionary = set_up().map_err(|error| store.failure(&error))?;
        Ok(Self {
            keep,
            packer: Packer::new(dictionary),
            decoder: Decoder::default(),
            words: HashMap::new(),
            kinds: HashMap::new(),
            name: String::new(),
            sums: Counter::default(),
        })
    }

    /// Takes from a batch what is to be stored.
    pub fn prepare(&mut self, batch: &Batch) -> Prepared {
        self.words.clear();
        self.kinds.clear();
        self.sums.clear();
        self.packer.learn();
        let dictionary = self.packer.dictionary().cloned();
        let prepared = Prepared::new(batch.generation(), self.keep, dictionary);
        let mut decoder = std::mem::take(&mut self.decoder);
        let mut work = Work { recorder: self, batch, prepared, used: 0 };
        for span in batch.spans() {
            work.prepared.counts.bad_bytes += span.length;
            work.prepared.counts.bad_lines += 1;
            work.used += span.length;
        }
        for entry in batch.entries() {
            work.entry(entry, &mut decoder);
        }
        let prepared = work.finish();
        self.decoder = decoder;
        prepared
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("keep", &self.keep).finish_non_exhaustive()
    }
}

/// One batch on its way.
struct Work<'r, 'b> {
    recorder: &'r mut Recorder,
    batch: &'b Batch,
    prepared: Prepared,
    /// Bytes that are accounted for and are not blank.
    used: u64,
}

impl<'b> Work<'_, 'b> {
    fn entry(&mut self, entry: Entry<'b>, decoder: &mut Decoder) {
        let mut offset = entry.offset;
        let mut line = entry.bytes;
        if offset == 0
            && let Some(rest) = line.strip_prefix(BOM)
        {
            (line, offset) = (rest, BOM.len() as u64);
        }
        line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() {
            return;
        }
        let mut sink = Line { work: self, text: line, offset, events: 0, bad: 0, torn: !entry.terminated };
        decoder.decode(line, &mut sink);
        let (events, bad) = (sink.events, sink.bad.min(line.len() as u64));
        let counts = &mut self.prepared.counts;
        counts.lines += u64::from(events > 0);
        counts.entry_bytes += line.len() as u64 - bad;
        self.used += line.len() as u64 - bad;
    }

    /// Takes bytes that hold no entry. Such lines that follow each other are one span: a file that is no log holds as
    /// many as it has lines.
    fn bad(&mut self, span: Range<u64>, reason: &str) {
        self.prepared.counts.bad_lines += 1;
        let batch = self.batch;
        if let Some(last) = self.prepared.bad.last_mut() {
            let end = last.offset + last.length;
            // Of a line that is no UTF-8 several spans may be the whole line.
            if span.start <= end || batch.content(end..span.start).trim_ascii().is_empty() {
                last.length = span.end.max(end) - last.offset;
                return;
            }
        }
        let length = span.end - span.start;
        self.prepared.bad.push(Bad {
            offset: span.start,
            length,
            reason: reason.to_owned(),
            sha256: [0; 32],
        });
    }

    fn finish(mut self) -> Prepared {
        for bad in &mut self.prepared.bad {
            bad.sha256 = Sha256::digest(self.batch.content(bad.offset..bad.offset + bad.length)).into();
            self.prepared.counts.bad_bytes += bad.length;
            self.used += bad.length;
        }
        // What is left is line ends, white space and a byte order mark.
        self.prepared.counts.blank_bytes = self.batch.length().saturating_sub(self.used);
        self.prepared
    }

    fn word(&mut self, word: &str, until: Option<Timestamp>) -> usize {
        let until = until.map_or(i64::MAX, Timestamp::as_micros);
        let words = &mut self.prepared.words;
        if let Some(index) = self.recorder.words.get(word) {
            words[*index].until = words[*index].until.max(until);
            return *index;
        }
        words.push(Text { of: word.to_owned(), until });
        self.recorder.words.insert(word.to_owned(), words.len() - 1);
        words.len() - 1
    }

    fn some_word(&mut self, word: &str, until: Option<Timestamp>) -> Option<usize> {
        (!word.is_empty()).then(|| self.word(word, until))
    }

    /// Takes the kind of an event, be it kept or not: what is logged at all must be known where only some is kept.
    fn kind(&mut self, event: &Event<'_>) -> usize {
        let until = event.stage_time.map_or(i64::MAX, Timestamp::as_micros);
        let (group, resource) = subject::resource_of(event);
        let subresource = event.object_ref.as_ref().map_or("", |object| &*object.subresource);
        let parts = [resource, &*event.verb, group, subresource, &*event.stage, &*event.level];
        let Recorder { kinds: known, name, .. } = &mut *self.recorder;
        name.clear();
        for part in parts {
            name.push_str(part);
            name.push('\0');
        }
        let kinds = &mut self.prepared.kinds;
        if let Some(index) = known.get(name.as_str()) {
            kinds[*index].until = kinds[*index].until.max(until);
            return *index;
        }
        kinds.push(Text { of: parts.map(str::to_owned), until });
        known.insert(name.clone(), kinds.len() - 1);
        kinds.len() - 1
    }

    fn keep(&mut self, event: &Event<'_>, kind: usize, place: &Place<'_>) {
        let key = Key::of(event);
        let Particulars { uid, dry_run } = Particulars::of(event);
        let time = event.stage_time;
        let impersonated = event.impersonated_user.as_ref().map(|user| user.username.as_ref());
        let row = Row {
            offset: place.offset,
            part: place.part,
            length: place.length,
            stage: time.map(Timestamp::as_micros),
            received: event.received.map(Timestamp::as_micros),
            kind,
            namespace: key.as_ref().map(|key| self.word(&key.namespace, time)),
            name: key.as_ref().map(|key| self.word(&key.name, time)),
            username: self.some_word(&event.user.username, time),
            impersonated: impersonated.map(|name| self.word(name, time)),
            uid: uid.map(|uid| self.word(&uid, time)),
            user_agent: self.some_word(&event.user_agent, time),
            source_ip: event.source_ips.last().map(|address| self.word(address, time)),
            code: event.response_status.as_ref().map(|status| status.code),
            dry_run,
            salvaged: event.salvaged,
            audit_id: self.prepared.text(&event.audit_id),
            request_uri: self.prepared.text(&event.request_uri),
            issued: event.annotation(ISSUED_CREDENTIAL).map(|issued| self.prepared.text(issued)),
            sha256: None,
            line: 0..0,
            counted: self.recorder.sums.count(event, &mut self.prepared.summed),
        };
        let row = self.pack(row, event, place.bytes);
        self.prepared.rows.push(row);
    }

    /// Compresses the event's bytes; of very long ones those without the bodies.
    fn pack(&mut self, row: Row, event: &Event<'_>, bytes: &[u8]) -> Row {
        let start = self.prepared.lines.len();
        let short = (bytes.len() > LONGEST).then(|| without_bodies(event, bytes)).flatten();
        self.recorder.packer.pack(short.as_deref().unwrap_or(bytes), &mut self.prepared.lines);
        let sha256 = short.is_some().then(|| Sha256::digest(bytes).into());
        Row { sha256, line: start..self.prepared.lines.len(), ..row }
    }
}

/// Where an event stands, and its bytes.
struct Place<'a> {
    offset: u64,
    part: u32,
    length: u64,
    bytes: &'a [u8],
}

/// The event's bytes with `null` in the place of its bodies; `None` if they are not to be found in the bytes.
fn without_bodies(event: &Event<'_>, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut spans = Vec::new();
    for body in [event.request_object, event.response_object].into_iter().flatten() {
        let start = body.get().as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
        let span = start..start + body.get().len();
        bytes.get(span.clone())?;
        spans.push(span);
    }
    spans.sort_by_key(|span| span.start);
    let mut out = Vec::new();
    let mut at = 0;
    for span in spans {
        out.extend_from_slice(&bytes[at..span.start]);
        out.extend_from_slice(b"null");
        at = span.end;
    }
    out.extend_from_slice(&bytes[at..]);
    Some(out)
}

/// Takes what the decoder finds in one line.
struct Line<'w, 'r, 'b> {
    work: &'w mut Work<'r, 'b>,
    text: &'b [u8],
    offset: u64,
    events: u32,
    bad: u64,
    /// Whether its writer was interrupted.
    torn: bool,
}

impl Sink for Line<'_, '_, '_> {
    fn event(&mut self, event: &Event<'_>, span: Range<usize>) {
        let offset = self.offset + span.start as u64;
        if let Some(time) = event.stage_time {
            self.work.prepared.times.add(Moment { time, source: 0, offset });
        }
        let kind = self.work.kind(event);
        if self.work.recorder.keep.keeps(event) {
            let bytes = &self.text[span.clone()];
            // Of a line that is no UTF-8 only the whole can be named, so that several events may stand at one place.
            let part = if event.lossy { self.events } else { 0 };
            let place = Place { offset, part, length: span.len() as u64, bytes };
            self.work.keep(event, kind, &place);
        }
        self.events += 1;
        self.work.prepared.seen += 1;
    }

    fn bad(&mut self, span: Range<usize>, reason: &str) {
        let length = span.len() as u64;
        self.bad += length;
        let start = self.offset + span.start as u64;
        let is_end = self.torn && span.end == self.text.len();
        self.work.bad(start..start + length, if is_end { "unterminated" } else { reason });
    }
}
