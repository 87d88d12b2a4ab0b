//! SHA-256 of the entries that answers rest on, read again from where they stand.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::ops::Range;
use std::path::PathBuf;

use audit_who_event::answer::{Answer, Evidence};
use audit_who_event::envelope::{self, Sink};
use audit_who_event::event::Event;

use super::{LONGEST, sha256};
use crate::codec::{Decoder, Encoding, MAGIC};
use crate::head::Headed;
use crate::input::Content;
use crate::input::file::LogFile;
use crate::logs::Logs;

/// The SHA-256 of entries, in hexadecimal digits.
pub type Hashes = BTreeMap<Evidence, String>;

/// Notes in `answers` the SHA-256 of each entry that they rest on, as `logs` hold it now. Where one can't be read again, or
/// another one stands in its place, none is noted.
///
/// Plain files are read at these places alone, compressed ones once more up to the last of them.
pub fn hash(logs: &impl Logs, answers: &mut [Answer]) {
    note(answers, |wanted| logs.hashes(wanted));
}

/// The same, of entries in the files at the paths that they name: for where no [`Logs`] are, as files are followed.
pub fn hash_in_place(answers: &mut [Answer]) {
    note(answers, |wanted| hashes(wanted, |path| LogFile::new(PathBuf::from(path)).ok().map(Content::File)));
}

fn note(answers: &mut [Answer], hashes: impl FnOnce(&BTreeSet<Evidence>) -> Hashes) {
    let mut wanted = BTreeSet::new();
    for answer in answers.iter_mut() {
        answer.change_evidence(&mut |entry| {
            entry.sha256 = None;
            wanted.insert(entry.clone());
        });
    }
    let hashes = hashes(&wanted);
    for answer in answers {
        answer.change_evidence(&mut |entry| entry.sha256 = hashes.get(entry).cloned());
    }
}

/// The hashes of entries in the contents that `content` finds by their names.
pub(crate) fn hashes<C: AsRef<Content>>(
    wanted: &BTreeSet<Evidence>,
    content: impl Fn(&str) -> Option<C>,
) -> Hashes {
    let mut hashes = Hashes::new();
    let mut wanted = wanted.iter().peekable();
    while let Some(first) = wanted.peek().map(|entry| entry.source.as_str()) {
        let entries = std::iter::from_fn(|| wanted.next_if(|entry| entry.source == first));
        let entries: Vec<&Evidence> = entries.collect();
        if let Some(content) = content(first) {
            of_content(content.as_ref(), &entries, &mut hashes);
        }
    }
    hashes
}

/// The hashes of entries in one content, which are in order; what can't be read has none. That is one entry of a plain file,
/// and of others all behind it, too.
fn of_content(content: &Content, entries: &[&Evidence], hashes: &mut Hashes) {
    match content {
        Content::File(file) => {
            let Ok(whole) = file.snapshot(0) else { return };
            if file.encoding == Encoding::Plain {
                for entry in entries {
                    each(whole.from(entry.offset), entry.offset, &[*entry], hashes);
                }
            } else if let Ok(content) = Decoder::new(file.encoding, whole) {
                each(content, 0, entries, hashes);
            }
        }
        Content::Stream(stream) => {
            let Ok(reading) = stream.open() else { return };
            let raw = Headed::new(reading, MAGIC);
            let encoding = Encoding::of(raw.head());
            if let Ok(content) = Decoder::new(encoding, raw) {
                each(content, 0, entries, hashes);
            }
        }
    }
}

/// Takes the hash of what stands in each entry's place, if that is the entry; the content begins at `at`.
fn each(content: impl Read, at: u64, entries: &[&Evidence], hashes: &mut Hashes) {
    let mut parts = Parts::new(content, at);
    for entry in entries {
        let Some(bytes) = parts.read(entry) else { return };
        if is_still(entry, bytes) {
            hashes.insert((*entry).clone(), sha256(bytes));
        }
    }
}

/// Whether bytes hold an event with the entry's audit ID and stage.
pub(crate) fn is_still(entry: &Evidence, bytes: &[u8]) -> bool {
    let mut found = Known { entry, is_there: false };
    envelope::decode(bytes, &mut found);
    found.is_there
}

struct Known<'e> {
    entry: &'e Evidence,
    is_there: bool,
}

impl Sink for Known<'_> {
    fn event(&mut self, event: &Event<'_>, _: Range<usize>) {
        self.is_there |= event.audit_id == self.entry.audit_id && event.stage == self.entry.stage;
    }

    fn bad(&mut self, _: Range<usize>, _: &str) {}
}

/// Reads parts of a content, each of which begins where the one before does, or behind that.
struct Parts<R> {
    content: R,
    /// Where `held` begins: the part that was read last.
    at: u64,
    held: Vec<u8>,
}

impl<R: Read> Parts<R> {
    const fn new(content: R, at: u64) -> Self {
        Self { content, at, held: Vec::new() }
    }

    /// The bytes of an entry; `None` if not all of them can be read.
    fn read(&mut self, entry: &Evidence) -> Option<&[u8]> {
        let length = usize::try_from(entry.length).ok().filter(|length| *length <= LONGEST)?;
        let skipped = entry.offset.checked_sub(self.at)?;
        let held = self.held.len().min(usize::try_from(skipped).unwrap_or(usize::MAX));
        self.held.drain(..held);
        let ahead = skipped - held as u64;
        if io::copy(&mut (&mut self.content).take(ahead), &mut io::sink()).ok()? < ahead {
            return None;
        }
        self.at = entry.offset;
        let missing = length.saturating_sub(self.held.len());
        self.held.reserve_exact(missing);
        (&mut self.content).take(missing as u64).read_to_end(&mut self.held).ok()?;
        self.held.get(..length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(offset: u64, length: u64) -> Evidence {
        Evidence { offset, length, ..Evidence::default() }
    }

    #[test]
    fn parts_are_read_in_order_and_may_overlap() {
        let mut parts = Parts::new(&b"0123456789"[..], 0);
        let mut read = |offset, length| parts.read(&entry(offset, length)).map(<[u8]>::to_vec);
        assert_eq!(read(1, 4).unwrap(), b"1234");
        assert_eq!(read(1, 2).unwrap(), b"12");
        assert_eq!(read(3, 3).unwrap(), b"345");
        assert_eq!(read(9, 1).unwrap(), b"9");
        assert_eq!(read(8, 1), None);
        assert_eq!(read(9, 2), None);
        assert_eq!(read(20, 1), None);
    }
}
