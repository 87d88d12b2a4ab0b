//! `audit-who show`: the entry that an answer rests on, and whether it is still what it was.

use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use audit_who_core::event::answer::Envelope;
use audit_who_core::event::envelope::{self, Sink};
use audit_who_core::event::event::Event;
use audit_who_core::evidence;
use audit_who_render::{Style, json_line, terminal, write_event, write_event_json};
use clap::{Arg, ArgMatches, Command};
use serde::Serialize;

use crate::cli::{self, value};
use crate::{asking, store};

/// The name of the subcommand.
pub(crate) const NAME: &str = "show";

const AS_IT_WAS: u8 = 0;
const OTHERWISE: u8 = 1;

const AFTER: &str = "\
With --db the entry is shown as the store holds it, and held against the file, if that is still there.

Exit status: 0 shown, 1 it is not what it was (--sha256, --db), or no entry begins there, 2 error.";

/// The subcommand's arguments.
pub(crate) fn command() -> Command {
    let [.., utc, timezone] = cli::times();
    let [_, color, ..] = cli::output();
    Command::new(NAME)
        .about("Show an entry that an answer rests on, and verify that it is what it was")
        .after_help(AFTER)
        .args([
            Arg::new("ref")
                .value_name("PATH:OFFSET")
                .required(true)
                .help("Where the entry stands, as the evidence of an answer says"),
            Arg::new("sha256")
                .long("sha256")
                .value_name("HEX")
                .help("Compare the entry's bytes with this hash, which was shown of it before"),
            Arg::new("output")
                .short('o')
                .long("output")
                .value_name("FORMAT")
                .value_parser(["text", "json"])
                .help("How to show it; text by default"),
            store::file().help("Show it as the store in FILE holds it, and compare the file with that"),
            utc,
            timezone,
            color,
        ])
}

/// An entry, and what is known of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    source: &'a str,
    offset: u64,
    length: usize,
    sha256: String,
    /// Whether an entry begins there, and is whole.
    is_entry: bool,
    /// Whether the hash is the one that was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_expected: Option<bool>,
    /// Whether the file holds what the store does.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<File>,
    /// The entry's own text.
    text: String,
}

/// What a file holds where the store says that an entry stood.
#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum File {
    Same,
    Other,
    Gone,
}

impl File {
    const fn told(self) -> &'static str {
        match self {
            Self::Same => "holds the same bytes",
            Self::Other => "holds other bytes there",
            Self::Gone => "is not there any more",
        }
    }
}

/// Shows an entry, and says by the status whether it is what it was.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let style = Style { color: asking::color(matches), zone: asking::zone(matches)?, width: None };
    let place = value(matches, "ref").unwrap_or_default();
    let (path, offset) = place
        .rsplit_once(':')
        .and_then(|(path, offset)| Some((path, offset.parse::<u64>().ok()?)))
        .with_context(|| {
            format!("{place} is no place of an entry; give PATH:OFFSET, as the evidence of an answer says")
        })?;
    let expected = value(matches, "sha256").map(str::to_ascii_lowercase);
    if expected
        .as_ref()
        .is_some_and(|hash| hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        bail!("--sha256 takes the 64 hexadecimal digits that were shown of an entry");
    }
    let (bytes, sha256, file) = if let Some(archive) = store::open(matches)? {
        let held = archive.entry_at(path, offset)?;
        let held = held.with_context(|| format!("the store holds no entry of {path} at byte {offset}"))?;
        let file = compare(path, offset, &held.sha256)?;
        (held.bytes, held.sha256, Some(file))
    } else {
        let bytes = evidence::entry_at(Path::new(path), offset)?;
        let sha256 = evidence::sha256(&bytes);
        (bytes, sha256, None)
    };
    if bytes.is_empty() {
        bail!("{path} ends before byte {offset} of its content; give the offset that the evidence says");
    }
    let is_expected = expected.map(|expected| expected == sha256);
    let mut found = Found(false);
    envelope::decode(&bytes, &mut found);
    let is_as_it_was = found.0 && is_expected != Some(false) && file != Some(File::Other);
    let shown = Shown {
        source: path,
        offset,
        length: bytes.len(),
        sha256,
        is_entry: found.0,
        is_expected,
        file,
        text: String::from_utf8_lossy(&bytes).into_owned(),
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let written = if value(matches, "output") == Some("json") {
        json_line(&Envelope::new("Entry", &shown), &mut out)
    } else {
        write(&shown, &bytes, &style, &mut out)
    };
    let status = if is_as_it_was { AS_IT_WAS } else { OTHERWISE };
    asking::ended(status, written.and_then(|()| out.flush()))
}

/// What the file holds now. One that can't be read is an error: nothing is known of it.
fn compare(path: &str, offset: u64, sha256: &str) -> anyhow::Result<File> {
    if !Path::new(path).exists() {
        return Ok(File::Gone);
    }
    let bytes = evidence::entry_at(Path::new(path), offset)?;
    Ok(if evidence::sha256(&bytes) == sha256 { File::Same } else { File::Other })
}

fn write(shown: &Shown<'_>, bytes: &[u8], style: &Style, out: &mut dyn Write) -> io::Result<()> {
    if shown.is_entry {
        let mut summary = Summary { style, text: &shown.text, out, ended: Ok(()), is_event: false };
        envelope::decode(bytes, &mut summary);
        summary.ended?;
    } else {
        writeln!(
            out,
            "no whole entry begins there, but this stands there; give the offset that the evidence says"
        )?;
        writeln!(out, "{}", terminal::neutral(&shown.text))?;
    }
    writeln!(out, "  place   {}:{}", terminal::neutral(shown.source), shown.offset)?;
    writeln!(out, "  length  {} bytes", shown.length)?;
    let verdict = match shown.is_expected {
        Some(true) => ", as expected",
        Some(false) => ", which is not the one that was expected",
        None => "",
    };
    writeln!(out, "  sha256  {}{verdict}", shown.sha256)?;
    shown.file.map_or(Ok(()), |file| writeln!(out, "  file    {}", file.told()))
}

/// Whether there is an event.
struct Found(bool);

impl Sink for Found {
    fn event(&mut self, _: &Event<'_>, _: Range<usize>) {
        self.0 = true;
    }

    fn bad(&mut self, _: Range<usize>, _: &str) {}
}

/// Writes the first event, in a line for people and as it stands.
struct Summary<'a> {
    style: &'a Style,
    text: &'a str,
    out: &'a mut dyn Write,
    ended: io::Result<()>,
    is_event: bool,
}

impl Sink for Summary<'_> {
    fn event(&mut self, event: &Event<'_>, span: Range<usize>) {
        if std::mem::replace(&mut self.is_event, true) {
            return;
        }
        let own = self.text.get(span).filter(|text| !event.lossy && text.starts_with('{'));
        self.ended =
            write_event(event, self.style, self.out).and_then(|()| write_event_json(event, own, self.out));
    }

    fn bad(&mut self, _: Range<usize>, _: &str) {}
}
