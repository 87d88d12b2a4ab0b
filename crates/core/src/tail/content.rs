//! Content behind a file, plain or packed, read from an offset on.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::SeekFrom;

use super::cut::Passing;
use super::identity::{Head, MAX_HEAD, MAX_TAIL, Mark, Start, Stat, tail_of};
use crate::codec::{CutOff, Decoder, Encoding, MAGIC};

/// Bytes that are read at once.
const BLOCK: usize = 128 * 1024;

/// Opens a file for reading alone; a FIFO does not make it wait, and only a regular file is taken.
pub(crate) fn open(path: &Path) -> io::Result<(File, Stat)> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is no regular file"));
    }
    Ok((file, Stat::of(&metadata)))
}

/// Whether the process, or the system, has too many files open for another one.
pub(crate) fn is_starved(error: &io::Error) -> bool {
    use rustix::io::Errno;
    Errno::from_io_error(error).is_some_and(|error| matches!(error, Errno::MFILE | Errno::NFILE))
}

/// Tells the encoding from the first bytes; `None` if there are too few of them.
pub(crate) fn encoding(file: &File, name_says_packed: bool) -> io::Result<Option<Encoding>> {
    let mut magic = [0; MAGIC];
    let length = file.read_at(&mut magic, 0)?;
    let told = Encoding::of(&magic[..length]);
    Ok((told != Encoding::Plain || length == MAGIC || length > 0 && !name_says_packed).then_some(told))
}

/// Where reading came to.
#[derive(Debug)]
pub(crate) enum End {
    /// There is more to read.
    More,
    /// There is no more now.
    Now,
    /// There will be no more: packed data that has come to its end.
    Ever,
    /// Packed data is damaged behind this place.
    Damaged(String),
}

/// An open file with content.
#[derive(Debug)]
pub(crate) enum Content {
    Plain(File),
    Packed(Box<Packed>),
}

/// A stream of unpacked content.
pub(crate) struct Packed {
    file: File,
    decoder: Decoder<Cursor>,
    /// As it was when unpacking began: what was unpacked from a file that changed meanwhile is not trusted.
    stat: Stat,
    /// Where the next byte that is unpacked stands in the content.
    position: u64,
    /// What stands in front of it, and was not used.
    pending: Vec<u8>,
}

/// A place in a file: handles that are cloned share theirs.
struct Cursor {
    file: File,
    at: u64,
}

impl Read for Cursor {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read_at(out, self.at)?;
        self.at += length as u64;
        Ok(length)
    }
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packed")
            .field("stat", &self.stat)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

/// What a packed file turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// The offset, behind the record that was expected there.
    Offset,
    /// The end, in front of the offset.
    Short,
    /// The offset, behind another record.
    Other,
}

impl Packed {
    pub(crate) fn open(file: File, stat: Stat, encoding: Encoding) -> io::Result<Self> {
        let decoder = Decoder::new(encoding, Cursor { file: file.try_clone()?, at: 0 })?;
        Ok(Self { file, decoder, stat, position: 0, pending: Vec::new() })
    }

    /// Goes to `offset` and looks what stands in front of it.
    pub(crate) fn skip_to(&mut self, offset: u64, tail: &Mark) -> io::Result<Reached> {
        let mut block = vec![0; BLOCK];
        let mut last: Vec<u8> = Vec::with_capacity(2 * BLOCK);
        while self.position < offset {
            let wanted = usize::try_from(offset - self.position).unwrap_or(BLOCK).min(BLOCK);
            let length = self.decoder.read(&mut block[..wanted])?;
            if length == 0 {
                return Ok(Reached::Short);
            }
            self.position += length as u64;
            last.extend_from_slice(&block[..length]);
            last.drain(..last.len().saturating_sub(MAX_TAIL));
        }
        let tail_length = usize::try_from(tail.length).unwrap_or(MAX_TAIL);
        let is_same = tail_length <= last.len() && tail.is_of(&last[last.len() - tail_length..]);
        Ok(if is_same { Reached::Offset } else { Reached::Other })
    }

