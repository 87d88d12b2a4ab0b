//! The questions that can be asked: one table.
//!
//! A question is an entry here, with a rule: which mechanisms of removal it is about, or which requests answer it. See
//! `docs/adding-a-question.md` for a worked example.

mod access;
pub mod needs;
mod node;
mod object;
mod workload;

use crate::answer::{Mechanism, Outcome};
use crate::case::inquiry::Inquiry;
use crate::case::{Ask, Findings, Subject, removals, requests};
use crate::census::Kind;
use crate::count::{Dimension, dimension};
use crate::filter::Filter;
use crate::glob::Glob;
use crate::question::needs::Need;

pub(crate) use crate::case::requests::{Collections, Request, Story, Told};

/// A question.
#[derive(Debug)]
pub struct Question {
    /// Name, as on the command line and in answers: the past participle of what was done.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// What it answers, in one line.
    pub about: &'static str,
    /// What was done, in words: `pod x was not …`.
    pub participle: &'static str,
    /// The same as an infinitive: `alice tried to … pod x`; empty where the request's own verb says it.
    pub infinitive: &'static str,
    /// What it is asked about.
    pub argument: Argument,
    /// What a log must hold to answer it.
    pub needs: &'static [Need],
    pub(crate) rule: Rule,
}

/// What a question is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Objects: `KIND/NAME`.
    Target,
    /// Users: a name, which may hold `*`.
    User,
    /// All requests, by one of the question's dimensions.
    Dimension,
    /// All requests; the question has one dimension.
    Nothing,
}

impl Question {
    /// By what it counts requests; empty for questions that are answered one by one.
    pub const fn dimensions(&self) -> &'static [Dimension] {
        match self.rule {
            Rule::Count(dimensions) => dimensions,
            Rule::Removal(_) | Rule::Requests(_) => &[],
        }
    }

    /// Whether requests about other objects may tell that it was done: pods that are evicted after a node was cordoned.
    pub const fn is_told_later(&self) -> bool {
        matches!(self.rule, Rule::Requests(request) if request.told_later)
    }

    /// The dimension with this name.
    pub fn dimension(&self, name: &str) -> Option<&'static Dimension> {
        self.dimensions().iter().find(|dimension| dimension.name == name)
    }
}

