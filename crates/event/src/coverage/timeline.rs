//! When there were entries, and when there were none for long, from some of their times.

use crate::time::Timestamp;

/// Shorter pauses between entries are not looked at, in microseconds: every API server renews its own lease and probes
/// itself several times a minute.
pub const PAUSE: i64 = 60_000_000;

/// How many runs one timeline holds; beyond it the shortest pauses are forgotten.
const MAX_RUNS: usize = 65_536;

/// An entry's stage time, and where the entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Stage time.
    pub time: Timestamp,
    /// Which source, by its number in the scan.
    pub source: usize,
    /// Bytes from the start of the source's decompressed content.
    pub offset: u64,
}

/// The runs of entries that follow each other within [`PAUSE`].
///
/// Which entries are added, in which order and in how many parts does not matter, as long as of two entries of a longer
/// pause both are.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// By time, further apart than `link`.
    runs: Vec<Run>,
    /// Microseconds.
    link: i64,
    /// How long the stretches are that were passed over, in microseconds.
    passed_over: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    first: Moment,
    last: Moment,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { runs: Vec::new(), link: PAUSE, passed_over: 0 }
    }
}

impl Timeline {
    /// Takes the time of one entry.
    #[inline]
    pub fn add(&mut self, moment: Moment) {
        if !self.is_within_last(moment) {
            self.take(Run { first: moment, last: moment });
        }
    }

    /// Takes the first and the last of some entries that follow each other within [`PAUSE`].
    pub fn add_run(&mut self, first: Moment, last: Moment) {
        self.take(Run { first, last });
    }

    /// Takes the first and the last entry of a stretch that was not read: what pauses there are in it is not known, and not
    /// told.
    pub fn pass_over(&mut self, first: Moment, last: Moment) {
        self.take(Run { first, last: last.max(first) });
        self.passed_over = self.passed_over.saturating_add(last.time.since(first.time).max(0));
    }

    /// How long there may have been entries that were looked at: from the first to the last, but for what was passed over;
    /// in microseconds.
    pub fn length(&self) -> i64 {
        let whole = self.first().zip(self.last()).map_or(0, |(first, last)| last.time.since(first.time));
        whole.saturating_sub(self.passed_over).max(0)
    }

    /// Takes what another timeline knows.
    pub fn merge(&mut self, other: Self) {
        self.passed_over = self.passed_over.saturating_add(other.passed_over);
        self.widen(other.link);
        for run in other.runs {
            self.take(run);
        }
    }

    /// The first and the last entry of each run, by time.
    pub fn runs(&self) -> impl Iterator<Item = (Moment, Moment)> {
        self.runs.iter().map(|run| (run.first, run.last))
    }

    /// The first entry.
    pub fn first(&self) -> Option<Moment> {
        self.runs.first().map(|run| run.first)
    }

    /// The last entry.
    pub fn last(&self) -> Option<Moment> {
        self.runs.last().map(|run| run.last)
    }

    /// The entries between which there is none for longer than [`PAUSE`], by time.
    pub fn pauses(&self) -> impl Iterator<Item = (Moment, Moment)> {
        self.runs.windows(2).map(|pair| (pair[0].last, pair[1].first))
    }

    /// Adds the time of an entry that lies behind the beginning of the last run and belongs to it, as most do.
    #[inline]
    fn is_within_last(&mut self, moment: Moment) -> bool {
        let Some(last) = self.runs.last_mut().filter(|last| moment.time > last.first.time) else {
            return false;
        };
        if moment.time < last.last.time {
            return true;
        }
        let follows = moment.time.since(last.last.time) <= self.link;
        if follows {
            last.last = last.last.max(moment);
        }
        follows
    }

    fn take(&mut self, mut run: Run) {
        // Entries are written nearly in order: most belong to the last run.
        let behind = |known: &Run| run.first.time.since(known.last.time) > self.link;
        let start = match self.runs.last() {
            Some(last) if behind(last) => self.runs.len(),
            Some(last) if run.first >= last.first => self.runs.len() - 1,
            _ => self.runs.partition_point(behind),
        };
        let near = |known: &&Run| known.first.time.since(run.last.time) <= self.link;
        let count = self.runs[start..].iter().take_while(near).count();
        let joined = &mut self.runs[start..start + count];
        if let [only] = joined {
            only.first = only.first.min(run.first);
            only.last = only.last.max(run.last);
            return;
        }
        for known in joined {
            run.first = run.first.min(known.first);
            run.last = run.last.max(known.last);
        }
        self.runs.splice(start..start + count, [run]);
        while self.runs.len() > MAX_RUNS {
            self.widen(self.link.saturating_mul(2));
        }
    }

    /// Joins runs that are no further apart than `link`.
    fn widen(&mut self, link: i64) {
        if link <= self.link {
            return;
        }
        self.link = link;
        self.runs.dedup_by(|later, earlier| {
            let near = later.first.time.since(earlier.last.time) <= link;
            if near {
                earlier.last = later.last;
            }
            near
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Moment {
        let offset = u64::try_from(seconds).unwrap();
        Moment { time: Timestamp::from_micros(seconds * 1_000_000), source: 0, offset }
    }

    fn pauses(timeline: &Timeline) -> Vec<(Moment, Moment)> {
        timeline.pauses().collect()
    }

    #[test]
    fn an_entry_between_two_runs_joins_them() {
        let mut timeline = Timeline::default();
        for second in [0, 200, 100] {
            timeline.add(at(second));
        }
        assert_eq!(pauses(&timeline), [(at(0), at(100)), (at(100), at(200))]);
        timeline.add(at(50));
        assert_eq!(pauses(&timeline), [(at(100), at(200))]);
        timeline.add(at(150));
        assert_eq!(pauses(&timeline), []);
        assert_eq!((timeline.first(), timeline.last()), (Some(at(0)), Some(at(200))));
    }

    #[test]
    fn a_log_of_pauses_takes_no_memory() {
        let mut timeline = Timeline::default();
        for number in 0..200_000 {
            timeline.add(at(number * 61));
        }
        timeline.add(at(200_000 * 61 + 1_000_000));
        assert!(timeline.runs.len() <= MAX_RUNS);
        assert_eq!(pauses(&timeline).last(), Some(&(at(199_999 * 61), at(200_000 * 61 + 1_000_000))));
    }

    proptest! {
        #[test]
        fn pauses_are_those_of_the_sorted_times(
            seconds in proptest::collection::vec(0_i64..3000, 0..60),
            cut in 0_usize..60,
        ) {
            let (a, b) = seconds.split_at(cut.min(seconds.len()));
            let [mut one, mut other] = [a, b].map(|part| {
                let mut timeline = Timeline::default();
                for second in part {
                    timeline.add(at(*second));
                }
                timeline
            });
            let mut told = Timeline::default();
            for (first, last) in one.runs().chain(other.runs()) {
                told.add_run(first, last);
            }
            one.merge(std::mem::take(&mut other));
            prop_assert_eq!(pauses(&told), pauses(&one));
            let mut sorted = seconds;
            sorted.sort_unstable();
            let expected: Vec<_> =
                sorted.windows(2).filter(|pair| pair[1] - pair[0] > 60).map(|pair| (at(pair[0]), at(pair[1]))).collect();
            prop_assert_eq!(pauses(&one), expected);
        }
    }
}
