//! Which files there are, and which generation each of them holds.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::time::Instant;

use super::content::{self, Content, Packed};
use super::discovery::{Found, Listing};
use super::generation::{Generation, holds_tail};
use super::identity::{Head, Mark, Start, Stat, tail_of};
use super::place::Place;
use super::revisit::revisit;
use super::rotation::Rotated;
use super::{PassedOver, QUIET_LOOKS, Tailer};
use crate::codec::Encoding;
use crate::error::Error;
use crate::store::checkpoint::{self, Checkpoint, State};

/// Bytes that are read at once where the end of a file is looked for.
const BLOCK: u64 = 64 * 1024;

/// Files that are there and that no generation has claimed, by device and inode.
pub(super) type Unclaimed<'f> = HashMap<(u64, u64), &'f Found>;

impl Tailer {
    /// Looks which files there are.
    pub(super) fn look(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        self.last_look = Some(now);
        self.read_from = 0;
        // Hints may come many in a moment, which is no time in which a writer would let go.
        let counts = self.last_counted.is_none_or(|last| now.duration_since(last) >= self.interval());
        if counts {
            self.last_counted = Some(now);
        }
        let mut listing = self.discovery.list(now);
        if listing.starved && self.relieve() {
            listing = self.discovery.list(now);
        }
        self.wake.watch(&listing.folders);
        self.tell_refused(&listing);
        let mut unclaimed: Unclaimed<'_> =
            listing.files.iter().map(|found| (key(&found.stat), found)).collect();
        self.settled = true;
        for generation in &mut self.generations {
            let seen = revisit(generation, &mut unclaimed, counts);
            if seen.rotated {
                self.shared.metrics.rotated();
            }
            self.settled &= !seen.changed;
            if seen.parted {
                // A copy that had nothing new may be what is left of it.
                self.passed_over.values_mut().for_each(|passed| passed.again = true);
            }
        }
        self.passed_over.retain(|file, _| unclaimed.contains_key(file));
        self.strangers.retain(|(stat, _)| unclaimed.get(&key(stat)).is_some_and(|found| found.stat == *stat));
        let mut new = Vec::new();
        for found in &listing.files {
            if unclaimed.contains_key(&key(&found.stat)) {
                new.extend(self.welcome(found, counts)?);
            }
        }
        self.sever(new.iter().map(|new| new.found))?;
        for new in new {
            // Copies of each other may be among them.
            if let Some(new) = self.claim(new)? {
                self.begin(new)?;
            }
        }
        self.from_end = false;
        let stands = |place: &Place| listing.files.iter().any(|found| *found.path == place.path);
        for generation in &mut self.generations {
            generation.miss(listing.whole);
            generation.superseded = generation.severed || generation.unlisted().is_some_and(&stands);
        }
        self.make_room();
        self.shared.metrics.looked(self.generations.iter().map(Generation::lag).sum());
        Ok(())
    }

    /// Lets go of the oldest removed files that are held, if they take too much room on the disk.
    fn make_room(&mut self) {
        let held = |generation: &Generation| generation.unlisted().map_or(0, |place| place.stat.size);
        let mut total: u64 = self.generations.iter().map(held).sum();
        for generation in &mut self.generations {
            if total <= self.options.max_held_bytes {
                return;
            }
            let bytes = held(generation);
            if bytes > 0 {
                total -= bytes;
                generation.open = None;
                generation.fate = "the file was removed, and took too much room";
            }
        }
    }

    /// Says once what can't be followed.
    fn tell_refused(&mut self, listing: &Listing) {
        for (path, why) in &listing.refused {
            if self.refused.get(path) != Some(why) {
                log::warn!(path:? = path; "is not followed: {why}");
            }
        }
        self.refused.clone_from(&listing.refused);
    }

