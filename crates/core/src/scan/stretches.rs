//! Parts of sources, and what of others lies outside of them.

use std::collections::BTreeSet;

/// The lines of a source that begin between two places, in bytes from the start of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stretch {
    pub(super) source: usize,
    pub(super) from: u64,
    pub(super) stop: u64,
}

/// Which parts of the sources need not be read again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stretches(
    /// In order, none of them touching another.
    Vec<Stretch>,
);

impl Stretches {
    /// What of a stretch lies outside of these, in order.
    pub(super) fn missing(&self, of: Stretch) -> Vec<Stretch> {
        let first = self.0.partition_point(|known| (known.source, known.stop) <= (of.source, of.from));
        let (mut missing, mut from) = (Vec::new(), of.from);
        for known in &self.0[first..] {
            if known.source != of.source || known.from >= of.stop {
                break;
            }
            if known.from > from {
                missing.push(Stretch { from, stop: known.from, ..of });
            }
            from = known.stop;
        }
        if from < of.stop {
            missing.push(Stretch { from, ..of });
        }
        missing
    }
}

impl FromIterator<Stretch> for Stretches {
    fn from_iter<I: IntoIterator<Item = Stretch>>(all: I) -> Self {
        let mut joined: Vec<Stretch> = Vec::new();
        for stretch in all.into_iter().collect::<BTreeSet<_>>() {
            match joined.last_mut() {
                Some(last) if last.source == stretch.source && last.stop >= stretch.from => {
                    last.stop = last.stop.max(stretch.stop);
                }
                _ => joined.push(stretch),
            }
        }
        Self(joined)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stretch() -> impl Strategy<Value = Stretch> {
        (0..2_usize, 0..30_u64, 1..8_u64).prop_map(|(source, from, length)| Stretch {
            source,
            from,
            stop: from + length,
        })
    }

    proptest! {
        /// Each place is missing if none of the stretches holds it, and is told once.
        #[test]
        fn what_is_missing_lies_outside(known in prop::collection::vec(stretch(), 0..12), of in stretch()) {
            let holds = |stretch: &Stretch, place| {
                stretch.source == of.source && (stretch.from..stretch.stop).contains(&place)
            };
            let missing = known.iter().copied().collect::<Stretches>().missing(of);
            for place in 0..40 {
                let is_missing = holds(&of, place) && !known.iter().any(|known| holds(known, place));
                let told = missing.iter().filter(|missing| holds(missing, place)).count();
                prop_assert_eq!(told, usize::from(is_missing));
            }
        }
    }
}
