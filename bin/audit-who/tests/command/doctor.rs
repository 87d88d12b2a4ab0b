//! `doctor` finds what is wrong with a log as a whole.

use std::path::Path;

use audit_who_testkit::context::{Context, fixtures, shared_data, skip};
use serde_json::Value;

use crate::program::run;

/// A story with all stages, longer than a minute.
fn story() -> String {
    std::fs::read_to_string(fixtures().join("delete/audit.log")).unwrap()
}

/// Exit status and report.
fn report(path: &Path) -> (i32, Value) {
    let report = run(["doctor", "-o", "json", path.to_str().unwrap()]);
    let mut objects = report.objects();
    assert_eq!(objects.len(), 1, "{report:?}");
    let object = objects.remove(0);
    assert_eq!((&object["apiVersion"], &object["kind"]), (&"audit-who/v1".into(), &"Doctor".into()));
    (report.status, object)
}

/// What is found in a log that was changed.
#[track_caller]
fn findings(change: impl FnOnce(Vec<String>) -> Vec<String>) -> (Vec<String>, Value) {
    let context = Context::new().unwrap();
    let lines = change(story().lines().map(str::to_owned).collect());
    let (status, report) = report(&context.write("a/audit.log", lines.join("\n") + "\n").unwrap());
    assert_eq!(status, 1, "{report}");
    let found = report["findings"].as_array().unwrap().iter();
    (found.map(|text| text.as_str().unwrap().to_owned()).collect(), report)
}

