//! A folder with logs, a store, and collectors that run on them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use audit_who_testkit::context::Context;
use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};

use crate::program::{Run, audit_who};

/// Nothing takes that long, unless it never comes.
const PATIENCE: Duration = Duration::from_mins(1);

/// A folder with logs, and a store beside it.
pub(crate) struct Bench {
    context: Context,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let context = Context::new().unwrap();
        std::fs::create_dir(context.path().join("logs")).unwrap();
        Self { context }
    }

    /// The folder of the logs.
    pub(crate) fn logs(&self) -> PathBuf {
        self.context.path().join("logs")
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.logs().join(name)
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.context.path().join("store/audit.db")
    }

    /// `audit-who collect` of all events on this store, without what is followed.
    pub(crate) fn collect<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = self.collect_notable(arguments);
        command.args(["--keep", "all"]);
        command
    }

    /// The same of those events that it keeps when nothing is said.
    pub(crate) fn collect_notable<const N: usize>(&self, arguments: [&str; N]) -> Command {
        std::fs::create_dir_all(self.db().parent().unwrap()).unwrap();
        let mut command = audit_who();
        command.arg("collect").arg("--db").arg(self.db()).args(arguments);
        command
    }

    /// Collects what is in the folder, to its end.
    pub(crate) fn once(&self) -> Run {
        self.collect(["--once"]).arg(self.logs()).output().expect("the program runs").into()
    }

    /// Follows the folder.
    pub(crate) fn follow<const N: usize>(&self, arguments: [&str; N]) -> Collector {
        Collector::start(self.collect(arguments).arg("-v").arg(self.logs()))
    }

    /// `audit-who checkpoint` on this store.
    pub(crate) fn checkpoint<const N: usize>(&self, subcommand: &str, arguments: [&str; N]) -> Run {
        let mut command = audit_who();
        command.args(["checkpoint", subcommand, "--db"]).arg(self.db()).args(arguments);
        command.output().expect("the program runs").into()
    }

    pub(crate) fn connection(&self) -> Connection {
        Connection::open(self.db()).unwrap()
    }

    /// The numbers of the events that are stored, each with how often it is.
    pub(crate) fn stored(&self) -> BTreeMap<usize, usize> {
        let connection = self.connection();
        let mut statement = connection.prepare("SELECT audit_id FROM events").unwrap();
        let ids = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let mut numbers = BTreeMap::new();
        for id in ids {
            *numbers.entry(number(&id.unwrap())).or_default() += 1;
        }
        numbers
    }

    /// Whether just these events are stored, each once.
    #[track_caller]
    pub(crate) fn assert_stored(&self, wanted: Range<usize>) {
        let stored = self.stored();
        let missing: Vec<usize> = wanted.clone().filter(|number| !stored.contains_key(number)).collect();
        let odd: Vec<_> =
            stored.iter().filter(|(number, times)| !wanted.contains(number) || **times != 1).collect();
        assert!(missing.is_empty() && odd.is_empty(), "missing: {missing:?}, twice or not wanted: {odd:?}");
    }

    /// How many rows a table has.
    pub(crate) fn count(&self, table: &str) -> i64 {
        self.connection().query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }
}

/// A collector that runs.
pub(crate) struct Collector {
    child: Child,
    lines: Receiver<String>,
    log: String,
}

impl Collector {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (line, lines) = channel();
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|text| line.send(text)));
        Self { child, lines, log: String::new() }
    }

    /// Waits for a line with this text in its log, and returns it.
    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("no {text:?} came:\n{}", self.log)
            };
            let _ = writeln!(self.log, "{line}");
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits for a line with this text in its log, unless there was one.
    #[track_caller]
    pub(crate) fn has_told(&mut self, text: &str) {
        if !self.log.contains(text) {
            self.until(text);
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Tells it to end, and waits until it has.
    pub(crate) fn terminate(self) -> Run {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// Waits until it ends.
    pub(crate) fn ended(mut self) -> Run {
        let status = self.child.wait().unwrap();
        self.read_rest();
        Run {
            status: status.code().expect("an exit status"),
            stdout: String::new(),
            stderr: self.log.clone(),
        }
    }

    /// Kills it, and returns its log.
    pub(crate) fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.read_rest();
        std::mem::take(&mut self.log)
    }

    fn read_rest(&mut self) {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            let _ = writeln!(self.log, "{line}");
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // It has ended, unless a test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An entry whose audit ID is a number, with a user agent of that many bytes.
pub(crate) fn entry(number: usize, padding: usize) -> String {
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"00000000-0000-4000-8000-{number:012}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/pods/web-{number}","verb":"delete","user":{{"username":"maria","groups":["sre"]}},"sourceIPs":["192.0.2.17"],"userAgent":"{}","objectRef":{{"resource":"pods","namespace":"shop","name":"web-{number}","apiVersion":"v1"}},"responseStatus":{{"metadata":{{}},"code":200}},"requestReceivedTimestamp":"2026-03-02T09:{:02}:{:02}.{:06}Z","stageTimestamp":"2026-03-02T09:{:02}:{:02}.{:06}Z"}}"#,
        "x".repeat(padding),
        number / 60_000 % 60,
        number / 1000 % 60,
        number % 1000,
        number / 60_000 % 60,
        number / 1000 % 60,
        number % 1000 + 500,
    )
}

/// The number in the audit ID of such an entry.
pub(crate) fn number(id: &str) -> usize {
    id.rsplit('-').next().and_then(|digits| digits.parse().ok()).expect("an audit ID with a number")
}

/// Entries, a line each.
pub(crate) fn entries(numbers: Range<usize>) -> String {
    numbers.map(|number| entry(number, 10) + "\n").collect()
}

pub(crate) fn append(path: &Path, text: &str) {
    let mut file = File::options().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}
