//! Which lines may matter, told from their bytes: never too few.

use std::collections::BTreeSet;

use audit_who_event::literals::Literals;
use audit_who_event::look::Look;
use memchr::memmem::{self, Finder};

use super::names::Names;
use super::requirements::Requirements;
use super::strings::Strings;

/// How many literals are searched for one by one, before all at once is faster.
const ONE_BY_ONE: usize = 2;

/// How many literals are searched for at once. The vectorized search holds no more; without it, decoding every line takes
/// a third of the time.
const AT_ONCE: usize = 64;

/// Shorter beginnings of names are met in every line. In bytes.
const SHORTEST_STEM: usize = 3;

/// Selects lines that hold a literal, or that may spell one with `\u00XX` escapes.
pub(crate) enum Prefilter {
    /// Every line.
    Everything,
    /// No line.
    Nothing,
    /// Lines with a hit of one of the needles, if they hold what else is required.
    Search { needles: Vec<Needle>, names: Names, requirements: Requirements },
}

/// What is searched for.
pub(crate) enum Needle {
    /// A literal, and whether a hit must be a name.
    One { literal: Finder<'static>, is_name: bool },
    /// Literals, of which the first so many need not be names.
    Many { literals: Strings, parts: usize },
    /// An escape that spells a character of literals.
    Escape(Finder<'static>),
}

impl Prefilter {
    /// Selects the lines that may hold what a look wants. How often strings are met in `sample` tells what is searched for.
    pub(crate) fn of(look: &Look, sample: &[u8]) -> Self {
        let count = |literal: &str| memmem::find_iter(sample, literal).count();
        let literals = if sample.is_empty() { look.literals.clone() } else { look.rarest_literals(count) };
        Self::selecting(&literals, Requirements::of(look))
    }

    pub(crate) fn new(literals: &Literals) -> Self {
        Self::selecting(literals, Requirements::default())
    }

    fn selecting(literals: &Literals, requirements: Requirements) -> Self {
        let Some(shortest) = literals.as_slice() else { return Self::Everything };
        if shortest.is_empty() {
            return Self::Nothing;
        }
        let parts = literals.parts();
        let mut needles: Vec<Needle> = if shortest.len() <= ONE_BY_ONE {
            let one = |literal: &String| Needle::One {
                literal: Finder::new(literal).into_owned(),
                is_name: !parts.contains(literal),
            };
            shortest.iter().map(one).collect()
        } else {
            let Some(names) = stems(literals) else { return Self::Everything };
            let all: Vec<&str> = parts.iter().map(String::as_str).chain(names).collect();
            match Strings::new(&all) {
                Some(literals) => vec![Needle::Many { literals, parts: parts.len() }],
                // Too many to search for: decoding all of it finds the same.
                None => return Self::Everything,
            }
        };
        needles.push(Needle::Escape(Finder::new(br"\u00").into_owned()));
        Self::Search { needles, names: Names::new(literals.names()), requirements }
    }

    /// Begins to select lines of `text`.
    pub(crate) fn hits<'a>(&'a self, text: &'a [u8]) -> Hits<'a> {
        let (search, always) = match self {
            Self::Everything => (None, true),
            Self::Nothing => (None, false),
            Self::Search { needles, names, requirements } => {
                (Some(Search { needles, names, requirements }), false)
            }
        };
        Hits { search, text, always, next: [0; ONE_BY_ONE + 1], noted: None, spelled: None }
    }
}

/// Whether the search pays: where it left almost nothing out of a block, the next ones are decoded without it.
#[derive(Debug, Default)]
pub(super) struct Yield {
    /// How many blocks come before the next that is searched.
    rest: u32,
    /// Whether the block at hand is.
    is_searched: bool,
}

impl Yield {
    /// How many blocks are decoded without a search.
    const REST: u32 = 31;
    /// Shorter blocks tell nothing, in bytes.
    const LEAST: usize = 64 * 1024;

    /// Begins to select lines of the next block.
    pub(super) fn hits<'a>(&mut self, prefilter: &'a Prefilter, text: &'a [u8]) -> Hits<'a> {
        self.is_searched = self.rest == 0;
        self.rest = self.rest.saturating_sub(1);
        if self.is_searched { prefilter.hits(text) } else { Prefilter::Everything.hits(text) }
    }

    /// Takes how long a block is, and how much of it was left out.
    pub(super) const fn saw(&mut self, length: usize, skipped: u64) {
        if self.is_searched && length >= Self::LEAST && skipped.saturating_mul(16) < length as u64 {
            self.rest = Self::REST;
        }
    }
}

/// The names to search for beside the parts, cut to so many letters that there are not too many; `None` if that leaves
/// nothing to search for.
fn stems(literals: &Literals) -> Option<BTreeSet<&str>> {
    let room = AT_ONCE.checked_sub(literals.parts().len())?;
    let cut = |length: usize| literals.names().map(|name| &name[..length.min(name.len())]).collect();
    let longest = literals.names().map(str::len).max().unwrap_or(0);
    let all: BTreeSet<&str> = cut(longest);
    if all.len() <= room {
        return Some(all);
    }
    let lengths = (SHORTEST_STEM..longest).map(cut).take_while(|stems: &BTreeSet<&str>| stems.len() <= room);
    lengths.last()
}

impl Needle {
    /// Where it is met first at or after `from`; `usize::MAX` if nowhere.
    fn find(&self, names: &Names, text: &[u8], mut from: usize) -> usize {
        loop {
            let found = match self {
                Self::One { literal, is_name } => literal.find(&text[from..]).map(|at| (from + at, *is_name)),
                Self::Many { literals, parts } => {
                    literals.find(text, from).map(|(at, which)| (at, which >= *parts))
                }
                Self::Escape(finder) => escape(finder, text, from).map(|at| (at, false)),
            };
            match found {
                Some((at, true)) if !names.may_stand_at(text, at) => from = at + 1,
                found => return found.map_or(usize::MAX, |(at, _)| at),
            }
        }
    }
}

/// The next `\u00XX` that spells a character which literals are made of.
///
/// Where JSON stands in a JSON string more backslashes come before the `u`, or the backslash is itself spelled `\u005c`.
/// Go's own escapes (`\u0026`, `\u003c`, `\u003e` and control characters) spell no such character: they are very common,
/// and are passed over.
fn escape(finder: &Finder<'_>, text: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let at = from + finder.find(&text[from..])?;
        let digits = text.get(at + finder.needle().len()..)?;
        if let [high, low, ..] = digits
            && SPELLS[usize::from(*high)] & 1 << hex(*low) != 0
            && low.is_ascii_hexdigit()
        {
            return Some(at);
        }
        from = at + finder.needle().len();
    }
}

/// By the first hex digit of a code: a bit for each second hex digit with which it spells a character of literals.
static SPELLS: [u16; 256] = {
    let mut table = [0; 256];
    let mut code = 0_u8;
    while code < 0x80 {
        if code.is_ascii_alphanumeric() || matches!(code, b'.' | b':' | b'_' | b'-' | b'\\') {
            table[b'0' as usize + (code >> 4) as usize] |= 1 << (code & 0xf);
        }
        code += 1;
    }
    table
};

/// The value of a hex digit; some value below 16 for what is none.
const fn hex(digit: u8) -> u8 {
    if digit.is_ascii_digit() { digit - b'0' } else { (digit & 0xf).wrapping_add(9) & 0xf }
}

/// Where the needles are met, asked line by line from the front.
pub(crate) struct Hits<'a> {
    search: Option<Search<'a>>,
    text: &'a [u8],
    always: bool,
    /// For each needle, where it was met last; it is searched for again from the first line behind that.
    next: [usize; ONE_BY_ONE + 1],
    /// Where escapes are, if it is known, and where the text begins in that.
    noted: Option<(&'a [u64], u64)>,
    /// Where the line that was asked about last spells a letter as an escape.
    spelled: Option<usize>,
}

#[derive(Clone, Copy)]
struct Search<'a> {
    needles: &'a [Needle],
    names: &'a Names,
    requirements: &'a Requirements,
}

