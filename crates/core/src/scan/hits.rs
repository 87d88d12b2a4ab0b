//! Where in a text something is met that is searched for.

use super::marks::Marks;
use super::prefilter::{Met, Search};

/// Where escapes are that spell letters: their places in a content, sorted, and where the text begins in that, in bytes.
pub(crate) type Noted<'a> = (&'a [u64], u64);

/// Where it is met, asked line by line from the front.
pub(crate) struct Hits<'a> {
    search: Option<&'a Search>,
    always: bool,
    text: &'a [u8],
    marks: &'a Marks,
    noted: Option<Noted<'a>>,
    /// The next place with a triple, which may be what it is searched for; behind those that were looked at.
    triple: usize,
    /// Where a string was met last; it is searched for again from the first line behind that.
    string: usize,
    /// Where the line that was asked about last spells a letter as an escape.
    spelled: Option<usize>,
}

impl<'a> Hits<'a> {
    /// Without anything to search for, `always` tells whether a line is selected.
    pub(super) fn new(
        search: Option<&'a Search>,
        always: bool,
        text: &'a [u8],
        marks: &'a Marks,
        noted: Option<Noted<'a>>,
    ) -> Self {
        Self { search, always, text, marks, noted, triple: 0, string: 0, spelled: None }
    }

    /// Whether the line at `start..end` is selected. Lines must be asked about in order.
    pub(crate) fn is_in(&mut self, start: usize, end: usize) -> bool {
        let Some(search) = self.search else { return self.always };
        self.spelled = None;
        self.go_to(search, start);
        // Of most lines, nothing.
        if self.triple.min(self.string) >= end && self.noted.is_none() {
            return false;
        }
        self.is_met_in(search, start, end)
    }

    /// Whether something is met in the line at `start..end`.
    fn is_met_in(&mut self, search: &Search, start: usize, end: usize) -> bool {
        let mut is_hit = self.string < end;
        self.spelled = self.noted_from(start).filter(|at| *at < end);
        while self.triple < end && self.spelled.is_none() {
            match search.met(self.text, self.triple) {
                Some(Met::Literal) => is_hit = true,
                Some(Met::Escape) => self.spelled = Some(self.triple),
                None => {}
            }
            self.triple = self.marks.triple(self.triple + 1);
        }
        self.spelled.is_some() || is_hit && search.requirements.may_meet(&self.text[start..end])
    }

    /// Where the next line at or behind `start` that may be selected holds what it may be selected by; `start` is where a
    /// line begins. `None` if no line is.
    pub(super) fn next(&mut self, start: usize) -> Option<usize> {
        let Some(search) = self.search else { return self.always.then_some(start) };
        self.go_to(search, start);
        let other = self.noted_from(start).unwrap_or(usize::MAX).min(self.string);
        while self.triple < other && search.met(self.text, self.triple).is_none() {
            self.triple = self.marks.triple(self.triple + 1);
        }
        Some(self.triple.min(other)).filter(|next| *next < self.text.len())
    }

    /// Passes what was met in front of `start`.
    fn go_to(&mut self, search: &Search, start: usize) {
        if self.triple <= start {
            self.triple = self.marks.triple(start);
        }
        if self.string <= start {
            self.string = search.string(self.text, start);
        }
    }

    /// The first noted escape at or behind `start`.
    fn noted_from(&self, start: usize) -> Option<usize> {
        let (noted, offset) = self.noted?;
        let before = noted.partition_point(|at| *at < offset + start as u64);
        usize::try_from(noted.get(before)? - offset).ok().filter(|at| *at < self.text.len())
    }

    /// How many lines there are, if none of them is selected, and all have the outer shape of a JSON object.
    pub(super) fn unselected_objects(&mut self) -> Option<usize> {
        self.marks.objects(self.text).filter(|_| self.next(0).is_none())
    }

    /// Where the line ends that begins at `start`, unless every line is selected: nothing is noted then.
    pub(super) fn line_end(&self, start: usize) -> usize {
        self.marks.end(start).min(self.text.len())
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
