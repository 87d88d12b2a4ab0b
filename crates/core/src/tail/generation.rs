//! One file's content while it is followed.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::batch::{Batch, Shared};
use super::content::{self, Content, End, Packed, Reached};
use super::identity::{Mark, Stat};
use super::part::{Limits, Part};
use super::place::Place;
use super::rotation::Rotated;
use crate::codec::{CutOff, Encoding};
use crate::store::checkpoint::{Checkpoint, State};

/// A generation, how far it is read, and where.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is told by another look, independent of the rest")]
pub(crate) struct Generation {
    /// As it was stored last, but for what batches commit.
    pub(crate) checkpoint: Checkpoint,
    /// What is in front of it was read, be it committed or not.
    pub(crate) at: u64,
    /// The last record in front of it.
    pub(crate) tail: Mark,
    /// Where its content is, the best place first.
    pub(crate) places: Vec<Place>,
    /// Bytes that it has at the least: those of the longest plain file that it was seen in, or those that were read before
    /// going back.
    pub(crate) seen: u64,
    /// The file that is open, with the place that it was opened at.
    pub(crate) open: Option<(Content, Place)>,
    /// Whether there may be more to read.
    pub(crate) unread: bool,
    /// Whether no more will come: packed data that was unpacked to its end, or a file that its writer has closed.
    pub(crate) ended: bool,
    /// Whether the system failed to read it.
    pub(crate) to_retry: bool,
    /// Looks in a row that found nothing new.
    pub(crate) quiet_looks: u32,
    /// Looks in a row that found no place.
    pub(crate) missing_looks: u32,
    /// What became of the last place.
    pub(crate) fate: &'static str,
    /// Why packed data has no more than was read, though more should follow; until it is noted.
    pub(crate) lack: Option<String>,
    /// Whether a packed file with it was removed, or changed, before it was read.
    pub(crate) robbed: bool,
    /// Whether it was gone when the next one of its source was met: others may have come and gone in between.
    pub(crate) severed: bool,
    /// Whether packed data is damaged behind what was read.
    pub(crate) damaged: bool,
    /// Whether another file stands where the one was that is held open, or a newer one of its source is known.
    pub(crate) superseded: bool,
}

/// What opening a place came to.
enum Opened {
    Content(Content),
    /// It has nothing behind what was read, or not yet.
    Nothing,
    /// It holds other content behind the same head.
    Other,
    /// Its packed data comes to an end too early.
    Lacking(End),
}

/// What reading came to.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "none is kept, and nearly all are batches")]
pub(crate) enum Read {
    Batch(Batch),
    /// There is no more for now.
    Nothing,
    /// The file holds something else by now, or never held this.
    Other(Stat),
}

impl Generation {
    pub(crate) fn new(checkpoint: Checkpoint) -> Self {
        Self {
            at: checkpoint.offset,
            tail: checkpoint.tail,
            seen: if checkpoint.encoding == Encoding::Plain.name() { checkpoint.stat.size } else { 0 },
            checkpoint,
            places: Vec::new(),
            open: None,
            unread: false,
            ended: false,
            to_retry: false,
            quiet_looks: 0,
            missing_looks: 0,
            fate: "the file was removed",
            lack: None,
            robbed: false,
            severed: false,
            damaged: false,
            superseded: false,
        }
    }

    /// Adds a place, or takes what is new about it.
    pub(crate) fn attach(&mut self, place: Place) {
        self.places.retain(|known| !known.stat.is_same_file(&place.stat));
        if place.encoding == Encoding::Plain {
            self.seen = self.seen.max(place.stat.size);
        } else {
            // It tells how much there is.
            self.robbed = false;
        }
        // A packed copy tells no more than the file that was closed and packed, as long as that is there.
        if place.encoding == Encoding::Plain || !self.places.iter().any(Place::is_whole) {
            (self.unread, self.ended) = (true, false);
        }
        self.places.push(place);
        self.places.sort_by_key(Place::rank);
        self.missing_looks = 0;
        self.quiet_looks = 0;
        self.damaged = false;
    }

