//! What is summed up by the hour is what is counted of the events.

use std::fs;
use std::path::Path;
use std::time::Duration;

use audit_who_core::event::case::Window;
use audit_who_core::event::count::{Counting, Counts, Dimension};
use audit_who_core::event::question::{Question, named};
use audit_who_core::event::time::Timestamp;
use audit_who_core::store::{Archive, Keep, Retention, inspect};
use audit_who_core::{Files, Inputs, Logs, Scan, count};

use crate::Bench;

/// One event each twelve minutes, five an hour, and where they begin: within an hour.
const STEP: i64 = 12 * 60;
const HOUR: i64 = 60 * 60;
const START: i64 = 1_779_998_400 + 600;
const EVENTS: i64 = 40;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros((START + second) * 1_000_000)
}

/// Requests of all sorts; some have no time.
fn line(number: i64) -> String {
    let (end, start) = (at(number * STEP), at(number * STEP).plus(-700 * (number % 6)));
    let user = number % 3;
    let (verb, stage, code) = match number % 7 {
        0 => ("watch", "ResponseStarted", 200),
        1 => ("watch", "ResponseComplete", 200),
        2 => ("delete", "ResponseComplete", 404),
        3 => ("get", "RequestReceived", 0),
        _ => ("create", "ResponseComplete", 201),
    };
    let times = match number {
        17 => String::new(),
        _ => format!(r#","requestReceivedTimestamp":"{start}","stageTimestamp":"{end}""#),
    };
    let deprecated = if number % 5 == 0 {
        r#","annotations":{"k8s.io/deprecated":"true","k8s.io/removed-release":"1.32"}"#
    } else {
        ""
    };
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{number}","stage":"{stage}","requestURI":"/x","verb":"{verb}","user":{{"username":"user-{user}"}},"sourceIPs":["10.0.0.{user}"],"userAgent":"kubectl/v1.31.{user}","objectRef":{{"resource":"pods","namespace":"shop","name":"web-1","apiVersion":"v1"}},"responseStatus":{{"code":{code}}}{times}{deprecated}}}"#
    ) + "\n"
}

fn log(bench: &Bench) -> std::path::PathBuf {
    let log = bench.path("audit.log");
    fs::write(&log, (0..EVENTS).map(line).collect::<String>()).unwrap();
    log
}

fn counted(
    logs: &impl Logs,
    question: &'static Question,
    dimension: &'static Dimension,
    window: Window,
) -> Counts {
    count(logs, &Counting::new(question, dimension, window), None).counts
}

/// Each question and dimension, within windows that begin and end in an hour, with one, or nowhere.
fn assert_same(log: &Path, bench: &Bench, first: i64) {
    let (scan, inputs) = (Scan::new(), Inputs::open([log]));
    let (files, archive) = (Files::new(&scan, &inputs), Archive::open(bench.db(), Duration::ZERO).unwrap());
    let hour = HOUR - 600;
    let ends = [at(hour), at(hour).plus(-1), at(STEP * 9), at(hour + 3 * HOUR), at(hour + 5 * HOUR).plus(-1)];
    let from = std::iter::once(Timestamp::MIN).chain(ends).map(|from| from.max(at(first)));
    let windows = from
        .flat_map(|from| ends.into_iter().chain([Timestamp::MAX]).map(move |until| Window { from, until }));
    for window in windows.filter(|window| window.from <= window.until) {
        for question in ["top", "deprecated"].map(|name| named(name).unwrap()) {
            for dimension in question.dimensions() {
                let [wanted, found] = [
                    counted(&files, question, dimension, window),
                    counted(&archive, question, dimension, window),
                ];
                assert_eq!(wanted, found, "{} within {window:?}", dimension.name);
            }
        }
    }
}

#[test]
fn hours_are_counted_as_their_events_are() {
    // Each batch adds to the sums of those before.
    let bench = Bench::batches_of(1024);
    let log = log(&bench);
    bench.collect(&[&log], Keep::All);
    assert!(bench.number("SELECT count(DISTINCT hour_us) FROM sums") > 7);
    assert_same(&log, &bench, i64::MIN / 4_000_000);
}

/// Some of them in lists, some behind a record that was torn.
#[test]
fn events_are_counted_wherever_they_stand() {
    let bench = Bench::new();
    let path = bench.path("audit.log");
    let wrapped = |number: i64| {
        let line = line(number);
        let record = line.trim_end();
        match number % 4 {
            0 => {
                format!(
                    r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{record},{record}]}}"#
                ) + "\n"
            }
            1 => format!("{}{line}", &record[..record.len() / 2]),
            _ => line,
        }
    };
    fs::write(&path, (0..EVENTS).map(wrapped).collect::<String>()).unwrap();
    bench.collect(&[&path], Keep::All);
    assert!(bench.number("SELECT count(*) FROM records WHERE salvaged") > 9);
    assert_same(&path, &bench, i64::MIN / 4_000_000);
}

/// What stands there already is counted once.
#[test]
fn events_that_are_read_again_count_once() {
    let bench = Bench::new();
    let log = log(&bench);
    bench.collect(&[&log], Keep::All);
    let before = bench.number("SELECT sum(requests) FROM sums");
    inspect::reset(&mut bench.open(), &inspect::Which::All, false).unwrap();
    bench.collect(&[&log], Keep::All);
    assert_eq!(bench.number("SELECT sum(requests) FROM sums"), before);
    assert_same(&log, &bench, i64::MIN / 4_000_000);
}

/// The hour of which a part is removed has no sums any more, nor do the hours before it; late events of theirs are found.
#[test]
fn what_is_removed_is_in_no_sum() {
    let bench = Bench::new();
    let log = log(&bench);
    bench.collect(&[&log], Keep::All);
    let retention = Retention { keep_for: Some(Duration::ZERO), max_bytes: None };
    let first = 2 * HOUR + 20 * 60;
    while bench.open().prune(at(first), &retention).unwrap().more {}
    let is_old = |sql: &str| bench.number(&format!("{sql} < {}", at(first).as_micros()));
    assert_eq!(is_old("SELECT count(*) FROM sums WHERE hour_us"), 0);
    assert_eq!(is_old("SELECT count(*) FROM records WHERE stage_us"), 0);
    assert_same(&log, &bench, first);

    let late = bench.path("late.log");
    fs::write(&late, line(1)).unwrap();
    bench.collect(&[&late], Keep::All);
    assert_eq!(is_old("SELECT count(*) FROM sums WHERE hour_us"), 0);
    let archive = Archive::open(bench.db(), Duration::ZERO).unwrap();
    let (top, all) = (named("top").unwrap(), Window { until: at(first - HOUR), ..Window::default() });
    let users = counted(&archive, top, top.dimension("users").unwrap(), all);
    assert_eq!(
        users.rows.iter().map(|row| (row.key.as_str(), row.requests)).collect::<Vec<_>>(),
        [("user-1", 1)]
    );
}

/// A damaged sum is a problem of the answer, not a count.
#[test]
fn damaged_sums_are_told() {
    let bench = Bench::new();
    let log = log(&bench);
    bench.collect(&[&log], Keep::All);
    bench.sql().execute("UPDATE sums SET latency = x'01'", []).unwrap();
    let archive = Archive::open(bench.db(), Duration::ZERO).unwrap();
    let top = named("top").unwrap();
    let counting = Counting::new(top, top.dimension("users").unwrap(), Window::default());
    let asked = count(&archive, &counting, None);
    assert_eq!(asked.counts.requests, 0);
    assert!(asked.coverage.problems.iter().any(|problem| problem.fatal), "{:?}", asked.coverage.problems);
}
