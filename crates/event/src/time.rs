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
        Self::parse_canonical(text.as_bytes())
            .or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|t| Self(t.timestamp_micros())))
    }

    /// The one form that the API server writes, `2026-11-23T05:45:10.504068Z`, without the general parser.
    fn parse_canonical(text: &[u8]) -> Option<Self> {
        let shape = text.len() == 27
            && text[4] == b'-'
            && text[7] == b'-'
            && text[10] == b'T'
            && text[13] == b':'
            && text[16] == b':'
            && text[19] == b'.'
            && text[26] == b'Z';
        if !shape {
            return None;
        }
        let number = |from: usize, to: usize| {
            text[from..to]
                .iter()
                .try_fold(0_u32, |n, digit| digit.is_ascii_digit().then(|| n * 10 + u32::from(digit - b'0')))
        };
        let date = chrono::NaiveDate::from_ymd_opt(
            i32::try_from(number(0, 4)?).ok()?,
            number(5, 7)?,
            number(8, 10)?,
        )?;
        let time =
            date.and_hms_micro_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?, number(20, 26)?)?;
        Some(Self(time.and_utc().timestamp_micros()))
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

    #[test]
    fn what_is_written_reads_back() {
        for micros in [0, 1, -1, 1_795_412_710_504_068] {
            let time = Timestamp::from_micros(micros);
            assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
        }
        assert_eq!(Timestamp::MAX.to_string(), format!("@{}us", i64::MAX));
    }
}
