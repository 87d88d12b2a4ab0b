//! Generated logs: the same for the same seed, of the asked size, with every hit told to its end.

use std::collections::BTreeMap;

use audit_who_testkit::entry::Level;
use audit_who_testkit::generator::{Generator, Summary};
use serde_json::Value;

#[expect(clippy::unwrap_used, reason = "only tests call it")]
fn generate(generator: &Generator, bytes: u64) -> (String, Summary) {
    let mut log = Vec::new();
    let summary = generator.write(&mut log, bytes).unwrap();
    (String::from_utf8(log).unwrap(), summary)
}

#[test]
fn the_seed_decides() {
    let (first, _) = generate(&Generator::new(1), 200_000);
    assert_eq!(generate(&Generator::new(1), 200_000).0, first);
    assert_ne!(generate(&Generator::new(2), 200_000).0, first);
}

#[test]
fn the_summary_counts_what_is_there() {
    for level in [Level::Metadata, Level::Request, Level::RequestResponse] {
        let (log, summary) = generate(&Generator::new(3).level(level), 500_000);
        assert_eq!(summary.bytes, log.len() as u64);
        assert_eq!(summary.lines, log.lines().count() as u64);
        assert!(summary.bytes >= 500_000 && log.ends_with('\n'));
    }
    assert_eq!(generate(&Generator::new(3), 0), (String::new(), Summary::default()));
}

#[test]
fn every_line_is_an_entry_of_the_level() {
    for level in [Level::Metadata, Level::Request, Level::RequestResponse] {
        let (log, _) = generate(&Generator::new(4).level(level), 1_000_000);
        assert!(!log.contains('@'), "a hole was left open");
        for line in log.lines() {
            let entry: Value = serde_json::from_str(line).unwrap();
            assert_eq!(entry["stage"], "ResponseComplete");
            assert!(entry["requestReceivedTimestamp"].as_str() < entry["stageTimestamp"].as_str());
            assert!(entry.get("requestObject").is_none() || level >= Level::Request);
            assert!(entry.get("responseObject").is_none() || level == Level::RequestResponse);
        }
    }
}

#[test]
fn sizes_are_those_of_real_logs() {
    let quantile = |level, part: usize| {
        let (log, _) = generate(&Generator::new(5).level(level), 20_000_000);
        let mut sizes: Vec<usize> = log.lines().map(str::len).collect();
        sizes.sort_unstable();
        (sizes[sizes.len() / 2], sizes[sizes.len() * part / 100], sizes[sizes.len() - 1])
    };
    let (median, p99, longest) = quantile(Level::Metadata, 99);
    assert!((950..1150).contains(&median) && p99 < 1500 && longest < 1700, "{median} {p99} {longest}");
    let (median, p99, longest) = quantile(Level::RequestResponse, 99);
    assert!((2400..3600).contains(&median) && p99 > 5000, "{median} {p99}");
    assert!((100_000..210_000).contains(&longest), "{longest}");
}

#[test]
fn a_few_lines_come_late() {
    let (log, summary) = generate(&Generator::new(6), 5_000_000);
    let times: Vec<&str> =
        log.lines().map(|line| &line.split("\"stageTimestamp\":\"").nth(1).unwrap()[..27]).collect();
    let back = times.windows(2).filter(|pair| pair[1] < pair[0]).count() as u64;
    assert!(back > 0 && back * 50 < summary.lines, "{back} of {}", summary.lines);
}

#[test]
fn hits_are_whole_and_spread_evenly() {
    let generator = Generator::new(8).level(Level::RequestResponse).hits("needle", 20).hits("pin", 3);
    let (log, summary) = generate(&generator, 4_000_000);
    assert_eq!(summary.evictions.len(), 23);
    let mut seen: BTreeMap<String, Vec<(usize, String)>> = BTreeMap::new();
    let mut offset = 0;
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        let name = entry["objectRef"]["name"].as_str().unwrap_or("");
        if name.starts_with("needle-") || name.starts_with("pin-") {
            let what = format!("{} {}", entry["verb"], entry["objectRef"]["subresource"]);
            seen.entry(name.to_owned()).or_default().push((offset, what));
        }
        offset += line.len() + 1;
    }
    assert_eq!(seen.len(), 23);
    for eviction in &summary.evictions {
        let steps: Vec<&str> = seen[&eviction.pod].iter().map(|(_, what)| what.as_str()).collect();
        assert_eq!(
            steps,
            ["\"create\" null", "\"create\" \"eviction\"", "\"delete\" null"],
            "{}",
            eviction.pod
        );
    }
    let mut starts: Vec<usize> =
        seen.iter().filter(|(name, _)| name.starts_with("needle-")).map(|(_, steps)| steps[0].0).collect();
    starts.sort_unstable();
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] > 4_000_000 / 40), "{starts:?}");
}

#[test]
fn even_a_short_log_tells_its_hits_to_the_end() {
    let (log, summary) = generate(&Generator::new(9).hits("needle", 5), 1);
    assert_eq!(summary.evictions.len(), 5);
    assert_eq!(log.lines().filter(|line| line.contains("needle-")).count(), 15);
}
