//! `audit-who`: answers who did it, from Kubernetes audit logs.

mod asking;
mod checkpoint;
mod cli;
mod collect;
mod counting;
mod doctor;
mod explain;
mod filters;
mod follow;
mod following;
mod logging;
mod memory;
mod places;
mod policy;
mod quantity;
mod show;
mod store;
mod tail;

use std::io::{self, Write};
use std::process::ExitCode;

use audit_who_render::terminal;

fn main() -> ExitCode {
    let matches = cli::command().get_matches();
    let ended = match matches.subcommand() {
        Some(("doctor", matches)) => doctor::run(matches),
        Some((policy::NAME, matches)) => policy::run(matches),
        Some((collect::NAME, matches)) => collect::run(matches),
        Some((checkpoint::NAME, matches)) => checkpoint::run(matches),
        Some((show::NAME, matches)) => show::run(matches),
        Some((tail::NAME, matches)) => tail::run(matches),
        _ => asking::run(&matches),
    };
    match ended {
        Ok(status) => status,
        Err(error) => {
            complain(&format!("audit-who: {error:#}"));
            ExitCode::from(asking::ERROR)
        }
    }
}

/// Writes an error, which may quote what was given, line by line to standard error. That it can't be told is no news.
pub(crate) fn complain(message: &str) {
    let mut err = io::stderr().lock();
    for line in message.lines() {
        let _ = writeln!(err, "{}", terminal::neutral(line));
    }
}
