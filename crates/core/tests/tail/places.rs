//! What stands at a path: links, folders, other files than before, and what is no file.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use audit_who_core::tail::OTHER_CONTAINER;

use super::{Bench, ROTATED, append, assert_once, drain, gzip, idle, line, lines, patient};

/// Why what is at these paths is not read.
fn refused(bench: &Bench, path: &Path) -> String {
    let mut tailer = bench.builder().path(path).build().unwrap();
    assert_eq!(drain(&mut tailer), [""; 0]);
    let refused: Vec<_> = tailer.refused().map(|(_, why)| why.to_owned()).collect();
    refused.join(", ")
}

#[test]
fn a_link_is_followed_and_so_is_what_it_is_switched_to() {
    for restart in [false, true] {
        let bench = Bench::new();
        fs::create_dir(bench.path("data")).unwrap();
        let switch = |to: &str| {
            symlink(Path::new("data").join(to), bench.path("new")).unwrap();
            fs::rename(bench.path("new"), bench.path("audit.log")).unwrap();
        };
        append(&bench.path("data/first"), &lines(0..2));
        switch("first");
        let mut tailer = patient(&bench);
        assert_once(&drain(&mut tailer), 0..2);
        append(&bench.path("data/first"), &lines(2..4));
        if !restart {
            assert_once(&drain(&mut tailer), 2..4);
        }
        append(&bench.path("data/second"), &lines(4..6));
        switch("second");
        if restart {
            tailer = patient(&bench);
        }
        assert_once(&idle(&mut tailer), 4..6);
        // What the link left behind is not there any more, as far as anybody can tell.
        assert_eq!(bench.gaps().len(), 1, "restart {restart}");
        append(&bench.path("data/second"), &lines(6..7));
        assert_once(&drain(&mut tailer), 6..7);
    }
}

