//! Which events a question needs to see.

use crate::case::Window;
use crate::event::Event;
use crate::glob::Glob;
use crate::literals::Literals;
use crate::subject::Key;
use crate::time::Timestamp;

/// The annotation in which a token request says which credential it issued
/// ([source](https://github.com/kubernetes/kubernetes/blob/master/pkg/registry/core/serviceaccount/storage/token.go)).
pub const ISSUED_CREDENTIAL: &str = "authentication.kubernetes.io/issued-credential-id";

/// Shorter strings stand in most lines. In bytes.
const SHORT: usize = 3;

/// What a filter looks at in a request, but for what it is about.
pub(crate) trait Request {
    fn verb(&self) -> &str;
    /// Empty for the object itself.
    fn subresource(&self) -> &str;
    fn code(&self) -> u16;
    fn username(&self) -> &str;
    /// The user that was acted as.
    fn impersonated(&self) -> Option<&str>;
    /// The credential that was issued.
    fn issued(&self) -> Option<&str>;
    fn stage_time(&self) -> Option<Timestamp>;
}

impl Request for Event<'_> {
    fn verb(&self) -> &str {
        &self.verb
    }

    fn subresource(&self) -> &str {
        self.object_ref.as_ref().map_or("", |object| object.subresource.as_ref())
    }

    fn code(&self) -> u16 {
        Event::code(self)
    }

    fn username(&self) -> &str {
        &self.user.username
    }

    fn impersonated(&self) -> Option<&str> {
        self.impersonated_user.as_ref().map(|user| user.username.as_ref())
    }

    fn issued(&self) -> Option<&str> {
        self.annotation(ISSUED_CREDENTIAL)
    }

    fn stage_time(&self) -> Option<Timestamp> {
        self.stage_time
    }
}

/// A condition on events: all that is given must hold. What executes it (a scan of files, a query on a store) may
/// hand over more events than match, never fewer.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Filter {
    /// API groups, any of them; empty for all.
    pub groups: Vec<String>,
    /// Plural resource name.
    pub resource: Option<String>,
    /// Namespace; what belongs to the cluster matches only `None`.
    pub namespace: Option<Glob>,
    /// Names, any of them; empty for all.
    pub names: Vec<Glob>,
    /// Verbs, any of them; empty for all.
    pub verbs: &'static [&'static str],
    /// Subresources, any of them, the object itself being the empty one; empty for all.
    pub subresources: &'static [&'static str],
    /// HTTP statuses, any of them; empty for all.
    pub codes: &'static [u16],
    /// User name.
    pub username: Option<Glob>,
    /// The user that was acted as.
    pub impersonated: Option<Glob>,
    /// Identity of the incarnation.
    pub uid: Option<String>,
    /// The credential that a token request issued, such as `JTI=…`.
    pub issued: Option<String>,
    /// Not before this stage time.
    pub from: Option<Timestamp>,
    /// Not after this stage time.
    pub until: Option<Timestamp>,
}

impl Filter {
    /// The same within `window`; ends that the condition has already stay.
    #[must_use]
    pub fn within(self, window: Window) -> Self {
        let (from, until) = (Some(window.from), Some(window.until));
        Self {
            from: self.from.or(from.filter(|from| *from > Timestamp::MIN)),
            until: self.until.or(until.filter(|until| *until < Timestamp::MAX)),
            ..self
        }
    }

    /// Whether `event`, which is about `key`, meets the condition. The uid is not looked at: it may stand in a body,
    /// which is parsed only for events that meet all else.
    pub fn matches(&self, event: &Event<'_>, key: &Key) -> bool {
        self.matches_otherwise(event, key) && self.matches_name(&key.name)
    }

