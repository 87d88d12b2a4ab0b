use proptest::prelude::*;
use serde_json::json;

use super::shape::{Case, Party, Shape};
use super::*;
use crate::question::needs::{Known, On, Who};
use crate::question::{QUESTIONS, Question, named};

fn with_rules(rules: serde_json::Value) -> Policy {
    let mut value = json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy"});
    value["rules"] = rules;
    let policy: Policy = serde_json::from_value(value).unwrap();
    assert_eq!(policy.check(), Vec::<String>::new());
    policy
}

fn asked(names: &[&str]) -> Vec<&'static Question> {
    names.iter().map(|name| named(name).unwrap()).collect()
}

const ALICE: User<'_> = User { name: "alice", groups: &["sre", "system:authenticated"] };

fn eviction<'a>() -> Request<'a> {
    Request {
        user: Some(ALICE),
        verb: "create",
        namespace: "shop",
        resource: "pods",
        subresource: "eviction",
        name: "web-1",
        ..Request::default()
    }
}

/// What the API server's own code makes of resources (checker.go, `ruleMatchesResource`).
#[test]
fn resources_are_spelled_in_six_ways() {
    let matches = |own: &str, resource, subresource| {
        let rules = json!([{"level": "Metadata", "resources": [{"group": "", "resources": [own]}]}]);
        let request = Request { resource, subresource, ..eviction() };
        with_rules(rules).decide(&request).rule.is_some()
    };
    for (own, pods, evictions, other_evictions) in [
        ("*", true, true, true),
        ("pods", true, false, false),
        ("pods/eviction", false, true, false),
        ("pods/*", true, true, false),
        ("*/eviction", false, true, true),
        ("*/*", false, false, false),
        ("pods/", false, false, false),
        ("pod", false, false, false),
    ] {
        let found =
            [matches(own, "pods", ""), matches(own, "pods", "eviction"), matches(own, "whales", "eviction")];
        assert_eq!(found, [pods, evictions, other_evictions], "{own}");
    }
}

#[test]
fn the_first_rule_that_matches_decides() {
    let decided = |rules, request: &Request<'_>| {
        let Decision { rule, level } = with_rules(rules).decide(request);
        (rule, level)
    };
    let all = json!({"level": "Metadata"});
    for (first, request, is_first) in [
        (json!({"level": "None", "users": ["alice"]}), eviction(), true),
        (json!({"level": "None", "users": ["alic"]}), eviction(), false),
        (json!({"level": "None", "users": ["alice"]}), Request { user: None, ..eviction() }, false),
        (json!({"level": "None", "userGroups": ["ops", "sre"]}), eviction(), true),
        (json!({"level": "None", "userGroups": ["sre"]}), Request { user: None, ..eviction() }, false),
        (json!({"level": "None", "users": ["bob"], "userGroups": ["sre"]}), eviction(), false),
        (json!({"level": "None", "verbs": ["create"]}), eviction(), true),
        (json!({"level": "None", "verbs": ["Create"]}), eviction(), false),
        (json!({"level": "None", "namespaces": ["shop"]}), eviction(), true),
        (json!({"level": "None", "namespaces": [""]}), eviction(), false),
        (json!({"level": "None", "namespaces": [""]}), Request { namespace: "", ..eviction() }, true),
        (json!({"level": "None", "nonResourceURLs": ["*"]}), eviction(), false),
        (json!({"level": "None", "resources": [{"group": "apps"}]}), eviction(), false),
        (json!({"level": "None", "resources": [{"group": ""}]}), eviction(), true),
        (
            json!({"level": "None", "resources": [{"group": "", "resources": ["pods/*"], "resourceNames": ["web-1"]}]}),
            eviction(),
            true,
        ),
        (
            json!({"level": "None", "resources": [{"group": "", "resources": ["pods/*"], "resourceNames": ["web-2"]}]}),
            eviction(),
            false,
        ),
    ] {
        let expected = if is_first { (Some(0), Level::None) } else { (Some(1), Level::Metadata) };
        assert_eq!(decided(json!([first, all]), &request), expected, "{first}");
        let alone = if is_first { Some(0) } else { None };
        assert_eq!(decided(json!([first]), &request), (alone, Level::None), "{first}");
    }
}

