//! One JSON object a line.

use std::io;

use audit_who_event::answer::Envelope;
use serde::Serialize;
use serde_json::ser::Formatter;

use crate::Report;
use crate::terminal::is_hidden;

pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for answer in report.answers {
        line(&Envelope::new("Answer", answer), out)?;
    }
    for answer in report.related {
        line(&Envelope::new("RelatedAnswer", answer), out)?;
    }
    line(&Envelope::new("Coverage", report.coverage), out)
}

/// Writes `value` as one line of JSON in which every hidden character is an escape.
///
/// The error is that of `out`.
pub fn line<T: Serialize>(value: &T, out: &mut dyn io::Write) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Visible))?;
    out.write_all(b"\n")
}

/// Compact JSON in which every hidden character is an escape: the same value, and safe on a terminal.
struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        fragment_with(out, fragment, escape)
    }

    fn write_raw_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        raw(out, fragment)
    }
}

/// Writes a JSON value that is text already, in one line and with every hidden character as an escape: these stand in
/// strings, but for white space between tokens.
pub(crate) fn raw<W: ?Sized + io::Write>(out: &mut W, text: &str) -> io::Result<()> {
    fragment_with(out, text, |out, c| match c {
        '\t' | '\n' | '\r' => out.write_all(b" "),
        _ => escape(out, c),
    })
}

fn escape<W: ?Sized + io::Write>(out: &mut W, c: char) -> io::Result<()> {
    c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))
}

/// Writes `fragment` with `escape` for its hidden characters.
pub(crate) fn fragment_with<W: ?Sized + io::Write>(
    out: &mut W,
    fragment: &str,
    escape: impl Fn(&mut W, char) -> io::Result<()>,
) -> io::Result<()> {
    let mut written = 0;
    for (at, hidden) in fragment.char_indices().filter(|(_, c)| is_hidden(*c)) {
        out.write_all(&fragment.as_bytes()[written..at])?;
        escape(out, hidden)?;
        written = at + hidden.len_utf8();
    }
    out.write_all(&fragment.as_bytes()[written..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::{hostile, sample};

    const CONTRACT: &str = include_str!("../../../docs/answer.md");

    fn written(report: &Report<'_>) -> String {
        let mut out = Vec::new();
        write(report, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_example_of_the_contract_is_what_is_written() {
        let sample = sample::Sample::scaled_down();
        let example = CONTRACT.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
        assert_eq!(written(&sample.report()), example);
    }

    #[test]
    fn the_contract_names_every_field_and_value() {
        fn keys(value: &Value, into: &mut Vec<String>) {
            match value {
                Value::Object(fields) => fields.iter().for_each(|(key, value)| {
                    into.push(key.clone());
                    keys(value, into);
                }),
                Value::Array(values) => values.iter().for_each(|value| keys(value, into)),
                _ => {}
            }
        }
        let sample = sample::Sample::scaled_down();
        let mut named = Vec::new();
        written(&sample.report())
            .lines()
            .for_each(|line| keys(&serde_json::from_str(line).unwrap(), &mut named));
        named.extend(sample::OUTCOMES.iter().map(ToString::to_string));
        named.extend(sample::MECHANISMS.iter().map(ToString::to_string));
        for word in named {
            assert!(CONTRACT.contains(&format!("`{word}`")), "docs/answer.md does not explain {word}");
        }
    }

    #[test]
    fn hidden_characters_are_escapes() {
        let mut out = Vec::new();
        line(&"\u{1b}\u{7f}\u{9b}é\u{202e}🦀\u{e0001}\u{2028}\u{feff}\n\"\\", &mut out).unwrap();
        let expected = "\"\\u001b\\u007f\\u009bé\\u202e🦀\\udb40\\udc01\\u2028\\ufeff\\n\\\"\\\\\"\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    proptest! {
        #[test]
        fn the_value_is_kept_and_nothing_hidden_is_written(text in hostile::text()) {
            let sample = sample::Sample::hostile(&text);
            let json = written(&sample.report());
            prop_assert!(!json.lines().any(|line| line.contains(is_hidden)));
            let expected = [
                serde_json::to_value(Envelope::new("Answer", &sample.answers[0])).unwrap(),
                serde_json::to_value(Envelope::new("RelatedAnswer", &sample.related[0])).unwrap(),
                serde_json::to_value(Envelope::new("Coverage", &sample.coverage)).unwrap(),
            ];
            let read: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            prop_assert_eq!(read, expected);
        }
    }
}
