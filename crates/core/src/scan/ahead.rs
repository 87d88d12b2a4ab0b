//! Decodes ahead of who looks at it, in a thread of its own.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// How many blocks may wait to be looked at.
const WAITING: usize = 3;

/// Lets `look` read what `reader` gives, which is read before it is asked for: some blocks of so many bytes.
///
/// It pays where reading takes about as long as looking, and a processor would be idle: one large compressed file. Where
/// no thread can be had, whoever looks reads too.
pub(super) fn ahead<T>(reader: impl Read + Send, block: usize, look: impl FnOnce(Ahead<'_>) -> T) -> T {
    let reader = Mutex::new(reader);
    let (ready, next) = sync_channel(WAITING);
    let (back, used) = channel();
    thread::scope(|scope| {
        let reader = &reader;
        let read = move || {
            let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
            read_all(&mut *reader, block, &ready, &used)
        };
        match thread::Builder::new().spawn_scoped(scope, read) {
            Ok(_) => look(Ahead::Blocks { next, back, block: Vec::new(), at: 0 }),
            Err(_) => look(Ahead::Here(&mut *reader.lock().unwrap_or_else(PoisonError::into_inner))),
        }
    })
}

/// Hands over blocks up to the end or the first error, or until nobody wants the rest.
fn read_all(
    reader: &mut impl Read,
    size: usize,
    ready: &SyncSender<io::Result<Vec<u8>>>,
    used: &Receiver<Vec<u8>>,
) -> Option<()> {
    loop {
        let mut block = used.try_recv().unwrap_or_default();
        block.clear();
        block.reserve_exact(size);
        let read = reader.by_ref().take(size as u64).read_to_end(&mut block);
        let is_end = block.is_empty();
        // What was read before an error comes before it.
        ready.send(Ok(block)).ok()?;
        if let Err(error) = read {
            return ready.send(Err(error)).ok();
        }
        if is_end {
            return Some(());
        }
    }
}

/// What was read ahead.
pub(super) enum Ahead<'a> {
    /// By the other thread.
    Blocks {
        next: Receiver<io::Result<Vec<u8>>>,
        /// For blocks that can be filled again.
        back: Sender<Vec<u8>>,
        /// The block that is looked at, and how much of it was.
        block: Vec<u8>,
        at: usize,
    },
    /// By nobody.
    Here(&'a mut dyn Read),
}

impl Read for Ahead<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Here(reader) => reader.read(out),
            Self::Blocks { next, back, block, at } => {
                while *at == block.len() {
                    let Ok(more) = next.recv() else { return Ok(0) };
                    // At the end nobody fills it again.
                    let _ = back.send(std::mem::replace(block, more?));
                    *at = 0;
                }
                let length = (&block[*at..]).read(out)?;
                *at += length;
                Ok(length)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives `left` bytes, and then an error.
    struct Breaks {
        left: usize,
    }

    impl Read for Breaks {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let length = out.len().min(self.left).min(7);
            self.left -= length;
            out[..length].fill(b'x');
            if length == 0 { Err(io::Error::other("broken")) } else { Ok(length) }
        }
    }

    #[test]
    fn all_of_it_comes_in_its_order() {
        let content: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        for block in [1, 1000, 1 << 20] {
            let content = if block == 1 { &content[..1000] } else { &content[..] };
            let mut read = Vec::new();
            ahead(content, block, |mut reader| reader.read_to_end(&mut read)).unwrap();
            assert!(read == content, "{block}");
        }
    }

    #[test]
    fn an_error_comes_after_the_bytes_before_it() {
        for left in [0, 1, 63, 64, 65, 1000] {
            let mut read = Vec::new();
            let error = ahead(Breaks { left }, 64, |mut reader| reader.read_to_end(&mut read)).unwrap_err();
            assert_eq!((read.len(), error.to_string()), (left, "broken".to_owned()));
        }
    }

    #[test]
    fn nobody_waits_for_who_stops_looking() {
        let endless = io::repeat(b'x');
        let mut start = [0; 3];
        ahead(endless, 1000, |mut reader| reader.read_exact(&mut start)).unwrap();
        assert_eq!(&start, b"xxx");
    }
}
