//! What is asked: a question, about what, and between which times.

use std::fmt;
use std::sync::Arc;

use crate::case::removals;
use crate::filter::Filter;
use crate::glob::Glob;
use crate::long_running::SWITCHING_PROTOCOLS;
use crate::question::Question;
use crate::selection::Selection;
use crate::subject::Key;
use crate::target::Target;
use crate::time::Timestamp;

/// The stage times between which an answer counts; both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Not before.
    pub from: Timestamp,
    /// Not after.
    pub until: Timestamp,
}

impl Default for Window {
    fn default() -> Self {
        Self { from: Timestamp::MIN, until: Timestamp::MAX }
    }
}

impl Window {
    pub(crate) fn holds(&self, time: Option<Timestamp>) -> bool {
        time.is_none_or(|time| (self.from..=self.until).contains(&time))
    }
}

/// What is asked: a question, about what, and between which times.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The question.
    pub question: &'static Question,
    /// What it is asked about.
    pub subject: Subject,
    /// Answers count only within it; causes may lie a little before.
    pub window: Window,
    /// Answers count only if the request that decides them meets it; all else is context.
    pub selection: Selection,
}

impl Ask {
    /// Asks about a subject, at any time and of anybody's requests.
    pub fn new(question: &'static Question, subject: Subject) -> Self {
        Self { question, subject, window: Window::default(), selection: Selection::default() }
    }

    /// The ends of sessions behind the window: it may be that nothing else is recorded of a session that began within it.
    pub(super) fn lasting(&self) -> impl Iterator<Item = Filter> + use<> {
        let behind = Window { from: self.window.until, until: Timestamp::MAX };
        let may_be = self.question.rule.may_last() && behind.from < behind.until;
        let filters = may_be.then(|| self.first_look(behind, self.subject.names()));
        filters.into_iter().flatten().map(|filter| Filter { codes: &[SWITCHING_PROTOCOLS], ..filter })
    }

    /// Those of the filters of a first look of which that finds all; of requests of users it may search for some only.
    pub(super) fn finds_whole<'f>(&self, filters: impl IntoIterator<Item = &'f Filter>) -> Arc<[Filter]> {
        let is_whole = |filter: &&Filter| filter.uid.is_none() && self.subject.target().is_some();
        filters.into_iter().filter(is_whole).cloned().collect()
    }

    /// What the first look is for, within some window, about objects with these names.
    pub(super) fn first_look(&self, window: Window, names: &[Glob]) -> impl Iterator<Item = Filter> + use<> {
        let filters = self.question.rule.first_look(&self.subject, names);
        filters.into_iter().map(move |filter| filter.within(window))
    }
}

/// What a question is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Objects.
    Target(Target),
    /// Users by name.
    User(Glob),
}

impl Subject {
    /// The objects it means; `None` if it means users.
    pub const fn target(&self) -> Option<&Target> {
        match self {
            Self::Target(target) => Some(target),
            Self::User(_) => None,
        }
    }

    /// The names of the objects that it means, if it means objects.
    pub(crate) fn names(&self) -> &[Glob] {
        self.target().map_or(&[], |target| std::slice::from_ref(&target.name))
    }

    /// Whether a request about `key` could decide an answer; one about a collection may be about any object in it.
    pub(super) fn may_mean(&self, key: &Key) -> bool {
        self.target().is_none_or(|target| key.name.is_empty() || removals::is_meant(target, key))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(target) => target.fmt(f),
            Self::User(name) => write!(f, "user {name}"),
        }
    }
}