#[test]
fn faults_are_named_with_their_rules() {
    let policy: Policy = serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"},
        "rules": [
            {"level": "None", "nonResourceURLs": ["/a*", "*", "b", "/c*d", "/e**"]},
            {"level": "None", "nonResourceURLs": ["/a"], "namespaces": ["x"]},
            {"level": "None", "resources": [{"group": "apps/v1"}, {"group": "", "resourceNames": ["x"]}]},
        ]
    }))
    .unwrap();
    let faults = policy.check();
    let starts: Vec<&str> = faults.iter().map(|fault| &fault[..22]).collect();
    assert_eq!(
        starts,
        [
            "it is v1 ConfigMap, no",
            "rule 1: nonResourceURL",
            "rule 1: nonResourceURL",
            "rule 1: nonResourceURL",
            "rule 2: a rule is abou",
            "rule 3: \"apps/v1\" is n",
            "rule 3: resourceNames "
        ],
        "{faults:#?}"
    );
    let empty = Policy::new(Vec::new(), Vec::new());
    assert_eq!(empty.check(), ["it has no rules, and API servers refuse that"]);
}

#[test]
fn what_is_not_known_is_refused() {
    for (value, said) in [
        (json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rule": []}), "unknown field `rule`"),
        (
            json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "None", "verb": []}]}),
            "`verb`",
        ),
        (
            json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "metadata"}]}),
            "`metadata`",
        ),
        (
            json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"users": []}]}),
            "missing field `level`",
        ),
        (
            json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["Received"]}),
            "`Received`",
        ),
        (json!({"kind": "Policy", "rules": []}), "`apiVersion`"),
    ] {
        let error = serde_json::from_value::<Policy>(value.clone()).unwrap_err().to_string();
        assert!(error.contains(said), "{value}: {error}");
    }
}

#[test]
fn a_policy_of_all_bodies_answers_everything_and_says_what_it_gives_away() {
    let review =
        review(&with_rules(json!([{"level": "RequestResponse"}])), &QUESTIONS.iter().collect::<Vec<_>>());
    assert!(review.is_enough());
    assert!(
        review.questions.iter().flat_map(|question| &question.needs).all(|need| need.met == Verdict::Yes)
    );
    assert_eq!(review.excess.len(), 4, "{:?}", review.excess);
}

#[test]
fn a_policy_of_nothing_answers_nothing() {
    let review = review(&with_rules(json!([{"level": "None"}])), &QUESTIONS.iter().collect::<Vec<_>>());
    assert!(review.questions.iter().all(|question| question.verdict == Verdict::No));
    assert_eq!(review.excess, []);
}

fn verdict(policy: &Policy, question: &str) -> Verdict {
    review(policy, &asked(&[question])).questions[0].verdict
}

#[test]
fn exceptions_count_unless_they_are_of_components() {
    let except = |rule: serde_json::Value| with_rules(json!([rule, {"level": "Metadata"}]));
    for (rule, expected) in [
        (json!({"level": "None", "users": ["system:apiserver"]}), Verdict::Yes),
        (json!({"level": "None", "userGroups": ["system:nodes"]}), Verdict::Yes),
        (
            json!({"level": "None", "users": ["system:serviceaccount:kube-system:endpoint-controller"]}),
            Verdict::Yes,
        ),
        (json!({"level": "None", "users": ["system:serviceaccount:kube-system:tiller"]}), Verdict::Partly),
        (json!({"level": "None", "users": ["system:apiserver", "bob"]}), Verdict::Partly),
        (json!({"level": "None", "userGroups": ["system:authenticated"]}), Verdict::No),
        (json!({"level": "None", "namespaces": ["lab"]}), Verdict::Partly),
        (json!({"level": "None", "resources": [{"group": "", "resources": ["events"]}]}), Verdict::Yes),
        (json!({"level": "None", "resources": [{"group": "apps"}]}), Verdict::Partly),
        (json!({"level": "None", "nonResourceURLs": ["*"]}), Verdict::Yes),
        (json!({"level": "Metadata", "omitStages": ["ResponseComplete"]}), Verdict::No),
    ] {
        assert_eq!(verdict(&except(rule.clone()), "read"), expected, "{rule}");
    }
    // Where a component is the one that matters, leaving it out counts.
    let rules = json!([{"level": "None", "userGroups": ["system:nodes"]}, {"level": "RequestResponse"}]);
    assert_eq!(verdict(&with_rules(rules), "evicted"), Verdict::Partly);
}

