//! What to collect, and how, from the command line.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf, absolute};
use std::time::Duration;

use anyhow::{Context, bail};
use audit_who_core::store::{Keep, Retention};
use audit_who_core::tail::{Builder, Tailer};
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use log::LevelFilter;

use crate::cli::{flag, value};
use crate::logging::Form;
use crate::{places, quantity};

/// Says how much is logged where no option does.
const LOG_VARIABLE: &str = "AUDIT_WHO_LOG";
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const KEEP: &str = "\
Which events to keep: all, or those that change, reveal or were refused something, which is all that questions about \
causes look at";

/// What to collect, and how.
#[derive(Debug)]
pub(crate) struct Options {
    /// The store, by its absolute path.
    pub(crate) db: PathBuf,
    /// What is followed, by absolute paths.
    pub(crate) paths: Vec<PathBuf>,
    /// Whether to end at the end of what is there.
    pub(crate) once: bool,
    /// Which events are kept.
    pub(crate) keep: Keep,
    /// How long, and how much.
    pub(crate) retention: Retention,
    pub(crate) busy_timeout: Duration,
    /// Where metrics are served.
    pub(crate) metrics: Option<SocketAddr>,
    builder: Builder,
}

/// The options, besides the paths.
pub(super) fn args() -> Vec<Arg> {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let duration = |name, help| option(name, "DURATION", help).value_parser(quantity::duration);
    let size = |name, help| option(name, "SIZE", help).value_parser(quantity::size);
    vec![
        db(),
        flag("once", "End at the end of what is there, instead of waiting for more"),
        option("keep", "EVENTS", KEEP)
            .value_parser([Keep::Notable, Keep::All].map(Keep::name))
            .default_value(Keep::default().name()),
        option("exclude", "GLOB", "Leave out files whose path or name matches; can be given several times")
            .action(ArgAction::Append),
        flag("read-from-head", "Read files that are there at the first start from their beginning, the default"),
        flag("read-from-tail", "Read files that are there at the first start from their end")
            .conflicts_with("read-from-head"),
        duration("refresh-interval", "Look so often for new files and what grew; 1s, or 250ms with --poll"),
        flag("poll", "Don't rely on the system to say what changed, as on network file systems"),
        size("max-line", "Hold lines of up to so many bytes, 64MiB by default; longer ones are noted as bad"),
        size("max-held", "Hold removed files that are not read yet while they are no larger together, 16GiB by default; others are noted as gaps"),
        duration("keep-for", "Remove events that are older, such as 90d"),
        size("max-size", "Remove the oldest events while the store is larger, such as 20GB"),
        busy_timeout(),
        option("metrics-listen", "ADDRESS", "Serve /metrics and /healthz here: 9464 or 127.0.0.1:9464 for this machine alone, 0.0.0.0:9464 for all")
            .value_parser(address),
        option("log-format", "FORMAT", "How to write the log on standard error")
            .value_parser(["text", "json"])
            .default_value("text"),
        flag("quiet", "Log warnings and errors alone").short('q').conflicts_with("verbose"),
        Arg::new("verbose")
            .short('v')
            .long("verbose")
            .action(ArgAction::Count)
            .help("Log more, twice for yet more; AUDIT_WHO_LOG=debug does it, too"),
    ]
}

/// The store.
pub(crate) fn db() -> Arg {
    Arg::new("db")
        .long("db")
        .value_name("FILE")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help("The store")
}

/// How long to wait for a store that is locked.
pub(crate) fn busy_timeout() -> Arg {
    Arg::new("busy-timeout")
        .long("busy-timeout")
        .value_name("DURATION")
        .value_parser(quantity::duration)
        .help("Wait so long for a store that another process has locked; 5s by default")
}

/// The value of that option.
pub(crate) fn busy_timeout_of(matches: &ArgMatches) -> Duration {
    matches.get_one("busy-timeout").copied().unwrap_or(BUSY_TIMEOUT)
}

/// The one path of the store, whichever way leads to it: its lock stands beside it.
pub(crate) fn db_of(matches: &ArgMatches) -> anyhow::Result<PathBuf> {
    let db = matches.get_one::<PathBuf>("db").context("no --db was given")?;
    let whole = absolute(db).with_context(|| format!("--db: {} is no path", db.display()))?;
    let in_folder = || Some(whole.parent()?.canonicalize().ok()?.join(whole.file_name()?));
    let canonical = whole.canonicalize().ok().or_else(in_folder);
    // Where even the folder is missing, opening it tells.
    Ok(canonical.unwrap_or(whole))
}

