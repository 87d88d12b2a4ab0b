//! `audit-who tail`: events as they come.

use std::path::Path;

use audit_who_testkit::context::{Context, fixtures};
use serde_json::Value;

use crate::child::{Following, append, rotate};
use crate::program::{Run, run};

fn fixture(name: &str) -> String {
    std::fs::read_to_string(fixtures().join(name).join("audit.log")).unwrap()
}

/// What is printed of what is there.
fn tail(path: &Path, options: &[&str]) -> Run {
    let path = path.to_str().unwrap();
    run(["tail", "--once", "--read-from-head", "--utc"].iter().chain(options).chain(&[path]))
}

#[test]
fn json_is_the_log_as_it_is() {
    let context = Context::new().unwrap();
    for name in ["drain", "rollout", "metadata", "exec"] {
        let text = fixture(if name == "metadata" { "drain/metadata" } else { name });
        let log = context.write(format!("{name}.log"), &text).unwrap();
        let printed = tail(&log, &["-o", "json"]);
        assert_eq!(printed.status, 0);
        assert_eq!(printed.stdout, text, "{name}");
    }
}

#[test]
fn other_forms_are_written_as_events() {
    let context = Context::new().unwrap();
    let events = fixture("eviction-api");
    let events: Vec<&str> = events.lines().take(3).collect();
    let list = format!("{{\"kind\":\"EventList\",\t\"items\":[{}]}}\n", events.join(",\t"));
    let legacy = "2026-11-23T06:58:08.885920983Z AUDIT: id=\"a\" stage=\"ResponseComplete\" ip=\"10.0.0.1\" \
                  method=\"delete\" user=\"al\u{9b}ice\" groups=\"\\\"sre\\\"\" as=\"<self>\" asgroups=\"<lookup>\" \
                  user-agent=\"kubectl/v1.32.4\" namespace=\"shop\" uri=\"/api/v1/namespaces/shop/pods/web-1\" \
                  response=\"200\"\n";
    let hidden = "{\"auditID\":\"b\",\"verb\":\"get\",\"user\":{\"username\":\"eve\u{202e}\u{7f}\"}}\n";
    let log = context.write("audit.log", format!("{list}{legacy}{hidden}")).unwrap();
    // What is no UTF-8 is read all the same.
    let mut bytes = std::fs::read(&log).unwrap();
    bytes.extend(b"{\"auditID\":\"c\",\"verb\":\"get\",\"user\":{\"username\":\"\xff\"}}\n");
    std::fs::write(&log, bytes).unwrap();

    let printed = tail(&log, &["-o", "json"]);
    let lines: Vec<&str> = printed.stdout.lines().collect();
    assert_eq!(lines[..3], events[..]);
    let objects = printed.objects();
    assert_eq!(objects[3]["user"]["username"], "al\u{9b}ice");
    assert_eq!(objects[3]["objectRef"]["name"], "web-1");
    assert_eq!(objects[3]["responseStatus"]["code"], 200);
    assert_eq!(lines[4], hidden.trim_end().replace('\u{202e}', "\\u202e").replace('\u{7f}', "\\u007f"));
    assert_eq!(objects[5]["user"]["username"], "\u{fffd}");
    assert!(!printed.stdout.chars().any(|letter| letter.is_control() && letter != '\n'));
}

#[test]
fn text_is_a_line_an_event() {
    let printed = tail(&fixtures().join("impersonation/audit.log"), &["--user", "lea", "--code", "201"]);
    assert_eq!(
        printed.stdout,
        "2026-03-02 09:01:01 UTC  lea as maria  create pod shop/web-1/eviction  201  kubectl\n"
    );
    let hostile = tail(&fixtures().join("hostile/audit.log"), &[]);
    assert!(hostile.stdout.contains("eve\\x1b[31m\\r\\nroot\\u{202e}nimda\\tok"), "{}", hostile.stdout);
    assert!(!hostile.stdout.contains(['\u{1b}', '\r', '\u{202e}']));
}

