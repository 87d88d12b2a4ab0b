//! Lists and watches, which show objects without naming them.

use std::fs;
use std::time::Duration;

use audit_who_core::event::case::{Ask, Case, Subject};
use audit_who_core::event::glob::Glob;
use audit_who_core::event::question::named;
use audit_who_core::event::target::Target;
use audit_who_core::store::{Archive, Keep};
use audit_who_core::{Asked, Files, Inputs, Logs, Scan, ask};

use crate::Bench;

fn entry(second: u8, verb: &str, namespace: &str, name: &str) -> String {
    let told = |key: &str, value: &str| {
        if value.is_empty() { String::new() } else { format!(r#","{key}":"{value}""#) }
    };
    let place = told("namespace", namespace) + &told("name", name);
    format!(
        r#"{{"level":"Metadata","auditID":"{second}","stage":"ResponseComplete","requestURI":"/x","verb":"{verb}","user":{{"username":"jonas"}},"objectRef":{{"resource":"pods"{place},"apiVersion":"v1"}},"responseStatus":{{"code":200}},"requestReceivedTimestamp":"2026-01-01T00:00:{second:02}.000000Z","stageTimestamp":"2026-01-01T00:00:{second:02}.000001Z"}}"#
    )
}

/// In a store, lists are looked for only in the namespaces in which the object was met. The answers are those of files, where
/// all are read.
#[test]
fn lists_are_looked_for_where_the_object_was_met() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    let lines = [
        entry(1, "list", "shop", ""),
        entry(2, "list", "lab", ""),
        entry(3, "watch", "", ""),
        entry(4, "create", "shop", "web-1"),
        entry(5, "list", "shop", ""),
        entry(6, "create", "lab", "web-2"),
        entry(7, "get", "shop", "web-1"),
    ];
    fs::write(&log, lines.join("\n") + "\n").unwrap();
    bench.collect(&[&log], Keep::All);
    let archive = Archive::open(bench.db(), Duration::ZERO).unwrap();
    let (scan, inputs) = (Scan::new(), Inputs::open([&log]));
    let files = Files::new(&scan, &inputs);
    let asked = |pod: &str| {
        let subject = Subject::Target(Target::parse(pod).unwrap());
        Ask::new(named("read").unwrap(), subject)
    };
    let in_store = |pod: &str| {
        let found = ask(&archive, Case::new(asked(pod)));
        assert_eq!(ask(&files, Case::new(asked(pod))).findings, found.findings, "{pod}");
        found
    };
    assert_eq!(
        told(&in_store("pod/web-1")),
        ["watched pods of the whole cluster", "listed pods of namespace shop"]
    );
    assert_eq!(
        told(&in_store("pod/web-2")),
        ["listed pods of namespace lab", "watched pods of the whole cluster"]
    );
    for pod in ["pod/web-9", "pod/web-*", "pods"] {
        assert_eq!(in_store(pod).findings.related.len(), 3, "{pod}");
    }

    let mut case = Case::new(asked("pod/web-1"));
    case.look_for_objects_first();
    let first = lists(&case);
    assert_eq!(first, [Some(Glob::new(""))]);
    let fork = archive.look(&case.look(), || case.fork()).0;
    case.learn(fork, &archive.sources());
    assert_eq!(lists(&case), [Some(Glob::new("shop"))]);
}

/// What is told beside the answers.
fn told(asked: &Asked) -> Vec<&str> {
    let texts = asked.findings.related.iter().map(|answer| answer.text.as_str());
    texts.filter_map(|text| text.split_once(' ').map(|(_, told)| told)).collect()
}

/// In which namespaces the next look wants lists.
fn lists(case: &Case) -> Vec<Option<Glob>> {
    let filters = case.look().filters.unwrap();
    let lists = filters.into_iter().filter(|filter| filter.names == [Glob::new("")]);
    lists.map(|filter| filter.namespace).collect()
}
