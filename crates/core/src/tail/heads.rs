//! Which generations begin how, so that a file is not compared with each of many.

use std::collections::{BTreeSet, HashMap};

use super::identity::{Head, Mark, Start};

/// Generations, by the heads that they had when they were met.
///
/// A head becomes longer while its content is short; what begins with the longer one begins with the first one, too, so
/// that this is still the one to find it by.
#[derive(Debug, Default)]
pub(super) struct Heads {
    generations: HashMap<Head, Vec<usize>>,
    /// The NULs in front of the heads, and their lengths: few, as lines are alike.
    shapes: BTreeSet<(u64, u64)>,
}

impl Heads {
    /// Notes the head of the generation with this index.
    pub(super) fn note(&mut self, head: Head, index: usize) {
        self.shapes.insert((head.skip, head.mark.length));
        self.generations.entry(head).or_default().push(index);
    }

    /// The generations that may begin so, the newest first.
    pub(super) fn candidates(&self, start: &Start) -> Vec<usize> {
        let longest = start.bytes.len() as u64;
        let shapes = self.shapes.range((start.skip, 0)..=(start.skip, longest));
        let head = |(skip, length): &(u64, u64)| {
            let bytes = start.bytes.get(..usize::try_from(*length).ok()?)?;
            Some(Head { skip: *skip, mark: Mark::of(bytes) })
        };
        let found = shapes.filter_map(head).filter_map(|head| self.generations.get(&head));
        let mut found: Vec<usize> = found.flatten().copied().collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is found is what comparing with each one finds.
        #[test]
        fn none_is_missed(
            heads in proptest::collection::vec((0_u64..2, "[ab\n]{1,4}"), 0..20),
            (skip, text) in (0_u64..2, "[ab\n]{0,6}"),
        ) {
            let heads: Vec<Head> =
                heads.iter().map(|(skip, text)| Head { skip: *skip, mark: Mark::of(text.as_bytes()) }).collect();
            let mut index = Heads::default();
            for (number, head) in heads.iter().enumerate() {
                index.note(*head, number);
            }
            let start = Start { skip, bytes: text.into_bytes(), ended: false };
            let slow: Vec<usize> = (0..heads.len()).rev().filter(|number| start.begins_with(&heads[*number])).collect();
            prop_assert_eq!(index.candidates(&start), slow);
        }
    }
}
