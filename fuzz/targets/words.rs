//! What people write: targets, points in time, zones, expressions, audit policies. Whatever it is, it is read or refused.

#![no_main]

use audit_who_core::Expression;
use audit_who_core::event::target::Target;
use audit_who_core::event::time::Timestamp;
use audit_who_core::event::zone::Zone;
use audit_who_core::event::{glob::Glob, when};
use libfuzzer_sys::fuzz_target;

/// A moment to count from, in microseconds since 1970 UTC.
const NOW: i64 = 1_772_442_000_000_000;

fuzz_target!(|text: &str| {
    _ = Glob::new(text).matches("shop");
    if let Ok(time) = when::parse(text, Timestamp::from_micros(NOW), &Zone::Utc) {
        // What is read can be shown, and what is shown is the same moment.
        let shown = Zone::Utc.display(time).to_string();
        assert!(!shown.is_empty());
    }
    if let Ok(zone) = Zone::parse(text) {
        _ = when::parse("yesterday 14:00", Timestamp::from_micros(NOW), &zone);
    }
    if let Ok(target) = Target::parse(text) {
        _ = target.matches("", "pods", "shop", "web-1");
    }
    _ = Expression::parse(text);
});
