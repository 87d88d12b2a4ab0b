//! A question as a query for other tools: jq, CloudWatch Logs Insights, KQL and LogQL.
//!
//! A query selects the requests that could decide an answer. It can't judge them, nor look for causes, and where its
//! language can't ask for something it leaves it out, so that it selects too much rather than too little.

mod cloudwatch;
mod jq;
mod kusto;
mod loki;
mod pattern;
mod query;

use std::fmt;

use crate::case::Ask;
use crate::explain::query::{Query, Test};
use crate::question::Rule;

/// A language that a question can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// jq, for files with an event a line or lists of events.
    Jq,
    /// CloudWatch Logs Insights, for EKS.
    CloudWatch,
    /// KQL, for AKS with the resource-specific table `AKSAudit`.
    Kusto,
    /// LogQL, for Loki.
    Loki,
}

impl Language {
    /// All of them, in the order in which they are printed.
    pub const ALL: &[Self] = &[Self::Jq, Self::CloudWatch, Self::Kusto, Self::Loki];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jq => "jq",
            Self::CloudWatch => "cloudwatch",
            Self::Kusto => "kql",
            Self::Loki => "logql",
        }
    }

    /// Where the query is given to, in a few words.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Jq => "jq -c PROGRAM audit.log",
            Self::CloudWatch => "CloudWatch Logs Insights on the log group /aws/eks/CLUSTER/cluster",
            Self::Kusto => "Log Analytics on AKS; AKSAuditAdmin holds writes alone",
            Self::Loki => "Loki; put your stream's labels into the braces",
        }
    }
}

/// A query, and what of the question it leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The query; may span lines.
    pub text: String,
    /// What it does not ask for, as options or words; then it selects more.
    pub left_out: Vec<String>,
}

/// How a language writes tests. A writer returns `None` for what its language can't ask.
trait Dialect {
    /// One test on one field.
    fn test(&self, test: &Test) -> Option<String>;
    /// Whether what the language asks has no such field at all.
    fn lacks(&self, _: &Test) -> bool {
        false
    }
    /// Between tests of which all, or any, must hold.
    fn joints(&self) -> (&'static str, &'static str) {
        (" and ", " or ")
    }
    /// The query around the tests; `literal` stands in every line that they select.
    fn whole(&self, tests: &str, literal: Option<&str>) -> String;
}

/// Writes the question in a language.
pub fn explain(ask: &Ask, language: Language) -> Explained {
    let dialect: &dyn Dialect = match language {
        Language::Jq => &jq::Jq,
        Language::CloudWatch => &cloudwatch::CloudWatch,
        Language::Kusto => &kusto::Kusto,
        Language::Loki => &loki::Loki,
    };
    let filters = ask.question.rule.first_look(&ask.subject, ask.subject.names());
    let mut left_out = query::unsaid(ask);
    let tests = write(dialect, &query::query(ask, &filters), &mut left_out);
    let literals = crate::filter::literals(&filters);
    let literal = literals.as_slice().and_then(|literals| match literals {
        [one] => Some(one.as_str()),
        _ => None,
    });
    left_out.sort();
    left_out.dedup();
    Explained { text: dialect.whole(tests.as_deref().unwrap_or_default(), literal), left_out }
}

/// Writes a tree of tests; `None` if nothing of it can be asked.
fn write(dialect: &dyn Dialect, query: &Query, left_out: &mut Vec<String>) -> Option<String> {
    let (all_joint, any_joint) = dialect.joints();
    let (mut written, joint) = match query {
        Query::Test(test) => {
            let written = dialect.test(test);
            if written.is_none() {
                left_out.push(test.to_string());
            }
            return written;
        }
        Query::All(parts) => {
            let parts = parts.iter().filter_map(|part| write(dialect, part, left_out));
            (parts.collect::<Vec<_>>(), all_joint)
        }
        Query::Any(parts) => {
            let (unknown, known): (Vec<&Query>, Vec<&Query>) =
                parts.iter().partition(|part| matches!(part, Query::Test(test) if dialect.lacks(test)));
            left_out.extend(unknown.iter().filter_map(|part| match part {
                Query::Test(test) => Some(test.to_string()),
                _ => None,
            }));
            // An alternative that can't be asked could be the one that holds.
            let parts: Option<Vec<String>> =
                known.iter().map(|part| write(dialect, part, left_out)).collect();
            (parts?, any_joint)
        }
    };
    written.dedup();
    match written.len() {
        0 => None,
        1 => written.pop(),
        _ => Some(format!("({})", written.join(joint))),
    }
}

/// The rules of `docs/rules.md` that judge what a question finds, which no query can.
pub fn rules(ask: &Ask) -> Vec<&'static str> {
    const REMOVALS: &[&str] = &[
        "component",
        "reason-by-component",
        "last-word",
        "first-request",
        "late-effect",
        "dry-run-by-missing-removal",
        "delete-without-body",
        "incarnation",
        "collection",
        "salvaged",
        "drain",
        "taint",
        "preemptor",
        "owner-from-name",
        "last-change",
        "gone-owner",
    ];
    const MANAGERS: &[&str] =
        &["restarted", "labeled", "annotated", "tainted", "untainted", "cordoned", "uncordoned"];
    match &ask.question.rule {
        Rule::Removal(_) => REMOVALS.to_vec(),
        Rule::Requests(_) if MANAGERS.contains(&ask.question.name) => vec!["field-manager"],
        Rule::Requests(_) if ask.question.name == "read" => vec!["exposed-by-list"],
        Rule::Requests(_) if ask.question.name == "denied" => vec!["refused-unnamed"],
        Rule::Requests(_) if matches!(ask.question.name, "created" | "scaled") => {
            vec!["component", "owner-from-name", "last-change"]
        }
        Rule::Requests(_) | Rule::Count(_) => Vec::new(),
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
