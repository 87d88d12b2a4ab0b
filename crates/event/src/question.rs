//! The questions that can be asked: one table.

use crate::answer::Mechanism;

/// A question.
#[derive(Debug)]
pub struct Question {
    /// Name, as on the command line and in answers.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// What it answers, in one line.
    pub about: &'static str,
    /// The mechanisms that count as an answer.
    pub mechanisms: &'static [Mechanism],
    /// The past participle in sentences: `pod x was not …`.
    pub participle: &'static str,
}

/// Evictions: an object made to go though nobody deleted it.
const EVICTIONS: &[Mechanism] =
    &[Mechanism::EvictionApi, Mechanism::Preemption, Mechanism::Taint, Mechanism::NodePressure];

/// Removals of every kind: after these an object is gone. A pod that the kubelet evicted for want of resources stays
/// as an object.
const REMOVALS: &[Mechanism] = &[
    Mechanism::EvictionApi,
    Mechanism::Preemption,
    Mechanism::Taint,
    Mechanism::Delete,
    Mechanism::DeleteCollection,
    Mechanism::ScaleDown,
    Mechanism::Rollout,
    Mechanism::OwnerGc,
    Mechanism::NamespaceDeletion,
    Mechanism::PodGc,
    Mechanism::JobTtl,
    Mechanism::CronjobHistory,
    Mechanism::Finalizer,
];

/// Every question, in the order in which help lists them.
pub const QUESTIONS: &[Question] = &[
    Question {
        name: "evicted",
        aliases: &["evict"],
        about: "Who evicted a pod: through the eviction API, by preemption, by a taint, or its node for want of resources",
        mechanisms: EVICTIONS,
        participle: "evicted",
    },
    Question {
        name: "deleted",
        aliases: &["delete", "removed"],
        about: "Who removed an object, in whatever way, and who was behind it",
        mechanisms: REMOVALS,
        participle: "deleted",
    },
];

/// The question with this name or alias.
pub fn named(name: &str) -> Option<&'static Question> {
    QUESTIONS.iter().find(|question| question.name == name || question.aliases.contains(&name))
}
