//! Whether a packed copy is what it was packed from.

use std::io;
use std::path::PathBuf;

use super::content::{self, Content, End, Packed};
use super::generation::Generation;
use super::place::Place;
use crate::codec::Encoding;

/// Bytes that are compared at once.
const BLOCK: usize = 128 * 1024;

impl Generation {
    /// Compares each packed copy that is there beside the plain file with it, byte by byte, and tells those that are
    /// another content. One that is still being packed is none yet, and one that can't be read is told where it is read.
    pub(super) fn tell_other_copies(&self) {
        let (packed, plain): (Vec<&Place>, Vec<&Place>) =
            self.places.iter().partition(|place| place.encoding != Encoding::Plain);
        let Some(plain) = plain.first() else { return };
        for copy in packed {
            if let Ok(Some(offset)) = difference(plain, copy) {
                log::error!(
                    path:? = copy.path, generation = self.checkpoint.id, offset, original:? = plain.path;
                    "the packed copy is not what it was packed from: what was read is that of the original, which should be kept"
                );
            }
        }
    }
}

/// Where two files begin to differ in their content; `None` if they don't, or the packed one is not whole.
fn difference(plain: &Place, packed: &Place) -> io::Result<Option<u64>> {
    let open = |path: &PathBuf| content::open(path);
    let mut original = Content::Plain(open(&plain.path)?.0);
    let (file, stat) = open(&packed.path)?;
    let mut copy = Content::Packed(Box::new(Packed::open(file, stat, packed.encoding)?));
    let (mut at, mut first, mut second) = (0, Vec::new(), Vec::new());
    loop {
        let end = copy.window(at, BLOCK, &mut second)?;
        original.window(at, BLOCK, &mut first)?;
        let same = first.iter().zip(&second).take_while(|(one, other)| one == other).count();
        match end {
            _ if same < first.len().min(second.len()) => return Ok(Some(at + same as u64)),
            End::More if first.len() == second.len() => at += same as u64,
            // It goes on where the original ends.
            End::More => return Ok(Some(at + same as u64)),
            End::Ever => return Ok((first.len() != second.len()).then_some(at + same as u64)),
            End::Now | End::Damaged(_) => return Ok(None),
        }
    }
}
