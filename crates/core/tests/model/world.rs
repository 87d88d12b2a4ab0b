//! Real files, and whoever does something to them.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use audit_who_testkit::rotation::{Limits, Lumberjack, Milled, Step};
use audit_who_testkit::time::file_time;
use tempfile::TempDir;

use super::action::{Action, Setup, Then};
use super::content::{Contents, Form, Held, LIVE};
use super::reader::{Came, Reader};

/// Where files lie in memory, if there is such a place.
const MEMORY: &str = "/dev/shm";
/// A file is known by its first lines that come to so many bytes.
const HEAD: usize = 120;
/// Looks without anything new after which nothing new comes.
const REST: usize = 12;
/// No drain takes so many looks.
const ENDLESS: usize = 5_000;

#[derive(Debug)]
pub(crate) struct World {
    folder: TempDir,
    limits: Limits,
    writer: Lumberjack,
    /// Which content the writer has open.
    writing: Option<usize>,
    /// Whether it was opened for appending.
    appends: bool,
    /// What is still to be written of a line.
    rest: Vec<u8>,
    /// What is being packed.
    packing: Option<String>,
    lines: usize,
    /// Microseconds.
    clock: i64,
    stands_still: bool,
    setup: Setup,
    pub(crate) contents: Contents,
    pub(crate) reader: Reader,
}

