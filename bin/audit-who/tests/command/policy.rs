//! `audit-who policy`: what a policy lets be answered, and the smallest one for questions.

use std::path::PathBuf;

use audit_who_core::event::question::QUESTIONS;
use audit_who_testkit::context::{Context, fixtures, shared_data, skip};
use proptest::prelude::*;
use serde_json::Value;

use crate::program::{Run, run, run_with_stdin};

fn managed() -> String {
    fixtures().join("policies/managed.yaml").to_str().expect("UTF-8").to_owned()
}

/// The verdicts of a report by question.
fn verdicts(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let questions = report["questions"].as_array().expect("questions");
    questions.iter().map(|question| (text(&question["question"]), text(&question["verdict"]))).collect()
}

fn report(file: &str) -> (Run, Value) {
    let run = run(["policy", file, "-o", "json"]);
    let report = serde_json::from_str(&run.stdout).expect("a JSON object");
    (run, report)
}

#[test]
fn a_policy_of_managed_services_lacks_what_it_says() {
    let (run, report) = report(&managed());
    assert_eq!((run.status, run.stderr.as_str()), (1, ""));
    assert_eq!((&report["apiVersion"], &report["kind"]), (&"audit-who/v1".into(), &"PolicyReport".into()));
    assert_eq!(report["rules"], 10);
    let partly: Vec<String> = verdicts(&report)
        .into_iter()
        .filter(|(_, verdict)| verdict != "yes")
        .map(|(question, verdict)| format!("{question} {verdict}"))
        .collect();
    assert_eq!(
        partly,
        [
            "evicted partly",
            "deleted partly",
            "changed partly",
            "labeled partly",
            "annotated partly",
            "approved partly",
            "history partly"
        ]
    );
    let needs = report["questions"][0]["needs"].as_array().expect("needs");
    let lacking: Vec<&Value> = needs.iter().filter(|need| need["met"] != "yes").collect();
    let decided = |need: &Value| (need["decided"][0]["rule"].clone(), need["decided"][0]["level"].clone());
    assert_eq!(lacking.len(), 2, "{lacking:#?}");
    // The kubelets' status patches without bodies, and the scheduler's Events.
    assert_eq!(decided(lacking[0]), (7.into(), "Metadata".into()));
    assert_eq!(decided(lacking[1]), (5.into(), "None".into()));
}

#[test]
fn policies_of_recordings_let_be_answered_what_the_recordings_answer() {
    let Some(data) = shared_data() else {
        skip("the policies of the recordings");
        return;
    };
    for (policy, yes, status) in [("rr", 27, 0), ("recommended", 18, 1), ("metadata", 11, 1)] {
        let file = data.join("k8s-1.36/policies").join(format!("{policy}.yaml"));
        let (run, report) = report(file.to_str().expect("UTF-8"));
        let found = verdicts(&report).iter().filter(|(_, verdict)| verdict == "yes").count();
        assert_eq!((found, run.status), (yes, status), "{policy}: {:?}", verdicts(&report));
    }
}

#[test]
fn text_says_the_same_and_is_harmless() {
    let context = Context::new().unwrap();
    let policy = "apiVersion: audit.k8s.io/v1beta1\nkind: Policy\nrules:\n- level: None\n  users: [\"\\e[2Jeve\\u202e\"]\n- level: Metadata\n";
    let file = context.write("policy.yaml", policy).unwrap();
    let found = run(["policy", file.to_str().expect("UTF-8"), "--for", "token"]);
    assert_eq!(found.status, 1);
    assert!(found.stdout.contains(r"\x1b[2Jeve\u{202e}"), "{found:?}");
    assert!(
        found.stdout.contains("audit.k8s.io/v1beta1 is read by API servers before 1.24 alone"),
        "{found:?}"
    );
    assert!(!found.stdout.contains(['\u{1b}', '\u{202e}']), "{found:?}");
    let json = run(["policy", file.to_str().expect("UTF-8"), "--for", "token", "-o", "json"]).stdout;
    assert!(json.contains(r"\u001b[2Jeve\u202e") && !json.contains('\u{202e}'), "{json}");
}

#[test]
fn json_and_standard_input_are_read_too() {
    let context = Context::new().unwrap();
    let policy = "{\n\t\"apiVersion\": \"audit.k8s.io/v1\",\n\t\"kind\": \"Policy\",\n\t\"rules\": [{\"level\": \"RequestResponse\"}]\n}\n";
    let file = context.write("policy.json", policy).unwrap();
    let by_name = run(["policy", file.to_str().expect("UTF-8")]);
    assert_eq!(by_name.status, 0, "{by_name:?}");
    assert_eq!(run_with_stdin(&file, ["policy", "-"]).stdout, by_name.stdout);
}

