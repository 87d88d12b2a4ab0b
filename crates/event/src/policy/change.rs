//! What to change in a policy that records too little.

use crate::policy::draft::{by, grouped, guard};
use crate::policy::review::Gathered;
use crate::policy::shape::{CUSTOM, Limits, Party, Shape};
use crate::policy::{Level, Policy, Rule, yaml};
use crate::question::needs::Need;

/// What to do so that requests which a rule (or none) records too little of are recorded.
pub(super) fn change(
    policy: &Policy,
    need: &Need,
    rule: Option<usize>,
    only: &Limits,
    gathered: &Gathered,
) -> String {
    let wanted = gathered.level.unwrap_or(need.level);
    if policy.level_of(rule) >= wanted {
        let stage = need.stage;
        return match rule {
            Some(rule) if !policy.omit_stages.contains(&stage) => {
                format!("take {stage:?} out of omitStages of rule {}", rule + 1)
            }
            _ => format!("take {stage:?} out of the policy's omitStages"),
        };
    }
    let place = match rule {
        Some(rule) => format!("put before rule {}:", rule + 1),
        None => "put at the end:".to_owned(),
    };
    let mut lines = vec![place];
    for rule in raising(policy, need, rule, only, gathered) {
        lines.extend(yaml::rule(&rule));
    }
    lines.join("\n")
}

/// The rules that raise the level of just those requests.
fn raising(
    policy: &Policy,
    need: &Need,
    rule: Option<usize>,
    only: &Limits,
    gathered: &Gathered,
) -> Vec<Rule> {
    let any_kind = gathered.kinds.iter().any(|(group, resource, _)| (*group, *resource) == CUSTOM);
    let (secret, open): (Vec<_>, Vec<_>) = gathered
        .kinds
        .iter()
        .copied()
        .partition(|(group, resource, _)| (*group, *resource) == ("", "secrets"));
    let verbs: Vec<String> = if need.verbs.is_empty() {
        Vec::new()
    } else {
        gathered.verbs.iter().map(ToString::to_string).collect()
    };
    let of_all = by(need.level, &gathered.parties);
    let limited = Rule {
        users: if only.users.is_empty() { of_all.users.clone() } else { only.users.clone() },
        user_groups: if only.user_groups.is_empty() {
            of_all.user_groups.clone()
        } else {
            only.user_groups.clone()
        },
        namespaces: only.namespaces.clone(),
        verbs,
        ..of_all
    };
    let mut rules = Vec::new();
    let bodies = need.level > Level::Metadata;
    let lets_secrets_in = any_kind
        && bodies
        && gathered.verbs.iter().any(|verb| {
            let shape = Shape { who: Party::Anyone, verb, group: "", resource: "secrets", subresource: "" };
            policy.cases(&shape).iter().any(|case| case.rule == rule)
        });
    if lets_secrets_in || bodies && !secret.is_empty() {
        rules.push(guard(Level::Metadata, &[("", "secrets")]));
    }
    if any_kind {
        rules.push(limited);
        return rules;
    }
    let named = if bodies { open } else { gathered.kinds.iter().copied().collect() };
    if !named.is_empty() {
        rules.push(Rule { resources: grouped(named.into_iter()), ..limited });
    }
    rules
}
