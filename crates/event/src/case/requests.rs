//! The questions that single requests answer: who asked for it, what came of it, and what exactly was done.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::answer::{Answer, Certainty, Evidence, Outcome};
use crate::case::fact::Fact;
use crate::case::inquiry::{Inquiry, Link};
use crate::case::removal::outcome_of_refusal;
use crate::case::removals::is_meant;
use crate::case::{Ask, Findings, Subject, Window, tell};
use crate::filter::Filter;
use crate::glob::Glob;
use crate::long_running::SWITCHING_PROTOCOLS;
use crate::subject::group_of_today;
use crate::target::Target;

/// How many earlier facts about an object a request is held against, so that time stays linear in the facts.
const LOOK_BACK: usize = 1_000;

/// Which requests about a whole collection may answer a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Collections {
    None,
    All,
    /// Those in all namespaces at once, and in those where objects were met that are meant; if none was, all.
    AroundObjects,
}

/// Which requests answer a question, and how.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says another thing of the question")]
pub(crate) struct Request {
    /// Verbs, any of them; empty for all.
    pub(crate) verbs: &'static [&'static str],
    /// Subresources, any of them, the object itself being the empty one; empty for all.
    pub(crate) subresources: &'static [&'static str],
    /// HTTP statuses, any of them; empty for all.
    pub(crate) codes: &'static [u16],
    /// Whether requests that change nothing matter.
    pub(crate) reads: bool,
    /// Whether the bodies are compared.
    pub(crate) bodies: bool,
    /// Which requests about a whole collection may answer it too.
    pub(crate) collections: Collections,
    /// Whether its own entries tell all that is to be told, so that no others about the target need be looked for.
    pub(crate) alone: bool,
    /// Whether a change of the object itself tells nothing, of this or of others, where bodies are not recorded.
    pub(crate) hidden_without_bodies: bool,
    /// Whether later requests about other objects may make it one that answers the question.
    pub(crate) told_later: bool,
    /// The outcome that was asked about.
    pub(crate) outcome: Outcome,
    /// What a request did, in the past tense and with its object; `None` if it does not answer the question.
    pub(crate) tell: fn(&Story<'_, '_>) -> Option<Told>,
    /// Who was behind it, where it is a component that acted.
    pub(crate) behind: for<'l> fn(&Inquiry<'l>, &'l Fact) -> Vec<Link<'l>>,
}

/// A request with what happened before.
#[derive(Debug)]
pub(crate) struct Story<'i, 'l> {
    pub(crate) inquiry: &'i Inquiry<'l>,
    pub(crate) fact: &'l Fact,
    /// Earlier facts about the same object, by time.
    pub(crate) earlier: &'i [&'l Fact],
    /// All entries of the request, if it has several.
    pub(crate) stages: &'i [&'l Fact],
    pub(crate) subject: &'i Subject,
    /// The namespaces in which objects were met that the question means.
    met_in: &'i BTreeSet<&'i str>,
}

impl Story<'_, '_> {
    /// Whether an object that is meant may be in a namespace: it was met there, or nowhere.
    pub(crate) fn is_in(&self, namespace: &str) -> bool {
        self.met_in.is_empty() || self.met_in.contains(namespace)
    }
}

/// What a request did.
#[derive(Debug)]
pub(crate) struct Told {
    /// `scaled deployment apps/web from 3 to 1`.
    pub(crate) did: String,
    pub(crate) certainty: Certainty,
    pub(crate) notes: Vec<String>,
    /// More entries that prove it.
    pub(crate) proof: Vec<Evidence>,
    /// Whether it belongs to the answer without being one: a list that showed an object which it does not name.
    pub(crate) beside: bool,
}

impl Told {
    pub(crate) fn recorded(did: String) -> Self {
        Self { did, certainty: Certainty::Recorded, notes: Vec::new(), proof: Vec::new(), beside: false }
    }

