//! How rotated files are called.

use std::path::{Path, PathBuf};

/// What packing adds to a name.
pub(super) const PACKED: [&str; 3] = [".gz", ".zst", ".zstd"];
/// What the API server's rotation puts between a file's stem and its extension, `-2026-08-21T10-06-38.123`
/// ([source](https://github.com/natefinch/lumberjack/blob/v2.0/lumberjack.go)); digits stand for any.
const LUMBERJACK: &[u8] = b"-0000-00-00T00-00-00.000";

/// What a file's name says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// The file that its writer writes: itself, or the one that it was rotated from.
    pub(crate) live: PathBuf,
    pub(crate) rotated: Rotated,
    pub(crate) packed: bool,
}

/// Whether a file was rotated, as far as its name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rotated {
    /// It is the one that is written.
    No,
    /// By a tool that may rename before the writer lets go.
    Somehow,
    /// By the API server itself, which closes before it renames: nobody writes to it any more
    /// ([source](https://github.com/natefinch/lumberjack/blob/v2.0/lumberjack.go#L212)).
    Closed,
}

impl Name {
    pub(crate) fn of(path: &Path) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let unpacked = PACKED.iter().find_map(|suffix| name.strip_suffix(suffix));
        let packed = unpacked.is_some();
        let bare = unpacked.unwrap_or(&name);
        if let Some(live) = lumberjack(bare) {
            return Self { live: path.with_file_name(live), rotated: Rotated::Closed, packed };
        }
        match logrotate(bare) {
            Some(live) => Self { live: path.with_file_name(live), rotated: Rotated::Somehow, packed },
            // Whoever packs a file has turned to another one.
            None if packed => Self { live: path.with_file_name(bare), rotated: Rotated::Somehow, packed },
            None => Self { live: path.to_owned(), rotated: Rotated::No, packed },
        }
    }
}

/// `audit.log` for `audit-2026-08-21T10-06-38.123.log`.
fn lumberjack(name: &str) -> Option<String> {
    let (stem, extension) = match name.rfind('.').filter(|dot| *dot > 0) {
        // Without an extension the last dot is the one in front of the milliseconds.
        Some(dot) if stamp(&name[..dot]).is_some() => name.split_at(dot),
        _ => (name, ""),
    };
    stamp(stem).map(|before| format!("{before}{extension}"))
}

/// What stands in front of a time stamp.
fn stamp(stem: &str) -> Option<&str> {
    let at = stem.len().checked_sub(LUMBERJACK.len()).filter(|at| *at > 0 && stem.is_char_boundary(*at))?;
    let (before, stamp) = stem.split_at(at);
    let fits = |(own, like): (&u8, &u8)| if *like == b'0' { own.is_ascii_digit() } else { own == like };
    stamp.as_bytes().iter().zip(LUMBERJACK).all(fits).then_some(before)
}

/// `audit.log` for `audit.log.1`, `audit.log-20260821`, `audit.log.2026-08-21`.
fn logrotate(name: &str) -> Option<String> {
    let at = name.rfind(|c: char| !c.is_ascii_digit() && c != '-' && c != '_')?;
    let (mut before, mut suffix) = name.split_at(at + 1);
    if !before.ends_with('.') {
        // The date follows a dash, which belongs to the suffix.
        (before, suffix) =
            name.split_at(at + 1 + suffix.find(|c: char| c.is_ascii_digit()).filter(|digit| *digit > 0)?);
    }
    let live = before.trim_end_matches(['.', '-', '_']);
    (!suffix.is_empty() && live.contains('.') && live.len() < before.len()).then(|| live.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_was_rotated() {
        for (name, live, rotated, packed) in [
            ("audit.log", "audit.log", Rotated::No, false),
            ("audit-2026-08-21T10-06-38.123.log", "audit.log", Rotated::Closed, false),
            ("audit-2026-08-21T10-06-38.123.log.gz", "audit.log", Rotated::Closed, true),
            (
                "kube-apiserver-audit-2026-08-21T10-06-38.123.log",
                "kube-apiserver-audit.log",
                Rotated::Closed,
                false,
            ),
            ("audit-2026-08-21T10-06-38.123", "audit", Rotated::Closed, false),
            ("audit-2026-08-21T10-06-38.12x.log", "audit-2026-08-21T10-06-38.12x.log", Rotated::No, false),
            ("audit.log.1", "audit.log", Rotated::Somehow, false),
            ("audit.log.2.gz", "audit.log", Rotated::Somehow, true),
            ("audit.log-20260821", "audit.log", Rotated::Somehow, false),
            ("audit.log.2026-08-21", "audit.log", Rotated::Somehow, false),
            ("audit.log.gz", "audit.log", Rotated::Somehow, true),
            ("audit.log.zst", "audit.log", Rotated::Somehow, true),
            ("audit-1.log", "audit-1.log", Rotated::No, false),
            ("server-10", "server-10", Rotated::No, false),
            ("2026", "2026", Rotated::No, false),
        ] {
            let told = Name::of(&Path::new("/logs").join(name));
            assert_eq!(told, Name { live: Path::new("/logs").join(live), rotated, packed }, "{name}");
        }
    }
}
