//! Where letters are spelled as escapes, so that who looks again need not search for it.

/// Places in one source are not kept beyond so many.
const MOST: usize = 64 * 1024;

/// Where one source spells letters as escapes, of each line one place, in bytes from the start of its content.
#[derive(Clone, Debug, Default)]
pub(super) struct Spelled {
    places: Vec<u64>,
    /// Whether there may be more.
    is_partial: bool,
}

impl Spelled {
    /// Takes one place.
    pub(super) fn saw(&mut self, place: u64) {
        if self.places.len() < MOST {
            self.places.push(place);
        } else {
            self.missed();
        }
    }

    /// Takes it that nobody searched a part.
    pub(super) fn missed(&mut self) {
        *self = Self { places: Vec::new(), is_partial: true };
    }

    /// How many places are known.
    pub(super) const fn count(&self) -> usize {
        self.places.len()
    }

    /// The places that were taken after the first `count`, if all are known.
    pub(super) fn behind(&self, count: usize) -> Option<&[u64]> {
        self.places.get(count..).filter(|_| !self.is_partial)
    }

    /// Takes what another part of the same source spells.
    pub(super) fn merge(&mut self, other: Self) {
        if self.is_partial || other.is_partial || self.places.len() + other.places.len() > MOST {
            self.missed();
        } else {
            self.places.extend(other.places);
        }
    }

    /// All places in order, if they are known.
    pub(super) fn known(&self) -> Option<Box<[u64]>> {
        let mut places = self.places.clone();
        places.sort_unstable();
        (!self.is_partial).then(|| places.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(places: &[u64]) -> Spelled {
        Spelled { places: places.to_vec(), is_partial: false }
    }

    #[test]
    fn places_of_all_parts_are_in_order() {
        let mut spelled = of(&[7, 9]);
        spelled.saw(12);
        spelled.merge(of(&[1, 8]));
        assert_eq!(spelled.known().as_deref(), Some(&[1, 7, 8, 9, 12][..]));
        assert_eq!(Spelled::default().known().as_deref(), Some(&[][..]));
    }

    #[test]
    fn what_nobody_searched_is_not_known() {
        let mut missed = of(&[1]);
        missed.missed();
        missed.saw(2);
        assert_eq!(missed.known(), None);
        let mut merged = of(&[3]);
        merged.merge(missed);
        assert_eq!(merged.known(), None);
        let mut many = Spelled::default();
        (0..=MOST as u64).for_each(|place| many.saw(place));
        assert_eq!(many.known(), None);
    }
}
