//! Batches that are committed in one transaction.

use audit_who_core::ErrorKind;
use audit_who_core::tail::Batch;

use super::{Bench, append, assert_once, drain, lines};

/// Bytes that hold two or three lines.
const SMALL: usize = 500;

fn batches(bench: &Bench) -> Vec<Batch> {
    let mut tailer = bench.builder().batch_size(SMALL).build().unwrap();
    std::iter::from_fn(|| tailer.poll().unwrap()).collect()
}

fn kept(batches: &[Batch]) -> Vec<String> {
    let entries = batches.iter().flat_map(Batch::entries);
    entries.map(|entry| String::from_utf8_lossy(entry.bytes).into_owned()).collect()
}

#[test]
fn all_of_them_are_read_or_none() {
    let bench = Bench::new();
    append(&bench.path("audit.log"), &lines(0..20));
    let mut together = batches(&bench);
    assert!(together.len() > 3);
    let (first, later) = together.split_first_mut().unwrap();
    let failed = first.commit_with_later(later, |_| Err::<(), _>(rusqlite::Error::InvalidQuery));
    assert!(failed.is_err());
    let (first, later) = together.split_first_mut().unwrap();
    let written = first.commit_with_later(later, |transaction| {
        transaction.query_row("SELECT max(offset) FROM generations", [], |row| row.get::<_, i64>(0))
    });
    // What is written stands in the same transaction as the last offset.
    assert_eq!(written.unwrap(), i64::try_from(lines(0..20).len()).unwrap());
    assert_once(&kept(&together), 0..20);
    drop(together);
    assert_eq!(drain(&mut bench.tailer()), [""; 0]);
}

#[test]
fn what_does_not_follow_spoils_all() {
    let bench = Bench::new();
    append(&bench.path("audit.log"), &lines(0..20));
    let mut together = batches(&bench);
    // Without the one between them, the third does not follow the first.
    drop(together.remove(1));
    let (first, later) = together.split_first_mut().unwrap();
    let error = first.commit_with_later(later, |_| Ok(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    drop(together);
    assert_once(&drain(&mut bench.tailer()), 0..20);
}

#[test]
fn a_batch_of_another_tailer_is_refused() {
    let (one, other) = (Bench::new(), Bench::new());
    for bench in [&one, &other] {
        append(&bench.path("audit.log"), &lines(0..2));
    }
    let (mut one, mut other) = (batches(&one), batches(&other));
    let error = one[0].commit_with_later(&mut other, |_| Ok(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}
