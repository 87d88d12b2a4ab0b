//! The tests on single fields that a question comes to, as data.

use std::collections::BTreeSet;
use std::fmt;

use crate::answer::Mechanism;
use crate::case::Ask;
use crate::filter::Filter;
use crate::glob::Glob;
use crate::question::Rule;
use crate::resource::Resource;
use crate::selection::{Condition, Field, Pattern};
use crate::time::Timestamp;

/// Tests of which all or any must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Query {
    All(Vec<Query>),
    Any(Vec<Query>),
    Test(Test),
}

/// A test on one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Test {
    /// A text fits the pattern, or does not; what is absent is the empty text. Of a list, one fits or none does.
    Text { path: Path, glob: Glob, negated: bool },
    /// The status lies between two, both included; what is absent is 0.
    Code { from: u16, until: u16, negated: bool },
    /// The stage was reached at this second or later.
    From(Timestamp),
    /// The stage was reached at this second or earlier.
    Until(Timestamp),
}

/// A field of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    Stage,
    Verb,
    AuditId,
    ApiGroup,
    Resource,
    Namespace,
    Name,
    /// The name in the response's body: that of an object whose name the server made up.
    GivenName,
    Subresource,
    Username,
    Impersonated,
    Groups,
    ImpersonatedGroups,
    SourceIps,
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { path, glob, negated } => {
                write!(f, "{path:?} {} {:?}", if *negated { "is not" } else { "is" }, glob.to_string())
            }
            Self::Code { from, until, negated } => {
                write!(f, "Code {} {from}-{until}", if *negated { "is not" } else { "is" })
            }
            Self::From(time) => write!(f, "from {time}"),
            Self::Until(time) => write!(f, "until {time}"),
        }
    }
}

/// Requests that decide answers: their verbs and subresources, each any of them; empty for all.
type Shape = (&'static [&'static str], &'static [&'static str]);

fn shapes(rule: &Rule) -> Vec<Shape> {
    let Rule::Removal(_) = rule else {
        let Rule::Requests(request) = rule else { return Vec::new() };
        return vec![(request.verbs, request.subresources)];
    };
    let mut shapes: Vec<Shape> = vec![(&["delete", "deletecollection"], &[""]), (&["create"], &["eviction"])];
    if rule.counts(Mechanism::NodePressure) {
        shapes.push((&["patch", "update"], &["status"]));
    }
    shapes
}

/// What the options ask for that no other language can.
pub(super) fn unsaid(ask: &Ask) -> Vec<String> {
    let client = ask.selection.conditions().iter().filter(|condition| condition.field == Field::Client);
    let mut unsaid: Vec<String> = client.map(ToString::to_string).collect();
    unsaid.extend(ask.selection.predicate().map(|predicate| format!("--where {predicate}")));
    unsaid.extend(
        ask.subject.target().and_then(|target| target.uid.as_ref()).map(|uid| format!("--uid {uid}")),
    );
    unsaid
}

/// The requests that could decide an answer, from the filters of the case's first look.
pub(super) fn query(ask: &Ask, filters: &[Filter]) -> Query {
    let resource = ask.subject.target().map(|target| &target.resource);
    // Other resources are looked at for causes alone.
    let deciding = filters.iter().filter(|filter| resource.is_none() || filter.resource.as_ref() == resource);
    let reads = ask.question.rule.wants_reads();
    let shapes = shapes(&ask.question.rule);
    let mut about: Vec<Query> = Vec::new();
    for filter in deciding {
        let fitting: Vec<Query> = shapes.iter().filter_map(|shape| shape_query(filter, *shape)).collect();
        if !fitting.is_empty() {
            about.push(all(any(fitting).into_iter().chain([filter_query(filter, &shapes)]).collect()));
        }
    }
    let mut parts = vec![stages(reads)];
    parts.extend(any(about));
    let window = ask.window;
    parts.extend((window.from > Timestamp::MIN).then_some(Query::Test(Test::From(window.from))));
    parts.extend((window.until < Timestamp::MAX).then_some(Query::Test(Test::Until(window.until))));
    parts.extend(ask.selection.conditions().iter().flat_map(condition));
    all(parts)
}

/// The ends of requests. A failed authentication has one entry alone, of stage `ResponseStarted`.
fn stages(reads: bool) -> Query {
    let started = text(Path::Stage, "ResponseStarted");
    let refused = Query::Test(Test::Code { from: 400, until: 999, negated: false });
    let started = if reads { started } else { all(vec![started, refused]) };
    Query::Any(vec![text(Path::Stage, "ResponseComplete"), text(Path::Stage, "Panic"), started])
}

fn shape_query(filter: &Filter, (verbs, subresources): Shape) -> Option<Query> {
    let verbs: Vec<&str> = match (verbs, filter.verbs) {
        (verbs, []) | ([], verbs) => verbs.to_vec(),
        (verbs, wanted) => {
            let both: Vec<&str> = verbs.iter().filter(|verb| wanted.contains(verb)).copied().collect();
            if both.is_empty() {
                return None;
            }
            both
        }
    };
    let mut parts: Vec<Query> =
        any(verbs.into_iter().map(|verb| text(Path::Verb, verb)).collect()).into_iter().collect();
    parts.extend(any(subresources.iter().map(|sub| text(Path::Subresource, sub)).collect()));
    Some(all(parts))
}

