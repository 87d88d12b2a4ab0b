//! The options that choose requests, on the fixtures.

use serde_json::Value;

use crate::program::{Run, run};

fn fixture(name: &str) -> String {
    format!("{}/../../fixtures/{name}/audit.log", env!("CARGO_MANIFEST_DIR"))
}

fn asked(question: &str, log: &str, options: &[&str]) -> Run {
    let log = fixture(log);
    let words = question.split(' ').chain(["--utc", "-o", "json", &log]).chain(options.iter().copied());
    run(words)
}

/// Outcomes of the answers.
fn outcomes(question: &str, log: &str, options: &[&str]) -> Vec<String> {
    let answers = asked(question, log, options).answers();
    let answers = answers.iter().filter(|object| object["kind"] == "Answer");
    answers.map(|answer| answer["outcome"].as_str().expect("an outcome").to_owned()).collect()
}

#[test]
fn answers_are_kept_by_their_deciding_request() {
    for (option, text, kept) in [
        ("--user", "maria", true),
        ("--user", "jonas,mar*", true),
        ("--user", "!jonas", true),
        ("--user", "!jonas,!maria", false),
        ("--user", "jonas", false),
        ("--group", "platform", true),
        ("--group", "!platform", false),
        ("--client", "kubectl", true),
        ("--client", "kubectl/v1.34.*", true),
        ("--client", "helm", false),
        ("--source-ip", "192.0.2.*", true),
        ("--source-ip", "10.*", false),
        ("--verb", "create", true),
        ("--verb", "delete", false),
        ("--resource", "pods/eviction", true),
        ("--resource", "po", true),
        ("--resource", "pods.apps", false),
        ("--resource", "!*/eviction", false),
        ("--code", "2xx", true),
        ("--code", "200-299,404", true),
        ("--code", "!201", false),
        ("--audit-id", "5fca9d98-fbe3-46a2-a50e-3cbb367d6746", true),
        ("--audit-id", "5fca9d98", false),
        ("--where", "event.verb == 'create' && event.user.groups.exists(g, g == 'platform')", true),
        ("--where", "event.requestObject.kind == 'Eviction' && event.responseStatus.code < 300", true),
        ("--where", "event.impersonatedUser.username != ''", false),
    ] {
        let run = asked("evicted pod/web-1", "drain", &[option, text]);
        let answers: Vec<Value> = run.answers();
        let wanted = answers.iter().filter(|object| object["kind"] == "Answer").count();
        assert_eq!((wanted, run.status), (usize::from(kept), i32::from(!kept)), "{option} {text}: {run:?}");
        // The cause is told as without the option, though its requests don't meet it.
        if kept {
            assert_eq!(answers[0]["cause"]["action"], "drained node worker-1", "{option} {text}");
        }
    }
}

#[test]
fn all_options_must_hold() {
    assert_eq!(outcomes("evicted pod/web-1", "drain", &["--user", "maria", "--code", "201"]), ["succeeded"]);
    assert!(outcomes("evicted pod/web-1", "drain", &["--user", "maria", "--code", "404"]).is_empty());
    // Repeated, an option is one list.
    assert_eq!(
        outcomes("evicted pod/web-1", "drain", &["--user", "jonas", "--user", "maria"]),
        ["succeeded"]
    );
}

#[test]
fn refusals_are_told_alone_where_the_success_is_left_out() {
    let blocked = asked("evicted pod/web-1", "eviction-blocked", &["--code", "429"]).answers();
    assert_eq!(blocked.len(), 1);
    assert_eq!((&blocked[0]["outcome"], &blocked[0]["attempts"]["blocked"]), (&"blocked".into(), &3.into()));
    assert_eq!(outcomes("evicted pod/web-1", "eviction-blocked", &[]), ["succeeded"]);
}

#[test]
fn whoever_may_have_done_it_keeps_an_unknown_outcome() {
    assert_eq!(outcomes("deleted pod/web-1", "requester-missing", &["--user", "system:node:*"]), ["unknown"]);
    assert!(outcomes("deleted pod/web-1", "requester-missing", &["--user", "maria"]).is_empty());
}

#[test]
fn single_requests_are_selected_too() {
    let of = |options: &[&str]| asked("did *", "drain", options).answers().len();
    let all = of(&[]);
    let (maria, others) = (of(&["--user", "maria"]), of(&["--user", "!maria"]));
    assert!(maria > 0 && others > 0 && maria + others <= all, "{maria} and {others} of {all}");
    assert_eq!(of(&["--audit-id", "5fca9d98-fbe3-46a2-a50e-3cbb367d6746"]), 1);
}

/// Looking for the id alone must not change the answer, but how much is decoded.
#[test]
fn an_audit_id_narrows_the_search() {
    let run = asked("did *", "drain", &["--audit-id", "5fca9d98-fbe3-46a2-a50e-3cbb367d6746"]);
    let coverage = run.objects().pop().expect("a coverage");
    let (decoded, skipped) = (&coverage["total"]["decodedBytes"], &coverage["total"]["skippedBytes"]);
    assert!(decoded.as_u64() < skipped.as_u64(), "{coverage}");
}

#[test]
fn what_is_wrong_is_told_with_what_is_accepted() {
    for (option, text, told) in [
        ("--code", "4", "--code: can't read \"4\": a status has three digits\n  give a status such as 404"),
        ("--code", "499-400", "the range ends before it begins"),
        ("--user", "a,,b", "--user: can't read \"\": nothing is given\n  give a name"),
        ("--resource", "pods/a/b", "give RESOURCE, RESOURCE.GROUP or RESOURCE/SUBRESOURCE"),
        ("--where", "event.verb = 1", "--where: can't read the condition \"event.verb = 1\" at character 12"),
        ("--where", "verb == 'x'", "at character 1: verb is not known; the variable is `event`"),
    ] {
        let run = asked("evicted pod/web-1", "drain", &[option, text]);
        assert!(run.status == 2 && run.stderr.contains(told), "{option} {text}: {run:?}");
    }
}

#[test]
fn a_condition_that_fails_is_no_answer() {
    let run = asked("evicted pod/web-1", "drain", &["--where", "event.requestObject.kind > 3"]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("--where could not be decided"), "{run:?}");
}
