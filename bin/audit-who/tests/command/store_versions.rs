//! Stores that an earlier program wrote: read, asked and gone on with; those of a later one are refused.

use std::fs;

use audit_who_testkit::context::fixtures;
use serde_json::Value;

use crate::collector::{Bench, append};
use crate::program::{Run, audit_who};

/// How many entries of the log the store was written from.
const COLLECTED: usize = 10;

/// Schemas that earlier programs wrote.
const EARLIER: &[u8] = &[1, 2];
const NEWEST: i64 = 3;

/// A store of an earlier schema, beside the log that it was collected from as it was then. Of another log nothing is left.
fn of_version(version: u8) -> Bench {
    let bench = Bench::new();
    let log = log();
    append(&bench.log("audit.log"), &(first(&log) + "not an entry\n"));
    fs::create_dir_all(bench.db().parent().unwrap()).unwrap();
    let dump = fs::read_to_string(fixtures().join(format!("stores/v{version}.sql"))).unwrap();
    let dump = dump.replace("@LOGS@", bench.logs().to_str().unwrap());
    let connection = bench.connection();
    connection.execute_batch(&dump).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    bench
}

fn log() -> String {
    fs::read_to_string(fixtures().join("delete/audit.log")).unwrap()
}

fn first(log: &str) -> String {
    log.split_inclusive('\n').take(COLLECTED).collect()
}

fn ask<const N: usize>(bench: &Bench, question: [&str; N]) -> Run {
    audit_who().args(question).args(["-o", "json", "--db"]).arg(bench.db()).output().unwrap().into()
}

#[test]
fn a_store_of_an_earlier_version_answers() {
    for version in EARLIER {
        it_answers(&of_version(*version));
    }
}

fn it_answers(bench: &Bench) {
    let asked = ask(bench, ["read", "secrets"]);
    let found: Vec<_> = asked.answers().iter().map(evidence).collect();
    let secrets = bench.log("secrets.log").to_str().unwrap().to_owned();
    let wanted = [
        vec![(secrets.clone(), 8954, "b0546094-9191-4b83-bb8a-7b17276fdd46")],
        vec![
            (secrets.clone(), 15613, "abf6e626-d0a2-487d-85d9-129895ac368c"),
            (secrets, 13835, "6d5958f3-eb5d-4a27-b67c-08f8546229e8"),
        ],
    ];
    let wanted =
        wanted.map(|rows| rows.into_iter().map(|(p, o, id)| (p, o, id.to_owned())).collect::<Vec<_>>());
    assert_eq!(found[..2], wanted, "{asked:?}");
    // What is missing is told as it was then.
    let objects = asked.objects();
    let coverage = objects.last().unwrap().to_string();
    assert!(coverage.contains("secrets.log") && coverage.contains("neither JSON"), "{coverage}");
    let ls = bench.checkpoint("ls", ["-o", "json"]).objects();
    assert_eq!(ls.iter().map(|row| &row["state"]).collect::<Vec<_>>(), ["growing", "gone"]);
    assert_eq!(ls.iter().map(|row| &row["keep"]).collect::<Vec<_>>(), ["notable", "all"]);
    let kinds = bench.checkpoint("export", []).objects();
    let kinds: Vec<_> = kinds.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["Generation", "Generation", "Gap", "BadSpan"]);
}

/// Where each evidence of an answer is, and its audit ID.
fn evidence(answer: &Value) -> Vec<(String, u64, String)> {
    let rows = answer["evidence"].as_array().unwrap();
    let text = |row: &Value, name| row[name].as_str().unwrap().to_owned();
    rows.iter()
        .map(|row| (text(row, "source"), row["offset"].as_u64().unwrap(), text(row, "auditID")))
        .collect()
}

#[test]
fn a_store_of_an_earlier_version_is_gone_on_with() {
    for version in EARLIER {
        it_is_gone_on_with(&of_version(*version));
    }
}

fn it_is_gone_on_with(bench: &Bench) {
    let log = log();
    let rest = &log[first(&log).len()..];
    append(&bench.log("audit.log"), rest);
    let went_on = bench.once();
    assert_eq!(went_on.status, 0, "{went_on:?}");
    let lines = rest.lines().count();
    assert!(went_on.stderr.contains(&format!(" lines={lines} events={lines} kept={lines} ")), "{went_on:?}");
    assert_eq!(bench.count("bad_spans"), 1);
    let removed = ask(bench, ["deleted", "pod/web-1"]);
    assert_eq!((removed.status, removed.answers().len()), (0, 1), "{removed:?}");
    assert!(bench.once().stderr.contains(" events=0 "));
    // What was kept before is in no sum or no minute, and is counted all the same.
    let number = |sql: &str| bench.connection().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("PRAGMA user_version"), NEWEST);
    assert_eq!(
        number("SELECT count(*) FROM sqlite_schema WHERE name IN ('records_by_failure', 'minutes')"),
        2
    );
    for (from, until) in
        [("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"), ("2026-03-02T09:00:30Z", "2026-03-02T09:40:00Z")]
    {
        let top = ask(bench, ["top", "users", "--since", from, "--until", until]);
        let counted: Vec<u64> = top.objects().iter().filter_map(|row| row["requests"].as_u64()).collect();
        let records = number(&format!(
            "SELECT count(*) FROM events WHERE stage IN ('ResponseComplete', 'Panic') \
             AND stage_us BETWEEN unixepoch('{from}') * 1000000 AND unixepoch('{until}') * 1000000"
        ));
        assert!(records > 0);
        assert_eq!(counted.iter().sum::<u64>().cast_signed(), records, "{counted:?}");
    }
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_left_as_it_is() {
    let bench = of_version(1);
    bench.connection().pragma_update(None, "user_version", 99).unwrap();
    let records = bench.count("records");
    for run in [bench.once(), bench.checkpoint("ls", []), ask(&bench, ["read", "secrets"])] {
        assert_eq!(run.status, 2, "{run:?}");
        assert!(run.stderr.contains("schema 99"), "{run:?}");
    }
    assert_eq!(bench.count("records"), records);
}