    pub(crate) fn inferred(did: String, note: &str) -> Self {
        Self {
            did,
            certainty: Certainty::Inferred,
            notes: vec![note.to_owned()],
            proof: Vec::new(),
            beside: false,
        }
    }
}

/// What most questions have in common.
pub(crate) const CHANGE: Request = Request {
    verbs: &["update", "patch"],
    subresources: &[""],
    codes: &[],
    reads: false,
    bodies: false,
    collections: Collections::None,
    alone: false,
    hidden_without_bodies: false,
    told_later: false,
    outcome: Outcome::Succeeded,
    tell: |story| Some(Told::recorded(format!("changed {}", story.fact.key))),
    behind: nobody,
};

/// No component is behind the requests of a question.
pub(crate) fn nobody<'l>(_: &Inquiry<'l>, _: &'l Fact) -> Vec<Link<'l>> {
    Vec::new()
}

/// The requests about the target, or by the user.
pub(crate) fn first_look(request: &Request, subject: &Subject, names: &[Glob]) -> Vec<Filter> {
    match subject {
        Subject::User(name) => vec![
            Filter { username: Some(name.clone()), ..Filter::default() },
            Filter { impersonated: Some(name.clone()), ..Filter::default() },
        ],
        Subject::Target(target) => about(request, target, names),
    }
}

fn about(request: &Request, target: &Target, names: &[Glob]) -> Vec<Filter> {
    let groups = target.groups.iter().map(|group| group_of_today(group, &target.resource).to_owned());
    let of_resource =
        Filter { groups: groups.collect(), resource: Some(target.resource.clone()), ..Filter::default() };
    let of_answers = Filter {
        verbs: request.verbs,
        subresources: request.subresources,
        codes: request.codes,
        ..of_resource.clone()
    };
    let namespace = target.namespace.clone().filter(|_| target.namespaced != Some(false));
    // Other requests about an object may tell more of it; those about a collection tell of themselves alone.
    let of_objects = if request.alone { &of_answers } else { &of_resource };
    let mut filters =
        vec![Filter { namespace: namespace.clone(), names: names.to_vec(), ..of_objects.clone() }];
    if request.collections != Collections::None {
        for namespace in [namespace.clone(), namespace.as_ref().map(|_| Glob::new(""))] {
            filters.push(Filter { namespace, names: vec![Glob::new("")], ..of_answers.clone() });
        }
        filters.dedup();
    }
    filters
}

/// Facts that fared alike: what came of it, whose they were, and what they asked for.
type Alike<'l> = BTreeMap<(Outcome, String, String), Vec<&'l Fact>>;

/// A request, its entries if it has several, and what it did.
struct Deed<'l> {
    fact: &'l Fact,
    stages: Vec<&'l Fact>,
    told: Told,
}

/// What belongs to the answer without being one, by whose it was and what it did: the last of it that answers are wanted of, and
/// how many are.
type Beside<'l> = BTreeMap<(String, String), (Option<Deed<'l>>, u64)>;

/// What the requests about some objects tell.
#[derive(Default)]
struct Gathered<'l> {
    answers: Vec<Answer>,
    refused: Alike<'l>,
    beside: Beside<'l>,
}

impl<'l> Gathered<'l> {
    /// Takes what those about the objects behind these tell.
    fn add(&mut self, mut more: Self) {
        self.answers.append(&mut more.answers);
        for (kind, mut facts) in more.refused {
            self.refused.entry(kind).or_default().append(&mut facts);
        }
        for (kind, (last, count)) in more.beside {
            self.add_beside(kind, last, count);
        }
    }

    fn add_beside(&mut self, kind: (String, String), last: Option<Deed<'l>>, count: u64) {
        let known = self.beside.entry(kind).or_default();
        known.0 = last.or_else(|| known.0.take());
        known.1 += count;
    }

