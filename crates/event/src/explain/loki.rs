//! LogQL. Its JSON parser makes a label of each field, joined by `_`, and skips lists.

use crate::explain::Dialect;
use crate::explain::pattern::{is_simple, regex};
use crate::explain::query::{Path, Test};

pub(super) struct Loki;

impl Dialect for Loki {
    fn test(&self, test: &Test) -> Option<String> {
        match test {
            Test::Text { path, glob, negated } => {
                let field = field(*path)?;
                match glob.literal() {
                    Some(exact) if is_simple(exact) => {
                        Some(format!("{field}{}\"{exact}\"", if *negated { "!=" } else { "=" }))
                    }
                    // Anchored at both ends by the language.
                    _ => {
                        let pattern = regex(glob, ".*", (!negated).then_some("."))?;
                        let matcher = if *negated { "!~" } else { "=~" };
                        Some(format!("{field}{matcher}`(?s){pattern}`"))
                    }
                }
            }
            Test::Code { from, until, negated: false } => {
                Some(format!("(responseStatus_code>={from} and responseStatus_code<={until})"))
            }
            Test::Code { from, until, negated: true } => Some(format!(
                "(responseStatus_code=\"\" or responseStatus_code<{from} or responseStatus_code>{until})"
            )),
            // The time range stands beside a query, never in it.
            Test::From(_) | Test::Until(_) => None,
        }
    }

    fn whole(&self, tests: &str, literal: Option<&str>) -> String {
        let line = literal.map(|literal| format!(" |= `{literal}`")).unwrap_or_default();
        let tests = if tests.is_empty() { String::new() } else { format!(" | {tests}") };
        format!("{{job=\"kube-apiserver-audit\"}}{line} | json{tests}")
    }
}

fn field(path: Path) -> Option<&'static str> {
    match path {
        Path::Stage => Some("stage"),
        Path::Verb => Some("verb"),
        Path::AuditId => Some("auditID"),
        Path::ApiGroup => Some("objectRef_apiGroup"),
        Path::Resource => Some("objectRef_resource"),
        Path::Namespace => Some("objectRef_namespace"),
        Path::Name => Some("objectRef_name"),
        Path::GivenName => Some("responseObject_metadata_name"),
        Path::Subresource => Some("objectRef_subresource"),
        Path::Username => Some("user_username"),
        Path::Impersonated => Some("impersonatedUser_username"),
        Path::Groups | Path::ImpersonatedGroups | Path::SourceIps => None,
    }
}
