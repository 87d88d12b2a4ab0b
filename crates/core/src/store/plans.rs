//! No question goes through all records.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use audit_who_event::answer::Evidence;
use audit_who_event::case::{Ask, Case, Subject, Window};
use audit_who_event::coverage::Coverage;
use audit_who_event::event::Event;
use audit_who_event::filter::Filter;
use audit_who_event::fold::{Address, Fold};
use audit_who_event::glob::Glob;
use audit_who_event::look::Look;
use audit_who_event::question::{Argument, QUESTIONS};
use audit_who_event::target::Target;
use audit_who_event::time::Timestamp;
use rusqlite::{Connection, params_from_iter};

use super::query::{Planner, Query};
use super::{Archive, Keep, Recorder, Store};
use crate::ask;
use crate::evidence::Hashes;
use crate::logs::Logs;
use crate::tail::Tailer;

const TARGETS: &[&str] = &[
    "pod/web-1",
    "pod/web-*",
    "pod/*-1",
    "pod/*b-*",
    "pods",
    "node/n2",
    "deploy/web",
    "secret/*",
    "csr/csr-1",
];
const NAMESPACES: &[Option<&str>] = &[None, Some("drain"), Some("dr*"), Some("*n")];
const USERS: &[&str] = &["maria", "system:serviceaccount:*", "*ria", ""];

/// A store that explains each query before it is asked.
struct Explained {
    archive: Archive,
    queries: Cell<usize>,
}

impl Explained {
    fn explain(&self, connection: &Connection, query: &Query) {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", query.sql)).unwrap();
        let steps =
            statement.query_map(params_from_iter(&query.parameters), |row| row.get::<_, String>(3)).unwrap();
        let steps: Vec<String> = steps.map(Result::unwrap).collect();
        assert!(!steps.iter().any(|step| step.starts_with("SCAN records")), "{}\n{steps:#?}", query.sql);
        assert!(
            steps.iter().any(|step| step.starts_with("SEARCH records USING")),
            "{}\n{steps:#?}",
            query.sql
        );
        self.queries.set(self.queries.get() + 1);
    }
}

impl Logs for Explained {
    fn sources(&self) -> Vec<String> {
        self.archive.sources()
    }

    fn look<F: Fold>(&self, look: &Look, mut fork: impl FnMut() -> F) -> (F, Coverage) {
        let planner = Planner::load(self.archive.connection()).unwrap();
        let fold = fork();
        let filters = look.filters.as_deref();
        let queries = filters.and_then(|filters| planner.queries(filters, |kind| fold.share(kind)));
        for query in queries.expect("no look wants everything") {
            self.explain(self.archive.connection(), &query);
        }
        self.archive.look(look, fork)
    }

    fn sample<F: Fold>(
        &self,
        look: &Look,
        fork: impl FnMut() -> F,
        suffices: impl Fn(&F) -> bool,
    ) -> (F, Coverage) {
        self.archive.sample(look, fork, suffices)
    }

    fn hashes(&self, entries: &BTreeSet<Evidence>) -> Hashes {
        self.archive.hashes(entries)
    }

    fn is_indexed(&self) -> bool {
        self.archive.is_indexed()
    }

    fn samples_every_kind(&self) -> bool {
        self.archive.samples_every_kind()
    }
}

fn explained() -> (tempfile::TempDir, Explained) {
    explained_of(&audit_who_testkit::context::fixtures().join("drain/audit.log"))
}

fn explained_of(log: &Path) -> (tempfile::TempDir, Explained) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    let store = Store::open(&path, Duration::ZERO).unwrap();
    let mut recorder = Recorder::new(&store, Keep::All).unwrap();
    let tailer = Tailer::builder().path(log).inotify_watcher(false).exit_on_eof(true);
    for batch in tailer.build_on(store).unwrap() {
        let mut batch = batch.unwrap();
        let prepared = recorder.prepare(&batch);
        batch.commit_with(|transaction| prepared.write(transaction)).unwrap();
    }
    let archive = Archive::open(&path, Duration::ZERO).unwrap();
    (folder, Explained { archive, queries: Cell::new(0) })
}

fn subjects() -> Vec<Subject> {
    let target = |name: &&str, namespace: Option<&str>| {
        Subject::Target(Target::parse(name).unwrap().in_namespace(namespace.map(Glob::new)))
    };
    let targets =
        TARGETS.iter().flat_map(|name| NAMESPACES.iter().map(move |namespace| target(name, *namespace)));
    targets.chain(USERS.iter().map(|user| Subject::User(Glob::new(*user)))).collect()
}

#[test]
fn every_question_is_answered_from_an_index() {
    let (_folder, logs) = explained();
    let day = Window {
        from: Timestamp::parse("2026-03-02T00:00:00Z").unwrap(),
        until: Timestamp::parse("2026-03-03T00:00:00Z").unwrap(),
    };
    for subject in subjects() {
        for question in QUESTIONS {
            let fits = match question.argument {
                Argument::Target => subject.target().is_some(),
                Argument::User => subject.target().is_none(),
                Argument::Dimension | Argument::Nothing => false,
            };
            for window in [Window::default(), day].into_iter().filter(|_| fits) {
                ask(&logs, Case::new(Ask { window, ..Ask::new(question, subject.clone()) }));
            }
        }
    }
    assert!(logs.queries.get() > 2_000, "{}", logs.queries.get());
}

/// A look for a time that no event is of.
fn look_for_a_time() -> Look {
    let from = Some(Timestamp::MAX.plus(-1));
    Look::for_filters(vec![Filter { from, ..Filter::default() }])
}

#[test]
fn a_time_alone_is_looked_up_too() {
    let (_folder, logs) = explained();
    let (seen, _) = logs.look(&look_for_a_time(), Seen::default);
    assert_eq!((logs.queries.get(), seen.0), (1, 0));
}

/// An event without a stage time may have been at any: where there is one, it is looked up as well.
#[test]
fn events_without_a_time_are_found_at_any() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let line = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","stage":"ResponseComplete","verb":"get"}"#;
    std::fs::write(&log, format!("{line}\n")).unwrap();
    let (_folder, logs) = explained_of(&log);
    let (seen, _) = logs.look(&look_for_a_time(), Seen::default);
    assert_eq!((logs.queries.get(), seen.0), (2, 1));
}

/// Counts events.
#[derive(Default)]
struct Seen(usize);

impl Fold for Seen {
    fn event(&mut self, _: &Event<'_>, _: Address) {
        self.0 += 1;
    }
    fn merge(&mut self, other: Self) {
        self.0 += other.0;
    }
}
