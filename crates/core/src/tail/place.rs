//! Where the content of a generation is.

use std::path::PathBuf;

use super::discovery::Found;
use super::identity::Stat;
use super::rotation::Rotated;
use crate::codec::Encoding;

/// A file that holds the content, or its start.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) stat: Stat,
    pub(crate) encoding: Encoding,
    pub(crate) rotated: Rotated,
    /// Whether it was read to its end, and tells no more.
    pub(crate) exhausted: bool,
}

impl Place {
    pub(crate) fn new(found: &Found, encoding: Encoding) -> Self {
        Self {
            path: found.path.to_path_buf(),
            stat: found.stat,
            encoding,
            rotated: found.name.rotated,
            exhausted: false,
        }
    }

    /// Whether it is all of the content, and what packed copies were made from.
    pub(crate) fn is_whole(&self) -> bool {
        self.encoding == Encoding::Plain && self.rotated == Rotated::Closed
    }

    /// Device and inode.
    pub(crate) const fn identity(&self) -> (u64, u64) {
        (self.stat.device, self.stat.inode)
    }

    /// Plain files can be read from any offset; of these, one that is still written tells most.
    pub(super) fn rank(&self) -> (bool, Rotated) {
        (self.encoding != Encoding::Plain, self.rotated)
    }
}