    /// Whether an object of that name is meant.
    pub(crate) fn matches_name(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|own| own.matches(name))
    }

    /// Whether all is met but for the name.
    pub(crate) fn matches_otherwise(&self, request: &impl Request, key: &Key) -> bool {
        let in_time = |time: Timestamp| {
            self.from.is_none_or(|from| time >= from) && self.until.is_none_or(|until| time <= until)
        };
        (self.groups.is_empty() || self.groups.contains(&key.group))
            && self.resource.as_ref().is_none_or(|resource| *resource == key.resource)
            && self.namespace.as_ref().is_none_or(|namespace| namespace.matches(&key.namespace))
            && (self.verbs.is_empty() || self.verbs.contains(&request.verb()))
            && (self.subresources.is_empty() || self.subresources.contains(&request.subresource()))
            && (self.codes.is_empty() || self.codes.contains(&request.code()))
            && self.username.as_ref().is_none_or(|user| user.matches(request.username()))
            && self
                .impersonated
                .as_ref()
                .is_none_or(|wanted| request.impersonated().is_some_and(|user| wanted.matches(user)))
            && self.issued.as_deref().is_none_or(|wanted| request.issued() == Some(wanted))
            && request.stage_time().is_none_or(in_time)
    }

    /// Whether every event that meets `other` meets this condition too.
    pub fn covers(&self, other: &Self) -> bool {
        self.covers_beginning(other)
            && self.until.is_none_or(|until| other.until.is_some_and(|earlier| earlier <= until))
    }

    /// The same of those events that come early enough for this condition.
    pub(crate) fn covers_beginning(&self, other: &Self) -> bool {
        fn all<T: PartialEq>(own: &[T], others: &[T]) -> bool {
            own.is_empty()
                || own == others
                || !others.is_empty() && others.iter().all(|item| own.contains(item))
        }
        fn same<T: PartialEq>(own: Option<&T>, others: Option<&T>) -> bool {
            own.is_none() || own == others
        }
        all(&self.groups, &other.groups)
            && all(&self.names, &other.names)
            && all(self.verbs, other.verbs)
            && all(self.subresources, other.subresources)
            && all(self.codes, other.codes)
            && same(self.resource.as_ref(), other.resource.as_ref())
            && same(self.namespace.as_ref(), other.namespace.as_ref())
            && same(self.username.as_ref(), other.username.as_ref())
            && same(self.impersonated.as_ref(), other.impersonated.as_ref())
            && same(self.uid.as_ref(), other.uid.as_ref())
            && same(self.issued.as_ref(), other.issued.as_ref())
            && self.from.is_none_or(|from| other.from.is_some_and(|later| later >= from))
    }

    /// Strings of which one is in every line that matches: the rarest kind that the condition has.
    pub fn literals(&self) -> Literals {
        self.requirements().into_iter().next().unwrap_or_else(Literals::everything)
    }

    /// Sets of strings: every line that matches holds one of each set. Those come first that are rare in
    /// most logs, and last those of which a string is too short to be.
    pub fn requirements(&self) -> Vec<Literals> {
        let run = |text: &str| Literals::any_of([run_of(text).to_owned()]);
        let glob = |glob: &Glob| run(glob.longest_literal());
        let names = (!self.names.is_empty()).then(|| literals_of_names(&self.names));
        let is_rare = self.verbs == ["deletecollection"];
        let verbs = (!self.verbs.is_empty() && !is_rare).then(|| any_of(self.verbs));
        let codes =
            (!self.codes.is_empty()).then(|| Literals::any_of(self.codes.iter().map(ToString::to_string)));
        let is_named = !self.subresources.is_empty() && !self.subresources.contains(&"");
        let sets = [
            self.uid.as_deref().map(run),
            // The key is in few lines, its prefix and the credential itself in all that it was used for.
            self.issued.as_ref().and_then(|_| ISSUED_CREDENTIAL.rsplit('/').next()).map(run),
            self.issued.as_deref().map(run),
            names,
            is_rare.then(|| Literals::any_name(self.verbs.iter().map(ToString::to_string))),
            self.username.as_ref().map(glob),
            self.impersonated.as_ref().map(glob),
            self.resource.as_deref().map(run),
            self.namespace.as_ref().map(glob),
            is_named.then(|| any_of(self.subresources)),
            verbs,
            codes,
        ];
        let mut sets: Vec<Literals> =
            sets.into_iter().flatten().filter(|set| set.as_slice().is_some()).collect();
        let is_short = |text: &String| text.len() < SHORT;
        sets.sort_by_key(|set| set.parts().iter().any(is_short));
        sets
    }
}

fn any_of(words: &[&str]) -> Literals {
    Literals::any_of(words.iter().map(ToString::to_string))
}

