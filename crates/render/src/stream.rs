//! Answers one after the other, as they come.

use std::io;

use audit_who_event::answer::{Answer, Envelope};
use audit_who_event::coverage::Coverage;

use crate::{Format, Style, json, name, sheet, table, text, yaml};

/// Writes answers in one format, with what stands once at its beginning and its end.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    format: Format,
    style: Style,
    begun: bool,
}

impl Stream {
    /// Begins with nothing written.
    pub const fn new(format: Format, style: Style) -> Self {
        Self { format, style, begun: false }
    }

    /// Writes an answer. Tables have columns of their own for each answer: how wide later ones are is not known.
    ///
    /// The error is that of `out`.
    pub fn answer(&mut self, answer: &Answer, out: &mut dyn io::Write) -> io::Result<()> {
        let begun = std::mem::replace(&mut self.begun, true);
        match self.format {
            Format::Text => text::one(answer, begun, &self.style, out),
            Format::Json => json::line(&Envelope::new("Answer", answer), out),
            Format::Yaml => yaml::document(&Envelope::new("Answer", answer), out),
            Format::Csv => sheet::one(answer, begun, out),
            Format::Wide => table::one(answer, begun, &self.style, out),
            Format::Name => name::one(&answer.object, out),
        }
    }

    /// Writes what was searched, in formats that hold it.
    ///
    /// The error is that of `out`.
    pub fn end(&mut self, coverage: &Coverage, out: &mut dyn io::Write) -> io::Result<()> {
        match self.format {
            Format::Json => json::line(&Envelope::new("Coverage", coverage), out),
            Format::Yaml => yaml::document(&Envelope::new("Coverage", coverage), out),
            Format::Text | Format::Csv | Format::Wide | Format::Name => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Report;
    use crate::sample::{PLAIN, Sample};

    fn streamed(format: Format, samples: &[Sample]) -> String {
        let mut stream = Stream::new(format, PLAIN);
        let mut out = Vec::new();
        for answer in samples.iter().flat_map(|sample| &sample.answers) {
            stream.answer(answer, &mut out).unwrap();
        }
        stream.end(&samples[0].coverage, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn answers_one_by_one_are_those_of_a_report() {
        let samples = [Sample::evicted(), Sample::scaled_down()];
        let answers: Vec<Answer> = samples.iter().flat_map(|sample| sample.answers.clone()).collect();
        let report = Report { answers: &answers, related: &[], coverage: &samples[0].coverage };
        for format in [Format::Text, Format::Json, Format::Yaml, Format::Csv, Format::Name] {
            let mut whole = Vec::new();
            crate::write(&report, format, &PLAIN, &mut whole).unwrap();
            let streamed = streamed(format, &samples);
            // A report names each object once.
            let once = if format == Format::Name {
                "pods/web-1\npods/web-1\n"
            } else {
                &String::from_utf8(whole).unwrap()
            };
            assert_eq!(streamed, *once, "{format}");
        }
    }

    #[test]
    fn a_table_has_one_head() {
        let table = streamed(Format::Wide, &[Sample::evicted(), Sample::scaled_down()]);
        assert_eq!(table.lines().count(), 3, "{table}");
        assert_eq!(table.lines().filter(|line| line.starts_with("TIME")).count(), 1, "{table}");
    }
}
