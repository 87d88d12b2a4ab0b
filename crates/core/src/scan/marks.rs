//! One pass over a block of text: where its lines end, and where something may be that is searched for.
//!
//! All of it is told from three bytes that follow each other, so that each byte is fetched once whatever is searched for.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, mask8x64, u8x64};

/// Three bytes that follow each other, none of them NUL.
pub(super) type Triple = [u8; TRIPLE];

/// Bytes of a triple. Two would be met too often: in JSON no two letters are rare.
pub(super) const TRIPLE: usize = 3;

/// More triples than these are not looked for at once.
pub(super) const MOST: usize = 6;

/// Bytes that are looked at together: each is a bit of a word.
const WORD: usize = u64::BITS as usize;

/// Memory for fewer words is not given back.
const KEPT: usize = 4096;

/// Where lines end in a text, and where triples are in it.
#[derive(Default)]
pub(crate) struct Marks {
    words: Vec<Word>,
    shape: Shape,
}

/// What is told of [`WORD`] bytes: a bit for each of them.
#[derive(Clone, Copy, Default)]
struct Word {
    /// Line feeds.
    ends: u64,
    /// Where one of the triples begins.
    triples: u64,
}

/// What a text looks like as lines.
#[derive(Clone, Copy, Default)]
struct Shape {
    /// How many line feeds there are.
    ends: usize,
    /// The bits are places in words, at which a line feed has no `}` before it or no `{` behind it.
    odd: u64,
}

impl Marks {
    /// Notes where the lines of `text` end, and where it has one of the first [`MOST`] `triples`.
    pub(super) fn take(&mut self, text: &[u8], triples: &[Triple]) {
        self.take_at(Level::new(), text, triples);
    }

    /// With the instructions of a level.
    fn take_at(&mut self, level: Level, text: &[u8], triples: &[Triple]) {
        match triples.len() {
            0 => self.take_first::<0>(level, text, triples),
            1 => self.take_first::<1>(level, text, triples),
            2 => self.take_first::<2>(level, text, triples),
            3 => self.take_first::<3>(level, text, triples),
            4 => self.take_first::<4>(level, text, triples),
            5 => self.take_first::<5>(level, text, triples),
            _ => self.take_first::<MOST>(level, text, triples),
        }
    }

    fn take_first<const N: usize>(&mut self, level: Level, text: &[u8], triples: &[Triple]) {
        let Some(triples) = triples.first_chunk::<N>() else { return };
        let words = text.len().div_ceil(WORD);
        self.words.resize(words, Word::default());
        self.words.shrink_to(words.saturating_mul(2).max(KEPT));
        // Behind each byte of a whole word the rest of a triple fits.
        let whole = text.len().saturating_sub(TRIPLE - 1) / WORD;
        let (words, last) = self.words.split_at_mut(whole);
        let shape = dispatch!(level, simd => mark(simd, text, triples, words));
        // What is behind takes no more than two words.
        let mut rest = [0; 2 * WORD + TRIPLE - 1];
        let length = text.len() - whole * WORD;
        rest[..length].copy_from_slice(&text[whole * WORD..]);
        rest[length] = b'{';
        let last = dispatch!(level, simd => mark(simd, &rest, triples, last));
        self.shape = Shape { ends: shape.ends + last.ends, odd: shape.odd | last.odd };
    }

    /// How many lines `text` has, which these are the marks of, if all of them have the outer shape of a JSON object and end
    /// with nothing but a line feed.
    pub(super) fn objects(&self, text: &[u8]) -> Option<usize> {
        let is_whole = text.starts_with(b"{") && text.ends_with(b"}\n");
        (is_whole && self.shape.odd == 0).then_some(self.shape.ends)
    }

    /// Where the first line ends that does so at or behind `from`; `usize::MAX` if there is none.
    #[inline]
    pub(super) fn end(&self, from: usize) -> usize {
        self.first(from, |word| word.ends)
    }

    /// The first place of a triple at or behind `from`; `usize::MAX` if there is none.
    pub(super) fn triple(&self, from: usize) -> usize {
        self.first(from, |word| word.triples)
    }

    /// The first of these places at or behind `from`; `usize::MAX` if there is none.
    #[inline]
    fn first(&self, from: usize, places: impl Fn(&Word) -> u64) -> usize {
        let mut at = from / WORD;
        let Some(word) = self.words.get(at) else { return usize::MAX };
        let mut bits = places(word) & u64::MAX << (from % WORD);
        while bits == 0 {
            at += 1;
            // Most words have none.
            while self.words.get(at..at + 4).is_some_and(|words| words.iter().all(|word| places(word) == 0)) {
                at += 4;
            }
            let Some(word) = self.words.get(at) else { return usize::MAX };
            bits = places(word);
        }
        at * WORD + bits.trailing_zeros() as usize
    }
}