/// How a question is answered.
#[derive(Debug)]
pub(crate) enum Rule {
    /// By the way in which objects went.
    Removal(&'static [Mechanism]),
    /// By single requests.
    Requests(&'static Request),
    /// By counting requests: by [`Counting`](crate::count::Counting), not by a case.
    Count(&'static [Dimension]),
}

impl Question {
    /// The outcome that is asked about: that it was done, or, of refusals, that it was not allowed.
    pub fn outcome(&self) -> Outcome {
        match self.rule {
            Rule::Requests(request) => request.outcome,
            _ => Outcome::Succeeded,
        }
    }
}

impl Rule {
    /// What to look for first.
    pub(crate) fn first_look(&self, subject: &Subject, names: &[Glob]) -> Vec<Filter> {
        match (self, subject) {
            (Self::Removal(_), Subject::Target(target)) => removals::first_look(target, names),
            (Self::Removal(_), Subject::User(_)) | (Self::Count(_), _) => Vec::new(),
            (Self::Requests(request), subject) => requests::first_look(request, subject, names),
        }
    }

    /// Whether requests about whole collections matter only in the namespaces of the objects that were met.
    pub(crate) fn is_around_objects(&self) -> bool {
        matches!(self, Self::Requests(request) if request.collections == Collections::AroundObjects)
    }

    /// What the facts answer, and what more would have to be looked for.
    pub(crate) fn judge(&self, inquiry: &Inquiry<'_>, ask: &Ask) -> Findings {
        match self {
            Self::Removal(_) => removals::judge(inquiry, ask),
            Self::Requests(request) => requests::judge(inquiry, ask, request),
            Self::Count(_) => Findings::default(),
        }
    }

    /// The kinds of requests of which one answers the question; `resource` is the plural name of what is asked about,
    /// in one of `groups`. `None` stands for all resources.
    pub(crate) fn kinds(&self, groups: &[String], resource: Option<&str>) -> Vec<Kind> {
        let kind = |subresources, verbs, needs_bodies| Kind {
            groups: groups.to_vec(),
            resource: resource.map(str::to_owned),
            subresources,
            verbs,
            needs_bodies,
        };
        match self {
            Self::Removal(_) if self.counts(Mechanism::NodePressure) => {
                vec![kind(&["eviction"], &["create"], false), kind(&[""], &["delete"], false)]
            }
            Self::Removal(_) => vec![kind(&[""], &["delete", "deletecollection"], false)],
            Self::Requests(request) => {
                // What a change changed stands in bodies, and so does a name that the server made up.
                let tells_more = |verb: &&str| matches!(*verb, "create" | "patch");
                let of_fields = request.subresources.contains(&"") && request.verbs.iter().any(tells_more);
                vec![kind(request.subresources, request.verbs, of_fields)]
            }
            Self::Count(_) => vec![kind(&[], &[], false)],
        }
    }

    /// Whether an object that went by this mechanism answers the question.
    pub(crate) fn counts(&self, mechanism: Mechanism) -> bool {
        matches!(self, Self::Removal(mechanisms) if mechanisms.contains(&mechanism))
    }

    /// Whether whole bodies are compared.
    pub(crate) fn wants_bodies(&self) -> bool {
        matches!(self, Self::Requests(request) if request.bodies)
    }

    /// Whether all requests about an object are looked for, be they of use or not.
    pub(crate) const fn looks_for_all(&self) -> bool {
        match self {
            Self::Removal(_) => true,
            Self::Requests(request) => !request.alone,
            Self::Count(_) => false,
        }
    }

    /// Whether a change of the object itself tells nothing where bodies are not recorded.
    pub(crate) fn is_hidden_without_bodies(&self) -> bool {
        matches!(self, Self::Requests(request) if request.hidden_without_bodies)
    }

    /// Whether a request that answers the question may last: reads may, but for those that are refused.
    pub(crate) fn may_last(&self) -> bool {
        let is_refused = |request: &Request| request.outcome == Outcome::Denied;
        self.wants_reads() && !matches!(self, Self::Requests(request) if is_refused(request))
    }

    /// Whether requests that change nothing matter too.
    pub(crate) fn wants_reads(&self) -> bool {
        matches!(self, Self::Requests(request) if request.reads)
    }
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

/// A row of the table: name, aliases, participle, infinitive, what it is asked about, its rule, its needs, and what
/// it answers.
macro_rules! questions {
    ($($name:literal [$($alias:literal),*] $participle:literal / $infinitive:literal ($argument:ident) $rule:expr, $needs:ident, $about:literal;)*) => {
        /// Every question, in the order in which help lists them.
        pub const QUESTIONS: &[Question] = &[$(Question {
            name: $name,
            aliases: &[$($alias),*],
            about: $about,
            participle: $participle,
            infinitive: $infinitive,
            argument: Argument::$argument,
            needs: needs::$needs,
            rule: $rule,
        }),*];
    };
}

questions! {
    "evicted" ["evict"] "evicted" / "evict" (Target) Rule::Removal(EVICTIONS), EVICTED,
        "Who evicted a pod: through the eviction API, by preemption, by a taint, or its node for want of resources";
    "deleted" ["delete", "removed"] "deleted" / "delete" (Target) Rule::Removal(REMOVALS), DELETED,
        "Who removed an object, in whatever way, and who was behind it";
    "created" ["create"] "created" / "create" (Target) Rule::Requests(&object::CREATED), CREATED,
        "Who created an object, and who was behind a controller that did";
    "changed" ["change", "patched", "updated", "applied"] "changed" / "change" (Target) Rule::Requests(&object::CHANGED), CHANGED,
        "Who changed an object, and which fields";
    "scaled" ["scale"] "scaled" / "scale" (Target) Rule::Requests(&workload::SCALED), SCALED,
        "Who scaled a workload, from how many to how many";
    "restarted" ["restart"] "restarted" / "restart" (Target) Rule::Requests(&workload::RESTARTED), RESTARTED,
        "Who restarted a workload (kubectl rollout restart)";
    "cordoned" ["cordon"] "cordoned" / "cordon" (Target) Rule::Requests(&node::CORDONED), CORDONED,
        "Who cordoned a node";
    "uncordoned" ["uncordon"] "uncordoned" / "uncordon" (Target) Rule::Requests(&node::UNCORDONED), UNCORDONED,
        "Who uncordoned a node";
    "drained" ["drain"] "drained" / "drain" (Target) Rule::Requests(&node::DRAINED), DRAINED,
        "Who drained a node, and of which pods";
    "tainted" ["taint"] "tainted" / "taint" (Target) Rule::Requests(&node::TAINTED), TAINTED,
        "Who put a taint on a node";
    "untainted" ["untaint"] "untainted" / "untaint" (Target) Rule::Requests(&node::UNTAINTED), TAINTED,
        "Who took a taint off a node";
    "labeled" ["label", "labelled"] "labeled" / "label" (Target) Rule::Requests(&object::LABELED), MARKED,
        "Who set or removed labels of an object";
    "annotated" ["annotate"] "annotated" / "annotate" (Target) Rule::Requests(&object::ANNOTATED), MARKED,
        "Who set or removed annotations of an object";
    "execed" ["exec", "attached"] "entered" / "enter" (Target) Rule::Requests(&access::EXECED), EXECED,
        "Who ran commands in a pod or attached to it, which commands, and for how long";
    "port-forwarded" ["port-forward"] "forwarded a port of" / "forward a port of" (Target) Rule::Requests(&access::PORT_FORWARDED), PORT_FORWARDED,
        "Who forwarded ports of a pod";
    "debugged" ["debug"] "debugged" / "debug" (Target) Rule::Requests(&access::DEBUGGED), DEBUGGED,
        "Who put an ephemeral container into a pod";
    "read" ["reads"] "read" / "read" (Target) Rule::Requests(&access::READ), READ,
        "Who read an object, by name or by a list or watch that shows it";
    "bound" ["granted"] "bound" / "bind" (Target) Rule::Requests(&access::BOUND), BOUND,
        "Who created or changed a role binding or a role, and what it grants to whom";
    "approved" ["approve"] "approved" / "approve" (Target) Rule::Requests(&access::APPROVED), APPROVED,
        "Who approved a certificate signing request";
    "token" ["minted"] "had a token minted" / "mint a token of" (Target) Rule::Requests(&access::TOKEN), TOKEN,
        "Who had a token of a service account minted";
    "denied" ["forbidden"] "refused" / "" (Target) Rule::Requests(&object::DENIED), DENIED,
        "Whose requests about an object were refused, and which permission was missing";
    "touched" ["touch"] "touched" / "" (Target) Rule::Requests(&object::TOUCHED), TOUCHED,
        "Everything that was asked about an object";
    "history" [] "changed" / "change" (Target) Rule::Requests(&object::HISTORY), HISTORY,
        "The life of an object: everything that changed it, in order";
    "impersonated" ["impersonate"] "impersonated" / "impersonate" (User) Rule::Requests(&access::IMPERSONATED), TOUCHED,
        "Who acted as a user";
    "did" [] "done" / "" (User) Rule::Requests(&access::DID), TOUCHED,
        "Everything that a user did";
    "top" [] "counted" / "count" (Dimension) Rule::Count(dimension::ALL), TOUCHED,
        "Who or what makes the most requests: by user, verb, resource, namespace, client, code or host";
    "deprecated" [] "counted" / "count" (Nothing) Rule::Count(dimension::DEPRECATED), COUNTED,
        "Who uses APIs that are deprecated, through which program, and when they are removed";
}

/// The question with this name or alias.
pub fn named(name: &str) -> Option<&'static Question> {
    QUESTIONS.iter().find(|question| question.name == name || question.aliases.contains(&name))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_name_means_two_questions() {
        let names: Vec<&str> =
            QUESTIONS.iter().flat_map(|q| q.aliases.iter().chain([&q.name])).copied().collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(names.iter().all(|name| named(name).is_some()));
    }

    /// What is behind a removal tells the two apart, where the request does not: whether it is asked about is known before.
    #[test]
    fn no_question_is_about_scaling_down_or_rolling_out_alone() {
        for question in QUESTIONS {
            let [scaled, rolled] =
                [Mechanism::ScaleDown, Mechanism::Rollout].map(|mechanism| question.rule.counts(mechanism));
            assert_eq!(scaled, rolled, "{}", question.name);
        }
    }
}
