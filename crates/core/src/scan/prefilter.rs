//! Which lines may matter, told from their bytes: never too few.

use std::collections::BTreeSet;

use audit_who_event::literals::Literals;
use audit_who_event::look::Look;
use memchr::memmem;

use super::escapes;
use super::hits::{Hits, Noted};
use super::marks::{self, Marks, TRIPLE, Triple};
use super::names::Names;
use super::requirements::Requirements;
use super::strings::Strings;

/// How many literals are searched for by three of their bytes, beside the escapes, before strings at once are faster.
const BY_TRIPLES: usize = 3;

/// How many literals are searched for at once. The vectorized search holds no more; without it, decoding every line takes
/// a third of the time.
const AT_ONCE: usize = 64;

/// So many places where a name stands, but not as a whole, take as long to pass as one line takes to be looked at.
const PASSED: usize = 20;

/// Shorter beginnings of names are met in every line. In bytes.
const SHORTEST_STEM: usize = 3;

/// Selects lines that hold a literal, or that may spell one with `\u00XX` escapes.
pub(crate) enum Prefilter {
    /// Every line.
    Everything,
    /// No line.
    Nothing,
    /// Lines that hold one of several strings.
    Search(Box<Search>),
}

/// What is searched for.
pub(crate) struct Search {
    /// What may be a literal or an escape begins with one of these, or holds it; that of escapes is the last.
    triples: Vec<Triple>,
    /// What is searched for by triples.
    literals: Vec<Literal>,
    /// What is searched for otherwise, if there is too much of it; and how many of these need not be names.
    strings: Option<(Strings, usize)>,
    names: Names,
    /// What else a line must hold that spells no letters as escapes.
    pub(super) requirements: Requirements,
}

/// A literal that is searched for by one of its triples.
struct Literal {
    text: Box<[u8]>,
    /// Where its triple is in it.
    triple_at: usize,
    /// If it must stand as a whole name or in something longer that is searched for: the latter, and where in it.
    name_in: Option<Vec<(Box<[u8]>, usize)>>,
}

/// What stands where a triple was met.
pub(super) enum Met {
    Literal,
    /// An escape that spells a letter.
    Escape,
}

impl Prefilter {
    /// Selects the lines that may hold what a look wants. How often strings are met in `sample` tells what is searched for.
    pub(crate) fn of(look: &Look, sample: &[u8]) -> Self {
        let count = |literal: &str, is_name: bool| {
            let places = memmem::find_iter(sample, literal);
            if !is_name {
                return places.count();
            }
            let names = Names::new(std::iter::once(literal));
            let (whole, others): (Vec<_>, Vec<_>) = places.partition(|at| names.may_stand_at(sample, *at));
            whole.len() + others.len() / PASSED
        };
        let literals = if sample.is_empty() { look.literals.clone() } else { look.rarest_literals(count) };
        Self::selecting(&literals, Requirements::of(look), sample)
    }

    pub(crate) fn new(literals: &Literals) -> Self {
        Self::selecting(literals, Requirements::default(), &[])
    }

    fn selecting(literals: &Literals, requirements: Requirements, sample: &[u8]) -> Self {
        let Some(shortest) = literals.as_slice() else { return Self::Everything };
        if shortest.is_empty() {
            return Self::Nothing;
        }
        let names = Names::new(literals.names());
        let mut search =
            Search { triples: Vec::new(), literals: Vec::new(), strings: None, names, requirements };
        if shortest.len() <= BY_TRIPLES && shortest.iter().all(|literal| literal.len() >= TRIPLE) {
            search.add_triples(literals, shortest, sample);
        } else {
            let parts = literals.parts();
            let Some(names) = stems(literals) else { return Self::Everything };
            let all: Vec<&str> = parts.iter().map(String::as_str).chain(names).collect();
            // Too many to search for: decoding all of it finds the same.
            let Some(strings) = Strings::new(&all) else { return Self::Everything };
            search.strings = Some((strings, parts.len()));
        }
        search.triples.push(escapes::TRIPLE);
        Self::Search(Box::new(search))
    }

    /// How many lines of a thousand it selects, as far as a sample tells; all if there is none, or no search.
    pub(super) fn permille_of(&self, sample: &[u8]) -> usize {
        let mut marks = Marks::default();
        let mut hits = self.hits(sample, &mut marks, None);
        let (mut start, mut lines, mut selected) = (0, 0, 0);
        for line in sample.split_inclusive(|byte| *byte == b'\n') {
            selected += usize::from(hits.is_in(start, start + line.len()));
            lines += 1;
            start += line.len();
        }
        if lines == 0 || matches!(self, Self::Everything) { 1000 } else { (selected * 1000).div_ceil(lines) }
    }

