//! The store that is asked in place of files: `--db FILE`.

use std::path::PathBuf;
use std::time::Duration;

use audit_who_core::store::Archive;
use clap::{Arg, ArgMatches, value_parser};

/// How long is waited for a store that a collector has locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) fn arg() -> Arg {
    file()
        .conflicts_with("paths")
        .help("Ask the store in FILE, which audit-who collect writes, instead of files")
}

/// The same, of a command that takes no paths.
pub(crate) fn file() -> Arg {
    Arg::new("db").long("db").value_name("FILE").value_parser(value_parser!(PathBuf))
}

/// The store that is given, if one is.
pub(crate) fn open(matches: &ArgMatches) -> anyhow::Result<Option<Archive>> {
    let path = matches.get_one::<PathBuf>("db");
    Ok(path.map(|path| Archive::open(path, BUSY_TIMEOUT)).transpose()?)
}

/// The store that is to be asked; `None` if files are.
pub(crate) fn archive(matches: &ArgMatches) -> anyhow::Result<Option<Archive>> {
    let Some(archive) = open(matches)? else { return Ok(None) };
    let threads = matches.get_one::<u16>("threads");
    Ok(Some(if let Some(threads) = threads { archive.threads(usize::from(*threads)) } else { archive }))
}