/// The first entry of that stage that is followed by others of its request or follows them.
fn find(lines: &[String], stage: &str) -> usize {
    let wanted = format!(r#""stage":"{stage}""#);
    lines.iter().position(|line| line.contains(&wanted) && line.contains(r#""verb":"create""#)).unwrap()
}

#[test]
fn a_whole_log_is_healthy() {
    let log = fixtures().join("delete/audit.log");
    let (status, report) = report(&log);
    assert_eq!((status, &report["findings"]), (0, &Value::Array(Vec::new())), "{report}");
    let server = &report["servers"][0];
    assert_eq!(server["generations"].as_array().unwrap().len(), 1);
    let policy = report["policy"].as_array().unwrap();
    assert!(policy.iter().any(|row| row["resource"] == "pods" && row["verb"] == "delete"), "{report}");
    let question = |name: &str| {
        report["questions"].as_array().unwrap().iter().find(|judged| judged["question"] == name).unwrap()
    };
    assert_eq!(question("deleted")["extent"], "whole");
    assert_eq!(question("evicted")["extent"], "part");
    assert_eq!(question("token")["extent"], "none");

    let text = run(["doctor", "--utc", log.to_str().unwrap()]);
    assert!(text.stdout.starts_with("These logs are healthy.\n"), "{text:?}");
}

#[test]
fn an_entry_that_is_missing_is_told_from_the_other_stage() {
    let mut id = String::new();
    let (found, report) = findings(|mut lines| {
        let line = lines.remove(find(&lines, "ResponseComplete"));
        id = serde_json::from_str::<Value>(&line).unwrap()["auditID"].as_str().unwrap().to_owned();
        lines
    });
    assert_eq!(found, ["1 request without an end"]);
    assert_eq!(
        (&report["endless"][0]["auditID"], &report["endless"][0]["stage"]),
        (&id.into(), &"RequestReceived".into())
    );

    let (found, report) = findings(|lines| {
        // Most requests of its kind have to have this stage.
        let other =
            |line: &String, mark: &str| line.replace("\"auditID\":\"", &format!("\"auditID\":\"{mark}"));
        let thrice = |line: &String| [line.clone(), other(line, "f"), other(line, "g")];
        let mut all: Vec<String> = lines.iter().flat_map(thrice).collect();
        all.remove(find(&all, "RequestReceived"));
        all
    });
    assert_eq!(found, ["1 request without a start"]);
    assert_eq!(report["startless"][0]["stage"], "ResponseComplete");
}

#[test]
fn an_entry_that_stands_twice_is_told() {
    let context = Context::new().unwrap();
    context.write("a/audit.log", story()).unwrap();
    let copy = context.write("copy/audit.log", story()).unwrap();
    let (status, report) = report(context.path());
    let entries = story().lines().count();
    assert_eq!((status, &report["copies"][0]["entries"]), (1, &entries.into()), "{report}");
    assert_eq!(report["copies"][0]["source"], copy.to_str().unwrap());
    assert_eq!(report["endlessCount"], 0);
}

#[test]
fn one_audit_id_for_two_entries_is_told() {
    let (found, report) = findings(|mut lines| {
        let at = find(&lines, "ResponseComplete");
        let forged = lines[at].replace("\"username\":\"", "\"username\":\"not-");
        lines.insert(at + 1, forged);
        lines
    });
    assert_eq!(found, ["1 entry with the audit ID and stage of another one"]);
    let pair = &report["conflicts"][0];
    assert_eq!(pair["one"]["auditID"], pair["other"]["auditID"]);
    assert_ne!(pair["one"]["username"], pair["other"]["username"]);
}

#[test]
fn losses_and_oddities_of_a_file_are_told() {
    let (found, _) = findings(|mut lines| {
        lines.insert(3, "{\"kind\":\"Ev".to_owned());
        lines
    });
    assert_eq!(found, ["1 bad line"]);

    let (found, _) = findings(|lines| {
        let cut = |line: String| {
            line.strip_suffix('}')
                .map(|line| format!("{line},\"annotations\":{{\"audit.k8s.io/truncated\":\"true\"}}}}"))
        };
        lines.into_iter().map(|line| cut(line).unwrap()).collect()
    });
    assert!(found[0].ends_with("entries whose bodies were cut off"), "{found:?}");

    let (found, _) = findings(|mut lines| {
        lines.reverse();
        lines
    });
    assert!(found[0].starts_with("the clock of ") && found[0].contains(" goes back by "), "{found:?}");

    let (found, report) = findings(|mut lines| {
        let renewal = |name: &str| {
            format!(
                r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"{name}","stage":"ResponseComplete","verb":"update","requestURI":"/x","user":{{"username":"system:apiserver"}},"objectRef":{{"resource":"leases","namespace":"kube-system","name":"apiserver-{name}"}},"stageTimestamp":"2026-03-02T09:01:20.000000Z"}}"#
            )
        };
        lines.extend(["one", "two"].map(renewal));
        lines
    });
    assert!(found[0].starts_with("2 API servers log into "), "{found:?}");
    assert_eq!(report["servers"][0]["leases"][1], "apiserver-two");
}

#[test]
fn a_missing_generation_is_told_and_a_copy_is_no_loss() {
    let context = Context::new().unwrap();
    context.write("a/audit-2026-03-02T09-30-00.000.log", story()).unwrap();
    context
        .write(
            "a/audit.log",
            story().replace("2026-03-02T09:", "2026-03-02T11:").replace("\"auditID\":\"", "\"auditID\":\"f"),
        )
        .unwrap();
    let (status, report) = report(&context.path().join("a"));
    assert_eq!((status, &report["findings"][0]), (1, &"1 time without entries".into()), "{report}");
    let server = &report["servers"][0];
    assert_eq!(server["gaps"][0]["why"], "no-entries");
    assert_eq!(server["generations"][0]["rotated"], "2026-03-02T09:30:00.000000Z");
    assert_eq!(server["generations"][1]["rotated"], Value::Null);
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let missing = run(["doctor", "/nowhere/audit.log"]);
    assert_eq!(missing.status, 2, "{missing:?}");
    assert!(missing.stdout.contains("error: /nowhere/audit.log: cannot be opened"), "{missing:?}");
    let context = Context::new().unwrap();
    let (status, report) = report(&context.write("empty.log", "").unwrap());
    assert_eq!((status, &report["findings"][0]), (1, &"there is no audit entry in these files".into()));
    // Nothing is told of what is logged.
    let text = run(["doctor", context.path().join("empty.log").to_str().unwrap()]);
    assert_eq!(
        text.stdout,
        "1 thing to know before relying on these logs:\n  there is no audit entry in these files\n"
    );
}

#[test]
fn no_name_speaks_to_the_terminal() {
    let shown = run(["doctor", "--utc", fixtures().join("hostile").to_str().unwrap()]);
    let control = |letter: &char| letter.is_control() && *letter != '\n';
    assert_eq!(shown.stdout.chars().find(control), None, "{shown:?}");
}

/// One event of 1.6 MB could not be written: its coming in is all that is there of it.
#[test]
fn the_known_loss_of_a_recording_is_found() {
    let Some(data) = shared_data() else { return skip("the loss in recording rr") };
    let folder = data.join("k8s-1.36/rr");
    let ask = |threads: &str| {
        let paths = ["audit-a", "audit-b"].map(|server| folder.join(server).to_str().unwrap().to_owned());
        run(["doctor", "-o", "json", "--threads", threads].map(str::to_owned).into_iter().chain(paths))
    };
    let one = ask("1");
    assert_eq!(one.stdout, ask("4").stdout);
    let report = &one.objects()[0];
    assert_eq!(report["findings"].to_string(), r#"["1 request without an end"]"#);
    let lost = &report["endless"][0];
    assert_eq!((&lost["verb"], &lost["username"]), (&"create".into(), &"alice".into()), "{lost}");
    assert!(lost["requestURI"].as_str().unwrap().contains("/configmaps"), "{lost}");
}