    /// Looks into an unclaimed file, and finds the generation that it holds; gives it back if there is none. What can't
    /// be told yet is passed over until the file changes.
    fn welcome<'f>(&mut self, found: &'f Found, counts: bool) -> Result<Option<New<'f>>, Error> {
        let Some(closed) = self.is_to_examine(found, counts) else { return Ok(None) };
        if self.resume(found) {
            return Ok(None);
        }
        let mut examined = examine(found, closed);
        if examined.as_ref().is_err_and(content::is_starved) && self.relieve() {
            examined = examine(found, closed);
        }
        match examined {
            Ok(Some(new)) => {
                self.settled = false;
                // If it can't be stored now, it is to be looked at again.
                self.passed_over.remove(&key(&found.stat));
                return self.claim(new);
            }
            Ok(None) => self.pass_over(found),
            // It was renamed or removed meanwhile: the next look tells.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let why = format!("can't be read: {error}");
                if self.refused.insert(found.path.to_path_buf(), why.clone()).as_deref() != Some(&why) {
                    log::warn!(path:? = found.path; "{why}; it is tried again");
                }
            }
        }
        Ok(None)
    }

    /// Gives a file to the generation that it holds; gives it back if there is none.
    fn claim<'f>(&mut self, new: New<'f>) -> Result<Option<New<'f>>, Error> {
        match self.claimant(&new) {
            Ok(Claim::Nobody) => return Ok(Some(new)),
            Ok(Claim::Of(index)) => {
                self.revive(index)?;
                self.attach(index, new);
            }
            Ok(Claim::Copy) => self.pass_over(new.found),
            Err(error) => {
                log::warn!(path:? = new.found.path, error:% = error; "can't be read; it is tried again");
            }
        }
        Ok(None)
    }

    /// Whether a file is closed by its writer, as far as is known; `None` if it has nothing new to tell.
    fn is_to_examine(&mut self, found: &Found, counts: bool) -> Option<bool> {
        let closed = found.name.rotated == Rotated::Closed;
        let Some(passed) = self.passed_over.get_mut(&key(&found.stat)) else { return Some(closed) };
        if (passed.stat, passed.rotated) != (found.stat, found.name.rotated) {
            passed.quiet_looks = 0;
            return Some(closed);
        }
        let before = passed.quiet_looks;
        passed.quiet_looks = before.saturating_add(u32::from(counts));
        let is_left = found.name.rotated != Rotated::No && passed.quiet_looks >= QUIET_LOOKS;
        let is_new = std::mem::take(&mut passed.again) || is_left && before < QUIET_LOOKS;
        is_new.then_some(closed || is_left)
    }

    fn pass_over(&mut self, found: &Found) {
        let quiet_looks = self.passed_over.get(&key(&found.stat)).map_or(0, |passed| passed.quiet_looks);
        let passed = PassedOver { stat: found.stat, rotated: found.name.rotated, quiet_looks, again: false };
        self.passed_over.insert(key(&found.stat), passed);
    }

    /// Takes up a file that is exactly as it was when it was read last.
    fn resume(&mut self, found: &Found) -> bool {
        let strangers = &self.strangers;
        let known = self.generations.iter_mut().rev().find(|generation| {
            let known = &generation.checkpoint;
            generation.places.is_empty()
                && generation.at > 0
                && known.state != State::Gone
                && known.stat == found.stat
                && !strangers.contains(&(found.stat, known.id))
        });
        let Some(generation) = known else { return false };
        let encoding = Encoding::named(&generation.checkpoint.encoding);
        generation.attach(Place::new(found, encoding));
        if generation.checkpoint.state == State::Final {
            generation.unread = false;
            for place in &mut generation.places {
                place.exhausted = true;
            }
        }
        self.settled = false;
        true
    }

    fn claimant(&self, new: &New<'_>) -> io::Result<Claim> {
        let New { found, file, place, start, .. } = new;
        for index in self.heads.candidates(start) {
            let generation = &self.generations[index];
            let known = &generation.checkpoint;
            let is_stranger = || self.strangers.contains(&(place.stat, known.id));
            if !start.begins_with(&known.head) || is_stranger() {
                continue;
            }
            let was_here = known.stat.is_same_file(&place.stat);
            if known.head.is_short() && !was_here && !descends(found, generation) {
                continue;
            }
            if place.encoding != Encoding::Plain {
                // What stands behind the head is looked at when it is unpacked.
                return Ok(Claim::Of(index));
            }
            if place.stat.size >= generation.at && holds_tail(file, generation)? {
                return Ok(Claim::Of(index));
            }
            let has_shrunk = was_here && place.stat.size < known.stat.size;
            if place.stat.size < generation.at && !has_shrunk {
                return Ok(Claim::Copy);
            }
        }
        let is_copy = found.name.rotated != Rotated::No && self.is_begun_copy(start)?;
        Ok(if is_copy { Claim::Copy } else { Claim::Nobody })
    }

    /// Whether a few first bytes are those of another file, of which they may become a copy.
    fn is_begun_copy(&self, start: &Start) -> io::Result<bool> {
        if !start.head().is_some_and(|head| head.is_short()) {
            return Ok(false);
        }
        let (mark, length) = (Mark::of(&start.bytes), start.bytes.len() as u64);
        for generation in &self.generations {
            let plain = generation.places.iter().find(|place| place.encoding == Encoding::Plain);
            let Some(place) = plain.filter(|place| place.stat.size >= start.skip + length) else { continue };
            if content::holds(&content::open(&place.path)?.0, start.skip, &mark)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn attach(&mut self, index: usize, new: New<'_>) {
        let New { file, place, head, .. } = new;
        let generation = &mut self.generations[index];
        if generation.checkpoint.path != place.path.to_string_lossy() {
            self.shared.metrics.rotated();
            log::info!(path:? = place.path, generation = generation.checkpoint.id; "found again, was {}", generation.checkpoint.path);
        }
        generation.checkpoint.head = head;
        if place.encoding == Encoding::Plain && generation.open.is_none() {
            generation.open = Some((Content::Plain(file), place.clone()));
        }
        generation.attach(place);
        self.hold(index);
    }

    /// Begins a generation.
    fn begin(&mut self, new: New<'_>) -> Result<(), Error> {
        let New { found, place, head, .. } = &new;
        let (offset, tail) = if self.from_end {
            match end_of(&new.file, place) {
                Ok(end) => end,
                Err(error) => {
                    log::warn!(path:? = found.path, error:% = error; "its end can't be found: it is read from its beginning");
                    (0, Mark::default())
                }
            }
        } else {
            (0, Mark::default())
        };
        let mut checkpoint = Checkpoint {
            id: 0,
            source: found.name.live.to_string_lossy().into_owned(),
            path: found.path.to_string_lossy().into_owned(),
            encoding: place.encoding.name().to_owned(),
            stat: place.stat,
            head: *head,
            offset,
            tail,
            state: State::Growing,
        };
        {
            let store = self.shared.store();
            let inserted = checkpoint::insert(store.connection(), &checkpoint);
            checkpoint.id = inserted.map_err(|error| store.failure(&error))?;
        }
        self.shared.begin(&checkpoint);
        self.shared.metrics.began();
        log::info!(path:? = found.path, generation = checkpoint.id, offset = offset; "follows a file");
        self.heads.note(checkpoint.head, self.generations.len());
        self.generations.push(Generation::new(checkpoint));
        self.attach(self.generations.len() - 1, new);
        Ok(())
    }
}

/// Whose a file is.
enum Claim {
    /// The generation with this index.
    Of(usize),
    /// A part of a generation that is read farther than the file goes.
    Copy,
    Nobody,
}

/// A file that was looked into.
struct New<'f> {
    found: &'f Found,
    file: File,
    place: Place,
    start: Start,
    head: Head,
}

