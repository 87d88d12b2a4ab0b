//! Questions on a store are answered as they are on the files that it was collected from.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use audit_who_core::event::case::{Ask, Case, Subject, Window};
use audit_who_core::event::count::Counting;
use audit_who_core::event::coverage::Coverage;
use audit_who_core::event::envelope::{Sink, decode};
use audit_who_core::event::event::Event;
use audit_who_core::event::glob::Glob;
use audit_who_core::event::question::{Argument, QUESTIONS, Question, named};
use audit_who_core::event::subject::Key;
use audit_who_core::event::target::Target;
use audit_who_core::store::{Archive, Keep};
use audit_who_core::{Asked, Files, Inputs, Logs, Scan, ask, count, doctor, evidence};

use crate::{Bench, fixture};

/// How many objects and users of each log are asked about by name.
const NAMED: usize = 3;

/// The logs of all stories, at both levels.
fn logs() -> Vec<PathBuf> {
    let folders = fs::read_dir(fixture("")).unwrap().map(|entry| entry.unwrap().path());
    let logs = folders.flat_map(|folder| [folder.join("audit.log"), folder.join("metadata/audit.log")]);
    let logs: Vec<PathBuf> = logs.filter(|log| log.exists()).collect();
    assert!(logs.len() > 50, "{logs:?}");
    logs
}

/// What can be asked about.
#[derive(Default)]
struct Subjects {
    targets: BTreeSet<String>,
    users: BTreeSet<String>,
}

impl Subjects {
    fn of(log: &Path) -> Self {
        let mut subjects = Self::default();
        for line in fs::read(log).unwrap().split(|byte| *byte == b'\n') {
            decode(line, &mut subjects);
        }
        subjects
    }

    fn all(&self) -> Vec<Subject> {
        let kinds = self.targets.iter().map(|target| target.split('/').next().unwrap().to_owned());
        let kinds: BTreeSet<String> = kinds.collect();
        let targets = kinds.into_iter().chain(spread(&self.targets));
        let targets = targets.map(|target| Subject::Target(Target::parse(&target).unwrap()));
        let users = std::iter::once("*".to_owned()).chain(spread(&self.users));
        targets.chain(users.map(|user| Subject::User(Glob::new(user)))).collect()
    }
}

/// A name, a pattern that begins as a name does, one that ends so.
fn spread(names: &BTreeSet<String>) -> impl Iterator<Item = String> {
    let step = names.len().div_ceil(NAMED).max(1);
    names.iter().step_by(step).enumerate().map(|(index, name)| {
        let (kind, own) = name.rsplit_once('/').map_or(("", name.as_str()), |(kind, own)| (kind, own));
        let slash = if kind.is_empty() { "" } else { "/" };
        let cut = own.floor_char_boundary(own.len() / 2);
        match index % 3 {
            0 => name.clone(),
            1 => format!("{kind}{slash}{}*", &own[..cut]),
            _ => format!("{kind}{slash}*{}", &own[cut..]),
        }
    })
}

impl Sink for Subjects {
    fn event(&mut self, event: &Event<'_>, _: Range<usize>) {
        self.users.insert(event.user.username.to_string());
        let Some(Key { group, resource, name, .. }) = Key::of(event).filter(|key| !key.name.is_empty())
        else {
            return;
        };
        let dot = if group.is_empty() { "" } else { "." };
        self.targets.insert(format!("{resource}{dot}{group}/{name}"));
    }
    fn bad(&mut self, _: Range<usize>, _: &str) {}
}

fn fits(question: &Question, subject: &Subject) -> bool {
    match question.argument {
        Argument::Target => subject.target().is_some(),
        Argument::User => subject.target().is_none(),
        Argument::Dimension | Argument::Nothing => false,
    }
}

fn collected(log: &Path, keep: Keep) -> Archive {
    let bench = Bench::new();
    bench.collect(&[log], keep);
    Archive::open(bench.db(), Duration::ZERO).unwrap()
}

