//! Which questions a log can answer, after the entries that are in it.

use serde::Serialize;

use super::doubt::Doubt;
use super::rows::Seen;
use crate::question::{Argument, QUESTIONS, Question};

/// Whether a question can be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answerable {
    /// Name of the question.
    pub question: &'static str,
    /// How well.
    pub extent: Extent,
    /// What is missing, in words; empty if nothing is.
    pub why: Vec<String>,
}

/// How well a question can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// Entries of every kind that it looks at are there.
    Whole,
    /// Of some kinds there are none, or no bodies.
    Part,
    /// There is no entry that could answer it.
    None,
}

/// Questions about one resource alone.
const RESOURCES: &[(&str, &str)] = &[
    ("evicted", "pods"),
    ("cordoned", "nodes"),
    ("uncordoned", "nodes"),
    ("tainted", "nodes"),
    ("untainted", "nodes"),
    ("execed", "pods"),
    ("port-forwarded", "pods"),
    ("debugged", "pods"),
    ("approved", "certificatesigningrequests"),
    ("token", "serviceaccounts"),
];

/// Judges every question.
pub(super) fn answerable(seen: &[Seen]) -> Vec<Answerable> {
    QUESTIONS.iter().map(|question| judge(question, seen)).collect()
}

fn judge(question: &Question, seen: &[Seen]) -> Answerable {
    let resource = RESOURCES.iter().find(|(name, _)| *name == question.name).map(|(_, resource)| *resource);
    let kinds = match question.argument {
        Argument::Target => question.rule.kinds(&[], resource),
        Argument::User | Argument::Dimension | Argument::Nothing => Vec::new(),
    };
    let doubts = Doubt::of(&kinds, seen);
    let extent = match doubts.as_slice() {
        _ if seen.is_empty() => Extent::None,
        [] => Extent::Whole,
        some if some.len() < kinds.len() || some.iter().any(Doubt::is_only_about_bodies) => Extent::Part,
        _ => Extent::None,
    };
    Answerable { question: question.name, extent, why: doubts.iter().map(ToString::to_string).collect() }
}
