//! The output formats and their names.

use std::fmt;
use std::str::FromStr;

use crate::terminal::neutral;

/// A way to write a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// One sentence an answer, with its causes and its evidence.
    #[default]
    Text,
    /// One JSON object a line: the answers, then the coverage.
    Json,
    /// The same objects as a stream of YAML documents.
    Yaml,
    /// One row an answer, for spreadsheets.
    Csv,
    /// A table with one line an answer.
    Wide,
    /// The objects alone, each once.
    Name,
}

/// Name and one line of help of each format, in the order of the variants.
const TABLE: [(Format, &str, &str); 6] = [
    (Format::Text, "text", "a sentence for each answer, with causes and evidence"),
    (Format::Json, "json", "one JSON object a line: answers, then coverage"),
    (Format::Yaml, "yaml", "the same objects as YAML documents"),
    (Format::Csv, "csv", "one row an answer, safe to open in a spreadsheet"),
    (Format::Wide, "wide", "a table, one line an answer"),
    (Format::Name, "name", "the objects alone, as resource/name"),
];

impl Format {
    /// Whether it tells the SHA-256 of entries.
    pub const fn tells_hashes(self) -> bool {
        matches!(self, Self::Json | Self::Yaml)
    }

    /// All formats, the default one first.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(format, ..)| *format)
    }

    /// The name, as it is given on the command line.
    pub const fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// One line of help.
    pub const fn about(self) -> &'static str {
        TABLE[self as usize].2
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no format has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown output format \"{}\": take one of {}", neutral(.0), names())]
pub struct UnknownFormat(String);

fn names() -> String {
    TABLE.map(|(_, name, _)| name).join(", ")
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::all().find(|format| format.name() == name).ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_variants() {
        for (row, (format, name, _)) in TABLE.into_iter().enumerate() {
            assert_eq!(format as usize, row);
            assert_eq!(name.parse(), Ok(format));
        }
        assert_eq!(Format::all().next(), Some(Format::default()));
    }

    #[test]
    fn an_unknown_name_is_told_with_the_known_ones() {
        let error = "xml\u{1b}".parse::<Format>().unwrap_err().to_string();
        assert_eq!(
            error,
            r#"unknown output format "xml\x1b": take one of text, json, yaml, csv, wide, name"#
        );
    }
}
