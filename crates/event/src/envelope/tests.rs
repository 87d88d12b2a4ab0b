use proptest::prelude::*;

use super::line::{FOREIGN, NO_EVENT, NO_JSON, WRAPPED};
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

/// An entry, as text of a JSON string.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

#[test]
fn what_collectors_write_around_an_entry_is_looked_into() {
    let entry = record("a");
    let string = quoted(&entry);
    let legacy = r#"2026-01-02T03:04:05Z AUDIT: id="a" stage="ResponseComplete" ip="10.0.0.1" method="get" user="u" groups="\"g\"" as="<self>" asgroups="<lookup>" namespace="" uri="/a" response="200""#;
    let field = format!("\"{}\"", entry.replace('"', "\"\""));
    let twice = quoted(&format!(r#"{{"log":{}}}"#, quoted(&format!("{entry}\n"))));
    for (line, place) in [
        (format!("2026-01-02T03:04:05.123456789Z stdout F {entry}"), &entry),
        (format!("ip-10-0-140-97.ec2.internal {entry}"), &entry),
        (format!("2026-01-02T03:04:05+00:00\tk8s.audit\t{entry}"), &entry),
        (format!("<14>Nov  3 05:40:10 cp-1 kube-audit[17]: {entry}"), &entry),
        (format!("Nov  3 05:40:10 cp-1 kube-audit: {entry}"), &entry),
        (format!("<14>1 2026-01-02T03:04:05Z cp-1 kube-audit 17 - - {entry}"), &entry),
        (format!(r#"{{"log":{string},"stream":"stdout"}}"#), &string),
        (format!(r#"{{"l\u006fg":{string}}}"#), &string),
        (format!(r#"{{"log":{twice}}}"#), &twice),
        (format!(r#"{{"log":{},"stream":"stderr"}}"#, quoted(legacy)), &quoted(legacy)),
        (format!(r#"{{"message":{}}}"#, quoted(&format!("cp-1 {entry}"))), &quoted(&format!("cp-1 {entry}"))),
        (format!(r#"{{"log":{string},"kubernetes":{{"container_name":"kube-apiserver"}}}}"#), &string),
        (format!(r#"{{"_source":{{"kubernetes":{{"audit":{entry}}}}}}}"#), &entry),
        (format!(r#"{{"properties":{{"log":{entry}}},"time":"x"}}"#), &entry),
        (format!(r#"{{"data":{{"result":[{{"stream":{{}},"values":[["17",{string}]]}}]}}}}"#), &string),
        (
            format!(
                r#"{{"results":[[{{"field":"@timestamp","value":"x"}},{{"field":"@message","value":{string}}}]]}}"#
            ),
            &string,
        ),
        (format!(r#"[{{"message":{string}}}]"#), &string),
        (format!("[{string}]"), &string),
        (string.clone(), &string),
        (format!("stream,2021-08-11 09:29:13.095,{field}"), &field),
        (field.clone(), &field),
    ] {
        let Seen { events, bad } = seen(&line);
        assert_eq!(bad, [], "{line}");
        let [(id, span, false)] = &events[..] else { panic!("{line}: {events:?}") };
        assert_eq!((&**id, &line[span.clone()]), ("a", &**place), "{line}");
        // It is found again in what evidence names.
        assert_eq!(seen(&line[span.clone()]).events.len(), 1, "{line}");
    }
}

#[test]
fn what_anybody_may_have_written_is_no_entry() {
    let entry = record("forged");
    let string = quoted(&entry);
    for line in [
        // Objects of Kubernetes, and lists of them.
        format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","data":{{"log":{string}}}}}"#),
        format!(r#"{{"kind":"Event","metadata":{{}},"message":{string}}}"#),
        format!(r#"{{"kind":"EventList","items":[{{"message":{string}}}]}}"#),
        format!(r#"{{"jsonPayload":{{"apiVersion":"v1","message":{string}}}}}"#),
        // What programs say.
        format!(r#"{{"log":{string},"kubernetes":{{"container_name":"web"}}}}"#),
        format!(r#"{{"message":{string},"kubernetes":{{"container":{{"name":"web"}}}}}}"#),
        format!(r#"{{"msg":{string}}}"#),
        format!(r#"{{"log":"said","labels":{{"log":{string}}}}}"#),
        format!("E1123 05:40:10.123456       1 web.go:12] {entry}"),
        format!("web.go:12] {entry}"),
        format!("a user said {entry}"),
        format!("user=x {entry}"),
        format!(
            r#"E1123 05:40:10.123456 1 web.go:12] "said",{}"#,
            format_args!("\"{}\"", entry.replace('"', "\"\""))
        ),
        format!("2026-01-02T03:04:05Z stderr F E1123 05:40:10.123456       1 web.go:12] {entry}"),
    ] {
        let Seen { events, bad } = seen(&line);
        assert_eq!(events, [], "{line}");
        assert_eq!(bad.len(), 1, "{line}");
    }
}

#[test]
fn what_is_around_an_event_is_told_from_what_holds_none() {
    let entry = record("a");
    let container = format!(r#"{{"log":{},"kubernetes":{{"container_name":"web"}}}}"#, quoted(&entry));
    for (line, reason) in [
        (format!(r#"{{"unknown":{entry}}}"#), WRAPPED),
        (format!("one two three four {entry}"), WRAPPED),
        (r#"{"kind":"Policy","apiVersion":"audit.k8s.io/v1","rules":[]}"#.to_owned(), NO_EVENT),
        (r#"{"ids":["auditID"]}"#.to_owned(), NO_EVENT),
        (r#"{"log":"said"}"#.to_owned(), NO_EVENT),
        ("started".to_owned(), NO_JSON),
        (container, FOREIGN),
        (entry.replace(r#""auditID""#, r#""kubernetes":{"container_name":"web"},"auditID""#), FOREIGN),
    ] {
        let seen = seen(&line);
        assert!(seen.events.is_empty(), "{line}");
        assert_eq!(seen.bad, [(0..line.len(), reason.to_owned())], "{line}");
    }
}

#[test]
fn in_a_list_what_holds_no_entry_is_told() {
    let entry = quoted(&record("a"));
    let torn = quoted(&record("a")[..60]);
    let line = format!(r#"{{"events":[{{"message":{entry}}},{{"message":"said"}},{{"message":{torn}}}]}}"#);
    let Seen { events, bad } = seen(&line);
    assert_eq!(events.len(), 1);
    let bad: Vec<(&str, &str)> = bad.iter().map(|(span, reason)| (&line[span.clone()], &**reason)).collect();
    assert_eq!(bad, [(&*torn, "torn: the JSON ends after 60 bytes"), (r#"{"message":"said"}"#, NO_EVENT)]);
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
    let nested =
        |depth: usize| format!("{}{}{}", r#"{"data":"#.repeat(depth), record("a"), "}".repeat(depth));
    assert_eq!(seen(nested(12)).events.len(), 1);
    assert_eq!(seen(nested(100_000)).events.len(), 0);
    assert_eq!(seen("[".repeat(100_000)).events.len(), 0);
    let strings = |depth| (0..depth).fold(record("a"), |text, _| format!(r#"{{"log":{}}}"#, quoted(&text)));
    assert_eq!((seen(strings(4)).events.len(), seen(strings(5)).events.len()), (1, 0));
}

proptest! {
    /// Whatever stands within what, up to a depth, the entry is found, and again in what evidence names.
    #[test]
    fn an_entry_is_found_within_anything_known(around in proptest::collection::vec(0..8_usize, 0..4)) {
        let line = around.iter().fold(record("a"), |inner, which| match which {
            0 => format!(r#"{{"log":{},"stream":"stdout"}}"#, quoted(&format!("{inner}\n"))),
            1 => format!(r#"{{"time":"x","message":{}}}"#, quoted(&inner)),
            2 => format!(r#"{{"records":[{inner}]}}"#),
            3 => format!(r#"{{"properties":{inner},"labels":{{"log":"{{}}"}}}}"#),
            4 => format!(r#"{{"values":[["17",{}]]}}"#, quoted(&inner)),
            5 => format!(r#"{{"log":{}}}"#, quoted(&format!("2026-01-02T03:04:05Z stdout F {inner}"))),
            6 => format!(r#"{{"_source":{{"kubernetes":{{"audit":{inner}}}}}}}"#),
            _ => format!(r#"{{"body":{{"stringValue":{}}}}}"#, quoted(&inner)),
        });
        let Seen { events, bad } = seen(&line);
        prop_assert_eq!(bad, []);
        prop_assert_eq!(events.len(), 1);
        let mut again = Seen::default();
        Decoder::default().decode(line.as_bytes(), &mut again);
        prop_assert_eq!(&again.events, &events);
        prop_assert_eq!(seen(&line[events[0].1.clone()]).events.len(), 1);
    }

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
