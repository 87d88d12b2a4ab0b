//! Which kinds of requests are in the logs at all, and at which level: what "nobody did it" rests on.
//!
//! An audit policy that leaves a kind of request out leaves no trace of it. So where nothing was found, all entries of
//! the kinds that would answer the question are counted, whatever object they are about.
//!
//! A [`Doctor`] reports on a log as a whole, after a [`Checkup`] of every entry.

mod answerable;
mod checkup;
mod doctor;
mod doubt;
mod kind;
mod record;
mod rows;
mod sought;

use std::sync::Arc;

pub use self::answerable::{Answerable, Extent};
pub use self::checkup::{Checked, Checkup, Lookup};
pub use self::doctor::{Copies, Doctor, Example, Generation, Pair, Server, servers_of};
pub use self::doubt::Doubt;
pub use self::kind::Kind;
pub use self::rows::{Rows, Seen};
use self::sought::Sought;
use crate::case::Window;
use crate::event::Event;
use crate::fold::{Address, Fold};
use crate::literals::Literals;
use crate::look::Look;
use crate::time::Timestamp;

/// So many lines of a thousand are decoded beside others without slowing them down.
const FEW: usize = 16;

/// And so many without taking as long as reading again what can't be cut by time.
const SOME: usize = 64;

/// Counts the entries of some kinds.
#[derive(Debug)]
pub struct Census {
    kinds: Arc<[Kind]>,
    /// What is counted of them.
    sought: Arc<[Sought]>,
    window: Window,
    rows: Rows,
    /// What was counted before, and is not counted again.
    known: Arc<Known>,
}

/// Entries all of which were counted.
#[derive(Debug, Default)]
struct Known {
    sought: Arc<[Sought]>,
    rows: Rows,
}

impl Census {
    /// Counts entries of these kinds within `window`.
    pub fn new(kinds: Vec<Kind>, window: Window) -> Self {
        let sought = kinds.iter().cloned().map(Sought::all).collect();
        Self { kinds: kinds.into(), sought, window, rows: Rows::default(), known: Arc::default() }
    }

    /// What a look that counts wants.
    pub fn look(&self) -> Look {
        Look {
            filters: Some(self.sought.iter().map(|sought| sought.filter().within(self.window)).collect()),
            literals: Literals::any_of_all(self.sought.iter().map(Sought::literals)),
        }
    }

    /// A census of the same that has counted nothing yet.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            kinds: Arc::clone(&self.kinds),
            sought: Arc::clone(&self.sought),
            window: self.window,
            rows: Rows::default(),
            known: Arc::clone(&self.known),
        }
    }

    /// A census of what this one lacks to be settled, which counts nothing that this one has counted.
    #[must_use]
    pub fn lacking(&self) -> Self {
        Self { sought: self.lacks().collect(), ..self.fork() }
    }

    fn lacks(&self) -> impl Iterator<Item = Sought> {
        let seen = self.seen();
        let lacking = self.kinds.iter().filter_map(move |kind| Sought::lacking(kind, &seen));
        lacking.filter(|sought| !self.knows(sought))
    }

    fn knows(&self, sought: &Sought) -> bool {
        self.known.sought.iter().any(|known| sought.is_within(known))
    }

    /// A census of what of this one is counted beside something else: of each kind all entries if a sample holds none, or with a
    /// window not many, or those with bodies if the kind needs any and few lines are taken for one. `permille` says of how
    /// many lines of a thousand a look takes decoding. `None` if that is nothing.
    pub fn beside(&self, mut permille: impl FnMut(&Look) -> usize) -> Option<Self> {
        let mut is_rare = |sought: &Sought, most| {
            permille(&Self { sought: [sought.clone()].into(), ..self.fork() }.look()) <= most
        };
        let most = if self.window == Window::default() { 0 } else { SOME };
        let rare = |kind: &Kind| {
            let all = Some(Sought::all(kind.clone())).filter(|all| is_rare(all, most));
            let bodies = kind.needs_bodies.then(|| Sought::bodies(kind.clone()));
            all.or_else(|| bodies.filter(|bodies| is_rare(bodies, FEW)))
        };
        let sought: Arc<[Sought]> = self.kinds.iter().filter_map(rare).collect();
        (!sought.is_empty()).then(|| Self { sought, ..self.fork() })
    }

    /// The same census where all that another one counts is known.
    #[must_use]
    pub fn knowing(self, other: Self) -> Self {
        let known = Known { sought: other.sought, rows: other.rows };
        let knowing = Self { known: known.into(), ..self };
        let sought = knowing.sought.iter().filter(|sought| !knowing.knows(sought)).cloned().collect();
        Self { sought, ..knowing }
    }

    /// One that counts the same without its window, if it has one, from the beginning.
    pub fn at_any_time(&self) -> Option<Self> {
        let window = Window::default();
        (self.window != window).then(|| Self::new(self.kinds.to_vec(), window))
    }

    /// Whether entries between two times may lie within the window.
    pub fn reaches(&self, from: Timestamp, until: Timestamp) -> bool {
        from <= self.window.until && self.window.from <= until
    }

    /// Whether more entries would tell no more.
    pub fn is_settled(&self) -> bool {
        self.lacks().next().is_none()
    }

    /// Whether what was counted leaves no doubt of what is logged.
    pub fn is_sure(&self) -> bool {
        let seen = self.seen();
        self.kinds.iter().all(|kind| Sought::lacking(kind, &seen).is_none())
    }

    /// What was counted, by resource, verb and level.
    pub fn into_seen(self) -> Vec<Seen> {
        self.seen()
    }

    fn seen(&self) -> Vec<Seen> {
        let mut rows = self.rows.clone();
        rows.merge(self.known.rows.clone());
        rows.into_seen()
    }
}

