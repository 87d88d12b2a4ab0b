//! The time zone in which people read and write times. Logs are in UTC.

use std::fmt;

use chrono::{DateTime, Datelike, Days, FixedOffset, Local, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};

use crate::time::Timestamp;

/// Microseconds of a day without a change of clocks.
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// A time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// Coordinated universal time, as in the logs.
    Utc,
    /// What this machine is set to.
    Local,
    /// A zone of the IANA time zone database, whose rules are compiled in.
    Named(Tz),
}

/// A name that is no time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneError(String);

impl Zone {
    /// Reads `utc`, `local` or a name of the IANA database such as `Europe/Berlin`, in any case.
    pub fn parse(name: &str) -> Result<Self, ZoneError> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("utc") || is("z") {
            return Ok(Self::Utc);
        }
        if is("local") {
            return Ok(Self::Local);
        }
        let known = TZ_VARIANTS.iter().find(|zone| is(zone.name()));
        known.map(|zone| Self::Named(*zone)).ok_or_else(|| ZoneError(name.to_owned()))
    }

    /// Writes a time as the clocks of this zone show it, to the second: `2026-11-23 05:45:10 UTC`, and outside of UTC
    /// `2026-11-23 06:45:10 +01:00`.
    pub const fn display(self, time: Timestamp) -> InZone {
        InZone { zone: self, time }
    }

    /// What the clocks of this zone show at `time`; `None` outside the years 0 to 9999.
    pub fn civil(self, time: Timestamp) -> Option<NaiveDateTime> {
        self.shift(time).map(|time| time.naive_local())
    }

    /// The time by the clocks of this zone, if its year has four digits: what is beyond can't be written so that it
    /// reads back.
    fn shift(self, time: Timestamp) -> Option<DateTime<FixedOffset>> {
        let utc = time.to_datetime()?;
        let shifted = match self {
            Self::Utc => utc.fixed_offset(),
            Self::Local => utc.with_timezone(&Local).fixed_offset(),
            Self::Named(zone) => utc.with_timezone(&zone).fixed_offset(),
        };
        (0..=9999).contains(&shifted.year()).then_some(shifted)
    }

    /// When the clocks of this zone show `civil`: the first time where they show it twice, because they were set back;
    /// `None` where they never do, because they were set forward.
    pub fn instant(self, civil: NaiveDateTime) -> Option<Timestamp> {
        let utc = match self {
            Self::Utc => civil.and_utc(),
            Self::Local => Local.from_local_datetime(&civil).earliest()?.to_utc(),
            Self::Named(zone) => zone.from_local_datetime(&civil).earliest()?.to_utc(),
        };
        Some(Timestamp::from_micros(utc.timestamp_micros()))
    }

    /// When a day begins: where clocks are set forward at midnight, right after that. `None` at the end of all dates.
    pub fn start_of(self, day: NaiveDate) -> Option<Timestamp> {
        let midnight = day.and_time(NaiveTime::MIN);
        self.instant(midnight).or_else(|| {
            let before = self.instant(midnight.checked_sub_days(Days::new(1))?)?;
            Some(before.plus(DAY))
        })
    }
}

/// The name of the zone.
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utc => "UTC",
            Self::Local => "local time",
            Self::Named(zone) => zone.name(),
        })
    }
}

/// A time that is written as the clocks of a zone show it, to the second. Outside of UTC it carries its offset, never an
/// abbreviation: `IST` alone is three zones.
///
/// A time outside the years 0 to 9999 is written as [`Timestamp`] writes it.
#[derive(Clone, Copy, Debug)]
pub struct InZone {
    zone: Zone,
    time: Timestamp,
}

impl fmt::Display for InZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(time) = self.zone.shift(self.time) else { return self.time.fmt(f) };
        let form = if self.zone == Zone::Utc { "%Y-%m-%d %H:%M:%S UTC" } else { "%Y-%m-%d %H:%M:%S %:z" };
        time.format(form).fmt(f)
    }
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no time zone is called {:?}: give utc, local, or a name such as Europe/Berlin", self.0)
    }
}

