//! What lies outside of a window is not read, and nothing that lies within it is missed.

use audit_who_event::case::Window;
use audit_who_event::coverage::Tally;
use audit_who_event::envelope;
use audit_who_event::filter::Filter;

use super::*;
use crate::input::outline::{DISORDER, SLACK};

const SECOND: i64 = 1_000_000;

/// Keeps the times of events.
#[derive(Debug, Default, PartialEq)]
struct Times(Vec<(Address, Timestamp)>);

impl Fold for Times {
    fn event(&mut self, event: &Event<'_>, address: Address) {
        self.0.extend(event.stage_time.map(|time| (address, time)));
    }

    fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// The times within a window that are found in `inputs`, and what was read.
fn within(scan: &Scan, inputs: &Inputs, window: Window) -> (Times, Coverage) {
    let look = Look::for_filters(vec![Filter::default().within(window)]);
    let (mut times, coverage) =
        scan.run_with(inputs, &look, Times::default, |_, line, sink| envelope::decode(line, sink));
    times.0.retain(|(_, time)| (window.from..=window.until).contains(time));
    times.0.sort();
    assert!(coverage.total.is_balanced(), "{:?}", coverage.total);
    (times, coverage)
}

/// An entry of about a hundred bytes.
fn entry(micros: i64) -> String {
    format!("{{\"auditID\":\"a\",\"stage\":\"ResponseComplete\",\"stageTimestamp\":\"{}\"}}\n", at(micros))
}

/// One entry a second, from one second up to another.
fn log(from: i64, until: i64) -> String {
    (from..until).map(|second| entry(second * SECOND)).collect()
}

fn seconds(from: i64, until: i64) -> Window {
    Window { from: at(from * SECOND), until: at(until * SECOND) }
}

/// A scan that looks at places so many bytes apart.
fn spaced(spacing: u64) -> Scan {
    Scan { spacing, ..sizes(1024, 4096, 2) }
}

/// By how much an entry comes late.
fn late() -> impl Strategy<Value = i64> {
    prop_oneof![30 => Just(0), 10 => 0..DISORDER, 1 => 0..=SLACK]
}

/// The entries of a log as lists of so many, each in a line of its own.
fn lists(log: &str, length: usize) -> String {
    let entries: Vec<&str> = log.lines().collect();
    let list = |items: &[&str]| format!("{{\"kind\":\"EventList\",\"items\":[{}]}}\n", items.join(","));
    entries.chunks(length).map(list).collect()
}

/// What stands behind an entry: mostly nothing.
fn odd() -> impl Strategy<Value = &'static str> {
    prop_oneof![30 => Just(""), 1 => Just("no entry\n"), 1 => Just("{}\n"), 1 => Just("\0\0\n"), 1 => Just("\n")]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// What is found is the same whether parts are left out or not, for entries that are a little out of order, and some of
    /// them as much as is allowed, among lines that hold none, or in lists.
    #[test]
    fn nothing_within_a_window_is_missed(
        steps in proptest::collection::vec((0_i64..8, late(), odd()), 1..400),
        window in (-100_i64..3000, 0_i64..600), open in 0..4,
        spacing in 50_u64..3000, block in 60_usize..2000, range in 60_u64..4000, threads in 1_usize..4,
        length in prop_oneof![Just(0), 1_usize..400],
    ) {
        let mut now = 0;
        let line = |(step, late, odd): &(i64, i64, &str)| {
            now += step * SECOND;
            entry(now - late) + if length > 0 { "" } else { odd }
        };
        let mut content: String = steps.iter().map(line).collect();
        if length > 0 { content = lists(&content, length); }
        let (_folder, path) = file(&content);
        let mut window = seconds(window.0, window.0 + window.1);
        if open & 1 != 0 { window.from = Timestamp::MIN; }
        if open & 2 != 0 { window.until = Timestamp::MAX; }
        let scan = Scan { spacing, ..sizes(block, range, threads) };
        let all = within(&Scan { spacing: u64::MAX, ..scan.clone() }, &Inputs::open([&path]), window);
        let inputs = Inputs::open([&path]);
        for _ in 0..2 {
            let some = within(&scan, &inputs, window);
            prop_assert_eq!(&some.0, &all.0);
            prop_assert_eq!(some.1.total.bytes + some.1.total.outside_bytes, content.len() as u64);
            prop_assert!(some.1.problems.is_empty());
        }
    }
}

