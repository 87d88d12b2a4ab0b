//! Entries, read again from where answers say that they stand.

pub(crate) mod hashes;

use std::fmt::Write;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

pub use self::hashes::{Hashes, hash, hash_in_place};
use crate::codec::{Decoder, Encoding, MAGIC};
use crate::error::Error;

/// Bytes that are read first; mostly more than an entry has.
const GLANCE: usize = 64 * 1024;
/// Bytes of the longest entry that is read.
const LONGEST: usize = 256 * 1024 * 1024;

/// The entry that begins so many bytes into the decompressed content of the file at `path`: a JSON value, be it alone in its
/// line or not, or a string that holds one, or else what is left of the line. Empty where the content ends before.
///
/// A plain file is read there alone, a compressed one up to there.
///
/// # Errors
///
/// If the file can't be read, or its compressed data is damaged in front of the entry's end.
pub fn entry_at(path: &Path, offset: u64) -> Result<Vec<u8>, Error> {
    let name = || path.to_string_lossy().into_owned();
    let mut file = File::open(path).map_err(|error| Error::opening(name(), error))?;
    let failed = |error| Error::reading(name(), offset, error);
    let mut head = Vec::new();
    (&mut file).take(MAGIC as u64).read_to_end(&mut head).map_err(failed)?;
    let encoding = Encoding::of(&head);
    if encoding == Encoding::Plain {
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        return entry(file).map_err(failed);
    }
    file.rewind().map_err(failed)?;
    let mut content = Decoder::new(encoding, file).map_err(failed)?;
    let skipped = io::copy(&mut (&mut content).take(offset), &mut io::sink()).map_err(failed)?;
    if skipped < offset { Ok(Vec::new()) } else { entry(content).map_err(failed) }
}

/// SHA-256 of an entry's bytes, in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads until the first value is whole.
fn entry(mut content: impl Read) -> io::Result<Vec<u8>> {
    let (mut text, mut wanted) = (Vec::new(), GLANCE);
    loop {
        let room = (wanted - text.len()) as u64;
        let is_all = ((&mut content).take(room).read_to_end(&mut text)? as u64) < room || wanted >= LONGEST;
        if let Some(length) = length(&text, is_all) {
            text.truncate(length);
            return Ok(text);
        }
        wanted *= 8;
    }
}

/// How long the first entry is; `None` if more of it may follow.
fn length(text: &[u8], is_all: bool) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<&RawValue>();
    match values.next() {
        // A field of CSV, in which quotes are doubled, looks like a string and is none.
        Some(Ok(_)) if matches!(text, [b'{' | b'[' | b'"', ..]) && !text.starts_with(b"\"{\"\"") => {
            Some(values.byte_offset())
        }
        Some(Err(error)) if error.is_eof() && !is_all => None,
        // What is no JSON, and a torn entry.
        _ => {
            let line = memchr::memchr(b'\n', text).or_else(|| is_all.then_some(text.len()))?;
            Some(line - usize::from(text[..line].ends_with(b"\r")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> String {
        String::from_utf8(entry(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn an_entry_is_a_value_or_a_line() {
        assert_eq!(first("{\"a\":\"}\\n\"}\n{\"b\":1}\n"), "{\"a\":\"}\\n\"}");
        assert_eq!(first("{\"item\":1},{\"item\":2}]}\n"), "{\"item\":1}");
        assert_eq!(first("{\n  \"a\": 1\n}\n"), "{\n  \"a\": 1\n}");
        assert_eq!(
            first("2026-01-02T03:04:05Z AUDIT: id=\"a\"\r\nnext\n"),
            "2026-01-02T03:04:05Z AUDIT: id=\"a\""
        );
        assert_eq!(first("\"{\\\"a\\\":1}\\n\",\"b\":2}\n"), "\"{\\\"a\\\":1}\\n\"");
        assert_eq!(first("\"{\"\"a\"\":1}\",x\r\nnext\n"), "\"{\"\"a\"\":1}\",x");
        assert_eq!(first("{\"torn\":\"\nnext\n"), "{\"torn\":\"");
        assert_eq!(first(""), "");
    }

    #[test]
    fn a_long_entry_is_read_to_its_end() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(3 * GLANCE));
        assert_eq!(first(&format!("{long}\nnext\n")), long);
    }

    #[test]
    fn a_hash_is_told_as_others_tell_it() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
