//! A part of a line as others may have it too, but for some values.

use std::ops::Range;
use std::slice;

use super::WireEvent;
use super::parts::{EVENT, Part, Value};
use crate::json::Cursor;
use crate::json::model::{Model, Scratch, common};
use crate::json::walk::Walk;
use crate::note::{Fields, Times};
use crate::time::{Minute, Timestamp};

/// The fields that may vary in how a line begins. Those that differ in others are several beginnings, so that no note on a line
/// depends on what varies in nearly all of them.
const HEADS_VARY: Fields = Fields::AUDIT_ID.and(Fields::URI);

/// What was read of a part of a line: the values that vary.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Where they stand in the line, strings without their quotes.
    pub(super) places: Vec<Range<usize>>,
    pub(super) times: Times,
    minute: Minute,
    /// Where bodies stand in the line, as far as they were walked over.
    bodies: Vec<Range<usize>>,
    pub(super) scratch: Scratch,
}

impl Read {
    /// Begins to read another line.
    pub(super) fn begin(&mut self) {
        self.bodies.clear();
    }

    fn clear(&mut self) {
        self.places.clear();
        self.times = Times::default();
    }

    /// Reads the value of a slot that begins at `start`; says where it ends. `models` are those of bodies that come from here on.
    #[inline]
    fn read(
        &mut self,
        value: Value,
        line: &[u8],
        start: usize,
        models: &mut slice::IterMut<'_, Model>,
    ) -> Option<usize> {
        let end = match value {
            Value::Received | Value::Reached => {
                let (time, end) = self.time(value, line, start)?;
                match value {
                    Value::Received => self.times.received = time,
                    _ => self.times.stage_time = time,
                }
                end
            }
            Value::Raw(_) => self.body(line, start, models.next()?)?,
            _ => value.end(line, start)?,
        };
        self.places.push(start..end);
        Some(end)
    }

    /// Where a body ends. It is walked over once, with however many shapes the line is compared.
    fn body(&mut self, line: &[u8], start: usize, model: &mut Model) -> Option<usize> {
        if let Some(body) = self.bodies.iter().find(|body| body.start == start) {
            return Some(body.end);
        }
        let mut walk = Walk::in_line(line, start);
        if walk.rest().first()?.is_ascii_whitespace() {
            return None;
        }
        model.skip(&mut walk, &mut self.scratch)?;
        self.bodies.push(start..walk.at());
        Some(walk.at())
    }

    #[inline]
    fn time(&mut self, value: Value, line: &[u8], start: usize) -> Option<(Option<Timestamp>, usize)> {
        if let Some((text, [b'"', ..])) = line.get(start..)?.split_first_chunk()
            && let Some(time) = self.minute.parse(text)
        {
            return Some((Some(time), start + text.len()));
        }
        let end = value.end(line, start)?;
        Some((Timestamp::parse_utf8(&line[start..end]), end))
    }
}

/// A value that may differ, and where it stands in the text of the shape, strings without their quotes.
#[derive(Debug)]
struct Slot {
    range: Range<usize>,
    value: Value,
}

/// The text of a part of a line that was decoded, without what nearly always varies.
///
/// What has the same bytes but for the values in slots has the same keys in the same places, and so what it tells is known
/// once these values are read.
#[derive(Debug)]
pub(super) struct Shape {
    text: Box<str>,
    /// From the front.
    slots: Vec<Slot>,
    /// The fields that may vary.
    may_vary: Fields,
    /// Those slots, by their number, in which lines were seen to differ: they are read, and all between is compared at once.
    varying: Vec<usize>,
    /// The fields of those.
    fields: Fields,
    /// One for each body, in their order.
    models: Vec<Model>,
}

impl Shape {
    /// The shape of an event up to the end of its URI, and of what follows. `None` for what has other keys than events
    /// have, or one twice.
    pub(super) fn of(line: &str) -> Option<[Self; 2]> {
        let mut slots = Vec::new();
        find(&EVENT, line, &mut Cursor::new(line, false), &mut slots)?;
        let uri = slots.iter().position(|slot| matches!(slot.value, Value::Uri))?;
        let behind = slots.split_off(uri + 1);
        let split = slots[uri].range.end;
        let head = Self::new(line, 0..split, slots, HEADS_VARY);
        Some([head, Self::new(line, split..line.len(), behind, Fields::ALL)])
    }

    /// Takes a part of a line without the values that nearly always vary.
    fn new(line: &str, part: Range<usize>, mut slots: Vec<Slot>, may_vary: Fields) -> Self {
        let always_another = slots.iter().filter(|slot| slot.value.is_always_another());
        let left_out: usize = always_another.map(|slot| slot.range.len()).sum();
        let (mut text, mut at) = (String::with_capacity(part.len() - left_out), part.start);
        let (mut varying, mut fields) = (Vec::new(), Fields::NONE);
        for (number, slot) in slots.iter_mut().enumerate() {
            text.push_str(&line[at..slot.range.start]);
            at = slot.range.end;
            let start = text.len();
            if slot.value.is_always_another() {
                varying.push(number);
                fields = fields.and(slot.value.field());
            } else {
                text.push_str(&line[slot.range.clone()]);
            }
            slot.range = start..text.len();
        }
        text.push_str(&line[at..part.end]);
        let bodies = slots.iter().filter(|slot| matches!(slot.value, Value::Raw(_)));
        let models = bodies.map(|_| Model::default()).collect();
        Self { text: text.into(), slots, may_vary, varying, fields, models }
    }

