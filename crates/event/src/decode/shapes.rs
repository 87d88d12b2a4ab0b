//! Lines that were decoded, by which the like of them are read without a walk.

use super::WireEvent;
use super::shape::{Read, Shape};
use crate::hash::{FACTOR, hash};
use crate::note::{Note, Times};

/// How many beginnings of lines are kept.
const HEADS: usize = 8;
/// Ends of lines are kept in so many sets, by what tells them apart,
const SETS: usize = 512;
/// and in each set so many.
const WAYS: usize = 8;
/// Longer shapes are not kept, in bytes,
const LONGEST: usize = 4096;
/// nor those with more values that may differ: clients may send lists of any length.
const MOST_SLOTS: usize = 64;
/// Once models of bodies have taken more than so many bytes, all are given up.
const MOST_TAKEN: usize = 4 * 1024 * 1024;
/// So many bytes behind the URI tell ends of lines apart: as a rule the verb and the user.
const TOLD_BEHIND: usize = 96;
/// And so many of the URI: as a rule the API group.
const TOLD_OF_URI: usize = 16;

/// After so many lines it is asked whether keeping them pays,
const TRIAL: u32 = 1024;
/// and if it does not, so many lines are left alone.
const REST: u32 = 8 * TRIAL;

/// Shapes of lines, those that were met last first.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    heads: Vec<Head>,
    /// By set.
    tails: Vec<Vec<Tail>>,
    /// What was read of the line at hand: of its head, and of its tail.
    read: [Read; 2],
    /// How many heads there were so far.
    number: u32,
    tried: u32,
    met: u32,
    rest: u32,
}

/// How a line begins, up to the end of its URI.
#[derive(Debug)]
struct Head {
    number: u32,
    shape: Shape,
}

/// What follows the URI in a line with a certain head: no key of the one is a key of the other.
#[derive(Debug)]
struct Tail {
    head: u32,
    /// Of the head, the verb, the user and the API group.
    hash: u64,
    shape: Shape,
    /// What was noted of a line that is like this.
    note: Option<Note>,
}

/// Where the line at hand was found: in the first tail of this set, and the first head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Set(usize);

/// A line that is like one that is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) set: Set,
    /// How long it is without its end, in bytes.
    pub(crate) length: usize,
}

impl Shapes {
    /// Looks for lines that the first line of `text` is like.
    #[inline]
    pub(crate) fn find(&mut self, text: &[u8]) -> Option<Found> {
        self.read.iter_mut().for_each(Read::begin);
        if self.read.iter().map(|read| read.scratch.taken).sum::<usize>() > MOST_TAKEN {
            self.forget_models();
        }
        let found = if self.rest > 0 { None } else { self.look(text) };
        if found.is_some() {
            self.met += 1;
            self.try_another();
        }
        found
    }

    /// Counts a line, and tells now and then whether keeping them pays.
    fn try_another(&mut self) {
        self.tried += 1;
        if self.tried == TRIAL {
            self.rest = if self.met < TRIAL / 4 { REST } else { 0 };
            (self.tried, self.met) = (0, 0);
        }
    }

    fn forget_models(&mut self) {
        let shapes = self.heads.iter_mut().map(|head| &mut head.shape);
        let shapes = shapes.chain(self.tails.iter_mut().flatten().map(|tail| &mut tail.shape));
        shapes.for_each(Shape::forget_models);
        self.read.iter_mut().for_each(|read| read.scratch.taken = 0);
    }

    fn look(&mut self, text: &[u8]) -> Option<Found> {
        let (head, behind) = self.head(text)?;
        let hash = self.hash(text, head, behind)?;
        let set = set_of(hash);
        let tails = self.tails.get_mut(set)?;
        let [_, read] = &mut self.read;
        let mut like =
            tails.iter_mut().enumerate().filter(|(_, tail)| tail.hash == hash && tail.head == head);
        let (way, length) = like.find_map(|(way, tail)| {
            let end = tail.shape.end(text, behind, read)?;
            matches!(&text[end..], [] | [b'\n', ..] | [b'\r', b'\n', ..]).then_some((way, end))
        })?;
        tails[..=way].rotate_right(1);
        Some(Found { set: Set(set), length })
    }

