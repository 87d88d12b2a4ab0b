//! What collectors and exports write around entries.
//!
//! Whoever writes into a cluster can put text that looks like an entry into an object, or print it in a container. So only what
//! is known to hold entries is looked into, and no object of Kubernetes.

use memchr::memmem;

use crate::json::Json;
use crate::plain;
use crate::wire::{Pairs, Str};

/// The keys under which something that is no entry holds entries, and what writes it. These may stand in each other.
const HOLDERS: &[(&str, &str)] = &[
    ("@message", "CloudWatch Logs Insights"),
    ("_raw", "Splunk"),
    ("_source", "Elasticsearch"),
    ("audit", "Filebeat, in `kubernetes`"),
    ("body", "OpenTelemetry"),
    ("data", "Loki's API"),
    ("events", "`aws logs filter-log-events`"),
    ("hits", "Elasticsearch"),
    ("jsonPayload", "Google Cloud Logging, of what was forwarded to it"),
    ("kubernetes", "Filebeat"),
    ("line", "`logcli -o jsonl`"),
    ("log", "Docker, Fluent Bit, Fluentd; Azure Monitor, in `properties`"),
    ("logEvents", "CloudWatch Logs, to its subscribers"),
    ("logRecords", "OpenTelemetry"),
    ("message", "CloudWatch Logs, Logstash, Vector"),
    ("properties", "Azure Monitor"),
    ("records", "Azure Event Hubs"),
    ("resourceLogs", "OpenTelemetry"),
    ("result", "Splunk; Loki's API, in `data`"),
    ("results", "`aws logs get-query-results`"),
    ("scopeLogs", "OpenTelemetry"),
    ("stringValue", "OpenTelemetry"),
    ("textPayload", "Google Cloud Logging, of what was forwarded to it"),
    ("value", "`aws logs get-query-results`, beside `field`"),
    ("values", "Loki's API"),
];

/// The keys that every object of Kubernetes has, or its list. What is in these anybody may have written.
const OBJECTS: [&str; 2] = ["apiVersion", "metadata"];

/// What stands in front of an entry in its line has no more bytes than these.
const LONGEST_PREFIX: usize = 512;

/// So many words stand there at most: a name alone, a time with stream and flag of a container runtime, or what syslog writes.
const WORDS: usize = 1;
const WORDS_WITH_TIME: usize = 3;
const WORDS_OF_SYSLOG: usize = 8;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How a field of CSV begins that holds an entry: quotes in it are doubled.
const FIELD: &[u8] = b"\"{\"\"";

/// What holds entries in a JSON value that is none.
pub(super) enum Held<'a> {
    /// These may be entries, or hold some.
    Values(Vec<Json<'a>>),
    /// It was printed by a container that writes no audit log.
    Foreign,
}

/// An object by its keys.
pub(super) type Members<'a> = Vec<(Str<'a>, Json<'a>)>;

pub(super) fn pairs(object: Json<'_>) -> Members<'_> {
    plain::read::<Pairs<'_, Json<'_>>>(object.get()).map(|pairs| pairs.0).unwrap_or_default()
}

/// Whether an object with these may be an entry or a list of some.
pub(super) fn is_entry(pairs: &Members<'_>) -> bool {
    pairs.iter().any(|(key, _)| matches!(&*key.0, "auditID" | "requestURI" | "items"))
}

/// What an object with these holds under the keys of [`HOLDERS`].
pub(super) fn held(pairs: Members<'_>) -> Held<'_> {
    if pairs.iter().any(|(key, value)| key.0 == "kubernetes" && is_of_another_container(*value)) {
        return Held::Foreign;
    }
    if pairs.iter().any(|(key, _)| OBJECTS.contains(&&*key.0)) {
        return Held::Values(Vec::new());
    }
    let is_holder = |key: &str| HOLDERS.iter().any(|(holder, _)| *holder == key);
    Held::Values(pairs.into_iter().filter(|(key, _)| is_holder(&key.0)).map(|(_, value)| value).collect())
}

/// Whether this is what Fluent Bit, Fluentd or Filebeat tell of the container that printed a line, and that is no API server.
pub(crate) fn is_of_another_container(kubernetes: Json<'_>) -> bool {
    let nested = || get(get(kubernetes, "container")?, "name");
    let name = get(kubernetes, "container_name").or_else(nested);
    name.is_some_and(|name| !is_api_server(name.get()))
}

/// Whether a container of this name may write audit logs, as `kube-apiserver` and `openshift-apiserver` do.
pub fn is_api_server(container: &str) -> bool {
    container.contains("apiserver")
}

fn get<'a>(object: Json<'a>, wanted: &str) -> Option<Json<'a>> {
    pairs(object).into_iter().find(|(key, _)| key.0 == wanted).map(|(_, value)| value)
}

