//! The same inputs read more than once, while files change.

use std::fs::{self, File, OpenOptions};
use std::io::Write;

use audit_who_core::Inputs;

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
