//! What a question is asked about, as kubectl takes it: `pod/web-1`, `deploy/web`, `whales.example.com/moby`.

use std::fmt;

use crate::event::ObjectRef;
use crate::glob::Glob;
use crate::resource::Resource;

/// The objects that a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Plural resource name.
    pub resource: String,
    /// API groups of which any is meant; the core group is empty.
    pub groups: Vec<String>,
    /// Whether the objects live in namespaces; `None` for kinds that are not built in.
    pub namespaced: Option<bool>,
    /// Namespaces that are meant; `None` for all of them.
    pub namespace: Option<Glob>,
    /// Names that are meant.
    pub name: Glob,
    /// The one incarnation that is meant.
    pub uid: Option<String>,
}

/// Why a text names no target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetError {
    text: String,
    problem: String,
}

impl Target {
    /// Reads `KIND/NAME`, `KIND` or `KIND/*`; a name may hold `*`.
    ///
    /// KIND is a plural, a kind, a singular or a short name, alone or as `RESOURCE.GROUP` or `RESOURCE.VERSION.GROUP`.
    /// Without a group a built-in kind means all groups that ever served it; with one, that group alone. The version is
    /// not looked at: all versions of a group serve the same objects. What is not built in needs its plural and group.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let fail = |problem: String| TargetError { text: text.to_owned(), problem };
        if text.chars().any(char::is_control) {
            return Err(fail("it holds a control character".to_owned()));
        }
        let (kind, name) = text.split_once('/').unwrap_or((text, "*"));
        if name.is_empty() {
            return Err(fail("the name after `/` is missing".to_owned()));
        }
        if name.contains(',') {
            return Err(fail(
                "a target is one name or pattern; ask for each name by itself, or use `*`".to_owned(),
            ));
        }
        if name.contains('/') {
            return Err(fail("a name holds no `/`; a namespace is given with -n".to_owned()));
        }
        let (resource, groups, namespaced) = kind_of(kind).map_err(fail)?;
        Ok(Self { resource, groups, namespaced, namespace: None, name: Glob::new(name), uid: None })
    }

    /// The same objects in these namespaces alone; `None` is all. For what belongs to the cluster it changes nothing.
    #[must_use]
    pub fn in_namespace(mut self, namespace: Option<Glob>) -> Self {
        self.namespace = namespace;
        self
    }

    /// The same objects, of which only the incarnation `uid` is meant.
    #[must_use]
    pub fn with_uid(mut self, uid: Option<String>) -> Self {
        self.uid = uid;
        self
    }

    /// Whether the object with these names is meant. The incarnation is not looked at: few entries tell it.
    pub fn matches(&self, api_group: &str, resource: &str, namespace: &str, name: &str) -> bool {
        self.resource == resource
            && self.groups.iter().any(|group| group == api_group)
            && self.holds_namespace(namespace)
            && self.name.matches(name)
    }

    /// Whether the object of a reference is meant.
    pub fn matches_ref(&self, object: &ObjectRef<'_>) -> bool {
        self.matches(&object.api_group, &object.resource, &object.namespace, &object.name)
    }

    /// A namespace object's reference has its own name as namespace: what belongs to the cluster is in none. Of a kind
    /// that is not built in, an object without namespace belongs to the cluster.
    fn holds_namespace(&self, namespace: &str) -> bool {
        let Some(wanted) = &self.namespace else { return true };
        match self.namespaced {
            Some(false) => true,
            None if namespace.is_empty() => true,
            Some(true) | None => wanted.matches(namespace),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.resource)?;
        match self.groups.first() {
            Some(group) if !group.is_empty() => write!(f, ".{group}")?,
            _ => {}
        }
        write!(f, "/{}", self.name)?;
        match &self.namespace {
            Some(namespace) if self.namespaced != Some(false) => write!(f, " in namespace {namespace}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "can't read the target {:?}: {}\n  give KIND/NAME, such as pod/web-1, deploy/web or node/n1, or KIND alone \
             for all of them; NAME may hold `*`\n  for a custom resource give RESOURCE.GROUP/NAME, such as \
             whales.example.com/moby",
            self.text, self.problem
        )
    }
}

impl std::error::Error for TargetError {}

/// Resource, groups and scope of a kind as it is written; an error says what is wrong with it.
fn kind_of(kind: &str) -> Result<(String, Vec<String>, Option<bool>), String> {
    let (word, rest) = kind.split_once('.').map_or((kind, None), |(word, rest)| (word, Some(rest)));
    if word.is_empty() {
        return Err("the kind is missing".to_owned());
    }
    if kind.contains('*') {
        return Err("a kind holds no `*`".to_owned());
    }
    let known = Resource::named(word);
    match (known, rest.map(without_version)) {
        (Some(known), None | Some(None)) => {
            let groups = known.groups.iter().map(ToString::to_string).collect();
            Ok((known.plural.to_owned(), groups, Some(known.namespaced)))
        }
        (Some(known), Some(Some(group))) if known.groups.contains(&group) => {
            Ok((known.plural.to_owned(), vec![group.to_owned()], Some(known.namespaced)))
        }
        (_, Some(Some(group))) => Ok((word.to_ascii_lowercase(), vec![group.to_owned()], None)),
        (None, None | Some(None)) => Err(unknown(word)),
    }
}

/// The group of `VERSION.GROUP` or `GROUP`; `None` where there is none, as in `pods.v1`, `pods.v1.` and `pods.`.
fn without_version(rest: &str) -> Option<&str> {
    let (first, behind) = rest.split_once('.').unwrap_or((rest, ""));
    let group = if is_version(first) { behind } else { rest };
    (!group.is_empty()).then_some(group)
}

