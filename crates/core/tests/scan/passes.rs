//! The same inputs read more than once, while files change.

use std::fs::{self, File, OpenOptions};
use std::io::Write;

use audit_who_core::event::case::{Ask, Case, Subject};
use audit_who_core::event::{question, target::Target};
use audit_who_core::{Files, Inputs, Scan, ask};

use super::{Folder, gzip, log, scan};

#[test]
fn a_file_that_grows_is_read_to_its_first_length() {
    let folder = Folder::new();
    let path = folder.write("a.log", log(10));
    let inputs = Inputs::open([&path]);
    let first = scan(&inputs);
    OpenOptions::new().append(true).open(&path).unwrap().write_all(&log(5)).unwrap();
    assert_eq!(scan(&inputs), first);
    assert_eq!(first.total.entries, 10);
}

#[test]
fn a_file_that_shrank_is_read_as_far_as_it_goes() {
    for content in [log(10_000), gzip(&log(10_000))] {
        let folder = Folder::new();
        let path = folder.write("a.log", &content);
        let inputs = Inputs::open([&path]);
        let first = scan(&inputs);
        assert_eq!(first.problems, []);
        File::options().write(true).open(&path).unwrap().set_len(content.len() as u64 / 2).unwrap();
        let second = scan(&inputs);
        assert!((100..10_000).contains(&second.total.entries), "{:?}", second.total);
        assert_eq!(second.problems.len(), 1);
        let problem = &second.problems[0];
        assert!(
            problem.fatal && problem.message.starts_with("became shorter while it was read"),
            "{problem:?}"
        );
    }
}

#[test]
fn another_file_under_the_same_name_is_not_taken_for_the_first() {
    let folder = Folder::new();
    let path = folder.write("a.log", log(10));
    let other = folder.write("b.log", log(10));
    let inputs = Inputs::open([&path]);
    // Truncated and written anew by another process.
    fs::write(&path, &log(20)[100..]).unwrap();
    let rewritten = scan(&inputs);
    fs::rename(other, &path).unwrap();
    let replaced = scan(&inputs);
    fs::remove_file(&path).unwrap();
    let removed = scan(&inputs);
    for (coverage, words) in
        [(rewritten, "was replaced"), (replaced, "was replaced"), (removed, "cannot be opened")]
    {
        assert_eq!(coverage.total.bytes, 0);
        assert!(
            coverage.problems[0].fatal && coverage.problems[0].message.starts_with(words),
            "{:?}",
            coverage.problems
        );
    }
}

/// What a policy logs is counted in as little as tells it: in the first of these places that holds it.
#[test]
fn what_is_logged_is_counted_where_it_is_met_first() {
    let session = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"e","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/pods/web-1/exec?command=sh","verb":"create","user":{"username":"maria"},"objectRef":{"resource":"pods","namespace":"shop","name":"web-1","apiVersion":"v1","subresource":"exec"},"responseStatus":{"code":101},"requestReceivedTimestamp":"2026-03-02T09:00:00.000000Z","stageTimestamp":"2026-03-02T09:00:00.000001Z"}
"#;
    // Bytes in front of sessions, and how many there are.
    let places = [(0, 1), (2 << 20, 2), (17 << 20, 4)];
    let filler = log(100);
    // What may be one: then sessions are not looked for while all is read.
    let pod = session.replace("web-1", "exec").replace(r#","subresource":"exec""#, "");
    for (first, decoy) in [(0, ""), (0, &pod), (1, ""), (1, &pod), (2, ""), (2, &pod)] {
        let mut content = decoy.as_bytes().to_vec();
        for (before, sessions) in &places[first..] {
            while content.len() < *before {
                content.extend_from_slice(&filler);
            }
            content.extend_from_slice(session.repeat(*sessions).as_bytes());
        }
        let folder = Folder::new();
        let inputs = Inputs::open([folder.write("a.log", content)]);
        let question = question::named("execed").unwrap();
        let case = Case::new(Ask::new(question, Subject::Target(Target::parse("pod/other").unwrap())));
        let asked = ask(&Files::new(&Scan::new(), &inputs), case);
        let seen: Vec<u64> = asked.coverage.seen.iter().map(|seen| seen.entries).collect();
        // Where a glance shows none, or no part suffices, all is counted.
        let is_beside = first > 0 && decoy.is_empty();
        let counted = if is_beside { &places[first..] } else { &places[first..=first] };
        let sessions: usize = counted.iter().map(|(_, sessions)| sessions).sum();
        assert_eq!(seen, [sessions as u64], "{}", asked.coverage.verdict);
    }
}
