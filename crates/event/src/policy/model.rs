//! What stands in an audit policy.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// The versions of the API group that a policy may be written in. All of them have the same fields; API servers before
/// 1.24 read all three, newer ones v1 alone.
const VERSIONS: &[&str] = &["audit.k8s.io/v1", "audit.k8s.io/v1beta1", "audit.k8s.io/v1alpha1"];

/// More rules than this are refused: real policies have some twenty.
const MOST_RULES: usize = 1_000;

/// More users, groups, verbs, resources, namespaces and names than this in all rules together are refused, so that
/// holding a policy against all questions stays quick.
const MOST_WORDS: usize = 20_000;

/// How much of a request is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub enum Level {
    /// Nothing.
    None,
    /// Who, what and when, without bodies.
    Metadata,
    /// The body of the request too.
    Request,
    /// The bodies of the request and of the response too.
    RequestResponse,
}

/// A stage of a request's handling, each of which may make an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub enum Stage {
    /// The request came in.
    RequestReceived,
    /// The response's header was sent: long-running requests, and those whose authentication failed.
    ResponseStarted,
    /// The response was sent.
    ResponseComplete,
    /// The API server panicked.
    Panic,
}

/// An audit policy. A field that is not known is an error: a misspelt one is a hole.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// `audit.k8s.io/v1`, or an older version of that group.
    pub api_version: String,
    /// `Policy`.
    pub kind: String,
    #[serde(default, rename = "metadata")]
    _metadata: IgnoredAny,
    /// Stages that make no entry, whatever the rule.
    #[serde(default)]
    pub omit_stages: Vec<Stage>,
    /// Whether bodies are recorded without `managedFields`. No question looks at these.
    #[serde(default)]
    pub omit_managed_fields: bool,
    /// The rules, of which the first that matches decides.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

/// A rule of an audit policy. An empty list matches everything.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// How much is recorded.
    pub level: Level,
    /// Names of users, compared as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Groups, of which the user must be in one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub user_groups: Vec<String>,
    /// Verbs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verbs: Vec<String>,
    /// Resources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<GroupResources>,
    /// Namespaces; what is in none has the empty one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Paths that are no resources; a last `*` stands for anything.
    #[serde(default, rename = "nonResourceURLs", skip_serializing_if = "Vec::is_empty")]
    pub non_resource_urls: Vec<String>,
    /// Stages that make no entry, besides those of the policy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub omit_stages: Vec<Stage>,
    /// As in the policy, for this rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub omit_managed_fields: Option<bool>,
}

/// Resources of one API group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupResources {
    /// The API group; empty is the core group.
    #[serde(default)]
    pub group: String,
    /// `pods`, `pods/log`, `pods/*` (pods and all their subresources), `*/scale`, or `*`; none means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// Names of objects; none means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource_names: Vec<String>,
}

impl Policy {
    /// A policy of today's version.
    pub fn new(omit_stages: Vec<Stage>, rules: Vec<Rule>) -> Self {
        Self {
            api_version: VERSIONS.first().copied().unwrap_or_default().to_owned(),
            kind: "Policy".to_owned(),
            _metadata: IgnoredAny,
            omit_stages,
            omit_managed_fields: false,
            rules,
        }
    }

    /// Finds what an API server would refuse to start with, as far as the fields' types don't exclude it
    /// ([validation.go](https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/apis/audit/validation/validation.go),
    /// [reader.go](https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/audit/policy/reader.go)).
    /// One sentence a fault; none means that the policy is valid.
    pub fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !VERSIONS.contains(&self.api_version.as_str()) || self.kind != "Policy" {
            faults.push(format!(
                "it is {} {}, not a Policy of audit.k8s.io/v1: give the file that --audit-policy-file names",
                self.api_version, self.kind
            ));
        }
        if self.rules.is_empty() {
            faults.push("it has no rules, and API servers refuse that".to_owned());
        }
        if self.rules.len() > MOST_RULES {
            faults
                .push(format!("it has {} rules, more than the {MOST_RULES} that are read", self.rules.len()));
        }
        let words: usize = self.rules.iter().map(Rule::words).sum();
        if words > MOST_WORDS {
            faults.push(format!("its lists have {words} elements, more than the {MOST_WORDS} that are read"));
        }
        for (index, rule) in self.rules.iter().enumerate() {
            faults.extend(rule.faults().into_iter().map(|fault| format!("rule {}: {fault}", index + 1)));
        }
        faults
    }

    /// Whether today's API servers read this version of the policy.
    pub fn is_current(&self) -> bool {
        VERSIONS.first() == Some(&self.api_version.as_str())
    }
}

/// How many letters of a rule are shown.
const EXCERPT: usize = 100;

impl Rule {
    /// The rule in short: its level and what it matches, cut where it is long. Holds text of the policy as it is: not
    /// for a terminal.
    pub fn excerpt(&self) -> String {
        let resources: Vec<String> = self.resources.iter().map(GroupResources::excerpt).collect();
        let parts = [
            ("", &self.verbs),
            (" on", &resources),
            (" by", &self.users),
            (" by group", &self.user_groups),
            (" in", &self.namespaces),
            (" on", &self.non_resource_urls),
        ];
        let mut text = format!("{:?}", self.level);
        for (word, list) in parts.iter().filter(|(_, list)| !list.is_empty()) {
            text = format!("{text}{word} {}", list.join(", "));
        }
        match text.char_indices().nth(EXCERPT) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text,
        }
    }

    /// How many elements its lists have.
    fn words(&self) -> usize {
        let resources = self.resources.iter().map(|own| 1 + own.resources.len() + own.resource_names.len());
        let lists = [&self.users, &self.user_groups, &self.verbs, &self.namespaces, &self.non_resource_urls];
        resources.sum::<usize>() + lists.iter().map(|list| list.len()).sum::<usize>()
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.non_resource_urls.is_empty() && (!self.resources.is_empty() || !self.namespaces.is_empty()) {
            faults.push("a rule is about resources or about nonResourceURLs, not about both".to_owned());
        }
        for url in self.non_resource_urls.iter().filter(|url| *url != "*") {
            let stars_inside = url.strip_suffix('*').unwrap_or(url).contains('*');
            if !url.starts_with('/') || stars_inside {
                faults.push(format!(
                    "nonResourceURLs: {url:?} must begin with / and may have one * at its end"
                ));
            }
        }
        for resources in &self.resources {
            if !is_group(&resources.group) {
                faults.push(format!("{:?} is no API group: write it without version", resources.group));
            }
            if resources.resources.is_empty() && !resources.resource_names.is_empty() {
                faults.push("resourceNames need resources beside them".to_owned());
            }
        }
        faults
    }
}

impl GroupResources {
    /// As kubectl writes resources: `pods, deployments.apps`; `*.apps` for all of a group.
    fn excerpt(&self) -> String {
        let dot = if self.group.is_empty() { "" } else { "." };
        let spelled = |resource: &str| match resource.split_once('/') {
            Some((of, sub)) => format!("{of}{dot}{}/{sub}", self.group),
            None => format!("{resource}{dot}{}", self.group),
        };
        match (self.resources.as_slice(), self.group.as_str()) {
            ([], "") => "all of the core group".to_owned(),
            ([], group) => format!("*.{group}"),
            (resources, _) => resources.iter().map(|own| spelled(own)).collect::<Vec<_>>().join(", "),
        }
    }
}

/// A DNS subdomain, or the core group's empty name.
fn is_group(name: &str) -> bool {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.is_empty() || name.len() <= 253 && name.split('.').all(is_label)
}
