//! The command line: one subcommand a question, from the table of questions.

use std::path::PathBuf;

use audit_who_core::event::question::{Argument, QUESTIONS, Question};
use audit_who_render::Format;
use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::{checkpoint, collect, explain, filters, follow, memory, policy, show, store, tail};

const AFTER: &str = "\
Without PATH, standard input is read if it is piped, else the places where API servers usually log.
Files may be plain, gzip or zstd; folders are read with all below them; - is standard input.

Exit status: 0 found, 1 nothing found, 2 error (what could be read was read all the same),
3 with --strict: something may be missing.";

const TARGET: &str = "\
What it happened to: KIND/NAME as kubectl takes it (pod/web-1, deploy/web, node/n1), NAME may hold *; \
KIND alone for all; RESOURCE.GROUP/NAME for custom resources";

const SINCE: &str = "\
Only what happened at or after this time: 2026-11-23T05:40:00Z, '2026-11-23 05:40', 05:40, 2h, -90m, \
yesterday, @1795412400";

/// The whole command line.
pub(crate) fn command() -> Command {
    Command::new("audit-who")
        .about("Answers who did it, from Kubernetes audit logs")
        .version(env!("CARGO_PKG_VERSION"))
        .arg_required_else_help(true)
        .subcommand_required(true)
        .after_help(AFTER)
        .subcommands(QUESTIONS.iter().map(question))
        .subcommand(policy::command())
        .subcommand(doctor())
        .subcommand(collect::command())
        .subcommand(checkpoint::command())
        .subcommand(tail::command())
        .subcommand(show::command())
}

const AFTER_DOCTOR: &str = "\
Reads and decodes everything, so it takes longer than a question.

Exit status: 0 healthy, 1 something to know before relying on the logs, 2 error.";

/// The report on the logs themselves.
fn doctor() -> Command {
    let [.., utc, timezone] = times();
    let [_, color, .., threads] = output();
    let output = Arg::new("output")
        .short('o')
        .long("output")
        .value_name("FORMAT")
        .value_parser(["text", "json"])
        .help("How to show the report; text by default");
    Command::new("doctor")
        .about("Whether the logs are whole, what is odd about them, and what they can't answer")
        .after_help(AFTER_DOCTOR)
        .args([paths(), store::arg(), utc, timezone, output, color, threads])
}

fn question(question: &'static Question) -> Command {
    let command = Command::new(question.name)
        .visible_aliases(question.aliases)
        .about(question.about)
        .after_help(AFTER)
        .args(subject(question))
        .args([paths(), store::arg()]);
    if question.dimensions().is_empty() {
        let command = command.args(objects()).args(times()).args(filters::args());
        return command.args(output()).arg(memory::arg()).args(follow::args()).arg(explain::arg());
    }
    command.arg(limit()).args(times()).args(filters::args()).args(output())
}

pub(crate) fn paths() -> Arg {
    Arg::new("paths")
        .value_name("PATH")
        .num_args(0..)
        .value_parser(value_parser!(PathBuf))
        .help("Audit logs: files, folders, or -")
}

/// What a question is asked about.
fn subject(question: &Question) -> Option<Arg> {
    let arg = |name, help| Arg::new("subject").value_name(name).required(true).help(help);
    match question.argument {
        Argument::Target => Some(arg("KIND/NAME", TARGET)),
        Argument::User => Some(arg("USER", "User name, group/NAME or sa/NAMESPACE/NAME; may hold *")),
        Argument::Dimension => {
            let names = question.dimensions().iter().map(|dimension| dimension.name);
            let known = clap::builder::PossibleValuesParser::new(names);
            Some(arg("DIMENSION", "By what requests are counted").value_parser(known))
        }
        Argument::Nothing => None,
    }
}

/// How many rows are shown.
fn limit() -> Arg {
    Arg::new("limit")
        .long("limit")
        .value_name("N")
        .value_parser(value_parser!(usize))
        .default_value("20")
        .help("How many rows to show, those with most requests first; 0 for all")
}

/// Which objects.
fn objects() -> [Arg; 3] {
    [
        Arg::new("namespace")
            .short('n')
            .long("namespace")
            .value_name("NAME")
            .help("Only in this namespace; may hold *"),
        flag("all-namespaces", "In all namespaces, which is the default")
            .short('A')
            .conflicts_with("namespace"),
        Arg::new("uid").long("uid").value_name("UID").help("Only this incarnation of the object"),
    ]
}

/// Which times.
pub(crate) fn times() -> [Arg; 4] {
    [
        Arg::new("since").long("since").value_name("TIME").allow_hyphen_values(true).help(SINCE),
        Arg::new("until")
            .long("until")
            .value_name("TIME")
            .allow_hyphen_values(true)
            .help("Only what happened at or before this time"),
        flag("utc", "Read and show times in UTC; the default is this machine's zone")
            .conflicts_with("timezone"),
        Arg::new("timezone")
            .long("timezone")
            .value_name("NAME")
            .help("Read and show times in this zone, such as Europe/Berlin"),
    ]
}

/// How answers are shown, and how fast they are found.
pub(crate) fn output() -> [Arg; 5] {
    let formats = Format::all().map(|format| PossibleValue::new(format.name()).help(format.about()));
    [
        Arg::new("output")
            .short('o')
            .long("output")
            .value_name("FORMAT")
            .value_parser(clap::builder::PossibleValuesParser::new(formats))
            .help("How to show answers; sentences by default"),
        Arg::new("color")
            .long("color")
            .value_name("WHEN")
            .value_parser(["auto", "always", "never"])
            .default_value("auto")
            .help("When to colour; NO_COLOR is heeded"),
        flag("quiet", "Don't say what was searched; errors are still told").short('q'),
        flag(
            "strict",
            "Exit with status 3 if the logs have gaps, bad lines or cut-off bodies, or never hold what was asked for",
        ),
        Arg::new("threads")
            .long("threads")
            .value_name("N")
            .value_parser(value_parser!(u16).range(1..=256))
            .help("Threads to read with; one a processor by default. Answers don't depend on it"),
    ]
}

pub(crate) fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// The value of an option that takes one.
pub(crate) fn value<'m>(matches: &'m ArgMatches, name: &str) -> Option<&'m str> {
    matches.get_one::<String>(name).map(String::as_str)
}