impl Fold for Census {
    fn event(&mut self, event: &Event<'_>, _: Address) {
        let is_sought = |sought: &[Sought]| sought.iter().any(|sought| sought.holds(event));
        if self.window.holds(event.stage_time) && is_sought(&self.sought) && !is_sought(&self.known.sought) {
            self.rows.count(event);
        }
    }

    fn merge(&mut self, other: Self) {
        self.rows.merge(other.rows);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::ObjectRef;

    const KINDS: &[Kind] = &[
        Kind {
            groups: Vec::new(),
            resource: None,
            subresources: &["", "scale"],
            verbs: &["create", "patch"],
            needs_bodies: true,
        },
        Kind {
            groups: Vec::new(),
            resource: None,
            subresources: &[""],
            verbs: &["delete"],
            needs_bodies: false,
        },
    ];

    fn event() -> impl Strategy<Value = Event<'static>> {
        let any = |words: &'static [&'static str]| prop::sample::select(words);
        let stage = prop_oneof![4 => Just("RequestReceived"), 1 => Just("ResponseComplete")];
        let level = prop_oneof![8 => Just("Metadata"), 1 => Just("Request"), 1 => Just("RequestResponse")];
        (any(&["create", "patch", "delete", "get"]), any(&["", "scale", "status"]), stage, level).prop_map(
            |(verb, subresource, stage, level)| {
                let object = ObjectRef {
                    resource: "pods".into(),
                    subresource: subresource.into(),
                    ..ObjectRef::default()
                };
                Event {
                    verb: verb.into(),
                    stage: stage.into(),
                    level: level.into(),
                    object_ref: Some(object),
                    ..Event::default()
                }
            },
        )
    }

    fn counted(mut census: Census, events: &[Event<'_>]) -> Census {
        let line = |event: &Event<'_>| format!("{} {} {:?}", event.verb, event.level, event.object_ref);
        let literals = census.look().literals;
        for event in events {
            let is_found =
                literals.as_slice().is_none_or(|all| all.iter().any(|text| line(event).contains(text)));
            if is_found {
                census.event(event, Address { source: 0, offset: 0, length: 0 });
            }
        }
        census
    }

    proptest! {
        /// What a sample lacks, and what was counted beside, leaves the doubts that all entries leave, and counts none of them
        /// twice.
        #[test]
        fn what_a_sample_lacks_is_counted_once(
            events in prop::collection::vec(event(), 0..30), sampled in 0_usize..30,
            lines in prop::collection::vec(prop::sample::select(&[0, 1, FEW, 1000][..]), 4),
        ) {
            let census = || Census::new(KINDS.to_vec(), Window::default());
            let mut lines = lines.into_iter();
            let beside = census().beside(|_| lines.next().unwrap_or(1000)).map(|beside| counted(beside, &events));
            let rest = beside.into_iter().fold(census(), Census::knowing);
            let mut part = counted(rest, &events[..sampled.min(events.len())]);
            let rest = counted(part.lacking(), &events);
            prop_assert!(!part.is_settled() || rest.rows.clone().into_seen().is_empty());
            part.merge(rest);
            let all = counted(census(), &events);
            let doubts = |census: &Census| format!("{:?}", Doubt::of(KINDS, &census.seen()));
            prop_assert_eq!(doubts(&part), doubts(&all));
            let all = all.into_seen();
            for row in part.into_seen() {
                let is_same = |other: &&Seen| (&other.verb, &other.subresource, &other.level) == (&row.verb, &row.subresource, &row.level);
                prop_assert!(all.iter().find(is_same).is_some_and(|other| row.entries <= other.entries), "{row:?}");
            }
        }
    }
}
