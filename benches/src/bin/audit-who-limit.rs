//! What no question can be faster than: reading a file, and searching it for one literal. See `USAGE`.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use memchr::memmem::Finder;

const USAGE: &str = "\
usage: audit-who-limit read|find|memory THREADS NEEDLE FILE

read    reads blocks of 128 KiB into one buffer a thread
find    reads them, and searches each for NEEDLE
memory  reads the file into memory first, then searches it there

Prints the seconds that it took; for memory those of the search alone. A needle across two blocks is not seen.";

/// As large as the blocks that a question is answered with.
const BLOCK: usize = 128 << 10;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let seconds = measure(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let told = seconds.and_then(|seconds| {
        writeln!(io::stdout(), "{seconds:.6}").map_err(|error| format!("cannot print the seconds: {error}"))
    });
    let Err(message) = told else { return ExitCode::SUCCESS };
    // The exit code tells it too.
    let _ = writeln!(io::stderr(), "audit-who-limit: {message}");
    ExitCode::from(2)
}

fn measure(words: &[&str]) -> Result<f64, String> {
    let [mode, threads, needle, path] = words else { return Err(USAGE.to_owned()) };
    let threads = threads.parse().ok().filter(|n| (1..=256).contains(n)).ok_or_else(|| USAGE.to_owned())?;
    let finder = Finder::new(needle.as_bytes());
    let path = Path::new(path);
    let told = |error: io::Error| format!("cannot read {}: {error}", path.display());
    match *mode {
        "read" => read(path, threads, |_| 0).map_err(told),
        "find" => read(path, threads, |block| finder.find_iter(block).count()).map_err(told),
        "memory" => std::fs::read(path).map(|bytes| search(&bytes, threads, &finder)).map_err(told),
        _ => Err(USAGE.to_owned()),
    }
}

/// Reads a file in blocks, each thread the next that no other has, and shows them to `see`. Returns seconds.
fn read(path: &Path, threads: usize, see: impl Fn(&[u8]) -> usize + Sync) -> io::Result<f64> {
    let begin = Instant::now();
    let file = File::open(path)?;
    let (next, total) = (AtomicU64::new(0), file.metadata()?.len());
    let work = || -> io::Result<usize> {
        let mut block = vec![0; BLOCK];
        let mut seen = 0;
        loop {
            let at = next.fetch_add(BLOCK as u64, Ordering::Relaxed);
            if at >= total {
                return Ok(seen);
            }
            let wanted = usize::try_from(total - at).unwrap_or(BLOCK).min(BLOCK);
            file.read_exact_at(&mut block[..wanted], at)?;
            seen += see(&block[..wanted]);
        }
    };
    let seen = side_by_side(threads, |_| work()).into_iter().sum::<io::Result<usize>>()?;
    std::hint::black_box(seen);
    Ok(begin.elapsed().as_secs_f64())
}

/// Searches bytes that are in memory, each thread its part of them. Returns seconds.
fn search(bytes: &[u8], threads: usize, finder: &Finder<'_>) -> f64 {
    let begin = Instant::now();
    let part = |n: usize| -> Range<usize> { bytes.len() * n / threads..bytes.len() * (n + 1) / threads };
    let seen = side_by_side(threads, |n| finder.find_iter(&bytes[part(n)]).count());
    std::hint::black_box(seen);
    begin.elapsed().as_secs_f64()
}

/// What `work` returns in each of so many threads, which it is given the number of.
fn side_by_side<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let started: Vec<_> = (0..threads)
            .map(|n| {
                let work = &work;
                scope.spawn(move || work(n))
            })
            .collect();
        started.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}