/// Fills words, for [`WORD`] bytes of `text` each, which has two bytes more than that; and tells its shape.
///
/// Loops rather than closures: what is called here must become part of the caller, which may use the instructions.
#[expect(clippy::inline_always, reason = "without it, no function here may use the instructions of a level")]
#[inline(always)]
fn mark<S: Simd, const N: usize>(simd: S, text: &[u8], triples: &[Triple; N], words: &mut [Word]) -> Shape {
    let [line_feed, open, close] = [b'\n', b'{', b'}'].map(|byte| u8x64::splat(simd, byte));
    let (mut ends, mut odd) = (0, mask8x64::splat(simd, false));
    let triples = triples.map(|triple| triple.map(|byte| u8x64::splat(simd, byte)));
    for (at, word) in words.iter_mut().enumerate() {
        // One look at how long the text is.
        let bytes = &text[at * WORD..][..WORD + TRIPLE - 1];
        let first = u8x64::from_slice(simd, &bytes[..WORD]);
        let second = u8x64::from_slice(simd, &bytes[1..=WORD]);
        let third = u8x64::from_slice(simd, &bytes[2..]);
        let mut least = u8x64::splat(simd, u8::MAX);
        for triple in &triples {
            let difference = (first ^ triple[0]) | (second ^ triple[1]) | (third ^ triple[2]);
            least = least.min(difference);
        }
        word.ends = first.simd_eq(line_feed).to_bitmask();
        word.triples = least.simd_eq(0).to_bitmask();
        ends += word.ends.count_ones() as usize;
        let is_odd = (first.simd_eq(line_feed) & !second.simd_eq(open))
            | (second.simd_eq(line_feed) & !first.simd_eq(close));
        odd |= is_odd;
    }
    Shape { ends, odd: odd.to_bitmask() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dated::is_object;

    /// What this machine can do, from the best to what every one can.
    fn levels() -> Vec<Level> {
        let best = Level::new();
        let mut levels = vec![best];
        #[cfg(target_arch = "x86_64")]
        {
            levels.extend(best.as_avx2().map(Level::Avx2));
            levels.extend(best.as_sse4_2().map(Level::Sse4_2));
            levels.extend(best.as_sse2().map(Level::Sse2));
        }
        levels
    }

    proptest! {
        /// A look at each byte finds the same, with all instructions and whatever the memory held before.
        #[test]
        fn marks_are_where_the_bytes_are(
            texts in prop::collection::vec(r"([ab\\u\n]|\}\n\{|\{a\}\n){0,120}", 1..3), triples in prop::collection::vec(r"[ab\\u]{3}", 0..=MOST),
        ) {
            let triples: Vec<Triple> = triples.iter().filter_map(|triple| triple.as_bytes().try_into().ok()).collect();
            for level in levels() {
                let mut marks = Marks::default();
                for text in &texts {
                    marks.take_at(level, text.as_bytes(), &triples);
                    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
                    for (at, end) in ends.iter().chain([&usize::MAX]).enumerate() {
                        let from = if at == 0 { 0 } else { ends[at - 1] + 1 };
                        prop_assert_eq!(marks.end(from), *end, "{:?} from {}", level, from);
                    }
                    let objects = text.strip_suffix('\n').map(|lines| lines.split('\n'));
                    let are_objects = objects.clone().is_some_and(|mut lines| lines.all(|line| is_object(line.as_bytes())));
                    let count = objects.filter(|_| are_objects).map(Iterator::count);
                    prop_assert_eq!(marks.objects(text.as_bytes()), count, "{:?}", level);
                    let is_triple = |at: &usize| triples.iter().any(|triple| text.as_bytes()[*at..].starts_with(triple));
                    let places: Vec<usize> = (0..text.len()).filter(is_triple).collect();
                    let mut from = 0;
                    for place in places.into_iter().chain([usize::MAX]) {
                        prop_assert_eq!(marks.triple(from), place, "{:?} from {}", level, from);
                        prop_assert_eq!(marks.triple(place), place, "{:?}", level);
                        from = place.saturating_add(1);
                    }
                }
            }
        }
    }

    #[test]
    fn memory_for_a_long_line_is_given_back() {
        let mut marks = Marks::default();
        marks.take(&vec![b'a'; 1 << 20], &[*b"abc"]);
        marks.take(b"abc\n", &[*b"abc"]);
        assert_eq!((marks.end(0), marks.triple(0)), (3, 0));
        assert!(marks.words.capacity() <= KEPT);
    }
}
