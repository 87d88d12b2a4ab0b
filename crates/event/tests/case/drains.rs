//! Which evictions belong to which drain.

use audit_who_event::question::named;

use super::{lines, run, target};

fn entry(second: u8, verb: &str, object: &str, body: &str) -> String {
    format!(
        r#"{{"level":"RequestResponse","auditID":"{second}","stage":"ResponseComplete","requestURI":"/x","verb":"{verb}","user":{{"username":"maria"}},"objectRef":{{{object},"apiVersion":"v1"}},"responseStatus":{{"code":200}},"requestObject":{body},"requestReceivedTimestamp":"2026-01-01T00:00:{second:02}.000000Z","stageTimestamp":"2026-01-01T00:00:{second:02}.000001Z"}}"#
    )
}

fn pod(second: u8, verb: &str, name: &str, subresource: &str, body: &str) -> String {
    let object =
        format!(r#""resource":"pods","namespace":"shop","name":"{name}","subresource":"{subresource}""#);
    entry(second, verb, &object, body)
}

fn bound(second: u8, name: &str, node: &str) -> String {
    pod(second, "create", name, "binding", &format!(r#"{{"target":{{"name":"{node}"}}}}"#))
}

fn evicted(second: u8, name: &str) -> String {
    pod(second, "create", name, "eviction", "{}")
}

fn cordoned(second: u8, on: bool) -> String {
    let body = format!(r#"{{"spec":{{"unschedulable":{on}}}}}"#);
    entry(second, "patch", r#""resource":"nodes","name":"n1""#, &body)
}

fn drains(log: &[String]) -> Vec<String> {
    let all = lines(&log.join("\n"));
    let answers = run(named("drained").unwrap(), target("node/n1"), |_| vec![all.clone()]).answers;
    answers.into_iter().map(|answer| answer.text).collect()
}

/// Who drains a node twice within an hour evicts each pod once.
#[test]
fn an_eviction_belongs_to_the_last_drain() {
    let log = [
        bound(1, "a", "n1"),
        bound(2, "b", "n1"),
        cordoned(3, true),
        evicted(4, "a"),
        cordoned(5, false),
        cordoned(6, true),
        evicted(7, "b"),
    ];
    assert_eq!(drains(&log), ["a", "b"].map(|pod| format!("maria drained node n1: evicted shop/{pod}")));
}

/// Where a pod of the same name was before is no place that it was evicted from.
#[test]
fn an_eviction_is_from_the_node_that_the_pod_was_on() {
    let log = [
        bound(1, "db-0", "n1"),
        pod(2, "delete", "db-0", "", r#"{"gracePeriodSeconds":0}"#),
        pod(3, "create", "db-0", "", r#"{"metadata":{"name":"db-0"}}"#),
        bound(4, "db-0", "n2"),
        bound(5, "a", "n1"),
        cordoned(6, true),
        evicted(7, "a"),
        evicted(8, "db-0"),
    ];
    assert_eq!(drains(&log), ["maria drained node n1: evicted shop/a"]);
}
