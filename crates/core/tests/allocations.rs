//! How often memory is asked for. Alone in its process, because its allocator counts.

#![allow(clippy::unwrap_used, reason = "all of this is tests")]

use std::fs;
use std::path::Path;

use audit_who_core::event::case::{Ask, Case, Subject, Window};
use audit_who_core::event::count::Counting;
use audit_who_core::event::event::Event;
use audit_who_core::event::fold::{Address, Fold};
use audit_who_core::event::glob::Glob;
use audit_who_core::event::literals::Literals;
use audit_who_core::event::look::Look;
use audit_who_core::event::question::named;
use audit_who_core::event::target::Target;
use audit_who_core::{Files, Inputs, Logs, Scan, ask, count};
use audit_who_testkit::entry::Level;
use audit_who_testkit::generator::Generator;

/// Its name, and how it is asked.
type Question = (&'static str, fn(&Files<'_>));

const MIB: u64 = 1024 * 1024;

/// How often memory is asked for while `question` is asked of a file; by one thread, which is the one that is counted.
fn allocations(log: &Path, question: impl Fn(&Files<'_>)) -> u64 {
    let (scan, inputs) = (Scan::new().threads(1), Inputs::open([log]));
    let files = Files::new(&scan, &inputs);
    allocation_counter::measure(|| question(&files)).count_total
}

fn top(files: &Files<'_>, dimension: &str) {
    let top = named("top").unwrap();
    count(files, &Counting::new(top, top.dimension(dimension).unwrap(), Window::default()), None);
}

/// Learns nothing.
struct Nothing;

impl Fold for Nothing {
    fn event(&mut self, _: &Event<'_>, _: Address) {}
    fn merge(&mut self, _: Self) {}
}

fn absent(files: &Files<'_>) {
    let look = Look { filters: None, literals: Literals::any_of(["no-such-pod".to_owned()]) };
    files.look(&look, || Nothing);
}

/// Asks about what is nowhere, but may be everywhere.
fn in_vain(files: &Files<'_>, question: &str, subject: Subject) {
    ask(files, Case::new(Ask::new(named(question).unwrap(), subject)));
}

/// The same log twice, one behind the other, holds nothing new: what more is asked for is asked for by each entry.
#[test]
fn no_entry_needs_memory_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    for level in [Level::Metadata, Level::RequestResponse] {
        let mut log = Vec::new();
        Generator::new(3).level(level).write(&mut log, 4 * MIB).unwrap();
        let entries = log.split(|byte| *byte == b'\n').count() as u64;
        assert!(entries > 500, "{entries}");
        let paths = [1, 2].map(|times| {
            let path = folder.path().join(format!("{level:?}-{times}.log"));
            fs::write(&path, log.repeat(times)).unwrap();
            path
        });
        let questions: [Question; 12] = [
            ("a name in no entry", absent),
            ("top users", |files| top(files, "users")),
            ("top verbs", |files| top(files, "verbs")),
            ("top resources", |files| top(files, "resources")),
            ("top namespaces", |files| top(files, "namespaces")),
            ("top clients", |files| top(files, "clients")),
            ("top codes", |files| top(files, "codes")),
            ("deprecated", |files| {
                let question = named("deprecated").unwrap();
                count(files, &Counting::new(question, &question.dimensions()[0], Window::default()), None);
            }),
            ("top hosts", |files| top(files, "hosts")),
            ("all of each entry", |files| drop(files.look(&Look::everything(), || Nothing))),
            ("did", |files| in_vain(files, "did", Subject::User(Glob::new("?")))),
            ("history", |files| {
                in_vain(files, "history", Subject::Target(Target::parse("secret/?").unwrap()));
            }),
        ];
        for (name, question) in questions {
            let [once, twice] = [0, 1].map(|log| allocations(&paths[log], question));
            let more = twice.saturating_sub(once);
            assert!(
                more * 50 < entries,
                "{name} at {level:?}: {more} more for {entries} entries, {once} before"
            );
        }
    }
}

/// What is kept takes about as much memory as is allowed, and not much more: whatever bodies say.
#[test]
fn entries_take_the_memory_that_they_are_allowed() {
    let folder = tempfile::tempdir().unwrap();
    for level in [Level::Metadata, Level::RequestResponse] {
        let (path, mut log) = (folder.path().join(format!("{level:?}.log")), Vec::new());
        Generator::new(5).level(level).write(&mut log, 24 * MIB).unwrap();
        fs::write(&path, log).unwrap();
        let (scan, inputs) = (Scan::new().threads(1), Inputs::open([&path]));
        for limit in [MIB, 2 * MIB] {
            let subject = Subject::Target(Target::parse("pod/*").unwrap());
            let case = Case::new(Ask::new(named("touched").unwrap(), subject)).memory_limit(limit);
            let taken = allocation_counter::measure(|| {
                let asked = ask(&Files::new(&scan, &inputs), case);
                assert!(asked.findings.answers.is_empty());
                assert!(asked.coverage.problems[0].fatal, "{:?}", asked.coverage.problems);
            });
            println!("{limit} bytes allowed, {} taken at {level:?}", taken.bytes_max);
            // A list is as large again while it grows, and a block of the log is read.
            assert!((limit * 2 / 3..limit * 3 / 2 + MIB).contains(&taken.bytes_max), "{limit}: {taken:?}");
        }
    }
}
