use proptest::prelude::*;

use super::line::{NO_EVENT, NO_JSON, WRAPPED};
use super::*;

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
    for line in [r#"{"kind":"Event","apiVersion":"v1","reason":"Evicted"}"#, "{}", "null", "[]x", "7", "x"] {
        let seen = seen(line);
        assert_eq!(seen.events, [], "{line}");
        assert!(!seen.bad.is_empty(), "{line}");
    }
}

#[test]
fn depth_does_not_hurt() {
    let deep = format!(r#"{{"auditID":"a","requestObject":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
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
