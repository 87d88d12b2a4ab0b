//! Who reads which piece when, and what is searched for beside in it.

use std::sync::{Mutex, PoisonError};

use audit_who_event::fold::{Fold, Foresee, Foreseen};

use super::plan::Piece;
use super::stretches::{Stretch, Stretches};
use super::work::Worker;

/// Hands out pieces, one after the other.
pub(super) struct Turns<'p, 'f, F> {
    pieces: &'p [Piece],
    state: Mutex<State<'f, F>>,
}

struct State<'f, F> {
    foresight: Option<&'f mut dyn Foresee<F>>,
    /// Of each piece that was handed out, with which version of what is foreseen.
    versions: Vec<usize>,
}

/// What is searched for beside from now on, with its version.
type Change<F> = Option<(usize, Option<Foreseen<F>>)>;

impl<'p, 'f, F: Fold> Turns<'p, 'f, F> {
    pub(super) fn new(pieces: &'p [Piece], foresight: Option<&'f mut dyn Foresee<F>>) -> Self {
        let versions = Vec::with_capacity(pieces.len());
        Self { pieces, state: Mutex::new(State { foresight, versions }) }
    }

    /// Takes what the worker has found so far, and hands it its next piece, if there is one and room for what it holds.
    pub(super) fn next(&self, worker: &mut Worker<'_, F>) -> Option<&'p Piece> {
        if worker.findings.fold.is_full() {
            return None;
        }
        let (piece, change) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let piece = self.pieces.get(state.versions.len())?;
            let change = state.look_forward(worker);
            (piece, change)
        };
        if let Some((version, foreseen)) = change {
            worker.search_beside(version, foreseen);
        }
        Some(piece)
    }

    /// Hands over what was found beside; says of each piece since when that was searched for in it.
    pub(super) fn end(self, beside: Option<F>) -> Searched {
        let State { foresight, versions } = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Some(foresight) = foresight else { return Searched::default() };
        if let Some(beside) = beside {
            foresight.found(beside);
        }
        let pieces = self.pieces.iter().map(Piece::stretch);
        Searched(pieces.zip(versions).filter(|(_, version)| *version > 0).collect())
    }
}

impl<F: Fold> State<'_, F> {
    fn look_forward(&mut self, worker: &mut Worker<'_, F>) -> Change<F> {
        let Some(foresight) = &mut self.foresight else {
            self.versions.push(0);
            return None;
        };
        foresight.take(&worker.findings.fold, &mut worker.taken);
        if let Some(beside) = &mut worker.beside {
            foresight.take(&beside.fold, &mut beside.taken);
        }
        let version = foresight.version();
        self.versions.push(version);
        let searched = worker.beside.as_ref().map_or(0, |beside| beside.version);
        (version != searched).then(|| (version, foresight.foreseen()))
    }
}

/// What was searched for what was foreseen, with its version then.
#[derive(Clone, Debug, Default)]
pub struct Searched(Vec<(Stretch, usize)>);

impl Searched {
    /// What was searched for all that was foreseen up to a version.
    pub fn since(&self, version: usize) -> Stretches {
        let since = self.0.iter().filter(|(_, own)| *own >= version);
        since.map(|(stretch, _)| *stretch).collect()
    }
}