/// What must stand in a line for one of the filters to match.
pub fn literals(filters: &[Filter]) -> Literals {
    Literals::any_of_all(filters.iter().map(Filter::literals))
}

/// A name without a star stands in a line as a whole, if no producer has a reason to escape any of it.
fn literals_of_names(names: &[Glob]) -> Literals {
    let runs = names.iter().map(|name| (name, run_of(name.longest_literal())));
    let (whole, parts): (Vec<_>, Vec<_>) = runs.partition(|(name, run)| name.literal() == Some(run));
    let owned =
        |runs: Vec<(&Glob, &str)>| runs.into_iter().map(|(_, run)| run.to_owned()).collect::<Vec<_>>();
    Literals::any_of_all([Literals::any_name(owned(whole)), Literals::any_of(owned(parts))])
}

/// The longest run of characters that no producer has a reason to escape.
pub(crate) fn run_of(text: &str) -> &str {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || ".:_-".contains(c)))
        .max_by_key(|run| run.len())
        .unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals_of(filter: &Filter) -> Option<Vec<String>> {
        filter.literals().as_slice().map(<[String]>::to_vec)
    }

    #[test]
    fn names_are_the_rarest() {
        let filter = Filter {
            names: vec![Glob::new("web-*"), Glob::new("db")],
            resource: Some("pods".to_owned()),
            ..Filter::default()
        };
        assert_eq!(literals_of(&filter), Some(vec!["db".to_owned(), "web-".to_owned()]));
    }

    #[test]
    fn a_name_that_says_nothing_leaves_the_rest() {
        let filter =
            Filter { names: vec![Glob::any()], resource: Some("pods".to_owned()), ..Filter::default() };
        assert_eq!(literals_of(&filter), Some(vec!["pods".to_owned()]));
        assert_eq!(literals_of(&Filter::default()), None);
        // As all Events about pods of a namespace are asked for.
        let about = Filter { names: vec![Glob::new("*.*")], verbs: &["create"], ..filter };
        assert_eq!(literals_of(&about), Some(vec!["pods".to_owned()]));
        let short = Filter { names: vec![Glob::new("*.*")], ..Filter::default() };
        assert_eq!(literals_of(&short), Some(vec![".".to_owned()]));
    }

    #[test]
    fn a_line_must_hold_one_of_each_set() {
        let filter = Filter {
            names: vec![Glob::any()],
            resource: Some("nodes".to_owned()),
            verbs: &["patch", "update"],
            username: Some(Glob::new("admin")),
            subresources: &["", "status"],
            ..Filter::default()
        };
        let sets: Vec<_> =
            filter.requirements().iter().map(|set| set.as_slice().unwrap_or_default().to_vec()).collect();
        assert_eq!(sets, [vec!["admin"], vec!["nodes"], vec!["patch", "update"]]);
        let refused = Filter { codes: &[401, 403], ..Filter::default() };
        assert_eq!(literals_of(&refused), Some(vec!["401".to_owned(), "403".to_owned()]));
        let rare = Filter { verbs: &["deletecollection"], namespace: Some(Glob::new("a")), ..filter };
        assert_eq!(literals_of(&rare), Some(vec!["deletecollection".to_owned()]));
        assert!(Filter::default().requirements().is_empty());
    }

    #[test]
    fn a_filter_covers_what_asks_for_less() {
        let wide =
            Filter { namespace: Some(Glob::new("a")), verbs: &["create", "delete"], ..Filter::default() };
        let narrow = Filter { verbs: &["delete"], resource: Some("pods".to_owned()), ..wide.clone() };
        assert!(wide.covers(&narrow) && wide.covers(&wide) && Filter::default().covers(&wide));
        assert!(!narrow.covers(&wide) && !wide.covers(&Filter::default()));
        let early = Filter { until: Some(Timestamp::from_micros(1)), ..wide.clone() };
        assert!(wide.covers(&early) && !early.covers(&wide));
    }

    #[test]
    fn odd_names_are_looked_for_by_what_no_producer_escapes() {
        let filter = Filter { names: vec![Glob::new("a/long-part\"b")], ..Filter::default() };
        assert_eq!(literals_of(&filter), Some(vec!["long-part".to_owned()]));
    }
}
