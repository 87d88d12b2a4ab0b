//! Points in time as audit logs write them.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
///
/// Audit events carry `MicroTime` (RFC 3339 with six digits of fraction, always UTC); v1alpha1 events carry whole
/// seconds, the legacy text format nanoseconds. All of them end here; what is finer than a microsecond is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest point that can be said.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest point that can be said.
    pub const MAX: Self = Self(i64::MAX);

    /// From microseconds since the Unix epoch, UTC.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch, UTC.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Reads an RFC 3339 time of any precision and offset; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_utf8(text.as_bytes())
    }

    /// The same of bytes, which are none if they are no UTF-8.
    pub(crate) fn parse_utf8(text: &[u8]) -> Option<Self> {
        Self::parse_canonical(text).or_else(|| {
            let time = DateTime::parse_from_rfc3339(std::str::from_utf8(text).ok()?).ok()?;
            Some(Self(time.timestamp_micros()))
        })
    }

    /// The one form that the API server writes, `2026-11-23T05:45:10.504068Z`, without the general parser.
    fn parse_canonical(text: &[u8]) -> Option<Self> {
        Minute::default().parse(text.try_into().ok()?)
    }

    /// This time as a chrono value; `None` beyond the years that chrono knows.
    pub fn to_datetime(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.0)
    }

    /// Microseconds from `earlier` to `self`, negative if `self` is earlier.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This time moved by `micros`, held at the ends.
    #[must_use]
    pub const fn plus(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }
}

/// The minute in which the last time was that was read: in a log most of them are in the same as the one before.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Minute {
    text: Option<[u8; 17]>,
    /// Microseconds since 1970-01-01T00:00:00Z.
    start: i64,
}

impl Minute {
    /// Reads a time in the form that the API server writes, `2026-11-23T05:45:10.504068Z`; `None` for any other.
    #[inline]
    pub(crate) fn parse(&mut self, text: &[u8; 27]) -> Option<Timestamp> {
        let (minute, rest) = text.split_first_chunk::<17>()?;
        let micros = micros_of_minute(rest)?;
        if self.text.as_ref() != Some(minute) {
            (self.text, self.start) = (Some(*minute), start_of_minute(minute)?);
        }
        Some(Timestamp(self.start + micros))
    }
}

/// What two digits say; `largest` is at least the larger of them, and far above nine for what is no digit.
const fn two(tens: u8, ones: u8, largest: &mut u8) -> i64 {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    let larger = if tens > ones { tens } else { ones };
    *largest = if larger > *largest { larger } else { *largest };
    tens as i64 * 10 + ones as i64
}

/// `2026-11-23T05:45:`, in microseconds since 1970-01-01T00:00:00Z.
fn start_of_minute(text: &[u8; 17]) -> Option<i64> {
    let &[y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', h1, h2, b':', mi1, mi2, b':'] = text else {
        return None;
    };
    let mut largest = 0;
    let mut two = |tens, ones| two(tens, ones, &mut largest);
    let (year, month, day) = (two(y1, y2) * 100 + two(y3, y4), two(mo1, mo2), two(d1, d2));
    let (hour, minute) = (two(h1, h2), two(mi1, mi2));
    let is_plain = largest <= 9
        && (1..=12).contains(&month)
        && (1..=last_day(year, month)).contains(&day)
        && hour < 24
        && minute < 60;
    is_plain.then(|| ((days(year, month, day) * 24 + hour) * 60 + minute) * 60_000_000)
}

/// `10.504068Z` in microseconds. Leap seconds are left to the general parser.
fn micros_of_minute(text: &[u8]) -> Option<i64> {
    let &[s1, s2, b'.', f1, f2, f3, f4, f5, f6, b'Z'] = text else { return None };
    let mut largest = 0;
    let mut two = |tens, ones| two(tens, ones, &mut largest);
    let second = two(s1, s2);
    let micros = two(f1, f2) * 10_000 + two(f3, f4) * 100 + two(f5, f6);
    (largest <= 9 && second < 60).then_some(second * 1_000_000 + micros)
}

/// The last day of a month of the Gregorian calendar.
const fn last_day(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01, for years from 0 on: a year begins in March, so that the leap day is its last.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    // 400 years, after which all repeats, are added and taken away, so that nothing is negative.
    let months = (year + 400) * 12 + month - 3;
    let (year, month) = (months / 12, months % 12);
    let leap_days = year / 4 - year / 100 + year / 400;
    // The lengths of months from March on repeat each five.
    let days_of_months = (month * 153 + 2) / 5;
    year * 365 + leap_days + days_of_months + day - 719_469 - 146_097
}

/// RFC 3339 in UTC with six digits of fraction, as the API server writes it.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_datetime() {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true)),
            None => write!(f, "@{}us", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_api_server_is_read() {
        let micros = |text| Timestamp::parse(text).map(Timestamp::as_micros);
        assert_eq!(micros("1970-01-01T00:00:01.000002Z"), Some(1_000_002));
        assert_eq!(micros("1970-01-01T00:00:01Z"), Some(1_000_000));
        assert_eq!(micros("1970-01-01T01:00:01.000002999+01:00"), Some(1_000_002));
        assert_eq!(micros("1970-13-01T00:00:01.000002Z"), None);
        assert_eq!(micros("1970-01-01T00:00:01.00x002Z"), None);
        assert_eq!(micros(""), None);
    }

    /// The general parser is the oracle: of every day, of days that are none, and of broken digits.
    #[test]
    fn the_form_of_the_api_server_is_read_as_the_general_parser_reads_it() {
        let general = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|t| t.timestamp_micros());
        let agree = |text: &str| {
            let fast = Timestamp::parse_canonical(text.as_bytes()).map(Timestamp::as_micros);
            assert!(fast == general(text) || fast.is_none() && text.contains(":60."), "{text}: {fast:?}");
        };
        for year in (0..=9999).step_by(7).chain(1890..2110).chain([0, 400, 2000, 9999]) {
            for month in 0..=13 {
                for day in [0, 1, 28, 29, 30, 31, 32] {
                    agree(&format!("{year:04}-{month:02}-{day:02}T23:59:58.000001Z"));
                }
            }
        }
        let whole = "2026-11-23T05:45:10.504068Z";
        agree("2026-11-23T24:45:10.504068Z");
        agree("2026-11-23T05:60:10.504068Z");
        agree("2026-11-23T05:59:60.504068Z");
        for at in 0..whole.len() {
            for byte in " /0129:;aTZ-.".chars() {
                let mut text = whole.to_owned();
                text.replace_range(at..=at, &byte.to_string());
                // What separates the parts has more than one form for the general parser.
                let digit = whole.as_bytes()[at].is_ascii_digit();
                if digit || Timestamp::parse_canonical(text.as_bytes()).is_some() {
                    agree(&text);
                }
            }
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for micros in [0, 1, -1, 1_795_412_710_504_068] {
            let time = Timestamp::from_micros(micros);
            assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
        }
        assert_eq!(Timestamp::MAX.to_string(), format!("@{}us", i64::MAX));
    }
}
