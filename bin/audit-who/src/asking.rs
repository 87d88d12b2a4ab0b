//! One question from the command line to its answer.

use std::io::{self, BufWriter, Write};
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, anyhow, bail};
use audit_who_core::event::case::{Ask, Case, Subject, Window};
use audit_who_core::event::coverage::Coverage;
use audit_who_core::event::glob::Glob;
use audit_who_core::event::question::{self, Argument, Question};
use audit_who_core::event::target::Target;
use audit_who_core::event::time::Timestamp;
use audit_who_core::event::when;
use audit_who_core::event::zone::Zone;
use audit_who_core::{Asked, Files, Inputs, Logs, Scan, evidence, investigate};
use audit_who_render::{Format, Report, Style, summary, terminal};
use clap::ArgMatches;

use crate::cli::value;
use crate::{complain, counting, explain, filters, follow, memory, places, store};

pub(crate) const FOUND: u8 = 0;
pub(crate) const NOTHING_FOUND: u8 = 1;
/// Something could not be done or not be read.
pub(crate) const ERROR: u8 = 2;
/// With `--strict`: the answer may not be the whole one.
const INCOMPLETE: u8 = 3;

/// Asks the question that the command line names, prints the answer, and says how it ended.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let (name, matches) = matches.subcommand().context("no question was asked; see audit-who --help")?;
    let question =
        question::named(name).with_context(|| format!("{name} is no question; see audit-who --help"))?;
    let zone = zone(matches)?;
    let window = window(matches, zone)?;
    let style = Style { color: color(matches), zone, width: None };
    if !question.dimensions().is_empty() {
        return counting::run(question, matches, window, &style);
    }
    let filters = filters::filters(matches)?;
    let ask_about =
        Ask { question, subject: subject(question, matches)?, window, selection: filters.selection };
    if let Some(printed) = explain::run(matches, &ask_about) {
        return printed.context("the queries could not be written");
    }
    if matches.get_flag("follow") {
        let ended = follow::run(matches, ask_about, &style)?;
        let undecided = filters.condition.as_deref().and_then(filters::undecided);
        return Ok(undecided.map_or(ended, |undecided| {
            complain(&undecided);
            ExitCode::from(ERROR)
        }));
    }
    let case = Case::new(ask_about).memory_limit(memory::limit(matches));
    let asked = match store::archive(matches)? {
        Some(archive) => asked(matches, &archive, case),
        None => asked(matches, &Files::new(&scan(matches), &Inputs::open(paths(matches)?)), case),
    };
    let undecided = filters.condition.as_deref().and_then(filters::undecided);
    let status = if undecided.is_some() {
        ERROR
    } else {
        status(matches, is_found(question, &asked), &asked.coverage)
    };
    let printed = print(matches, &asked, &style);
    if let Some(undecided) = undecided {
        complain(&undecided);
    }
    ended(status, printed)
}

/// Asks, with the hashes of what proves the answers where they are told.
fn asked(matches: &ArgMatches, logs: &impl Logs, case: Case) -> ManuallyDrop<Asked> {
    // The program ends soon: what the case holds is given back with all other memory then.
    let mut asked = investigate(logs, &mut ManuallyDrop::new(case));
    if format(matches).tells_hashes() {
        for answers in [&mut asked.findings.answers, &mut asked.findings.related] {
            evidence::hash(logs, answers);
        }
    }
    ManuallyDrop::new(asked)
}

/// The status to exit with, unless the answer could not be written.
pub(crate) fn ended(status: u8, printed: io::Result<()>) -> anyhow::Result<ExitCode> {
    match printed {
        // Whoever reads the answer had enough of it: `| head` is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::from(status)),
        printed => printed.context("the answer could not be written").map(|()| ExitCode::from(status)),
    }
}

pub(crate) fn scan(matches: &ArgMatches) -> Scan {
    let threads = matches.get_one::<u16>("threads");
    threads.map_or_else(Scan::new, |threads| Scan::new().threads(usize::from(*threads)))
}

/// How a group is named where a user is asked for.
pub(crate) const GROUP: &str = "group/";

/// The user that is named by itself, as `user/NAME`, or as `serviceaccount/NAMESPACE/NAME`.
fn username(text: &str) -> String {
    let account = ["serviceaccount/", "sa/"].iter().find_map(|kind| text.strip_prefix(kind)?.split_once('/'));
    match account {
        Some((namespace, name)) => format!("system:serviceaccount:{namespace}:{name}"),
        None => text.strip_prefix("user/").unwrap_or(text).to_owned(),
    }
}

fn subject(question: &Question, matches: &ArgMatches) -> anyhow::Result<Subject> {
    let text = value(matches, "subject").unwrap_or_default();
    if question.argument == Argument::User {
        let any = text.starts_with(GROUP);
        return Ok(Subject::User(if any { Glob::any() } else { Glob::new(username(text)) }));
    }
    let target = Target::parse(text).map_err(|error| anyhow!("{error}"))?;
    let target = target.in_namespace(value(matches, "namespace").map(Glob::new));
    Ok(Subject::Target(target.with_uid(value(matches, "uid").map(str::to_owned))))
}

