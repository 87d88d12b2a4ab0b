//! KQL on the resource-specific table that AKS fills. It has no column for impersonated users.

use crate::explain::Dialect;
use crate::explain::pattern::{is_simple, regex, second};
use crate::explain::query::{Path, Test};
use crate::glob::Glob;

pub(super) struct Kusto;

impl Dialect for Kusto {
    fn test(&self, test: &Test) -> Option<String> {
        match test {
            Test::Text { path, glob, negated } => text(*path, glob, *negated),
            Test::Code { from, until, negated } => {
                let not = if *negated { "!" } else { "" };
                Some(format!(
                    "toint(coalesce(ResponseStatus.code, dynamic(0))) {not}between ({from} .. {until})"
                ))
            }
            Test::From(time) => Some(format!("StageReceivedTime >= datetime({}Z)", second(*time))),
            Test::Until(time) => Some(format!("StageReceivedTime < datetime({}Z) + 1s", second(*time))),
        }
    }

    fn lacks(&self, test: &Test) -> bool {
        matches!(test, Test::Text { path: Path::Impersonated | Path::ImpersonatedGroups, .. })
    }

    fn whole(&self, tests: &str, _: Option<&str>) -> String {
        let tests = if tests.is_empty() { String::new() } else { format!("\n| where {tests}") };
        format!("AKSAudit{tests}\n| sort by StageReceivedTime asc")
    }
}

fn text(path: Path, glob: &Glob, negated: bool) -> Option<String> {
    let Some(field) = field(path) else {
        // A list as JSON text, in which an element stands in quotes.
        let list = match path {
            Path::Groups => "tostring(User.groups)",
            Path::SourceIps => "tostring(SourceIps)",
            _ => return None,
        };
        let not = if negated { "not" } else { "" };
        let pattern = regex(glob, "[^\"]*", (!negated).then_some("[^\"]+"))?;
        return Some(format!("{not}({list} matches regex @'\"{pattern}\"')"));
    };
    match glob.literal() {
        Some(text) if is_simple(text) => {
            Some(format!("{field} {}= \"{text}\"", if negated { "!" } else { "=" }))
        }
        _ => {
            let pattern = regex(glob, ".*", (!negated).then_some("."))?;
            Some(format!("{}({field} matches regex @'(?s)^{pattern}$')", if negated { "not" } else { "" }))
        }
    }
}

fn field(path: Path) -> Option<&'static str> {
    match path {
        Path::Stage => Some("Stage"),
        Path::Verb => Some("Verb"),
        Path::AuditId => Some("AuditId"),
        Path::ApiGroup => Some("tostring(ObjectRef.apiGroup)"),
        Path::Resource => Some("tostring(ObjectRef.resource)"),
        Path::Namespace => Some("tostring(ObjectRef.namespace)"),
        Path::Name => Some("tostring(ObjectRef.name)"),
        Path::GivenName => Some("tostring(ResponseObject.metadata.name)"),
        Path::Subresource => Some("tostring(ObjectRef.subresource)"),
        Path::Username => Some("tostring(User.username)"),
        Path::Impersonated | Path::Groups | Path::ImpersonatedGroups | Path::SourceIps => None,
    }
}