#[test]
fn filters_choose_events() {
    let log = fixtures().join("drain/audit.log");
    let chosen = |options: &[&str]| {
        let all = options.iter().chain(&["-o", "json"]).copied().collect::<Vec<_>>();
        tail(&log, &all).objects()
    };
    let everything = chosen(&[]).len();
    let evictions = chosen(&["--resource", "pods/eviction"]);
    assert!(evictions.iter().all(|event| event["objectRef"]["subresource"] == "eviction"));
    let in_shop = chosen(&["-n", "shop"]);
    assert!(in_shop.iter().all(|event| event["objectRef"]["namespace"] == "shop"), "{in_shop:?}");
    let refused = chosen(&["--where", "event.responseStatus.code == 429"]);
    let late = chosen(&["--since", "2026-03-02T09:02:00Z"]);
    let is_late = |event: &Value| event["stageTimestamp"].as_str().unwrap() >= "2026-03-02T09:02:00";
    assert!(late.iter().all(is_late));
    for some in [&evictions, &in_shop, &refused, &late] {
        assert!(!some.is_empty() && some.len() < everything, "{}", some.len());
    }
    let nobody = tail(&log, &["--user", "nobody"]);
    assert_eq!((nobody.status, nobody.stdout.as_str()), (1, ""));
    let undecided = tail(&log, &["--where", "event.requestObject.kind > 3"]);
    assert_eq!(undecided.status, 2, "{undecided:?}");
}

#[test]
fn only_what_comes_is_printed_unless_asked() {
    let context = Context::new().unwrap();
    let text = fixture("eviction-api");
    let lines: Vec<&str> = text.lines().collect();
    let log = context.write("audit.log", lines[..4].join("\n") + "\n").unwrap();
    let there = tail(&log, &["-o", "json"]);
    assert_eq!(there.stdout.lines().count(), 4);

    // The first of these is there before or after the program begins: what comes behind it is printed.
    let following = Following::start(["tail", "-o", "json", log.to_str().unwrap()]);
    let mut appended = 0;
    let first = loop {
        append(&log, &format!("{{\"auditID\":\"{appended}\",\"verb\":\"get\",\"requestURI\":\"/\"}}\n"));
        appended += 1;
        if let Some(line) = following.try_line() {
            break line;
        }
    };
    assert!(first.starts_with("{\"auditID\":\""), "{first}");
    append(&log, &(lines[4].to_owned() + "\n"));
    rotate(&log, "2026-03-02T09-06-00.000");
    append(&log, &(lines[5].to_owned() + "\n"));
    let mut rest = Vec::new();
    while rest.last().is_none_or(|line| line != lines[5]) {
        rest.push(following.line());
    }
    assert_eq!(rest[rest.len() - 2..], lines[4..6]);
    let (status, rest, _) = following.stop();
    assert_eq!((status, rest), (Some(0), Vec::new()));
}

#[test]
fn a_cursor_prints_each_event_once() {
    let context = Context::new().unwrap();
    let text = fixture("drain");
    let lines: Vec<&str> = text.lines().collect();
    let log = context.path().join("audit.log");
    let cursor = context.path().join("cursor.db");
    let next = || {
        let arguments = ["tail", "--once", "-o", "json", "--cursor-file", cursor.to_str().unwrap()];
        run(arguments.iter().chain(&[log.to_str().unwrap()]))
    };
    let mut printed = String::new();
    for part in lines.chunks(7) {
        append(&log, &(part.join("\n") + "\n"));
        let run = next();
        assert_eq!(run.status, 0, "{run:?}");
        printed.push_str(&run.stdout);
    }
    assert_eq!(printed, text);
    assert_eq!(next().status, 1);
}

#[test]
fn bad_bytes_are_told_with_their_place() {
    let context = Context::new().unwrap();
    let event = "{\"auditID\":\"a\",\"verb\":\"get\",\"requestURI\":\"/\"}\n";
    let log = context.write("audit.log", format!("\u{feff}{event}{{\"torn\u{1b}\n\0\0\0{event}")).unwrap();
    let printed = tail(&log, &["-o", "json"]);
    assert_eq!(printed.stdout, event.repeat(2));
    let place = |offset: usize| format!("audit.log:{offset} (");
    let torn = 3 + event.len();
    for offset in [torn, torn + 8] {
        assert!(printed.stderr.contains(&place(offset)), "{printed:?}");
    }
    assert!(!printed.stderr.contains('\u{1b}'));
}
