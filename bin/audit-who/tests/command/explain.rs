//! The printed jq programs, run by jq on every fixture.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use audit_who_testkit::context::skip;
use serde_json::Value;

use crate::program::run;

const QUESTIONS: &[&[&str]] = &[
    &["evicted", "pods"],
    &["deleted", "pods"],
    &["deleted", "pod/web-*", "-n", "shop"],
    &["deleted", "deploy"],
    &["deleted", "ns"],
    &["created", "pods"],
    &["scaled", "deploy/web"],
    &["cordoned", "nodes"],
    &["denied", "pods"],
    &["did", "maria"],
    &["did", "*", "--user", "!system:*", "--group", "platform", "--code", "2xx"],
    &["deleted", "pods", "--source-ip", "192.0.2.*", "--verb", "de*e,create", "--resource", "pods,!*/status"],
    &["deleted", "pods", "--since", "2026-03-02T09:01:00Z", "--until", "2026-03-02T09:02:00Z"],
];

#[test]
fn jq_finds_the_deciding_entries() {
    if Command::new("jq").arg("--version").output().is_err() {
        return skip("the printed jq programs, for want of jq");
    }
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let mut folders: Vec<_> = std::fs::read_dir(fixtures)
        .expect("the fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.join("audit.log").is_file())
        .collect();
    folders.sort();
    let mut deciding = 0;
    for question in QUESTIONS {
        let program = run(question.iter().copied().chain(["--utc", "--explain=jq"])).stdout;
        for log in folders.iter().map(|folder| folder.join("audit.log")) {
            let log = log.to_str().expect("UTF-8");
            let selected = Command::new("jq").args(["-c", &program, log]).output().expect("jq runs");
            assert!(selected.status.success(), "{question:?}: {}", String::from_utf8_lossy(&selected.stderr));
            let selected = String::from_utf8(selected.stdout).expect("UTF-8");
            let selected: Vec<Value> =
                selected.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            assert!(selected.iter().all(|event| event["stage"] != "RequestReceived"), "{question:?} {log}");
            if **question == ["did", "maria"] {
                let hers = |event: &Value| {
                    event["user"]["username"] == "maria" || event["impersonatedUser"]["username"] == "maria"
                };
                assert!(selected.iter().all(hers), "{question:?} {log}");
            }
            let found: BTreeSet<&str> =
                selected.iter().filter_map(|event| event["auditID"].as_str()).collect();
            let answers = run(question.iter().copied().chain(["--utc", "-o", "json", log])).answers();
            let known =
                answers.iter().filter(|answer| answer["kind"] == "Answer" && answer["outcome"] != "unknown");
            for answer in known {
                let first = answer["evidence"][0]["auditID"].as_str().expect("evidence");
                assert!(found.contains(first), "{question:?} {log} lacks {first}:\n{program}");
                deciding += 1;
            }
        }
    }
    assert!(deciding > 200, "{deciding}");
}

#[test]
fn hostile_names_are_data() {
    if Command::new("jq").arg("--version").output().is_err() {
        return skip("hostile names in jq programs, for want of jq");
    }
    for name in ["\" or true or \"", "\\(input)", "'; rm", "a\u{1b}[2J\u{202e}", "*\"*]*(*", "\\"] {
        let program = run(["did", name, "--explain=jq"]).stdout;
        let event =
            serde_json::json!({"stage": "ResponseComplete", "verb": "get", "user": {"username": name}});
        for (event, count) in
            [(event, 1), (serde_json::json!({"stage": "ResponseComplete", "user": {"username": "x"}}), 0)]
        {
            let output = Command::new("jq")
                .args(["-n", "-c", &format!("{event} | {program}")])
                .output()
                .expect("jq runs");
            assert!(output.status.success(), "{name:?}: {}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), count, "{name:?}: {program}");
        }
    }
}

#[test]
fn all_languages_are_printed_with_the_rules() {
    let all = run(["evicted", "pod/web-1", "--client", "kubectl", "--explain"]);
    for part in ["jq: ", "cloudwatch: ", "kql: ", "logql: ", "docs/rules.md", "last-word"] {
        assert!(all.stdout.contains(part), "{part}");
    }
    assert!(all.status == 0 && all.stderr.contains("jq can't be asked: --client kubectl"), "{}", all.stderr);
}
