//! A rotated file beside its compressed copy.

use audit_who_core::{ErrorKind, Inputs};

use super::{Folder, gzip, log, scan, zstd};

#[test]
fn a_pair_counts_once_and_the_copy_is_noted() {
    let content = log(5000);
    // Whole, being written, and not begun.
    let packed = gzip(&content);
    for copy in [zstd(&content), packed.clone(), packed[..packed.len() / 3].to_vec(), packed[..10].to_vec()] {
        let folder = Folder::new();
        let plain = folder.write("audit-1.log", &content);
        let copy = folder.write("audit-1.log.gz", copy);
        for named in [
            vec![folder.path("")],
            vec![copy.clone(), plain.clone()],
            vec![plain, folder.path("./audit-1.log.gz")],
        ] {
            let inputs = Inputs::open(&named);
            assert_eq!(
                inputs.errors().iter().map(audit_who_core::Error::kind).collect::<Vec<_>>(),
                [ErrorKind::Duplicate]
            );
            let coverage = scan(&inputs);
            assert_eq!(folder.entries(&coverage), [("audit-1.log".to_owned(), 5000)]);
            let problem = &coverage.problems[0];
            assert!(!problem.fatal && problem.source.ends_with("audit-1.log.gz"));
            assert!(problem.message.contains("audit-1.log, counted once"), "{}", problem.message);
        }
    }
}

#[test]
fn what_is_no_copy_is_read() {
    let folder = Folder::new();
    folder.write("a.log", log(10));
    // Another content; more than the plain file holds; another folder; another stem.
    folder.write("a.log.gz", gzip(&log(20)[40..]));
    folder.write("a.log.zst", zstd(&log(20)));
    folder.write("b/a.log.gz", gzip(&log(10)));
    folder.write("c.log.gz", gzip(&log(10)));
    let coverage = scan(&Inputs::open([folder.path("")]));
    assert_eq!(coverage.problems, []);
    assert_eq!(coverage.sources.len(), 5);
}
