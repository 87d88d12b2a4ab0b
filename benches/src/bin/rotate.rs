//! Writes a log as the API server does, at a steady pace, through rotations: see `USAGE`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use audit_who_testkit::rotation::{Limits, Lumberjack};
use audit_who_testkit::time::micro_time;

const USAGE: &str = "\
usage: audit-who-bench-rotate --dir DIR [--events N] [--seconds N] [--rotations N] [--backups N] [--compress yes|no]

Writes events with the numbers 0 to N-1 in their audit IDs to DIR/audit.log, each with one system call, and rotates,
prunes and packs as the API server does.";
/// Bytes of packed data that are written at once.
const PACKED: usize = 64 * 1024;

fn main() -> ExitCode {
    let Err(message) = Job::parse(std::env::args().skip(1)).and_then(|job| {
        job.run().map_err(|error| format!("cannot write the log in {}: {error}", job.folder.display()))
    }) else {
        return ExitCode::SUCCESS;
    };
    // The exit code tells it too.
    let _ = writeln!(io::stderr(), "audit-who-bench-rotate: {message}");
    ExitCode::from(2)
}

/// What the arguments ask for.
struct Job {
    folder: PathBuf,
    events: u32,
    seconds: u32,
    rotations: u32,
    backups: usize,
    compress: bool,
}

impl Job {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut job = Self {
            folder: PathBuf::new(),
            events: 60_000,
            seconds: 20,
            rotations: 54,
            backups: 0,
            compress: false,
        };
        while let Some(flag) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?;
            let known = match flag.as_str() {
                "--dir" => value.parse().map(|folder| job.folder = folder).ok(),
                "--events" => value.parse().map(|number| job.events = number).ok(),
                "--seconds" => value.parse().map(|number| job.seconds = number).ok(),
                "--rotations" => value.parse().map(|number| job.rotations = number).ok(),
                "--backups" => value.parse().map(|number| job.backups = number).ok(),
                "--compress" => {
                    ["no", "yes"].iter().position(|word| *word == value).map(|yes| job.compress = yes == 1)
                }
                _ => None,
            };
            known.ok_or_else(|| format!("{flag} {value} is not known\n{USAGE}"))?;
        }
        if job.folder.as_os_str().is_empty() || job.events == 0 {
            return Err(format!("a folder and events are needed\n{USAGE}"));
        }
        Ok(job)
    }

    fn run(&self) -> io::Result<()> {
        // Lines are of one length, so that their number tells when a file is full.
        let length = numbered(0, now()).len() as u64;
        let files = u64::from(self.rotations) + 1;
        let size = u64::from(self.events).div_ceil(files) * length;
        let limits = Limits { size, backups: self.backups, compress: self.compress };
        let mut log = Lumberjack::start(&self.folder, limits);
        let (begun, all) = (Instant::now(), Duration::from_secs(self.seconds.into()));
        let mut last = 0;
        for number in 0..self.events {
            let due = all.mul_f64(f64::from(number) / f64::from(self.events));
            thread::sleep(due.saturating_sub(begun.elapsed()));
            // No two rotations within one millisecond.
            last = now().max(last + 1000);
            log.write(numbered(number, last).as_bytes(), last)?;
            log.mill(PACKED)?;
        }
        while log.mill(PACKED)?.is_some() {}
        Ok(())
    }
}

/// Microseconds since the Unix epoch.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// An entry of some 1,000 bytes, which any number and time leave as long as it is.
fn numbered(number: u32, at: i64) -> String {
    let (time, padding) = (micro_time(at), "x".repeat(300));
    format!(
        "{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Metadata\",\
         \"auditID\":\"00000000-0000-4000-8000-{number:012}\",\"stage\":\"ResponseComplete\",\
         \"requestURI\":\"/api/v1/namespaces/shop/pods/web-{number:012}\",\"verb\":\"delete\",\
         \"user\":{{\"username\":\"maria\",\"groups\":[\"sre\",\"system:authenticated\"]}},\
         \"sourceIPs\":[\"192.0.2.17\"],\"userAgent\":\"kubectl/v1.36.2 {padding}\",\
         \"objectRef\":{{\"resource\":\"pods\",\"namespace\":\"shop\",\"name\":\"web-{number:012}\",\"apiVersion\":\"v1\"}},\
         \"responseStatus\":{{\"metadata\":{{}},\"code\":200}},\"requestReceivedTimestamp\":\"{time}\",\
         \"stageTimestamp\":\"{time}\",\"annotations\":{{\"authorization.k8s.io/decision\":\"allow\",\
         \"authorization.k8s.io/reason\":\"\"}}}}\n"
    )
}
