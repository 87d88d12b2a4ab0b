//! What is found behind what is named.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use audit_who_core::{ErrorKind, Inputs};

use super::{Folder, log, scan};

fn kinds(inputs: &Inputs) -> Vec<ErrorKind> {
    inputs.errors().iter().map(audit_who_core::Error::kind).collect()
}

#[test]
fn folders_are_read_with_everything_below_in_order_of_names() {
    let folder = Folder::new();
    for (name, entries) in [("b/x.log", 1), ("a.log", 2), ("b/c/y.log", 3), ("b.log", 4), ("b/.hidden", 5)] {
        folder.write(name, log(entries));
    }
    let coverage = scan(&Inputs::open([folder.path("")]));
    let found = folder.entries(&coverage);
    let wanted = [("a.log", 2), ("b.log", 4), ("b/.hidden", 5), ("b/c/y.log", 3), ("b/x.log", 1)];
    assert_eq!(found, wanted.map(|(name, entries)| (name.to_owned(), entries)));
    assert_eq!(coverage.total.entries, 15);
    assert_eq!(coverage.problems, []);
}

#[test]
fn each_file_counts_once_under_whatever_names() {
    let folder = Folder::new();
    let first = folder.write("logs/a.log", log(2));
    fs::hard_link(&first, folder.path("logs/hard.log")).unwrap();
    symlink("a.log", folder.path("logs/soft.log")).unwrap();
    symlink("..", folder.path("logs/loop")).unwrap();
    symlink("loop-b", folder.path("loop-a")).unwrap();
    let named = [folder.path("logs"), first.clone(), folder.path(""), folder.path("logs/soft.log")];
    let coverage = scan(&Inputs::open(&named));
    assert_eq!(folder.entries(&coverage), [("logs/a.log".to_owned(), 2)]);
    // The link to nowhere may stand for data, so it is told of.
    assert_eq!(coverage.problems.len(), 1);
    assert!(coverage.problems[0].source.ends_with("loop-a") && coverage.problems[0].fatal);

    // The first name is taken.
    let inputs = Inputs::open([folder.path("logs/soft.log"), first]);
    assert_eq!((inputs.len(), inputs.source_name(0)), (1, folder.path("logs/soft.log").to_str().unwrap()));
    assert_eq!(inputs.source_name(1), "");
}

#[test]
fn what_is_missing_is_told_and_the_rest_is_read() {
    let folder = Folder::new();
    let there = folder.write("a.log", log(3));
    let inputs = Inputs::open([folder.path("missing.log"), there]);
    assert_eq!(kinds(&inputs), [ErrorKind::NotFound]);
    let coverage = scan(&inputs);
    assert_eq!(coverage.total.entries, 3);
    let problem = &coverage.problems[0];
    assert!(problem.fatal && problem.source.ends_with("missing.log"));
    assert!(problem.message.contains("No such file") && problem.message.contains("check the path"));
}

#[test]
fn devices_and_sockets_are_refused_and_passed_over_in_folders() {
    let folder = Folder::new();
    let _socket = UnixListener::bind(folder.path("socket")).unwrap();
    folder.write("a.log", log(1));
    let inputs = Inputs::open([folder.path("socket"), "/dev/null".into()]);
    assert_eq!(kinds(&inputs), [ErrorKind::NotALog, ErrorKind::NotALog]);
    assert!(scan(&inputs).problems.iter().all(|problem| problem.fatal));

    let inputs = Inputs::open([folder.path("")]);
    assert_eq!(kinds(&inputs), [ErrorKind::PassedOver]);
    let coverage = scan(&inputs);
    assert_eq!(coverage.total.entries, 1);
    assert!(!coverage.problems[0].fatal && coverage.problems[0].message.contains("a socket"));
}

/// Whoever may run a container can let it print entries.
#[test]
fn what_other_containers_printed_is_read_only_if_it_is_named() {
    let folder = Folder::new();
    let printed = |lines| {
        let line = |line: &str| format!("2026-01-02T03:04:05.123456789Z stdout F {line}\n");
        String::from_utf8(log(lines)).unwrap().lines().map(line).collect::<String>()
    };
    let forged = folder.write("pods/shop_web-1_0a1b/web/0.log", printed(3));
    let server = "pods/kube-system_kube-apiserver-cp_0a1b/kube-apiserver/0.log";
    let server = folder.write(server, printed(2));
    fs::create_dir(folder.path("containers")).unwrap();
    for (name, target) in [("web-1_shop_web-1.log", &forged), ("kube-apiserver-cp.log", &server)] {
        symlink(target, folder.path("containers").join(name)).unwrap();
    }
    let inputs = Inputs::open([folder.path("")]);
    assert_eq!(kinds(&inputs), [ErrorKind::Container; 2]);
    let coverage = scan(&inputs);
    assert_eq!(coverage.total.entries, 2);
    assert!(!coverage.problems[0].fatal);
    assert!(coverage.problems[0].message.contains("the container web, which is no API server"));
    assert_eq!(scan(&Inputs::open([forged])).total.entries, 3);
}

#[test]
fn without_paths_there_is_nothing() {
    let inputs = Inputs::open([""; 0]);
    assert!(inputs.is_empty());
    let coverage = scan(&inputs);
    assert_eq!((coverage.sources.len(), coverage.total.bytes), (0, 0));
}