impl std::error::Error for ZoneError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BERLIN: Zone = Zone::Named(Tz::Europe__Berlin);

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).expect(text)
    }

    fn civil(text: &str) -> NaiveDateTime {
        text.parse().expect(text)
    }

    #[test]
    fn zones_have_names() {
        assert_eq!(Zone::parse("UTC"), Ok(Zone::Utc));
        assert_eq!(Zone::parse("local"), Ok(Zone::Local));
        assert_eq!(Zone::parse("europe/berlin"), Ok(BERLIN));
        let error = Zone::parse("Mars/Base\u{1b}").expect_err("no zone").to_string();
        assert_eq!(
            error,
            "no time zone is called \"Mars/Base\\u{1b}\": give utc, local, or a name such as Europe/Berlin"
        );
        for zone in [Zone::Utc, BERLIN] {
            assert_eq!(Zone::parse(&zone.to_string()), Ok(zone));
        }
    }

    #[test]
    fn times_are_written_as_clocks_show_them() {
        let at = time("2026-11-23T23:45:10.504068Z");
        assert_eq!(Zone::Utc.display(at).to_string(), "2026-11-23 23:45:10 UTC");
        assert_eq!(BERLIN.display(at).to_string(), "2026-11-24 00:45:10 +01:00");
        assert_eq!(Zone::Named(Tz::Asia__Kolkata).display(at).to_string(), "2026-11-24 05:15:10 +05:30");
        assert_eq!(BERLIN.display(time("2026-07-01T00:00:00Z")).to_string(), "2026-07-01 02:00:00 +02:00");
    }

    #[test]
    fn years_that_have_no_four_digits_are_written_in_utc() {
        let end = time("9999-12-31T23:30:00Z");
        assert_eq!(Zone::Utc.display(end).to_string(), "9999-12-31 23:30:00 UTC");
        assert_eq!(BERLIN.display(end).to_string(), end.to_string());
        assert_eq!(BERLIN.civil(end), None);
        let before = time("0000-01-01T00:30:00Z").plus(-DAY);
        for far in [Timestamp::MIN, before, Timestamp::MAX] {
            assert_eq!(Zone::Utc.display(far).to_string(), far.to_string());
        }
    }

    #[test]
    fn local_time_goes_there_and_back() {
        let at = time("2026-11-23T05:45:10Z");
        let shown = Zone::Local.display(at).to_string();
        let read = DateTime::parse_from_str(&shown, "%Y-%m-%d %H:%M:%S %:z").expect(&shown);
        assert_eq!(read.timestamp_micros(), at.as_micros());
        let shown = Zone::Local.civil(at).expect("a civil time");
        assert!(Zone::Local.instant(shown).is_some_and(|first| first <= at && at.since(first) <= DAY));
    }

    #[test]
    fn changes_of_clocks_are_seen() {
        assert_eq!(BERLIN.instant(civil("2026-10-25T02:30:00")), Some(time("2026-10-25T00:30:00Z")));
        assert_eq!(BERLIN.instant(civil("2026-03-29T02:30:00")), None);
        assert_eq!(BERLIN.civil(time("2026-10-25T01:30:00Z")), Some(civil("2026-10-25T02:30:00")));
    }

    #[test]
    fn every_day_has_a_beginning() {
        let day = |text: &str| text.parse::<NaiveDate>().expect(text);
        assert_eq!(BERLIN.start_of(day("2026-03-29")), Some(time("2026-03-28T23:00:00Z")));
        let cairo = Zone::Named(Tz::Africa__Cairo);
        assert_eq!(cairo.instant(civil("2026-04-24T00:00:00")), None);
        assert_eq!(cairo.start_of(day("2026-04-24")), Some(time("2026-04-23T22:00:00Z")));
        let apia = Zone::Named(Tz::Pacific__Apia);
        assert_eq!(apia.start_of(day("2011-12-30")), Some(time("2011-12-30T10:00:00Z")));
    }

    proptest! {
        #[test]
        fn every_time_can_be_shown(micros in any::<i64>()) {
            let time = Timestamp::from_micros(micros);
            for zone in [Zone::Utc, Zone::Local, Zone::Named(Tz::Pacific__Kiritimati)] {
                let shown = zone.display(time).to_string();
                prop_assert!(shown == time.to_string() || shown.len() == 23 || shown.len() == 26, "{}", shown);
                prop_assert_eq!(zone.civil(time).is_some(), shown != time.to_string());
            }
        }
    }

    #[test]
    fn the_ends_of_the_calendar_can_be_shown() {
        for end in [DateTime::<chrono::Utc>::MIN_UTC, DateTime::<chrono::Utc>::MAX_UTC] {
            for zone in [Tz::Pacific__Kiritimati, Tz::Pacific__Pago_Pago] {
                let time = Timestamp::from_micros(end.timestamp_micros());
                assert_eq!(Zone::Named(zone).display(time).to_string(), time.to_string());
            }
        }
    }
}
