//! `audit-who doctor`: whether logs can be relied on.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::Context;
use audit_who_core::{Files, Inputs, doctor};
use audit_who_render::{Style, write_doctor, write_doctor_json};
use clap::ArgMatches;

use crate::asking::{self, ERROR};
use crate::cli::value;
use crate::store;

const HEALTHY: u8 = 0;
const SOMETHING_TO_KNOW: u8 = 1;

/// Reads everything, prints the report, and says whether there is something to know.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let zone = asking::zone(matches)?;
    let report = match store::archive(matches)? {
        Some(archive) => doctor(&archive),
        None => doctor(&Files::new(&asking::scan(matches), &Inputs::open(asking::paths(matches)?))),
    };
    let status = if report.problems.iter().any(|problem| problem.fatal) {
        ERROR
    } else if report.findings.is_empty() {
        HEALTHY
    } else {
        SOMETHING_TO_KNOW
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let written = if value(matches, "output") == Some("json") {
        write_doctor_json(&report, &mut out)
    } else {
        write_doctor(&report, &Style { color: asking::color(matches), zone, width: None }, &mut out)
    };
    match written.and_then(|()| out.flush()) {
        // Whoever reads the report had enough of it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::from(status)),
        ended => ended.context("the report could not be written").map(|()| ExitCode::from(status)),
    }
}
