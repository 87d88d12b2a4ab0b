//! A question under investigation: facts are folded in, and judged once all are there.
//!
//! ```text
//! Case::new ─► literals() ─► scan: fork(), event() …, merge() ─► learn() ─► findings
//!                   ▲                                              │
//!                   └──────────── while is_open() ◄────────────────┘
//! ```
//!
//! A cause lies in entries that the first look had no reason to keep: judging finds out which, and the case stays open
//! until it has looked for them, [`MAX_LOOKS`] times at the most.

mod cause;
mod collection;
mod controllers;
mod detail;
mod fact;
mod inquiry;
mod ledger;
mod life;
mod node;
mod owner;
mod preemption;
mod removal;
mod selector;
mod tell;
mod verdict;
mod wanted;
mod workload;

use std::collections::BTreeSet;

use crate::answer::{Answer, Outcome};
use crate::case::detail::Victim;
use crate::case::fact::Fact;
use crate::case::inquiry::Inquiry;
use crate::case::ledger::Ledger;
use crate::case::wanted::Wanted;
use crate::coverage::Coverage;
use crate::event::Event;
use crate::filter::Filter;
use crate::fold::{Address, Fold};
use crate::glob::Glob;
use crate::literals::Literals;
use crate::question::Question;
use crate::subject::{Key, group_of_today};
use crate::target::Target;
use crate::time::Timestamp;

/// How often a case looks through the logs at the most. Chains of causes seen so far need two looks, a preemption
/// without bodies three.
pub const MAX_LOOKS: usize = 6;

/// What a case found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// Answers to the question, by time.
    pub answers: Vec<Answer>,
    /// What else happened to the objects, where nothing answers the question: how a pod went that was not evicted.
    pub related: Vec<Answer>,
}

/// The stage times between which an answer counts; both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Not before.
    pub from: Timestamp,
    /// Not after.
    pub until: Timestamp,
}

impl Default for Window {
    fn default() -> Self {
        Self { from: Timestamp::MIN, until: Timestamp::MAX }
    }
}

impl Window {
    fn holds(&self, time: Option<Timestamp>) -> bool {
        time.is_none_or(|time| (self.from..=self.until).contains(&time))
    }
}

/// A question about a target, and what is known so far.
#[derive(Debug)]
pub struct Case {
    question: &'static Question,
    target: Target,
    window: Window,
    /// What to look for in the next look.
    wanted: Wanted,
    asked: BTreeSet<Filter>,
    looks: usize,
    facts: Vec<Fact>,
}

impl Case {
    /// Opens a case. Answers count only within `window`; causes may lie before it.
    pub fn new(question: &'static Question, target: Target, window: Window) -> Self {
        let wanted = Wanted::new(first_look(&target));
        Self { question, target, window, wanted, asked: BTreeSet::new(), looks: 0, facts: Vec::new() }
    }

    /// Whether another look could tell more.
    pub fn is_open(&self) -> bool {
        !self.wanted.is_empty() && self.looks < MAX_LOOKS
    }

    /// What must stand in a line to matter in the next look.
    pub fn literals(&self) -> Literals {
        self.wanted.literals()
    }

    /// A case that looks for the same and knows nothing yet, to be merged into this one.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            question: self.question,
            target: self.target.clone(),
            window: self.window,
            wanted: self.wanted.clone(),
            asked: BTreeSet::new(),
            looks: self.looks,
            facts: Vec::new(),
        }
    }

    /// Takes what a look found, judges all that is known, and finds out what to look for next. `sources` are the names
    /// of the sources by number, as in addresses.
    pub fn learn(&mut self, look: Self, sources: &[String]) -> Findings {
        self.merge(look);
        self.looks += 1;
        self.asked.extend(std::mem::take(&mut self.wanted).into_filters());
        let ledger = Ledger::new(std::mem::take(&mut self.facts));
        let inquiry = Inquiry::new(&ledger, sources);
        let findings = verdict::findings(&inquiry, self.question, &self.target, self.window);
        let needs = inquiry.into_needs();
        self.facts = ledger.into_facts();
        let is_new =
            |need: &Filter| !self.asked.contains(need) && !self.asked.iter().any(|asked| asked.covers(need));
        self.wanted = Wanted::new(needs.into_iter().filter(is_new).collect());
        findings
    }

    /// What the answer rests on, in words: how many were found, or that nobody was, and between which times.
    pub fn verdict(&self, findings: &Findings, coverage: &Coverage) -> String {
        let asked = format!("{} {}", self.target, self.question.participle);
        if let found @ 1.. =
            findings.answers.iter().filter(|answer| answer.outcome == Outcome::Succeeded).count()
        {
            return format!("{asked}: {found} found");
        }
        let (Some(from), Some(until)) = (coverage.total.from, coverage.total.until) else {
            return format!("{asked}: these files hold no audit entries, so they can't tell");
        };
        let tried = if findings.answers.is_empty() { "" } else { " that did it for certain" };
        format!("{asked}: no entry{tried} in these files, which hold entries from {from} to {until}")
    }

    /// Keeps of a list of removed objects those that a filter names.
    fn keep_named_victims(&self, fact: &mut Fact) {
        let namespace = &fact.key.namespace;
        if let Some(victims) = &mut fact.detail.victims {
            let within = |victim: &Victim| {
                if namespace.is_empty() { victim.namespace.clone() } else { namespace.clone() }
            };
            victims.retain(|victim| self.wanted.names(&within(victim), &victim.name));
        }
    }
}

