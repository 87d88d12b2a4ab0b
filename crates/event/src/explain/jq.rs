//! jq programs.

use crate::explain::Dialect;
use crate::explain::pattern::{quoted, regex, second};
use crate::explain::query::{Path, Test};
use crate::time::Timestamp;

pub(super) struct Jq;

impl Dialect for Jq {
    fn test(&self, test: &Test) -> Option<String> {
        match test {
            Test::Text { path, glob, negated } => {
                let fits = match (glob.literal(), pieces(&glob.to_string())) {
                    (Some(exact), _) => format!("== {}", quoted(exact)),
                    (None, Some(pieces)) => format!("| {pieces}"),
                    // Between several stars a regular expression is needed, where odd characters stand for any.
                    (None, None) => {
                        let any = "[\\s\\S]";
                        let one = (!negated).then_some(any);
                        format!("| test({})", quoted(&format!("^{}$", regex(glob, &format!("{any}*"), one)?)))
                    }
                };
                let fits = match list(*path) {
                    Some(list) => format!("any({list}; . {fits})"),
                    None => format!("({} {fits})", field(*path)),
                };
                Some(if *negated { format!("({fits} | not)") } else { fits })
            }
            Test::Code { from, until, negated } => {
                let code = "(.responseStatus.code // 0)";
                Some(if *negated {
                    format!("({code} < {from} or {code} > {until})")
                } else {
                    format!("({code} >= {from} and {code} <= {until})")
                })
            }
            Test::From(time) => Some(at(">=", *time)),
            Test::Until(time) => Some(at("<=", *time)),
        }
    }

    fn whole(&self, tests: &str, _: Option<&str>) -> String {
        let tests = if tests.is_empty() { "true" } else { tests };
        format!("if .items? and .kind != \"Event\" then .items[] else . end | select({tests})")
    }
}

/// An entry without a time may lie at any.
fn at(compared: &str, time: Timestamp) -> String {
    format!("(.stageTimestamp == null or .stageTimestamp[0:19] {compared} {})", quoted(&second(time)))
}

/// A test for patterns with a star at one or both of their ends.
fn pieces(pattern: &str) -> Option<String> {
    let inner = pattern.strip_prefix('*').unwrap_or(pattern);
    let inner = inner.strip_suffix('*').unwrap_or(inner);
    if inner.contains('*') {
        return None;
    }
    let function = match (pattern.starts_with('*'), pattern.ends_with('*')) {
        (true, true) => "contains",
        (true, false) => "endswith",
        (false, _) => "startswith",
    };
    Some(format!("{function}({})", quoted(inner)))
}

fn field(path: Path) -> &'static str {
    match path {
        Path::Stage => "(.stage // \"\")",
        Path::Verb => "(.verb // \"\")",
        Path::AuditId => "(.auditID // \"\")",
        Path::ApiGroup => "(.objectRef.apiGroup // \"\")",
        Path::Resource => "(.objectRef.resource // \"\")",
        Path::Namespace => "(.objectRef.namespace // \"\")",
        Path::Name => "(.objectRef.name // \"\")",
        Path::GivenName => "(.responseObject.metadata?.name? // \"\")",
        Path::Subresource => "(.objectRef.subresource // \"\")",
        Path::Username => "(.user.username // \"\")",
        Path::Impersonated => "(.impersonatedUser.username // \"\")",
        Path::Groups | Path::ImpersonatedGroups | Path::SourceIps => "",
    }
}

fn list(path: Path) -> Option<&'static str> {
    match path {
        Path::Groups => Some(".user.groups[]?"),
        Path::ImpersonatedGroups => Some(".impersonatedUser.groups[]?"),
        Path::SourceIps => Some(".sourceIPs[]?"),
        _ => None,
    }
}