#[test]
fn of_a_long_file_little_more_than_the_window_is_read() {
    let content = log(0, 20_000);
    let (_folder, path) = file(&content);
    let (times, coverage) = within(&spaced(4096), &Inputs::open([&path]), seconds(15_000, 15_099));
    assert_eq!(times.0.len(), 100);
    let line = entry(0).len() as u64;
    let most = (100 + 2 * 30) * line + 2 * 64 * 1024;
    assert!(coverage.total.bytes < most, "{} of {most}", coverage.total.bytes);
    assert_eq!(coverage.total.bytes + coverage.total.outside_bytes, content.len() as u64);
    // The file's ends are known, and what lies between them is no gap.
    assert_eq!((coverage.total.from, coverage.total.until), (Some(at(0)), Some(at(19_999 * SECOND))));
    let server = &coverage.servers[0];
    assert_eq!((server.from, server.until, server.gap_count), (at(0), at(19_999 * SECOND), 0));
    assert_eq!(server.files, 1);
}

#[test]
fn a_file_outside_is_known_by_its_ends() {
    let content = log(1000, 5000);
    let (_folder, path) = file(&content);
    for window in [seconds(0, 900), seconds(5100, 6000)] {
        let (times, coverage) = within(&spaced(4096), &Inputs::open([&path]), window);
        assert_eq!(times.0, []);
        assert!(coverage.total.bytes <= entry(0).len() as u64, "{:?}", coverage.total);
        assert_eq!(
            (coverage.total.from, coverage.total.until),
            (Some(at(1000 * SECOND)), Some(at(4999 * SECOND)))
        );
        assert_eq!(coverage.servers.len(), 1);
    }
}

#[test]
fn what_is_not_in_order_is_read_whole() {
    let sorted: Vec<String> = log(0, 4000).lines().map(|line| format!("{line}\n")).collect();
    let without_times = "{\"auditID\":\"a\"}\n".repeat(1000);
    for content in [
        sorted.iter().rev().cloned().collect(),
        (0..2000).map(|place| sorted[place].clone() + &sorted[place + 2000]).collect(),
        log(0, 2000) + &log(1960, 4000),
        log(0, 2000) + &log(1000, 1100) + &log(2000, 4000),
        log(0, 2000) + &log(0, 50) + &log(0, 2000),
        lists(&log(0, 2000), 5),
        lists(&log(0, 2000), 2000),
        without_times,
    ] {
        let (_folder, path) = file(&content);
        let (_, coverage) = within(&spaced(1000), &Inputs::open([&path]), seconds(500, 600));
        assert_eq!((coverage.total.bytes, coverage.total.outside_bytes), (content.len() as u64, 0));
    }
}

#[test]
fn logs_one_after_the_other_are_each_read_where_they_may_lie_within_the_window() {
    for (content, found) in [
        (log(10_000, 30_000) + &log(0, 10_000), 100),
        (log(0, 20_000) + &log(0, 20_000), 200),
        (log(0, 9000) + &log(100, 9100) + &log(50, 4950) + &log(20, 9000), 300),
    ] {
        let (_folder, path) = file(&content);
        let (times, coverage) = within(&spaced(1000), &Inputs::open([&path]), seconds(5000, 5099));
        assert_eq!(times.0.len(), found);
        let (read, outside) = (coverage.total.bytes, coverage.total.outside_bytes);
        assert_eq!(read + outside, content.len() as u64);
        assert!(outside > read, "{read} bytes are read, and {outside} are not");
        assert_eq!(coverage.servers[0].gaps, []);
    }
}