    /// Where the last line ends, and its mark.
    pub(crate) fn into_end(mut self) -> io::Result<(u64, Mark)> {
        let (mut text, mut last) = (Vec::new(), (0, Mark::default()));
        loop {
            let end = self.fill(BLOCK + MAX_TAIL, &mut text)?;
            let start = self.position - text.len() as u64;
            if let Some(newline) = memchr::memrchr(b'\n', &text) {
                last = (start + newline as u64 + 1, tail_of(&text[..=newline]));
            }
            if !matches!(end, End::More) {
                return Ok(last);
            }
            text.drain(..text.len() - MAX_TAIL);
        }
    }

    fn is_unchanged(&self) -> io::Result<bool> {
        Ok(Stat::of(&self.file.metadata()?) == self.stat)
    }

    /// Unpacks until `buffer` holds `wanted` bytes.
    fn fill(&mut self, wanted: usize, buffer: &mut Vec<u8>) -> io::Result<End> {
        while buffer.len() < wanted {
            let before = buffer.len();
            buffer.resize(wanted.min(before + BLOCK), 0);
            let read = self.decoder.read(&mut buffer[before..]);
            let length = *read.as_ref().unwrap_or(&0);
            buffer.truncate(before + length);
            self.position += length as u64;
            match read {
                Ok(0) => return Ok(End::Ever),
                Ok(_) => {}
                Err(error) if CutOff::is_in(&error) => return Ok(End::Now),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return Ok(End::Damaged(error.to_string()));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(End::More)
    }
}

impl Content {
    /// The file, to be asked about.
    pub(crate) const fn file(&self) -> &File {
        match self {
            Self::Plain(file) => file,
            Self::Packed(packed) => &packed.file,
        }
    }

    /// Whether what was read can be trusted: a plain file still begins with `head` and reaches to `until`; a packed one
    /// was not touched since unpacking began.
    pub(crate) fn is_intact(&self, head: &Head, until: u64) -> io::Result<bool> {
        match self {
            Self::Plain(file) => Ok(file.metadata()?.len() >= until && begins_with(file, head)?),
            Self::Packed(packed) => packed.is_unchanged(),
        }
    }

    /// Puts content from `at` on into `buffer`, up to `wanted` bytes. Packed content must be where the last call, less
    /// what was [given back](Self::give_back), ended.
    pub(crate) fn window(&mut self, at: u64, wanted: usize, buffer: &mut Vec<u8>) -> io::Result<End> {
        match self {
            Self::Plain(file) => {
                let left = file.metadata()?.len().saturating_sub(at);
                buffer.clear();
                buffer.resize(usize::try_from(left).unwrap_or(wanted).min(wanted), 0);
                let length = read_full(file, buffer, at)?;
                buffer.truncate(length);
                Ok(if length == wanted { End::More } else { End::Now })
            }
            Self::Packed(packed) => {
                *buffer = std::mem::take(&mut packed.pending);
                packed.fill(wanted, buffer)
            }
        }
    }

    /// Takes back what stands behind the first `used` bytes of a window, which keeps these.
    pub(crate) fn give_back(&mut self, window: &mut Vec<u8>, used: usize) {
        match self {
            Self::Plain(_) => window.truncate(used),
            // It may hold most of a long line: there is to be no second copy of that.
            Self::Packed(packed) if used == 0 => packed.pending = std::mem::take(window),
            Self::Packed(packed) => packed.pending = window.split_off(used),
        }
    }

    /// Goes over a run of NULs at `at`; tells its length, or `None` if nothing follows it yet.
    pub(crate) fn pass_nuls(&mut self, at: u64, ended: bool) -> io::Result<Option<u64>> {
        self.pass(at, true, ended, |block| block.iter().position(|byte| *byte != 0))
            .map(|run| run.map(|(length, _)| length))
    }

    /// Goes over a line at `at` that is too long; tells its length and SHA-256, or `None` if it has no end yet.
    pub(crate) fn pass_line(&mut self, at: u64, ended: bool) -> io::Result<Option<(u64, [u8; 32])>> {
        self.pass(at, false, ended, |block| memchr::memchr2(b'\n', 0, block))
    }

    fn pass(
        &mut self,
        at: u64,
        nuls: bool,
        ended: bool,
        mut end: impl FnMut(&[u8]) -> Option<usize>,
    ) -> io::Result<Option<(u64, [u8; 32])>> {
        let mut passing = Passing::default();
        let mut holes = 0;
        let mut block = Vec::new();
        loop {
            if let (true, Self::Plain(file)) = (nuls, &*self) {
                holes += hole(file, at + holes + passing.length)?;
            }
            let reached = self.window(at + holes + passing.length, BLOCK, &mut block)?;
            if let Some(length) = end(&block) {
                passing.take(&block[..length], !nuls);
                self.give_back(&mut block, length);
                return Ok(Some((holes + passing.length, passing.sha256())));
            }
            passing.take(&block, !nuls);
            match reached {
                End::More => {}
                End::Damaged(_) => return Ok(None),
                End::Now if !ended => return Ok(None),
                End::Now | End::Ever => {
                    return Ok(Some((holes + passing.length, passing.sha256())));
                }
            }
        }
    }
}

/// How many bytes of the file at `at` are a hole that takes no room on disk; to its end if nothing follows.
fn hole(file: &File, at: u64) -> io::Result<u64> {
    match rustix::fs::seek(file, SeekFrom::Data(at)) {
        Ok(data) => Ok(data.saturating_sub(at)),
        Err(rustix::io::Errno::NXIO) => Ok(file.metadata()?.len().saturating_sub(at)),
        // A file system that knows no holes has none.
        Err(_) => Ok(0),
    }
}

/// So many bytes of a file, or fewer where it ends.
pub(crate) fn bytes(file: &File, at: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    let read = read_full(file, &mut bytes, at)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Reads until the buffer is full or the file ends.
fn read_full(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Whether a plain file begins with `head`.
pub(crate) fn begins_with(file: &File, head: &Head) -> io::Result<bool> {
    Ok(holds(file, head.skip, &head.mark)? && (head.skip == 0 || is_nul(file, head.skip - 1)?))
}

fn is_nul(file: &File, at: u64) -> io::Result<bool> {
    let mut byte = [1];
    Ok(read_full(file, &mut byte, at)? == 1 && byte == [0])
}

/// Whether the bytes at `at` of a plain file are those of `mark`.
pub(crate) fn holds(file: &File, at: u64, mark: &Mark) -> io::Result<bool> {
    let mut bytes = vec![0; usize::try_from(mark.length).unwrap_or(MAX_HEAD).min(MAX_HEAD)];
    let length = read_full(file, &mut bytes, at)?;
    Ok(mark.is_of(&bytes[..length]))
}

/// How a plain file begins.
pub(crate) fn plain_start(file: &File, ended: bool) -> io::Result<Start> {
    let mut skip = 0;
    let mut bytes = vec![0; MAX_HEAD];
    loop {
        skip += hole(file, skip)?;
        let length = read_full(file, &mut bytes, skip)?;
        let nuls = bytes[..length].iter().take_while(|byte| **byte == 0).count();
        if nuls == 0 {
            bytes.truncate(length);
            return Ok(Start { skip, bytes, ended });
        }
        skip += nuls as u64;
    }
}

/// How the content of a packed file begins.
pub(crate) fn packed_start(file: File, stat: Stat, encoding: Encoding) -> io::Result<Start> {
    let mut packed = Packed::open(file, stat, encoding)?;
    let mut skip = 0;
    let mut bytes = Vec::new();
    loop {
        let end = packed.fill(MAX_HEAD, &mut bytes)?;
        let nuls = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes.drain(..nuls);
        skip += nuls as u64;
        match end {
            End::More if bytes.len() < MAX_HEAD => {}
            End::Damaged(why) if bytes.is_empty() => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
            end => return Ok(Start { skip, bytes, ended: !matches!(end, End::More | End::Now) }),
        }
    }
}