#[test]
fn failed_logins_need_their_only_stage() {
    let omitting = json!([{"level": "Metadata", "omitStages": ["ResponseStarted"]}]);
    assert_eq!(verdict(&with_rules(omitting), "denied"), Verdict::Partly);
    let for_users =
        json!([{"level": "Metadata", "userGroups": ["system:authenticated", "system:unauthenticated"]}]);
    assert_eq!(verdict(&with_rules(for_users), "denied"), Verdict::Partly);
}

/// Puts in what a review says, until it has nothing more to say.
fn amended(mut policy: Policy, questions: &[&'static Question]) -> Policy {
    for _ in 0..60 {
        let found = review(&policy, questions);
        let lacking = found.questions.iter().flat_map(|question| &question.needs);
        let lacking = lacking.filter(|need| need.purpose != crate::question::needs::Purpose::Detail);
        let Some(deciding) = lacking
            .filter(|need| need.met != Verdict::Yes)
            .flat_map(|need| &need.decided)
            .find(|deciding| !deciding.enough && !deciding.only.is_of_components())
        else {
            return policy;
        };
        let change = deciding.change.as_ref().unwrap();
        let at = deciding.rule.map_or(policy.rules.len(), |rule| rule - 1);
        assert!(change.starts_with("put "), "{change}");
        let rules = parsed(change.split_once('\n').unwrap().1);
        policy.rules.splice(at..at, rules);
    }
    panic!("the changes do not come to an end");
}

/// Reads back the few forms in which rules are written.
fn parsed(yaml: &str) -> Vec<Rule> {
    let mut rules: Vec<serde_json::Map<String, serde_json::Value>> = Vec::new();
    for line in yaml.lines() {
        let line = line.trim();
        if let Some(level) = line.strip_prefix("- level: ") {
            rules.push(serde_json::Map::from_iter([("level".to_owned(), json!(level))]));
        } else if let Some(resources) = line.strip_prefix("- {group: ") {
            let json = format!("{{\"group\": {}", resources.replace("resources: ", "\"resources\": "));
            let value: serde_json::Value = serde_json::from_str(&json).unwrap();
            let list = rules.last_mut().unwrap().entry("resources").or_insert(json!([]));
            list.as_array_mut().unwrap().push(value);
        } else if let Some((field, list)) = line.split_once(": ") {
            let list = serde_json::from_str(list).unwrap();
            rules.last_mut().unwrap().insert(field.to_owned(), list);
        }
    }
    rules.into_iter().map(|rule| serde_json::from_value(serde_json::Value::Object(rule)).unwrap()).collect()
}

#[test]
fn what_a_review_says_to_change_makes_it_enough() {
    let all: Vec<&Question> = QUESTIONS.iter().collect();
    for rules in [
        json!([{"level": "None"}]),
        json!([{"level": "Metadata"}]),
        json!([{"level": "None", "resources": [{"group": "", "resources": ["events"]}]}, {"level": "Metadata"}]),
        json!([{"level": "Metadata", "resources": [{"group": "", "resources": ["secrets"]}]},
               {"level": "RequestResponse", "resources": [{"group": "apps"}]}]),
    ] {
        let amended = amended(with_rules(rules.clone()), &all);
        assert!(review(&amended, &all).is_enough(), "{rules}");
        let secrets =
            review(&amended, &all).excess.iter().any(|excess| excess.what == super::excess::SECRETS);
        assert!(!secrets, "{rules}: {amended:#?}");
    }
}

fn assert_smallest(questions: &[&'static Question]) {
    let Draft { policy, reasons } = smallest(questions);
    let names: Vec<&str> = questions.iter().map(|question| question.name).collect();
    let whole = review(&policy, questions);
    assert!(whole.is_enough() && whole.excess.is_empty(), "{names:?}: {:?}", whole.excess);
    assert_eq!(reasons.len(), policy.rules.len());
    assert!(reasons.iter().all(|reasons| !reasons.is_empty()), "{names:?}");
    for rule in 0..policy.rules.len() {
        let mut without = policy.clone();
        without.rules.remove(rule);
        let found = review(&without, questions);
        assert!(!found.is_enough() || !found.excess.is_empty(), "{names:?}: rule {} is not needed", rule + 1);
    }
}

#[test]
fn the_smallest_policy_of_each_question_is_enough_and_no_more() {
    for question in QUESTIONS {
        assert_smallest(&[question]);
    }
    assert_smallest(&QUESTIONS.iter().collect::<Vec<_>>());
}

/// A user, a namespace and a name that a policy may or may not name.
fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["alice", "bob", "system:node:n1", "system:apiserver", "shop", "lab", ""])
        .prop_map(str::to_owned)
}

