//! Whether a checkpoint still fits what is on disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::content::{self, Packed, Reached};
use super::discovery::{Discovery, Found};
use super::identity::{Start, Stat};
use super::rotation::Rotated;
use crate::codec::{CutOff, Encoding};
use crate::store::checkpoint::Checkpoint;

/// Opens the files that checkpoints are of, those of each source once.
#[derive(Default)]
pub(crate) struct Verifier {
    /// What each source's files are, by source.
    sources: BTreeMap<String, Vec<Candidate>>,
}

/// A file that may hold a generation.
struct Candidate {
    path: PathBuf,
    looked: io::Result<Option<Looked>>,
}

struct Looked {
    file: File,
    stat: Stat,
    encoding: Encoding,
    start: Start,
}

/// What a file is to a generation.
enum Fit {
    /// It holds what was read, and goes on behind it.
    Holds,
    /// It holds something else, or less.
    No(String),
}

impl Verifier {
    /// The file that holds what was read of a generation, and from which reading would go on; why there is none, otherwise.
    ///
    /// It is looked for under the name that it had, then among what is rotated from its source.
    pub(crate) fn holder(&mut self, known: &Checkpoint) -> Result<PathBuf, String> {
        let files = self.sources.entry(known.source.clone()).or_insert_with(|| candidates(&known.source));
        let mut fits = Vec::new();
        let (named, others): (Vec<_>, Vec<_>) =
            files.iter().partition(|file| file.path == Path::new(&known.path));
        for file in named.iter().chain(&others) {
            match file.fit(known) {
                Fit::Holds => return Ok(file.path.clone()),
                Fit::No(why) => fits.push(why),
            }
        }
        let why = if named.is_empty() { "it is not there".to_owned() } else { fits.swap_remove(0) };
        Err(format!("{}: {why}; no other file of {} holds what was read", known.path, known.source))
    }
}

fn candidates(source: &str) -> Vec<Candidate> {
    let listed = Discovery::new(&[PathBuf::from(source)], &[], Vec::new())
        .map(|mut discovery| discovery.list(Instant::now()));
    let files = listed.map(|listing| listing.files).unwrap_or_default();
    files
        .into_iter()
        .map(|found| Candidate { looked: look(&found), path: found.path.to_path_buf() })
        .collect()
}

fn look(found: &Found) -> io::Result<Option<Looked>> {
    let (file, stat) = content::open(&found.path)?;
    let Some(encoding) = content::encoding(&file, found.name.packed)? else { return Ok(None) };
    let begun = match encoding {
        Encoding::Plain => content::plain_start(&file, found.name.rotated == Rotated::Closed)?,
        packed => content::packed_start(file.try_clone()?, stat, packed)?,
    };
    Ok(Some(Looked { file, stat, encoding, start: begun }))
}

impl Candidate {
    fn fit(&self, known: &Checkpoint) -> Fit {
        let no = |why: &str| Fit::No(why.to_owned());
        match &self.looked {
            Ok(Some(looked)) => {
                looked.fit(known).unwrap_or_else(|error| no(&format!("cannot be read: {error}")))
            }
            Ok(None) => no("it is empty"),
            Err(error) => no(&format!("cannot be read: {error}")),
        }
    }
}

impl Looked {
    fn fit(&self, known: &Checkpoint) -> io::Result<Fit> {
        let is_plain = self.encoding == Encoding::Plain;
        if !self.start.begins_with(&known.head) {
            return Ok(Fit::No("it begins with something else".to_owned()));
        }
        let reached = if is_plain { self.plain(known)? } else { self.packed(known)? };
        Ok(match reached {
            Reached::Offset => Fit::Holds,
            Reached::Short => Fit::No(format!("it ends before byte {}, to which it was read", known.offset)),
            Reached::Other => {
                Fit::No(format!("in front of byte {} is another record than was read there", known.offset))
            }
        })
    }

    fn plain(&self, known: &Checkpoint) -> io::Result<Reached> {
        if self.stat.size < known.offset {
            return Ok(Reached::Short);
        }
        let start = known.offset.saturating_sub(known.tail.length);
        Ok(if content::holds(&self.file, start, &known.tail)? { Reached::Offset } else { Reached::Other })
    }

    fn packed(&self, known: &Checkpoint) -> io::Result<Reached> {
        let mut packed = Packed::open(self.file.try_clone()?, self.stat, self.encoding)?;
        match packed.skip_to(known.offset, &known.tail) {
            Err(error) if CutOff::is_in(&error) => Ok(Reached::Short),
            reached => reached,
        }
    }
}
