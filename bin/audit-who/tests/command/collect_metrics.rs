//! What a collector serves over HTTP.

use std::collections::BTreeMap;
use std::net::TcpStream;

use crate::collect_failures::{address, ask, get};
use crate::collector::{Bench, append, entries};

/// Head and body of an answer.
fn parts(answer: &str) -> (&str, &str) {
    answer.split_once("\r\n\r\n").expect("a head and a body")
}

/// What an exposition says, which has to be in the form that Prometheus reads.
fn samples(body: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    let mut lines = body.lines();
    while let Some(help) = lines.next() {
        let (name, text) = help.strip_prefix("# HELP ").unwrap().split_once(' ').unwrap();
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        assert!(name.starts_with("audit_who_") && text.ends_with('.'), "{help}");
        let kind = lines.next().unwrap().strip_prefix(&format!("# TYPE {name} ")).unwrap();
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
        let value = lines.next().unwrap().strip_prefix(&format!("{name} ")).unwrap();
        assert_eq!(samples.insert(name.to_owned(), value.parse().unwrap()), None, "{name} is there twice");
    }
    samples
}

#[test]
fn metrics_say_what_was_done() {
    let bench = Bench::new();
    append(&bench.log("audit.log"), &(entries(0..7) + "not an entry\n"));
    let mut collector = bench.follow(["--metrics-listen", "localhost:0"]);
    let address = address(&mut collector);
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    collector.until("DEBUG committed");
    // What is counted is counted before it is told.
    let answer = get(&address, "/metrics");
    let (head, body) = parts(&answer);
    assert!(
        head.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n")
    );
    assert!(
        head.contains(&format!("Content-Length: {}\r\n", body.len())) && head.contains("Connection: close")
    );
    let samples = samples(body);
    let length = std::fs::metadata(bench.log("audit.log")).unwrap().len();
    for (name, value) in [
        ("bytes_total", u32::try_from(length).unwrap()),
        ("lines_total", 8),
        ("events_total", 7),
        ("events_kept_total", 7),
        ("events_removed_total", 0),
        ("bad_spans_total", 1),
        ("gaps_total", 0),
        ("commits_total", 1),
        ("commit_failures_total", 0),
        ("rotations_total", 0),
        ("generations_total", 1),
        ("healthy", 1),
    ] {
        assert_eq!(samples.get(&format!("audit_who_{name}")), Some(&f64::from(value)), "{name}");
    }
    assert!(samples["audit_who_last_commit_timestamp_seconds"] > 1.7e9);
    assert!(samples["audit_who_store_bytes"] > 0.0);
    assert_eq!(collector.terminate().status, 0);
}

#[test]
fn only_what_is_served_is_answered() {
    let bench = Bench::new();
    let mut collector = bench.follow(["--metrics-listen", "0"]);
    let address = address(&mut collector);
    for (request, said) in [
        ("GET / HTTP/1.1\r\n\r\n", "404 Not Found"),
        ("GET /metrics/../etc/passwd HTTP/1.1\r\n\r\n", "404 Not Found"),
        ("POST /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
        ("HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK"),
        ("\u{1b}[2J\r\n\r\n", "400 Bad Request"),
        (&("GET /metrics HTTP/1.1\r\nX: ".to_owned() + &"x".repeat(8 * 1024)), "431 Request Header"),
    ] {
        let answer = ask(&address, request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {said}")), "{request}: {answer}");
        assert_eq!(parts(&answer).1.is_empty(), request.starts_with("HEAD"), "{request}: {answer}");
    }
    // A client that says nothing keeps others waiting, but not for ever.
    let silent = TcpStream::connect(&address).unwrap();
    assert!(get(&address, "/healthz").starts_with("HTTP/1.1 200 OK"));
    drop(silent);
    assert_eq!(collector.terminate().status, 0);
}

#[test]
fn an_address_that_is_taken_is_told() {
    let bench = Bench::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = bench.collect(["--once", "--metrics-listen", &address]);
    let refused: crate::program::Run = command.arg(bench.logs()).output().unwrap().into();
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(
        refused.stderr.contains(&format!("--metrics-listen: {address} can't be listened at: ")),
        "{refused:?}"
    );
}
