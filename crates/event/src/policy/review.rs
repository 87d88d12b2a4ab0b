//! What a policy lets be answered, question by question.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::policy::excess::{Excess, excess};
use crate::policy::shape::{Case, Limits, Party, Shape};
use crate::policy::{Level, Policy, Rule, Stage, change};
use crate::question::Question;
use crate::question::needs::{Known, Need, On, Purpose, Who};

/// Whether a question can be answered, or a need is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// In full.
    Yes,
    /// In part, or for some requests alone.
    Partly,
    /// Not at all.
    No,
}

impl Verdict {
    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Partly => "partly",
            Self::No => "no",
        }
    }
}

/// What came of holding a policy against questions.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// The questions, in the order given.
    pub questions: Vec<QuestionReview>,
    /// What the policy records that it had better not.
    pub excess: Vec<Excess>,
}

impl Review {
    /// Whether every question can be answered in full.
    pub fn is_enough(&self) -> bool {
        self.questions.iter().all(|question| question.verdict == Verdict::Yes)
    }
}

/// What a policy means for one question.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QuestionReview {
    /// The question's name.
    pub question: &'static str,
    /// `yes` if all is recorded but for details, `no` if nothing essential is, `partly` otherwise.
    pub verdict: Verdict,
    /// What the question needs, and whether it is recorded.
    pub needs: Vec<NeedReview>,
}

/// Whether what a question needs is recorded.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NeedReview {
    /// What it is for.
    pub purpose: Purpose,
    /// What it shows, in words.
    pub shows: &'static str,
    /// Whose requests; none means anybody's, or that of nobody where authentication failed.
    pub users: Vec<&'static str>,
    /// Verbs; none means all.
    pub verbs: &'static [&'static str],
    /// Resources with their subresource, as `pods/status` or `deployments.apps`; `None` for every kind.
    pub resources: Option<Vec<String>>,
    /// The least level.
    pub level: Level,
    /// The stage whose entry is needed.
    pub stage: Stage,
    /// Whether it is recorded.
    pub met: Verdict,
    /// The rules that decide it, by number.
    pub decided: Vec<Deciding>,
}

/// What one rule does with some of the requests that are needed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deciding {
    /// The rule's number, the first being 1; `None` where no rule matches.
    pub rule: Option<usize>,
    /// The rule in short.
    pub excerpt: String,
    /// The level it records them at.
    pub level: Level,
    /// Whether it omits the stage that is needed.
    pub omitted: bool,
    /// Whether that is enough.
    pub enough: bool,
    /// Which of the needed requests it is about: all of these parts of Kubernetes; none means anybody.
    pub users: Vec<&'static str>,
    /// Their verbs.
    pub verbs: Vec<&'static str>,
    /// Their resources, as above; `custom resources` stands for what is not built in.
    pub resources: Vec<String>,
    /// Which of those alone, where the rule does not match all.
    pub only: Limits,
    /// What to do about it: a sentence, and YAML below it where rules are to be put in.
    pub change: Option<String>,
}

