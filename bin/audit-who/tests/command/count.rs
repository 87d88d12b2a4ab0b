//! Counts equal those of a slow and obvious count over the same lines.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use audit_who_core::event::time::Timestamp;
use audit_who_testkit::context::{Context, fixtures, shared_data, skip};
use serde_json::Value;

use crate::program::{Run, run};

type Key = fn(&Value) -> String;

/// What `top` counts by, and how an entry tells it. Programs are told from user agents by rules that have tests of their
/// own.
const DIMENSIONS: &[(&str, Key)] = &[
    ("users", |entry| match entry["impersonatedUser"]["username"].as_str() {
        Some(other) => format!("{} (acting as {other})", text(&entry["user"]["username"])),
        None => text(&entry["user"]["username"]),
    }),
    ("verbs", |entry| text(&entry["verb"])),
    ("resources", |entry| {
        let object = &entry["objectRef"];
        let part = |mark: &str, name: &str| object[name].as_str().map(|part| format!("{mark}{part}"));
        let (group, sub) = (part(".", "apiGroup"), part("/", "subresource"));
        format!("{}{}{}", text(&object["resource"]), group.unwrap_or_default(), sub.unwrap_or_default())
    }),
    ("namespaces", |entry| text(&entry["objectRef"]["namespace"])),
    ("codes", |entry| text(&entry["responseStatus"]["code"])),
    ("hosts", |entry| text(entry["sourceIPs"].as_array().and_then(|all| all.last()).unwrap_or(&Value::Null))),
];

fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Requests, errors, open ones, and the longest that is not long-running.
type Sums = (u64, u64, u64, Option<u64>);

/// The entries of plain files.
fn entries(files: &[PathBuf]) -> Vec<Value> {
    let lines = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
    lines
        .flat_map(|text| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>())
        .collect()
}

/// Counts request by request: here all entries of one are held together.
fn counted(entries: &[Value], key: Key) -> BTreeMap<String, Sums> {
    let mut requests: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for entry in entries {
        // Two requests may share an audit id, but not the microsecond too.
        let id = format!("{} {}", entry["auditID"], entry["requestReceivedTimestamp"]);
        requests.entry(id).or_default().push(entry);
    }
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    for stages in requests.values() {
        let stage = |name: &str| stages.iter().find(|entry| entry["stage"] == name);
        let code = |entry: &Value| entry["responseStatus"]["code"].as_u64().unwrap_or(0);
        let start = stage("ResponseStarted");
        let refused = start.filter(|entry| code(entry) == 401);
        let end = stage("ResponseComplete").or_else(|| stage("Panic")).or(refused);
        let Some(entry) = end.or(start) else { continue };
        let row = sums.entry(key(entry)).or_default();
        if end.is_none() {
            row.2 += 1;
            continue;
        }
        row.0 += 1;
        row.1 += u64::from(code(entry) >= 400);
        let sub = entry["objectRef"]["subresource"].as_str().unwrap_or_default();
        let session = ["exec", "attach", "portforward", "log", "proxy"].contains(&sub);
        if entry["verb"] != "watch" && code(entry) != 101 && !session {
            let time = |name: &str| Timestamp::parse(entry[name].as_str().unwrap()).unwrap();
            let took = time("stageTimestamp").since(time("requestReceivedTimestamp"));
            row.3 = row.3.max(u64::try_from(took).ok());
        }
    }
    sums
}

fn ask(arguments: &[&str], files: &[PathBuf]) -> Run {
    let files = files.iter().map(|file| file.to_str().unwrap());
    run(arguments.iter().copied().chain(["-o", "json", "--limit", "0"]).chain(files))
}

fn told(rows: &[Value]) -> BTreeMap<String, Sums> {
    let sums = |row: &Value| {
        let number = |name: &str| row[name].as_u64().unwrap();
        (number("requests"), number("errors"), number("open"), row["latency"]["maxMicros"].as_u64())
    };
    rows.iter().map(|row| (text(&row["key"]), sums(row))).collect()
}

fn assert_counted(files: &[PathBuf]) {
    let entries = entries(files);
    for (dimension, key) in DIMENSIONS {
        let rows = ask(&["top", dimension], files).answers();
        assert_eq!(told(&rows), counted(&entries, *key), "{dimension} of {files:?}");
        let order: Vec<_> = rows
            .iter()
            .map(|row| (u64::MAX - row["requests"].as_u64().unwrap(), text(&row["key"])))
            .collect();
        assert!(order.is_sorted(), "{dimension}: {order:?}");
        let share: f64 = rows.iter().map(|row| row["share"].as_f64().unwrap()).sum();
        assert!((share - 1.0).abs() < 1e-3, "{dimension}: {share}");
    }
}

fn fixture(name: &str) -> PathBuf {
    fixtures().join(name).join("audit.log")
}

#[test]
fn fixtures_are_counted_as_one_would_by_hand() {
    for name in ["drain", "eviction-denied", "impersonation", "hostile", "forged-audit-id", "deprecated"] {
        assert_counted(&[fixture(name)]);
    }
    assert_counted(&[fixture("drain"), fixture("rollout"), fixture("incarnations")]);
}

