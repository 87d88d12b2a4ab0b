//! Times as the API server writes them, from microseconds since the Unix epoch.

use chrono::DateTime;

/// `2026-11-23T05:45:10.504068Z`: UTC, always six digits of fraction, always 27 bytes. Times beyond the year 9999 are
/// none of an audit log; they become the epoch.
pub fn micro_time(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).unwrap_or_default().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// `2026-11-23T05:45:10Z`: as in bodies, where metadata has whole seconds.
pub fn second_time(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).unwrap_or_default().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2026-11-23T05-45-51.188`: as in the name of a rotated file, in milliseconds.
pub fn file_time(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).unwrap_or_default().format("%Y-%m-%dT%H-%M-%S%.3f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms() {
        let micros = 1_795_412_710_000_068;
        assert_eq!(micro_time(micros), "2026-11-23T05:45:10.000068Z");
        assert_eq!(second_time(micros), "2026-11-23T05:45:10Z");
        assert_eq!(file_time(micros + 188_000), "2026-11-23T05-45-10.188");
    }
}
