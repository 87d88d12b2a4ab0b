//! What is summed up by the hour and by the minute is what is counted of the events.

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
    line_at(number, number * STEP)
}

fn line_at(number: i64, second: i64) -> String {
    let (end, start) = (at(second), at(second).plus(-700 * (number % 6)));
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
    let hour = HOUR - 600;
    let ends = [at(hour), at(hour).plus(-1), at(STEP * 9), at(hour + 3 * HOUR), at(hour + 5 * HOUR).plus(-1)];
    assert_same_within(log, bench, first, &ends);
}

fn assert_same_within(log: &Path, bench: &Bench, first: i64, ends: &[Timestamp]) {
    let (scan, inputs) = (Scan::new(), Inputs::open([log]));
    let (files, archive) = (Files::new(&scan, &inputs), Archive::open(bench.db(), Duration::ZERO).unwrap());
    let ends = ends.iter().copied();
    let from = std::iter::once(Timestamp::MIN).chain(ends.clone()).map(|from| from.max(at(first)));
    let windows =
        from.flat_map(|from| ends.clone().chain([Timestamp::MAX]).map(move |until| Window { from, until }));
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

/// Events seven seconds apart, from ten minutes before an hour on: what is counted of them, and its minutes.
fn minutes_of(bench: &Bench) -> std::path::PathBuf {
    let log = bench.path("audit.log");
    fs::write(&log, (0..200).map(|number| line_at(number, 7 * number)).collect::<String>()).unwrap();
    bench.collect(&[&log], Keep::All);
    log
}

const MINUTE: i64 = 60;

#[test]
fn minutes_are_counted_as_their_events_are() {
    // Minutes are cut by batches.
    let bench = Bench::batches_of(1024);
    let log = minutes_of(&bench);
    assert!(bench.number("SELECT count(DISTINCT minute_us) FROM minutes") > 20);
    let ends = [
        at(0).plus(-1),
        at(2 * MINUTE),
        at(5 * MINUTE).plus(-1),
        at(5 * MINUTE + 31),
        at(50 * MINUTE),
        at(51 * MINUTE),
    ];
    assert_same_within(&log, &bench, i64::MIN / 4_000_000, &ends);
    // All but what is around whole minutes is told by them.
    let sql = bench.sql();
    sql.execute("DELETE FROM sums", []).unwrap();
    sql.execute("UPDATE minutes SET keys = replace(keys, 'user-1', 'user-x')", []).unwrap();
    let users = |from, until| {
        let archive = Archive::open(bench.db(), Duration::ZERO).unwrap();
        let top = named("top").unwrap();
        let counts = counted(
            &archive,
            top,
            top.dimension("users").unwrap(),
            Window { from: at(from), until: at(until) },
        );
        counts.rows.into_iter().map(|row| row.key).collect::<Vec<_>>()
    };
    let has = |keys: &[String], key: &str| keys.iter().any(|known| known == key);
    let whole = users(2 * MINUTE, 5 * MINUTE);
    assert!(has(&whole, "user-x"), "{whole:?}");
    let around = users(2 * MINUTE + 1, 4 * MINUTE + 30);
    assert!(has(&around, "user-1") && has(&around, "user-x"), "{around:?}");
    let within = users(2 * MINUTE + 1, 3 * MINUTE - 2);
    assert!(has(&within, "user-1") && !has(&within, "user-x"), "{within:?}");
}

/// Nobody makes a store write more and more with each commit by sending ever new names.
#[test]
fn a_minute_with_very_many_keys_is_counted_from_its_events() {
    let bench = Bench::batches_of(256 * 1024);
    let log = bench.path("audit.log");
    let of = |number: i64| line_at(number, number / 100).replace("user-", &format!("user-{number}-"));
    fs::write(&log, (0..7_500).map(of).collect::<String>()).unwrap();
    bench.collect(&[&log], Keep::All);
    let is_null = |dimension: &str| {
        bench.number(&format!("SELECT sum(keys IS NULL) FROM minutes WHERE dimension = '{dimension}'"))
    };
    assert_eq!((is_null("users"), is_null("verbs")), (1, 0));
    assert_same_within(&log, &bench, i64::MIN / 4_000_000, &[at(0), at(MINUTE).plus(-1), at(90)]);
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
    let requests = || {
        let by_hour = bench.number("SELECT sum(requests) FROM sums");
        let by_minute = bench.number("SELECT sum(value ->> 'r') FROM minutes, json_each(keys)");
        assert_eq!(by_hour, by_minute);
        by_hour
    };
    let before = requests();
    inspect::reset(&mut bench.open(), &inspect::Which::All, false).unwrap();
    bench.collect(&[&log], Keep::All);
    assert_eq!(requests(), before);
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
    assert_eq!(is_old("SELECT count(*) FROM minutes WHERE minute_us"), 0);
    assert_eq!(is_old("SELECT count(*) FROM records WHERE stage_us"), 0);
    assert_same(&log, &bench, first);

    let late = bench.path("late.log");
    fs::write(&late, line(1)).unwrap();
    bench.collect(&[&late], Keep::All);
    assert_eq!(is_old("SELECT count(*) FROM sums WHERE hour_us"), 0);
    assert_eq!(is_old("SELECT count(*) FROM minutes WHERE minute_us"), 0);
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
    let within = Window { from: at(3600), until: at(7000) };
    for (damage, window) in [
        ("UPDATE sums SET latency = x'01'", Window::default()),
        ("UPDATE minutes SET keys = substr(keys, 2)", within),
        ("UPDATE minutes SET keys = replace(keys, '\"l\":[', '\"l\":[[65000,1],')", within),
    ] {
        let bench = Bench::new();
        let log = log(&bench);
        bench.collect(&[&log], Keep::All);
        assert!(bench.sql().execute(damage, []).unwrap() > 0);
        let archive = Archive::open(bench.db(), Duration::ZERO).unwrap();
        let top = named("top").unwrap();
        let counting = Counting::new(top, top.dimension("users").unwrap(), window);
        let asked = count(&archive, &counting, None);
        assert_eq!(asked.counts.requests, 0, "{damage}");
        assert!(asked.coverage.problems.iter().any(|problem| problem.fatal), "{:?}", asked.coverage.problems);
    }
}
