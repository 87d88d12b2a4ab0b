//! Standard input and FIFOs: read once from where they come, every later time from a copy.
//!
//! The copy is made while the stream is first read, zstd level 1 in an unlinked temporary file in `TMPDIR`, never beside
//! the logs. It holds the stream's own bytes, so that a later reading takes the same way as the first one.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zstd::stream::{read::Decoder, write::Encoder};

/// A stream that can be read more than once, one reading at a time.
pub(crate) struct Stream(Mutex<State>);

enum State {
    /// Not opened yet.
    Path(PathBuf),
    /// Not read yet.
    Fresh(Box<dyn Read + Send>),
    /// Read, and kept.
    Kept(Kept),
    /// Read, but not kept; why.
    Lost(Arc<io::Error>),
}

/// A stream's copy, and what its reading ended with.
struct Kept {
    copy: File,
    end: Option<(io::ErrorKind, String)>,
}

/// Why a stream can't be read.
pub(crate) enum Unreadable {
    /// It could not be opened.
    Opening(io::Error),
    /// It was read before, and its copy failed.
    Copy(Arc<io::Error>),
}

impl Stream {
    /// A stream that somebody else has opened.
    pub(crate) fn new(reader: Box<dyn Read + Send>) -> Self {
        Self(Mutex::new(State::Fresh(reader)))
    }

    /// A FIFO, to be opened when it is read.
    pub(crate) const fn fifo(path: PathBuf) -> Self {
        Self(Mutex::new(State::Path(path)))
    }

    /// Begins to read, from the stream or from its copy; other readings wait until this one is dropped.
    pub(crate) fn open(&self) -> Result<Reading<'_>, Unreadable> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Path(path) = &*state {
            let file = File::open(path).map_err(Unreadable::Opening)?;
            *state = State::Fresh(Box::new(file));
        }
        let from = match &mut *state {
            State::Lost(error) => return Err(Unreadable::Copy(Arc::clone(error))),
            State::Kept(kept) => {
                Origin::Copy(kept.reader().map_err(|error| Unreadable::Copy(Arc::new(error)))?)
            }
            State::Path(_) | State::Fresh(_) => Origin::Stream(Spool::new()),
        };
        Ok(Reading { state, from })
    }
}

impl Kept {
    fn reader(&self) -> io::Result<Decoder<'static, io::BufReader<File>>> {
        let mut copy = self.copy.try_clone()?;
        copy.rewind()?;
        Decoder::new(copy)
    }
}

/// One reading of a stream.
pub(crate) struct Reading<'a> {
    state: MutexGuard<'a, State>,
    from: Origin,
}

enum Origin {
    Stream(Spool),
    Copy(Decoder<'static, io::BufReader<File>>),
}

impl Read for Reading<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match (&mut self.from, &mut *self.state) {
            (Origin::Stream(spool), State::Fresh(stream)) => {
                let result = stream.read(out);
                match &result {
                    Ok(length) => spool.write(&out[..*length]),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => spool.end = Some((error.kind(), error.to_string())),
                }
                result
            }
            (Origin::Copy(copy), State::Kept(kept)) => match (copy.read(out), &kept.end) {
                (Ok(0), Some((kind, why))) if !out.is_empty() => Err(io::Error::new(*kind, why.clone())),
                (result, _) => result,
            },
            _ => Ok(0),
        }
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let Origin::Stream(spool) = &mut self.from else { return };
        *self.state = match spool.finish() {
            Ok(kept) => State::Kept(kept),
            Err(error) => State::Lost(Arc::new(error)),
        };
    }
}

/// Writes the copy. That it fails matters only to those who read again, so it is told to them.
struct Spool {
    copy: io::Result<Encoder<'static, File>>,
    end: Option<(io::ErrorKind, String)>,
}

impl Spool {
    fn new() -> Self {
        Self { copy: tempfile::tempfile().and_then(|file| Encoder::new(file, 1)), end: None }
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Ok(encoder) = &mut self.copy
            && let Err(error) = encoder.write_all(bytes)
        {
            self.copy = Err(error);
        }
    }

    fn finish(&mut self) -> io::Result<Kept> {
        let taken = std::mem::replace(&mut self.copy, Err(io::ErrorKind::NotFound.into()));
        Ok(Kept { copy: taken?.finish()?, end: self.end.take() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stream: &Stream) -> (Vec<u8>, Option<String>) {
        let mut bytes = Vec::new();
        let mut reading = stream.open().unwrap_or_else(|_| panic!("the stream can be read"));
        let result = reading.read_to_end(&mut bytes);
        (bytes, result.err().map(|error| error.to_string()))
    }

    #[test]
    fn a_stream_reads_the_same_again() {
        let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
        let stream = Stream::new(Box::new(io::Cursor::new(content.clone())));
        for _ in 0..3 {
            assert_eq!(read(&stream), (content.clone(), None));
        }
    }

    #[test]
    fn a_stream_that_broke_breaks_again_at_the_same_place() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::new(io::ErrorKind::ConnectionReset, "gone"))
            }
        }
        let stream = Stream::new(Box::new(io::Cursor::new(*b"head").chain(Broken)));
        for _ in 0..2 {
            assert_eq!(read(&stream), (b"head".to_vec(), Some("gone".to_owned())));
        }
    }
}
