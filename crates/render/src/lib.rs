//! Writes what a question got back, for people and for programs.
//!
//! Names, user agents and paths come from whoever sent the requests. Every format makes them harmless: what could
//! move a cursor, reorder or hide text, or start a spreadsheet formula, is written as a visible escape. Only JSON and
//! YAML keep the exact value; there the escapes are the format's own.
//!
//! ```
//! use audit_who_event::coverage::Coverage;
//! use audit_who_render::{Format, Report, Style, Zone};
//!
//! let coverage = Coverage { verdict: "nobody evicted pod shop/web-1 in these files".into(), ..Coverage::default() };
//! let report = Report { answers: &[], related: &[], coverage: &coverage };
//! let style = Style { color: false, zone: Zone::Utc, width: None };
//! let mut out = Vec::new();
//! audit_who_render::write(&report, Format::Text, &style, &mut out)?;
//! assert_eq!(out, b"nobody evicted pod shop/web-1 in these files\n");
//! # Ok::<(), std::io::Error>(())
//! ```

mod count;
mod doctor;
mod event;
mod format;
mod json;
mod name;
mod paint;
mod sheet;
mod stream;
mod summary;
mod table;
pub mod terminal;
mod text;
mod wrap;
mod yaml;

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod sample;

use std::io;

use audit_who_event::answer::Answer;
use audit_who_event::coverage::Coverage;

pub use audit_who_event::zone::Zone;

pub use crate::count::write_counts;
pub use crate::doctor::{write_doctor, write_doctor_json};
pub use crate::event::{write_event, write_event_json};
pub use crate::format::{Format, UnknownFormat};
pub use crate::json::line as json_line;
pub use crate::stream::Stream;
pub use crate::summary::summary;
pub use crate::table::write_table;

/// Everything that one question got back.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What was asked for, in the order to print.
    pub answers: &'a [Answer],
    /// What else explains the outcome: removals of an object that was not evicted.
    pub related: &'a [Answer],
    /// What was searched.
    pub coverage: &'a Coverage,
}

/// How to write for people. JSON, YAML and CSV don't depend on it.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether to write ANSI colours.
    pub color: bool,
    /// The zone that times are shown in.
    pub zone: Zone,
    /// Columns to wrap sentences at; `None` leaves them whole. Tables and evidence are never wrapped.
    pub width: Option<usize>,
}

/// Writes `report` to `out` in many small pieces: hand in a buffered writer.
///
/// The error is that of `out`.
pub fn write(report: &Report<'_>, format: Format, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    match format {
        Format::Text => text::write(report, style, out),
        Format::Json => json::write(report, out),
        Format::Yaml => yaml::write(report, out),
        Format::Csv => sheet::write(report, out),
        Format::Wide => table::write(report, style, out),
        Format::Name => name::write(report, out),
    }
}
