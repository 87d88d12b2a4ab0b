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

pub(crate) mod actors;
mod ask;
pub(crate) mod autoscaler;
mod cause;
pub(crate) mod change;
mod changes;
mod collection;
mod context;
pub(crate) mod controllers;
pub(crate) mod creation;
pub(crate) mod detail;
pub(crate) mod difference;
mod evictions;
pub(crate) mod fact;
mod foresight;
mod growth;
pub(crate) mod inquiry;
mod known;
mod learn;
pub(crate) mod ledger;
mod life;
mod looked_for;
pub(crate) mod node;
mod objects;
mod objects_first;
mod owner;
mod parts;
mod preemption;
mod relevance;
mod removal;
pub(crate) mod removals;
pub(crate) mod requests;
mod room;
mod selector;
mod soonest;
pub(crate) mod tell;
mod verdict;
mod wanted;
mod workload;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::answer::Answer;
use crate::case::actors::Actors;
pub use crate::case::ask::{Ask, Subject, Window};
use crate::case::context::Context;
use crate::case::detail::{Labels, Reading, Victim};
use crate::case::fact::{Bodies, Fact};
use crate::case::foresight::Counted;
pub use crate::case::foresight::Foresight;
use crate::case::looked_for::LookedFor;
use crate::case::objects::Objects;
pub use crate::case::relevance::matters;
use crate::case::relevance::{is_change_without_body, is_idle_talk, share};
use crate::case::room::Room;
use crate::case::wanted::Wanted;
use crate::event::Event;
use crate::filter::{Filter, Request};
use crate::fold::{Address, Fold};
use crate::glob::Glob;
use crate::json::model::Models;
use crate::literals::Literals;
use crate::look::Look;
use crate::share::{Kind, Share};
use crate::subject::Key;
use crate::time::Timestamp;

/// How often a case looks through the logs at the most. Chains of causes seen so far need two looks; a drain, and a
/// preemption without bodies, one more within an hour.
pub const MAX_LOOKS: usize = 6;

/// What a case found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// Answers to the question, by time.
    pub answers: Vec<Answer>,
    /// What else happened to the objects, where nothing answers the question: how a pod went that was not evicted.
    pub related: Vec<Answer>,
}

/// A question under investigation, and what is known so far.
#[derive(Debug)]
pub struct Case {
    ask: Arc<Ask>,
    /// What to look for in the next look.
    wanted: Wanted,
    /// What to look for in the look after that, if the next one finds nothing.
    later: Vec<Filter>,
    looked_for: LookedFor,
    /// Requests about whole collections that are looked for once it is known in which namespaces.
    collections: Vec<Filter>,
    /// Of what meets one of these all was found.
    found: Arc<[Filter]>,
    looks: usize,
    /// With how many threads many objects are judged at the most.
    threads: usize,
    /// Beyond what is not looked, once something was found within a window.
    context: Option<Context>,
    /// The names of the objects that may have answers, if the first look has told them.
    met: Option<Vec<Glob>>,
    /// The context of what was judged last.
    judged: Option<Context>,
    /// Whether what was judged last misses a cause.
    is_silent: bool,
    /// Whether an entry about an object that is meant was met, be it of use or not.
    is_met: bool,
    facts: Vec<Fact>,
    /// The objects of those facts that were judged.
    objects: Objects,
    /// What facts take, those of all forks together.
    room: Arc<Room>,
    /// Where the facts stand whose bodies were cut off.
    truncated: BTreeSet<Address>,
    /// What the event at hand is about: one memory for all of them.
    key: Key,
    /// What bodies are compared with.
    models: Models,
    actors: Actors,
    /// One of each, for all facts to share: the pods of a workload have the same.
    labels: HashSet<Arc<Labels>>,
    /// What is counted beside.
    counted: Option<Counted>,
}

impl Case {
    /// Opens a case.
    pub fn new(ask: Ask) -> Self {
        let wanted = Wanted::new(ask.first_look(ask.window, ask.subject.names()).collect());
        Self { wanted, ..Self::empty(&Arc::new(ask), &Arc::new(Room::new(u64::MAX))) }
    }

    fn empty(ask: &Arc<Ask>, room: &Arc<Room>) -> Self {
        Self {
            ask: Arc::clone(ask),
            wanted: Wanted::default(),
            later: Vec::new(),
            looked_for: LookedFor::default(),
            collections: Vec::new(),
            found: Arc::default(),
            looks: 0,
            threads: 1,
            context: None,
            met: None,
            judged: None,
            is_silent: false,
            is_met: false,
            facts: Vec::new(),
            objects: Objects::default(),
            room: Arc::clone(room),
            truncated: BTreeSet::new(),
            key: Key::default(),
            models: Models::default(),
            actors: Actors::default(),
            labels: HashSet::new(),
            counted: None,
        }
    }

    /// Whether another look could tell more.
    pub fn is_open(&self) -> bool {
        !self.wanted.is_empty() && self.looks < MAX_LOOKS
    }

    /// What the next look wants.
    pub fn look(&self) -> Look {
        // No context is needed where users are asked about: what each of their requests did stands in its own entry.
        let narrow = self.looks == 0 && self.ask.subject.target().is_none();
        let selected = if narrow { self.ask.selection.literals() } else { Literals::everything() };
        Look {
            filters: Some(self.wanted.filters().to_vec()),
            literals: self.wanted.literals().or_if_everything(|| selected),
        }
    }