pub(crate) fn zone(matches: &ArgMatches) -> anyhow::Result<Zone> {
    match value(matches, "timezone") {
        Some(name) => Zone::parse(name).map_err(|error| anyhow!("--timezone: {error}")),
        None if matches.get_flag("utc") => Ok(Zone::Utc),
        None => Ok(Zone::Local),
    }
}

pub(crate) fn window(matches: &ArgMatches, zone: Zone) -> anyhow::Result<Window> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros();
    let now = Timestamp::from_micros(i64::try_from(now).unwrap_or(i64::MAX));
    // Not every command has both ends.
    let given = |name: &str| matches.try_get_one::<String>(name).ok().flatten();
    let point = |name: &str, open: Timestamp| match given(name) {
        Some(text) => when::parse(text, now, &zone).map_err(|error| anyhow!("--{name}: {error}")),
        None => Ok(open),
    };
    let window = Window { from: point("since", Timestamp::MIN)?, until: point("until", Timestamp::MAX)? };
    if window.from > window.until {
        bail!("--since {} is later than --until {}: nothing can lie between them", window.from, window.until);
    }
    Ok(window)
}

pub(crate) fn paths(matches: &ArgMatches) -> anyhow::Result<Vec<PathBuf>> {
    let given: Vec<PathBuf> = matches.get_many("paths").unwrap_or_default().cloned().collect();
    if !given.is_empty() {
        return Ok(given);
    }
    if is_piped() {
        return Ok(vec![PathBuf::from("-")]);
    }
    let places = places::existing();
    if places.is_empty() {
        bail!(
            "no PATH was given, and there is no audit log in the usual places:\n  {}\ngive files or folders, or - for standard input",
            places::all()
        );
    }
    Ok(places)
}

/// Whether standard input is a pipe or a file: cron and systemd give a program `/dev/null`, which is neither.
#[cfg(unix)]
fn is_piped() -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileTypeExt;
    let Ok(owned) = io::stdin().as_fd().try_clone_to_owned() else { return false };
    let kind = std::fs::File::from(owned).metadata().map(|metadata| metadata.file_type());
    kind.is_ok_and(|kind| kind.is_fifo() || kind.is_file() || kind.is_socket())
}

pub(crate) fn color(matches: &ArgMatches) -> bool {
    match value(matches, "color") {
        Some("always") => true,
        Some("never") => false,
        _ => anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never,
    }
}

fn is_found(question: &Question, asked: &Asked) -> bool {
    asked.findings.answers.iter().any(|answer| answer.outcome == question.outcome())
}

/// The status to exit with: what could not be read outweighs what was found.
pub(crate) fn status(matches: &ArgMatches, found: bool, coverage: &Coverage) -> u8 {
    if coverage.problems.iter().any(|problem| problem.fatal) {
        return ERROR;
    }
    if matches.get_flag("strict") && !coverage.incomplete.is_empty() {
        return INCOMPLETE;
    }
    if found { FOUND } else { NOTHING_FOUND }
}

/// The format that is asked for.
pub(crate) fn format(matches: &ArgMatches) -> Format {
    value(matches, "output").and_then(|name| name.parse().ok()).unwrap_or(Format::Text)
}

fn print(matches: &ArgMatches, asked: &Asked, style: &Style) -> io::Result<()> {
    let format = format(matches);
    let report = Report {
        answers: &asked.findings.answers,
        related: &asked.findings.related,
        coverage: &asked.coverage,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    audit_who_render::write(&report, format, style, &mut out)?;
    out.flush()?;
    drop(out);
    let none = asked.findings.answers.is_empty();
    let silent = none && matches!(format, Format::Csv | Format::Wide | Format::Name);
    tell(matches, &asked.coverage, silent, style)
}

/// Says on standard error what was searched, and what could not be; the verdict too, where the output is silent.
pub(crate) fn tell(matches: &ArgMatches, coverage: &Coverage, silent: bool, style: &Style) -> io::Result<()> {
    let mut err = io::stderr().lock();
    if silent {
        writeln!(err, "{}", terminal::neutral(&coverage.verdict))?;
    }
    let mut lines = summary(coverage, style);
    if matches.get_flag("quiet") {
        // The last one says what was searched.
        lines.pop();
    }
    if matches.get_flag("strict") && !coverage.incomplete.is_empty() {
        let reasons = coverage.incomplete.join("; ");
        writeln!(err, "incomplete: {}", terminal::neutral(&reasons))?;
    }
    for line in lines {
        writeln!(err, "{line}")?;
    }
    Ok(())
}
