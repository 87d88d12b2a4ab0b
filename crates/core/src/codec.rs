//! Compressed data, told by its first bytes and read to its true end.
//!
//! Damage comes as [`io::ErrorKind::InvalidData`] after everything that could be decoded before it.

use std::io::{self, BufRead, BufReader, Read};

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::read::Decoder as ZstdDecoder;

use crate::error::Shrunk;

/// How many bytes [`Encoding::of`] wants to see.
pub(crate) const MAGIC: usize = 4;
/// Bytes of compressed data that are held.
const INPUT: usize = 64 * 1024;
/// The largest zstd window that is accepted: what `zstd --long=31` writes (2 GiB).
const WINDOW_LOG_MAX: u32 = 31;

/// How the bytes of an input are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Gzip,
    Zstd,
}

impl Encoding {
    /// Tells the encoding from the first bytes of the data.
    pub(crate) fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            // A frame, or a skippable frame before the first one.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }

    /// The encoding of that [name](Self::name); plain for what is none.
    pub(crate) fn named(name: &str) -> Self {
        [Self::Gzip, Self::Zstd].into_iter().find(|encoding| encoding.name() == name).unwrap_or(Self::Plain)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Reads the content behind an encoding.
pub(crate) enum Decoder<R: Read> {
    Plain(R),
    Gzip(Box<Gzip<R>>),
    Zstd(Box<ZstdDecoder<'static, BufReader<R>>>),
}

impl<R: Read> Decoder<R> {
    pub(crate) fn new(encoding: Encoding, raw: R) -> io::Result<Self> {
        Ok(match encoding {
            Encoding::Plain => Self::Plain(raw),
            Encoding::Gzip => Self::Gzip(Box::new(Gzip::new(raw))),
            Encoding::Zstd => {
                let mut decoder = ZstdDecoder::with_buffer(BufReader::with_capacity(INPUT, raw))?;
                decoder.window_log_max(WINDOW_LOG_MAX)?;
                Self::Zstd(Box::new(decoder))
            }
        })
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(raw) => raw.read(out),
            Self::Gzip(gzip) => gzip.read(out),
            Self::Zstd(zstd) => zstd.read(out).map_err(|error| {
                // The library has no kind of its own for damage: it is what neither the system nor our reader said.
                let from_below = error.raw_os_error().is_some() || Shrunk::is_in(&error);
                match error.kind() {
                    _ if from_below => error,
                    io::ErrorKind::UnexpectedEof => CutOff { encoding: Encoding::Zstd }.into(),
                    _ => damaged(&format!("the zstd data is not valid: {error}")),
                }
            }),
        }
    }
}

/// Reads gzip members one after the other, as rotation and `cat a.gz b.gz` leave them.
pub(crate) struct Gzip<R: Read> {
    raw: BufReader<R>,
    inflate: Decompress,
    place: Place,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// At the start of a member, which is the first one or not.
    Start {
        first: bool,
    },
    Inside,
    End,
}

impl<R: Read> Gzip<R> {
    fn new(raw: R) -> Self {
        Self {
            raw: BufReader::with_capacity(INPUT, raw),
            inflate: Decompress::new_gzip(15),
            place: Place::Start { first: true },
        }
    }

    /// Goes to the next member, over the zeros that tapes and block devices leave behind the last one.
    fn next_member(&mut self, first: bool) -> io::Result<Place> {
        loop {
            let data = self.raw.fill_buf()?;
            let zeros = if first { 0 } else { data.iter().take_while(|byte| **byte == 0).count() };
            match data.get(zeros) {
                Some(0x1f) => {
                    self.raw.consume(zeros);
                    return Ok(Place::Inside);
                }
                Some(_) => return Err(damaged("other data follows the gzip data")),
                None if data.is_empty() => return Ok(Place::End),
                None => self.raw.consume(zeros),
            }
        }
    }

    /// Decodes into `out`; says how many bytes, and whether the member has ended.
    fn inflate(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let data = self.raw.fill_buf()?;
        let at_end = data.is_empty();
        let (taken, given) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(data, out, FlushDecompress::None);
        let taken = usize::try_from(self.inflate.total_in() - taken).unwrap_or(data.len());
        let given = usize::try_from(self.inflate.total_out() - given).unwrap_or(out.len());
        self.raw.consume(taken);
        match status {
            Ok(Status::StreamEnd) => {
                self.inflate.reset(true);
                self.place = Place::Start { first: false };
            }
            // What was decoded up to the damage is given first; the decoder then fails again.
            Err(_) if given == 0 => return Err(damaged("the gzip data is not valid")),
            Ok(_) if at_end && given == 0 => return Err(CutOff { encoding: Encoding::Gzip }.into()),
            _ => {}
        }
        Ok(given)
    }
}

impl<R: Read> Read for Gzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !out.is_empty() {
            match self.place {
                Place::Start { first } => self.place = self.next_member(first)?,
                Place::Inside => {
                    let given = self.inflate(out)?;
                    if given > 0 {
                        return Ok(given);
                    }
                }
                Place::End => return Ok(0),
            }
        }
        Ok(0)
    }
}

/// Compressed data that ends before its end: it may still be written.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the {} data ends in the middle", encoding.name())]
pub(crate) struct CutOff {
    encoding: Encoding,
}

impl CutOff {
    pub(crate) fn is_in(error: &io::Error) -> bool {
        error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()).is_some()
    }
}

impl From<CutOff> for io::Error {
    fn from(cut_off: CutOff) -> Self {
        Self::new(io::ErrorKind::InvalidData, cut_off)
    }
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
