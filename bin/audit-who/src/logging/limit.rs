//! How often the same message is told.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use log::Level;

/// How often a message is told within [`INTERVAL`].
const OFTEN: u64 = 10;
/// After which it is told anew, with how often it was not.
const INTERVAL: Duration = Duration::from_mins(1);

/// Where in the program a message comes from: file and line.
pub(crate) type Site = (&'static str, u32);

/// Which messages were told how often.
#[derive(Debug, Default)]
pub(crate) struct Limit {
    messages: HashMap<Site, Window>,
}

/// One message, since it was told first.
#[derive(Debug)]
struct Window {
    since: Instant,
    told: u64,
    suppressed: Option<Suppressed>,
}

/// What was not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suppressed {
    pub(crate) level: Level,
    /// The last one.
    pub(crate) message: String,
    /// How many.
    pub(crate) count: u64,
}

impl Limit {
    /// Whether a message is to be told now; it is counted if not.
    pub(crate) fn admits(&mut self, site: Site, now: Instant, level: Level, message: &str) -> bool {
        let window = self.messages.entry(site).or_insert(Window { since: now, told: 0, suppressed: None });
        if window.told < OFTEN {
            window.told += 1;
            return true;
        }
        let count = window.suppressed.take().map_or(0, |before| before.count) + 1;
        window.suppressed = Some(Suppressed { level, message: message.to_owned(), count });
        false
    }

    /// What was not told in intervals that are over; with `all`, in those that are not, too.
    pub(crate) fn due(&mut self, now: Instant, all: bool) -> Vec<Suppressed> {
        let mut due = Vec::new();
        self.messages.retain(|_, window| {
            let over = now.duration_since(window.since) >= INTERVAL;
            if over || all {
                due.extend(window.suppressed.take());
            }
            !over
        });
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Site = ("here.rs", 1);

    #[test]
    fn a_message_is_told_a_few_times_and_counted_then() {
        let (mut limit, start) = (Limit::default(), Instant::now());
        let say = |limit: &mut Limit, site, seconds| {
            limit.admits(site, start + Duration::from_secs(seconds), Level::Warn, "full")
        };
        let told = (0..25).filter(|_| say(&mut limit, HERE, 1)).count();
        assert_eq!(told, 10);
        // Another message is told all the same.
        assert!(say(&mut limit, ("here.rs", 2), 1));
        assert_eq!(limit.due(start + Duration::from_secs(59), false), []);
        let suppressed = Suppressed { level: Level::Warn, message: "full".to_owned(), count: 15 };
        assert_eq!(limit.due(start + Duration::from_secs(61), false), [suppressed]);
        assert!(say(&mut limit, HERE, 62));
        assert_eq!(limit.due(start + Duration::from_secs(200), true), []);
    }

    #[test]
    fn at_the_end_all_is_told() {
        let (mut limit, now) = (Limit::default(), Instant::now());
        for _ in 0..12 {
            limit.admits(HERE, now, Level::Error, "lost");
        }
        let suppressed = limit.due(now, true);
        assert_eq!(suppressed[0].count, 2);
        // It goes on being limited.
        assert!(!limit.admits(HERE, now, Level::Error, "lost"));
    }
}
