//! Rules to write: the smallest policy for some questions, and what to put into another.

use std::collections::BTreeSet;

use crate::policy::excess::excess;
use crate::policy::review::level;
use crate::policy::shape::Shape;
use crate::policy::{GroupResources, Level, Policy, Rule, Stage, Verdict, review, yaml};
use crate::question::Question;
use crate::question::needs::{Known, Need, On, Purpose, Who};

/// A policy with the reasons for its rules.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The rules that matter. Without the last one that [`to_yaml`](Self::to_yaml) writes, which records nothing.
    pub policy: Policy,
    /// Why each of the rules is there, a line each.
    pub reasons: Vec<Vec<String>>,
}

/// What a rule before those that would record it keeps out of a log.
struct Guard {
    level: Level,
    /// API group, and resource with its subresource.
    resources: &'static [(&'static str, &'static str)],
}

const GUARDS: &[Guard] = &[
    Guard {
        level: Level::Metadata,
        resources: &[
            ("", "secrets"),
            ("", "serviceaccounts/token"),
            ("authentication.k8s.io", "tokenreviews"),
        ],
    },
    Guard { level: Level::None, resources: &[("", "events"), ("events.k8s.io", "events")] },
    Guard { level: Level::None, resources: &[("coordination.k8s.io", "leases")] },
];

