//! Points in time as people write them after `--since` and `--until`.
//!
//! | form | means |
//! | --- | --- |
//! | `2026-11-23T05:40:00.5+01:00` | RFC 3339, any precision and offset |
//! | `2026-11-23`, `2026-11-23 05:40`, `2026-11-23T05:40:12.5` | a day's beginning, or a time on it |
//! | `05:40`, `05:40:12` | a time today |
//! | `now`, `today`, `yesterday`, `tomorrow`, `yesterday 14:00` | by the clock |
//! | `2h`, `-90m`, `1d12h`, `1.5h`, `2 hours ago` | so long ago |
//! | `+5m` | so long from now |
//! | `@1795412710`, `@1795412710.5` | seconds since 1970 |
//!
//! Days and times are those of the zone that is given, unless `Z`, `UTC`, an offset or a zone's name follows them.

mod grammar;

use std::fmt;

use chrono::{NaiveDate, NaiveTime};

use crate::time::Timestamp;
use crate::when::grammar::{Day, Expression, Place};
use crate::zone::Zone;

/// How many characters of a bad text an error repeats.
const SHOWN: usize = 64;

/// Why a text is no point in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhenError {
    text: String,
    problem: String,
}

/// Reads a point in time; `now` and `zone` are what relative and local forms count from.
///
/// A local time that clocks show twice is the earlier one; one that they never show is an error.
pub fn parse(text: &str, now: Timestamp, zone: &Zone) -> Result<Timestamp, WhenError> {
    let trimmed = text.trim();
    // RFC 3339 as logs have it, leap seconds too, before the forms of people.
    if let Some(time) = Timestamp::parse(trimmed) {
        return Ok(time);
    }
    let result = match grammar::expression(trimmed) {
        Ok(expression) => resolve(expression, now, *zone),
        Err((expected, "")) => Err(format!("expected {expected} at its end")),
        Err((expected, at)) => Err(format!("expected {expected} at {:?}", shown(at))),
    };
    result.map_err(|problem| WhenError { text: shown(text), problem })
}

/// The point in time that an expression means, or why there is none.
fn resolve(expression: Expression, now: Timestamp, zone: Zone) -> Result<Timestamp, String> {
    match expression {
        Expression::Now => Ok(now),
        Expression::Epoch(micros) => Ok(Timestamp::from_micros(micros)),
        Expression::Span(micros) => Ok(now.plus(micros)),
        Expression::Point { day, time, place } => {
            let place = place.unwrap_or(Place::Zone(zone));
            let day = date(day, now, place).ok_or("that day is beyond the calendar")?;
            at(day, time, place)
        }
    }
}

/// The date of a day, which depends on the place where words such as `today` are used.
fn date(day: Day, now: Timestamp, place: Place) -> Option<NaiveDate> {
    let today = || match place {
        Place::Zone(zone) => Some(zone.civil(now)?.date()),
        Place::Offset(seconds) => Some(Zone::Utc.civil(now.plus(i64::from(seconds) * 1_000_000))?.date()),
    };
    match day {
        Day::Date(date) => Some(date),
        Day::Today => today(),
        Day::Yesterday => today()?.pred_opt(),
        Day::Tomorrow => today()?.succ_opt(),
    }
}

/// When a clock in that place shows this time on that day; without a time, when the day begins.
fn at(day: NaiveDate, time: Option<NaiveTime>, place: Place) -> Result<Timestamp, String> {
    let civil = day.and_time(time.unwrap_or(NaiveTime::MIN));
    match place {
        Place::Offset(seconds) => {
            let utc = Timestamp::from_micros(civil.and_utc().timestamp_micros());
            Ok(utc.plus(-i64::from(seconds) * 1_000_000))
        }
        Place::Zone(zone) if time.is_none() => zone.start_of(day).ok_or_else(|| skipped(zone, day, time)),
        Place::Zone(zone) => zone.instant(civil).ok_or_else(|| skipped(zone, day, time)),
    }
}

/// What to say of a time that clocks never show.
fn skipped(zone: Zone, day: NaiveDate, time: Option<NaiveTime>) -> String {
    let time = time.map(|time| format!("{time} on ")).unwrap_or_default();
    format!(
        "there was no {time}{day} in {zone}, where clocks were set forward over it; add an offset such as +00:00"
    )
}

/// The beginning of a text, as far as an error repeats it.
fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

impl fmt::Display for WhenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "can't read the time {:?}: {}\n  give a time as 2026-11-23T05:40:00Z, 2026-11-23, \"2026-11-23 05:40\", 05:40 \
             (today), @1795412710\n  or from now as now, today, \"yesterday 14:00\", 2h, 1d12h, \"30 min ago\", +5m",
            self.text, self.problem
        )
    }
}

