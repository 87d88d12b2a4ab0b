//! Writes numbered entries at an even pace and rotates them as the API server does. See `USAGE`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use audit_who_testkit::rotation::{Limits, Lumberjack};
use audit_who_testkit::size::parse_size;
use audit_who_testkit::time::micro_time;

const USAGE: &str = "\
usage: audit-who-bench-writer --dir DIR --events N --seconds S --size SIZE [--compress]

Writes audit.log in DIR, one system call an entry; audit IDs end in 0 to N-1. A file that would become larger than SIZE
(4096, 64K, 1M) is closed and renamed, then a new one is made; with --compress it is packed beside that. Prints how often
that was.";

/// Bytes of an entry with its line end, so that the same arguments give the same rotations.
const ENTRY: usize = 960;
/// Packed bytes that are written at once.
const PACKED: usize = 64 * 1024;

fn main() -> ExitCode {
    let Err(message) =
        parse(std::env::args().skip(1)).and_then(|job| job.run().map_err(|error| error.to_string()))
    else {
        return ExitCode::SUCCESS;
    };
    // The exit code tells it too.
    let _ = writeln!(io::stderr(), "audit-who-bench-writer: {message}");
    ExitCode::from(2)
}

/// What the arguments ask for.
struct Job {
    folder: PathBuf,
    events: u32,
    pace: Duration,
    limits: Limits,
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Job, String> {
    let (mut folder, mut events, mut seconds, mut size, mut compress) = (None, None, None, None, false);
    while let Some(flag) = arguments.next() {
        if flag == "--compress" {
            compress = true;
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?;
        let known = match flag.as_str() {
            "--dir" => value.parse().map(|path| folder = Some(path)).ok(),
            "--events" => value.parse().map(|n: u32| events = Some(n)).ok(),
            "--seconds" => value.parse().map(|n: u32| seconds = Some(n)).ok(),
            "--size" => parse_size(&value).map(|n| size = Some(n)),
            _ => None,
        };
        known.ok_or_else(|| format!("cannot read {flag} {value}\n{USAGE}"))?;
    }
    let (Some(folder), Some(events), Some(seconds), Some(size)) = (folder, events, seconds, size) else {
        return Err(format!("--dir, --events, --seconds and --size are needed\n{USAGE}"));
    };
    let pace = Duration::from_secs(seconds.into()) / events.max(1);
    Ok(Job { folder, events, pace, limits: Limits { size, backups: 0, compress } })
}

impl Job {
    fn run(self) -> io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let mut log = Lumberjack::start(&self.folder, self.limits);
        let (start, mut rotations) = (Instant::now(), 0);
        for number in 0..self.events {
            thread::sleep((self.pace * number).saturating_sub(start.elapsed()));
            let now = now();
            let before = log.size();
            log.write(entry(number, now).as_bytes(), now)?;
            rotations += u32::from(log.size() < before);
            log.mill(PACKED)?;
        }
        while log.mill(PACKED)?.is_some() {}
        writeln!(
            io::stdout(),
            "{} events, {rotations} rotations, {:.1} s",
            self.events,
            start.elapsed().as_secs_f32()
        )
    }
}

/// Microseconds since 1970 UTC.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

fn entry(number: u32, at: i64) -> String {
    let time = micro_time(at);
    let mut entry = format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"00000000-0000-4000-8000-{number:012}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/pods/web-{number}","verb":"delete","user":{{"username":"maria","groups":["sre","system:authenticated"]}},"sourceIPs":["192.0.2.17"],"userAgent":"kubectl/v1.36.2","objectRef":{{"resource":"pods","namespace":"shop","name":"web-{number}","apiVersion":"v1"}},"responseStatus":{{"metadata":{{}},"code":200}},"requestReceivedTimestamp":"{time}","stageTimestamp":"{time}","annotations":{{"padding":""#
    );
    let end = "\"}}\n";
    entry.extend(std::iter::repeat_n('x', ENTRY.saturating_sub(entry.len() + end.len())));
    entry + end
}