/// Whether a value is one of the fields that `aws logs get-query-results` tells of an entry: what holds none is nothing amiss.
pub(super) fn is_field(value: Json<'_>) -> bool {
    value.get().starts_with('{') && get(value, "field").is_some()
}

/// The text of a JSON string, if entries may stand in that.
pub(super) fn text(string: Json<'_>) -> Option<String> {
    let text = string.string()?;
    let begins = text.trim_start();
    let may_hold = begins.starts_with('{')
        || begins.starts_with("[{")
        || prefix(begins.as_bytes()).is_some()
        || memmem::find(begins.as_bytes(), b" AUDIT: id=\"").is_some();
    may_hold.then_some(text)
}

/// Whether a line looks as if an entry stood in it behind a few words, or in a field of CSV.
pub fn has_prefix(line: &[u8]) -> bool {
    match line {
        [b'{', ..] => false,
        [.., b'}'] => prefix(line).is_some(),
        _ => {
            let is_whole = || line.ends_with(b"}\"") || memmem::rfind(line, b"}\",").is_some();
            field_start(line).is_some() && is_whole()
        }
    }
}

/// How many bytes stand in front of a JSON object in its line, where those are what a container runtime, syslog or a collector
/// writes there: a few words. A log of the API server or another program is not taken for that.
pub(super) fn prefix(line: &[u8]) -> Option<usize> {
    let length = memchr::memchr(b'{', head(line))?;
    let words = line[..length].strip_suffix(b" ").or_else(|| line[..length].strip_suffix(b"\t"))?;
    let most = match words {
        [b'0'..=b'9', ..] => WORDS_WITH_TIME,
        [b'<', ..] => WORDS_OF_SYSLOG,
        _ if MONTHS.iter().any(|month| words.starts_with(month.as_bytes())) => WORDS_OF_SYSLOG,
        [first, ..] if first.is_ascii_alphanumeric() => WORDS,
        _ => return None,
    };
    are_few_words(words, most).then_some(length)
}

/// Where the first field of a line of CSV begins that holds an entry, with its quote, and its text.
pub(super) fn field(line: &str) -> Option<(usize, String)> {
    let start = field_start(line.as_bytes())?;
    let (mut text, mut rest) = (String::new(), &line[start + 1..]);
    loop {
        let (before, behind) = rest.split_once('"')?;
        text.push_str(before);
        let Some(behind) = behind.strip_prefix('"') else { return Some((start, text)) };
        text.push('"');
        rest = behind;
    }
}

fn field_start(line: &[u8]) -> Option<usize> {
    let start = memmem::find(head(line), FIELD)?;
    let before = &line[..start];
    let is_field = before.is_empty() || before.ends_with(b",") && are_few_words(before, WORDS_WITH_TIME);
    is_field.then_some(start)
}

/// The bytes in which all stands that may stand in front of an entry.
fn head(line: &[u8]) -> &[u8] {
    &line[..line.len().min(LONGEST_PREFIX)]
}

/// Whether text has no more words than these, and none that tells where in a program it was written.
fn are_few_words(text: &[u8], most: usize) -> bool {
    let is_word = |word: &[u8]| !word.ends_with(b"]") && !word.iter().any(|byte| b"\"\\=(".contains(byte));
    let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.by_ref().take(most).all(is_word) && words.next().is_none()
}
