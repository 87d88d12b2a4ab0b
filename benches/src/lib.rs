//! Logs to measure on: written by the generator of the test kit, each once, into the target folder.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use audit_who_testkit::context::workspace_root;
use audit_who_testkit::entry::Level;
use audit_who_testkit::generator::Generator;

/// A log of about `bytes` at level `RequestResponse`, with `hits` evictions of pods called `hit-…`.
pub fn log(bytes: u64, hits: u64) -> io::Result<PathBuf> {
    let folder = workspace_root().join("target/bench-logs");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{bytes}-{hits}.log"));
    if !path.exists() {
        let written = path.with_extension("part");
        let mut out = BufWriter::new(File::create(&written)?);
        Generator::new(1).level(Level::RequestResponse).hits("hit", hits).write(&mut out, bytes)?;
        out.flush()?;
        fs::rename(written, &path)?;
    }
    Ok(path)
}
