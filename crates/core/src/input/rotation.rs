//! When compressed files were rotated, as their names say and the files behind them confirm.
//!
//! The API server names a rotated file after the moment of its rotation: `audit-2026-08-21T10-06-38.123.log`, in UTC
//! ([source](https://github.com/natefinch/lumberjack/blob/v2.0/lumberjack.go)). The write that did not fit any more
//! begins the next file at that moment.

use std::collections::BTreeMap;
use std::path::Path;

use audit_who_event::time::Timestamp;

use super::file::LogFile;
use super::outline::SLACK;
use super::{Content, Source};
use crate::codec::Encoding;

/// Bytes of a time in a file's name, `2026-08-21T10-06-38.123`.
const TIME: usize = 23;

/// The files that one writer rotates: folder, and name before and behind the time.
type Series<'s> = (&'s Path, &'s str, &'s str);

/// Between which times the entries of each source were written, where its name tells.
///
/// Of a file that is rotated, the first entry and the rotation, if the next file of the same series is there too and
/// begins when this one ended. Then the name is true to the clock of its entries, whoever gave it. What can't be
/// confirmed is `None`, and so is a plain file: it tells by itself.
pub(crate) fn spans(sources: &[Source]) -> Vec<Option<(Timestamp, Timestamp)>> {
    let mut series: BTreeMap<Series<'_>, BTreeMap<Timestamp, (usize, &LogFile)>> = BTreeMap::new();
    for (number, source) in sources.iter().enumerate() {
        if let Content::File(file) = &source.content
            && let Some((series_of, at)) = rotated(&file.path)
        {
            series.entry(series_of).or_default().insert(at, (number, file));
        }
    }
    let mut spans = vec![None; sources.len()];
    for files in series.values() {
        for ((at, (number, file)), (_, (_, next))) in files.iter().zip(files.iter().skip(1)) {
            if file.encoding != Encoding::Plain {
                spans[*number] = span(file, *at, next);
            }
        }
    }
    spans
}

/// Until when each source was written: when its name says that it was rotated, or else when the file was changed last. A
/// stream is written yet.
pub(crate) fn written(sources: &[Source]) -> Vec<Timestamp> {
    let until = |source: &Source| match &source.content {
        Content::File(file) => {
            rotated(&file.path).map(|(_, at)| at).filter(|at| *at < Timestamp::MAX).unwrap_or(file.modified)
        }
        Content::Stream(_) => Timestamp::MAX,
    };
    sources.iter().map(until).collect()
}

fn span(file: &LogFile, at: Timestamp, next: &LogFile) -> Option<(Timestamp, Timestamp)> {
    let follows = next.first_time()?.since(at).saturating_abs() <= SLACK;
    let first = file.first_time()?;
    (follows && first <= at).then_some((first, at))
}

/// Which series a file belongs to, and when it was rotated; the one that is written to is the last.
fn rotated(path: &Path) -> Option<(Series<'_>, Timestamp)> {
    let name = path.file_name()?.to_str()?;
    let name = [".gz", ".zst"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    let (stem, ending) = name.rsplit_once('.')?;
    let folder = path.parent()?;
    let at = stem.len().checked_sub(TIME + 1).filter(|at| stem.is_char_boundary(*at));
    let time = at.and_then(|at| Some((at, time(stem[at..].strip_prefix('-')?)?)));
    Some(match time {
        Some((at, time)) => ((folder, &stem[..at], ending), time),
        None => ((folder, stem, ending), Timestamp::MAX),
    })
}

/// Reads `2026-08-21T10-06-38.123`.
fn time(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_once('T')?;
    Timestamp::parse(&format!("{date}T{}Z", time.replace('-', ":")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_series_and_time() {
        let of = |name: &'static str| rotated(Path::new(name));
        let series = (Path::new("logs"), "audit", "log");
        let at = Timestamp::parse("2026-08-21T10:06:38.123Z").unwrap();
        for name in ["logs/audit-2026-08-21T10-06-38.123.log", "logs/audit-2026-08-21T10-06-38.123.log.gz"] {
            assert_eq!(of(name), Some((series, at)));
        }
        for name in ["logs/audit.log", "logs/audit.log.zst"] {
            assert_eq!(of(name), Some((series, Timestamp::MAX)));
        }
        for name in
            ["audit-2026-08-21T10-06-38.log", "audit-2026-13-21T10-06-38.123.log", "é-21T10-06-38.123.log"]
        {
            assert!(of(name).is_some_and(|(_, at)| at == Timestamp::MAX), "{name}");
        }
        assert_eq!(of("audit"), None);
    }
}
