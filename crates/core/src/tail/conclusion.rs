//! What has come to an end: files that are read and closed, and files that are gone.

use super::{MISSING_LOOKS, Tailer};
use crate::codec::Encoding;
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
        if let Some(place) = generation.places.first() {
            generation.checkpoint.path = place.path.to_string_lossy().into_owned();
            place.encoding.name().clone_into(&mut generation.checkpoint.encoding);
            generation.checkpoint.stat = place.stat;
        }
        let closed = Checkpoint {
            state,
            offset: generation.at,
            tail: generation.tail,
            ..generation.checkpoint.clone()
        };
        let store = self.shared.store();
        checkpoint::close(store.connection(), &closed, state == State::Final && !generation.damaged)
            .map_err(|error| store.failure(&error))?;
        generation.checkpoint = closed;
        generation.open = None;
        Ok(())
    }

    /// Gives up a generation that is gone before it was known to be complete.
    fn lose(&mut self, index: usize) -> Result<(), Error> {
        let generation = &mut self.generations[index];
        let known = generation.checkpoint.stat.size;
        let is_plain = Encoding::named(&generation.checkpoint.encoding) == Encoding::Plain;
        let length = (is_plain && known > generation.at).then(|| known - generation.at);
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
    pub(super) fn note_lack(&mut self, index: usize, why: &str) -> Result<(), Error> {
        let generation = &self.generations[index];
        let store = self.shared.store();
        checkpoint::insert_gap(store.connection(), generation.checkpoint.id, generation.at, None, why)
            .map_err(|error| store.failure(&error))?;
        self.shared.metrics.lost();
        Ok(())
    }
}
