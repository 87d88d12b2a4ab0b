//! Which deciding requests answers are wanted of: `--user`, `--verb`, `--code` and the like.
//!
//! A selection never takes part in the judging. Entries that don't meet it are still context and causes, so that what
//! is told of the others is the same as without it; only the answers that other requests decided are left out.

mod pattern;

use std::fmt;
use std::sync::Arc;

use crate::case::actors::actor_of;
use crate::case::detail::Reading;
use crate::case::fact::Fact;
use crate::event::Event;
use crate::fold::Address;
use crate::literals::Literals;
use crate::subject::Key;

pub use pattern::{CodeRange, Pattern, ResourcePattern};

/// What a condition looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The user who sent the request, or whom they acted as.
    User,
    /// A group of either.
    Group,
    /// The program, told from `User-Agent`, or all of that header.
    Client,
    /// An address that the request came through.
    SourceIp,
    /// The verb.
    Verb,
    /// The resource, with its group and subresource where the pattern has them.
    Resource,
    /// The HTTP status that was answered.
    Code,
    /// The audit id.
    AuditId,
}

/// A row of the table of fields: option, what stands for its value, what it does, and the forms of the value.
type Row = (Field, &'static str, &'static str, &'static str, &'static str);

const NAMES: &str = "a name, in which `*` stands for any characters";

const FIELDS: &[Row] = &[
    (Field::User, "user", "NAME", "Only requests by this user, also one they acted as", NAMES),
    (Field::Group, "group", "NAME", "Only requests by users in this group", NAMES),
    (Field::Client, "client", "NAME", "Only requests by this program (kubectl), as it calls itself", NAMES),
    (
        Field::SourceIp,
        "source-ip",
        "ADDRESS",
        "Only requests that came through this address; all but the last are the client's own word",
        "an address, in which `*` stands for any characters, such as 10.0.*",
    ),
    (Field::Verb, "verb", "VERB", "Only requests with this verb", "a verb, such as delete or p*"),
    (
        Field::Resource,
        "resource",
        "RESOURCE",
        "Only requests for this resource: deployments, deployments.apps, pods/eviction",
        "RESOURCE, RESOURCE.GROUP or RESOURCE/SUBRESOURCE, such as pods, deployments.apps or pods/eviction; `*` \
         stands for any characters",
    ),
    (
        Field::Code,
        "code",
        "CODE",
        "Only requests answered with this HTTP status: 404, 4xx, 200-299",
        "a status such as 404, a class such as 4xx, a range such as 200-299, or `*`",
    ),
    (Field::AuditId, "audit-id", "ID", "Only requests with this audit id, which clients may choose", NAMES),
];

impl Field {
    /// Every field, in the order in which help lists them.
    pub fn all() -> impl Iterator<Item = Self> {
        FIELDS.iter().map(|(field, ..)| *field)
    }

    /// The option's name, without dashes.
    pub fn option(self) -> &'static str {
        self.row().1
    }

    /// What stands for the value in help.
    pub fn value_name(self) -> &'static str {
        self.row().2
    }

    /// What the option does, in one line.
    pub fn about(self) -> &'static str {
        self.row().3
    }

    fn forms(self) -> &'static str {
        self.row().4
    }

    fn row(self) -> &'static Row {
        // The table is in the order of the variants; a test holds it to that.
        &FIELDS[self as usize]
    }
}

/// What is asked of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The field.
    pub field: Field,
    /// One of these must fit; with none given, whatever stands there does.
    pub wanted: Vec<Pattern>,
    /// None of these may fit.
    pub unwanted: Vec<Pattern>,
}

impl Condition {
    fn meets(&self, fact: &Fact) -> bool {
        let fits = |pattern: &Pattern| pattern.fits(self.field, fact);
        (self.wanted.is_empty() || self.wanted.iter().any(fits)) && !self.unwanted.iter().any(fits)
    }

    /// What must stand in every line that holds such a request.
    fn literals(&self) -> Literals {
        let runs: Option<Vec<String>> = self.wanted.iter().map(|pattern| pattern.run(self.field)).collect();
        runs.filter(|runs| !runs.is_empty()).map_or_else(Literals::everything, Literals::any_of)
    }
}

/// `--user maria --user !bob`.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marked = [(&self.wanted, ""), (&self.unwanted, "!")];
        let all = marked.iter().flat_map(|(patterns, mark)| patterns.iter().map(move |it| (*mark, it)));
        for (place, (mark, pattern)) in all.enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(f, "{space}--{} {mark}{pattern}", self.field.option())?;
        }
        Ok(())
    }
}

/// A condition on the whole event, for what fields can't say.
pub trait Predicate: fmt::Debug + fmt::Display + Send + Sync {
    /// Whether the event meets it. It is asked from several threads, in any order and maybe more than once an event.
    fn holds(&self, event: &Event<'_>) -> bool;
}

/// Conditions on the request that decides an answer; all must hold. The default selects every request.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    conditions: Vec<Condition>,
    predicate: Option<Arc<dyn Predicate>>,
}

