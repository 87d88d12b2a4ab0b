//! The zone that times are shown in.

use std::str::FromStr;

use audit_who_event::time::Timestamp;
use chrono::{DateTime, FixedOffset, Local};

use crate::terminal::neutral;

/// The zone that times are shown in.
///
/// Outside of UTC a time carries its offset, never an abbreviation: `IST` alone is three zones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// UTC, as audit logs have it.
    #[default]
    Utc,
    /// What this machine is set to.
    Local,
    /// A zone of the IANA database.
    Named(chrono_tz::Tz),
}

/// A text that names no time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown time zone \"{}\": write \"utc\", \"local\" or an IANA name with its capitals, such as \
     \"Europe/Berlin\" or \"America/New_York\"",
    neutral(.0)
)]
pub struct UnknownZone(String);

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        if name.eq_ignore_ascii_case("utc") {
            Ok(Self::Utc)
        } else if name.eq_ignore_ascii_case("local") {
            Ok(Self::Local)
        } else {
            name.parse().map(Self::Named).map_err(|_| UnknownZone(name.to_owned()))
        }
    }
}

impl Zone {
    /// A time to the second, such as `2026-11-23 06:45:10 +01:00`.
    pub fn show(self, time: Timestamp) -> String {
        self.shift(time)
            .map_or_else(|| time.to_string(), |time| format!("{} {}", clock(&time), self.suffix(&time)))
    }

    /// A range of times; date and offset are said once where both ends share them.
    pub fn show_range(self, from: Timestamp, until: Timestamp) -> String {
        let (Some(first), Some(last)) = (self.shift(from), self.shift(until)) else {
            return format!("{from} to {until}");
        };
        let suffix = self.suffix(&last);
        if self.suffix(&first) != suffix {
            return format!("{} to {}", self.show(from), self.show(until));
        }
        let (first, last) = (clock(&first), clock(&last));
        let shared =
            first.split_once(' ').zip(last.split_once(' ')).filter(|(first, last)| first.0 == last.0);
        let last = shared.map_or(last.as_str(), |(_, (_, time))| time);
        format!("{first} to {last} {suffix}")
    }

    /// The time on this zone's clock; `None` beyond the years that chrono knows.
    fn shift(self, time: Timestamp) -> Option<DateTime<FixedOffset>> {
        let time = time.to_datetime()?;
        Some(match self {
            Self::Utc => time.fixed_offset(),
            Self::Local => time.with_timezone(&Local).fixed_offset(),
            Self::Named(zone) => time.with_timezone(&zone).fixed_offset(),
        })
    }

    fn suffix(self, time: &DateTime<FixedOffset>) -> String {
        if self == Self::Utc { "UTC".to_owned() } else { time.format("%:z").to_string() }
    }
}

fn clock(time: &DateTime<FixedOffset>) -> String {
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_time_carries_its_offset() {
        let time = at("2026-11-23T23:45:10.504068Z");
        assert_eq!(Zone::Utc.show(time), "2026-11-23 23:45:10 UTC");
        assert_eq!("Europe/Berlin".parse::<Zone>().unwrap().show(time), "2026-11-24 00:45:10 +01:00");
        assert_eq!("Asia/Kolkata".parse::<Zone>().unwrap().show(time), "2026-11-24 05:15:10 +05:30");
    }

    #[test]
    fn the_local_zone_is_the_same_instant() {
        let time = at("2026-11-23T05:45:10Z");
        let shown = Zone::Local.show(time);
        let read = DateTime::parse_from_str(&shown, "%Y-%m-%d %H:%M:%S %:z").unwrap();
        assert_eq!(read.timestamp_micros(), time.as_micros());
    }

    #[test]
    fn a_range_says_date_and_offset_once() {
        let range = |zone: &str, from, until| zone.parse::<Zone>().unwrap().show_range(at(from), at(until));
        assert_eq!(
            range("utc", "2026-11-23T05:44:57Z", "2026-11-23T05:48:10Z"),
            "2026-11-23 05:44:57 to 05:48:10 UTC"
        );
        assert_eq!(
            range("UTC", "2026-11-22T05:44:57Z", "2026-11-23T05:48:10Z"),
            "2026-11-22 05:44:57 to 2026-11-23 05:48:10 UTC"
        );
        assert_eq!(
            range("Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
            "2026-10-25 02:30:00 +02:00 to 2026-10-25 02:30:00 +01:00"
        );
    }

    #[test]
    fn an_unknown_zone_is_told_with_how_names_look() {
        let error = "Europe/Berln\n".parse::<Zone>().unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown time zone \"Europe/Berln\\n\": write \"utc\", \"local\" or an IANA name with its capitals, \
             such as \"Europe/Berlin\" or \"America/New_York\""
        );
    }

    proptest! {
        #[test]
        fn every_time_can_be_shown(micros in any::<i64>()) {
            for zone in [Zone::Utc, Zone::Local, Zone::Named(chrono_tz::Pacific::Kiritimati)] {
                let time = Timestamp::from_micros(micros);
                prop_assert!(!zone.show(time).is_empty());
                prop_assert!(!zone.show_range(time, Timestamp::MAX).is_empty());
            }
        }
    }

    #[test]
    fn the_ends_of_the_calendar_can_be_shown() {
        for end in [DateTime::<chrono::Utc>::MIN_UTC, DateTime::<chrono::Utc>::MAX_UTC] {
            for zone in [chrono_tz::Pacific::Kiritimati, chrono_tz::Pacific::Pago_Pago] {
                let time = Timestamp::from_micros(end.timestamp_micros());
                assert!(!Zone::Named(zone).show(time).is_empty());
            }
        }
    }
}
