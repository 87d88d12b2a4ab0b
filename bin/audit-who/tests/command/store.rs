//! Questions with `--db` on a store.

use std::path::{Path, PathBuf};
use std::time::Duration;

use audit_who_core::store::{Keep, Recorder, Store};
use audit_who_core::tail::Tailer;
use audit_who_testkit::context::workspace_root;
use tempfile::TempDir;

use crate::program::run;

/// A log of the fixtures, and a store that it is collected into.
struct Collected {
    folder: TempDir,
    log: PathBuf,
}

impl Collected {
    fn new(story: &str, keep: Keep) -> Self {
        let collected = Self {
            folder: TempDir::new().unwrap(),
            log: workspace_root().join("fixtures").join(story).join("audit.log"),
        };
        let opened = Store::open(collected.db(), Duration::ZERO).unwrap();
        let mut recorder = Recorder::new(&opened, keep).unwrap();
        let tailer = Tailer::builder().path(&collected.log).inotify_watcher(false).exit_on_eof(true);
        for batch in tailer.build_on(opened).unwrap() {
            let mut batch = batch.unwrap();
            let prepared = recorder.prepare(&batch);
            batch.commit_with(|transaction| prepared.write(transaction)).unwrap();
        }
        collected
    }

    fn db(&self) -> PathBuf {
        self.folder.path().join("audit.db")
    }

    fn path(&self) -> &str {
        self.log.to_str().unwrap()
    }

    fn db_path(&self) -> String {
        self.db().to_str().unwrap().to_owned()
    }
}

#[test]
fn a_store_answers_as_its_log_does() {
    let collected = Collected::new("drain", Keep::Notable);
    let db = collected.db_path();
    for question in [["evicted", "pods"], ["deleted", "pod/web*"], ["drained", "nodes"], ["denied", "pods"]] {
        let on_log = run(question.iter().chain(&["-o", "json", collected.path()]));
        let on_store = run(question.iter().chain(&["-o", "json", "--db", &db]));
        assert_eq!(on_log.answers(), on_store.answers(), "{question:?}");
        assert_eq!(on_log.status, on_store.status, "{question:?}");
    }
}

#[test]
fn a_store_is_not_read_on_when_memory_is_used_up() {
    let collected = Collected::new("drain", Keep::Notable);
    let db = collected.db_path();
    let refused = run(["touched", "pods", "--db", &db, "--memory-limit", "2kB"]);
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(refused.stdout.contains("can't be told"), "{refused:?}");
    assert!(refused.stderr.contains("touched: rests on entries that take more memory"), "{refused:?}");
}

#[test]
fn counts_and_the_checkup_are_those_of_the_log_if_all_is_kept() {
    let collected = Collected::new("drain", Keep::All);
    let db = collected.db_path();
    let on_log = run(["top", "verbs", collected.path()]);
    let on_store = run(["top", "verbs", "--db", &db]);
    assert_eq!((on_log.stdout, on_log.status), (on_store.stdout, on_store.status));
    let on_log = run(["doctor", "-o", "json", collected.path()]);
    let on_store = run(["doctor", "-o", "json", "--db", &db]);
    assert_eq!((on_log.stdout, on_log.status), (on_store.stdout, on_store.status));
}

#[test]
fn what_was_not_kept_is_not_denied() {
    let collected = Collected::new("drain", Keep::Notable);
    let db = collected.db_path();
    let read = run(["read", "pod/no-such-pod", "--db", &db]);
    assert_eq!(read.status, 1, "{read:?}");
    assert!(
        read.stdout.contains("can't tell: of the events that were logged the store keeps only writes"),
        "{read:?}"
    );
    assert_eq!(run(["read", "pod/no-such-pod", "--strict", "--db", &db]).status, 3);
    let secret = run(["read", "secret/no-such-secret", "--db", &db]);
    assert!(!secret.stdout.contains("keeps only"), "{secret:?}");

    let top = run(["top", "verbs", "--db", &db]);
    assert!(
        top.stderr.contains("warning: of the events that were logged the store keeps only writes"),
        "{top:?}"
    );
    let doctor = run(["doctor", "--db", &db]);
    assert!(doctor.stdout.contains("the store keeps only writes"), "{doctor:?}");
}

#[test]
fn what_is_no_store_is_told() {
    let folder = TempDir::new().unwrap();
    let text = folder.path().join("text.db");
    std::fs::write(&text, "this is no database, but it is as long as one would be: ".repeat(100)).unwrap();
    let asked = |db: &Path| run(["deleted", "pods", "--db", db.to_str().unwrap()]);
    let absent = asked(&folder.path().join("absent.db"));
    assert_eq!(absent.status, 2);
    assert!(absent.stderr.contains("the store cannot be opened"), "{absent:?}");
    let no_store = asked(&text);
    assert_eq!(no_store.status, 2);
    assert!(
        no_store.stderr.contains("is no store of audit-who; audit-who collect makes one"),
        "{no_store:?}"
    );
    assert!(!folder.path().join("absent.db").exists());
}

#[test]
fn a_store_and_files_are_not_asked_together() {
    let both = run(["deleted", "pods", "--db", "audit.db", "audit.log"]);
    assert_eq!(both.status, 2);
    assert!(both.stderr.contains("cannot be used with"), "{both:?}");
}

#[test]
fn a_store_that_nobody_may_write_is_read() {
    use std::os::unix::fs::PermissionsExt;
    let collected = Collected::new("drain", Keep::Notable);
    let folder = collected.folder.path();
    let mode = |mode| std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o555);
    let asked = run(["evicted", "pods", "--db", &collected.db_path()]);
    mode(0o755);
    assert_eq!(asked.status, 0, "{asked:?}");
}
