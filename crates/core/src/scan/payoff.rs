//! Whether the search for lines that can matter pays.

use super::prefilter::Prefilter;

/// Whether the search pays: where it left almost nothing out of a block, the next ones are decoded without it.
#[derive(Debug, Default)]
pub(super) struct Payoff {
    /// How many blocks come before the next that is searched.
    rest: u32,
    /// Whether the block at hand is.
    is_searched: bool,
}

impl Payoff {
    /// How many blocks are decoded without a search.
    const REST: u32 = 31;
    /// Shorter blocks tell nothing, in bytes.
    const LEAST: usize = 64 * 1024;

    /// What selects the lines of the next block.
    pub(super) fn next<'a>(&mut self, prefilter: &'a Prefilter) -> &'a Prefilter {
        self.is_searched = self.rest == 0;
        self.rest = self.rest.saturating_sub(1);
        if self.is_searched { prefilter } else { &Prefilter::Everything }
    }

    /// Takes how long a block is, and how much of it was left out.
    pub(super) const fn saw(&mut self, length: usize, skipped: u64) {
        if self.is_searched && length >= Self::LEAST && skipped.saturating_mul(16) < length as u64 {
            self.rest = Self::REST;
        }
    }
}

#[cfg(test)]
mod tests {
    use audit_who_event::literals::Literals;

    use super::*;
    use crate::scan::marks::Marks;

    /// Of a log in which half of the lines stand together that need not be decoded, few more than the others are.
    #[test]
    fn a_search_that_leaves_nothing_out_is_left_out_for_a_while() {
        let (wanted, other) = ("{web}\n".repeat(20_000), "{lab}\n".repeat(20_000));
        let (mut search, prefilter, mut decoded) =
            (Payoff::default(), Prefilter::new(&Literals::any_of(["web".to_owned()])), Vec::new());
        let mut marks = Marks::default();
        for block in std::iter::repeat_n(&wanted, 3).chain(std::iter::repeat_n(&other, 200)).chain([&wanted])
        {
            let mut hits = search.next(&prefilter).hits(block.as_bytes(), &mut marks, None);
            let selected = hits.is_in(0, 5);
            search.saw(block.len(), if selected { 0 } else { block.len() as u64 });
            decoded.push(selected);
        }
        assert_eq!(decoded.iter().filter(|selected| **selected).count(), 3 + 29 + 1);
        assert!(decoded[..32].iter().all(|selected| *selected) && decoded[203]);
        // Short blocks tell nothing.
        let mut search = Payoff::default();
        assert!(search.next(&prefilter).hits(b"{web}", &mut marks, None).is_in(0, 5));
        search.saw(5, 0);
        assert!(!search.next(&prefilter).hits(b"{lab}", &mut marks, None).is_in(0, 5));
    }
}
