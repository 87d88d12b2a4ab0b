//! How long requests took, in little memory.

/// Buckets an octave, as a power of two: a bucket is at most an eighth wider than its lower end.
const SHIFT: u32 = 3;

/// A histogram of durations in microseconds with buckets of growing width; only those that are met take memory, at most
/// 4 kB in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// Bucket and count, by bucket. Counts stop at 4 billion.
    buckets: Vec<(u16, u32)>,
    max: u64,
}

impl Latency {
    pub(super) fn add(&mut self, micros: u64) {
        self.max = self.max.max(micros);
        self.put(bucket(micros), 1);
    }

    /// The buckets that are met, in order: below 8 microseconds each duration has its own, from there on each doubling has
    /// eight; with each how many fell into it.
    pub fn buckets(&self) -> &[(u16, u32)] {
        &self.buckets
    }

    /// From [buckets](Self::buckets) and the [longest](Self::max) duration; `None` if there are no such buckets, or they are
    /// out of order.
    pub fn from_buckets(buckets: Vec<(u16, u32)>, max: u64) -> Option<Self> {
        let last = bucket(u64::MAX);
        let in_order = buckets.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let known = buckets.last().is_none_or(|(bucket, _)| *bucket <= last);
        (in_order && known).then_some(Self { buckets, max })
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.max = self.max.max(other.max);
        for (bucket, count) in &other.buckets {
            self.put(*bucket, *count);
        }
    }

    fn put(&mut self, bucket: u16, count: u32) {
        // Most often all buckets from the first on are met.
        let guess = self.buckets.first().map_or(0, |(first, _)| bucket.saturating_sub(*first)).into();
        let found = match self.buckets.get(guess) {
            Some((at, _)) if *at == bucket => Ok(guess),
            _ => self.buckets.binary_search_by_key(&bucket, |(at, _)| *at),
        };
        match found {
            Ok(at) => self.buckets[at].1 = self.buckets[at].1.saturating_add(count),
            Err(at) => self.buckets.insert(at, (bucket, count)),
        }
    }

    /// How many were measured.
    pub(super) fn measured(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| u64::from(*count)).sum()
    }

    /// The longest, exactly, in microseconds.
    pub const fn max(&self) -> u64 {
        self.max
    }

    /// What `percent` of 100 do not exceed: exact or up to an eighth more, never more than the longest.
    pub(super) fn quantile(&self, percent: u64) -> u64 {
        let rank = (self.measured() * percent).div_ceil(100);
        let mut below = 0;
        let reaches = |(_, count): &&(u16, u32)| {
            below += u64::from(*count);
            below >= rank
        };
        self.buckets.iter().find(reaches).map_or(self.max, |(bucket, _)| upper_end(*bucket).min(self.max))
    }
}

/// The bucket of a duration: below 8 each has its own, from there on each octave has eight.
fn bucket(micros: u64) -> u16 {
    // Timestamps are signed: there is no longer duration between two of them.
    let micros = micros.min(i64::MAX.unsigned_abs());
    let octave = micros.checked_ilog2().unwrap_or(0).saturating_sub(SHIFT);
    let in_octave = micros >> octave;
    u16::try_from(u64::from(octave << SHIFT) + in_octave).unwrap_or(u16::MAX)
}

/// The longest duration of a bucket.
fn upper_end(bucket: u16) -> u64 {
    let octave = u32::from(bucket >> SHIFT).saturating_sub(1);
    let in_octave = u64::from(bucket) - u64::from(octave << SHIFT);
    ((in_octave + 1) << octave) - 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_follow_each_other() {
        for micros in 0..100_000 {
            let (here, next) = (bucket(micros), bucket(micros + 1));
            assert!(next == here || next == here + 1, "{micros}");
            assert_eq!(next > here, upper_end(here) == micros, "{micros}");
        }
        assert_eq!(upper_end(bucket(u64::MAX)), i64::MAX.unsigned_abs());
    }

    proptest! {
        #[test]
        fn quantiles_are_near_those_of_a_sorted_list(mut all in prop::collection::vec(0_u64..10_000_000, 1..200), percent in 1_u64..=100) {
            let mut latency = Latency::default();
            for micros in &all {
                latency.add(*micros);
            }
            all.sort_unstable();
            let rank = usize::try_from((all.len() as u64 * percent).div_ceil(100)).unwrap();
            let (exact, told) = (all[rank - 1], latency.quantile(percent));
            prop_assert!(told >= exact && told <= exact + exact / 8, "{} told for {}", told, exact);
            prop_assert_eq!(latency.max(), all[all.len() - 1]);
            prop_assert_eq!(latency.measured(), all.len() as u64);
        }
    }
}
