//! A little of what is read, to tell how often strings are met in it.

use std::io::Read;

use crate::codec::Encoding;
use crate::input::file::LogFile;
use crate::input::{Content, Source};

/// How many bytes are looked at in one place.
const PART: usize = 32 * 1024;
/// How many places of a plain file are looked at.
const PARTS: u64 = 4;

/// Some text of the largest file; of a compressed one its beginning. Empty where there is none.
pub(super) fn of(sources: &[Source]) -> Vec<u8> {
    let files = sources.iter().filter_map(|source| match &source.content {
        Content::File(file) => Some(file),
        Content::Stream(_) => None,
    });
    files.max_by_key(|file| file.length).map(text).unwrap_or_default()
}

/// What can't be read is told where it is read for good.
fn text(file: &LogFile) -> Vec<u8> {
    if file.encoding != Encoding::Plain {
        return file.decoded_head(PART).unwrap_or_default();
    }
    let mut text = Vec::new();
    for part in 0..PARTS {
        let at = file.length / PARTS * part;
        if let Ok(reader) = file.snapshot(at) {
            let _ = reader.take(PART as u64).read_to_end(&mut text);
        }
    }
    text
}