/// The smallest policy that records enough for these questions, and neither secrets nor what no question looks at.
///
/// No rule of it can be left out: without it a question would not be answered in full, or too much be recorded.
pub fn smallest(questions: &[&'static Question]) -> Draft {
    let needs = questions.iter().flat_map(|question| question.needs);
    let rules = needs.filter(|need| need.purpose != Purpose::Detail).map(wished);
    let mut policy = blank(ordered(merged(rules.collect())));
    let wanted = wanted(questions);
    // Leaving out one thing may make another superfluous, so look again until all stay.
    while leave_out_rules(&mut policy, &wanted) || leave_out_words(&mut policy, &wanted) {}
    let reasons = (0..policy.rules.len()).map(|rule| reasons(&policy, rule, questions)).collect();
    Draft { policy, reasons }
}

fn blank(rules: Vec<Rule>) -> Policy {
    Policy::new(vec![Stage::RequestReceived], rules)
}

/// What must be recorded: the requests, at which level, in an entry of which stage.
type Wanted = BTreeSet<(Shape, Level, Stage)>;

fn wanted(questions: &[&'static Question]) -> Wanted {
    let needs = questions.iter().flat_map(|question| question.needs);
    let needs = needs.filter(|need| need.purpose != Purpose::Detail);
    needs.flat_map(|need| Shape::of(need).map(|shape| (shape, level(need, &shape), need.stage))).collect()
}

fn is_enough(policy: &Policy, wanted: &Wanted) -> bool {
    excess(policy).is_empty()
        && wanted.iter().all(|(shape, level, stage)| policy.records(shape, *level, *stage))
}

/// Whether a rule could be left out.
fn leave_out_rules(policy: &mut Policy, wanted: &Wanted) -> bool {
    let before = policy.rules.len();
    for at in (0..before).rev() {
        let without = leaving_out(policy, at);
        if is_enough(&without, wanted) {
            *policy = without;
        }
    }
    policy.rules.len() < before
}

/// Whether a word of a rule could be left out.
fn leave_out_words(policy: &mut Policy, wanted: &Wanted) -> bool {
    let mut found = false;
    for at in 0..policy.rules.len() {
        while let Some(less) = shorter(&policy.rules[at]).into_iter().find_map(|rule| {
            let mut less = policy.clone();
            less.rules[at] = rule;
            is_enough(&less, wanted).then_some(less)
        }) {
            *policy = less;
            found = true;
        }
    }
    found
}

/// The rule with one verb, user or resource less. The last one of a list stays: an empty list means everything.
fn shorter(rule: &Rule) -> Vec<Rule> {
    let mut shorter = Vec::new();
    let lists: [fn(&mut Rule) -> &mut Vec<String>; 2] = [|rule| &mut rule.verbs, |rule| &mut rule.users];
    for list in lists {
        let length = list(&mut rule.clone()).len();
        for at in (0..length).filter(|_| length > 1) {
            let mut rule = rule.clone();
            list(&mut rule).remove(at);
            shorter.push(rule);
        }
    }
    let named: usize = rule.resources.iter().map(|own| own.resources.len()).sum();
    for (group, own) in rule.resources.iter().enumerate().filter(|_| named > 1) {
        for at in 0..own.resources.len() {
            let mut rule = rule.clone();
            rule.resources[group].resources.remove(at);
            rule.resources.retain(|own| !own.resources.is_empty());
            shorter.push(rule);
        }
    }
    shorter
}

fn leaving_out(policy: &Policy, rule: usize) -> Policy {
    let mut without = policy.clone();
    without.rules.remove(rule);
    without
}

/// A rule that records what a need is about.
fn wished(need: &Need) -> Rule {
    let known = match need.who {
        Who::Known(users) => users.iter().collect(),
        Who::Anyone | Who::Nobody => Vec::new(),
    };
    let resources = match need.on {
        On::Every => Vec::new(),
        On::Kinds(kinds) => grouped(kinds.iter().flat_map(|(group, resource)| {
            need.subresources.iter().map(move |subresource| (*group, *resource, *subresource))
        })),
    };
    let verbs = need.verbs.iter().map(ToString::to_string).collect();
    Rule { verbs, resources, ..by(need.level, &known) }
}

/// A rule for the requests of these users. Whole groups are named by the group.
pub(super) fn by(level: Level, known: &[&Known]) -> Rule {
    let (of_groups, single): (Vec<&Known>, Vec<&Known>) =
        known.iter().partition(|known| known.name.ends_with('*'));
    let first_group = |known: &&Known| known.groups.first().map(ToString::to_string);
    Rule {
        level,
        users: single.iter().map(|known| known.name.to_owned()).collect(),
        user_groups: of_groups.iter().filter_map(first_group).collect(),
        verbs: Vec::new(),
        resources: Vec::new(),
        namespaces: Vec::new(),
        non_resource_urls: Vec::new(),
        omit_stages: Vec::new(),
        omit_managed_fields: None,
    }
}

/// Group, plural name and subresource as a rule lists them.
pub(super) fn grouped<'k>(kinds: impl Iterator<Item = (&'k str, &'k str, &'k str)>) -> Vec<GroupResources> {
    let mut groups: Vec<GroupResources> = Vec::new();
    for (group, resource, subresource) in kinds {
        let slash = if subresource.is_empty() { "" } else { "/" };
        let name = format!("{resource}{slash}{subresource}");
        match groups.iter_mut().find(|own| own.group == group) {
            Some(own) => own.resources.push(name),
            None => groups.push(GroupResources {
                group: group.to_owned(),
                resources: vec![name],
                ..GroupResources::default()
            }),
        }
    }
    groups
}

/// Rules that differ in their users alone, in their resources alone, or in their verbs alone, as one.
fn merged(rules: Vec<Rule>) -> Vec<Rule> {
    let by_users = united(rules, |rule| &mut rule.users, add_words);
    let by_resources = united(by_users, |rule| &mut rule.resources, add_resources);
    united(by_resources, |rule| &mut rule.verbs, add_words)
}