    /// Bytes.
    pub(super) const fn length(&self) -> usize {
        self.text.len()
    }

    /// How many values may differ.
    pub(super) const fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Gives up the models of its bodies.
    pub(super) fn forget_models(&mut self) {
        self.models.fill_with(Model::default);
    }

    /// The fields in which lines were seen to differ.
    pub(super) const fn fields(&self) -> Fields {
        self.fields
    }

    /// Where the part of `line` ends that begins at `from` and is like this one, the values of which are put into `read`.
    /// `None` if it is not like this.
    pub(super) fn end(&mut self, line: &[u8], from: usize, read: &mut Read) -> Option<usize> {
        loop {
            match self.compare(line, from, read) {
                Ok(end) => return Some(end),
                Err(at) => {
                    let slot = self.fixed_slot_at(at?)?;
                    self.vary(slot);
                }
            }
        }
    }

    /// Compares what does not vary; an error tells where in the text it differs, if not in a value that varies.
    fn compare(&mut self, line: &[u8], from: usize, read: &mut Read) -> Result<usize, Option<usize>> {
        read.clear();
        let (text, mut models) = (self.text.as_bytes(), self.models.iter_mut());
        let (mut same, mut at) = (0, from);
        for slot in self.varying.iter().map(|slot| &self.slots[*slot]) {
            at = behind(text, same..slot.range.start, line, at)?;
            (same, at) = (slot.range.end, read.read(slot.value, line, at, &mut models).ok_or(None)?);
        }
        behind(text, same..text.len(), line, at)
    }

    /// The slot that may vary and does not yet, in whose value `at` lies, or that ends there.
    fn fixed_slot_at(&self, at: usize) -> Option<usize> {
        let slot = self.slots.partition_point(|slot| slot.range.end < at);
        if self.slots.get(slot)?.range.start > at {
            return None;
        }
        let field = self.slots[slot].value.field();
        let may_vary = field == Fields::NONE || self.may_vary.meets(field);
        (may_vary && !self.varying.contains(&slot)).then_some(slot)
    }

    /// Takes it that the value of a slot varies, which did not so far.
    fn vary(&mut self, slot: usize) {
        let place = self.varying.partition_point(|varying| *varying < slot);
        self.varying.insert(place, slot);
        self.fields = self.fields.and(self.slots[slot].value.field());
    }

    /// Puts all values where they belong: those that were read of `line`, and the others as they stand here. `None` if one
    /// of them is no UTF-8.
    pub(super) fn put<'a>(&'a self, line: &'a [u8], read: &Read, record: &mut WireEvent<'a>) -> Option<()> {
        let mut varying = self.varying.iter().zip(&read.places).peekable();
        for (number, slot) in self.slots.iter().enumerate() {
            let text = match varying.next_if(|(varying, _)| **varying == number) {
                Some((_, place)) => std::str::from_utf8(&line[place.clone()]).ok()?,
                None => &self.text[slot.range.clone()],
            };
            slot.value.put(text, record);
        }
        Some(())
    }
}

/// Where in `line` the same ends as stands in this range of the text; an error tells where in that it differs.
#[inline]
fn behind(text: &[u8], range: Range<usize>, line: &[u8], at: usize) -> Result<usize, Option<usize>> {
    let (start, same) = (range.start, &text[range]);
    let rest = line.get(at..).unwrap_or_default();
    if rest.starts_with(same) {
        return Ok(at + same.len());
    }
    let alike = common(same, rest);
    Err((alike < rest.len()).then_some(start + alike))
}

/// Goes over a value, and finds what of it may differ.
fn find(part: &'static Part, line: &str, cursor: &mut Cursor<'_>, slots: &mut Vec<Slot>) -> Option<()> {
    match (part, cursor.peek()) {
        (Part::Object(parts), b'{') => {
            let mut met = 0_u32;
            cursor.pairs(|cursor, key| {
                let number = parts.iter().position(|(name, _)| *name == key)?;
                let bit = 1 << number;
                if met & bit != 0 {
                    return None;
                }
                met |= bit;
                find(&parts[number].1, line, cursor, slots)
            })
        }
        (Part::Map(part), b'{') => cursor.pairs(|cursor, _| find(part, line, cursor, slots)),
        (Part::List(part), b'[') => cursor.items(|cursor| find(part, line, cursor, slots)),
        (Part::Value(value), _) => {
            let Some(range) = value.range(line.as_bytes(), cursor.at()) else { return cursor.skip() };
            let quote = range.start - cursor.at();
            cursor.go_to(range.end + quote);
            slots.push(Slot { range, value: *value });
            Some(())
        }
        _ => cursor.skip(),
    }
}
