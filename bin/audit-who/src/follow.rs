//! `--follow`: answers as they come true.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use audit_who_core::event::answer::Answer;
use audit_who_core::event::case::Ask;
use audit_who_core::event::coverage::Coverage;
use audit_who_core::evidence;
use audit_who_core::follow::{Follow, Round};
use audit_who_render::{Stream, Style};
use clap::{Arg, ArgMatches};

use crate::asking::{self, FOUND, NOTHING_FOUND};
use crate::cli::flag;
use crate::{complain, following, memory};

const FOLLOW: &str = "Go on, and tell answers as they come true; SIGINT and SIGTERM end it";

/// The options of following answers.
pub(crate) fn args() -> impl Iterator<Item = Arg> {
    let follow = flag("follow", FOLLOW).short('f').conflicts_with_all(["until", "explain", "db"]);
    std::iter::once(follow).chain(following::args().map(|arg| arg.requires("follow")))
}

/// Asks the question until it is told to end, and says how it ended.
pub(crate) fn run(matches: &ArgMatches, ask: Ask, style: &Style) -> anyhow::Result<ExitCode> {
    let paths = following::paths(matches)?;
    following::heed_warnings();
    let tailer = following::tailer(matches, &paths).build()?;
    let mut follow = Follow::new(tailer, asking::scan(matches), ask).memory_limit(memory::limit(matches));
    let begun = follow.begin()?;
    following::end_on_signals(follow.stop_handle()).context("signals can't be handled")?;
    if begun.coverage.sources.is_empty() {
        let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        complain(&format!("nothing is there yet: waiting for {}", paths.join(", ")));
    } else {
        asking::tell(matches, &begun.coverage, false, style)
            .context("what was searched could not be told")?;
    }
    let format = asking::format(matches);
    let mut page = Page { stream: Stream::new(format, *style), hashes: format.tells_hashes() };
    match tell(&mut follow, begun.answers, &mut page) {
        Ok(coverage) => {
            conclude(matches, &coverage);
            Ok(ExitCode::from(asking::status(matches, follow.found() > 0, &coverage)))
        }
        Err(error) if following::is_enough(&error) => {
            Ok(ExitCode::from(if follow.found() > 0 { FOUND } else { NOTHING_FOUND }))
        }
        Err(error) => Err(error),
    }
}

/// Tells what is there, what comes, and what was held back.
fn tell(follow: &mut Follow, there: Vec<Answer>, page: &mut Page) -> anyhow::Result<Coverage> {
    page.answers(there)?;
    for round in &mut *follow {
        page.round(round?)?;
    }
    let (round, coverage) = follow.finish();
    page.round(round)?;
    page.end(&coverage)?;
    Ok(coverage)
}

/// Says on standard error what came of it.
fn conclude(matches: &ArgMatches, coverage: &Coverage) {
    if !matches.get_flag("quiet") {
        complain(&coverage.verdict);
    }
    if matches.get_flag("strict") && !coverage.incomplete.is_empty() {
        complain(&format!("incomplete: {}", coverage.incomplete.join("; ")));
    }
}

/// Standard output.
struct Page {
    stream: Stream,
    /// Whether the hashes of what proves answers are told.
    hashes: bool,
}

impl Page {
    /// Writes answers, each of which can be read at once.
    fn answers(&mut self, mut answers: Vec<Answer>) -> io::Result<()> {
        if self.hashes {
            evidence::hash_in_place(&mut answers);
        }
        let mut out = io::stdout().lock();
        for answer in &answers {
            let mut text = Vec::new();
            self.stream.answer(answer, &mut text)?;
            out.write_all(&text)?;
            out.flush()?;
        }
        Ok(())
    }

    /// Tells what a round found, and notes that it was told.
    fn round(&mut self, mut round: Round) -> anyhow::Result<()> {
        round.bad_spans.iter().for_each(following::tell_bad);
        self.answers(std::mem::take(&mut round.answers))?;
        Ok(round.commit()?)
    }

    fn end(&mut self, coverage: &Coverage) -> io::Result<()> {
        let mut text = Vec::new();
        self.stream.end(coverage, &mut text)?;
        let mut out = io::stdout().lock();
        out.write_all(&text)?;
        out.flush()
    }
}