impl std::error::Error for WhenError {}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use proptest::prelude::*;

    use super::*;

    const BERLIN: Zone = Zone::Named(Tz::Europe__Berlin);
    const KOLKATA: Zone = Zone::Named(Tz::Asia__Kolkata);

    /// Reads `text` at 2026-11-23 00:30 in Berlin, which is the day before in UTC.
    fn read(text: &str, zone: Zone) -> Result<Timestamp, WhenError> {
        parse(text, Timestamp::parse("2026-11-22T23:30:00Z").expect("now"), &zone)
    }

    fn utc(text: &str) -> String {
        read(text, Zone::Utc).expect(text).to_string().replace(".000000Z", "Z")
    }

    fn berlin(text: &str) -> String {
        read(text, BERLIN).expect(text).to_string().replace(".000000Z", "Z")
    }

    fn problem(text: &str) -> String {
        read(text, BERLIN).expect_err(text).problem
    }

    #[test]
    fn full_times_need_no_zone() {
        for text in [
            "2026-11-23T05:40:00Z",
            "2026-11-23T06:40:00+01:00",
            "2026-11-23T05:40:00.000000000Z",
            "2026-11-23t05:40:00z",
            "2026-11-23 05:40Z",
            "2026-11-23 05:40 UTC",
            "2026-11-23 05:40 utc",
            "2026-11-23T05:40:00,0Z",
            "2026-11-23 06:40 +0100",
            "2026-11-23 04:40-01",
            "2026-11-23 06:40 Europe/Berlin",
            "  2026-11-23 05:40 UTC ",
        ] {
            assert_eq!(berlin(text), "2026-11-23T05:40:00Z", "{text}");
        }
        assert_eq!(berlin("2026-12-31T23:59:60Z"), "2027-01-01T00:00:00Z");
    }

    #[test]
    fn days_and_times_are_those_of_the_zone() {
        for (text, in_utc, in_berlin) in [
            ("2026-11-23", "2026-11-23T00:00:00Z", "2026-11-22T23:00:00Z"),
            ("2026-11-23 05:40", "2026-11-23T05:40:00Z", "2026-11-23T04:40:00Z"),
            ("2026-11-23T05:40:12", "2026-11-23T05:40:12Z", "2026-11-23T04:40:12Z"),
            ("2026-11-23 05:40:12.25", "2026-11-23T05:40:12.250000Z", "2026-11-23T04:40:12.250000Z"),
            ("05:40", "2026-11-22T05:40:00Z", "2026-11-23T04:40:00Z"),
            ("5:40:12", "2026-11-22T05:40:12Z", "2026-11-23T04:40:12Z"),
            ("05:40 UTC", "2026-11-22T05:40:00Z", "2026-11-22T05:40:00Z"),
            ("05:40+14:00", "2026-11-22T15:40:00Z", "2026-11-22T15:40:00Z"),
            ("today", "2026-11-22T00:00:00Z", "2026-11-22T23:00:00Z"),
            ("Yesterday", "2026-11-21T00:00:00Z", "2026-11-21T23:00:00Z"),
            ("tomorrow", "2026-11-23T00:00:00Z", "2026-11-23T23:00:00Z"),
            ("yesterday 14:00", "2026-11-21T14:00:00Z", "2026-11-22T13:00:00Z"),
            ("today UTC", "2026-11-22T00:00:00Z", "2026-11-22T00:00:00Z"),
        ] {
            assert_eq!(utc(text), in_utc, "{text}");
            assert_eq!(berlin(text), in_berlin, "{text}");
        }
    }

    #[test]
    fn spans_count_from_now() {
        for (text, time) in [
            ("now", "2026-11-22T23:30:00Z"),
            ("2h", "2026-11-22T21:30:00Z"),
            ("90m", "2026-11-22T22:00:00Z"),
            ("-90m", "2026-11-22T22:00:00Z"),
            ("1d12h", "2026-11-21T11:30:00Z"),
            ("1d 12h", "2026-11-21T11:30:00Z"),
            ("2 hours ago", "2026-11-22T21:30:00Z"),
            ("30 min ago", "2026-11-22T23:00:00Z"),
            ("1h30m ago", "2026-11-22T22:00:00Z"),
            ("1w", "2026-11-15T23:30:00Z"),
            ("45s", "2026-11-22T23:29:15Z"),
            ("500ms", "2026-11-22T23:29:59.500000Z"),
            ("1.5h", "2026-11-22T22:00:00Z"),
            ("+5m", "2026-11-22T23:35:00Z"),
            ("@1795412710", "2026-11-23T05:45:10Z"),
            ("@1795412710.504068999", "2026-11-23T05:45:10.504068Z"),
            ("@-1.5", "1969-12-31T23:59:58.500000Z"),
        ] {
            assert_eq!(utc(text), time, "{text}");
            assert_eq!(berlin(text), time, "{text}");
        }
    }

    #[test]
    fn changes_of_clocks_are_told() {
        assert_eq!(berlin("2026-10-25 02:30"), "2026-10-25T00:30:00Z");
        assert_eq!(berlin("2026-10-25 02:30 +01:00"), "2026-10-25T01:30:00Z");
        assert_eq!(
            problem("2026-03-29 02:30"),
            "there was no 02:30:00 on 2026-03-29 in Europe/Berlin, where clocks were set forward over it; add an offset \
             such as +00:00"
        );
        assert_eq!(utc("2026-04-24 Africa/Cairo"), "2026-04-23T22:00:00Z");
    }

    #[test]
    fn errors_say_where_and_what() {
        for (text, expected) in [
            ("", "expected a time at its end"),
            ("noon", "expected a time at \"noon\""),
            ("2026-13-01", "expected a month (01 to 12) at \"13-01\""),
            ("2026-02-29", "expected a day of the calendar at \"2026-02-29\""),
            ("26-02-01", "expected a year of four digits at \"26-02-01\""),
            ("2026-11-23 25:00", "expected an hour (00 to 23) at \"25:00\""),
            ("2026-11-23 05:4", "expected minutes (00 to 59) at \"4\""),
            ("2026-11-23T", "expected an hour (00 to 23) at its end"),
            ("2026-11-23 05:40 Mars/Base", "expected a time zone at \"Mars/Base\""),
            ("2026-11-23 05:40 +1", "expected an offset such as +02:00 at \"1\""),
            ("05:40x", "expected the end at \"x\""),
            ("todayx", "expected the end at \"x\""),
            ("90", "expected a unit (us, ms, s, m, h, d, w) at its end"),
            ("1h5x", "expected a unit (us, ms, s, m, h, d, w) at \"x\""),
            ("2h\u{1b}", "expected the end at \"\\u{1b}\""),
            ("+5m ago", "expected the end at \"ago\""),
            ("-", "expected a number at its end"),
            ("@x", "expected seconds since 1970 at \"x\""),
            ("@99999999999999999999", "expected seconds since 1970 at \"99999999999999999999\""),
            ("99999999999999w", "expected a shorter span at \"99999999999999w\""),
        ] {
            assert_eq!(problem(text), expected, "{text}");
        }
        let error = read("noon", Zone::Utc).expect_err("no time").to_string();
        assert_eq!(
            error,
            "can't read the time \"noon\": expected a time at \"noon\"\n  give a time as 2026-11-23T05:40:00Z, 2026-11-23, \
             \"2026-11-23 05:40\", 05:40 (today), @1795412710\n  or from now as now, today, \"yesterday 14:00\", 2h, \
             1d12h, \"30 min ago\", +5m"
        );
        assert!(read(&"9".repeat(100_000), Zone::Utc).expect_err("no time").to_string().len() < 600);
    }

    /// Microseconds of the years 1900 to 2100.
    fn times() -> impl Strategy<Value = Timestamp> {
        (-2_208_988_800_000_000..4_102_444_800_000_000_i64).prop_map(Timestamp::from_micros)
    }

    proptest! {
        #[test]
        fn no_text_panics(
            text in any::<String>(),
            near in "(20[0-9]{2}-[01][0-9]-[0-3][0-9]|[0-2][0-9]:[0-5][0-9]|today|[ @+-:TZ.]|[0-9]{1,20}|[smhdw]|Africa/Cairo){0,6}",
            micros in any::<i64>(),
        ) {
            for zone in [Zone::Utc, Zone::Local, BERLIN] {
                let _ = parse(&text, Timestamp::from_micros(micros), &zone);
                let _ = parse(&near, Timestamp::from_micros(micros), &zone);
            }
        }

        #[test]
        fn written_times_read_back(time in times()) {
            prop_assert_eq!(read(&time.to_string(), BERLIN), Ok(time));
            let second = Timestamp::from_micros(time.as_micros().div_euclid(1_000_000) * 1_000_000);
            for zone in [Zone::Utc, BERLIN] {
                prop_assert_eq!(read(&zone.display(time).to_string(), KOLKATA), Ok(second));
            }
            let (seconds, micros) = (time.as_micros() / 1_000_000, time.as_micros() % 1_000_000);
            let sign = if time.as_micros() < 0 { "-" } else { "" };
            let epoch = format!("@{sign}{}.{:06}", seconds.abs(), micros.abs());
            prop_assert_eq!(read(&epoch, BERLIN), Ok(time));
        }

        #[test]
        fn clock_times_read_back_or_are_the_earlier_of_two(time in times()) {
            let civil = BERLIN.civil(time).expect("a civil time");
            let first = read(&civil.format("%Y-%m-%d %H:%M:%S%.6f").to_string(), BERLIN).expect("a time");
            prop_assert!(first <= time);
            prop_assert_eq!(BERLIN.civil(first), Some(civil));
        }

        #[test]
        fn spans_add_up(days in 0..1000_u32, hours in 0..1000_u32, millis in 0..100_000_u32) {
            let now = Timestamp::from_micros(0);
            let micros = i64::from(days) * 86_400_000_000 + i64::from(hours) * 3_600_000_000 + i64::from(millis) * 1000;
            let text = format!("{days}d {hours}hours{millis}ms");
            prop_assert_eq!(parse(&text, now, &Zone::Utc), Ok(now.plus(-micros)));
            prop_assert_eq!(parse(&format!("+{text}"), now, &Zone::Utc), Ok(now.plus(micros)));
        }
    }
}
