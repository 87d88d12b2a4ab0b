//! What has come to an end: files that are read and closed, and files that are gone.

use super::{MISSING_LOOKS, Tailer};
use crate::error::Error;
use crate::store::checkpoint::{self, Checkpoint, State};

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
            let generation = &self.generations[index];
            let known = &generation.checkpoint;
            let moved = generation.places.first().is_some_and(|place| place.stat != known.stat);
            if generation.ended && (moved || known.state != State::Final) {
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
        let lacks =
            generation.seen.checked_sub(generation.at).filter(|lacks| *lacks > 0 && state == State::Final);
        if let Some(length) = lacks {
            let (id, at, why) = (closed.id, closed.offset, generation.fate);
            checkpoint::insert_gap(store.connection(), id, at, Some(length), why).map_err(failed)?;
            self.shared.metrics.lost();
        }
        let is_whole = state == State::Final && !generation.damaged && lacks.is_none();
        checkpoint::close(store.connection(), &closed, is_whole).map_err(failed)?;
        generation.checkpoint = closed;
        generation.open = None;
        Ok(())
    }

    /// Gives up a generation that is gone before it was known to be complete.
    fn lose(&mut self, index: usize) -> Result<(), Error> {
        let generation = &mut self.generations[index];
        let length = generation.seen.checked_sub(generation.at).filter(|length| *length > 0);
        let why = generation.fate;
        let (id, at) = (generation.checkpoint.id, generation.at);
        {
            let mut store = self.shared.store();
            let lost = checkpoint::lose(store.connection_mut(), id, at, length, why);
            lost.map_err(|error| store.failure(&error))?;
        }
        generation.checkpoint.state = State::Gone;
        self.shared.metrics.lost();
        log::error!(path:? = generation.checkpoint.path, generation = id, offset = at; "entries may be lost: {why} before it was known to be read to its end");
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