impl<'a> Hits<'a> {
    /// Takes it that escapes are nowhere but at `noted`, which is sorted; the text begins at `offset` of the same content.
    pub(super) const fn with_escapes(mut self, noted: &'a [u64], offset: u64) -> Self {
        self.noted = Some((noted, offset));
        self
    }

    /// Whether the line at `start..end` is selected. Lines must be asked about in order.
    pub(crate) fn is_in(&mut self, start: usize, end: usize) -> bool {
        let Some(search) = self.search else { return self.always };
        self.search_from(start);
        let mut hit = false;
        self.spelled = None;
        for (needle, next) in search.needles.iter().zip(self.next).filter(|(_, next)| *next < end) {
            hit = true;
            if matches!(needle, Needle::Escape(_)) {
                self.spelled = Some(next);
            }
        }
        hit && (self.spelled.is_some() || search.requirements.may_meet(&self.text[start..end]))
    }

    /// Where the next line at or behind `start` that may be selected holds what it may be selected by; `start` is where a
    /// line begins. `None` if no line is.
    pub(super) fn next(&mut self, start: usize) -> Option<usize> {
        let Some(search) = self.search else { return self.always.then_some(start) };
        self.search_from(start);
        self.next[..search.needles.len()].iter().copied().min().filter(|next| *next < self.text.len())
    }