impl Options {
    pub(super) fn of(matches: &ArgMatches) -> anyhow::Result<Self> {
        let given: Vec<PathBuf> = matches.get_many("paths").unwrap_or_default().cloned().collect();
        let paths = paths(given)?;
        let mut builder = Tailer::builder()
            .exit_on_eof(matches.get_flag("once"))
            .read_from_head(!matches.get_flag("read-from-tail"))
            .inotify_watcher(!matches.get_flag("poll"));
        for path in &paths {
            builder = builder.path(path);
        }
        for pattern in matches.get_many::<String>("exclude").unwrap_or_default() {
            builder = builder.exclude_path(excluded(pattern)?);
        }
        if let Some(interval) = matches.get_one("refresh-interval") {
            builder = builder.refresh_interval(*interval);
        }
        if let Some(size) = matches.get_one::<u64>("max-line") {
            builder = builder.buffer_max_size(usize::try_from(*size).unwrap_or(usize::MAX));
        }
        if let Some(size) = matches.get_one::<u64>("max-held") {
            builder = builder.max_held_bytes(*size);
        }
        Ok(Self {
            db: db_of(matches)?,
            paths,
            once: matches.get_flag("once"),
            keep: value(matches, "keep").and_then(Keep::named).unwrap_or_default(),
            retention: Retention {
                keep_for: matches.get_one("keep-for").copied(),
                max_bytes: matches.get_one("max-size").copied(),
            },
            busy_timeout: busy_timeout_of(matches),
            metrics: matches.get_one("metrics-listen").copied(),
            builder,
        })
    }

    /// How files are followed.
    pub(super) fn builder(&self) -> Builder {
        self.builder.clone()
    }
}

/// How the log is written, and how much of it.
pub(super) fn log(matches: &ArgMatches) -> anyhow::Result<(Form, LevelFilter)> {
    let form = if value(matches, "log-format") == Some("json") { Form::Json } else { Form::Text };
    let level = match (matches.get_flag("quiet"), matches.get_count("verbose")) {
        (true, _) => LevelFilter::Warn,
        (false, 1) => LevelFilter::Debug,
        (false, 2..) => LevelFilter::Trace,
        (false, 0) => match std::env::var(LOG_VARIABLE) {
            Ok(text) => text.parse().ok().with_context(|| {
                format!("{LOG_VARIABLE}: {text:?} is none of off, error, warn, info, debug, trace")
            })?,
            Err(_) => LevelFilter::Info,
        },
    };
    Ok((form, level))
}

/// Absolute paths, as they are kept in the store.
fn paths(given: Vec<PathBuf>) -> anyhow::Result<Vec<PathBuf>> {
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
    let whole = |path: PathBuf| absolute(&path).with_context(|| format!("{} is no path", path.display()));
    paths.into_iter().map(whole).collect()
}

/// A pattern with folders is one of paths, and these are absolute; one without is of names.
fn excluded(pattern: &str) -> anyhow::Result<String> {
    let is_relative = pattern.contains('/') && !pattern.starts_with(['/', '*']);
    if !is_relative {
        return Ok(pattern.to_owned());
    }
    let whole = absolute(Path::new(pattern)).with_context(|| format!("--exclude: {pattern} is no path"))?;
    Ok(whole.to_string_lossy().into_owned())
}

/// Where to listen: this machine alone, unless an address says otherwise.
fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix("localhost").unwrap_or(text);
    let port = port.strip_prefix(':').unwrap_or(port);
    match (text.parse(), port.parse()) {
        (Ok(address), _) => Ok(address),
        (Err(_), Ok(port)) => Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)),
        _ => {
            Err("an address is a port, or an IP address and a port: 9464, 0.0.0.0:9464, [::1]:9464"
                .to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_of_this_machine() {
        for (text, told) in [
            ("9464", "127.0.0.1:9464"),
            (":9464", "127.0.0.1:9464"),
            ("localhost:9464", "127.0.0.1:9464"),
            ("0.0.0.0:9464", "0.0.0.0:9464"),
            ("[::1]:9464", "[::1]:9464"),
        ] {
            assert_eq!(address(text).unwrap().to_string(), told);
        }
        for text in ["", "localhost", "example.org:80", "127.0.0.1", "127.0.0.1:99999"] {
            assert!(address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn excluded_paths_are_absolute_and_names_are_names() {
        assert_eq!(excluded("*.gz").unwrap(), "*.gz");
        assert_eq!(excluded("**/old/*").unwrap(), "**/old/*");
        assert_eq!(excluded("/var/log/x*").unwrap(), "/var/log/x*");
        assert!(excluded("old/*").unwrap().ends_with("/old/*"));
        assert!(excluded("old/*").unwrap().starts_with('/'));
    }
}