#[test]
fn recordings_are_counted_as_one_would_by_hand() {
    let Some(data) = shared_data() else { return skip("counts of the recordings") };
    for policy in ["rr", "recommended"] {
        let folders = ["audit-a", "audit-b"].map(|server| data.join("k8s-1.36").join(policy).join(server));
        let mut files: Vec<PathBuf> = folders
            .iter()
            .flat_map(|folder| std::fs::read_dir(folder).unwrap())
            .map(|file| file.unwrap().path())
            .filter(|file| file.extension().is_some_and(|extension| extension == "log"))
            .collect();
        files.sort();
        assert!(files.len() > 1, "{policy}");
        assert_counted(&files);
    }
}

#[test]
fn counts_do_not_depend_on_threads_or_order() {
    let (drain, rollout) = (fixture("drain"), fixture("rollout"));
    let one = ask(&["top", "clients", "--threads", "1"], &[drain.clone(), rollout.clone()]).answers();
    let many = ask(&["top", "clients", "--threads", "4"], &[rollout, drain]).answers();
    assert!(one.iter().any(|row| row["key"] == "kubectl"));
    assert_eq!(one, many);
}

#[test]
fn the_window_and_the_limit_narrow_what_is_told() {
    let drain = fixture("drain");
    let path = drain.to_str().unwrap();
    let all = told(&ask(&["top", "verbs"], std::slice::from_ref(&drain)).answers());
    let since = run(["top", "verbs", "--utc", "--since", "2026-03-02T09:02:03Z", "-o", "json", path]);
    let late = told(&since.answers());
    let sum = |rows: &BTreeMap<String, Sums>| rows.values().map(|row| row.0).sum::<u64>();
    assert!(sum(&late) > 0 && sum(&late) < sum(&all), "{late:?}");

    let two = run(["top", "verbs", "--limit", "2", "-o", "json", path]);
    assert_eq!(two.answers().len(), 2);
    let coverage = two.objects().pop().unwrap();
    let verdict = text(&coverage["verdict"]);
    assert!(verdict.contains(&format!("{} more verbs", all.len() - 2)), "{verdict}");

    let never = run(["top", "verbs", "--since", "2027-01-01", path]);
    assert_eq!(never.status, 1, "{never:?}");
    assert!(
        never.stdout.starts_with("top: these files can't tell: they hold entries from 2026-03-02"),
        "{never:?}"
    );
    let nobody = run(["top", "verbs", "--user", "nobody", path]);
    assert_eq!(nobody.status, 1, "{nobody:?}");
    assert!(nobody.stdout.starts_with("top, --user nobody: no request within 2026-03-02"), "{nobody:?}");
}

#[test]
fn a_missing_file_is_an_error_and_the_rest_is_counted() {
    let found = ask(&["top", "users"], &[fixture("drain"), Path::new("/nowhere.log").to_owned()]);
    assert_eq!(found.status, 2, "{found:?}");
    assert!(!found.answers().is_empty());
}

#[test]
fn uses_of_deprecated_apis_are_told_with_their_parts() {
    let rows = ask(&["deprecated"], &[fixture("deprecated")]).answers();
    let parts = |row: &Value| {
        ["apiGroup", "apiVersion", "resource", "removedRelease", "user", "client"]
            .map(|part| text(&row["api"][part]))
    };
    let (user, client) = ("system:serviceaccount:ops:ci", "budget-report");
    let told: Vec<_> = rows.iter().map(|row| (parts(row), row["requests"].as_u64().unwrap())).collect();
    let expected = [
        (["policy", "v1beta1", "poddisruptionbudgets", "1.25", user, client], 2),
        (["", "v1", "endpoints", "-", user, client], 1),
    ];
    assert_eq!(told, expected.map(|(parts, requests)| (parts.map(str::to_owned), requests)));
    assert_eq!(rows[0]["api"]["verbs"], serde_json::json!(["list"]));
    assert_eq!(run(["deprecated", fixture("drain").to_str().unwrap()]).status, 1);
}

/// A client that sends another name each time can't make the program hold them all.
#[test]
fn what_has_no_room_is_one_row() {
    const NAMES: u64 = 100_300;
    let line = std::fs::read_to_string(fixture("drain")).unwrap();
    let line = line.lines().find(|line| line.contains(r#""stage":"ResponseComplete""#)).unwrap();
    let mut entry: Value = serde_json::from_str(line).unwrap();
    let mut log = Vec::new();
    for number in 0..NAMES {
        entry["user"]["username"] = format!("user-{number}").into();
        writeln!(log, "{entry}").unwrap();
    }
    let context = Context::new().unwrap();
    let file = context.write("audit.log", log).unwrap();
    let found = run(["top", "users", "--limit", "1", "-o", "json", file.to_str().unwrap()]);
    let rows = found.answers();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!((&rows[0]["requests"], &rows[0]["others"]), (&1.into(), &false.into()));
    assert_eq!((&rows[1]["key"], &rows[1]["others"]), (&"(others)".into(), &true.into()));
    assert_eq!(rows[1]["requests"], NAMES - 100_000);
    let coverage = found.objects().pop().unwrap();
    assert!(text(&coverage["verdict"]).contains("more users than can be counted apart"), "{coverage}");
}

#[test]
fn no_format_lets_a_key_speak_to_the_terminal() {
    let hostile = fixture("hostile");
    for format in ["text", "json", "yaml", "csv", "wide", "name"] {
        let shown = run(["top", "users", "-o", format, hostile.to_str().unwrap()]);
        assert!(shown.stdout.contains("nimda"), "{shown:?}");
        let bad = |letter: char| letter.is_control() && letter != '\n' || letter == '\u{202e}';
        assert!(!shown.stdout.contains(bad), "{format}: {shown:?}");
    }
}