    fn take(&mut self, story: &Story<'_, 'l>, ask: &Ask, request: &Request) {
        let fact = story.fact;
        if !ask.window.holds(Some(fact.counts_at())) {
            return;
        }
        let Some(told) = (request.tell)(story) else { return };
        let deed = Deed { fact, stages: story.stages.to_vec(), told };
        match outcome(fact) {
            outcome if deed.told.beside && outcome == request.outcome => {
                let kind = (fact.actor.username.clone(), deed.told.did.clone());
                self.add_beside(kind, fact.selected.then_some(deed), u64::from(fact.selected));
            }
            Outcome::Succeeded if !fact.selected => {}
            Outcome::Succeeded => self.answers.push(done(story.inquiry, ask, request, deed)),
            outcome => {
                let kind = (outcome, fact.actor.username.clone(), format!("{} {}", fact.verb, fact.key));
                self.refused.entry(kind).or_default().push(fact);
            }
        }
    }
}

/// One answer a request, or one for each way in which a user's requests fared.
pub(crate) fn judge(inquiry: &Inquiry<'_>, ask: &Ask, request: &'static Request) -> Findings {
    let met = |target| {
        let meant = inquiry.ledger.objects().iter().filter(|key| is_meant(target, key));
        meant.map(|key| key.namespace.as_str()).collect()
    };
    let met_in: BTreeSet<&str> = ask.subject.target().map(met).unwrap_or_default();
    let objects = inquiry.ledger.in_order();
    let parts = inquiry.in_parts(objects.len(), |inquiry, part| {
        let mut gathered = Gathered::default();
        for number in &objects[part] {
            let facts: Vec<&Fact> = inquiry.ledger.about(*number).collect();
            gather(inquiry, ask, request, &facts, &met_in, &mut gathered);
        }
        gathered
    });
    let mut gathered = Gathered::default();
    for part in parts {
        gathered.add(part);
    }
    let Gathered { answers, mut refused, beside } = gathered;
    let mut findings = Findings { answers, related: Vec::new() };
    refused.retain(|_, facts| facts.iter().any(|fact| fact.selected));
    let tried = refused.into_iter().filter_map(|((outcome, ..), facts)| tried(inquiry, ask, outcome, &facts));
    findings.answers.extend(tried);
    findings.related.extend(beside.into_values().filter_map(|(last, count)| {
        let mut answer = besides(inquiry, ask, request, last?)?;
        answer.notes.extend((count > 1).then(|| format!("{count} times; this is the last")));
        Some(answer)
    }));
    findings
}

/// Takes what the requests about one object tell.
fn gather<'l>(
    inquiry: &Inquiry<'l>,
    ask: &Ask,
    request: &Request,
    facts: &[&'l Fact],
    met_in: &BTreeSet<&str>,
    gathered: &mut Gathered<'l>,
) {
    let requests = by_request(facts);
    for (index, fact) in facts.iter().copied().enumerate() {
        let stages = requests.get(&identity(fact)).map_or(&[][..], Vec::as_slice);
        if !is_asked(request, ask, fact) || is_superseded(fact, stages, ask.window) {
            continue;
        }
        let earlier = &facts[index.saturating_sub(LOOK_BACK)..index];
        let story = Story { inquiry, fact, earlier, stages, subject: &ask.subject, met_in };
        gathered.take(&story, ask, request);
    }
}

/// What came of a request. Long-running ones that were let in are answered with 101.
fn outcome(fact: &Fact) -> Outcome {
    match fact.code {
        200..=299 if fact.dry_run => Outcome::DryRun,
        SWITCHING_PROTOCOLS | 200..=299 => Outcome::Succeeded,
        _ => outcome_of_refusal(fact),
    }
}

fn is_asked(request: &Request, ask: &Ask, fact: &Fact) -> bool {
    let meant = match &ask.subject {
        Subject::User(_) => true,
        Subject::Target(target) => {
            let named = is_meant(target, &fact.key)
                || request.collections != Collections::None && fact.key.name.is_empty();
            named && target.uid.as_ref().is_none_or(|uid| fact.uid.as_ref() == Some(uid))
        }
    };
    meant
        && (request.verbs.is_empty() || request.verbs.contains(&fact.verb.as_ref()))
        && (request.codes.is_empty() || request.codes.contains(&fact.code))
        && (request.subresources.is_empty() || request.subresources.contains(&fact.subresource.as_ref()))
}

