//! The grammar of points in time: text in, expression out. What an expression means is not known here.

use std::ops::RangeInclusive;

use chrono::{NaiveDate, NaiveTime};
use nom::branch::alt;
use nom::bytes::complete::{tag_no_case, take_while_m_n, take_while1};
use nom::character::complete::{char, digit1, one_of, space0, space1};
use nom::combinator::{cut, eof, map, map_opt, opt, peek, value};
use nom::error::{ContextError, ErrorKind, ParseError, context};
use nom::multi::many1;
use nom::sequence::{preceded, terminated};
use nom::{Finish, IResult, Parser};

use crate::zone::Zone;

/// A point in time, as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expression {
    Now,
    /// Microseconds since 1970.
    Epoch(i64),
    /// Microseconds from now; negative is back.
    Span(i64),
    Point {
        day: Day,
        time: Option<NaiveTime>,
        place: Option<Place>,
    },
}

/// A day.
#[derive(Clone, Copy, Debug)]
pub(super) enum Day {
    Today,
    Yesterday,
    Tomorrow,
    Date(NaiveDate),
}

/// Whose clocks are meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// Seconds east of UTC.
    Offset(i32),
    Zone(Zone),
}

/// Microseconds in a unit of time, by its names. Months and years are left out: their lengths differ.
const UNITS: &[(&[&str], i64)] = &[
    (&["us", "µs", "usec"], 1),
    (&["ms", "msec"], 1_000),
    (&["s", "sec", "secs", "second", "seconds"], 1_000_000),
    (&["m", "min", "mins", "minute", "minutes"], 60_000_000),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600_000_000),
    (&["d", "day", "days"], 86_400_000_000),
    (&["w", "week", "weeks"], 604_800_000_000),
];

/// What was expected, and where.
#[derive(Debug)]
struct Expected<'a> {
    at: &'a str,
    what: &'static str,
}

impl<'a> ParseError<&'a str> for Expected<'a> {
    fn from_error_kind(at: &'a str, _: ErrorKind) -> Self {
        Self { at, what: "" }
    }

    fn append(_: &'a str, _: ErrorKind, inner: Self) -> Self {
        inner
    }
}

impl<'a> ContextError<&'a str> for Expected<'a> {
    /// The innermost words are the most exact.
    fn add_context(_: &'a str, what: &'static str, inner: Self) -> Self {
        if inner.what.is_empty() { Self { what, ..inner } } else { inner }
    }
}

type Parsed<'a, T> = IResult<&'a str, T, Expected<'a>>;

/// Reads a whole text; an error is what was expected, and the rest of the text where it was.
pub(super) fn expression(text: &str) -> Result<Expression, (&'static str, &str)> {
    let forms = alt((
        map(preceded(char('@'), cut(context("seconds since 1970", epoch))), Expression::Epoch),
        value(Expression::Now, tag_no_case("now")),
        point,
        map(preceded(peek(one_of("+-0123456789")), cut(span)), Expression::Span),
    ));
    let mut whole = terminated(context("a time", forms), context("the end", preceded(space0, eof)));
    whole.parse(text).finish().map(|(_, expression)| expression).map_err(|error| (error.what, error.at))
}

/// A day, a time of day or both, and where.
fn point(input: &str) -> Parsed<'_, Expression> {
    let (rest, (day, time)) = alt((
        (day, opt(preceded(time_follows, cut(time)))),
        map(preceded(peek((digit1, char(':'))), cut(time)), |time| (Day::Today, Some(time))),
    ))
    .parse(input)?;
    let (rest, place) = opt(place).parse(rest)?;
    Ok((rest, Expression::Point { day, time, place }))
}

/// A day by its word or its date.
fn day(input: &str) -> Parsed<'_, Day> {
    alt((
        value(Day::Today, tag_no_case("today")),
        value(Day::Yesterday, tag_no_case("yesterday")),
        value(Day::Tomorrow, tag_no_case("tomorrow")),
        map(preceded(peek((digit1, char('-'))), cut(date)), Day::Date),
    ))
    .parse(input)
}

/// What stands between a day and its time: spaces before a digit, or a `T`.
fn time_follows(input: &str) -> Parsed<'_, ()> {
    alt((value((), (space1, peek(digit1))), value((), one_of("Tt")))).parse(input)
}

/// `2026-11-23`.
fn date(input: &str) -> Parsed<'_, NaiveDate> {
    let year = number(4, 4, 0..=9999, "a year of four digits");
    let month = number(2, 2, 1..=12, "a month (01 to 12)");
    let day = number(2, 2, 1..=31, "a day (01 to 31)");
    let parts = (terminated(year, char('-')), terminated(month, char('-')), day);
    let date =
        map_opt(parts, |(year, month, day)| NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day));
    context("a day of the calendar", date).parse(input)
}