fn filter_query(filter: &Filter, shapes: &[Shape]) -> Query {
    let mut parts = Vec::new();
    parts.extend(filter.resource.as_ref().map(|resource| text(Path::Resource, resource)));
    let resource = filter.resource.as_deref().unwrap_or_default();
    let groups: BTreeSet<String> =
        filter.groups.iter().flat_map(|group| spellings(group, resource)).collect();
    parts.extend(any(groups.iter().map(|group| text(Path::ApiGroup, group)).collect()));
    parts.extend(filter.namespace.clone().map(|glob| is(Path::Namespace, glob)));
    let creates = shapes.iter().any(|(verbs, subresources)| {
        (verbs.is_empty() || verbs.contains(&"create"))
            && (subresources.is_empty() || subresources.contains(&""))
    });
    let paths = [Path::Name, Path::GivenName];
    let paths = if creates { &paths[..] } else { &paths[..1] };
    let names = filter.names.iter().flat_map(|glob| paths.iter().map(|path| is(*path, glob.clone())));
    parts.extend(any(names.collect()));
    parts.extend(filter.username.clone().map(|glob| is(Path::Username, glob)));
    parts.extend(filter.impersonated.clone().map(|glob| is(Path::Impersonated, glob)));
    all(parts)
}

/// The groups in which the same objects were served.
fn spellings(group: &str, resource: &str) -> Vec<String> {
    match Resource::of(group, resource) {
        Some(known) => known.groups.iter().map(ToString::to_string).collect(),
        None => vec![group.to_owned()],
    }
}

/// What an option asks for: one query for what is wanted, and one for each pattern that is not.
fn condition(condition: &Condition) -> Vec<Query> {
    if condition.field == Field::Client {
        return Vec::new();
    }
    let wanted = condition.wanted.iter().map(|pattern| fits(condition.field, pattern)).collect();
    let unwanted = condition.unwanted.iter().map(|pattern| negated(fits(condition.field, pattern)));
    any(wanted).into_iter().chain(unwanted).collect()
}

fn fits(field: Field, pattern: &Pattern) -> Query {
    let texts =
        |paths: &[Path], glob: &Glob| Query::Any(paths.iter().map(|path| is(*path, glob.clone())).collect());
    match (field, pattern) {
        (_, Pattern::Code(range)) => {
            Query::Test(Test::Code { from: range.from, until: range.until, negated: false })
        }
        (_, Pattern::Resource(pattern)) => {
            let plural = pattern.resource.literal().unwrap_or_default();
            let mut parts = vec![is(Path::Resource, pattern.resource.clone())];
            if let Some(group) = &pattern.group {
                let groups = group.literal().map(|group| spellings(group, plural));
                let globs = groups
                    .map_or_else(|| vec![group.clone()], |all| all.into_iter().map(Glob::new).collect());
                parts.extend(any(globs.into_iter().map(|group| is(Path::ApiGroup, group)).collect()));
            }
            parts.extend(pattern.subresource.clone().map(|sub| is(Path::Subresource, sub)));
            all(parts)
        }
        (Field::User, Pattern::Text(glob)) => texts(&[Path::Username, Path::Impersonated], glob),
        (Field::Group, Pattern::Text(glob)) => texts(&[Path::Groups, Path::ImpersonatedGroups], glob),
        (Field::SourceIp, Pattern::Text(glob)) => is(Path::SourceIps, glob.clone()),
        (Field::Verb, Pattern::Text(glob)) => is(Path::Verb, glob.clone()),
        (_, Pattern::Text(glob)) => is(Path::AuditId, glob.clone()),
    }
}

fn negated(query: Query) -> Query {
    match query {
        Query::All(parts) => Query::Any(parts.into_iter().map(self::negated).collect()),
        Query::Any(parts) => Query::All(parts.into_iter().map(self::negated).collect()),
        Query::Test(Test::Text { path, glob, negated }) => {
            Query::Test(Test::Text { path, glob, negated: !negated })
        }
        Query::Test(Test::Code { from, until, negated }) => {
            Query::Test(Test::Code { from, until, negated: !negated })
        }
        // Times are never negated.
        Query::Test(test) => Query::Test(test),
    }
}

fn text(path: Path, text: &str) -> Query {
    is(path, Glob::new(text))
}

fn is(path: Path, glob: Glob) -> Query {
    // What fits anything asks nothing.
    if glob.is_any() {
        return Query::All(Vec::new());
    }
    Query::Test(Test::Text { path, glob, negated: false })
}

fn all(mut parts: Vec<Query>) -> Query {
    parts.retain(|part| *part != Query::All(Vec::new()));
    if parts.len() == 1 { parts.swap_remove(0) } else { Query::All(parts) }
}

/// `None` where nothing is asked: no alternative is given, or one that always holds.
fn any(mut parts: Vec<Query>) -> Option<Query> {
    if parts.contains(&Query::All(Vec::new())) {
        return None;
    }
    if parts.len() < 2 { parts.pop() } else { Some(Query::Any(parts)) }
}
