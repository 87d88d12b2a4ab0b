//! Sizes and durations as options take them.

use std::time::Duration;

/// What a unit of bytes stands for. Letters count in any case.
const SIZES: [(&str, u64); 14] = [
    ("", 1),
    ("b", 1),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
    ("t", 1 << 40),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
];

/// What a unit of time stands for, in milliseconds.
const DURATIONS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

/// Reads a number of bytes.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let unreadable = || {
        "a size is a whole number and a unit: 4096, 64K, 512MiB (K, KiB … are 1024s), 20GB (kB, MB … are 1000s)"
            .to_owned()
    };
    let lower = text.trim().to_ascii_lowercase();
    let (number, unit) = split(&lower).ok_or_else(unreadable)?;
    let factor = of(&SIZES, unit).ok_or_else(unreadable)?;
    number
        .checked_mul(factor)
        .filter(|size| i64::try_from(*size).is_ok())
        .ok_or_else(|| "is too large".to_owned())
}

/// Reads a length of time.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let unreadable =
        || "a duration is a whole number and a unit, or several: 250ms, 30s, 5m, 1h30m, 90d, 4w".to_owned();
    let mut rest = text.trim();
    let mut whole: u64 = 0;
    loop {
        let (number, after) = split(rest).ok_or_else(unreadable)?;
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let factor = of(&DURATIONS, &after[..end]).ok_or_else(unreadable)?;
        let part = number.checked_mul(factor);
        whole = part.and_then(|part| whole.checked_add(part)).ok_or_else(|| "is too long".to_owned())?;
        rest = &after[end..];
        if rest.is_empty() {
            return Ok(Duration::from_millis(whole));
        }
    }
}

/// The digits that a text begins with, and what follows them.
fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, text[end..].trim_start()))
}

fn of(units: &[(&str, u64)], name: &str) -> Option<u64> {
    units.iter().find(|(own, _)| *own == name.trim_end()).map(|(_, factor)| *factor)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("64K", 65_536),
            ("1 MiB", 1_048_576),
            ("20GB", 20_000_000_000),
            ("20gib", 21_474_836_480),
            ("7b", 7),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "GB", "1.5GB", "-1", "10X", "1 2", "9999999999TB", "99999999999999999999"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_have_units_and_add_up() {
        for (text, milliseconds) in [
            ("250ms", 250),
            ("30s", 30_000),
            ("1h30m", 5_400_000),
            ("1h 30m", 5_400_000),
            ("90d", 7_776_000_000),
            ("2w", 1_209_600_000),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "30", "s", "1h30", "1.5h", "-1s", "1y", "99999999999999999999s", "9999999999999999w"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,12}") {
            let _ = (size(&text), duration(&text));
        }
    }
}
