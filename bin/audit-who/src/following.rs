//! What following has in common for answers and for events: which files, from where on, and until when.

use std::io;
use std::path::PathBuf;
use std::thread;

use anyhow::bail;
use audit_who_core::event::coverage::BadSpan;
use audit_who_core::tail::{Builder, StopHandle, Tailer};
use clap::{Arg, ArgMatches, value_parser};
use log::LevelFilter;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::cli::flag;
use crate::logging::{self, Form};
use crate::{complain, places};

const CURSOR: &str = "\
Go on where the last run with this file ended, and begin with what is there at the first one; the file is made if \
there is none";

/// What a shell adds to the number of the signal that ended a program.
const SIGNALLED: i32 = 128;

/// How files are followed.
pub(crate) fn args() -> [Arg; 2] {
    [
        Arg::new("cursor-file")
            .long("cursor-file")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help(CURSOR),
        flag("poll", "Don't rely on the system to say what changed, as on network file systems"),
    ]
}

/// What is followed: what was given, or the usual places.
pub(crate) fn paths(matches: &ArgMatches) -> anyhow::Result<Vec<PathBuf>> {
    let given: Vec<PathBuf> = matches.get_many("paths").unwrap_or_default().cloned().collect();
    if given.iter().any(|path| path.as_os_str() == "-") {
        bail!("standard input can't be followed; give files, folders or patterns");
    }
    let paths = if given.is_empty() { places::existing() } else { given };
    if paths.is_empty() {
        bail!(
            "no PATH was given, and there is no audit log in the usual places:\n  {}\ngive files, folders or patterns",
            places::all()
        );
    }
    Ok(paths)
}

/// Follows `paths` as the options say.
pub(crate) fn tailer(matches: &ArgMatches, paths: &[PathBuf]) -> Builder {
    let mut builder = Tailer::builder().inotify_watcher(!matches.get_flag("poll"));
    for path in paths {
        builder = builder.path(path);
    }
    match matches.get_one::<PathBuf>("cursor-file") {
        Some(file) => builder.db(file),
        None => builder,
    }
}

/// Has the first signal end following, and a second one the program.
pub(crate) fn end_on_signals(handle: StopHandle) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            if handle.is_stopped() {
                std::process::exit(SIGNALLED + signal);
            }
            handle.stop();
        }
    })?;
    Ok(())
}

/// Whether an error says that whoever reads the output had enough of it: `| head` is no failure.
pub(crate) fn is_enough(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Says what holds no entry.
pub(crate) fn tell_bad(span: &BadSpan) {
    complain(&format!("bad line: {}:{} ({} bytes): {}", span.source, span.offset, span.length, span.reason));
}

/// Says on standard error what is lost, and what can't be followed.
pub(crate) fn heed_warnings() {
    logging::start(Form::Text, LevelFilter::Warn);
}
