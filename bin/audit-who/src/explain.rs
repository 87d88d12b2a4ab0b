//! `--explain`: the question for other tools, instead of an answer.

use std::io::{self, Write};
use std::process::ExitCode;

use audit_who_core::event::case::Ask;
use audit_who_core::event::explain::{self, Language};
use audit_who_render::terminal;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgMatches};

use crate::cli::value;

const HELP: &str = "\
Print the question as a query for other tools instead of asking it; they find the requests, but judge nothing. \
--explain=jq prints the program alone: jq -c \"$(audit-who … --explain=jq)\" audit.log";

/// The option.
pub(crate) fn arg() -> Arg {
    let languages =
        Language::ALL.iter().map(|language| PossibleValue::new(language.name()).help(language.about()));
    Arg::new("explain")
        .long("explain")
        .value_name("LANGUAGE")
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("all")
        .value_parser(PossibleValuesParser::new(
            languages.chain([PossibleValue::new("all").help("all of them")]),
        ))
        .help(HELP)
}

/// Prints what was asked for; `None` if the question is to be answered.
pub(crate) fn run(matches: &ArgMatches, ask: &Ask) -> Option<io::Result<ExitCode>> {
    let wanted = value(matches, "explain")?;
    Some(print(wanted, ask).map(|()| ExitCode::SUCCESS))
}

fn print(wanted: &str, ask: &Ask) -> io::Result<()> {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    for language in Language::ALL {
        if wanted != "all" && wanted != language.name() {
            continue;
        }
        let explained = explain::explain(ask, *language);
        if wanted == "all" {
            writeln!(out, "{language}: {}\n", language.about())?;
        }
        for line in explained.text.lines() {
            writeln!(out, "{}", terminal::neutral(line))?;
        }
        for left_out in &explained.left_out {
            writeln!(err, "{language} can't be asked: {}", terminal::neutral(left_out))?;
        }
        if wanted == "all" {
            writeln!(out)?;
        }
    }
    let rules = explain::rules(ask);
    if wanted == "all" && !rules.is_empty() {
        writeln!(
            out,
            "What is found is judged by these rules (docs/rules.md), which no query can: {}",
            rules.join(", ")
        )?;
    }
    Ok(())
}
