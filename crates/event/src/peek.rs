//! A cheap look at when an entry was written, without decoding it.

use memchr::memmem;

use crate::time::Timestamp;

/// The keys that hold an entry's stage time, and what is looked for first: that of `v1`, then that of `v1alpha1`.
const KEYS: [&[u8]; 2] = [b"stageTimestamp", b"timestamp"];

/// The longest RFC 3339 time that is read, in bytes: nanoseconds with an offset.
const LONGEST: usize = 35;

/// When the entry in `line` reached its stage, as far as a search from the line's end can tell.
///
/// The last value of `"stageTimestamp"` counts, also in JSON inside a JSON string; else that of `"timestamp"`; else the
/// time at the start of a line in the legacy text format. The line is not parsed, so text in a body that looks like
/// such a key may be taken for it, and of several events in one line the last one tells. `None` if there is no time.
pub fn stage_time(line: &[u8]) -> Option<Timestamp> {
    KEYS.iter().find_map(|key| last_value(line, key)).or_else(|| legacy_time(line))
}

/// The time that the last `"key":"…"` of the line holds.
fn last_value(line: &[u8], key: &[u8]) -> Option<Timestamp> {
    let mut end = line.len();
    while let Some(at) = memmem::rfind(&line[..end], key) {
        let quoted = at > 0 && line[at - 1] == b'"';
        let value = quoted.then(|| value(&line[at + key.len()..])).flatten();
        if value.is_some() {
            return value;
        }
        end = at;
    }
    None
}

/// Reads what follows a key: its closing quote, a colon and a time in quotes; each quote may be escaped.
fn value(rest: &[u8]) -> Option<Timestamp> {
    let rest = quote(rest)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let text = quote(rest)?;
    let length = text.iter().take(LONGEST + 1).position(|byte| matches!(byte, b'"' | b'\\'))?;
    time(&text[..length])
}

/// What follows a quote, escaped or not.
fn quote(text: &[u8]) -> Option<&[u8]> {
    let escapes = text.iter().take_while(|byte| **byte == b'\\').count();
    text[escapes..].strip_prefix(b"\"")
}

/// The time at the start of `2026-01-02T03:04:05.000000006Z AUDIT: id="…"`.
fn legacy_time(line: &[u8]) -> Option<Timestamp> {
    let length = line.iter().take(LONGEST + 1).position(|byte| *byte == b' ')?;
    line[length..].starts_with(b" AUDIT: ").then(|| time(&line[..length])).flatten()
}

fn time(text: &[u8]) -> Option<Timestamp> {
    std::str::from_utf8(text).ok().and_then(Timestamp::parse)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn micros(line: &str) -> Option<i64> {
        stage_time(line.as_bytes()).map(Timestamp::as_micros)
    }

    #[test]
    fn every_form_of_an_entry_tells_its_time() {
        for line in [
            r#"{"requestReceivedTimestamp":"2026-01-01T00:00:00.000000Z","stageTimestamp":"1970-01-01T00:00:01.000002Z"}"#,
            r#"{"stageTimestamp":"2026-01-01T00:00:00Z","annotations":{},"stageTimestamp": "1970-01-01T00:00:01.000002Z"}"#,
            r#"{"log":"{\"stageTimestamp\":\"1970-01-01T00:00:01.000002Z\",\"annotations\":{}}\n"}"#,
            r#"{"x":"{\\\"stageTimestamp\\\":\\\"1970-01-01T00:00:01.000002Z\\\"}"}"#,
            r#"{"timestamp":"1970-01-01T01:00:01.000002+01:00"}"#,
            r#"1970-01-01T00:00:01.000002003Z AUDIT: id="x" stage="ResponseComplete""#,
        ] {
            assert_eq!(micros(line), Some(1_000_002), "{line}");
        }
    }

    #[test]
    fn what_is_no_stage_time_is_not_taken_for_one() {
        for line in [
            "",
            r#"{"stageTimestamp":"yesterday"}"#,
            r#"{"stageTimestamp":"2026-01-01T00:00:00.000000Z"#,
            r#"{"stageTimestamp":null,"timestamp":1791354062000}"#,
            r#"{"creationTimestamp":"2026-01-01T00:00:00Z"}"#,
            r#"{"message":"stageTimestamp"}"#,
            "2026-01-01T00:00:00Z started",
            r#""stageTimestamp"#,
        ] {
            assert_eq!(micros(line), None, "{line}");
        }
    }

    #[test]
    fn a_value_that_is_no_time_does_not_hide_one_before_it() {
        let line =
            r#"{"stageTimestamp":"1970-01-01T00:00:01.000002Z","requestObject":{"stageTimestamp":"soon"}}"#;
        assert_eq!(micros(line), Some(1_000_002));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(line in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..120) {
            let mut whole = br#"{"stageTimestamp":"1970-01-01T00:00:01.000002Z","a":"#.to_vec();
            whole.truncate(cut);
            whole.extend(line);
            let _ = stage_time(&whole);
        }
    }
}
