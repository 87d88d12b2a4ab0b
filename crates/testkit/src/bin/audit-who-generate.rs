//! Writes a large audit log: see `USAGE`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use audit_who_testkit::entry::Level;
use audit_who_testkit::generator::Generator;
use audit_who_testkit::rotation::RotatedLog;
use audit_who_testkit::size::parse_size;

const USAGE: &str = "\
usage: audit-who-generate --seed N --bytes SIZE [--level metadata|request|requestresponse]
                          [--hits NAME=COUNT]... [--rotate SIZE --dir DIR | > FILE]

SIZE is in bytes, or 64K, 100M, 1G. The same arguments give the same log.";

fn main() -> ExitCode {
    let Err(message) = parse(std::env::args().skip(1)).and_then(Job::run) else { return ExitCode::SUCCESS };
    // The exit code tells it too.
    let _ = writeln!(io::stderr(), "audit-who-generate: {message}");
    ExitCode::from(2)
}

/// What the arguments ask for.
struct Job {
    generator: Generator,
    bytes: u64,
    rotate: Option<(u64, PathBuf)>,
}

impl Job {
    fn run(self) -> Result<(), String> {
        let Some((limit, folder)) = self.rotate else {
            return match self.generator.write(&mut io::stdout().lock(), self.bytes) {
                // Whoever read it has had enough.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                result => {
                    result.map(|_| ()).map_err(|error| format!("cannot write to standard output: {error}"))
                }
            };
        };
        let told = |error: io::Error| format!("cannot write the log in {}: {error}", folder.display());
        let mut log = RotatedLog::create(&folder, limit).map_err(told)?;
        self.generator.write_lines(self.bytes, |line, at| log.write_line(line, at)).map_err(told)?;
        log.finish().map_err(told)
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Job, String> {
    let (mut seed, mut bytes, mut rotate, mut dir) = (None, None, None, None);
    let mut level = Level::Metadata;
    let mut hits = Vec::new();
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?;
        let known = match flag.as_str() {
            "--seed" => value.parse().map(|n: u64| seed = Some(n)).ok(),
            "--bytes" => parse_size(&value).map(|n| bytes = Some(n)),
            "--level" => parse_level(&value).map(|n| level = n),
            "--hits" => parse_hits(&value).map(|n| hits.push(n)),
            "--rotate" => parse_size(&value).map(|n| rotate = Some(n)),
            "--dir" => {
                dir = Some(PathBuf::from(&value));
                Some(())
            }
            _ => None,
        };
        known.ok_or_else(|| format!("cannot read {flag} {value}\n{USAGE}"))?;
    }
    let (Some(seed), Some(bytes)) = (seed, bytes) else {
        return Err(format!("--seed and --bytes are needed\n{USAGE}"));
    };
    let rotate = match (rotate, dir) {
        (Some(limit), Some(folder)) => Some((limit, folder)),
        (None, None) => None,
        _ => return Err(format!("--rotate and --dir go together\n{USAGE}")),
    };
    let generator = Generator::new(seed).level(level);
    let generator = hits.iter().fold(generator, |generator, (name, count)| generator.hits(name, *count));
    Ok(Job { generator, bytes, rotate })
}

fn parse_level(text: &str) -> Option<Level> {
    [Level::Metadata, Level::Request, Level::RequestResponse]
        .into_iter()
        .find(|level| level.as_str().eq_ignore_ascii_case(text))
}

fn parse_hits(text: &str) -> Option<(String, u64)> {
    let (name, count) = text.split_once('=')?;
    let dns =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    Some((name.to_owned(), count.parse().ok()?)).filter(|_| dns)
}
