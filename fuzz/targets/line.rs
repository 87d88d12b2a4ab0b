//! One line, whatever its bytes: it is decoded within its bounds, the same with and without details and behind lines that it
//! is like, and nothing of it reaches a terminal raw.

#![no_main]

use std::ops::Range;

use audit_who_event::envelope::{Decoder, Sink, decode};
use audit_who_event::event::Event;
use audit_who_event::subject::{Key, Particulars};
use audit_who_event::{peek, uri};
use audit_who_render::{Style, Zone, write_event, write_event_json};
use libfuzzer_sys::fuzz_target;

const STYLE: Style = Style { color: false, zone: Zone::Utc, width: None };

/// Looks at all that is found.
struct Findings<'a> {
    line: &'a [u8],
    details: bool,
    /// Where events and bad spans are, in the order in which they come.
    spans: Vec<(Range<usize>, bool)>,
}

impl Sink for Findings<'_> {
    fn event(&mut self, event: &Event<'_>, span: Range<usize>) {
        _ = (Key::of(event), Particulars::of(event), uri::object_ref(&event.request_uri));
        let mut out = Vec::new();
        write_event(event, &STYLE, &mut out).expect("a vector takes all");
        write_event_json(event, None, &mut out).expect("a vector takes all");
        if let Ok(text) = std::str::from_utf8(&self.line[span.clone()]) {
            write_event_json(event, Some(text), &mut out).expect("a vector takes all");
        }
        let text = String::from_utf8(out).expect("what is written is UTF-8");
        assert!(!text.chars().any(|char| char.is_control() && char != '\n'), "{text:?}");
        self.spans.push((span, true));
    }

    fn bad(&mut self, span: Range<usize>, reason: &str) {
        assert!(!reason.is_empty());
        self.spans.push((span, false));
    }

    fn wants_details(&self) -> bool {
        self.details
    }
}

fn findings(line: &[u8], details: bool) -> Vec<(Range<usize>, bool)> {
    let mut findings = Findings { line, details, spans: Vec::new() };
    decode(line, &mut findings);
    for (span, _) in &findings.spans {
        assert!(span.start <= span.end && span.end <= line.len());
    }
    findings.spans
}

/// All that is told of lines, decoded each on its own or with a memory of those before.
struct Told {
    details: bool,
    found: Vec<(Range<usize>, String)>,
}

impl Sink for Told {
    fn event(&mut self, event: &Event<'_>, span: Range<usize>) {
        self.found.push((span, format!("{event:?}")));
    }

    fn bad(&mut self, span: Range<usize>, reason: &str) {
        self.found.push((span, reason.to_owned()));
    }

    fn wants_details(&self) -> bool {
        self.details
    }
}

fn compare(lines: &[u8], details: bool) {
    let (mut decoder, mut rest) = (Decoder::default(), lines);
    for line in lines.split(|byte| *byte == b'\n') {
        let [mut alone, mut alike, mut next] = [0, 1, 2].map(|_| Told { details, found: Vec::new() });
        decode(line, &mut alone);
        decoder.decode(line, &mut alike);
        assert_eq!(alone.found, alike.found);
        if let Some(length) = decoder.decode_next(rest, &mut next) {
            let mut all = Told { details, found: Vec::new() };
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            decode(line, &mut all);
            assert_eq!((length, next.found), (line.len(), all.found));
        }
        rest = rest.get(line.len() + 1..).unwrap_or_default();
    }
}

fuzz_target!(|line: &[u8]| {
    assert_eq!(findings(line, true), findings(line, false));
    assert!(peek::stage_times(line).is_none_or(|times| times.start() <= times.end()));
    compare(line, true);
    compare(line, false);
});
