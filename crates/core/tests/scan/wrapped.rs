//! One log, in what collectors and exports write around its entries.

use audit_who_testkit::json::Json;

use super::forms::{Form, grouped, legacy};

/// The forms of `docs/formats.md` in which entries are wrapped; each takes a log with one entry a line.
pub(crate) const WRAPPED: [Form; 15] = [
    ("by a container runtime", |log| behind("2026-01-02T03:04:05.123456789Z stdout F ", log)),
    ("by Docker", |log| each(log, docker)),
    ("legacy text by Docker", |log| each(log, |line| docker(legacy(line).trim_end()))),
    ("by Docker and Fluent Bit", |log| {
        each(log, |line| format!(r#"{{"date":1.5,"log":{}}}"#, text(&docker(line))))
    }),
    ("behind the name of a node", |log| behind("ip-10-0-140-97.ec2.internal ", log)),
    ("by Fluentd", |log| behind("2026-01-02T03:04:05+00:00\tk8s.audit\t", log)),
    ("by syslog", |log| behind("<14>Nov  3 05:40:10 cp-1 kube-audit[17]: ", log)),
    ("by CloudWatch Logs", |log| {
        groups(
            log,
            |line| format!(r#"{{"timestamp":1,"message":{}}}"#, text(line)),
            |all| format!(r#"{{"events":[{all}]}}"#),
        )
    }),
    ("by CloudWatch Logs, over several lines", |log| {
        groups(
            log,
            |line| format!("{{\n\"message\": {}\n}}", text(line)),
            |all| format!("{{\n\"events\": [\n{all}\n]\n}}"),
        )
    }),
    ("by Azure", |log| {
        let record = |line: &str| {
            format!(r#"{{"category":"kube-audit","properties":{{"log":{},"pod":"x"}}}}"#, text(line))
        };
        groups(log, record, |all| format!(r#"{{"records":[{all}]}}"#))
    }),
    ("by Loki", |log| {
        let value = |line: &str| format!(r#"["1686576625757000000",{}]"#, text(line));
        let stream = |all: &str| {
            format!(r#"{{"data":{{"result":[{{"stream":{{"job":"audit"}},"values":[{all}]}}]}}}}"#)
        };
        groups(log, value, stream)
    }),
    ("by Filebeat and Elasticsearch", |log| {
        let log = log.replace(".k8s.io/", "_k8s_io/");
        each(&log, |line| format!(r#"{{"_id":"x","_source":{{"kubernetes":{{"audit":{line}}}}}}}"#))
    }),
    ("by Splunk", |log| {
        each(log, |line| format!(r#"{{"preview":false,"result":{{"_raw":{}}}}}"#, text(line)))
    }),
    ("by OpenTelemetry", |log| {
        let record = |line: &str| format!(r#"{{"body":{{"stringValue":{}}},"attributes":[]}}"#, text(line));
        let logs = |all: &str| format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{all}]}}]}}]}}"#);
        groups(log, record, logs)
    }),
    (CSV, |log| {
        each(log, |line| format!("stream,2021-08-11 09:29:13.095,\"{}\",x", line.replace('"', "\"\"")))
    }),
];

/// The form in which strings of JSON don't stand between single quotes.
pub(crate) const CSV: &str = "in a field of CSV";

fn behind(prefix: &str, log: &str) -> String {
    each(log, |line| format!("{prefix}{line}"))
}

fn each(log: &str, write: impl Fn(&str) -> String) -> String {
    log.lines().map(|line| write(line) + "\n").collect()
}

/// Three entries each.
fn groups(log: &str, write: impl Fn(&str) -> String, around: impl Fn(&str) -> String) -> String {
    grouped(log, |lines| around(&lines.iter().map(|line| write(line)).collect::<Vec<_>>().join(",")))
}

fn docker(line: &str) -> String {
    format!(r#"{{"log":{},"stream":"stdout","time":"2026-01-02T03:04:05Z"}}"#, text(&format!("{line}\n")))
}

fn text(line: &str) -> String {
    Json::from(line).to_string()
}