fn rule() -> impl Strategy<Value = Rule> {
    let words = || prop::collection::vec(word(), 0..3);
    let level =
        prop::sample::select(vec![Level::None, Level::Metadata, Level::Request, Level::RequestResponse]);
    let groups = prop::collection::vec(
        prop::sample::select(vec!["sre", "system:nodes", "system:authenticated"]).prop_map(str::to_owned),
        0..2,
    );
    let verbs = prop::collection::vec(
        prop::sample::select(vec!["create", "get", "delete"]).prop_map(str::to_owned),
        0..2,
    );
    let resource = prop::sample::select(vec!["pods", "pods/*", "*", "*/eviction", "nodes", "namespaces"]);
    let of_group = (prop::sample::select(vec!["", "apps"]), prop::collection::vec(resource, 0..3), words());
    let resources = prop::collection::vec(
        of_group.prop_map(|(group, resources, resource_names)| GroupResources {
            group: group.to_owned(),
            resources: resources.into_iter().map(str::to_owned).collect(),
            resource_names,
        }),
        0..2,
    );
    (level, words(), groups, verbs, resources, words()).prop_map(
        |(level, users, user_groups, verbs, resources, namespaces)| Rule {
            level,
            users,
            user_groups,
            verbs,
            resources,
            namespaces,
            non_resource_urls: Vec::new(),
            omit_stages: Vec::new(),
            omit_managed_fields: None,
        },
    )
}

/// Whether a request is within a case's limits.
fn is_within(case: &Case, request: &Request<'_>) -> bool {
    let holds = |list: &[String], word: &str| list.is_empty() || list.iter().any(|own| own == word);
    let user = request.user.unwrap();
    let in_group = case.limits.user_groups.is_empty()
        || case.limits.user_groups.iter().any(|group| user.groups.contains(&group.as_str()));
    in_group
        && holds(&case.limits.users, user.name)
        && holds(&case.limits.namespaces, request.namespace)
        && holds(&case.limits.names, request.name)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The cases of a shape tell of every request of that shape which rule decides it.
    #[test]
    fn cases_agree_with_the_rules(
        rules in prop::collection::vec(rule(), 1..6),
        who in prop::sample::select(vec!["alice", "carol", "node"]),
        namespace in prop::sample::select(vec!["shop", "lab", "prod"]),
        verb in prop::sample::select(vec!["create", "get", "delete"]),
        (resource, subresource) in prop::sample::select(vec![("pods", ""), ("pods", "eviction"), ("nodes", ""), ("namespaces", "")]),
        name in prop::sample::select(vec!["shop", "other"]),
    ) {
        const NODE: &Known = &Known { name: "system:node:*", groups: &["system:nodes", "system:authenticated"] };
        let policy = Policy::new(Vec::new(), rules);
        let (party, user) = match who {
            "node" => (Party::Known(NODE), User { name: "system:node:n1", groups: NODE.groups }),
            "alice" => (Party::Anyone, ALICE),
            name => (Party::Anyone, User { name, groups: &["system:authenticated"] }),
        };
        let shape = Shape { who: party, verb, group: "", resource, subresource };
        let is_named = verb != "create" || !subresource.is_empty();
        let request = Request {
            user: Some(user),
            verb,
            namespace: if shape.is_namespaced() { namespace } else { "" },
            group: "",
            resource,
            subresource,
            name: if is_named { name } else { "" },
        };
        let cases = policy.cases(&shape);
        let case = cases.iter().find(|case| is_within(case, &request)).unwrap();
        prop_assert_eq!(case.rule, policy.decide(&request).rule);
        prop_assert!(cases.last().unwrap().limits.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_smallest_policy_of_any_questions_is_enough_and_no_more(
        questions in prop::sample::subsequence(QUESTIONS.iter().collect::<Vec<_>>(), 2..6)
    ) {
        assert_smallest(&questions);
    }
}

#[test]
fn every_need_is_about_some_request() {
    for need in QUESTIONS.iter().flat_map(|question| question.needs) {
        assert!(Shape::of(need).next().is_some());
        let every = matches!(need.on, On::Every);
        assert_eq!(Shape::of(need).any(|shape| shape.group == "custom.invalid"), every);
        assert!(!matches!(need.who, Who::Known([])));
    }
}