#[test]
fn questions_are_answered_as_on_files() {
    for log in logs() {
        let (scan, inputs) = (Scan::new().threads(1), Inputs::open([&log]));
        let files = Files::new(&scan, &inputs);
        let [all, notable] = [Keep::All, Keep::Notable].map(|keep| collected(&log, keep));
        assert_eq!(files.sources(), all.sources());
        for subject in Subjects::of(&log).all() {
            for question in QUESTIONS.iter().filter(|question| fits(question, &subject)) {
                let asked = Ask::new(question, subject.clone());
                let name = format!("{} {subject} in {}", question.name, log.display());
                let wanted = ask(&files, Case::new(asked.clone()));
                assert_same(&wanted, &ask(&all, Case::new(asked.clone())), &name);
                let found = ask(&notable, Case::new(asked.clone()));
                if Keep::Notable.suffices_for(&asked) {
                    assert_same(&wanted, &found, &name);
                } else {
                    assert_doubted(&found.coverage, &name);
                }
            }
        }
    }
}

/// A store hashes what it holds, whatever became of the file.
#[test]
fn entries_have_the_hashes_that_they_have_in_files() {
    for log in logs() {
        let bench = Bench::new();
        let copy = bench.path("audit.log");
        fs::copy(&log, &copy).unwrap();
        bench.collect(&[&copy], Keep::All);
        let (scan, inputs) = (Scan::new(), Inputs::open([&copy]));
        let (files, archive) =
            (Files::new(&scan, &inputs), Archive::open(bench.db(), Duration::ZERO).unwrap());
        let subject = Subject::Target(Target::parse("pods").unwrap());
        let mut answers =
            ask(&files, Case::new(Ask::new(named("touched").unwrap(), subject))).findings.answers;
        evidence::hash(&files, &mut answers);
        let in_files = answers.clone();
        fs::remove_file(&copy).unwrap();
        evidence::hash(&archive, &mut answers);
        assert_eq!(in_files, answers, "{}", log.display());
        for answer in &mut answers {
            answer.change_evidence(&mut |entry| assert!(entry.sha256.is_some()));
        }
    }
}

fn assert_same(files: &Asked, store: &Asked, name: &str) {
    assert_eq!(files.findings, store.findings, "{name}");
    assert_eq!(files.coverage.servers, store.coverage.servers, "{name}");
    assert_eq!(files.coverage.incomplete, store.coverage.incomplete, "{name}");
    assert_eq!(files.coverage.verdict, store.coverage.verdict, "{name}");
    assert!(store.coverage.total.is_balanced() && store.coverage.problems.is_empty(), "{name}");
}

/// Nobody is told that something did not happen which was not kept.
fn assert_doubted(coverage: &Coverage, name: &str) {
    let kept = coverage.kept_in_words().unwrap();
    assert!(coverage.verdict.contains(&kept), "{name}: {}", coverage.verdict);
    assert!(coverage.incomplete.contains(&kept), "{name}");
}

#[test]
fn requests_are_counted_as_on_files() {
    for log in logs() {
        let (scan, inputs, archive) = (Scan::new(), Inputs::open([&log]), collected(&log, Keep::All));
        let files = Files::new(&scan, &inputs);
        for name in ["top", "deprecated"] {
            let question = named(name).unwrap();
            for dimension in question.dimensions() {
                let counting = || Counting::new(question, dimension, Window::default());
                let (on_files, on_store) =
                    (count(&files, &counting(), None), count(&archive, &counting(), None));
                assert_eq!(
                    on_files.counts,
                    on_store.counts,
                    "{name} {} in {}",
                    dimension.name,
                    log.display()
                );
                assert_eq!(on_files.coverage.verdict, on_store.coverage.verdict);
            }
        }
        assert_eq!(doctor(&files).findings, doctor(&archive).findings, "{}", log.display());
    }
}
