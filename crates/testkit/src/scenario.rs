//! Small stories of a cluster, one for each way in which an object goes or stays, is changed or reached.

mod access;
mod cascade;
mod change;
mod credential;
mod eviction;
mod job;
mod node;
mod object;
mod preemption;
mod removal;
mod story;
mod trap;
mod workload;

use crate::entry::{Entry, Level, Stage};
use story::Story;

/// A story: what happened, and the entries that tell it.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Name of its folder under `fixtures/`.
    pub name: &'static str,
    /// What happens, in one line.
    pub about: &'static str,
    tell: fn(&mut Story),
}

impl Scenario {
    /// The entries in the order of the log. The same each time.
    pub fn entries(&self) -> Vec<Entry> {
        let mut story = Story::new(self.name);
        (self.tell)(&mut story);
        story.into_entries()
    }

    /// The log under a policy of the given level, a line each entry. As is usual there, the policy of level Metadata
    /// omits the stage `RequestReceived`.
    pub fn log(&self, level: Level) -> String {
        let omitted = |entry: &Entry| level == Level::Metadata && entry.stage == Stage::RequestReceived;
        self.entries()
            .iter()
            .filter(|entry| !omitted(entry))
            .map(|entry| entry.to_line(level) + "\n")
            .collect()
    }
}

/// All stories.
pub fn all() -> impl Iterator<Item = &'static Scenario> {
    [
        eviction::SCENARIOS,
        preemption::SCENARIOS,
        node::SCENARIOS,
        removal::SCENARIOS,
        workload::SCENARIOS,
        cascade::SCENARIOS,
        job::SCENARIOS,
        trap::SCENARIOS,
        access::SCENARIOS,
        credential::SCENARIOS,
        change::SCENARIOS,
    ]
    .into_iter()
    .flatten()
}

/// The story of that name.
pub fn find(name: &str) -> Option<&'static Scenario> {
    all().find(|scenario| scenario.name == name)
}