/// Where the second log begins may be anywhere between the last place of the first and the first place of the second, of which
/// there are many entries.
#[test]
fn all_that_may_stand_where_another_log_begins_is_read() {
    let tens = |from, until| (from..until).map(|ten| entry(ten * 10 * SECOND)).collect::<String>();
    let line = entry(0).len() as u64;
    for (spacing, length) in (4000..4100).map(|length| ([3, 100][usize::from(length % 2 > 0)] * line, length))
    {
        let (_folder, path) = file(tens(0, length) + &tens(0, 5000));
        let inputs = Inputs::open([&path]);
        for ((from, until), found) in [
            ((0, 9), 20),
            ((length - 10, length + 9), 30),
            ((length / 2, length / 2 + 9), 20),
            ((4990, 5000), 10),
            ((6000, 7000), 0),
        ] {
            let (times, coverage) = within(&spaced(spacing), &inputs, seconds(from * 10, until * 10));
            assert_eq!(times.0.len(), found, "{length} {from}");
            let most = coverage.total.outside_bytes / if spacing > 3 * line { 2 } else { 3 };
            assert!(coverage.total.bytes < most, "{length} {from}");
        }
    }
}

proptest! {
    /// What is found is the same whether parts are left out or not, whatever logs stand one after the other that are seen in one
    /// place at the least. Between two places lies less than is to spare.
    #[test]
    fn nothing_is_missed_of_several_logs(
        logs in proptest::collection::vec((0_i64..2000, 50_i64..900), 1..6),
        window in (-100_i64..3000, 0_i64..600), spacing in 300_u64..2000, threads in 1_usize..4,
    ) {
        let content: String = logs.iter().map(|(from, length)| log(*from, from + length)).collect();
        let (_folder, path) = file(&content);
        let window = seconds(window.0, window.0 + window.1);
        let scan = Scan { spacing, ..sizes(1024, 4096, threads) };
        let all = within(&Scan { spacing: u64::MAX, ..scan.clone() }, &Inputs::open([&path]), window);
        let some = within(&scan, &Inputs::open([&path]), window);
        prop_assert_eq!(&some.0, &all.0);
        prop_assert_eq!(some.1.total.bytes + some.1.total.outside_bytes, content.len() as u64);
    }
}

#[test]
fn gaps_are_told_within_what_is_read() {
    let content = log(0, 5000) + &log(6000, 12_000) + &log(13_000, 16_000);
    let (_folder, path) = file(&content);
    let gaps = |window| {
        let coverage = within(&spaced(1000), &Inputs::open([&path]), window).1;
        coverage.servers[0].gaps.iter().map(|gap| (gap.from, gap.until)).collect::<Vec<_>>()
    };
    let (first, second) =
        ((at(4999 * SECOND), at(6000 * SECOND)), (at(11_999 * SECOND), at(13_000 * SECOND)));
    assert_eq!(gaps(Window::default()), [first, second]);
    assert_eq!(gaps(seconds(12_500, 12_600)), [second]);
    assert_eq!(gaps(seconds(4000, 6500)), [first]);
    assert_eq!(gaps(seconds(8000, 8100)), []);
}

fn gzip(content: &str) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Names of the sources that were not read.
fn left_out(coverage: &Coverage) -> Vec<&str> {
    let unread = |tally: &Tally| tally.bytes == 0 && tally.outside_bytes > 0;
    let sources = coverage.sources.iter().filter(|source| unread(&source.tally));
    sources.map(|source| source.source.rsplit('/').next().unwrap()).collect()
}

/// Rotated files with an entry a second, from 01:00 on a thousand in each; `shift` moves the times in names by hours.
fn rotated(shift: i64) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for first in [4000, 5000, 6000] {
        let name = at((first + 1000 + shift * 3600) * SECOND + 500_000).to_string();
        let name = format!("audit-{}.log.gz", name[..23].replace(':', "-"));
        fs::write(folder.path().join(name), gzip(&log(first, first + 1000))).unwrap();
    }
    fs::write(folder.path().join("audit.log"), log(7001, 8000)).unwrap();
    folder
}