/// Holds a policy against what questions need.
pub fn review(policy: &Policy, questions: &[&'static Question]) -> Review {
    let questions = questions.iter().map(|question| {
        let needs: Vec<NeedReview> = question.needs.iter().map(|need| held_against(policy, need)).collect();
        QuestionReview { question: question.name, verdict: verdict(&needs), needs }
    });
    Review { questions: questions.collect(), excess: excess(policy) }
}

fn verdict(needs: &[NeedReview]) -> Verdict {
    let mut essential = needs.iter().filter(|need| need.purpose == Purpose::Essential);
    let mut asked = needs.iter().filter(|need| need.purpose != Purpose::Detail);
    if asked.all(|need| need.met == Verdict::Yes) {
        Verdict::Yes
    } else if essential.all(|need| need.met == Verdict::No) {
        Verdict::No
    } else {
        Verdict::Partly
    }
}

/// The level that is asked for: bodies of secrets belong in no log.
pub(super) fn level(need: &Need, shape: &Shape) -> Level {
    if (shape.group, shape.resource) == ("", "secrets") {
        need.level.min(Level::Metadata)
    } else {
        need.level
    }
}

impl Policy {
    /// Whether requests are recorded, whoever sends them, wherever and about whatever name; but for those of parts of
    /// Kubernetes, where anybody's are meant.
    pub(super) fn records(&self, shape: &Shape, level: Level, stage: Stage) -> bool {
        self.cases(shape).iter().all(|Case { rule, limits }| {
            let aside = shape.who == Party::Anyone && limits.is_of_components();
            aside || self.level_of(*rule) >= level && !self.omits(*rule, stage)
        })
    }
}

/// What one rule does, while the requests that it does it with are gathered.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) parties: Vec<&'static Known>,
    pub(super) verbs: BTreeSet<&'static str>,
    pub(super) kinds: BTreeSet<(&'static str, &'static str, &'static str)>,
    pub(super) level: Option<Level>,
}

impl Gathered {
    fn add(&mut self, shape: &Shape, level: Level) {
        if let Party::Known(known) = shape.who
            && !self.parties.contains(&known)
        {
            self.parties.push(known);
        }
        self.verbs.insert(shape.verb);
        self.kinds.insert((shape.group, shape.resource, shape.subresource));
        self.level = self.level.max(Some(level));
    }
}

fn held_against(policy: &Policy, need: &Need) -> NeedReview {
    let mut cases: BTreeMap<(usize, Limits, bool), Gathered> = BTreeMap::new();
    let counts = |limits: &Limits| !matches!(need.who, Who::Anyone) || !limits.is_of_components();
    for shape in Shape::of(need) {
        let wanted = level(need, &shape);
        for Case { rule, limits } in policy.cases(&shape) {
            let enough = policy.level_of(rule) >= wanted && !policy.omits(rule, need.stage);
            let place = rule.unwrap_or(policy.rules.len());
            cases.entry((place, limits, enough)).or_default().add(&shape, wanted);
        }
    }
    let lacking = cases.keys().any(|(_, limits, enough)| !enough && counts(limits));
    let some = cases.keys().any(|(_, limits, enough)| *enough && counts(limits));
    let met = match (lacking, some) {
        (false, _) => Verdict::Yes,
        (true, true) => Verdict::Partly,
        (true, false) => Verdict::No,
    };
    let decided = cases.into_iter().map(|((place, limits, enough), gathered)| {
        deciding(policy, need, (place < policy.rules.len()).then_some(place), limits, enough, &gathered)
    });
    NeedReview {
        purpose: need.purpose,
        shows: need.shows,
        users: match need.who {
            Who::Known(users) => users.iter().map(|user| user.name).collect(),
            Who::Anyone | Who::Nobody => Vec::new(),
        },
        verbs: need.verbs,
        resources: match need.on {
            On::Every => None,
            On::Kinds(kinds) => Some(spelled(kinds.iter().flat_map(|(group, resource)| {
                need.subresources.iter().map(move |sub| (*group, *resource, *sub))
            }))),
        },
        level: need.level,
        stage: need.stage,
        met,
        decided: decided.collect(),
    }
}

fn deciding(
    policy: &Policy,
    need: &Need,
    rule: Option<usize>,
    only: Limits,
    enough: bool,
    gathered: &Gathered,
) -> Deciding {
    let level = policy.level_of(rule);
    let omitted = policy.omits(rule, need.stage);
    let change = (!enough).then(|| change::change(policy, need, rule, &only, gathered));
    Deciding {
        rule: rule.map(|rule| rule + 1),
        excerpt: excerpt(policy, rule),
        level,
        omitted,
        enough,
        users: gathered.parties.iter().map(|known| known.name).collect(),
        verbs: gathered.verbs.iter().copied().collect(),
        resources: spelled(gathered.kinds.iter().copied()),
        only,
        change,
    }
}

/// `pods/status`, `deployments.apps/scale`, as kubectl writes them.
fn spelled(kinds: impl Iterator<Item = (&'static str, &'static str, &'static str)>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (group, resource, subresource) in kinds {
        let dot = if group.is_empty() { "" } else { "." };
        let slash = if subresource.is_empty() { "" } else { "/" };
        let name = if (group, resource) == super::shape::CUSTOM {
            format!("custom resources{slash}{subresource}")
        } else {
            format!("{resource}{dot}{group}{slash}{subresource}")
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// A rule in short, or that there is none.
pub(super) fn excerpt(policy: &Policy, rule: Option<usize>) -> String {
    let rule = rule.and_then(|rule| policy.rules.get(rule));
    rule.map_or_else(|| "no rule matches, so nothing is recorded".to_owned(), Rule::excerpt)
}
