//! `audit-who checkpoint`: how far files are read, as a store has it.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use audit_who_core::event::answer::Envelope;
use audit_who_core::store::Store;
use audit_who_core::store::inspect::{Generation, Inspection, Verdict, Which, reset};
use audit_who_core::store::lock::Lock;
use audit_who_render::{json_line, write_table};
use clap::{Arg, ArgMatches, Command};
use serde::Serialize;

use crate::cli::{flag, value};
use crate::collect::options::{busy_timeout, busy_timeout_of, db, db_of};
use crate::{complain, logging};

/// The name of the subcommand.
pub(crate) const NAME: &str = "checkpoint";

const SOMETHING_WRONG: u8 = 1;

const AFTER_VERIFY: &str = "\
Exit status: 0 all is well, 1 something is wrong, 2 error.";

const AFTER_RESET: &str = "\
Events stay in the store: each is stored under its place, and found there again. What has no file any more is left as it
is. No collector may run meanwhile. Without --yes, it is told what would be done.

Exit status: 0 done, 1 nothing is meant or --yes was not given, 2 error.";

/// The subcommand's arguments.
pub(crate) fn command() -> Command {
    let shared = |command: Command| command.args([db(), busy_timeout()]);
    let shown = |command: Command| shared(command).arg(output());
    Command::new(NAME)
        .about("Show, verify or reset how far files are read, as a store has it")
        .arg_required_else_help(true)
        .subcommand_required(true)
        .subcommand(shown(Command::new("ls").about("List what is read, and how far")))
        .subcommand(
            shown(Command::new("verify").about("Compare what was read last with the files"))
                .after_help(AFTER_VERIFY),
        )
        .subcommand(
            shared(Command::new("reset").about("Have files read again from their beginning"))
                .after_help(AFTER_RESET)
                .args([
                    Arg::new("which")
                        .value_name("GENERATION|SOURCE")
                        .required_unless_present("all")
                        .help("The number of a generation, or a file with all that is rotated from it"),
                    flag("all", "All of them").conflicts_with("which"),
                    flag("yes", "Do it"),
                ]),
        )
        .subcommand(shared(
            Command::new("export").about("Print generations, gaps and bad spans as JSON, one a line"),
        ))
}

fn output() -> Arg {
    Arg::new("output")
        .short('o')
        .long("output")
        .value_name("FORMAT")
        .value_parser(["table", "json"])
        .default_value("table")
        .help("How to show it")
}

/// Does what the subcommand's own subcommand says.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(io::stdout().lock());
    let ended = match matches.subcommand() {
        Some(("ls", matches)) => list(matches, &mut out),
        Some(("verify", matches)) => verify(matches, &mut out),
        Some(("reset", matches)) => forget(matches, &mut out),
        Some(("export", matches)) => export(matches, &mut out),
        _ => bail!("nothing was asked for; see audit-who checkpoint --help"),
    };
    let flushed = ended.and_then(|status| Ok(out.flush().map(|()| status)?));
    match flushed {
        // Whoever reads it had enough of it.
        Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
        ended => ended.map(ExitCode::from),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn inspect(matches: &ArgMatches) -> anyhow::Result<Inspection> {
    Ok(Inspection::open(db_of(matches)?, busy_timeout_of(matches))?)
}

fn is_json(matches: &ArgMatches) -> bool {
    value(matches, "output") == Some("json")
}

fn json<T: Serialize>(kind: &'static str, value: &T, out: &mut dyn Write) -> io::Result<()> {
    json_line(&Envelope::new(kind, value), out)
}

fn list(matches: &ArgMatches, out: &mut dyn Write) -> anyhow::Result<u8> {
    let generations = inspect(matches)?.generations()?;
    if is_json(matches) {
        generations.iter().try_for_each(|generation| json("Generation", generation, out))?;
    } else {
        const HEAD: [&str; 9] =
            ["ID", "STATE", "READ", "OFFSET", "SIZE", "LAST EVENT", "ENCODING", "PATH", "SOURCE"];
        write_table(HEAD, generations.iter().map(row), out)?;
    }
    Ok(0)
}

fn row(generation: &Generation) -> [String; 9] {
    let unknown = || "-".to_owned();
    [
        generation.id.to_string(),
        generation.state.to_owned(),
        generation.percent.map_or_else(unknown, |percent| format!("{percent}%")),
        generation.offset.to_string(),
        generation.size.to_string(),
        generation.last.map_or_else(unknown, |time| time.to_string()),
        generation.encoding.clone(),
        generation.path.clone(),
        generation.source.clone(),
    ]
}

fn verify(matches: &ArgMatches, out: &mut dyn Write) -> anyhow::Result<u8> {
    let verdicts = inspect(matches)?.verify()?;
    if is_json(matches) {
        verdicts.iter().try_for_each(|verdict| json("Verdict", verdict, out))?;
    } else {
        write_verdicts(
            verdicts.iter().map(|verdict| (verdict, if verdict.ok { "yes" } else { "NO" })),
            "OK",
            out,
        )?;
    }
    let is_wrong = verdicts.iter().any(|verdict| !verdict.ok);
    Ok(if is_wrong { SOMETHING_WRONG } else { 0 })
}

/// A table of what was found, with a column of one's own.
fn write_verdicts<'v>(
    verdicts: impl Iterator<Item = (&'v Verdict, &'static str)>,
    column: &'static str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let rows = verdicts.map(|(verdict, word)| {
        let path = verdict.path.clone().unwrap_or_else(|| "-".to_owned());
        [verdict.generation.to_string(), word.to_owned(), verdict.finding.clone(), path]
    });
    write_table(["ID", column, "FINDING", "PATH"], rows, out)
}

fn forget(matches: &ArgMatches, out: &mut dyn Write) -> anyhow::Result<u8> {
    let db = db_of(matches)?;
    if !db.is_file() {
        bail!("{}: there is no store", db.display());
    }
    let which = which(matches)?;
    let sure = matches.get_flag("yes");
    let _lock = Lock::acquire(&db, logging::now())?;
    let mut store = Store::open(&db, busy_timeout_of(matches))?;
    let meant = reset(&mut store, &which, !sure)?;
    if meant.is_empty() {
        complain(
            "audit-who: nothing in the store is meant by that; audit-who checkpoint ls shows what there is",
        );
        return Ok(SOMETHING_WRONG);
    }
    let word = |reset: bool| if reset { "yes" } else { "no" };
    write_verdicts(meant.iter().map(|(verdict, reset)| (verdict, word(*reset))), "RESET", out)?;
    out.flush()?;
    if !sure {
        complain("audit-who: nothing was changed: give --yes to have what is marked with yes read again");
        return Ok(SOMETHING_WRONG);
    }
    Ok(0)
}

fn which(matches: &ArgMatches) -> anyhow::Result<Which> {
    let Some(text) = value(matches, "which") else { return Ok(Which::All) };
    if let Ok(id) = text.parse() {
        return Ok(Which::Id(id));
    }
    let path = std::path::absolute(text).with_context(|| format!("{text:?} is no path"))?;
    Ok(Which::Source(path.to_string_lossy().into_owned()))
}

fn export(matches: &ArgMatches, out: &mut dyn Write) -> anyhow::Result<u8> {
    let inspection = inspect(matches)?;
    for generation in inspection.generations()? {
        json("Generation", &generation, out)?;
    }
    inspection.gaps(|gap| anyhow::Ok(json("Gap", &gap, out)?))?;
    inspection.bad_spans(|span| anyhow::Ok(json("BadSpan", &span, out)?))?;
    Ok(0)
}
