//! What each question needs an audit log to hold: which requests, of whom, at which level.
//!
//! The rules of the questions say what they look at; here stands the same as data, for audit policies to be held
//! against.

mod access;
mod change;
mod node;
mod on;
mod removal;
mod who;

use serde::{Serialize, Serializer};

pub(super) use self::access::{
    APPROVED, BOUND, COUNTED, DEBUGGED, DENIED, EXECED, PORT_FORWARDED, READ, TOKEN, TOUCHED,
};
pub(super) use self::change::{CHANGED, CREATED, HISTORY, MARKED, RESTARTED, SCALED};
pub(super) use self::node::{CORDONED, DRAINED, TAINTED, UNCORDONED};
pub use self::on::On;
pub(super) use self::removal::{DELETED, EVICTED};
pub use self::who::{Known, Who};
use crate::policy::{Level, Stage};

/// Requests that must be recorded for a question.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// Whose requests.
    pub who: Who,
    /// Verbs; none means all.
    pub verbs: &'static [&'static str],
    /// On which resources.
    pub on: On,
    /// On which of their subresources, the object itself being the empty one.
    pub subresources: &'static [&'static str],
    /// How much of the request, at the least. Of secrets never more than `Metadata` is asked for.
    pub level: Level,
    /// The stage whose entry is needed.
    pub stage: Stage,
    /// What it is for.
    pub purpose: Purpose,
    /// What it shows, in words.
    pub shows: &'static str,
}

/// What a need is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// There is no answer without it.
    Essential,
    /// Names who was behind it.
    Cause,
    /// Tells what was done from what was only asked for, or what is known from what is guessed.
    Confirmation,
    /// Shows more than was asked.
    Detail,
}

impl Purpose {
    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Essential => "essential",
            Self::Cause => "cause",
            Self::Confirmation => "confirmation",
            Self::Detail => "detail",
        }
    }
}

impl Serialize for Purpose {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

const ITSELF: &[&str] = &[""];

const STATUS: &[&str] = &["status"];

const SCALE: &[&str] = &["scale"];

/// The object and any subresource. Rules can't tell subresources of every kind apart, so that one stands for all.
const ANY_PART: &[&str] = &["", "status"];

const SESSIONS: &[&str] = &["exec", "attach"];

const ALL: &[&str] = &[];

const CHANGES: &[&str] = &["update", "patch"];

const WRITES: &[&str] = &["create", "update", "patch"];

const DELETES: &[&str] = &["delete", "deletecollection"];

const OPENS: &[&str] = &["get", "create"];

/// What most needs have in common.
const ANY_REQUEST: Need = Need {
    who: Who::Anyone,
    verbs: ALL,
    on: On::Every,
    subresources: ITSELF,
    level: Level::Metadata,
    stage: Stage::ResponseComplete,
    purpose: Purpose::Essential,
    shows: "who asked for what",
};

const fn cause(need: Need) -> Need {
    Need { purpose: Purpose::Cause, ..need }
}

const fn confirmation(need: Need) -> Need {
    Need { purpose: Purpose::Confirmation, ..need }
}

const fn detail(need: Need) -> Need {
    Need { purpose: Purpose::Detail, ..need }
}

#[cfg(test)]
mod tests {
    use super::who::ANONYMOUS;
    use super::*;
    use crate::answer::Actor;
    use crate::case::controllers::Component;
    use crate::question::QUESTIONS;
    use crate::resource::Resource;

    fn needs() -> impl Iterator<Item = &'static Need> {
        QUESTIONS.iter().flat_map(|question| question.needs)
    }

    #[test]
    fn every_question_has_something_essential() {
        for question in QUESTIONS {
            assert!(
                question.needs.iter().any(|need| need.purpose == Purpose::Essential),
                "{} has no essential need",
                question.name
            );
        }
    }

    #[test]
    fn the_named_kinds_are_served() {
        for need in needs() {
            let On::Kinds(kinds) = need.on else { continue };
            for (group, plural) in kinds {
                assert!(Resource::of(group, plural).is_some(), "{group}/{plural}");
            }
        }
    }

    #[test]
    fn the_named_users_are_those_that_rules_know() {
        let known = needs().filter_map(|need| match need.who {
            Who::Known(users) => Some(users),
            Who::Anyone | Who::Nobody => None,
        });
        for user in known.flatten().filter(|user| **user != ANONYMOUS) {
            let actor = Actor { username: user.name.replace('*', "n1"), ..Actor::default() };
            assert!(Component::of(&actor).is_some(), "{}", user.name);
        }
    }
}
