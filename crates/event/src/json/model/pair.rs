//! A value side by side with the model of it.

use std::ops::Range;

use super::{Model, Scalar, common};
use crate::json::walk::Walk;

/// Of the keys of an object so many at the most are taken to be missing in another.
const MOST_MISSING: usize = 32;

/// A value that was compared.
pub(super) struct Compared {
    pub(super) end: usize,
    /// How many bytes were walked over, as they are not alike.
    pub(super) walked: usize,
}

/// A value that is compared with a model: both went on alike so far, but for what was passed in either.
pub(super) struct Pair<'m, 'a> {
    model: &'m Model,
    /// How far it is in the model.
    own: usize,
    /// How far it is in the value.
    other: Walk<'a>,
    /// How many bytes of the value were walked over.
    walked: usize,
    meets: &'m mut Vec<[usize; 2]>,
}

impl<'m, 'a> Pair<'m, 'a> {
    /// Begins to compare the value that begins in `other`.
    pub(super) fn begin(model: &'m Model, other: Walk<'a>, meets: &'m mut Vec<[usize; 2]>) -> Self {
        meets.clear();
        Self { model, own: 0, other, walked: 0, meets }
    }

    /// Goes over both up to their ends. `None` for what is no value, or where more is walked over than all of the model.
    pub(super) fn compare(mut self) -> Option<Compared> {
        let text = &self.model.text;
        loop {
            self.meets.push([self.own, self.other.at()]);
            let (from, same) = (self.own, common(&text[self.own..], self.other.rest()));
            self.own += same;
            self.other.go_to(self.other.at() + same);
            if self.own == text.len() {
                return Some(Compared { end: self.other.at(), walked: self.walked });
            }
            self.pass(from)?;
            if self.walked > text.len() {
                return None;
            }
        }
    }

    /// Passes what differs here, up to where both may go on alike. Before, they did from `from` on.
    fn pass(&mut self, from: usize) -> Option<()> {
        let parts = &self.model.parts;
        let at = self.own;
        let mut is_between = true;
        // One that ends here may be longer there, if it is not in quotes.
        if let Some(Scalar { start, end, next_key }) = parts.scalar_behind(at) {
            let (start, end) = (usize::from(*start), usize::from(*end));
            let is_string = self.model.text[start] == b'"';
            if from <= start && start <= at && !(at == end && is_string) {
                let before = self.other;
                self.other.go_to(before.at() - (at - start));
                let passed = match next_key {
                    Some(next) => self.pass_key(start..end, usize::from(*next)),
                    None => self.pass_scalar(end),
                };
                if passed.is_some() {
                    return Some(());
                }
                self.other = before;
                is_between = start == at;
            }
        }
        if is_between && self.pass_end().is_some() {
            return Some(());
        }
        self.pass_node()
    }

    /// Passes the value that stands in the place of a scalar which ends at `end`.
    fn pass_scalar(&mut self, end: usize) -> Option<()> {
        match self.other.rest() {
            [b'{' | b'[', ..] => self.walk_over(self.own)?,
            _ => self.other.scalar()?,
        }
        self.own = end;
        Some(())
    }

    /// Walks over a value that stands in the innermost object or list around `at`.
    fn walk_over(&mut self, at: usize) -> Option<()> {
        let above = u32::from(self.model.parts.around(at, at)?.depth) + 1;
        let begin = self.other.at();
        self.other.skip_noting(above, &mut ())?;
        self.walked += self.other.at() - begin;
        Some(())
    }

    /// Passes the keys here that are missing there, or what stands there and is missing here, or a key that is another.
    fn pass_key(&mut self, own: Range<usize>, next: usize) -> Option<()> {
        let (text, begin) = (&self.model.text, self.other.at());
        let rest = self.other.rest();
        self.other.string()?;
        let key = &rest[..self.other.at() - begin];
        self.walked += key.len();
        if let Some(same) = self.later_key(key, next) {
            self.own = same;
            self.other.go_to(begin);
            return Some(());
        }
        let behind = self.other;
        self.other.take(b':')?;
        let kinds = [text.get(own.end + 1).copied()?, self.other.peek()].map(kind);
        if kinds[0] == kinds[1] {
            (self.own, self.other) = (own.end, behind);
            return Some(());
        }
        self.walk_over(own.start)?;
        self.own = if self.other.take(b',').is_some() {
            own.start
        } else {
            self.other.take(b'}')?;
            usize::from(self.model.parts.around(own.start, own.start)?.end)
        };
        Some(())
    }

    /// Where the same key begins here, if the object has it at `next` or behind.
    fn later_key(&self, key: &[u8], mut next: usize) -> Option<usize> {
        let Model { text, parts, .. } = self.model;
        for _ in 0..MOST_MISSING {
            let Scalar { start, end, next_key } = &parts.scalars[next];
            let start = usize::from(*start);
            if text[start..usize::from(*end)] == *key {
                return Some(start);
            }
            next = next_key.map(usize::from).filter(|behind| *behind > next)?;
        }
        None
    }

    /// Passes the rest of an object or list that ends earlier here, or there.
    fn pass_end(&mut self) -> Option<()> {
        let text = &self.model.text;
        let around = self.model.parts.around(self.own, self.own)?;
        let (start, end) = (usize::from(around.start), usize::from(around.end));
        let (opening, closing) = (text[start], text[end - 1]);
        let next = *self.other.rest().first()?;
        // Behind a comma nothing ends.
        let is_end_there =
            next == closing && (text[self.own] == b',' || self.other.before() == Some(opening));
        let is_end = self.own == end - 1 && self.own > start + 1 && next == b',';
        if is_end_there {
            self.other.go_to(self.other.at() + 1);
        } else if is_end {
            let begin = self.other.at();
            self.other.skip_rest(u32::from(around.depth) + 1, closing == b'}')?;
            self.walked += self.other.at() - begin;
        } else {
            return None;
        }
        self.own = end;
        Some(())
    }

    /// Passes the innermost object or list in which both differ, from where it begins.
    fn pass_node(&mut self) -> Option<()> {
        // Where the other has nothing, it is the one around that differs.
        let is_something = !matches!(self.other.rest(), [b']' | b'}', ..]);
        let node = self.model.parts.around(self.own + usize::from(is_something), self.own)?;
        let start = usize::from(node.start);
        let [own, there] = self.meets[self.meets.partition_point(|[own, _]| *own <= start) - 1];
        let begin = there + (start - own);
        self.other.go_to(begin);
        self.other.skip_noting(u32::from(node.depth), &mut ())?;
        self.walked += self.other.at() - begin;
        self.own = usize::from(node.end);
        Some(())
    }
}

/// What a value begins with: an object, a list, a string, or whatever else.
const fn kind(byte: u8) -> u8 {
    match byte {
        b'{' | b'[' | b'"' => byte,
        _ => 0,
    }
}
