//! `audit-who collect`: follows logs, and keeps the events in a store.

pub(crate) mod options;

mod committing;
mod http;
mod metrics;
mod pipeline;
mod removing;
mod signals;
mod state;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use audit_who_core::store::lock::Lock;
use audit_who_core::store::{Recorder, Store};
use audit_who_core::tail::{Metrics, NO_FILE, OTHER_CONTAINER, Tailer};
use audit_who_core::{Error, ErrorKind};
use clap::{Arg, ArgMatches, Command, value_parser};

use self::options::Options;
use self::state::{Part, Patience, State};
use crate::asking::ERROR;
use crate::logging::{self, Form};

/// The name of the subcommand.
pub(crate) const NAME: &str = "collect";

const AFTER: &str = "\
Without PATH, the places where API servers usually log are followed, as far as they are there. A file is followed with
what is rotated from it, a folder with all below it; patterns take *, ?, [...] and **.

Nothing is collected twice, and nothing is skipped: after an interruption of any kind it goes on where it was.
SIGTERM and SIGINT end it after the batch at hand; a second one ends it at once.

Exit status: 0 it was told to end, or with --once came to the end; 2 error.";

/// The subcommand's arguments.
pub(crate) fn command() -> Command {
    Command::new(NAME)
        .about("Follow logs and keep their events in a store, through rotation, restarts and crashes")
        .after_help(AFTER)
        .arg(
            Arg::new("paths")
                .value_name("PATH")
                .num_args(0..)
                .value_parser(value_parser!(std::path::PathBuf))
                .help("Audit logs: files, folders or patterns"),
        )
        .args(options::args())
}

/// Collects until it is told to end, or with `--once` to the end of what is there.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let (form, level) = options::log(matches)?;
    let options = Options::of(matches)?;
    logging::start(form, level);
    let collected = collect(&options);
    log::logger().flush();
    match collected {
        // Whoever reads the log as JSON gets no other lines.
        Err(error) if form == Form::Json => {
            log::error!("{error:#}");
            Ok(ExitCode::from(ERROR))
        }
        collected => collected,
    }
}

fn collect(options: &Options) -> anyhow::Result<ExitCode> {
    let state = Arc::new(State::default());
    signals::heed(Arc::clone(&state)).context("signals can't be handled")?;
    let _lock = Lock::acquire(&options.db, logging::now())?;
    let Some((recorder, mut tailer)) = open(options, &state)? else { return Ok(ExitCode::SUCCESS) };
    state.stop().includes(tailer.stop_handle());
    if let Some(address) = options.metrics {
        let served = metrics::Source::new(&options.db, tailer.metrics(), Arc::clone(&state));
        http::serve(address, served)
            .with_context(|| format!("--metrics-listen: {address} can't be listened at"))?;
    }
    let missing: Vec<&Path> =
        options.paths.iter().map(AsRef::as_ref).filter(|path| is_missing(path)).collect();
    for path in missing.iter().filter(|_| !options.once) {
        log::warn!(path:% = path.display(); "is not there yet: it is waited for");
    }
    let ended = pipeline::run(&mut tailer, recorder, options, &state);
    sum_up(&tailer.metrics(), &state);
    ended?;
    Ok(if options.once { judge(&tailer, options, &missing) } else { ExitCode::SUCCESS })
}

/// Opens the store, however often that has to be tried; `None` if it is told to end before. What a wrong path or missing
/// rights make fail is no trouble that passes by itself.
fn open(options: &Options, state: &State) -> anyhow::Result<Option<(Recorder, Tailer)>> {
    let mut patience = Patience::new();
    loop {
        let error = match try_to_open(options) {
            Ok(opened) => {
                if state.resolved(Part::Following) {
                    log::info!(waited:? = patience.spent(); "the store can be opened");
                }
                return Ok(Some(opened));
            }
            Err(error) => error,
        };
        if !matches!(error.kind(), ErrorKind::Busy | ErrorKind::DiskFull | ErrorKind::StoreIo) {
            return Err(error.into());
        }
        state.trouble(Part::Following, &error);
        log::error!(waited:? = patience.spent(); "the store can't be opened, nothing is read, and it is tried again: {error}");
        state.stop().wait(patience.next());
        if state.stop().is_told() {
            return Ok(None);
        }
    }
}

fn try_to_open(options: &Options) -> Result<(Recorder, Tailer), Error> {
    let store = Store::open(&options.db, options.busy_timeout)?;
    let recorder = Recorder::new(&store, options.keep)?;
    Ok((recorder, options.builder().build_on(store)?))
}

/// Whether nothing is at a path that is no pattern.
fn is_missing(path: &Path) -> bool {
    !path.exists() && !path.to_string_lossy().contains(['*', '?', '['])
}

/// Says what could not be read.
fn judge(tailer: &Tailer, options: &Options, missing: &[&Path]) -> ExitCode {
    let is_given = |path: &Path| options.paths.iter().any(|given| given == path);
    let mut status = ExitCode::SUCCESS;
    for path in missing {
        log::error!(path:% = path.display(); "was not read: there is nothing");
        status = ExitCode::from(ERROR);
    }
    for (path, why) in tailer.refused() {
        // In folders there may be anything; of what is no log only that counts which was named as one.
        if why == OTHER_CONTAINER {
            log::warn!(path:% = path.display(); "was not read: {why}");
        } else if is_given(path) || why != NO_FILE {
            log::error!(path:% = path.display(); "was not read: {why}");
            status = ExitCode::from(ERROR);
        }
    }
    status
}

fn sum_up(metrics: &Metrics, state: &State) {
    log::info!(
        new_files = metrics.generations(),
        bytes = metrics.bytes(),
        lines = metrics.entries(),
        events = state.events.get(),
        kept = state.kept.get(),
        removed = state.removed.get(),
        bad_spans = state.bad_spans.get(),
        gaps = metrics.gaps(),
        rotations = metrics.rotations(),
        commits = metrics.commits(),
        failed_commits = metrics.failures();
        "collected"
    );
}