/// `None` if the file tells nothing yet.
fn examine(found: &Found, closed: bool) -> io::Result<Option<New<'_>>> {
    let (file, opened) = content::open(&found.path)?;
    if !opened.is_same_file(&found.stat) {
        return Err(io::ErrorKind::NotFound.into());
    }
    let Some(encoding) = content::encoding(&file, found.name.packed)? else { return Ok(None) };
    let place = Place::new(found, encoding);
    let start = match place.encoding {
        Encoding::Plain => content::plain_start(&file, closed)?,
        packed => content::packed_start(file.try_clone()?, found.stat, packed)?,
    };
    // What is still being packed will tell more.
    let tells = |head: &Head| place.encoding == Encoding::Plain || start.ended || !head.is_short();
    let head = start.head().filter(tells);
    Ok(head.map(|head| New { found, file, place, start, head }))
}

/// Whether a file is called as if it were packed or renamed from the one that a generation is in, or was in.
fn descends(found: &Found, generation: &Generation) -> bool {
    let is_sibling = |place: &Place| found.name.packed && place.path == found.path.with_extension("");
    let is_orphan = generation.places.is_empty()
        && found.name.rotated != Rotated::No
        && found.name.live.to_string_lossy() == generation.checkpoint.source;
    is_orphan || generation.places.iter().any(is_sibling)
}

/// Where the last line of a file ends, and its mark.
fn end_of(file: &File, place: &Place) -> io::Result<(u64, Mark)> {
    if place.encoding != Encoding::Plain {
        return Packed::open(file.try_clone()?, place.stat, place.encoding)?.into_end();
    }
    let mut end = file.metadata()?.len();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        let block = content::bytes(file, start, end - start)?;
        if let Some(newline) = memchr::memrchr(b'\n', &block) {
            let offset = start + newline as u64 + 1;
            let before = offset.saturating_sub(BLOCK);
            return Ok((offset, tail_of(&content::bytes(file, before, offset - before)?)));
        }
        end = start;
    }
    Ok((0, Mark::default()))
}

pub(super) fn key(stat: &Stat) -> (u64, u64) {
    (stat.device, stat.inode)
}