impl Selection {
    /// Adds what an option was given: patterns between commas, each with `!` in front of it if it must not fit.
    ///
    /// Of patterns for one field one must fit, and none of those with `!`; all fields must. An error says what is
    /// accepted.
    pub fn add(&mut self, field: Field, text: &str) -> Result<(), SelectionError> {
        let condition = self.condition(field);
        for part in text.split(',') {
            let (list, pattern) = match part.strip_prefix('!') {
                Some(pattern) => (&mut condition.unwanted, pattern),
                None => (&mut condition.wanted, part),
            };
            let pattern = Pattern::parse(field, pattern);
            list.push(pattern.map_err(|problem| SelectionError { field, text: part.to_owned(), problem })?);
        }
        Ok(())
    }

    fn condition(&mut self, field: Field) -> &mut Condition {
        let at = self.conditions.iter().position(|condition| condition.field == field);
        let at = at.unwrap_or_else(|| {
            self.conditions.push(Condition { field, wanted: Vec::new(), unwanted: Vec::new() });
            self.conditions.len() - 1
        });
        &mut self.conditions[at]
    }

    /// The same, and the event must meet `predicate` too.
    #[must_use]
    pub fn with_predicate(mut self, predicate: Option<Arc<dyn Predicate>>) -> Self {
        self.predicate = predicate;
        self
    }

    /// The conditions, one a field.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// The condition on the whole event.
    pub fn predicate(&self) -> Option<&dyn Predicate> {
        self.predicate.as_deref()
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty() && self.predicate.is_none()
    }

    /// Whether the request of `event`, from which `fact` was made, is one of those that are wanted.
    pub(crate) fn meets(&self, event: &Event<'_>, fact: &Fact) -> bool {
        self.conditions.iter().all(|condition| condition.meets(fact))
            && self.predicate.as_ref().is_none_or(|predicate| predicate.holds(event))
    }

    /// Whether the request of `event` is one of those that are wanted, where no fact was made from it.
    pub fn selects(&self, event: &Event<'_>, address: Address) -> bool {
        if self.is_empty() {
            return true;
        }
        let key = Key::of(event).unwrap_or_default();
        self.meets(
            event,
            &Fact::of(event, Arc::new(key), address, Arc::new(actor_of(event)), Reading::default()),
        )
    }

    /// What must stand in a line for its request to be selected: the rarest kind that the selection has.
    pub(crate) fn literals(&self) -> Literals {
        const RARE: &[Field] = &[Field::AuditId, Field::SourceIp, Field::User, Field::Group];
        let rare = RARE.iter().filter_map(|field| self.conditions.iter().find(|it| it.field == *field));
        rare.fold(Literals::everything(), |rarest, next| rarest.or_if_everything(|| next.literals()))
    }
}

/// As on the command line: `--user maria --code 4xx`.
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all: Vec<String> = self.conditions.iter().map(ToString::to_string).collect();
        all.extend(self.predicate.iter().map(|predicate| format!("--where {predicate}")));
        f.write_str(&all.join(" "))
    }
}

/// Why an option's value selects nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectionError {
    field: Field,
    text: String,
    problem: String,
}

impl fmt::Display for SelectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "--{}: can't read {:?}: {}\n  give {}\n  several with commas between them; `!` in front leaves out what \
             fits",
            self.field.option(),
            self.text,
            self.problem,
            self.field.forms()
        )
    }
}

impl std::error::Error for SelectionError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_fields() {
        assert!(Field::all().enumerate().all(|(place, field)| field as usize == place));
        assert_eq!(Field::all().count(), Field::AuditId as usize + 1);
    }

    #[test]
    fn lists_and_repetitions_are_one_condition() {
        let mut selection = Selection::default();
        selection.add(Field::User, "maria,!system:*").expect("a list");
        selection.add(Field::User, "jonas").expect("a name");
        selection.add(Field::Code, "4xx").expect("a class");
        assert_eq!(selection.conditions().len(), 2);
        assert_eq!(selection.to_string(), "--user maria --user jonas --user !system:* --code 400-499");
    }

    #[test]
    fn the_rarest_condition_narrows_the_search() {
        let literals = |options: &[(Field, &str)]| {
            let mut selection = Selection::default();
            for (field, text) in options {
                selection.add(*field, text).expect(text);
            }
            selection.literals()
        };
        let of = |literals: &[&str]| Literals::any_of(literals.iter().map(ToString::to_string));
        assert_eq!(literals(&[(Field::User, "maria"), (Field::AuditId, "a-1,a-2")]), of(&["a-1", "a-2"]));
        assert_eq!(
            literals(&[(Field::User, "system:*:\"long-part"), (Field::Code, "404")]),
            of(&["long-part"])
        );
        for nothing in
            [(Field::User, "!maria"), (Field::User, "*"), (Field::Verb, "delete"), (Field::User, "a,*")]
        {
            assert_eq!(literals(&[nothing]), Literals::everything(), "{nothing:?}");
        }
    }

    proptest! {
        #[test]
        fn no_value_panics_and_errors_tell_the_forms(at in 0..8_usize, text in "\\PC{0,12}|[0-9x!,.*/-]{0,12}") {
            let field = Field::all().nth(at).expect("a field");
            if let Err(error) = Selection::default().add(field, &text) {
                let (told, beginning) = (error.to_string(), format!("--{}: can't read ", field.option()));
                prop_assert!(told.starts_with(&beginning) && told.contains("\n  give "), "{}", told);
            }
        }
    }
}