#[test]
fn links_that_lead_in_circles_are_left_alone() {
    let bench = Bench::new();
    let logs = bench.path("logs");
    fs::create_dir(&logs).unwrap();
    append(&logs.join("audit.log"), &lines(0..2));
    symlink(&logs, logs.join("itself")).unwrap();
    symlink("..", logs.join("above")).unwrap();
    symlink("one", logs.join("other")).unwrap();
    symlink("other", logs.join("one")).unwrap();
    symlink("nowhere", logs.join("dangling")).unwrap();
    let mut tailer = bench.builder().path(&logs).build().unwrap();
    assert_once(&drain(&mut tailer), 0..2);
    let circles: Vec<_> = tailer.refused().map(|(path, _)| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(circles, ["one", "other"]);
}

#[test]
fn a_folder_that_was_replaced_is_followed() {
    for restart in [false, true] {
        let bench = Bench::new();
        let logs = bench.path("logs");
        let build =
            || bench.builder().path(&logs).refresh_interval(std::time::Duration::ZERO).build().unwrap();
        fs::create_dir(&logs).unwrap();
        append(&logs.join("audit.log"), &lines(0..2));
        let mut tailer = build();
        assert_once(&drain(&mut tailer), 0..2);
        fs::rename(&logs, bench.path("before")).unwrap();
        assert_once(&drain(&mut tailer), []);
        fs::create_dir(&logs).unwrap();
        append(&logs.join("audit.log"), &lines(2..4));
        if restart {
            tailer = build();
        }
        assert_once(&idle(&mut tailer), 2..4);
        append(&logs.join("audit.log"), &lines(4..5));
        assert_once(&drain(&mut tailer), 4..5);
        assert_eq!(bench.gaps().len(), 1, "restart {restart}");
    }
}

#[test]
fn what_is_no_regular_file_is_refused() {
    for device in ["/dev/zero", "/dev/full"] {
        let bench = Bench::new();
        symlink(device, bench.path("audit.log")).unwrap();
        assert_eq!(refused(&bench, &bench.path("audit.log")), "is no regular file", "{device}");
    }
    let bench = Bench::new();
    let _socket = std::os::unix::net::UnixListener::bind(bench.path("audit.log")).unwrap();
    assert_eq!(refused(&bench, &bench.path("audit.log")), "is no regular file");
}

/// Whoever may run a container can let it print entries.
#[test]
fn what_other_containers_printed_is_followed_only_if_it_is_named() {
    let bench = Bench::new();
    let printed = bench.path("pods/shop_web-1_0a1b/web/0.log");
    let server = bench.path("pods/kube-system_kube-apiserver-cp_0a1b/kube-apiserver/0.log");
    for log in [&printed, &server] {
        fs::create_dir_all(log.parent().unwrap()).unwrap();
    }
    append(&printed, &lines(0..3));
    append(&server, &lines(3..5));
    let mut tailer = bench.builder().path(bench.path("pods")).build().unwrap();
    assert_once(&drain(&mut tailer), 3..5);
    let why: Vec<_> = tailer.refused().map(|(_, why)| why.to_owned()).collect();
    assert_eq!(why, [OTHER_CONTAINER]);
    let mut tailer = Bench::new().builder().path(printed).build().unwrap();
    assert_once(&drain(&mut tailer), 0..3);
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_the_system_fails_to_read_is_told_and_the_rest_is_read() {
    let bench = Bench::new();
    // A regular file, whose first bytes nobody has: reading fails as on a broken disk.
    symlink("/proc/self/mem", bench.path("audit.log")).unwrap();
    append(&bench.path("other.log"), &lines(0..2));
    let mut tailer = bench.builder().path(bench.path("other.log")).build().unwrap();
    assert_once(&drain(&mut tailer), 0..2);
    let why: Vec<_> = tailer.refused().map(|(_, why)| why.to_owned()).collect();
    assert_eq!(why, ["can't be read: Input/output error (os error 5)"]);
    // It is tried again.
    fs::remove_file(bench.path("audit.log")).unwrap();
    append(&bench.path("audit.log"), &lines(2..3));
    assert_once(&drain(&mut tailer), 2..3);
    assert_eq!(tailer.refused().count(), 0);
}

#[test]
fn an_inode_that_was_given_to_another_file_is_another_file() {
    // Larger than what was read, smaller, and as large.
    for count in [5, 1, 2] {
        for restart in [false, true] {
            let bench = Bench::new();
            let log = bench.path("audit.log");
            append(&log, &lines(0..2));
            let inode = fs::metadata(&log).unwrap().ino();
            let mut tailer = patient(&bench);
            assert_once(&drain(&mut tailer), 0..2);
            // An inode is free when nobody holds it.
            drop(tailer);
            fs::remove_file(&log).unwrap();
            append(&log, "");
            if fs::metadata(&log).unwrap().ino() != inode {
                // This file system is in no hurry. A file that is emptied has its inode, too: from outside it looks the same.
                append(&log, &lines(0..2));
                assert_once(&drain(&mut patient(&bench)), []);
                File::options().write(true).open(&log).unwrap().set_len(0).unwrap();
            }
            tailer = if restart { patient(&bench) } else { bench.builder().build().unwrap() };
            append(&log, &lines(10..10 + count));
            assert_once(&idle(&mut tailer), 10..10 + count);
            assert_eq!(bench.gaps().len(), 1);
        }
    }
}

#[test]
fn a_pattern_stands_for_what_is_rotated_from_its_files() {
    let bench = Bench::new();
    let log = bench.path("audit.log");
    append(&log, &lines(0..2));
    append(&bench.path("other.log"), &lines(50..51));
    let build = || {
        let builder =
            audit_who_core::tail::Tailer::builder().path(bench.path("audit*.log")).inotify_watcher(false);
        builder.exit_on_eof(true).db(bench.db()).refresh_interval(std::time::Duration::ZERO).build().unwrap()
    };
    let mut tailer = build();
    assert_once(&drain(&mut tailer), 0..2);
    append(&log, &lines(2..4));
    // Packed before anybody looked, by a name that the pattern does not match.
    fs::write(bench.path(&format!("{ROTATED}.gz")), gzip(lines(0..4).as_bytes())).unwrap();
    fs::remove_file(&log).unwrap();
    assert_once(&drain(&mut tailer), 2..4);
    append(&log, &lines(4..5));
    assert_once(&drain(&mut tailer), 4..5);
    assert_once(&drain(&mut build()), []);
    assert_eq!(bench.gaps(), []);
}

#[test]
fn a_pattern_that_means_one_rotated_file_stands_for_that_alone() {
    let bench = Bench::new();
    append(&bench.path("audit.log"), &lines(0..2));
    append(&bench.path(ROTATED), &lines(2..4));
    append(&bench.path("audit-2026-09-01T10-06-38.123.log"), &lines(4..6));
    let builder = audit_who_core::tail::Tailer::builder().path(bench.path("audit-2026-08*.log"));
    let mut tailer = builder.inotify_watcher(false).exit_on_eof(true).db(bench.db()).build().unwrap();
    assert_once(&drain(&mut tailer), 2..4);
    fs::write(bench.path(&format!("{ROTATED}.gz")), gzip(lines(2..4).as_bytes())).unwrap();
    fs::remove_file(bench.path(ROTATED)).unwrap();
    assert_once(&drain(&mut tailer), []);
    assert_eq!(bench.gaps(), []);
}

#[test]
fn what_is_excluded_is_not_read_whatever_names_it() {
    let bench = Bench::new();
    append(&bench.path("audit.log"), &lines(0..1));
    append(&bench.path("audit-2.log"), &lines(1..2));
    append(&bench.path("kept.log"), &lines(2..3));
    let builder = bench.builder().path(bench.path("")).path(bench.path("*.log")).exclude_path("audit*");
    assert_eq!(drain(&mut builder.build().unwrap()), [line(2)]);
}
