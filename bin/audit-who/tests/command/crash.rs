//! A collector that is killed at any point, while logs are written, rotated and packed, loses nothing and stores nothing
//! twice.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use audit_who_testkit::random::SplitMix64;
use audit_who_testkit::rotation::{Limits, Lumberjack};
use flate2::read::MultiGzDecoder;

use crate::collector::{Bench, entry};

/// How often it is killed, unless `AUDIT_WHO_KILLS` says otherwise.
const KILLS: u32 = 500;
const LIMITS: Limits = Limits { size: 64 * 1024, backups: 0, compress: true };
/// When the log begins: microseconds since 1970 UTC.
const START: i64 = 1_772_442_000_000_000;

#[test]
fn a_collector_that_is_killed_loses_nothing() {
    let kills = variable("AUDIT_WHO_KILLS").map_or(KILLS, |kills| u32::try_from(kills).unwrap());
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos();
    let seed = variable("AUDIT_WHO_SEED").unwrap_or_else(|| u64::from(clock));
    say(&format!("killing a collector {kills} times, AUDIT_WHO_SEED={seed}"));
    let mut random = SplitMix64::new(seed);
    let bench = Bench::new();
    let writer = Writer::new(&bench.logs(), random.next());
    let done = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&done);
    let writing = thread::spawn(move || writer.run(&until));
    for _ in 0..kills {
        let watch = if random.below(2) == 0 { "--poll" } else { "--read-from-head" };
        let mut collector = bench.follow([watch]);
        // Half of them are killed on their way to something new, half of them around a commit.
        let delay = if random.below(2) == 0 {
            random.below(60_000)
        } else {
            (0..=random.below(3)).for_each(|_| _ = collector.until("DEBUG committed"));
            random.below(5_000)
        };
        thread::sleep(Duration::from_micros(u64::from(delay)));
        collector.kill();
    }
    done.store(true, Ordering::SeqCst);
    let written = writing.join().unwrap();
    let ended = bench.once();
    assert_eq!(ended.status, 0, "{ended:?}");
    say(&format!("{written} entries in {} files", bench.count("generations")));
    bench.assert_stored(0..written);
    assert_addresses(&bench);
    assert_sums(&bench);
    assert_eq!((bench.count("gaps"), bench.count("bad_spans")), (0, 0));
    let connection = bench.connection();
    let whole: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    let astray =
        "SELECT count(*) FROM generations WHERE entry_bytes + bad_bytes + blank_bytes <> offset - start";
    let astray: i64 = connection.query_row(astray, [], |row| row.get(0)).unwrap();
    assert_eq!(astray, 0, "generations whose bytes are not accounted for");
}

/// Past the harness, which shows it only where the test fails.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect(name))
}

/// Whether each event stands where the store says.
fn assert_addresses(bench: &Bench) {
    let connection = bench.connection();
    let mut statement = connection.prepare("SELECT path, offset, length, audit_id FROM events").unwrap();
    let mut contents: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let (path, id): (String, String) = (row.get(0).unwrap(), row.get(3).unwrap());
        let [offset, length] =
            [1, 2].map(|column| usize::try_from(row.get::<_, i64>(column).unwrap()).unwrap());
        let content = contents.entry(path).or_insert_with_key(|path| content(Path::new(path)));
        let line = std::str::from_utf8(&content[offset..offset + length]).unwrap();
        assert!(line.starts_with('{') && line.ends_with('}') && line.contains(&id), "{id}: {line}");
    }
}

/// Whether each event that counts is in the sums of its hour and of its minute once.
fn assert_sums(bench: &Bench) {
    let connection = bench.connection();
    let read = |sql: &str| -> BTreeMap<i64, i64> {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let events = |span: i64| {
        read(&format!(
            "SELECT stage_us / {span} * {span}, count(*) FROM events WHERE stage = 'ResponseComplete' GROUP BY 1"
        ))
    };
    let hours = read("SELECT hour_us, sum(requests) FROM sums WHERE dimension = 'verbs' GROUP BY 1");
    let minutes = read(
        "SELECT minute_us, sum(value ->> 'r') FROM minutes, json_each(keys) WHERE dimension = 'verbs' GROUP BY 1",
    );
    assert!(!minutes.is_empty());
    assert_eq!((hours, minutes), (events(3_600_000_000), events(60_000_000)));
}

/// What is in a file, be it packed meanwhile or not.
fn content(path: &Path) -> Vec<u8> {
    let packed = PathBuf::from(format!("{}.gz", path.display()));
    let path = if path.exists() { path } else { &packed };
    let bytes = std::fs::read(path).unwrap();
    if path.extension().is_some_and(|extension| extension == "gz") {
        let mut plain = Vec::new();
        MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut plain).unwrap();
        return plain;
    }
    bytes
}

/// Writes entries as the API server does, with numbers from 0 on.
struct Writer {
    log: Lumberjack,
    random: SplitMix64,
    next: usize,
    /// Microseconds since 1970 UTC.
    now: i64,
}

impl Writer {
    fn new(folder: &Path, seed: u64) -> Self {
        Self { log: Lumberjack::start(folder, LIMITS), random: SplitMix64::new(seed), next: 0, now: START }
    }

    /// Writes until it is done, and packs what was rotated; tells how many entries these were.
    fn run(mut self, done: &AtomicBool) -> usize {
        while !done.load(Ordering::SeqCst) {
            self.write();
            // Reading, rotating and packing meet in ever other ways.
            for _ in 0..self.random.below(4) {
                self.log.mill(2048).unwrap();
            }
            thread::sleep(Duration::from_micros(u64::from(self.random.below(3000))));
        }
        while self.log.mill(2048).unwrap().is_some() {}
        self.next
    }

    fn write(&mut self) {
        let padding = if self.random.below(50) == 0 { 30_000 } else { self.random.below(400) };
        let line = entry(self.next, padding as usize) + "\n";
        // No two rotations within one millisecond.
        self.now += 1000 + i64::from(self.random.below(1_000_000));
        self.log.write(line.as_bytes(), self.now).unwrap();
        self.next += 1;
    }
}