/// `05:40`, `05:40:12`, `05:40:12.5`.
fn time(input: &str) -> Parsed<'_, NaiveTime> {
    let hour = number(1, 2, 0..=23, "an hour (00 to 23)");
    let minute = number(2, 2, 0..=59, "minutes (00 to 59)");
    let second = number(2, 2, 0..=59, "seconds (00 to 59)");
    let second = opt(preceded(char(':'), cut((second, opt(fraction)))));
    let parts = (terminated(hour, context("a colon", char(':'))), minute, second);
    map_opt(parts, |(hour, minute, second)| {
        let (second, fraction) = second.unwrap_or_default();
        let micros = u32::try_from(fraction.unwrap_or_default() / 1000).ok()?;
        NaiveTime::from_hms_micro_opt(hour, minute, second, micros)
    })
    .parse(input)
}

/// `Z`, an offset, or the name of a zone.
fn place(input: &str) -> Parsed<'_, Place> {
    let name = take_while1(|c: char| c.is_ascii_alphanumeric() || "/_+-".contains(c));
    let zone = map_opt(name, |name: &str| Zone::parse(name).ok().map(Place::Zone));
    let starts = peek(take_while_m_n(1, 1, |c: char| c.is_ascii_alphabetic()));
    alt((
        preceded((space0, peek(one_of("+-"))), cut(context("an offset such as +02:00", offset))),
        value(Place::Zone(Zone::Utc), (space0, one_of("Zz"), peek(alt((space1, eof))))),
        preceded((space1, starts), cut(context("a time zone", zone))),
    ))
    .parse(input)
}

/// `+02:00`, `+0200`, `+02`.
fn offset(input: &str) -> Parsed<'_, Place> {
    let hours = number(2, 2, 0..=23, "");
    let minutes = opt(preceded(opt(char(':')), number(2, 2, 0..=59, "")));
    map_opt((one_of("+-"), hours, minutes), |(sign, hours, minutes)| {
        let seconds = i32::try_from(hours * 3600 + minutes.unwrap_or_default() * 60).ok()?;
        Some(Place::Offset(if sign == '-' { -seconds } else { seconds }))
    })
    .parse(input)
}

/// Seconds since 1970, as microseconds.
fn epoch(input: &str) -> Parsed<'_, i64> {
    map_opt((opt(char('-')), quantity), |(sign, (whole, nanos))| {
        let micros = amount(whole, nanos, 1_000_000);
        i64::try_from(if sign.is_some() { -micros } else { micros }).ok()
    })
    .parse(input)
}

/// Lengths of time, forward after `+`, else back; microseconds.
fn span(input: &str) -> Parsed<'_, i64> {
    let (lengths, sign) = opt(one_of("+-")).parse(input)?;
    let (rest, terms) = many1(preceded(space0, length)).parse(lengths)?;
    let total = terms.into_iter().fold(0, i128::saturating_add);
    let Ok(micros) = i64::try_from(total) else {
        return Err(nom::Err::Failure(Expected { at: lengths, what: "a shorter span" }));
    };
    let ago = map((space0, tag_no_case("ago")), |_| ());
    let (rest, _) = if sign.is_none() { opt(ago).parse(rest)? } else { (rest, None) };
    Ok((rest, if sign == Some('+') { micros } else { -micros }))
}

/// A number with its unit, in microseconds.
fn length(input: &str) -> Parsed<'_, i128> {
    let unit = map_opt(take_while1(char::is_alphabetic), |name: &str| {
        UNITS.iter().find(|(names, _)| names.contains(&name)).map(|(_, micros)| *micros)
    });
    let unit = cut(context("a unit (us, ms, s, m, h, d, w)", unit));
    let number = context("a number", quantity);
    map((terminated(number, space0), unit), |((whole, nanos), unit)| amount(whole, nanos, unit)).parse(input)
}

/// So many units, in microseconds. Both factors fit 64 bits, so the product can't overflow.
fn amount(whole: u64, nanos: u64, unit: i64) -> i128 {
    i128::from(whole) * i128::from(unit) + i128::from(nanos) * i128::from(unit) / 1_000_000_000
}

/// A number with or without fraction: its whole part, and billionths.
fn quantity(input: &str) -> Parsed<'_, (u64, u64)> {
    let whole = map_opt(digit1, |digits: &str| digits.parse().ok());
    map((whole, opt(fraction)), |(whole, nanos)| (whole, nanos.unwrap_or_default())).parse(input)
}

/// A fraction in billionths; what is finer is cut.
fn fraction(input: &str) -> Parsed<'_, u64> {
    map(preceded(one_of(".,"), digit1), |digits: &str| {
        digits
            .bytes()
            .chain(std::iter::repeat(b'0'))
            .take(9)
            .fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
    })
    .parse(input)
}

/// A number of so many digits and in this range.
fn number<'a>(
    least: usize,
    most: usize,
    range: RangeInclusive<u32>,
    what: &'static str,
) -> impl Parser<&'a str, Output = u32, Error = Expected<'a>> {
    let digits = take_while_m_n(least, most, |c: char| c.is_ascii_digit());
    context(
        what,
        map_opt(digits, move |digits: &str| digits.parse().ok().filter(|number| range.contains(number))),
    )
}
