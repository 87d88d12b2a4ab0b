//! `audit-who tail`: events as they come, one a line.

use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::process::ExitCode;

use anyhow::Context;
use audit_who_core::event::coverage::BadSpan;
use audit_who_core::event::envelope::{self, Sink};
use audit_who_core::event::event::Event;
use audit_who_core::event::filter::Filter;
use audit_who_core::event::fold::Address;
use audit_who_core::event::glob::Glob;
use audit_who_core::event::selection::Selection;
use audit_who_core::event::subject::Key;
use audit_who_core::tail::{Batch, Tailer};
use audit_who_render::{Style, write_event, write_event_json};
use clap::{Arg, ArgMatches, Command};

use crate::asking::{self, ERROR, FOUND, NOTHING_FOUND};
use crate::cli::{self, flag, value};
use crate::{complain, filters, following};

/// The name of the subcommand.
pub(crate) const NAME: &str = "tail";

/// A byte order mark, as some editors put in front of a file.
const BOM: &[u8] = b"\xef\xbb\xbf";

const AFTER: &str = "\
Without PATH, the places where API servers usually log are followed, as far as they are there. A file is followed with
what is rotated from it, a folder with all below it; patterns take *, ?, [...] and **.

Exit status: 0 events were printed, 1 none were, 2 error.";

/// The subcommand.
pub(crate) fn command() -> Command {
    let [since, _, utc, timezone] = cli::times();
    let [_, color, ..] = cli::output();
    let output = Arg::new("output")
        .short('o')
        .long("output")
        .value_name("FORMAT")
        .value_parser(["text", "json"])
        .help("How to show events: as a line of text, the default, or as they are in the log");
    Command::new(NAME)
        .about("Print events as they are logged, through every rotation")
        .after_help(AFTER)
        .arg(cli::paths().help("Audit logs: files, folders or patterns"))
        .arg(flag("read-from-head", "Begin with what is there, not with what comes from now on"))
        .arg(flag("once", "End at the end of what is there; with --read-from-head or --cursor-file"))
        .args(following::args())
        .arg(
            Arg::new("namespace")
                .short('n')
                .long("namespace")
                .value_name("NAME")
                .help("Only in this namespace; may hold *"),
        )
        .args([since, utc, timezone, output, color])
        .args(filters::args())
}

/// Prints events until it is told to end, or with `--once` to the end of what is there.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let zone = asking::zone(matches)?;
    let filters = filters::filters(matches)?;
    let window = asking::window(matches, zone)?;
    let wanted = Filter {
        namespace: value(matches, "namespace").map(Glob::new),
        from: Some(window.from),
        ..Filter::default()
    };
    let paths = following::paths(matches)?;
    following::heed_warnings();
    // With a cursor, what is there at the first run counts.
    let from_head = matches.get_flag("read-from-head") || matches.contains_id("cursor-file");
    let builder = following::tailer(matches, &paths).read_from_head(from_head);
    let mut tailer = builder.exit_on_eof(matches.get_flag("once")).build()?;
    following::end_on_signals(tailer.stop_handle()).context("signals can't be handled")?;
    let style = Style { color: asking::color(matches), zone, width: None };
    let json = value(matches, "output") == Some("json");
    let mut page = Page { wanted, selection: filters.selection, json, style, printed: false };
    match page.follow(&mut tailer) {
        Err(error) if !following::is_enough(&error) => return Err(error),
        _ => {}
    }
    if let Some(undecided) = filters.condition.as_deref().and_then(filters::undecided) {
        complain(&undecided);
        return Ok(ExitCode::from(ERROR));
    }
    Ok(ExitCode::from(if page.printed { FOUND } else { NOTHING_FOUND }))
}

/// Standard output, and which events go there.
struct Page {
    wanted: Filter,
    selection: Selection,
    json: bool,
    style: Style,
    printed: bool,
}

impl Page {
    fn follow(&mut self, tailer: &mut Tailer) -> anyhow::Result<()> {
        for batch in tailer {
            let mut batch = batch?;
            self.print(&batch)?;
            batch.commit()?;
        }
        Ok(())
    }

    fn print(&mut self, batch: &Batch) -> io::Result<()> {
        let mut out = BufWriter::new(io::stdout().lock());
        for entry in batch.entries() {
            let mark = entry.bytes.strip_prefix(BOM).filter(|_| entry.offset == 0);
            let (offset, bytes) = mark.map_or((entry.offset, entry.bytes), |rest| (BOM.len() as u64, rest));
            let mut line =
                Line { page: self, source: batch.path(), offset, bytes, out: &mut out, ended: Ok(()) };
            envelope::decode(bytes, &mut line);
            line.ended?;
        }
        for span in batch.spans() {
            following::tell_bad(&BadSpan {
                source: batch.path().to_owned(),
                offset: span.offset,
                length: span.length,
                reason: span.reason().to_owned(),
            });
        }
        out.flush()
    }

    fn wants(&self, event: &Event<'_>, address: Address) -> bool {
        self.wanted.matches(event, &Key::of(event).unwrap_or_default())
            && self.selection.selects(event, address)
    }

    fn write(&mut self, event: &Event<'_>, text: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
        self.printed = true;
        if self.json { write_event_json(event, text, out) } else { write_event(event, &self.style, out) }
    }
}

/// A line of the log, whose events are printed.
struct Line<'a> {
    page: &'a mut Page,
    source: &'a str,
    offset: u64,
    bytes: &'a [u8],
    out: &'a mut dyn Write,
    ended: io::Result<()>,
}

impl Sink for Line<'_> {
    fn event(&mut self, event: &Event<'_>, span: Range<usize>) {
        let address =
            Address { source: 0, offset: self.offset + span.start as u64, length: span.len() as u64 };
        if self.ended.is_ok() && self.page.wants(event, address) {
            // The event's own JSON: of the legacy format there is none, and places in what is no UTF-8 are not exact.
            let text = std::str::from_utf8(self.bytes.get(span).unwrap_or_default()).ok();
            let text = text.filter(|text| !event.lossy && text.starts_with('{'));
            self.ended = self.page.write(event, text, self.out);
        }
    }

    fn bad(&mut self, span: Range<usize>, reason: &str) {
        following::tell_bad(&BadSpan {
            source: self.source.to_owned(),
            offset: self.offset + span.start as u64,
            length: span.len() as u64,
            reason: reason.to_owned(),
        });
    }
}
