//! Lines that are like others are told as if each was decoded on its own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::ops::Range;

use audit_who_event::envelope::{Decoder, Sink, decode};
use audit_who_event::event::Event;
use audit_who_event::note::{Fields, Generation, Note, Times};
use audit_who_testkit::entry::Level;
use audit_who_testkit::generator::Generator;
use proptest::prelude::*;

/// Each field that a note may depend on, and what it tells.
type Told = fn(&Event<'_>) -> String;
const FIELDS: &[(Fields, Told)] = &[
    (Fields::AUDIT_ID, |event| event.audit_id.to_string()),
    (Fields::STAGE, |event| event.stage.to_string()),
    (Fields::URI, |event| event.request_uri.to_string()),
    (Fields::VERB, |event| event.verb.to_string()),
    (Fields::USER, |event| {
        let acting = event.impersonated_user.as_ref().map(|user| &user.username);
        format!("{:?} {acting:?} {:?}", event.user.username, event.impersonation_constraint)
    }),
    (Fields::CLIENT, |event| event.user_agent.to_string()),
    (Fields::RESOURCE, |event| {
        let of = event.object_ref.as_ref().map(|of| (&of.resource, &of.api_group, &of.api_version));
        format!("{of:?}")
    }),
    (Fields::SUBRESOURCE, |event| {
        format!("{:?}", event.object_ref.as_ref().map(|object| &object.subresource))
    }),
    (Fields::NAMESPACE, |event| format!("{:?}", event.object_ref.as_ref().map(|object| &object.namespace))),
    (Fields::CODE, |event| format!("{:?}", event.response_status.as_ref().map(|status| status.code))),
    (Fields::BODIES, |event| {
        let details = event.response_status.as_ref().map(|status| &status.details);
        format!("{:?} {:?} {details:?}", event.request_object, event.response_object)
    }),
];

/// Tells what of events it heeds, by notes where it can.
struct Seen {
    details: bool,
    /// Without, it notes nothing, and sees all of an event.
    heeds: Option<Fields>,
    found: Vec<(Range<usize>, String)>,
    /// So many of them stand where they stand in the text, and not in their line.
    told: usize,
    last: String,
    notes: Vec<String>,
    /// How many events were told by a note.
    again: usize,
    /// How many lines were read before their end was looked for.
    known: usize,
    generation: Generation,
}

impl Seen {
    fn new(details: bool, heeds: Option<Fields>) -> Self {
        Self {
            details,
            heeds,
            found: Vec::new(),
            told: 0,
            last: String::new(),
            notes: Vec::new(),
            again: 0,
            known: 0,
            generation: Generation::begin(),
        }
    }

    /// Goes on to the next line: what was found since the last one stands where that began.
    fn end_line(&mut self, start: &mut usize, length: usize) {
        for (span, _) in &mut self.found[self.told..] {
            *span = span.start + *start..span.end + *start;
        }
        self.told = self.found.len();
        *start += length;
    }

    fn at(told: &str, times: &Times) -> String {
        format!("{told} {times:?}")
    }
}

impl Sink for Seen {
    fn event(&mut self, event: &Event<'_>, span: Range<usize>) {
        let Some(heeds) = self.heeds else { return self.found.push((span, format!("{event:?}"))) };
        let told = FIELDS.iter().filter(|(field, _)| field.meets(heeds)).map(|(_, told)| told(event));
        self.last = told.collect::<Vec<_>>().join(" ");
        let times = Times { received: event.received, stage_time: event.stage_time };
        self.found.push((span, Self::at(&self.last, &times)));
    }

    fn bad(&mut self, span: Range<usize>, reason: &str) {
        self.found.push((span, reason.to_owned()));
    }

    fn wants_details(&self) -> bool {
        self.details
    }

    fn note(&mut self) -> Option<Note> {
        let heeds = self.heeds?;
        self.notes.push(self.last.clone());
        Some(Note { number: self.notes.len() - 1, generation: self.generation, heeds })
    }

    fn again(&mut self, note: Note, times: &Times, span: Range<usize>) -> bool {
        let is_known = note.generation == self.generation;
        if is_known {
            self.again += 1;
            self.found.push((span, Self::at(&self.notes[note.number], times)));
        }
        is_known
    }
}

/// Decodes lines one by one on their own, and with a memory of those before; what is noted is forgotten after each `forget`.
fn both(lines: &[Vec<u8>], heeds: Option<Fields>, forget: usize) -> [Seen; 2] {
    decoded(lines, false, heeds, forget)
}

fn decoded(lines: &[Vec<u8>], details: bool, heeds: Option<Fields>, forget: usize) -> [Seen; 2] {
    let (mut alone, mut alike) = (Seen::new(details, heeds), Seen::new(details, heeds));
    let mut decoder = Decoder::default();
    for (number, line) in lines.iter().enumerate() {
        decode(line, &mut alone);
        decoder.decode(line, &mut alike);
        if number % forget == forget - 1 {
            alike.generation = Generation::begin();
        }
    }
    [alone, alike]
}

/// Decodes the lines of a text as [`both`] does, and with a memory reads on from the end of each line that is known.
fn read_on(text: &[u8], heeds: Option<Fields>, forget: usize) -> [Seen; 2] {
    let (mut alone, mut alike) = (Seen::new(false, heeds), Seen::new(false, heeds));
    let mut start = 0;
    for line in text.split(|byte| *byte == b'\n') {
        decode(line.strip_suffix(b"\r").unwrap_or(line), &mut alone);
        alone.end_line(&mut start, line.len() + 1);
    }
    let (mut decoder, mut start, mut known) = (Decoder::default(), 0, 0);
    while start <= text.len() {
        let rest = &text[start..];
        let length = if let Some(length) = decoder.decode_next(rest, &mut alike) {
            known += 1;
            length + usize::from(rest[length] == b'\r')
        } else {
            let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let line = &rest[..length];
            decoder.decode(line.strip_suffix(b"\r").unwrap_or(line), &mut alike);
            length
        };
        alike.end_line(&mut start, length + 1);
        if known % forget == forget - 1 {
            alike.generation = Generation::begin();
        }
    }
    alike.known = known;
    [alone, alike]
}

fn generated(level: Level) -> Vec<Vec<u8>> {
    let mut log = Vec::new();
    Generator::new(5).level(level).write(&mut log, 2 << 20).unwrap();
    log.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

#[test]
fn nearly_every_line_of_a_log_is_like_another() {
    for level in [Level::Metadata, Level::RequestResponse] {
        let lines = generated(level);
        let user_and_verb = Fields::USER.and(Fields::VERB);
        for (heeds, least) in [(None, 0), (Some(user_and_verb), 85), (Some(Fields::ALL), 0)] {
            let [alone, alike] = both(&lines, heeds, 100_000);
            assert_eq!(alone.found, alike.found);
            assert!(alike.again * 100 >= lines.len() * least, "{} of {}", alike.again, lines.len());
        }
        let [alone, alike] = decoded(&lines, true, None, 100_000);
        assert_eq!(alone.found, alike.found);
        // Each has an audit ID of its own.
        assert_eq!(both(&lines, Some(Fields::AUDIT_ID), 100_000)[1].again, 0);
    }
}

/// Nobody looks for the end of a line that is like another.
#[test]
fn nearly_every_line_ends_where_one_like_it_does() {
    for level in [Level::Metadata, Level::RequestResponse] {
        let lines = generated(level);
        for end in [&b"\n"[..], b"\r\n"] {
            let [alone, alike] = read_on(&lines.join(end), Some(Fields::USER), 100_000);
            assert_eq!(alone.found, alike.found);
            assert!(alike.known * 100 >= lines.len() * 85, "{} of {}", alike.known, lines.len());
        }
    }
}

/// A record that is no line is decoded as a whole, and no line is known by it.
#[test]
fn records_of_several_lines_are_no_lines() {
    let record = format!(r#"{{"auditID":"a","requestURI":"/a","userAgent":"{AGENT}","verb":"get"}}"#);
    let broken = record.replace(r#","verb""#, ",\n\"verb\"");
    let two = format!("{record}\n{record}");
    let lines = [&record, &two, &record, &broken, &broken, &two].map(|record| record.clone().into_bytes());
    let [alone, alike] = both(&lines, None, 100);
    assert_eq!(alone.found, alike.found);
    let (mut decoder, mut seen) = (Decoder::default(), Seen::new(false, None));
    decoder.decode(broken.as_bytes(), &mut seen);
    assert_eq!(decoder.decode_next(format!("{broken}\n").as_bytes(), &mut seen), None);
    decoder.decode(record.as_bytes(), &mut seen);
    assert_eq!(decoder.decode_next(record.as_bytes(), &mut seen), None);
    assert_eq!(decoder.decode_next(format!("{record}\r{record}").as_bytes(), &mut seen), None);
    for end in ["\n", "\r\n", "\n\n"] {
        assert_eq!(decoder.decode_next(format!("{record}{end}").as_bytes(), &mut seen), Some(record.len()));
    }
}

/// Longer than what tells ends of lines apart.
const AGENT: &str = "an-agent-with-a-name-that-is-longer-than-what-tells-ends-of-lines-apart/v1.36.2-with-all-of-its-build-metadata";

/// A key that is told twice is told by its last value, and an object by its last value as a whole.
#[test]
fn what_tells_a_key_twice_has_no_like() {
    let line = |first: &str, second: &str| {
        let rest = format!(r#""user":{{"username":"{first}"}},"user":{second}"#);
        format!(r#"{{"auditID":"a","requestURI":"/a","userAgent":"{AGENT}",{rest}}}"#)
    };
    let users = [line("", "{}"), line("x", "{}"), line("x", r#"{"username":"y"}"#), line("x", "null")];
    let at = |time| {
        let rest = format!(r#""stageTimestamp":"{time}","stageTimestamp":7"#);
        format!(r#"{{"auditID":"a","requestURI":"/a","userAgent":"{AGENT}",{rest}}}"#)
    };
    let times = ["none", "2026-01-01T00:00:00.000001Z"].map(at);
    let lines: Vec<_> = users.into_iter().chain(times).map(String::into_bytes).collect();
    for heeds in [None, Some(Fields::USER)] {
        let [alone, alike] = both(&lines, heeds, 100);
        assert_eq!(alone.found, alike.found);
    }
}

/// What follows the URI is read by the like of it only behind the same keys.
#[test]
fn the_end_of_a_line_belongs_to_its_beginning() {
    let end = r#""requestURI":"/a","verb":"get""#;
    let lines = [
        format!(r#"{{"auditID":"a",{end},"user":{{"groups":["g"]}}}}"#),
        format!(r#"{{"auditID":"b","user":{{"username":"x"}},{end}}}"#),
        format!(r#"{{"auditID":"c","user":{{"username":"x"}},{end},"user":{{"groups":["g"]}}}}"#),
    ];
    let lines = [0, 1, 2, 0, 1, 2].map(|line: usize| lines[line].clone().into_bytes());
    let [alone, alike] = both(&lines, None, 100);
    assert_eq!(alone.found, alike.found);
    assert!(alone.found[5].1.contains(r#"username: """#), "{}", alone.found[5].1);
}

/// Clients may send any number of values, of which each would have to be kept.
#[test]
fn lines_with_lists_without_end_are_not_kept() {
    for (addresses, is_kept) in [(40, true), (80, false)] {
        let list = vec![r#""10.0.0.1""#; addresses].join(",");
        let rest = format!(r#""verb":"get","userAgent":"{AGENT}","sourceIPs":[{list}]"#);
        let line = format!(r#"{{"auditID":"a","requestURI":"/a",{rest}}}"#).into_bytes();
        let [alone, alike] = both(&[line.clone(), line], Some(Fields::VERB), 100);
        assert_eq!(alone.found, alike.found);
        assert_eq!(alike.again, usize::from(is_kept), "{addresses}");
    }
}

#[test]
fn what_is_no_event_or_not_all_of_a_line_is_told_so() {
    let end = r#""verb":"get","requestObject":{},"responseStatus":{"code":200}"#;
    let record = format!(r#"{{"auditID":"a","requestURI":"/a","userAgent":"{AGENT}",{end}}}"#);
    let without_id = record.replace(r#""auditID":"a""#, r#""auditID":"""#);
    let without_verb = without_id.replace("get", "");
    let list = record.replace(r#""requestObject":{}"#, r#""items":[{"auditID":"b"}]"#);
    let lines = [
        format!("{record}{record}"),
        format!("{record} "),
        record[..record.len() - 1].to_owned(),
        record.replace("{}", " {}"),
        record.replace("{}", "null"),
        record.replace("200", "007"),
        record.replace("200", "2000"),
        record.replace("200", "200.5"),
        without_verb.replace(r#""/a""#, r#""""#),
        without_verb,
        without_id,
        list,
    ];
    for other in lines {
        let lines = [&record, &other, &record, &other, &record].map(|line| line.clone().into_bytes());
        for heeds in [None, Some(Fields::CODE), Some(Fields::VERB)] {
            let [alone, alike] = both(&lines, heeds, 100);
            assert_eq!(alone.found, alike.found, "{other}");
        }
    }
}

/// A value: nearly always one of a few, else something odd.
fn value(usual: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    const ODD: &[&str] = &[
        "null",
        "\"\"",
        "7",
        "true",
        "{}",
        "[]",
        "\"a\\u0026b\"",
        "\"/a?b\\u0026c\"",
        "\"\\ud834\\udd1e\"",
        "\"\\ud834\"",
        "\"ä\"",
        "\"\\\"q\\\"\"",
        " \"x\"",
        "{\"username\":\"x\"}",
        "{\n\"name\":\"x\"}",
        "{\"name\":\r\n\"x\" }",
        "\"2026-01-01T00:00:00Z\"",
    ];
    prop_oneof![12 => prop::sample::select(usual), 1 => prop::sample::select(ODD)]
}

const TIMES: &[&str] = &["\"2026-01-01T00:00:00.000001Z\"", "\"2026-01-01T00:00:01.500000Z\""];
const TEXTS: &[&str] = &["\"a\"", "\"b\"", "\"long-enough-for-more-than-one-step\""];

/// A few keys in two orders, with values that differ.
fn entry() -> impl Strategy<Value = Vec<u8>> {
    let user = (value(TEXTS), value(&["[\"g\"]", "[\"h\"]", "[\"g\",\"h\"]"]))
        .prop_map(|(name, groups)| format!(r#"{{"username":{name},"groups":{groups}}}"#));
    let object =
        (value(&["\"pods\"", "\"nodes\""]), value(TEXTS), value(TEXTS), value(&["\"status\"", "\"scale\""]))
            .prop_map(|(resource, namespace, name, sub)| {
                format!(
                    r#"{{"resource":{resource},"namespace":{namespace},"name":{name},"subresource":{sub}}}"#
                )
            });
    let status = (value(&["200", "404", "2000"]), value(&["{\"name\":\"x\"}", "{\"name\":\"y\",\"a\":[1]}"]))
        .prop_map(|(code, details)| format!(r#"{{"metadata":{{}},"details":{details},"code":{code}}}"#));
    let head =
        (value(TEXTS), value(&["\"ResponseComplete\"", "\"Panic\""]), value(&["\"/a\"", "\"/a?b=c\""]));
    let tail =
        (value(&["\"get\"", "\"list\""]), user, value(TEXTS), object, status, value(TIMES), value(TIMES));
    let rest = (value(&["{\"k\":\"v\"}", "{\"k\":\"\\\"w\\\"\"}"]), 0..16_u8);
    (head, tail, rest).prop_map(
        |((id, stage, uri), (verb, user, agent, object, status, from, until), (notes, kind))| {
            let mut pairs = vec![
                ("auditID", id.to_owned()),
                ("stage", stage.to_owned()),
                ("requestURI", uri.to_owned()),
                ("userAgent", if kind & 8 == 0 { format!("\"{AGENT}\"") } else { agent.to_owned() }),
                ("verb", verb.to_owned()),
                ("user", user.clone()),
            ];
            if kind & 1 == 0 {
                pairs.push(("objectRef", object.clone()));
            }
            pairs.extend([("responseStatus", status), ("requestReceivedTimestamp", from.to_owned())]);
            pairs.extend([("stageTimestamp", until.to_owned()), ("annotations", notes.to_owned())]);
            match kind & 7 {
                2 => pairs.push(("requestObject", object)),
                3 => pairs.push(("impersonatedUser", user)),
                4 => pairs.swap(1, 5),
                _ => {}
            }
            let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
            format!("{{{}}}", pairs.join(",")).into_bytes()
        },
    )
}

/// A line with a few bytes that are others, or its end cut off.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop::sample::select(&b"\"\\{}[],:0a \x80\xe2\xff\n\x1f"[..]);
    let changes = prop::collection::vec((any::<prop::sample::Index>(), byte, 0..3_u8), 1..3);
    let change = prop_oneof![6 => Just(Vec::new()), 1 => changes];
    (entry(), change).prop_map(|(mut line, changes)| {
        for (place, byte, kind) in changes {
            let place = place.index(line.len());
            match kind {
                0 => line[place] = byte,
                1 => line.insert(place, byte),
                _ => drop(line.remove(place)),
            }
        }
        line
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn lines_are_told_as_if_each_was_alone(
        lines in prop::collection::vec(line(), 1..60), heeds in prop::option::of(0..FIELDS.len() * FIELDS.len()),
        forget in 1..40_usize,
    ) {
        let field = |number: usize| FIELDS[number % FIELDS.len()].0;
        let heeds = heeds.map(|number| field(number).and(field(number / FIELDS.len())));
        let [alone, alike] = both(&lines, heeds, forget);
        prop_assert_eq!(alone.found, alike.found);
        let [alone, alike] = decoded(&lines, true, None, forget);
        prop_assert_eq!(alone.found, alike.found);
        for end in [&b"\n"[..], b"\r\n", b"\r", b" \n"] {
            let [alone, alike] = read_on(&lines.join(end), heeds, forget);
            prop_assert_eq!(alone.found, alike.found);
        }
    }
}