    /// A case that looks for the same and knows nothing yet, to be merged into this one.
    #[must_use]
    pub fn fork(&self) -> Self {
        let wanted = self.wanted.clone();
        Self { wanted, found: Arc::clone(&self.found), ..Self::empty(&self.ask, &self.room) }
    }

    /// Whether the next look is for an entry.
    fn wants(&self, fact: &Fact) -> bool {
        let meets = |filter: &Filter| filter.uid.is_none() || filter.uid == fact.uid;
        self.wanted.met_by(fact, &fact.key).any(meets) && !self.has_found(fact, &fact.key)
    }

    /// Whether a request was found before. Of a collection's delete each look finds the objects that it names.
    fn has_found(&self, request: &impl Request, key: &Key) -> bool {
        let is_met =
            |filter: &Filter| filter.matches_otherwise(request, key) && filter.matches_name(&key.name);
        request.verb() != "deletecollection" && self.found.iter().any(is_met)
    }

    /// What was folded in since the last look was learned: which object each entry is about, its stage time, and where it
    /// stands.
    pub fn entries(&self) -> impl Iterator<Item = (&Key, Timestamp, Address)> {
        self.facts.iter().map(|fact| (&*fact.key, fact.time, fact.address))
    }

    /// Whether an event is about an object that the question means.
    fn means(&mut self, event: &Event<'_>) -> bool {
        let Some(target) = self.ask.subject.target() else { return false };
        self.key.set(event) && removals::is_meant(target, &self.key)
    }

    /// Keeps of a list of removed objects those that a filter names.
    fn keep_named_victims(&self, fact: &mut Fact) {
        let namespace = &fact.key.namespace;
        if fact.detail.victims.is_none() {
            return;
        }
        if let Some(victims) = &mut fact.detail.victims {
            let within = |victim: &Victim| {
                if namespace.is_empty() { victim.namespace.clone() } else { namespace.clone() }
            };
            victims.retain(|victim| self.wanted.names(&within(victim), &victim.name));
        }
    }

    /// Whether an entry tells nothing to the question: a change of what it is about, at a level without bodies.
    fn hides(&self, verb: &str, resource: &str, subresource: &str, level: &str) -> bool {
        self.ask.question.rule.is_hidden_without_bodies()
            && is_change_without_body(verb, subresource, level)
            && self.ask.subject.target().is_some_and(|target| target.resource == resource)
    }
}

/// The one copy of labels that facts share.
fn shared(known: &mut HashSet<Arc<Labels>>, labels: Arc<Labels>) -> Arc<Labels> {
    if let Some(known) = known.get(&labels) {
        return Arc::clone(known);
    }
    known.insert(Arc::clone(&labels));
    labels
}

impl Fold for Case {
    fn event(&mut self, event: &Event<'_>, address: Address) {
        if let Some(counted) = &mut self.counted {
            counted.event(event, address);
        }
        self.is_met = self.is_met || self.means(event);
        if !matters(event, self.ask.question.rule.wants_reads()) || !self.key.set(event) {
            return;
        }
        let subresource = event.object_ref.as_ref().map_or("", |object| object.subresource.as_ref());
        if self.hides(&event.verb, &self.key.resource, subresource, &event.level) {
            return;
        }
        let mut whatever_uid = self.wanted.met_by(event, &self.key).map(|filter| filter.uid.is_none());
        let Some(first) = whatever_uid.next() else { return };
        let whatever_uid = first || whatever_uid.any(|whatever| whatever);
        if self.has_found(event, &self.key) || self.is_exceeded() {
            return;
        }
        let actor = self.actors.of(event);
        let passes_victims = event.verb == "deletecollection"
            && event.response_object.is_some_and(|list| !self.wanted.may_name_of(list.get()));
        let reading = Reading { models: Some(&mut self.models), passes_victims };
        let mut fact = Fact::of(event, Arc::new(self.key.clone()), address, actor, reading);
        if !(whatever_uid || self.wants(&fact)) || is_idle_talk(&fact, &event.level) {
            return;
        }
        if self.ask.question.rule.wants_bodies() {
            fact.bodies = Some(Box::new(Bodies::of(event)));
        }
        fact.selected = self.ask.subject.may_mean(&fact.key) && self.ask.selection.meets(event, &fact);
        self.keep_named_victims(&mut fact);
        if let Some(labels) = fact.detail.labels_mut() {
            *labels = shared(&mut self.labels, Arc::clone(labels));
        }
        self.room.take(&fact);
        if event.is_truncated() {
            self.truncated.insert(address);
        }
        self.facts.push(fact);
    }

    fn is_full(&self) -> bool {
        self.is_exceeded()
    }

    fn share(&self, kind: &Kind<'_>) -> Share {
        if self.hides(kind.verb, kind.resource, kind.subresource, kind.level) {
            return Share::None;
        }
        share(kind, self.ask.question.rule.wants_reads())
    }

    fn merge(&mut self, other: Self) {
        self.is_met |= other.is_met;
        if self.facts.is_empty() {
            self.facts = other.facts;
        } else {
            self.facts.extend(other.facts);
        }
        self.truncated.extend(other.truncated);
        match (&mut self.counted, other.counted) {
            (Some(counted), Some(more)) => counted.merge(more),
            (counted, more) => *counted = counted.take().or(more),
        }
    }
}