impl Fold for Case {
    fn event(&mut self, event: &Event<'_>, address: Address) {
        if !matters(event) {
            return;
        }
        let Some(key) = Key::of(event) else { return };
        if self.wanted.met_by(event, &key).next().is_none() {
            return;
        }
        let mut fact = Fact::of(event, key, address);
        let meets = |filter: &Filter| filter.uid.is_none() || filter.uid == fact.uid;
        if !self.wanted.met_by(event, &fact.key).any(meets) || is_idle_talk(&fact) {
            return;
        }
        self.keep_named_victims(&mut fact);
        self.facts.push(fact);
    }

    fn merge(&mut self, other: Self) {
        self.facts.extend(other.facts);
    }
}

/// The requests about the target, the deletes of collections that may hold it, and the Kubernetes Events about it.
fn first_look(target: &Target) -> Vec<Filter> {
    let groups = target.groups.iter().map(|group| group_of_today(group, &target.resource).to_owned());
    let about =
        Filter { groups: groups.collect(), resource: Some(target.resource.clone()), ..Filter::default() };
    let namespace = target.namespace.clone().filter(|_| target.namespaced != Some(false));
    let mut filters =
        vec![Filter { namespace: namespace.clone(), names: vec![target.name.clone()], ..about.clone() }];
    for namespace in [namespace.clone(), namespace.as_ref().map(|_| Glob::new(""))] {
        let filter = Filter { namespace, verbs: &["deletecollection"], ..about.clone() };
        if !filters.contains(&filter) {
            filters.push(filter);
        }
    }
    if target.resource == "pods" {
        let names = vec![Glob::new(format!("{}.*", target.name))];
        filters.push(Filter {
            resource: Some("events".to_owned()),
            namespace,
            names,
            verbs: &["create"],
            ..Filter::default()
        });
    }
    filters
}

/// Whether the entry is the end of a request that may change an object, or shows that one is gone.
///
/// A failed authentication has one entry only, of stage `ResponseStarted`
/// ([source](https://github.com/kubernetes/apiserver/blob/master/pkg/endpoints/filters/authn_audit.go)).
fn matters(event: &Event<'_>) -> bool {
    let code = event.code();
    let ended = matches!(event.stage.as_ref(), "ResponseComplete" | "Panic")
        || event.stage == "ResponseStarted" && code >= 400;
    let changes =
        matches!(event.verb.as_ref(), "create" | "update" | "patch" | "delete" | "deletecollection");
    let missing = event.verb == "get" && code == 404;
    ended
        && (changes || missing)
        && event.object_ref.as_ref().is_some_and(|object| !is_routine(&object.resource, &object.subresource))
}

/// What components write all the time, and what no rule looks at.
fn is_routine(resource: &str, subresource: &str) -> bool {
    resource == "leases" || subresource == "status" && !matches!(resource, "pods" | "nodes" | "namespaces")
}

/// Kubernetes Events that no rule looks at, and a node's report on itself.
fn is_idle_talk(fact: &Fact) -> bool {
    let idle_event = fact.key.resource == "events"
        && fact.detail.note.as_ref().is_none_or(|(reason, ..)| reason != "Preempted");
    let report = fact.key.is_core("nodes")
        && fact.subresource == "status"
        && fact.component != Some(controllers::Component::NodeLifecycle);
    idle_event || report
}