    /// Begins to select lines of `text`, of which is noted in `marks` what that takes. Where escapes are need not be searched
    /// for if that is `noted`.
    pub(crate) fn hits<'a>(
        &'a self,
        text: &'a [u8],
        marks: &'a mut Marks,
        noted: Option<Noted<'a>>,
    ) -> Hits<'a> {
        match self {
            Self::Everything => {}
            Self::Nothing => marks.take(text, &[]),
            Self::Search(search) => marks.take(text, search.triples(noted.is_none())),
        }
        self.hits_at(text, marks, noted)
    }

    /// As [`hits`](Self::hits), of `text` whose marks are taken.
    pub(super) fn hits_at<'a>(
        &'a self,
        text: &'a [u8],
        marks: &'a Marks,
        noted: Option<Noted<'a>>,
    ) -> Hits<'a> {
        let search = match self {
            Self::Search(search) => Some(&**search),
            Self::Everything | Self::Nothing => None,
        };
        Hits::new(search, matches!(self, Self::Everything), text, marks, noted)
    }

    /// What both search for by triples, if it can be searched for at once, and how many there are.
    pub(super) fn triples_of_both(&self, other: &Self) -> Option<([Triple; marks::MOST], usize)> {
        let (Self::Search(one), Self::Search(other)) = (self, other) else { return None };
        let (one, other) = (one.triples(false), other.triples(true));
        let (mut all, count) = ([[0; TRIPLE]; marks::MOST], one.len() + other.len());
        all.get_mut(..one.len())?.copy_from_slice(one);
        all.get_mut(one.len()..count)?.copy_from_slice(other);
        Some((all, count))
    }
}

/// The three bytes of a text that are met least in a sample, and where they are in it; of those that are met as often the
/// last, as names differ at their end. `None` if the text is too short.
fn rarest_triple(text: &[u8], sample: &[u8]) -> Option<(usize, Triple)> {
    let triples = text.array_windows::<TRIPLE>().copied().enumerate();
    let count = |triple: &Triple| memmem::find_iter(sample, triple).count();
    triples.rev().min_by_key(|(_, triple)| count(triple))
}

impl Search {
    /// Searches for literals by the triples of bytes that are met least.
    fn add_triples(&mut self, literals: &Literals, shortest: &[String], sample: &[u8]) {
        for text in shortest {
            let place = |part: &String| Some((part.as_bytes().into(), part.find(text)?));
            let name_in = literals.is_name(text).then(|| literals.parts().iter().filter_map(place).collect());
            if let Some((triple_at, triple)) = rarest_triple(text.as_bytes(), sample) {
                self.triples.push(triple);
                self.literals.push(Literal { text: text.as_bytes().into(), triple_at, name_in });
            }
        }
    }

    fn triples(&self, with_escapes: bool) -> &[Triple] {
        &self.triples[..self.triples.len() - usize::from(!with_escapes)]
    }

    /// What stands where `text` has one of the triples at `at`.
    pub(super) fn met(&self, text: &[u8], at: usize) -> Option<Met> {
        let triple = text.get(at..)?.first_chunk::<TRIPLE>()?;
        if *triple == escapes::TRIPLE {
            return escapes::spells_a_letter(&text[at..]).then_some(Met::Escape);
        }
        let stands = |literal: &Literal| {
            let Some(start) = at.checked_sub(literal.triple_at) else { return false };
            let is_in = |(part, at): &(Box<[u8]>, usize)| {
                start.checked_sub(*at).is_some_and(|start| text[start..].starts_with(part))
            };
            text[start..].starts_with(&literal.text)
                && literal
                    .name_in
                    .as_ref()
                    .is_none_or(|parts| parts.iter().any(is_in) || self.names.may_stand_at(text, start))
        };
        let mut candidates = self.literals.iter().zip(&self.triples).filter(|(_, of)| *of == triple);
        candidates.any(|(literal, _)| stands(literal)).then_some(Met::Literal)
    }

    /// Where one of the strings that are not searched for by triples is met first at or behind `from`; `usize::MAX` if nowhere.
    pub(super) fn string(&self, text: &[u8], mut from: usize) -> usize {
        let Some((strings, parts)) = &self.strings else { return usize::MAX };
        loop {
            match strings.find(text, from) {
                Some((at, which)) if which >= *parts && !self.names.may_stand_at(text, at) => from = at + 1,
                found => return found.map_or(usize::MAX, |(at, _)| at),
            }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_of(literals: &[&str]) -> Prefilter {
        Prefilter::new(&Literals::any_of(literals.iter().map(|literal| (*literal).to_owned())))
    }

    fn selected<'a>(prefilter: &Prefilter, text: &'a str) -> Vec<&'a str> {
        let mut marks = Marks::default();
        let mut hits = prefilter.hits(text.as_bytes(), &mut marks, None);
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

    #[test]
    fn a_name_that_something_longer_holds_must_stand_as_a_whole_elsewhere() {
        let text = "\"/api/v1\"\n/pods/api\n\"name\":\"api\"\napi-7\nan-api\napis";
        for more in [&[][..], &["x", "y", "z"]] {
            let parts = ["api-", "an-api"].iter().chain(more).map(|part| (*part).to_owned());
            let both = [Literals::any_of(parts), Literals::any_name(["api".to_owned()])];
            let prefilter = Prefilter::new(&Literals::any_of_all(both));
            let found = ["/pods/api", "\"name\":\"api\"", "api-7", "an-api"];
            assert_eq!(selected(&prefilter, text), found);
        }
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
                    let is_elsewhere = [":\"", ",\"", "[\"", "\"/"].iter().any(|end| before.ends_with(end));
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
