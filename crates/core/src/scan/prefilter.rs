//! Which lines may matter, told from their bytes: never too few.

use aho_corasick::{AhoCorasick, MatchKind};
use audit_who_event::literals::Literals;
use memchr::memmem::Finder;

/// How many literals are searched for one by one, before all at once is faster.
const ONE_BY_ONE: usize = 2;

/// How many literals are searched for at all. The vectorized search holds no more; without it, decoding every line takes
/// a third of the time.
const AT_ONCE: usize = 64;

/// Selects lines that hold a literal, or that may spell one with `\u00XX` escapes.
pub(super) enum Prefilter {
    /// Every line.
    Everything,
    /// No line.
    Nothing,
    /// Lines with a hit of one of the needles.
    Search(Vec<Needle>),
}

pub(super) enum Needle {
    One(Finder<'static>),
    Many(AhoCorasick),
    /// An escape that spells a character of literals.
    Escape(Finder<'static>),
}

impl Prefilter {
    pub(super) fn new(literals: &Literals) -> Self {
        let mut needles: Vec<Needle> = match literals.as_slice() {
            None => return Self::Everything,
            Some([]) => return Self::Nothing,
            Some(few) if few.len() <= ONE_BY_ONE => {
                few.iter().map(|literal| Needle::One(Finder::new(literal).into_owned())).collect()
            }
            Some(many) if many.len() > AT_ONCE => return Self::Everything,
            // Any other kind of match goes without the vectorized search for a few literals.
            Some(many) => match AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(many) {
                Ok(automaton) => vec![Needle::Many(automaton)],
                // Too many to search for: decoding all of it finds the same.
                Err(_) => return Self::Everything,
            },
        };
        needles.push(Needle::Escape(Finder::new(br"\u00").into_owned()));
        Self::Search(needles)
    }

    /// Begins to select lines of `text`.
    pub(super) fn hits<'a>(&'a self, text: &'a [u8]) -> Hits<'a> {
        let (needles, always) = match self {
            Self::Everything => (&[][..], true),
            Self::Nothing => (&[][..], false),
            Self::Search(needles) => (needles.as_slice(), false),
        };
        Hits { needles, text, always, next: [0; ONE_BY_ONE + 1] }
    }
}

impl Needle {
    /// Where it is met first at or after `from`; `usize::MAX` if nowhere.
    fn find(&self, text: &[u8], from: usize) -> usize {
        let found = match self {
            Self::One(finder) => finder.find(&text[from..]).map(|at| from + at),
            Self::Many(automaton) => automaton.find(&text[from..]).map(|hit| from + hit.start()),
            Self::Escape(finder) => escape(finder, text, from),
        };
        found.unwrap_or(usize::MAX)
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
pub(super) struct Hits<'a> {
    needles: &'a [Needle],
    text: &'a [u8],
    always: bool,
    /// For each needle, where it was met last; it is searched for again from the first line behind that.
    next: [usize; ONE_BY_ONE + 1],
}

impl Hits<'_> {
    /// Whether the line at `start..end` is selected. Lines must be asked about in order.
    pub(super) fn is_in(&mut self, start: usize, end: usize) -> bool {
        let mut hit = self.always;
        for (needle, next) in self.needles.iter().zip(&mut self.next) {
            if *next <= start {
                // It was met in an earlier line, or at the start of this one, or never searched for.
                *next = needle.find(self.text, start);
            }
            hit |= *next < end;
        }
        hit
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
    }
}
