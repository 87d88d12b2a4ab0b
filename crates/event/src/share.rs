//! Which entries matter, as far as it can be told of their kind alone: what holds them by kind need not hand over the rest.

/// What the entries of one kind have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kind<'k> {
    /// API group, that of today.
    pub group: &'k str,
    /// Plural resource name, empty for requests that are about none.
    pub resource: &'k str,
    /// Subresource, empty for the object itself.
    pub subresource: &'k str,
    /// Verb.
    pub verb: &'k str,
    /// Stage.
    pub stage: &'k str,
    /// Level.
    pub level: &'k str,
}

/// Which entries of a kind matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Share {
    /// None.
    None,
    /// Those that were answered with this status, 400 or more.
    Code(u16),
    /// Those that were answered with a status of 400 or more.
    Failed,
    /// Those of these users.
    By(&'static [&'static str]),
    /// All.
    All,
}

impl Share {
    /// Whether an entry with this status, of this user, belongs to it.
    pub fn holds(self, code: u16, username: &str) -> bool {
        match self {
            Self::None => false,
            Self::Code(own) => code == own,
            Self::Failed => code >= FAILED,
            Self::By(users) => users.contains(&username),
            Self::All => true,
        }
    }
}

/// Statuses from this one on say that a request failed.
pub const FAILED: u16 = 400;
