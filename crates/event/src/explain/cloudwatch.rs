//! CloudWatch Logs Insights, where EKS puts the events of the API server.

use crate::explain::Dialect;
use crate::explain::pattern::{is_simple, regex};
use crate::explain::query::{Path, Test};
use crate::glob::Glob;
use crate::time::Timestamp;

pub(super) struct CloudWatch;

const SECOND: i64 = 1_000_000;

impl Dialect for CloudWatch {
    fn test(&self, test: &Test) -> Option<String> {
        match test {
            Test::Text { path, glob, negated } => text(*path, glob, *negated),
            Test::Code { from, until, negated: false } => {
                Some(format!("(responseStatus.code >= {from} and responseStatus.code <= {until})"))
            }
            Test::Code { from, until, negated: true } => Some(format!(
                "(not ispresent(responseStatus.code) or responseStatus.code < {from} or responseStatus.code > {until})"
            )),
            Test::From(time) => Some(format!("toMillis(@timestamp) >= {}", millis(*time, 0))),
            Test::Until(time) => Some(format!("toMillis(@timestamp) <= {}", millis(*time, 1))),
        }
    }

    fn whole(&self, tests: &str, _: Option<&str>) -> String {
        let tests = if tests.is_empty() { String::new() } else { format!("\n| filter {tests}") };
        format!(
            "fields @timestamp, user.username, verb, requestURI, responseStatus.code, auditID, @message\n\
             | filter @logStream like /^kube-apiserver-audit-/{tests}\n\
             | sort @timestamp asc"
        )
    }
}

fn text(path: Path, glob: &Glob, negated: bool) -> Option<String> {
    let Some(field) = field(path) else {
        // Elements of lists have a number each: what is wanted is looked for in the whole entry.
        let pattern = regex(glob, "[^\"]*", Some("[^\"]+"))?;
        return (!negated).then(|| format!("@message like /\"{}\"/", slashes(&pattern)));
    };
    let missing = format!("not ispresent({field})");
    let fits = match glob.literal() {
        Some("") => return Some(if negated { format!("ispresent({field})") } else { missing }),
        Some(text) if is_simple(text) => format!("{field} {}= \"{text}\"", if negated { "!" } else { "" }),
        _ => {
            let pattern = regex(glob, ".*", (!negated).then_some("."))?;
            let not = if negated { "not " } else { "" };
            format!("{field} {not}like /^{}$/", slashes(&pattern))
        }
    };
    Some(if negated { format!("({missing} or {fits})") } else { fits })
}

fn slashes(pattern: &str) -> String {
    pattern.replace('/', "\\/")
}

/// Milliseconds of the second that a time lies in, or of a later one.
fn millis(time: Timestamp, later: i64) -> i64 {
    (time.as_micros().div_euclid(SECOND) + later) * 1_000
}

fn field(path: Path) -> Option<&'static str> {
    match path {
        Path::Stage => Some("stage"),
        Path::Verb => Some("verb"),
        Path::AuditId => Some("auditID"),
        Path::ApiGroup => Some("objectRef.apiGroup"),
        Path::Resource => Some("objectRef.resource"),
        Path::Namespace => Some("objectRef.namespace"),
        Path::Name => Some("objectRef.name"),
        Path::GivenName => Some("responseObject.metadata.name"),
        Path::Subresource => Some("objectRef.subresource"),
        Path::Username => Some("user.username"),
        Path::Impersonated => Some("impersonatedUser.username"),
        Path::Groups | Path::ImpersonatedGroups | Path::SourceIps => None,
    }
}