impl World {
    pub(crate) fn new(setup: Setup) -> Self {
        let place =
            Some(PathBuf::from(MEMORY)).filter(|place| place.is_dir()).unwrap_or_else(std::env::temp_dir);
        let folder = TempDir::new_in(place).unwrap();
        let logs = folder.path().join("logs");
        fs::create_dir(&logs).unwrap();
        let limits = Limits { size: 1 << 40, backups: setup.backups, compress: true };
        Self {
            limits,
            writer: Lumberjack::start(&logs, limits),
            writing: None,
            appends: false,
            rest: Vec::new(),
            packing: None,
            lines: 0,
            clock: 1_772_442_000_000_000,
            stands_still: false,
            setup,
            contents: Contents::default(),
            reader: Reader::new(&logs, folder.path().join("audit.db"), setup),
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("logs").join(name)
    }

    pub(crate) fn act(&mut self, action: Action) {
        match action {
            Action::Write(lengths) => lengths.into_iter().for_each(|length| self.write_line(length)),
            Action::Tear(length, torn) => {
                let mut line = self.line(length);
                let least = if self.begins_file() { HEAD } else { 0 };
                self.rest = line.split_off(torn.max(least).min(line.len() - 1));
                self.write(&line);
            }
            Action::Flush => {
                let rest = std::mem::take(&mut self.rest);
                // A file that begins with a piece of a line may be too short to be known by it.
                if !self.begins_file() {
                    self.write(&rest);
                }
            }
            Action::Rotate => while self.step() != Step::Wake {},
            Action::Step(steps) => (0..steps).for_each(|_| _ = self.step()),
            Action::Mill(steps, bytes) => (0..steps).for_each(|_| self.mill(bytes)),
            Action::Kill => {
                self.writer = Lumberjack::start(&self.folder.path().join("logs"), self.limits);
                (self.writing, self.packing) = (None, None);
                self.rest.clear();
            }
            Action::Clock(seconds) => {
                self.clock += seconds * 1_000_000;
                self.stands_still = seconds == 0;
            }
            Action::Touch(file, seconds) => self.touch(file, seconds),
            Action::Remove(file) => self.remove(file),
            Action::Rename => self.rename(),
            Action::Copy(length) => self.copy(length),
            Action::Truncate => self.truncate(),
            Action::Hole(length) => self.hole(length),
            Action::Poll(count, then) => (0..count).for_each(|_| _ = self.poll(then)),
            Action::Idle(count) => (0..count).for_each(|_| _ = self.poll(Then::Commit)),
            Action::Drop(index) => self.reader.drop_kept(index),
            Action::Commit => self.reader.commit_kept(false),
            Action::Restart(batch) => {
                self.reader.restart(batch);
                self.contents.let_go();
            }
            Action::Lock => self.reader.toggle_lock(),
            Action::Fault(fault) => self.reader.toggle_fault(fault),
        }
    }

    /// A line that is like no other one; with nothing in it if it has no length.
    fn line(&mut self, mut length: usize) -> Vec<u8> {
        self.lines += 1;
        if self.begins_file() {
            length = length.max(HEAD);
        }
        let mut line = if length == 0 { String::new() } else { format!("{:05x}|", self.lines) };
        let filler = char::from(b'a' + u8::try_from(self.lines % 26).unwrap());
        line.extend(std::iter::repeat_n(filler, length.saturating_sub(line.len())));
        line.push('\n');
        line.into_bytes()
    }

    /// Whether the next bytes are the first ones of a file.
    fn begins_file(&self) -> bool {
        let live = || self.contents.files.get(LIVE).map(|held| held.content);
        let rotates = self.writer.next_step().is_some_and(|step| step <= Step::Open);
        rotates
            || self
                .writing
                .or_else(live)
                .is_none_or(|content| self.contents.all[content].bytes.iter().all(|byte| *byte == 0))
    }

    fn write_line(&mut self, length: usize) {
        // What is left of a line that was torn is never written then: the next one is glued to it.
        self.rest.clear();
        let line = self.line(length);
        self.write(&line);
    }

    fn write(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        while self.writer.next_step().is_some() {
            self.step();
        }
        if self.writing.is_none() {
            self.appends = self.contents.files.contains_key(LIVE);
            let live = self.contents.files.get(LIVE).map(|held| held.content);
            self.writing = Some(live.unwrap_or_else(|| self.contents.begin(LIVE)));
        }
        let position = usize::try_from(self.writer.size()).unwrap();
        self.writer.write(bytes, self.clock).unwrap();
        let content = &mut self.contents.all[self.writing.unwrap()].bytes;
        let at = if self.appends { content.len() } else { position };
        content.resize(content.len().max(at + bytes.len()), 0);
        content[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn step(&mut self) -> Step {
        if self.writer.next_step() == Some(Step::Rename) && !self.stands_still {
            self.clock += 1_000;
        }
        let step = self.writer.step(self.clock).unwrap();
        match step {
            Step::Close => self.writing = None,
            Step::Rename => self.contents.rename(LIVE, &format!("audit-{}.log", file_time(self.clock))),
            Step::Create | Step::Open => {
                let made = match self.contents.files.get(LIVE).map(|held| held.content) {
                    None => self.contents.begin(LIVE),
                    Some(old) if self.contents.all[old].bytes.is_empty() => old,
                    Some(_) => self.contents.truncate(LIVE).unwrap(),
                };
                if step == Step::Open {
                    (self.writing, self.appends) = (Some(made), false);
                }
            }
            Step::MakeFolder | Step::Wake => {}
        }
        step
    }

    fn mill(&mut self, bytes: usize) {
        let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        match self.writer.mill(bytes).unwrap() {
            Some(Milled::Pruned(path) | Milled::Removed(path)) => _ = self.contents.remove(&name(path)),
            Some(Milled::Began(path)) => {
                let packed = name(path);
                let source = self.contents.files[packed.strip_suffix(".gz").unwrap()];
                let prefix = Some(self.contents.length(&source));
                self.contents.put(packed.clone(), Held { prefix, form: Form::Packing, ..source });
                self.packing = Some(packed);
            }
            Some(Milled::Closed) => {
                let packed = self.packing.take().unwrap();
                if let Some(held) = self.contents.files.get_mut(&packed) {
                    held.form = Form::Packed;
                }
            }
            Some(Milled::Wrote | Milled::Listed) | None => {}
        }
    }

    /// The name of a file that is there.
    fn pick(&self, file: usize) -> Option<String> {
        let count = self.contents.files.len();
        self.contents.files.keys().nth(file.checked_rem(count)?).cloned()
    }

    fn touch(&mut self, file: usize, seconds: i64) {
        let Some(name) = self.pick(file) else { return };
        let file = File::options().write(true).open(self.path(&name)).unwrap();
        let by = Duration::from_secs(seconds.unsigned_abs());
        let now = SystemTime::now();
        file.set_modified(if seconds < 0 { now - by } else { now + by }).unwrap();
    }

    fn remove(&mut self, file: usize) {
        let Some(name) = self.pick(file) else { return };
        fs::remove_file(self.path(&name)).unwrap();
        let held = self.contents.remove(&name).unwrap();
        if self.packing.as_ref() == Some(&name) {
            // It is written on without a name.
            self.packing = Some(String::new());
        }
        self.leave(&held);
    }

    /// Marks what a file held as left, if its writer goes on.
    fn leave(&mut self, held: &Held) {
        if held.prefix.is_none() && self.writing == Some(held.content) {
            self.contents.all[held.content].left = true;
        }
    }

    /// Makes room for a new `audit.log.1`.
    fn shift(&mut self) {
        let numbers = self
            .contents
            .files
            .keys()
            .filter_map(|name| name.strip_prefix("audit.log.")?.parse::<usize>().ok());
        let mut numbers: Vec<_> = numbers.collect();
        numbers.sort_unstable();
        for number in numbers.into_iter().rev() {
            let [from, to] = [number, number + 1].map(|number| format!("audit.log.{number}"));
            fs::rename(self.path(&from), self.path(&to)).unwrap();
            self.contents.rename(&from, &to);
        }
    }

    fn rename(&mut self) {
        let Some(held) = self.contents.files.get(LIVE).copied() else { return };
        self.shift();
        fs::rename(self.path(LIVE), self.path("audit.log.1")).unwrap();
        self.contents.rename(LIVE, "audit.log.1");
        self.contents.all[held.content].renamed = true;
        self.leave(&held);
    }

    /// A copy that was begun is finished.
    fn copy(&mut self, length: Option<usize>) {
        let Some(live) = self.contents.files.get(LIVE).copied() else { return };
        let bytes = &self.contents.all[live.content].bytes;
        // What holds less than the head can't be told from another file.
        let head = bytes.get(HEAD - 1..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n'));
        let Some(least) = head.map(|end| HEAD + end) else { return };
        let length = length.unwrap_or(bytes.len()).clamp(least, bytes.len());
        let begun = self.contents.files.get("audit.log.1").copied();
        let goes_on = begun.is_some_and(|begun| {
            begun.content == live.content && begun.prefix.is_some_and(|had| had <= length)
        });
        if !goes_on {
            self.shift();
        }
        let bytes = self.contents.all[live.content].bytes[..length].to_vec();
        if goes_on {
            use std::io::Write;
            let before = begun.unwrap().prefix.unwrap();
            let mut file = File::options().append(true).open(self.path("audit.log.1")).unwrap();
            file.write_all(&bytes[before..]).unwrap();
        } else {
            fs::write(self.path("audit.log.1"), bytes).unwrap();
        }
        self.contents.all[live.content].copied = true;
        self.contents.put("audit.log.1".to_owned(), Held { prefix: Some(length), ..live });
    }

    fn truncate(&mut self) {
        let Some(live) = self.contents.files.get(LIVE).copied() else { return };
        File::options().write(true).open(self.path(LIVE)).unwrap().set_len(0).unwrap();
        let new = self.contents.truncate(LIVE);
        if self.writing == Some(live.content) {
            self.writing = new;
        }
    }

    /// Only a writer that appends leaves the hole as it is.
    fn hole(&mut self, length: usize) {
        let Some(live) = self.contents.files.get(LIVE).copied() else { return };
        if self.writing == Some(live.content) && !self.appends {
            return;
        }
        let content = &mut self.contents.all[live.content].bytes;
        content.resize(content.len() + length, 0);
        let file = File::options().write(true).open(self.folder.path().join("logs").join(LIVE)).unwrap();
        file.set_len(content.len() as u64).unwrap();
    }

    fn poll(&mut self, then: Then) -> Came {
        let (came, looked) = self.reader.poll(then);
        if looked {
            self.contents.look(self.writing);
        }
        if came == Came::Nothing && self.setup.open_files >= 64 {
            self.contents.rest();
        }
        came
    }

    /// All faults are mended, all files are left as they are, and the reader reads until nothing new comes.
    pub(crate) fn drain(&mut self) {
        self.write_line(200);
        if self.reader.mend() {
            self.contents.let_go();
        }
        let (mut quiet, mut looks) = (0, 0);
        while quiet < REST {
            looks += 1;
            assert!(looks < ENDLESS, "there is no end to it");
            quiet = if self.poll(Then::Commit) == Came::Nothing { quiet + 1 } else { 0 };
        }
    }
}
