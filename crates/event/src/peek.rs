//! A cheap look at when an entry was written, without decoding it.

use std::ops::{Range, RangeInclusive};

use memchr::memmem;

use crate::envelope::{self, Sink};
use crate::event::Event;
use crate::time::Timestamp;

/// The keys that hold an entry's stage time, and what is looked for first: that of `v1`, then that of `v1alpha1`.
const KEYS: [&[u8]; 2] = [b"stageTimestamp", b"timestamp"];

/// The longest RFC 3339 time that is read, in bytes: nanoseconds with an offset.
const LONGEST: usize = 35;

/// How long the webhook backend waits for a list to fill, in microseconds (`--audit-webhook-batch-max-wait`, by default; see
/// [audit.go](https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/server/options/audit.go)).
const LIST: i64 = 30_000_000;

/// When the entries in `line` reached their stages, the earliest and the latest of them, as far as a search for keys can tell.
///
/// Values of `"stageTimestamp"` count, also in JSON inside a JSON string; else those of `"timestamp"`; else the time at the
/// start of a line in the legacy text format. `None` if there is no time. Only where times seem to be further apart than those
/// of a list that the webhook backend posts is the line decoded: what looks like such a key may be text in a body.
pub fn stage_times(line: &[u8]) -> Option<RangeInclusive<Timestamp>> {
    let Some((key, (at, last))) = KEYS.iter().find_map(|key| Some((key, last_value(line, key)?))) else {
        return legacy_time(line).map(|time| time..=time);
    };
    let mut seen = Times::default();
    seen.extend([last]);
    seen.extend(memmem::find_iter(&line[..at], key).filter_map(|at| value_of(line, at..at + key.len())));
    let seen = seen.0.filter(|seen| seen.end().since(*seen.start()) <= LIST);
    seen.or_else(|| {
        let mut decoded = Times::default();
        envelope::decode(line, &mut decoded);
        decoded.0
    })
    .or(Some(last..=last))
}

/// The earliest and the latest of some times.
#[derive(Default)]
struct Times(Option<RangeInclusive<Timestamp>>);

impl Extend<Timestamp> for Times {
    fn extend<T: IntoIterator<Item = Timestamp>>(&mut self, times: T) {
        for time in times {
            let known = self.0.take().unwrap_or(time..=time);
            self.0 = Some(time.min(*known.start())..=time.max(*known.end()));
        }
    }
}

impl Sink for Times {
    fn event(&mut self, event: &Event<'_>, _: Range<usize>) {
        self.extend(event.stage_time);
    }

    fn bad(&mut self, _: Range<usize>, _: &str) {}

    fn wants_details(&self) -> bool {
        false
    }
}

/// The time that the last `"key":"…"` of the line holds, and where that key stands.
fn last_value(line: &[u8], key: &[u8]) -> Option<(usize, Timestamp)> {
    let mut end = line.len();
    while let Some(at) = memmem::rfind(&line[..end], key) {
        if let Some(value) = value_of(line, at..at + key.len()) {
            return Some((at, value));
        }
        end = at;
    }
    None
}

/// The time that a key holds which stands there in the line, if it is one.
fn value_of(line: &[u8], key: Range<usize>) -> Option<Timestamp> {
    let is_quoted = key.start > 0 && line[key.start - 1] == b'"';
    is_quoted.then(|| value(&line[key.end..])).flatten()
}

/// Reads what follows a key: its closing quote, a colon and a time in quotes; each quote may be escaped, or doubled as in CSV.
fn value(rest: &[u8]) -> Option<Timestamp> {
    let rest = quote(rest)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let text = quote(rest)?;
    let length = text.iter().take(LONGEST + 1).position(|byte| matches!(byte, b'"' | b'\\'))?;
    time(&text[..length])
}

/// What follows a quote, escaped or not, or two.
fn quote(text: &[u8]) -> Option<&[u8]> {
    let escapes = text.iter().take_while(|byte| **byte == b'\\').count();
    let behind = text[escapes..].strip_prefix(b"\"")?;
    Some(behind.strip_prefix(b"\"").unwrap_or(behind))
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
        let times = stage_times(line.as_bytes())?;
        assert_eq!(times.start(), times.end(), "{line}");
        Some(times.start().as_micros())
    }

    #[test]
    fn every_form_of_an_entry_tells_its_time() {
        for line in [
            r#"{"requestReceivedTimestamp":"2026-01-01T00:00:00.000000Z","stageTimestamp":"1970-01-01T00:00:01.000002Z"}"#,
            r#"{"stageTimestamp":"2026-01-01T00:00:00Z","annotations":{},"stageTimestamp": "1970-01-01T00:00:01.000002Z"}"#,
            r#"{"log":"{\"stageTimestamp\":\"1970-01-01T00:00:01.000002Z\",\"annotations\":{}}\n"}"#,
            r#"{"x":"{\\\"stageTimestamp\\\":\\\"1970-01-01T00:00:01.000002Z\\\"}"}"#,
            r#""{""stageTimestamp"":""1970-01-01T00:00:01.000002Z"",""annotations"":{}}""#,
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

    #[test]
    fn of_several_entries_the_earliest_and_the_latest_tell() {
        let entry = |minute: u8, body: &str| {
            format!(
                r#"{{"auditID":"x","stage":"ResponseComplete","requestObject":{body},"stageTimestamp":"1970-01-01T00:0{minute}:00Z"}}"#
            )
        };
        let forged = r#"{"stageTimestamp":"1970-01-01T00:09:00Z"}"#;
        let all = [entry(5, "{}"), entry(2, forged), entry(7, "{}"), entry(4, forged)];
        let list = format!(r#"{{"kind":"EventList","items":[{}]}}"#, all.join(","));
        let array = format!("[{}]", all.join(","));
        let seconds = |line: &str| {
            let times = stage_times(line.as_bytes()).unwrap();
            (times.start().as_micros() / 1_000_000, times.end().as_micros() / 1_000_000)
        };
        for line in [list, array, all.concat()] {
            assert_eq!(seconds(&line), (120, 420), "{line}");
        }
        assert_eq!(seconds(&entry(3, forged)), (180, 180));
        let no_event = r#"{"a":{"timestamp":"1970-01-01T00:09:00Z"},"timestamp":"1970-01-01T00:01:00Z"}"#;
        assert_eq!(seconds(no_event), (60, 60));
        assert_eq!(seconds(r#"1970-01-01T00:00:01Z AUDIT: id="x" stage="ResponseComplete""#), (1, 1));
        assert_eq!(stage_times(b"{}"), None);
    }

    #[test]
    fn a_list_of_entries_near_each_other_is_not_decoded() {
        let time = |second: u8| format!(r#"{{"stageTimestamp":"1970-01-01T00:00:{second:02}Z"}}"#);
        let list = format!(r#"{{"items":[{},{},{}"#, time(20), time(10), time(15));
        let times = stage_times(list.as_bytes()).unwrap();
        assert_eq!((times.start().as_micros(), times.end().as_micros()), (10_000_000, 20_000_000));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(line in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..120) {
            let mut whole = br#"{"stageTimestamp":"1970-01-01T00:00:01.000002Z","a":"#.to_vec();
            whole.truncate(cut);
            whole.extend(line);
            let times = stage_times(&whole);
            prop_assert!(times.is_none_or(|times| times.start() <= times.end()));
        }
    }
}
