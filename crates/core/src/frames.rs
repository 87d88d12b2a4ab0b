//! Where the frames of zstd data begin, each of which can be decoded alone.
//!
//! Found by going from block to block, without decoding any
//! ([format](https://github.com/facebook/zstd/blob/dev/doc/zstd_compression_format.md)).

use std::io::{self, Read};

/// How many places are told; of data with more frames than that none are.
const MOST: usize = 1 << 16;
/// Bytes that are read at once: blocks are mostly further apart.
const GLANCE: usize = 512;

/// A place from which on data can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Bytes of data before it.
    pub(crate) at: u64,
    /// Bytes of content before it.
    pub(crate) content: u64,
}

/// The first frame, and those of the others that begin at least `spacing` bytes of content behind the one before; `None` if
/// a frame does not say how long its content is, or the data does not end with a frame.
///
/// `data` reads from an offset on.
pub(crate) fn frames<R: Read>(data: impl Fn(u64) -> R, length: u64, spacing: u64) -> Option<Vec<Frame>> {
    let mut walk = Walk { data, length, at: 0, held: Vec::new(), start: 0 };
    let (mut found, mut content) = (Vec::<Frame>::new(), 0_u64);
    while walk.at < length {
        let at = walk.at;
        let Some(more) = walk.frame().ok()? else { continue };
        if found.last().is_none_or(|last| content - last.content >= spacing) {
            if found.len() == MOST {
                return None;
            }
            found.push(Frame { at, content });
        }
        content = content.checked_add(more)?;
    }
    (walk.at == length).then_some(found)
}

/// Goes over data, of which a little is held.
struct Walk<D> {
    data: D,
    length: u64,
    at: u64,
    held: Vec<u8>,
    /// Where what is held begins.
    start: u64,
}

impl<R: Read, D: Fn(u64) -> R> Walk<D> {
    /// Goes behind a frame, and tells how long its content is; nothing of a frame that is to be skipped.
    fn frame(&mut self) -> io::Result<Option<u64>> {
        match u32::from_le_bytes(self.take()?) {
            0x184d_2a50..=0x184d_2a5f => {
                let length = u32::from_le_bytes(self.take()?);
                self.pass(u64::from(length)).map(|()| None)
            }
            0xfd2f_b528 => self.content().map(Some),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn content(&mut self) -> io::Result<u64> {
        let [descriptor] = self.take()?;
        let is_single = descriptor & 0x20 != 0;
        let window = u64::from(!is_single);
        let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
        self.pass(window + dictionary)?;
        let length = match (descriptor >> 6, is_single) {
            // Without it nothing is gained by going on.
            (0, false) => return Err(io::ErrorKind::InvalidData.into()),
            (0, true) => u64::from(u8::from_le_bytes(self.take()?)),
            (1, _) => u64::from(u16::from_le_bytes(self.take()?)) + 256,
            (2, _) => u64::from(u32::from_le_bytes(self.take()?)),
            _ => u64::from_le_bytes(self.take()?),
        };
        loop {
            let [low, middle, high] = self.take()?;
            let block = u32::from_le_bytes([low, middle, high, 0]);
            // A run is one byte however long it is.
            self.pass(if block >> 1 & 3 == 1 { 1 } else { u64::from(block >> 3) })?;
            if block & 1 == 1 {
                break;
            }
        }
        self.pass(if descriptor & 4 == 0 { 0 } else { 4 })?;
        Ok(length)
    }

    fn pass(&mut self, count: u64) -> io::Result<()> {
        self.at =
            self.at.checked_add(count).filter(|at| *at <= self.length).ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let at = self.at;
        self.pass(N as u64)?;
        let held = |walk: &Self| {
            let from = usize::try_from(at.checked_sub(walk.start)?).ok()?;
            walk.held.get(from..)?.first_chunk().copied()
        };
        if let Some(bytes) = held(self) {
            return Ok(bytes);
        }
        self.held.clear();
        self.start = at;
        (self.data)(at).take(GLANCE as u64).read_to_end(&mut self.held)?;
        held(self).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn found(data: &[u8], spacing: u64) -> Option<Vec<Frame>> {
        let from = |at: u64| &data[usize::try_from(at).unwrap().min(data.len())..];
        frames(from, data.len() as u64, spacing)
    }

    /// One frame with its length, as the library writes it where it has all of the content.
    fn frame(content: &[u8], checksum: bool) -> Vec<u8> {
        let mut packer = zstd::bulk::Compressor::new(1).unwrap();
        packer.include_checksum(checksum).unwrap();
        packer.compress(content).unwrap()
    }

    proptest! {
        #[test]
        fn frames_are_found_where_they_were_written(
            lengths in prop::collection::vec((0_usize..300_000, any::<bool>(), 0_usize..3), 1..6), spacing in 0_u64..400_000, cut in 0_usize..100
        ) {
            let (mut data, mut wanted, mut content, mut ends) = (Vec::new(), Vec::<Frame>::new(), 0, vec![0]);
            for (length, checksum, skipped) in lengths {
                for _ in 0..skipped {
                    data.extend([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
                    ends.push(data.len());
                }
                if wanted.last().is_none_or(|last| content - last.content >= spacing) {
                    wanted.push(Frame { at: data.len() as u64, content });
                }
                // Of runs and of what hardly packs, of one block and of several.
                let text: Vec<u8> = (0..length).map(|at| if length % 2 == 0 { 7 } else { u8::try_from(at * at % 251).unwrap() }).collect();
                data.extend(frame(&text, checksum));
                ends.push(data.len());
                content += length as u64;
            }
            prop_assert_eq!(found(&data, spacing), Some(wanted));
            let cut = data.len() - 1 - cut % data.len();
            prop_assert_eq!(found(&data[..cut], spacing).is_some(), ends.contains(&cut));
        }

        #[test]
        fn any_data_ends(data in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = found(&[&[0x28, 0xb5, 0x2f, 0xfd][..], &data].concat(), 0);
        }
    }

    #[test]
    fn a_frame_without_its_length_is_not_told() {
        let mut stream = zstd::Encoder::new(Vec::new(), 1).unwrap();
        stream.write_all(b"content").unwrap();
        stream.flush().unwrap();
        let data = stream.finish().unwrap();
        assert_eq!(found(&data, 0), None);
        let mut both = frame(b"content", false);
        both.extend(data);
        assert_eq!(found(&both, 0), None);
        assert_eq!(found(b"", 0), Some(vec![]));
    }
}
