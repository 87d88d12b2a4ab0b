//! One question that counts, from the command line to its table.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::Context;
use audit_who_core::event::case::Window;
use audit_who_core::event::count::{Counting, Dimension};
use audit_who_core::event::question::Question;
use audit_who_core::{Counted, Files, Inputs, count};
use audit_who_render::{Format, Style};
use clap::ArgMatches;

use crate::cli::value;
use crate::{asking, complain, filters, store};

/// Counts, prints the counts, and says how it ended.
pub(crate) fn run(
    question: &'static Question,
    matches: &ArgMatches,
    window: Window,
    style: &Style,
) -> anyhow::Result<ExitCode> {
    let filters = filters::filters(matches)?;
    let counting =
        Counting::new(question, dimension(question, matches)?, window).selecting(filters.selection);
    let limit = matches.get_one::<usize>("limit").copied().filter(|limit| *limit > 0);
    let counted = if let Some(archive) = store::archive(matches)? {
        count(&archive, &counting, limit)
    } else {
        let inputs = Inputs::open(asking::paths(matches)?);
        count(&Files::new(&asking::scan(matches), &inputs), &counting, limit)
    };
    let undecided = filters.condition.as_deref().and_then(filters::undecided);
    let found = !counted.counts.rows.is_empty();
    let status =
        if undecided.is_some() { asking::ERROR } else { asking::status(matches, found, &counted.coverage) };
    let printed = print(matches, &counted, style);
    if let Some(undecided) = undecided {
        complain(&undecided);
    }
    asking::ended(status, printed)
}

/// The dimension that is asked for, or the only one.
fn dimension(question: &'static Question, matches: &ArgMatches) -> anyhow::Result<&'static Dimension> {
    let [only] = question.dimensions() else {
        let name = value(matches, "subject").unwrap_or_default();
        let known = question.dimension(name);
        return known.with_context(|| {
            format!("{name} is nothing to count by; see audit-who {} --help", question.name)
        });
    };
    Ok(only)
}

fn print(matches: &ArgMatches, counted: &Counted, style: &Style) -> io::Result<()> {
    let format = asking::format(matches);
    let mut out = BufWriter::new(io::stdout().lock());
    audit_who_render::write_counts(&counted.counts, &counted.coverage, format, style, &mut out)?;
    out.flush()?;
    drop(out);
    // Sheets and names have no place for what is not in them.
    let partial = counted.counts.rows.is_empty() || counted.counts.rest().is_some();
    asking::tell(matches, &counted.coverage, partial && matches!(format, Format::Csv | Format::Name), style)
}
