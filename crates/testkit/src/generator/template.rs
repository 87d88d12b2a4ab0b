//! A line of a log with holes in it: writing one is a few copies, whatever its size.

use std::ops::Range;

use crate::entry::{Entry, Level};
use crate::random::SplitMix64;
use crate::time::micro_time;

/// What fills a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hole {
    AuditId,
    Received,
    StageTime,
    Second,
    Namespace,
    Pod,
    Node,
    Uid,
    Version,
    Hex,
    Filler,
}

/// How a hole is written in the entry that a template is made of. No character of it is escaped in JSON.
const MARKS: [(&str, Hole); 11] = [
    ("@AUDIT@", Hole::AuditId),
    // The times of the entry below.
    ("1970-01-01T00:00:00.000000Z", Hole::Received),
    ("1970-01-01T00:00:00.000001Z", Hole::StageTime),
    ("@SECOND@", Hole::Second),
    ("@NAMESPACE@", Hole::Namespace),
    ("@POD@", Hole::Pod),
    ("@NODE@", Hole::Node),
    ("@UID@", Hole::Uid),
    ("@VERSION@", Hole::Version),
    ("@HEX@", Hole::Hex),
    ("@FILLER@", Hole::Filler),
];

/// What the holes of one line are filled with.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    pub(super) namespace: &'static str,
    pub(super) node: &'static str,
    pub(super) pod: Vec<u8>,
    pub(super) uid: Vec<u8>,
    pub(super) received: i64,
    pub(super) stage_time: i64,
    pub(super) version: u64,
}

/// A rendered entry, cut at its holes: text, hole, text, … text.
#[derive(Clone, Debug)]
pub(super) struct Template {
    parts: Vec<(Vec<u8>, Hole)>,
    end: Vec<u8>,
    /// How long the request took at least, microseconds.
    pub(super) latency: u32,
}

impl Template {
    /// Renders the entry once. Its audit id and times become holes.
    pub(super) fn new(entry: Entry, policy: Level) -> Self {
        let latency = if entry.verb == "watch" { 240_000_000 } else { 900 };
        let line =
            Entry { audit_id: "@AUDIT@".to_owned(), received: 0, stage_time: 1, ..entry }.to_line(policy);
        let mut parts = Vec::new();
        let mut rest = line.as_str();
        while let Some((at, mark, hole)) = first_mark(rest) {
            parts.push((rest.as_bytes()[..at].to_vec(), hole));
            rest = &rest[at + mark.len()..];
        }
        Self { parts, end: format!("{rest}\n").into_bytes(), latency }
    }

    /// Appends the line with its newline.
    pub(super) fn write(&self, values: &Values, ink: &mut Ink, out: &mut Vec<u8>) {
        ink.draw_filler();
        for (text, hole) in &self.parts {
            out.extend_from_slice(text);
            match hole {
                Hole::AuditId => ink.random.uuid(out),
                Hole::Received => ink.received.write(values.received, out),
                Hole::StageTime => ink.stage_time.write(values.stage_time, out),
                Hole::Second => ink.stage_time.write_second(values.stage_time, out),
                Hole::Namespace => out.extend_from_slice(values.namespace.as_bytes()),
                Hole::Pod => out.extend_from_slice(&values.pod),
                Hole::Node => out.extend_from_slice(values.node.as_bytes()),
                Hole::Uid => out.extend_from_slice(&values.uid),
                Hole::Version => out.extend_from_slice(values.version.to_string().as_bytes()),
                Hole::Hex => ink.random.hex(16, out),
                Hole::Filler => out.extend_from_slice(&ink.filler[ink.drawn.clone()]),
            }
        }
        out.extend_from_slice(&self.end);
    }
}

fn first_mark(text: &str) -> Option<(usize, &'static str, Hole)> {
    MARKS
        .iter()
        .filter_map(|&(mark, hole)| text.find(mark).map(|at| (at, mark, hole)))
        .min_by_key(|&(at, ..)| at)
}

/// What is drawn anew for each line.
#[derive(Clone, Debug)]
pub(super) struct Ink {
    pub(super) random: SplitMix64,
    received: Stamp,
    stage_time: Stamp,
    filler: Vec<u8>,
    /// The part of the filler that stands in this line: a request's body and its answer hold the same.
    drawn: Range<usize>,
}

/// The longest filler, bytes.
const LONGEST: u32 = 95_000;

impl Ink {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let mut filler = Vec::new();
        random.hex(LONGEST as usize * 2, &mut filler);
        Self { random, received: Stamp::default(), stage_time: Stamp::default(), filler, drawn: 0..0 }
    }

    /// Draws the filler of the next line. Mostly short, sometimes long, seldom very long: the sizes of config maps.
    fn draw_filler(&mut self) {
        let longest = match self.random.below(1000) {
            0..20 => LONGEST,
            20..90 => 12_000,
            _ => 1500,
        };
        let start = self.random.below(LONGEST) as usize;
        self.drawn = start..start + self.random.below(longest) as usize;
    }
}

/// Writes times; most of them fall into the second of the time before.
#[derive(Clone, Debug, Default)]
struct Stamp {
    second: i64,
    text: Vec<u8>,
}

impl Stamp {
    fn write(&mut self, micros: i64, out: &mut Vec<u8>) {
        self.turn(micros);
        let start = out.len();
        out.extend_from_slice(&self.text);
        let mut fraction = micros.rem_euclid(1_000_000);
        for digit in out[start + 20..start + 26].iter_mut().rev() {
            *digit = b'0' + u8::try_from(fraction % 10).unwrap_or(0);
            fraction /= 10;
        }
    }

    fn write_second(&mut self, micros: i64, out: &mut Vec<u8>) {
        self.turn(micros);
        out.extend_from_slice(&self.text[..19]);
        out.push(b'Z');
    }

    fn turn(&mut self, micros: i64) {
        let second = micros.div_euclid(1_000_000);
        if self.text.is_empty() || second != self.second {
            self.second = second;
            self.text = micro_time(micros).into_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::User;
    use crate::object;
    use crate::object_ref::ObjectRef;

    #[test]
    fn a_filled_template_is_the_entry_itself() {
        let entry = |namespace: &str, pod: &str, uid: &str| {
            Entry::new(User::default(), "delete", ObjectRef::pod(namespace, pod))
                .answer(200, object! { "kind": "Pod", "metadata": object! { "name": pod, "uid": uid } })
        };
        let template = Template::new(entry("@NAMESPACE@", "@POD@", "@UID@"), Level::RequestResponse);
        let values = Values {
            namespace: "shop",
            pod: b"web-1".to_vec(),
            uid: b"uid-1".to_vec(),
            received: 1_795_412_710_504_068,
            stage_time: 1_795_412_711_000_007,
            ..Values::default()
        };
        let mut line = Vec::new();
        template.write(&values, &mut Ink::new(7), &mut line);
        let line = String::from_utf8(line).unwrap();
        let audit_id = line.split("\"auditID\":\"").nth(1).unwrap()[..36].to_owned();
        let expected = Entry {
            audit_id,
            received: values.received,
            stage_time: values.stage_time,
            ..entry("shop", "web-1", "uid-1")
        };
        assert_eq!(line, expected.to_line(Level::RequestResponse) + "\n");
    }

    #[test]
    fn stamps_are_those_of_the_slow_way() {
        let mut stamp = Stamp::default();
        for micros in [0, 1, 999_999, 1_000_000, 1_795_412_710_504_068, 5] {
            let mut out = Vec::new();
            stamp.write(micros, &mut out);
            assert_eq!(out, micro_time(micros).into_bytes());
        }
    }
}
