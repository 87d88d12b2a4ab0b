//! Why entries that should be there may never have been written.

use std::fmt;

use super::kind::Kind;
use super::rows::Seen;

/// What the audit policy hides of a kind of request, as far as entries show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt<'k> {
    kind: &'k Kind,
    why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    NeverLogged,
    NoOutcome,
    NoBodies,
}

impl<'k> Doubt<'k> {
    /// The doubts about each of `kinds`, after entries were counted.
    pub fn of(kinds: &'k [Kind], seen: &[Seen]) -> Vec<Self> {
        kinds.iter().filter_map(|kind| Self::about(kind, seen)).collect()
    }

    /// The doubt about one kind; `None` if its entries tell all that is needed.
    pub fn about(kind: &'k Kind, seen: &[Seen]) -> Option<Self> {
        let of_kind = || seen.iter().filter(|seen| kind.is_seen_in(seen));
        let why = if of_kind().next().is_none() {
            Why::NeverLogged
        } else if !of_kind().any(Seen::has_outcome) {
            Why::NoOutcome
        } else if kind.needs_bodies && !of_kind().any(Seen::has_bodies) {
            Why::NoBodies
        } else {
            return None;
        };
        Some(Self { kind, why })
    }

    /// Whether there is no entry of this kind: which no log can tell from a policy that leaves it out.
    pub fn is_never_logged(&self) -> bool {
        self.why == Why::NeverLogged
    }

    /// Whether entries of this kind are there, and only bodies are not.
    pub fn is_only_about_bodies(&self) -> bool {
        self.why == Why::NoBodies
    }
}

impl fmt::Display for Doubt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind;
        match self.why {
            Why::NeverLogged => {
                write!(f, "{kind} is never logged")
            }
            Why::NoOutcome => write!(f, "{kind} is logged only when it is received, not what came of it"),
            Why::NoBodies => write!(f, "{kind} is only logged without bodies, as at level Metadata"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_doubted_for_what_is_missing_of_it() {
        let kind = Kind {
            resource: Some("deployments".into()),
            verbs: &["patch"],
            subresources: &[""],
            needs_bodies: true,
            ..Kind::default()
        };
        let seen = |level: &str, stage: &str| Seen {
            resource: "deployments".into(),
            verb: "patch".into(),
            level: level.into(),
            stages: vec![stage.into()],
            ..Seen::default()
        };
        let (received, metadata, request) = (
            seen("Request", "RequestReceived"),
            seen("Metadata", "ResponseComplete"),
            seen("Request", "ResponseComplete"),
        );
        let other = Seen { verb: "get".into(), ..request.clone() };
        let why = |seen: &[Seen]| Doubt::about(&kind, seen).map(|doubt| doubt.why);
        assert_eq!(why(&[other]), Some(Why::NeverLogged));
        assert_eq!(why(std::slice::from_ref(&received)), Some(Why::NoOutcome));
        assert_eq!(why(std::slice::from_ref(&metadata)), Some(Why::NoBodies));
        assert_eq!(why(&[metadata, request]), None);
    }
}