    /// The number of the head that the line has, which is the first then, and where it ends.
    fn head(&mut self, line: &[u8]) -> Option<(u32, usize)> {
        let [read, _] = &mut self.read;
        let mut heads = self.heads.iter_mut().enumerate();
        let (way, end) = heads.find_map(|(way, head)| Some((way, head.shape.end(line, 0, read)?)))?;
        self.heads[..=way].rotate_right(1);
        Some((self.heads[0].number, end))
    }

    /// What tells the tail that begins at `behind` of the line whose head, of this number, was found last.
    fn hash(&self, line: &[u8], head: u32, behind: usize) -> Option<u64> {
        let uri = self.read[0].places.last()?.clone();
        let uri = &line[uri.start..uri.end.min(uri.start + TOLD_OF_URI)];
        let behind = &line[behind..line.len().min(behind + TOLD_BEHIND)];
        Some(hash(behind).rotate_left(1) ^ hash(uri) ^ u64::from(head).wrapping_mul(FACTOR))
    }

    /// Reads the event of the line at hand. `None` if it holds what is no UTF-8.
    pub(crate) fn read<'a>(&'a self, at: Set, line: &'a [u8], record: &mut WireEvent<'a>) -> Option<()> {
        let [head, tail] = &self.read;
        self.heads[0].shape.put(line, head, record)?;
        self.tail(at).shape.put(line, tail, record)
    }

    /// What was noted of a line that the one at hand differs from in nothing that the note depends on.
    pub(crate) fn note(&self, at: Set) -> Option<Note> {
        let tail = self.tail(at);
        let varies = self.heads[0].shape.fields().and(tail.shape.fields());
        tail.note.filter(|note| !note.heeds.meets(varies))
    }

    /// Takes what was noted of the line at hand.
    pub(crate) fn take_note(&mut self, Set(set): Set, note: Option<Note>) {
        self.tails[set][0].note = note;
    }

    /// The times of the line at hand.
    pub(crate) fn times(&self) -> Times {
        let [head, tail] = [0, 1].map(|part: usize| self.read[part].times);
        Times { received: head.received.or(tail.received), stage_time: head.stage_time.or(tail.stage_time) }
    }

    fn tail(&self, Set(set): Set) -> &Tail {
        &self.tails[set][0]
    }

    /// Keeps a line that nothing was found for, and that was decoded without details; says where.
    pub(crate) fn keep(&mut self, line: &str, record: &WireEvent<'_>) -> Option<Set> {
        if self.rest > 0 {
            self.rest -= 1;
            return None;
        }
        self.try_another();
        let Set(set) = self.put(line)?;
        // What tells more than the values in their slots is not read by its like.
        let mut told = WireEvent::default();
        let is_whole = self.read(Set(set), line.as_bytes(), &mut told).is_some()
            && told.event().is_some_and(|event| *event == record.event);
        drop(told);
        if !is_whole {
            self.tails[set].remove(0);
        }
        is_whole.then_some(Set(set))
    }

    fn put(&mut self, line: &str) -> Option<Set> {
        if memchr::memchr(b'\n', line.as_bytes()).is_some() {
            return None;
        }
        let [head, tail] = Shape::of(line)?;
        if head.length() + tail.length() > LONGEST || head.slots() + tail.slots() > MOST_SLOTS {
            return None;
        }
        let bytes = line.as_bytes();
        if self.head(bytes).is_none() {
            self.number = self.number.wrapping_add(1);
            self.heads.truncate(HEADS - 1);
            self.heads.insert(0, Head { number: self.number, shape: head });
        }
        let (head, behind) = self.head(bytes)?;
        let hash = self.hash(bytes, head, behind)?;
        let mut tail = Tail { head, hash, shape: tail, note: None };
        tail.shape.end(bytes, behind, &mut self.read[1])?;
        self.tails.resize_with(SETS, Vec::new);
        let set = set_of(hash);
        let tails = &mut self.tails[set];
        tails.truncate(WAYS - 1);
        tails.insert(0, tail);
        Some(Set(set))
    }
}

/// The set of a hash, whose upper bits depend on all of the text.
const fn set_of(hash: u64) -> usize {
    (hash >> 48) as usize % SETS
}