#[test]
fn compressed_files_are_left_out_where_their_neighbours_confirm_their_names() {
    let folder = rotated(0);
    let inputs = Inputs::open([folder.path()]);
    let [first, second, third] =
        ["01-23-20", "01-40-00", "01-56-40"].map(|time| format!("audit-1970-01-01T{time}.500.log.gz"));
    for (window, unread) in [
        (seconds(0, 3000), vec![&*first, &*second, &*third]),
        (seconds(4000, 4900), vec![&*second, &*third]),
        (seconds(5000, 5100), vec![&*third]),
        (seconds(5500, 5600), vec![&*first, &*third]),
        (seconds(7500, 9000), vec![&*first, &*second, &*third]),
    ] {
        let (times, coverage) = within(&Scan::new(), &inputs, window);
        assert_eq!(left_out(&coverage), unread, "{window:?}");
        let (from, until) = (window.from.as_micros() / SECOND, window.until.as_micros() / SECOND);
        let expected =
            (from..=until).filter(|second| (4000..8000).contains(second) && *second != 7000).count();
        assert_eq!(times.0.len(), expected, "{window:?}");
        assert_eq!(
            (coverage.total.from, coverage.total.until),
            (Some(at(4000 * SECOND)), Some(at(7999 * SECOND)))
        );
        assert_eq!((coverage.servers[0].gap_count, coverage.servers[0].files), (0, 4));
    }
}

#[test]
fn a_name_that_nothing_confirms_is_not_believed() {
    // Names in another zone's time.
    for shift in [-1, 1, 5] {
        let folder = rotated(shift);
        let coverage = within(&Scan::new(), &Inputs::open([folder.path()]), seconds(7500, 9000)).1;
        assert_eq!(left_out(&coverage), [""; 0]);
    }
    // The next file is not there.
    let folder = rotated(0);
    fs::remove_file(folder.path().join("audit-1970-01-01T01-40-00.500.log.gz")).unwrap();
    fs::remove_file(folder.path().join("audit.log")).unwrap();
    let coverage = within(&Scan::new(), &Inputs::open([folder.path()]), seconds(7500, 9000)).1;
    assert_eq!(left_out(&coverage), [""; 0]);
}

#[test]
fn what_was_read_once_is_not_read_again_for_another_time() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("long.gz", log(0, 4000)),
        ("short.gz", log(0, 1000)),
        ("unsorted.gz", log(2000, 4000) + &log(0, 2000)),
    ] {
        fs::write(folder.path().join(name), gzip(&content)).unwrap();
    }
    let inputs = Inputs::open_with_stdin([folder.path(), Path::new("-")], std::io::Cursor::new(log(0, 4000)));
    let later = seconds(5000, 6000);
    assert_eq!(left_out(&within(&Scan::new(), &inputs, later).1), [""; 0]);
    let again = within(&Scan::new(), &inputs, later).1;
    let is_unread = again.sources.iter().map(|source| (&source.source, source.tally.bytes == 0));
    let unread: Vec<&str> =
        is_unread.filter(|(_, unread)| *unread).map(|(name, _)| name.rsplit('/').next().unwrap()).collect();
    assert_eq!(unread, ["-", "long.gz"]);
    assert_eq!(within(&Scan::new(), &inputs, seconds(100, 199)).0.0.len(), 400);
}

#[test]
fn an_entry_that_comes_late_is_found() {
    let mut left_out = 0;
    for second in 1000..1100 {
        // It stands behind one that is almost `SLACK` later, where mostly nobody looks.
        let late = second * SECOND + 1;
        let next = second + SLACK / SECOND;
        let (_folder, path) = file(log(0, next) + &entry(late) + &log(next, 3000));
        let window = Window { from: at(late), until: at(late) };
        let (times, coverage) = within(&spaced(700), &Inputs::open([&path]), window);
        assert_eq!(times.0.len(), 1, "{second}");
        left_out += u32::from(coverage.total.outside_bytes > 0);
    }
    assert!(left_out > 50, "{left_out}");
}