#[test]
fn what_is_no_policy_is_refused_by_name() {
    let context = Context::new().unwrap();
    let head = "apiVersion: audit.k8s.io/v1\nkind: Policy\n";
    for (content, said) in [
        (format!("{head}rules:\n- level: None\n  verb: [get]\n"), "unknown field `verb`"),
        (format!("{head}omitStage: []\nrules: []\n"), "unknown field `omitStage`"),
        (format!("{head}rules: []\n"), "it has no rules"),
        (format!("{head}rules:\n- level: None\n- level: None\n  level: Metadata\n"), "level"),
        (format!("{head}rules:\n- level: Everything\n"), "Everything"),
        (format!("{head}rules:\n- level: None\n  resources: [{{group: apps/v1}}]\n"), "rule 1: \"apps/v1\""),
        ("apiVersion: v1\nkind: ConfigMap\n".to_owned(), "ConfigMap"),
        ("- 1\n".to_owned(), "policy.yaml is no policy"),
        (String::new(), "policy.yaml is no policy"),
        ("\u{0}\u{1}".to_owned(), "policy.yaml is no policy"),
        (format!("{head}rules:\n{}", "- level: None\n".repeat(1_001)), "1001 rules"),
        ("x".repeat(1024 * 1024 + 1), "longer than 1048576 bytes"),
        (format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)), "policy.yaml is no policy"),
        (bomb(), "policy.yaml is no policy"),
    ] {
        let file = context.write("policy.yaml", &content).unwrap();
        let refused = run(["policy", file.to_str().expect("UTF-8")]);
        assert_eq!((refused.status, refused.stdout.as_str()), (2, ""), "{said}: {refused:?}");
        assert!(refused.stderr.contains(said), "{said}: {}", refused.stderr);
    }
    let missing = run(["policy", "/nowhere/policy.yaml"]);
    assert!(missing.status == 2 && missing.stderr.contains("it can't be opened"), "{missing:?}");
}

/// Nine lists, each of nine times the one before.
fn bomb() -> String {
    let list = |level: usize| match level {
        0 => vec!["x".to_owned(); 9].join(", "),
        level => vec![format!("*l{}", level - 1); 9].join(", "),
    };
    (0..9).map(|level| format!("l{level}: &l{level} [{}]\n", list(level))).collect::<Vec<_>>().concat()
}

#[test]
fn arguments_that_mean_nothing_are_refused() {
    for (arguments, said) in [
        (vec!["policy", "--for", "eaten"], "--for: \"eaten\" is no question"),
        (vec!["policy", "--for", "evicted", "-o", "json"], "<FILE>"),
        (vec!["policy", "-o", "xml", "x"], "invalid value 'xml'"),
    ] {
        let refused = run(&arguments);
        assert_eq!((refused.status, refused.stdout.as_str()), (2, ""), "{arguments:?}: {refused:?}");
        assert!(refused.stderr.contains(said), "{arguments:?}: {refused:?}");
    }
}

/// Prints the smallest policy for questions into a file of its own.
fn smallest(context: &Context, questions: &[&str]) -> PathBuf {
    let printed = run(["policy", "--for", &questions.join(",")]);
    assert_eq!((printed.status, printed.stderr.as_str()), (0, ""), "{printed:?}");
    assert!(printed.stdout.ends_with("  # nothing else\n  - level: None\n"), "{printed:?}");
    context.write("smallest.yaml", printed.stdout).unwrap()
}

fn assert_answered(context: &Context, questions: &[&str]) {
    let file = smallest(context, questions);
    let found = run(["policy", file.to_str().expect("UTF-8"), "--for", &questions.join(",")]);
    assert_eq!(found.status, 0, "{questions:?}: {found:?}");
    assert!(!found.stdout.contains("better not"), "{questions:?}: {found:?}");
}

#[test]
fn what_is_printed_answers_what_it_was_printed_for() {
    let context = Context::new().unwrap();
    for question in QUESTIONS {
        assert_answered(&context, &[question.name]);
        let file = smallest(&context, &[question.name]);
        let comment = format!("{}: ", question.name);
        assert!(std::fs::read_to_string(file).unwrap().contains(&comment), "{}", question.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_answers_any_questions(
        questions in prop::sample::subsequence(QUESTIONS.iter().map(|question| question.name).collect::<Vec<_>>(), 2..7)
    ) {
        assert_answered(&Context::new().unwrap(), &questions);
    }
}
