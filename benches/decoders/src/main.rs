//! How fast the lines of a log become typed events, by each decoder: `audit-who-decoders LOG`.
//!
//! All of them read the same fields, borrowed from the line where they can be, pass over the bodies, and must come to the
//! same sums.

use std::borrow::Cow;
use std::ops::Range;
use std::time::{Duration, Instant};

use audit_who_event::envelope::{self, Sink};
use audit_who_event::event;
use serde::Deserialize;

/// The best of so many rounds counts.
const ROUNDS: usize = 5;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(borrow, rename = "auditID")]
    audit_id: Cow<'a, str>,
    #[serde(borrow)]
    stage: Cow<'a, str>,
    #[serde(borrow, rename = "requestURI")]
    request_uri: Cow<'a, str>,
    #[serde(borrow)]
    verb: Cow<'a, str>,
    #[serde(borrow)]
    user: User<'a>,
    #[serde(borrow, default)]
    user_agent: Cow<'a, str>,
    #[serde(borrow)]
    object_ref: Option<ObjectRef<'a>>,
    response_status: Option<ResponseStatus>,
    #[serde(borrow)]
    request_received_timestamp: Cow<'a, str>,
    #[serde(borrow)]
    stage_timestamp: Cow<'a, str>,
}

#[derive(Deserialize)]
struct User<'a> {
    #[serde(borrow, default)]
    username: Cow<'a, str>,
}

#[derive(Deserialize)]
struct ObjectRef<'a> {
    #[serde(borrow, default)]
    resource: Cow<'a, str>,
    #[serde(borrow, default)]
    namespace: Cow<'a, str>,
    #[serde(borrow, default)]
    subresource: Cow<'a, str>,
}

#[derive(Deserialize)]
struct ResponseStatus {
    #[serde(default)]
    code: u16,
}

/// What all decoders must agree on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sums {
    events: u64,
    codes: u64,
    /// Bytes of all texts that were read.
    texts: u64,
}

/// A URI without its query: the product's decoder leaves it out where nobody looks at it.
fn path(uri: &str) -> &str {
    uri.split('?').next().unwrap_or_default()
}

impl Sums {
    fn add(&mut self, code: u16, texts: &[&str]) {
        self.events += 1;
        self.codes += u64::from(code);
        self.texts += texts.iter().map(|text| text.len() as u64).sum::<u64>();
    }

    fn typed(&mut self, event: &Event<'_>) {
        let object = event.object_ref.as_ref();
        let object = object.map_or([""; 3], |of| [&*of.resource, &of.namespace, &of.subresource]);
        let texts = [
            &*event.audit_id,
            &event.stage,
            path(&event.request_uri),
            &event.verb,
            &event.user.username,
            &event.user_agent,
        ];
        // Times are texts here, which the product's decoder turns into numbers.
        assert!(event.request_received_timestamp.len() == 27 && event.stage_timestamp.len() == 27);
        self.add(
            event.response_status.as_ref().map_or(0, |status| status.code),
            &[&texts[..], &object].concat(),
        );
    }
}

impl Sink for Sums {
    fn event(&mut self, event: &event::Event<'_>, _: Range<usize>) {
        let object = event.object_ref.as_ref();
        let object = object.map_or([""; 3], |of| [&*of.resource, &of.namespace, &of.subresource]);
        let texts = [
            &*event.audit_id,
            &event.stage,
            path(&event.request_uri),
            &event.verb,
            &event.user.username,
            &event.user_agent,
        ];
        assert!(event.received.is_some() && event.stage_time.is_some());
        self.add(event.code(), &[&texts[..], &object].concat());
    }

    fn bad(&mut self, _: Range<usize>, reason: &str) {
        panic!("{reason}");
    }

    fn wants_details(&self) -> bool {
        false
    }
}

type Decoder = (&'static str, fn(&[u8], &mut Vec<u8>, &mut Sums));

const DECODERS: &[Decoder] = &[
    ("audit-who", |line, _, sums| envelope::decode(line, sums)),
    ("serde_json", |line, _, sums| sums.typed(&serde_json::from_slice(line).expect("an event"))),
    ("sonic-rs", |line, _, sums| sums.typed(&sonic_rs::from_slice(line).expect("an event"))),
    // It decodes in place, so that it must have a copy.
    ("simd-json", |line, copy, sums| {
        copy.clear();
        copy.extend_from_slice(line);
        sums.typed(&simd_json::from_slice(copy).expect("an event"));
    }),
];

fn main() {
    let log = std::env::args().nth(1).expect("usage: audit-who-decoders LOG");
    let text = std::fs::read(&log).expect("the log can be read");
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    println!("{} lines, {:.0} MB, one thread, best of {ROUNDS}", lines.len(), text.len() as f64 / 1e6);
    let mut wanted = None;
    for (name, decode) in DECODERS {
        let (best, sums) =
            (0..ROUNDS).map(|_| measure(&lines, *decode)).min_by_key(|(time, _)| *time).expect("rounds");
        println!(
            "{name:12} {:6.0} ns a line {:6.0} MB/s",
            best.as_nanos() as f64 / lines.len() as f64,
            text.len() as f64 / best.as_secs_f64() / 1e6
        );
        assert_eq!(*wanted.get_or_insert_with(|| sums.clone()), sums, "{name}");
    }
}

fn measure(lines: &[&[u8]], decode: fn(&[u8], &mut Vec<u8>, &mut Sums)) -> (Duration, Sums) {
    let (mut sums, mut copy) = (Sums::default(), Vec::new());
    let start = Instant::now();
    for line in lines {
        decode(line, &mut copy, &mut sums);
    }
    (start.elapsed(), sums)
}
