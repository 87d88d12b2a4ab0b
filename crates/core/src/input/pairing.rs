//! A rotated file and its compressed copy side by side: one generation, which counts once.
//!
//! The API server compresses `X.log` into `X.log.gz` in place and removes `X.log` last, so that for a while both are
//! there and the compressed one may hold only a part. The plain file is read, the copy is noted.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::file::{Identity, LogFile, identity};
use super::{Content, Source};
use crate::codec::Encoding;
use crate::error::{Error, ErrorKind};

/// How many bytes of decoded content are compared.
const COMPARED: usize = 64 * 1024;
/// A compressed file this short may hold no content yet but its header.
const HEADER_ONLY: u64 = 512;

/// Takes the copies out of `sources`; returns what is to be said about each.
pub(super) fn remove_copies(sources: &mut Vec<Source>) -> Vec<Error> {
    let mut plain: HashMap<(Identity, OsString), usize> = HashMap::new();
    for (number, source) in sources.iter().enumerate() {
        if let Content::File(file) = &source.content
            && file.encoding == Encoding::Plain
            && let Some(place) = place(&file.path)
        {
            plain.insert(place, number);
        }
    }
    let copy_of = |copy: &Source| -> Option<Error> {
        let Content::File(file) = &copy.content else { return None };
        if file.encoding == Encoding::Plain || file.path.extension().is_none() {
            return None;
        }
        let original = &sources[*plain.get(&place(&file.path.with_extension(""))?)?];
        let Content::File(original_file) = &original.content else { return None };
        holds_the_head_of(original_file, file)
            .then(|| Error::new(ErrorKind::Duplicate, copy.name.as_str(), &original.name))
    };
    let copies: Vec<Option<Error>> = sources.iter().map(copy_of).collect();
    let mut kept = copies.iter().map(Option::is_none);
    sources.retain(|_| kept.next().unwrap_or(true));
    copies.into_iter().flatten().collect()
}

/// The folder that a path is in, under whatever name, and the name in it.
fn place(path: &Path) -> Option<(Identity, OsString)> {
    let folder = match path.parent()? {
        empty if empty.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    };
    Some((identity(&fs::metadata(folder).ok()?), path.file_name()?.to_owned()))
}

/// Whether `copy` begins with what `original` begins with. A copy that can't be read is none: reading it will tell why.
fn holds_the_head_of(original: &LogFile, copy: &LogFile) -> bool {
    let Ok(copied) = copy.decoded_head(COMPARED) else { return false };
    let Ok(content) = original.decoded_head(copied.len()) else { return false };
    content == copied && (!copied.is_empty() || copy.length <= HEADER_ONLY)
}