/// What tells one request from others. The id alone does not: a client may choose it.
type Identity<'f> = (&'f str, &'f str, &'f str);

fn identity(fact: &Fact) -> Identity<'_> {
    (&fact.audit_id, &fact.uri, &fact.actor.username)
}

/// The entries of each request that has several.
fn by_request<'l>(facts: &[&'l Fact]) -> HashMap<Identity<'l>, Vec<&'l Fact>> {
    let mut first = HashMap::with_capacity(facts.len());
    let mut requests = HashMap::new();
    for fact in facts.iter().copied() {
        match first.entry(identity(fact)) {
            Entry::Vacant(new) => {
                new.insert(fact);
            }
            Entry::Occupied(known) => {
                requests.entry(identity(fact)).or_insert_with(|| vec![*known.get()]).push(fact);
            }
        }
    }
    requests
}

/// Whether an entry only begins a request whose end is known, and told within the window: one answer a request.
fn is_superseded(fact: &Fact, stages: &[&Fact], window: Window) -> bool {
    let ends = |other: &&Fact| other.stage != "ResponseStarted" && window.holds(Some(other.counts_at()));
    fact.stage == "ResponseStarted" && stages.iter().any(ends)
}

fn done<'l>(inquiry: &Inquiry<'l>, ask: &Ask, request: &Request, deed: Deed<'l>) -> Answer {
    let Deed { fact, stages, told } = deed;
    let mut answer = fact.answer(&fact.key, fact.uid.as_deref(), Outcome::Succeeded);
    answer.question = ask.question.name;
    answer.certainty = told.certainty;
    if fact.component.is_some() {
        answer.chain = (request.behind)(inquiry, fact).iter().map(|link| inquiry.cause(link)).collect();
        answer.cause = answer.chain.last().cloned();
    }
    answer.token_minted = inquiry.minted(&fact.actor, fact.time);
    answer.text = tell::done(&answer, &told.did);
    answer.notes.extend(told.notes);
    answer.time = Some(fact.counts_at());
    let others = stages.iter().filter(|stage| stage.address != fact.address);
    answer.evidence = std::iter::once(&fact).chain(others).map(|fact| inquiry.evidence(fact)).collect();
    answer.evidence.extend(told.proof);
    answer
}

/// A request that belongs to the answer without being one.
fn besides<'l>(inquiry: &Inquiry<'l>, ask: &Ask, request: &Request, deed: Deed<'l>) -> Option<Answer> {
    match request.outcome {
        Outcome::Succeeded => Some(done(inquiry, ask, request, deed)),
        outcome => {
            let mut answer = tried(inquiry, ask, outcome, &[deed.fact])?;
            answer.certainty = deed.told.certainty;
            answer.notes.extend(deed.told.notes);
            Some(answer)
        }
    }
}

/// Requests of one user about one object that fared alike.
fn tried(inquiry: &Inquiry<'_>, ask: &Ask, outcome: Outcome, facts: &[&Fact]) -> Option<Answer> {
    let last = facts.last().copied()?;
    let mut answer = last.answer(&last.key, last.uid.as_deref(), outcome);
    answer.question = ask.question.name;
    answer.attempts = tell::counts(outcome, facts.len() as u64);
    let infinitive = Some(ask.question.infinitive).filter(|infinitive| !infinitive.is_empty());
    answer.text = tell::refused(last, infinitive, outcome, facts.len() as u64);
    answer.evidence = tell::newest(facts).map(|fact| inquiry.evidence(fact)).collect();
    answer.notes.extend(tell::left_out(facts.len()));
    Some(answer)
}
