//! What grows old is removed, and what is left is told of.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use audit_who_core::ask;
use audit_who_core::event::case::{Ask, Case, Subject};
use audit_who_core::event::question::named;
use audit_who_core::event::target::Target;
use audit_who_core::event::time::Timestamp;
use audit_who_core::store::{Archive, Keep, Pruned, Retention};

use crate::Bench;

/// How many events are written, one a second.
const EVENTS: i64 = 10_000;
const START: i64 = 1_780_000_000_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(START + second * 1_000_000)
}

/// A delete of a pod of its own each second.
fn line(second: i64) -> String {
    let time = at(second);
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{second}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/pods/web-{second}","verb":"delete","user":{{"username":"maria"}},"userAgent":"agent-{second}","objectRef":{{"resource":"pods","namespace":"shop","name":"web-{second}","apiVersion":"v1"}},"responseStatus":{{"code":200}},"requestReceivedTimestamp":"{time}","stageTimestamp":"{time}"}}"#
    ) + "\n"
}

fn collected() -> (Bench, PathBuf) {
    let bench = Bench::new();
    let log = bench.path("audit-2026-05-28T00-00-00.000.log");
    fs::write(&log, (0..EVENTS).map(line).collect::<String>()).unwrap();
    bench.collect(&[&log], Keep::Notable);
    (bench, log)
}

/// Prunes until there is no more to prune, and returns how many events each step removed.
fn prune(bench: &Bench, now: Timestamp, retention: Retention) -> Vec<u64> {
    let mut store = bench.open();
    let mut steps = Vec::new();
    loop {
        let Pruned { events, more } = store.prune(now, &retention).unwrap();
        steps.push(events);
        if !more {
            return steps;
        }
    }
}

fn deleted(bench: &Bench, target: &str) -> audit_who_core::Asked {
    let archive = Archive::open(bench.db(), Duration::ZERO).unwrap();
    let target = Subject::Target(Target::parse(target).unwrap());
    ask(&archive, Case::new(Ask::new(named("deleted").unwrap(), target)))
}

#[test]
fn what_is_too_old_is_removed_in_small_steps() {
    let (bench, _) = collected();
    let day = 24 * 60 * 60;
    let retention = Retention { keep_for: Some(Duration::from_hours(1)), max_bytes: None };
    let steps = prune(&bench, at(EVENTS), retention);
    // Then go the words that they alone had.
    assert_eq!(steps[..4], [2_000, 2_000, 2_000, 400]);
    assert!(steps[4..].iter().all(|removed| *removed == 0), "{steps:?}");
    assert_eq!(bench.number("SELECT count(*) FROM events"), 3_600);
    assert_eq!(bench.number("SELECT min(stage_us) FROM events"), at(EVENTS - 3_600).as_micros());
    // Nothing that is new is removed, however often.
    assert_eq!(prune(&bench, at(EVENTS), retention), [0]);

    // Nobody is told that a pod was not deleted at a time of which nothing is held.
    let asked = deleted(&bench, "pod/web-100");
    let from = at(EVENTS - 3_600 - 1).plus(1);
    assert_eq!(asked.coverage.total.from, Some(from));
    assert!(asked.coverage.verdict.contains(&format!("within {from}")), "{}", asked.coverage.verdict);
    assert_eq!(deleted(&bench, "pod/web-9999").findings.answers.len(), 1);

    // Each event that is left has two words of its own; those of a sixteenth of the time may go later.
    let words = bench.number("SELECT count(*) FROM words");
    assert!((7_200..7_200 + 2 * EVENTS / 16 + 10).contains(&words), "{words}");
    prune(&bench, at(EVENTS + 3 * day), retention);
    assert_eq!(bench.number("SELECT count(*) FROM words"), 0);
    assert_eq!(bench.number("SELECT count(*) FROM kinds"), 0);
}

#[test]
fn what_is_too_much_is_removed() {
    let (bench, _) = collected();
    let bytes = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    let max = bench.number(bytes) / 2;
    let retention = Retention { keep_for: None, max_bytes: Some(max.unsigned_abs()) };
    let steps = prune(&bench, at(EVENTS), retention);
    assert!(steps.len() > 2, "{steps:?}");
    let left = bench.number("SELECT count(*) FROM events");
    assert!((1_000..EVENTS).contains(&left), "{left}");
    assert_eq!(bench.number("SELECT min(stage_us) FROM events"), at(EVENTS - left).as_micros());
    bench.open().rest().unwrap();
    assert!(bench.number(bytes) <= max);
    assert_eq!(i64::try_from(fs::metadata(bench.db()).unwrap().len()).unwrap(), bench.number(bytes));
}

#[test]
fn what_is_too_much_goes_with_its_words() {
    let (bench, _) = collected();
    // Names of pods and programs are a good part of it, and all is of one day.
    let bytes = |of: &str| bench.number(&format!("SELECT sum(pgsize) FROM dbstat WHERE name IN ({of})"));
    let events = bytes(
        "'records', 'records_by_address', 'records_by_time', 'records_by_name', 'records_by_kind', 'records_by_user'",
    );
    let words = bytes("'words', 'sqlite_autoindex_words_1', 'words_by_until'");
    assert!(words > events / 3, "{words} of {events}");
    let max = i64::midpoint(events, words);
    let retention = Retention { keep_for: None, max_bytes: Some(max.unsigned_abs()) };
    prune(&bench, at(EVENTS), retention);
    let left = bench.number("SELECT count(*) FROM events");
    assert!((EVENTS / 5..EVENTS * 3 / 5).contains(&left), "{left}");
    let words = bench.number("SELECT count(*) FROM words");
    assert!(words < 2 * left + EVENTS / 4, "{words} words of {left} events");
    // Those that are left have all of theirs.
    let whole = "SELECT count(*) FROM events WHERE name IS NULL OR user_agent IS NULL OR username IS NULL";
    assert_eq!(bench.number(whole), 0);
}

#[test]
fn a_generation_goes_with_its_last_event_if_its_file_is_gone() {
    let (bench, log) = collected();
    let retention = Retention { keep_for: Some(Duration::from_mins(1)), max_bytes: None };
    prune(&bench, at(2 * EVENTS), retention);
    assert_eq!(bench.number("SELECT count(*) FROM events"), 0);
    // How far its file is read must be known as long as the file is there.
    assert_eq!(bench.number("SELECT count(*) FROM generations"), 1);
    fs::remove_file(&log).unwrap();
    bench.collect(&[&log], Keep::Notable);
    prune(&bench, at(2 * EVENTS), retention);
    for table in ["generations", "runs", "bad_spans", "gaps"] {
        assert_eq!(bench.number(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
}