/// Whether a word is an API version, such as `v1` or `v2beta1`.
fn is_version(word: &str) -> bool {
    let Some(rest) = word.strip_prefix('v') else { return false };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let stage = rest.trim_end_matches(|c: char| c.is_ascii_digit());
    word.as_bytes().get(1).is_some_and(u8::is_ascii_digit)
        && (rest.is_empty() || (stage.len() < rest.len() && matches!(stage, "alpha" | "beta")))
}

/// What to say of a word that is no built-in kind.
fn unknown(word: &str) -> String {
    let near = Resource::all()
        .iter()
        .flat_map(|resource| [resource.plural.to_owned(), resource.singular()])
        .map(|name| (distance(&word.to_ascii_lowercase(), &name), name))
        .min()
        .filter(|(steps, name)| *steps <= 2 && steps * 3 < name.len());
    match near {
        Some((_, name)) => format!("{word:?} is no built-in kind; did you mean {name}?"),
        None => format!("{word:?} is no built-in kind"),
    }
}

/// How many letters to put in, take out or change between two words. Words longer than any kind are just far away.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 64 {
        return a.len();
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.bytes().enumerate() {
            let change = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn target(text: &str) -> Target {
        Target::parse(text).expect(text)
    }

    fn problem(text: &str) -> String {
        Target::parse(text).expect_err(text).to_string()
    }

    #[test]
    fn every_form_of_kubectl_is_read() {
        for (text, resource, groups, name) in [
            ("pod/x", "pods", &[""][..], "x"),
            ("pods/x", "pods", &[""], "x"),
            ("po/x", "pods", &[""], "x"),
            ("Pod/x", "pods", &[""], "x"),
            ("pods", "pods", &[""], "*"),
            ("pods/*", "pods", &[""], "*"),
            ("pods.v1./x", "pods", &[""], "x"),
            ("deploy/x", "deployments", &["apps", "extensions"], "x"),
            ("deployments.apps/x", "deployments", &["apps"], "x"),
            ("deploy.v1beta1.extensions/x", "deployments", &["extensions"], "x"),
            ("deployments.v1.apps/x", "deployments", &["apps"], "x"),
            ("pods.whales.example/x", "pods", &["whales.example"], "x"),
            ("Whales.v1alpha2.example.com/web-*", "whales", &["example.com"], "web-*"),
            ("vans.vans.example.com/x", "vans", &["vans.example.com"], "x"),
            ("clusterrole/system:node", "clusterroles", &["rbac.authorization.k8s.io"], "system:node"),
        ] {
            let read = target(text);
            assert_eq!((read.resource.as_str(), read.name), (resource, Glob::new(name)), "{text}");
            assert_eq!(read.groups, groups, "{text}");
        }
        assert_eq!(target("pods.whales.example/x").namespaced, None);
        assert_eq!(target("no/n1").namespaced, Some(false));
    }

    #[test]
    fn groups_and_names_are_told_apart() {
        assert!(target("deploy/x").matches("extensions", "deployments", "shop", "x"));
        assert!(!target("deployments.apps/x").matches("extensions", "deployments", "shop", "x"));
        assert!(!target("pod/x").matches("metrics.k8s.io", "pods", "shop", "x"));
        assert!(!target("pod/x").matches("", "pods", "shop", "x2"));
        assert!(target("pods").matches("", "pods", "shop", ""));
    }

    #[test]
    fn the_namespace_counts_where_there_is_one() {
        let shop = |text: &str| target(text).in_namespace(Some(Glob::new("shop*")));
        assert!(shop("pod/x").matches("", "pods", "shop-1", "x"));
        assert!(!shop("pod/x").matches("", "pods", "home", "x"));
        assert!(target("pod/x").matches("", "pods", "home", "x"));
        assert!(shop("ns/home").matches("", "namespaces", "home", "home"));
        assert!(shop("node/n1").matches("", "nodes", "", "n1"));
        assert!(shop("whales.example/x").matches("example", "whales", "", "x"));
        assert!(!shop("whales.example/x").matches("example", "whales", "home", "x"));
        assert_eq!(shop("deploy/x").to_string(), "deployments.apps/x in namespace shop*");
        assert_eq!(shop("ns/x").to_string(), "namespaces/x");
    }

    #[test]
    fn errors_say_what_to_give_instead() {
        assert_eq!(
            problem("whale/x"),
            "can't read the target \"whale/x\": \"whale\" is no built-in kind\n  give KIND/NAME, such as pod/web-1, \
             deploy/web or node/n1, or KIND alone for all of them; NAME may hold `*`\n  for a custom resource give \
             RESOURCE.GROUP/NAME, such as whales.example.com/moby"
        );
        assert!(problem("deploymnt/x").contains("did you mean deployment?"));
        assert!(problem("whale.v1/x").contains("no built-in kind"));
        assert!(problem("pod/").contains("the name after `/` is missing"));
        assert!(problem("/x").contains("the kind is missing"));
        assert!(problem("").contains("the kind is missing"));
        assert!(problem("*/x").contains("a kind holds no `*`"));
        assert!(problem("pod/shop/x").contains("given with -n"));
        assert!(problem("pod/x\u{1b}[2J").contains("\"pod/x\\u{1b}[2J\": it holds a control character"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), kind in "[a-z.v0-9]{0,20}", name in "\\PC{0,10}") {
            let _ = Target::parse(&text);
            if let Ok(target) = Target::parse(&format!("{kind}/{name}")) {
                prop_assert!(!target.groups.is_empty() && !target.resource.is_empty());
                prop_assert_eq!(target.name, Glob::new(name));
            }
        }
    }
}
