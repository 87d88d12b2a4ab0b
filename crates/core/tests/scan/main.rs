//! Real files, folders, FIFOs and streams, read through the public interface.

#![allow(clippy::unwrap_used, reason = "all of this is tests")]

mod codecs;
mod discovery;
mod forms;
mod hashes;
mod limits;
mod pairs;
mod passes;
mod prefilter;
mod streams;
mod wrapped;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use audit_who_core::event::coverage::Coverage;
use audit_who_core::event::event::Event;
use audit_who_core::event::fold::{Address, Fold};
use audit_who_core::event::look::Look;
use audit_who_core::{Inputs, Scan};
use tempfile::TempDir;

/// Learns nothing: these tests are about what is read, not about what is in it.
#[derive(Clone, Copy)]
struct Nothing;

impl Fold for Nothing {
    fn event(&mut self, _: &Event<'_>, _: Address) {}
    fn merge(&mut self, _: Self) {}
}

/// Scans without decoding: every whole line counts as an entry.
fn scan(inputs: &Inputs) -> Coverage {
    let coverage = Scan::new().run(inputs, &Look::for_filters(Vec::new()), || Nothing).1;
    assert!(coverage.total.is_balanced(), "{:?}", coverage.total);
    coverage
}

/// A folder that goes away with the test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Names relative to the folder, of the sources that have content, with their number of entries.
    fn entries(&self, coverage: &Coverage) -> Vec<(String, u64)> {
        let relative = |name: &str| match Path::new(name).strip_prefix(self.0.path()) {
            Ok(path) => path.to_string_lossy().into_owned(),
            Err(_) => name.to_owned(),
        };
        coverage.sources.iter().map(|source| (relative(&source.source), source.tally.entries)).collect()
    }
}

/// So many entries, all of them different.
fn log(entries: u32) -> Vec<u8> {
    let line = |number: u32| {
        format!("{{\"auditID\":\"{:08x}\",\"number\":{number}}}\n", number.wrapping_mul(2_654_435_761))
    };
    (0..entries).map(line).collect::<String>().into_bytes()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).unwrap()
}