/// Rules that are alike but for one list, with what `add` makes of these lists. An empty one means everything, and is
/// like no other.
fn united<T: Clone + Default>(
    rules: Vec<Rule>,
    list: fn(&mut Rule) -> &mut Vec<T>,
    add: fn(&mut Vec<T>, Vec<T>),
) -> Vec<Rule> {
    let mut united: Vec<Rule> = Vec::new();
    for mut rule in rules {
        let more = std::mem::take(list(&mut rule));
        let without = &rule;
        let alike = |own: &&mut Rule| {
            let mut own: Rule = (**own).clone();
            std::mem::take(list(&mut own)).is_empty() == more.is_empty() && own == *without
        };
        if let Some(own) = united.iter_mut().find(alike) {
            add(list(own), more);
        } else {
            *list(&mut rule) = more;
            united.push(rule);
        }
    }
    united
}

fn add_words(own: &mut Vec<String>, more: Vec<String>) {
    for word in more {
        if !own.contains(&word) {
            own.push(word);
        }
    }
}

fn add_resources(own: &mut Vec<GroupResources>, more: Vec<GroupResources>) {
    for more in more {
        match own.iter_mut().find(|own| own.group == more.group) {
            Some(own) => add_words(&mut own.resources, more.resources),
            None => own.push(more),
        }
    }
    own.sort_by(|a, b| a.group.cmp(&b.group));
}

/// First what is wanted of resources that guards keep out, then the guards, then the rest: the higher level first, so
/// that of two rules for one request the better decides.
fn ordered(mut rules: Vec<Rule>) -> Vec<Rule> {
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.level));
    let (mut first, rest): (Vec<Rule>, Vec<Rule>) = rules.into_iter().partition(is_about_guarded);
    first.extend(GUARDS.iter().map(|own| guard(own.level, own.resources)));
    first.extend(rest);
    first
}

fn is_about_guarded(rule: &Rule) -> bool {
    let names = |group: &str, resource: &String| {
        GUARDS.iter().any(|guard| guard.resources.contains(&(group, resource.as_str())))
    };
    rule.resources.iter().any(|own| own.resources.iter().any(|resource| names(&own.group, resource)))
}

pub(super) fn guard(level: Level, kinds: &[(&str, &str)]) -> Rule {
    Rule {
        resources: grouped(kinds.iter().map(|(group, resource)| (*group, *resource, ""))),
        ..by(level, &[])
    }
}

/// What would be missing, or recorded in excess, without a rule.
fn reasons(policy: &Policy, rule: usize, questions: &[&'static Question]) -> Vec<String> {
    let without = review(&leaving_out(policy, rule), questions);
    let mut shown: Vec<(&str, BTreeSet<&str>)> = Vec::new();
    for question in &without.questions {
        let lacking =
            question.needs.iter().filter(|need| need.purpose != Purpose::Detail && need.met != Verdict::Yes);
        for need in lacking {
            match shown.iter_mut().find(|(shows, _)| *shows == need.shows) {
                Some((_, names)) => {
                    names.insert(question.question);
                }
                None => shown.push((need.shows, BTreeSet::from([question.question]))),
            }
        }
    }
    let needed = shown
        .into_iter()
        .map(|(shows, names)| format!("{}: {shows}", names.into_iter().collect::<Vec<_>>().join(", ")));
    let kept_out: BTreeSet<&str> = without.excess.iter().map(|excess| excess.what).collect();
    needed.chain(kept_out.into_iter().map(|what| format!("keeps out {what}"))).collect()
}

impl Draft {
    /// The policy as a file, with a comment a rule, and a last rule that records nothing else.
    pub fn to_yaml(&self) -> String {
        let mut lines = vec![
            "apiVersion: audit.k8s.io/v1".to_owned(),
            "kind: Policy".to_owned(),
            "omitStages: [\"RequestReceived\"]".to_owned(),
            "rules:".to_owned(),
        ];
        for (rule, reasons) in self.policy.rules.iter().zip(&self.reasons) {
            lines.extend(reasons.iter().map(|reason| format!("  # {reason}")));
            lines.extend(yaml::rule(rule).iter().map(|line| format!("  {line}")));
        }
        lines.push("  # nothing else".to_owned());
        lines.push("  - level: None".to_owned());
        lines.join("\n") + "\n"
    }
}
