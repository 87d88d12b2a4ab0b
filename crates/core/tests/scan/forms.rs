//! One log, in every form that a log comes in.

/// Name of a form, and how a log is written in it.
pub(crate) type Form = (&'static str, fn(&str) -> String);

/// The forms of `docs/formats.md`; each takes a log with one entry a line.
pub(crate) const FORMS: [Form; 10] = [
    ("one event a line", str::to_owned),
    ("v1beta1", |log| log.replace("audit.k8s.io/v1", "audit.k8s.io/v1beta1")),
    ("v1alpha1", |log| log.replace("audit.k8s.io/v1", "audit.k8s.io/v1alpha1")),
    ("lists, as the webhook backend posts them", |log| {
        let list = |items: &[&str]| {
            let items = items.join(",");
            format!(
                r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{{}},"items":[{items}]}}"#
            )
        };
        grouped(log, list)
    }),
    ("arrays", |log| grouped(log, |items| format!("[{}]", items.join(",")))),
    ("several values in one line", |log| grouped(log, |items| items.join(" "))),
    ("values over several lines", |log| log.lines().map(spread).collect()),
    ("truncated by the API server", |log| {
        let mark = r#""annotations":{"audit.k8s.io/truncated":"true","#;
        log.replace(r#""annotations":{"#, mark)
    }),
    ("CRLF", |log| log.replace('\n', "\r\n")),
    ("legacy text", |log| log.lines().map(legacy).collect()),
];

/// Lines with three entries each.
pub(crate) fn grouped(log: &str, join: impl Fn(&[&str]) -> String) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines.chunks(3).map(|items| join(items) + "\n").collect()
}

/// One value with a line for each of its members.
fn spread(line: &str) -> String {
    let (mut out, mut in_text, mut is_escaped) = (String::new(), false, false);
    for char in line.chars() {
        in_text ^= char == '"' && !is_escaped;
        is_escaped = char == '\\' && !is_escaped;
        out.push(char);
        if !in_text && matches!(char, '{' | '[' | ',') {
            out.push('\n');
        }
    }
    out + "\n"
}

/// An entry in the legacy text format, which names user, method, URI and code.
pub(crate) fn legacy(line: &str) -> String {
    let text = |key: &str| {
        let (_, behind) = line.split_once(&format!(r#""{key}":""#)).unwrap_or_default();
        behind.split('"').next().unwrap_or_default().replace(r"\u0026", "&")
    };
    let code = line.split_once(r#""code":"#).map_or("200", |(_, behind)| &behind[..3]);
    format!(
        "{} AUDIT: id=\"{}\" stage=\"{}\" ip=\"10.0.0.1\" method=\"{}\" user=\"{}\" groups=\"\\\"a\\\"\" \
         as=\"<self>\" asgroups=\"<lookup>\" user-agent=\"x\" namespace=\"\" uri=\"{}\" response=\"{code}\"\n",
        text("stageTimestamp"),
        text("auditID"),
        text("stage"),
        text("verb"),
        text("username"),
        text("requestURI"),
    )
}