    /// Searches for what was met in front of `start` or there, or never searched for.
    fn search_from(&mut self, start: usize) {
        let Some(Search { needles, names, .. }) = self.search else { return };
        for (needle, next) in needles.iter().zip(&mut self.next).filter(|(_, next)| **next <= start) {
            *next = match (needle, self.noted) {
                (Needle::Escape(_), Some((noted, offset))) => {
                    let before = noted.partition_point(|at| *at < offset + start as u64);
                    let at = noted.get(before).and_then(|at| usize::try_from(at - offset).ok());
                    at.filter(|at| *at < self.text.len()).unwrap_or(usize::MAX)
                }
                _ => needle.find(names, self.text, start),
            };
        }
    }

    /// Where the line that was asked about last spells a letter as an escape, if escapes were searched for.
    pub(super) const fn spelled(&self) -> Option<usize> {
        self.spelled
    }

    /// Whether anything is searched for.
    pub(super) const fn searches(&self) -> bool {
        self.search.is_some()
    }

    /// Whether every line is selected, whatever it holds.
    pub(super) const fn is_in_all(&self) -> bool {
        self.search.is_none() && self.always
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_of(literals: &[&str]) -> Prefilter {
        Prefilter::new(&Literals::any_of(literals.iter().map(|literal| (*literal).to_owned())))
    }

    fn selected<'a>(prefilter: &Prefilter, text: &'a str) -> Vec<&'a str> {
        let mut hits = prefilter.hits(text.as_bytes());
        let mut start = 0;
        let keep = |line: &&str| {
            let end = start + line.len();
            let hit = hits.is_in(start, end);
            start = end + 1;
            hit
        };
        text.split('\n').filter(keep).collect()
    }

    #[test]
    fn lines_with_a_literal_are_selected_whatever_their_number() {
        let text = "web-1\nx web-2\n\nweb-3 web-1\nnothing\nweb-4";
        assert_eq!(selected(&any_of(&["web-1"]), text), ["web-1", "web-3 web-1"]);
        assert_eq!(selected(&any_of(&["web-1", "web-2"]), text), ["web-1", "x web-2", "web-3 web-1"]);
        assert_eq!(
            selected(&any_of(&["web-2", "web-3", "web-4"]), text),
            ["x web-2", "web-3 web-1", "web-4"]
        );
        assert_eq!(selected(&any_of(&[]), text), [""; 0]);
        let numbered = |count| (0..count).map(|number| format!("web-{number}.")).collect::<Vec<_>>();
        let many = |count| Prefilter::new(&Literals::any_of(numbered(count)));
        assert_eq!(selected(&many(64), "web-63.\nweb-64."), ["web-63."]);
        assert_eq!(selected(&many(65), "web-64.\nweb-65."), ["web-64.", "web-65."]);
        assert_eq!(selected(&Prefilter::new(&Literals::everything()), "a\nb"), ["a", "b"]);
    }

    /// Of a log in which half of the lines stand together that need not be decoded, few more than the others are.
    #[test]
    fn a_search_that_leaves_nothing_out_is_left_out_for_a_while() {
        let (wanted, other) = ("{web}\n".repeat(20_000), "{lab}\n".repeat(20_000));
        let (mut search, prefilter, mut decoded) = (Yield::default(), any_of(&["web"]), Vec::new());
        for block in std::iter::repeat_n(&wanted, 3).chain(std::iter::repeat_n(&other, 200)).chain([&wanted])
        {
            let mut hits = search.hits(&prefilter, block.as_bytes());
            let selected = hits.is_in(0, 5);
            search.saw(block.len(), if selected { 0 } else { block.len() as u64 });
            decoded.push(selected);
        }
        assert_eq!(decoded.iter().filter(|selected| **selected).count(), 3 + 29 + 1);
        assert!(decoded[..32].iter().all(|selected| *selected) && decoded[203]);
        // Short blocks tell nothing.
        let mut search = Yield::default();
        assert!(search.hits(&prefilter, b"{web}").is_in(0, 5));
        search.saw(5, 0);
        assert!(!search.hits(&prefilter, b"{lab}").is_in(0, 5));
    }

    #[test]
    fn only_escapes_that_spell_a_literal_select() {
        let spelled =
            [r"\u0077eb", r"\\u0077eb", r"\\\\u0077eb", r"\u005cu0077", r"\u006D", r"\u006d", r"\u002E"];
        for line in spelled {
            assert_eq!(selected(&any_of(&["absent"]), line), [line]);
        }
        let others =
            [r"\u0026", r"\u003c", r"\u003e", r"\u0000", r"\u00", r"\u004", r"\u00g1", r"\u006g", r"u0077"];
        for line in others {
            assert_eq!(selected(&any_of(&["absent"]), line), [""; 0], "{line}");
        }
    }

    #[test]
    fn an_escape_does_not_reach_into_the_next_line() {
        assert_eq!(selected(&any_of(&["absent"]), "\\u00\n77"), [""; 0]);
        assert_eq!(selected(&any_of(&["absent"]), "\\u0026\\u00\n\\u0077"), ["\\u0077"]);
    }

    #[test]
    fn many_names_are_searched_for_by_how_they_begin() {
        let names = |count| (0..count).map(|number| format!("web-{number}-x")).collect::<Vec<_>>();
        let of = |count| {
            Prefilter::new(&Literals::any_of_all([
                Literals::any_of(["part".to_owned()]),
                Literals::any_name(names(count)),
            ]))
        };
        let text = "web-7-x\nweb-7-xy\n\"name\":\"web-4999-x\"\n\"node\":\"web-1-x\"\nweb-1-part\nx";
        assert_eq!(selected(&of(5_000), text), ["web-7-x", "\"name\":\"web-4999-x\"", "web-1-part"]);
        let different =
            (0..5_000).map(|number: u64| format!("{:x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        assert!(matches!(Prefilter::new(&Literals::any_name(different)), Prefilter::Everything));
    }

    proptest! {
        /// The slow and obvious way selects the same lines.
        #[test]
        fn selection_equals_its_definition(text in r"[ab.\\u0036\n]{0,80}", literals in proptest::collection::vec("[ab.]{1,2}", 0..5)) {
            let spelled = |line: &str| (0..line.len()).any(|at| {
                line[at..].strip_prefix("\\u00").and_then(|rest| u8::from_str_radix(rest.get(..2)?, 16).ok()).is_some_and(
                    |code| code.is_ascii_alphanumeric() || b".:_-\\".contains(&code))
            });
            let wanted: Vec<&str> = text.split('\n').filter(|line| {
                !literals.is_empty() && (spelled(line) || literals.iter().any(|literal| line.contains(literal)))
            }).collect();
            let prefilter = Prefilter::new(&Literals::any_of(literals.clone()));
            prop_assert_eq!(selected(&prefilter, &text), wanted);
        }

        /// However many names there are, and however they are searched for.
        #[test]
        fn names_are_selected_where_they_stand_as_a_whole(
            text in r#"((a|b|c|"name":"|"verb":"|"node":"|\["|,"|"|/| |\n)){0,60}"#,
            parts in proptest::collection::vec("[abc]{3,4}", 0..3), names in proptest::collection::vec("[abc]{1,5}", 0..200),
        ) {
            let literals = Literals::any_of_all([Literals::any_of(parts.clone()), Literals::any_name(names.clone())]);
            let is_named = |line: &str| names.iter().any(|name| {
                let starts = line.match_indices(name.as_str()).map(|(at, _)| at);
                let is_end = |text: Option<char>| text.is_none_or(|char| !char.is_ascii_alphanumeric() && char != ':');
                starts.into_iter().any(|at| {
                    let (before, behind) = (&line[..at], &line[at + name.len()..]);
                    let is_elsewhere = [":\"", ",\"", "[\""].iter().any(|end| before.ends_with(end));
                    let is_told = ["\"name\":\"", "\"verb\":\""].iter().any(|key| before.ends_with(key));
                    is_end(before.chars().last()) && is_end(behind.chars().next()) && (is_told || !is_elsewhere)
                })
            });
            let wanted = |line: &&str| parts.iter().any(|part| line.contains(part)) || is_named(line);
            let selected = selected(&Prefilter::new(&literals), &text);
            for line in text.split('\n').filter(wanted) {
                prop_assert!(selected.contains(&line), "{}", line);
            }
        }
    }
}
