//! Events that are like one that was seen, told in a word.
//!
//! Of millions of requests many differ in nothing but their time and object. Who counts them need not look at each of them
//! as a whole: it makes a note of one, and is told of the others by that.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::time::Timestamp;

/// Fields of an event that tell events apart, as a set. Those that [`Sink::wants_details`](crate::envelope::Sink::wants_details)
/// names are not among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields(u16);

impl Fields {
    /// None.
    pub const NONE: Self = Self(0);
    /// All.
    pub const ALL: Self = Self(u16::MAX);
    /// The audit ID.
    pub const AUDIT_ID: Self = Self(1);
    /// The stage.
    pub const STAGE: Self = Self(1 << 1);
    /// Path and query.
    pub const URI: Self = Self(1 << 2);
    /// The verb.
    pub const VERB: Self = Self(1 << 3);
    /// The names of who was authenticated and whom they acted as.
    pub const USER: Self = Self(1 << 4);
    /// The user agent.
    pub const CLIENT: Self = Self(1 << 5);
    /// The object's resource, API group and version.
    pub const RESOURCE: Self = Self(1 << 6);
    /// The object's subresource.
    pub const SUBRESOURCE: Self = Self(1 << 7);
    /// The object's namespace.
    pub const NAMESPACE: Self = Self(1 << 8);
    /// The HTTP status.
    pub const CODE: Self = Self(1 << 9);
    /// The bodies of request and response, and the details of a status.
    pub const BODIES: Self = Self(1 << 10);

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any field is in both.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// What a sink noted of an event. It holds for every event that differs from it in times and in fields that are not heeded
/// alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// Tells the note from others of the same sink.
    pub number: usize,
    /// Notes of other generations are not known, be they older or those of another sink.
    pub generation: Generation,
    /// The fields that it depends on.
    pub heeds: Fields,
}

/// Notes that are known together. Each is another than all before in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation(u64);

impl Generation {
    /// One that no note is of yet.
    pub fn begin() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// When an event took place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// When the request came in.
    pub received: Option<Timestamp>,
    /// When the stage was reached.
    pub stage_time: Option<Timestamp>,
}
