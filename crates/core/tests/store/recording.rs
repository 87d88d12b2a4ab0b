//! What is written of a batch.

use std::fs;

use audit_who_core::event::census::Checkup;
use audit_who_core::event::look::Look;
use audit_who_core::store::Keep;
use audit_who_core::{Files, Inputs, Logs, Scan};

use crate::{Bench, fixture};

const UNBALANCED: &str =
    "SELECT count(*) FROM generations WHERE entry_bytes + bad_bytes + blank_bytes <> offset - start";

#[test]
fn every_byte_in_front_of_the_offset_is_accounted_for() {
    let log = fixture("drain/audit.log");
    let text = fs::read_to_string(&log).unwrap();
    let odd = format!(
        "\u{feff}{text}\r\n\n  \nno entry\n[1,2\n{{\"torn\":{}{}\0\0\0{text}7",
        text.lines().next().unwrap(),
        "\n".repeat(3)
    );
    for batch in [300, 5_000, 1024 * 1024] {
        let bench = Bench::batches_of(batch);
        let path = bench.path("audit-2026-11-23T05-45-51.188.log");
        fs::write(&path, &odd).unwrap();
        bench.collect(&[&path], Keep::All);
        let offset = u64::try_from(bench.number("SELECT offset FROM generations")).unwrap();
        assert_eq!(bench.number(UNBALANCED), 0);
        assert_eq!(
            bench.number("SELECT bad_bytes FROM generations"),
            bench.number("SELECT sum(length) FROM bad_spans")
        );

        // A scan counts the same; lines without an entry that follow each other are one span with their line ends.
        let scan = Scan::new();
        let inputs = Inputs::open([&path]);
        let (_, coverage) = Files::new(&scan, &inputs).look(&Look::everything(), Checkup::default);
        let total = &coverage.total;
        assert_eq!(total.bytes, offset, "batches of {batch}");
        assert_eq!(i64::try_from(total.entries).unwrap(), bench.number("SELECT lines FROM generations"));
        assert_eq!(
            i64::try_from(total.decoded_bytes).unwrap(),
            bench.number("SELECT entry_bytes FROM generations")
        );
        assert_eq!(
            i64::try_from(total.bad_lines).unwrap(),
            bench.number("SELECT bad_lines FROM generations")
        );
        let us = |time: Option<audit_who_core::event::time::Timestamp>| time.unwrap().as_micros();
        assert_eq!(us(total.from), bench.number("SELECT first_us FROM generations"));
        assert_eq!(us(total.until), bench.number("SELECT last_us FROM generations"));
        assert_eq!(
            bench.number("SELECT count(*) FROM records"),
            bench.number("SELECT kept FROM generations")
        );
    }
}
