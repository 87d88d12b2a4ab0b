//! What became of the files that a generation was found in.

use std::fs::File;
use std::io;

use super::QUIET_LOOKS;
use super::content::{self, Content};
use super::discovery::Found;
use super::generation::{Generation, holds_tail};
use super::identity::{Head, Stat};
use super::look::{Unclaimed, key};
use super::place::Place;
use crate::codec::Encoding;
use crate::store::checkpoint::State;

/// What a look at a generation's places showed.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) changed: bool,
    pub(super) rotated: bool,
    /// Whether it is in one file less.
    pub(super) parted: bool,
}

/// Looks at the places of a generation again. Files that hold something else by now are left unclaimed. If the look
/// `counts`, it is one of those after which a file is quiet.
pub(super) fn revisit(generation: &mut Generation, unclaimed: &mut Unclaimed<'_>, counts: bool) -> Seen {
    let mut seen = Seen::default();
    for mut place in std::mem::take(&mut generation.places) {
        let Some(&found) = unclaimed.get(&key(&place.stat)) else {
            seen.changed = true;
            generation.fate = "the file was removed";
            generation.rob(&place);
            generation.remember(&place);
            seen.parted = true;
            continue;
        };
        // Letter by letter: it is done for each file at each look.
        if found.path.as_os_str() != place.path.as_os_str() {
            log::debug!(path:? = found.path, generation = generation.checkpoint.id; "renamed, was {}", place.path.display());
            seen.rotated = true;
            seen.changed = true;
            // Its new name may say that it is complete, and is the one to open it by.
            generation.unread = true;
            place.exhausted = false;
            (place.path, place.rotated) = (found.path.to_path_buf(), found.name.rotated);
        }
        // A copy that is behind what was read elsewhere does not keep it.
        let is_behind = place.encoding == Encoding::Plain && found.stat.size < generation.at;
        if found.stat != place.stat || generation.to_retry || is_behind {
            seen.changed = true;
            match holds(generation, &place, found) {
                Ok(Holds::Still(head)) => {
                    generation.checkpoint.head = head;
                    place.stat = found.stat;
                    place.exhausted = false;
                    generation.unread = true;
                    generation.ended = false;
                    generation.grow(found.stat.size);
                }
                Ok(Holds::Unclear) => {
                    generation.rob(&place);
                    generation.leave(&found.stat);
                    seen.parted = true;
                    continue;
                }
                Ok(Holds::Other) => {
                    generation.remember(&place);
                    // Content that begins as this did is known for other content by it.
                    generation.checkpoint.stat = Stat { size: place.stat.size, ..found.stat };
                    generation.displace(&found.stat);
                    seen.parted = true;
                    continue;
                }
                Err(error) => {
                    log::warn!(path:? = place.path, error:% = error; "can't be read; it is tried again");
                }
            }
        }
        if let Some((_, open)) = &mut generation.open
            && open.stat.is_same_file(&place.stat)
        {
            *open = place.clone();
        }
        unclaimed.remove(&key(&place.stat));
        generation.places.push(place);
    }
    generation.to_retry = false;
    // A packed copy may hold what the plain file had no time to show.
    generation.unread |= seen.parted && !generation.places.is_empty();
    if seen.changed {
        generation.quiet_looks = 0;
    } else {
        generation.quiet_looks = generation.quiet_looks.saturating_add(u32::from(counts));
        // Whoever rotated it has let go of it by now: what has no line end will get none.
        if !generation.ended && generation.quiet_looks >= QUIET_LOOKS && generation.is_left() {
            generation.read_again();
        }
    }
    seen
}

/// What a file that changed holds now.
enum Holds {
    /// The generation, which begins so, and goes on behind it.
    Still(Head),
    /// What can only be told from its start.
    Unclear,
    /// Something else.
    Other,
}

fn holds(generation: &Generation, place: &Place, found: &Found) -> io::Result<Holds> {
    let is_behind = found.stat.size < generation.at;
    // What has not shrunk was never farther.
    if place.encoding != Encoding::Plain || is_behind && place.stat.size <= found.stat.size {
        return Ok(Holds::Unclear);
    }
    if is_behind {
        return Ok(Holds::Other);
    }
    let head = generation.checkpoint.head;
    let told_by = |file: &File| {
        if !content::begins_with(file, &head)? || !holds_tail(file, generation)? {
            return Ok(Holds::Other);
        }
        // More of the first lines may tell it from others.
        let longer = head.is_short().then(|| content::plain_start(file, false)).transpose()?;
        Ok(Holds::Still(longer.and_then(|start| start.head()).unwrap_or(head)))
    };
    match &generation.open {
        Some((content, open)) if open.stat.is_same_file(&found.stat) => told_by(content.file()),
        _ => match content::open(&found.path) {
            Ok((file, stat)) if stat.is_same_file(&found.stat) => told_by(&file),
            Ok(_) => Ok(Holds::Other),
            Err(error) => Err(error),
        },
    }
}

impl Generation {
    /// Takes it that what a packed file had and was not read is lost, unless it is found again.
    fn rob(&mut self, place: &Place) {
        self.robbed |= place.encoding != Encoding::Plain && !place.exhausted && !self.ended;
    }

    /// Takes it that a plain file has so many bytes: if that is more than was read, somebody writes to it after all.
    fn grow(&mut self, size: u64) {
        self.seen = self.seen.max(size);
        if size > self.at && self.checkpoint.state == State::Final {
            self.checkpoint.state = State::Growing;
        }
    }

    /// Counts how long it has had no place, and looks whether a file that is held open grew even so.
    pub(super) fn miss(&mut self, whole: bool) {
        let is_unlisted = self.unlisted().is_some();
        match &mut self.open {
            Some((Content::Plain(file), place)) if is_unlisted => {
                let now = file.metadata().map_or(place.stat, |metadata| Stat::of(&metadata));
                if std::mem::replace(&mut place.stat, now) != now {
                    // Otherwise reading tells that it was emptied.
                    if content::begins_with(file, &self.checkpoint.head).unwrap_or(false) {
                        self.grow(now.size);
                    }
                    self.read_again();
                    self.quiet_looks = 0;
                }
            }
            None if whole && self.places.is_empty() => {
                self.missing_looks = self.missing_looks.saturating_add(1);
            }
            _ => {}
        }
    }

    /// Bytes that are there and were not read, of a plain file.
    pub(super) fn lag(&self) -> u64 {
        let plain = self.places.iter().find(|place| place.encoding == Encoding::Plain);
        plain.map_or(0, |place| place.stat.size.saturating_sub(self.at))
    }
}
