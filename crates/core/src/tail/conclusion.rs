//! What has come to an end: files that are read and closed, and files that are gone.

use std::collections::HashSet;

use super::discovery::Found;
use super::generation::Generation;
use super::{MISSING_LOOKS, Tailer};
use crate::error::Error;
use crate::store::checkpoint::{self, Checkpoint, State};

/// Why there is a gap behind what was read to its end.
const SEVERED: &str = "the file was removed before a newer one was met: others may have been, too";

impl Generation {
    /// What was seen and not read: how many bytes, and why.
    fn unread_part(&self) -> Option<(Option<u64>, &'static str)> {
        let length = self.seen.checked_sub(self.at).filter(|length| *length > 0);
        length.map(|length| (Some(length), self.fate))
    }

    /// Lets go of a removed file that was read to its end, where a packed one may hold more than it: only of the file that
    /// was packed it is known that it held all. Says whether there is more to read.
    fn turn_to_packed(&mut self) -> bool {
        let is_part = self.ended && self.unlisted().is_some_and(|open| !open.is_whole());
        if !is_part || !self.may_be_in_packed() {
            return false;
        }
        self.open = None;
        (self.unread, self.ended) = (true, false);
        true
    }

    /// What is lost behind a generation that was read to its end: how many bytes, if that is known, and why.
    fn loss(&self) -> Option<(Option<u64>, &'static str)> {
        let robbed = || self.robbed.then_some((None, self.fate));
        self.unread_part().or_else(robbed).or_else(|| self.severed.then_some((None, SEVERED)))
    }
}

impl Tailer {
    /// Notes what has come to an end: files that are read and closed, and files that are gone.
    pub(super) fn conclude(&mut self) -> Result<(), Error> {
        for index in 0..self.generations.len() {
            let generation = &self.generations[index];
            let committed = self.shared.progress(generation.checkpoint.id);
            if generation.unread || committed.is_none_or(|committed| committed.offset != generation.at) {
                continue;
            }
            self.note_lack(index)?;
            if self.generations[index].turn_to_packed() {
                continue;
            }
            let generation = &self.generations[index];
            let known = &generation.checkpoint;
            let moved = generation.places.first().is_some_and(|place| place.stat != known.stat);
            if generation.ended && (moved || known.state == State::Growing) {
                generation.tell_other_copies();
                self.close(index, State::Final)?;
            }
            if self.generations[index].ended {
                // It would keep the room on disk of a file that is removed.
                self.generations[index].open = None;
            }
            let generation = &self.generations[index];
            if generation.places.is_empty()
                && generation.open.is_none()
                && generation.missing_looks >= MISSING_LOOKS
            {
                match generation.checkpoint.state {
                    State::Final => self.close(index, State::Gone)?,
                    State::Growing => self.lose(index)?,
                    State::Gone => {}
                }
            }
        }
        Ok(())
    }

    fn close(&mut self, index: usize, state: State) -> Result<(), Error> {
        let generation = &mut self.generations[index];
        if let Some(place) = generation.places.first().cloned() {
            generation.remember(&place);
        }
        let closed = Checkpoint {
            state,
            offset: generation.at,
            tail: generation.tail,
            ..generation.checkpoint.clone()
        };
        let store = self.shared.store();
        let failed = |error| store.failure(&error);
        let lost = generation.loss().filter(|_| state == State::Final);
        if let Some((length, why)) = lost {
            checkpoint::insert_gap(store.connection(), closed.id, closed.offset, length, why)
                .map_err(failed)?;
            self.shared.metrics.lost();
        }
        let is_whole = state == State::Final && !generation.damaged && lost.is_none();
        checkpoint::close(store.connection(), &closed, is_whole).map_err(failed)?;
        generation.checkpoint = closed;
        generation.open = None;
        Ok(())
    }

    /// Gives up a generation that is gone before it was known to be complete.
    fn lose(&mut self, index: usize) -> Result<(), Error> {
        let generation = &mut self.generations[index];
        let lost = match generation.checkpoint.state {
            State::Growing => generation.unread_part(),
            _ => generation.loss(),
        };
        let (length, why) = lost.unwrap_or((None, generation.fate));
        let (id, at) = (generation.checkpoint.id, generation.at);
        {
            let mut store = self.shared.store();
            let lost = checkpoint::lose(store.connection_mut(), id, at, length, why);
            lost.map_err(|error| store.failure(&error))?;
        }
        generation.checkpoint.state = State::Gone;
        generation.severed = false;
        self.shared.metrics.lost();
        log::error!(path:? = generation.checkpoint.path, generation = id, offset = at; "entries may be lost: {why}");
        Ok(())
    }

    /// Notes where new files can't be known to follow the last one that was met: files are removed from the oldest on, so
    /// that what came after one that is there is there, too.
    pub(super) fn sever<'f>(&mut self, new: impl Iterator<Item = &'f Found>) -> Result<(), Error> {
        let sources: HashSet<_> = new.map(|found| found.name.live.to_string_lossy()).collect();
        for source in sources {
            let last = self.generations.iter().rposition(|known| known.checkpoint.source == source);
            let Some(index) = last.filter(|index| self.generations[*index].places.is_empty()) else {
                continue;
            };
            self.generations[index].severed = true;
            // What is not read to its end yet is noted when it is.
            if self.generations[index].checkpoint.state != State::Growing {
                self.lose(index)?;
            }
        }
        Ok(())
    }

    /// Takes back that a generation is gone.
    pub(super) fn revive(&mut self, index: usize) -> Result<(), Error> {
        let generation = &mut self.generations[index];
        generation.severed = false;
        if generation.checkpoint.state != State::Gone {
            return Ok(());
        }
        let mut store = self.shared.store();
        let revived = checkpoint::revive(store.connection_mut(), generation.checkpoint.id, generation.at);
        revived.map_err(|error| store.failure(&error))?;
        generation.checkpoint.state = State::Growing;
        Ok(())
    }

    /// Notes that packed data has no more, though more should follow.
    fn note_lack(&mut self, index: usize) -> Result<(), Error> {
        let generation = &mut self.generations[index];
        let Some(why) = &generation.lack else { return Ok(()) };
        let store = self.shared.store();
        checkpoint::insert_gap(store.connection(), generation.checkpoint.id, generation.at, None, why)
            .map_err(|error| store.failure(&error))?;
        self.shared.metrics.lost();
        generation.lack = None;
        Ok(())
    }
}