    /// Notes where it was found last.
    pub(crate) fn remember(&mut self, place: &Place) {
        self.checkpoint.path = place.path.to_string_lossy().into_owned();
        place.encoding.name().clone_into(&mut self.checkpoint.encoding);
        self.checkpoint.stat = place.stat;
    }

    /// Whether the file is gone for all that is known, but only one look said so.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.places.is_empty() && self.open.is_none() && self.missing_looks == 1
    }

    /// Takes it that a file is not known to hold it any more.
    pub(crate) fn leave(&mut self, stat: &Stat) {
        self.places.retain(|place| !place.stat.is_same_file(stat));
        if self.open.as_ref().is_some_and(|(_, place)| place.stat.is_same_file(stat)) {
            self.open = None;
        }
    }

    /// Takes it that a file holds other content.
    pub(crate) fn displace(&mut self, stat: &Stat) {
        self.leave(stat);
        self.fate = "the file was truncated or rewritten";
        self.unread = !self.places.is_empty() || self.open.is_some();
    }

    /// Whether nobody writes to it any more, as far as the names of its files tell.
    pub(crate) fn is_closed(&self) -> bool {
        let mut places = self.places.iter().chain(self.unlisted());
        self.checkpoint.state == State::Final
            || self.quiet_looks >= super::QUIET_LOOKS && self.is_left()
            || places.any(|place| place.rotated == Rotated::Closed) && !self.is_live()
    }

    /// Whether there is a file with it that a writer would open anew.
    fn is_live(&self) -> bool {
        self.places.iter().any(|place| place.rotated == Rotated::No)
    }

    /// Where the file that is open was, if it is removed.
    pub(crate) fn unlisted(&self) -> Option<&Place> {
        let (_, open) = self.open.as_ref()?;
        let is_listed = self.places.iter().any(|place| place.stat.is_same_file(&open.stat));
        (!is_listed).then_some(open)
    }

    /// Whether the files that hold it are none that a writer would open anew.
    pub(crate) fn is_left(&self) -> bool {
        let is_left = |place: &Place| place.rotated != Rotated::No || self.superseded;
        !self.is_live() && self.unlisted().is_none_or(is_left)
    }

    /// Goes back to what is committed.
    pub(crate) fn rewind(&mut self, offset: u64, tail: Mark) {
        // What was read may have been in a packed file that is gone by now.
        self.seen = self.seen.max(self.at);
        (self.at, self.tail) = (offset, tail);
        if matches!(self.open, Some((Content::Packed(_), _))) {
            self.open = None;
        }
        (self.ended, self.damaged, self.lack) = (false, false, None);
        // It may have been given up meanwhile.
        self.checkpoint.state = State::Growing;
        self.read_again();
    }

    /// Takes it that each file may have more than it had.
    pub(crate) fn read_again(&mut self) {
        let open = self.open.as_mut().map(|(_, place)| place);
        for place in self.places.iter_mut().chain(open) {
            place.exhausted = false;
        }
        self.unread = true;
    }

    /// Opens the best place that has more to tell, if none is open; what reading comes to if there is none.
    ///
    /// An error is that of the place that is told with it, which was not opened.
    fn open_best(&mut self) -> Result<Option<Read>, (PathBuf, io::Error)> {
        if self.is_another_better() {
            self.open = None;
        }
        if self.open.is_some() {
            return Ok(None);
        }
        while let Some(place) = self.places.iter().find(|place| !place.exhausted).cloned() {
            match self.open_place(&place).map_err(|error| (place.path.clone(), error))? {
                Opened::Content(content) => {
                    self.open = Some((content, place));
                    return Ok(None);
                }
                Opened::Nothing => {
                    // What it had is lost, unless another look finds it.
                    self.robbed |= place.encoding != Encoding::Plain;
                    self.exhaust(&place.stat);
                }
                Opened::Other => return Ok(Some(Read::Other(place.stat))),
                Opened::Lacking(end) => self.lack(&place, end),
            }
        }
        self.unread = false;
        Ok(Some(Read::Nothing))
    }

    /// Whether another file is to be read than the one that is open, if one is.
    fn is_another_better(&self) -> bool {
        // What was closed has no more, whatever was packed from it.
        let is_final = |open: &Place| open.is_whole() && self.seen <= self.at;
        if self.open.as_ref().is_some_and(|(_, open)| !open.exhausted || is_final(open)) {
            return false;
        }
        // What is removed can't be opened again, and may be written on: only what has more than it is worth it.
        let has = |open: &Place| if open.encoding == Encoding::Plain { open.stat.size } else { 0 };
        let is_worth_it = self.unlisted().is_none_or(|open| self.seen > self.at.max(has(open)));
        is_worth_it && self.places.iter().any(|place| self.may_tell(place))
    }

    /// Whether a packed file may have more than was read, and the one that it was packed from is not there.
    pub(crate) fn may_be_in_packed(&self) -> bool {
        let packed = |place: &Place| place.encoding != Encoding::Plain && !place.exhausted;
        self.places.iter().any(packed) && !self.places.iter().any(Place::is_whole)
    }

    /// Whether the file at this place may have more than was read.
    fn may_tell(&self, place: &Place) -> bool {
        !place.exhausted && (place.encoding != Encoding::Plain || place.stat.size > self.at)
    }

    fn open_place(&self, place: &Place) -> io::Result<Opened> {
        let (file, stat) = match content::open(&place.path) {
            // It was renamed or removed meanwhile: the next look tells.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Opened::Nothing),
            opened => opened?,
        };
        if !stat.is_same_file(&place.stat) {
            return Ok(Opened::Nothing);
        }
        if place.encoding == Encoding::Plain {
            let is_behind = stat.size < self.at && place.stat.size == stat.size;
            return Ok(if is_behind { Opened::Nothing } else { Opened::Content(Content::Plain(file)) });
        }
        if stat != place.stat {
            // It is being written; the next look sees it as it is then.
            return Ok(Opened::Nothing);
        }
        let mut packed = Packed::open(file, stat, place.encoding)?;
        match packed.skip_to(self.at, &self.tail) {
            Ok(Reached::Offset) => Ok(Opened::Content(Content::Packed(Box::new(packed)))),
            Ok(Reached::Short) => Ok(Opened::Lacking(End::Now)),
            Ok(Reached::Other) => Ok(Opened::Other),
            Err(error) if CutOff::is_in(&error) => Ok(Opened::Lacking(End::Now)),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Ok(Opened::Lacking(End::Damaged(error.to_string())))
            }
            Err(error) => Err(error),
        }
    }

    fn exhaust(&mut self, stat: &Stat) {
        let open = self.open.as_mut().map(|(_, place)| place);
        for place in self.places.iter_mut().chain(open).filter(|place| place.stat.is_same_file(stat)) {
            place.exhausted = true;
        }
    }

    /// Reads the next records. An error comes with the path that it was met at.
    pub(crate) fn read(
        &mut self,
        limits: Limits,
        shared: &Arc<Shared>,
    ) -> Result<Read, (PathBuf, io::Error)> {
        if let Some(read) = self.open_best()? {
            return Ok(read);
        }
        let closed = self.is_closed();
        let Some((mut content, place)) = self.open.take() else { return Ok(Read::Nothing) };
        let part =
            Part::next(&mut content, self.at, limits, closed).map_err(|error| (place.path.clone(), error))?;
        let until = part.as_ref().map_or(self.at, |part| self.at + part.length);
        // What was read before the file was replaced is not told from what was read behind it.
        let head = &self.checkpoint.head;
        if !content.is_intact(head, until).map_err(|error| (place.path.clone(), error))? {
            return Ok(if place.encoding == Encoding::Plain {
                Read::Other(place.stat)
            } else {
                Read::Nothing
            });
        }
        self.open = Some((content, place.clone()));
        match part {
            None => self.nothing_more(&place, End::Now),
            Some(part) if part.length == 0 => self.nothing_more(&place, part.end),
            Some(part) => return Ok(Read::Batch(self.batch(part, shared))),
        }
        Ok(Read::Nothing)
    }

    /// Accounts for it that the open file, which is at this place, has no more.
    fn nothing_more(&mut self, place: &Place, end: End) {
        let is_plain = matches!(self.open, Some((Content::Plain(_), _)));
        match end {
            End::Ever => {
                self.open = None;
                self.exhaust(&place.stat);
                (self.ended, self.damaged, self.robbed, self.lack) = (true, false, false, None);
            }
            // A plain file may grow at any time; the next look tells.
            End::More | End::Now if is_plain => {
                self.ended = self.is_closed();
                self.damaged &= !self.ended;
                self.robbed &= !place.is_whole();
                self.exhaust(&place.stat);
            }
            end => self.lack(place, end),
        }
        self.unread = self.is_another_better();
        if !self.unread && !self.ended {
            self.hold_best();
        }
    }

    /// Holds the file that a writer goes on with, not a copy that was read.
    fn hold_best(&mut self) {
        let holds_all = |place: &&Place| place.encoding == Encoding::Plain && place.stat.size >= self.at;
        let Some(best) = self.places.iter().find(holds_all) else { return };
        let is_open = self.open.as_ref().is_some_and(|(_, open)| open.stat.is_same_file(&best.stat));
        if !is_open
            && self.unlisted().is_none()
            && let Ok((file, stat)) = content::open(&best.path)
            && stat.is_same_file(&best.stat)
        {
            self.open = Some((Content::Plain(file), best.clone()));
        }
    }

    /// Accounts for it that packed data comes to an end too early: it may still be written, or is damaged.
    fn lack(&mut self, place: &Place, end: End) {
        self.open = None;
        self.exhaust(&place.stat);
        let why = match end {
            End::Damaged(why) => {
                log::warn!(path:? = place.path, offset = self.at; "packed data is damaged: {why}");
                (self.ended, self.damaged) = (true, self.checkpoint.state != State::Final);
                why
            }
            _ => "the packed data ends in the middle".to_owned(),
        };
        // What was closed when it was read in another file was read as a whole.
        self.lack = Some(why).filter(|_| self.checkpoint.state != State::Final);
    }

    fn batch(&mut self, part: Part, shared: &Arc<Shared>) -> Batch {
        let from = self.at;
        // As it is stored with the batch.
        self.checkpoint.state = State::Growing;
        self.ended = false;
        self.lack = None;
        (self.at, self.tail) = (from + part.length, part.tail);
        let (path, stat, encoding) = self.open.as_ref().map_or_else(
            || (self.checkpoint.path.clone(), self.checkpoint.stat, self.checkpoint.encoding.clone()),
            |(_, place)| {
                (place.path.to_string_lossy().into_owned(), place.stat, place.encoding.name().to_owned())
            },
        );
        let to =
            Checkpoint { path, stat, encoding, offset: self.at, tail: self.tail, ..self.checkpoint.clone() };
        Batch {
            shared: Arc::clone(shared),
            from,
            to,
            data: part.data,
            entries: part.records.len() as u64,
            records: part.records,
            spans: part.spans,
            unterminated: part.unterminated,
            committed: false,
        }
    }
}

/// Whether a plain file holds what was read of a generation last, at the same place.
pub(crate) fn holds_tail(file: &File, generation: &Generation) -> io::Result<bool> {
    let start = generation.at.saturating_sub(generation.tail.length);
    content::holds(file, start, &generation.tail)
}
