//! The API server's own rotation, stopped after each of its steps.

use audit_who_core::tail::Tailer;
use audit_who_testkit::rotation::{Limits, Lumberjack, Milled, Step};

use super::{Bench, assert_once, drain, line, lines, patient};

/// Microseconds since 1970 UTC.
const AT: i64 = 1_772_442_000_000_000;
const SECOND: i64 = 1_000_000;
const DAY: i64 = 24 * 60 * 60 * SECOND;

fn writer(bench: &Bench, backups: usize, compress: bool) -> Lumberjack {
    Lumberjack::start(&bench.path(""), Limits { size: 1 << 40, backups, compress })
}

fn write(writer: &mut Lumberjack, numbers: std::ops::Range<usize>, at: i64) {
    for number in numbers {
        writer.write((line(number) + "\n").as_bytes(), at).unwrap();
    }
}

/// What is read in so many batches, which are of one line each.
fn some(tailer: &mut Tailer, batches: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for batch in tailer.take(batches) {
        let mut batch = batch.unwrap();
        lines.extend(batch.entries().map(|entry| String::from_utf8_lossy(entry.bytes).into_owned()));
        batch.commit().unwrap();
    }
    lines
}

#[test]
fn a_look_after_each_step_of_a_rotation_loses_nothing() {
    for stop in [Step::Close, Step::MakeFolder, Step::Rename, Step::Create, Step::Open, Step::Wake] {
        for (read, restart) in [(true, false), (true, true), (false, false), (false, true)] {
            let bench = Bench::new();
            let mut writer = writer(&bench, 0, false);
            write(&mut writer, 0..3, AT);
            let mut tailer = patient(&bench);
            let mut all = if read { drain(&mut tailer) } else { Vec::new() };
            write(&mut writer, 3..5, AT);
            while writer.step(AT).unwrap() != stop {}
            if restart {
                tailer = patient(&bench);
            }
            // While the writer stands still, there may be no file at its path.
            for _ in 0..5 {
                all.extend(drain(&mut tailer));
            }
            write(&mut writer, 5..7, AT);
            all.extend(drain(&mut tailer));
            assert_once(&all, 0..7);
            assert_eq!(bench.gaps(), [], "after {stop:?}, read {read}, restart {restart}");
        }
    }
}

#[test]
fn packing_that_halts_anywhere_and_is_done_again_loses_nothing() {
    // The steps are counted by a run that does not halt; at each of them the writer is killed, and empties its packed file.
    let mut halt = 0;
    loop {
        let mut halted = false;
        for restart in [false, true] {
            let bench = Bench::new();
            let mut before = writer(&bench, 0, true);
            write(&mut before, 0..9, AT);
            let mut tailer = patient(&bench);
            let mut all = some(&mut tailer, 4);
            before.rotate(AT).unwrap();
            write(&mut before, 9..10, AT);
            halted = (0..halt).all(|_| before.mill(60).unwrap().is_some());
            drop(before);
            if restart {
                tailer = patient(&bench);
            }
            all.extend(drain(&mut tailer));
            let mut after = writer(&bench, 0, true);
            write(&mut after, 10..11, AT);
            while after.mill(60).unwrap().is_some() {
                all.extend(drain(&mut tailer));
            }
            all.extend(drain(&mut tailer));
            assert_once(&all, 0..11);
            assert_eq!(bench.gaps(), [], "halted at step {halt}, restart {restart}");
        }
        if !halted {
            break;
        }
        halt += 1;
    }
    assert!(halt > 4, "{halt} steps");
}

#[test]
fn a_packed_file_that_is_emptied_while_it_is_read_loses_nothing() {
    let bench = Bench::new();
    let mut writer = writer(&bench, 0, true);
    write(&mut writer, 0..400, AT);
    writer.rotate(AT).unwrap();
    write(&mut writer, 400..401, AT);
    let packed = loop {
        if let Some(Milled::Began(path)) = writer.mill(1 << 20).unwrap() {
            break path;
        }
    };
    while writer.mill(1 << 20).unwrap().is_some() {}
    let build = || bench.builder().refresh_interval(std::time::Duration::ZERO).batch_size(1).build().unwrap();
    let mut tailer = build();
    let mut all = some(&mut tailer, 7);
    let whole = std::fs::read(&packed).unwrap();
    for length in [0, 1, 20, whole.len() / 2, whole.len() - 1, whole.len()] {
        std::fs::write(&packed, &whole[..length]).unwrap();
        all.extend(drain(&mut tailer));
    }
    assert_once(&all, 0..401);
    assert_eq!(bench.gaps(), []);
}

#[test]
fn a_reader_that_is_far_behind_reads_what_it_holds_to_its_end() {
    // As a burst that is rotated ten times and pruned while the reader takes one line for a hundred that are written.
    let bench = Bench::new();
    let mut writer = writer(&bench, 1, false);
    let mut tailer =
        bench.builder().refresh_interval(std::time::Duration::ZERO).batch_size(1).build().unwrap();
    let mut all = Vec::new();
    let mut most = 0;
    for rotation in 0..10 {
        write(&mut writer, rotation * 100..rotation * 100 + 100, AT);
        all.extend(some(&mut tailer, 1));
        writer.rotate(AT + i64::try_from(rotation).unwrap() * SECOND).unwrap();
        while writer.mill(1 << 20).unwrap().is_some() {}
        let files = std::fs::read_dir(bench.path("")).unwrap().count();
        most = most.max(files);
    }
    assert!(all.len() == 10 && most <= 2, "{} lines, {most} files", all.len());
    all.extend(drain(&mut tailer));
    assert_once(&all, 0..1000);
    assert_eq!(bench.gaps(), []);
}

#[test]
fn what_is_beyond_the_files_that_are_held_is_a_gap() {
    let bench = Bench::new();
    let mut writer = writer(&bench, 1, false);
    let builder = bench.builder().refresh_interval(std::time::Duration::ZERO).batch_size(1).max_open_files(2);
    let mut tailer = builder.build().unwrap();
    let mut all = Vec::new();
    for rotation in 0..6 {
        write(&mut writer, rotation * 10..rotation * 10 + 10, AT);
        all.extend(some(&mut tailer, 1));
        writer.rotate(AT + i64::try_from(rotation).unwrap() * SECOND).unwrap();
        while writer.mill(1 << 20).unwrap().is_some() {}
    }
    all.extend(super::idle(&mut tailer));
    let read = super::numbers(&all);
    assert!(read.values().all(|times| *times == 1), "{read:?}");
    assert!(read.len() < 60, "all was held");
    // Each generation that is not read to its end has one.
    let whole = (0..6).filter(|rotation| read.contains_key(&(rotation * 10 + 9))).count();
    assert_eq!(bench.gaps().len(), 6 - whole, "{read:?}");
}

#[test]
fn removed_files_that_take_too_much_room_are_let_go_and_are_gaps() {
    let bench = Bench::new();
    let mut writer = writer(&bench, 1, false);
    let size = lines(100..110).len() as u64;
    let builder = bench.builder().refresh_interval(std::time::Duration::ZERO).batch_size(1);
    let mut tailer = builder.max_held_bytes(2 * size).build().unwrap();
    let mut all = Vec::new();
    for rotation in 0..6 {
        write(&mut writer, 100 + rotation * 10..110 + rotation * 10, AT);
        all.extend(some(&mut tailer, 1));
        writer.rotate(AT + i64::try_from(rotation).unwrap() * SECOND).unwrap();
        while writer.mill(1 << 20).unwrap().is_some() {}
    }
    all.extend(super::idle(&mut tailer));
    let read = super::numbers(&all);
    assert!(read.values().all(|times| *times == 1), "{read:?}");
    // Two are held, one was not pruned.
    assert!((130..160).all(|number| read.contains_key(&number)), "{read:?}");
    let gaps: Vec<_> = bench.gaps().into_iter().map(|(generation, _, why)| (generation, why)).collect();
    let why = "the file was removed, and took too much room";
    assert_eq!(gaps, [1, 2, 3].map(|generation| (generation, why.to_owned())));
}

#[test]
fn two_rotations_in_one_millisecond_are_both_read_while_they_are_held() {
    let bench = Bench::new();
    let mut writer = writer(&bench, 0, false);
    let mut tailer = patient(&bench);
    let mut all = Vec::new();
    for rotation in 0..4 {
        write(&mut writer, rotation * 3..rotation * 3 + 2, AT);
        all.extend(drain(&mut tailer));
        write(&mut writer, rotation * 3 + 2..rotation * 3 + 3, AT);
        // The second file takes the name of the first one, which is gone with that.
        writer.rotate(AT).unwrap();
    }
    all.extend(super::idle(&mut tailer));
    assert_once(&all, 0..12);
}

#[test]
fn two_rotations_in_one_millisecond_that_nobody_saw_are_a_gap() {
    let bench = Bench::new();
    let mut writer = writer(&bench, 0, false);
    write(&mut writer, 0..2, AT);
    assert_once(&drain(&mut bench.tailer()), 0..2);
    for first in [2, 4] {
        write(&mut writer, first..first + 2, AT);
        writer.rotate(AT).unwrap();
    }
    write(&mut writer, 6..7, AT);
    assert_once(&super::idle(&mut patient(&bench)), 4..7);
    let at = i64::try_from(lines(0..2).len()).unwrap();
    assert_eq!(bench.gaps(), [(1, at, "the file was removed".to_owned())]);
}

#[test]
fn a_clock_that_jumps_changes_nothing() {
    for restart in [false, true] {
        let bench = Bench::new();
        let mut writer = writer(&bench, 0, true);
        let mut tailer = patient(&bench);
        let mut all = Vec::new();
        for (number, jump) in [0, DAY, -DAY, -2 * DAY, DAY, 0].into_iter().enumerate() {
            let at = AT + jump + i64::try_from(number).unwrap() * SECOND;
            write(&mut writer, number * 3..number * 3 + 3, at);
            if number % 2 == 0 {
                all.extend(drain(&mut tailer));
            }
            writer.rotate(at).unwrap();
            // What a file's time says jumps, too.
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_micros(at.unsigned_abs());
            for entry in std::fs::read_dir(bench.path("")).unwrap() {
                let file = std::fs::File::options().write(true).open(entry.unwrap().path()).unwrap();
                file.set_modified(time).unwrap();
            }
            while writer.mill(1 << 20).unwrap().is_some() {}
            if restart {
                tailer = patient(&bench);
            }
        }
        all.extend(drain(&mut tailer));
        assert_once(&all, 0..18);
        assert_eq!(bench.gaps(), [], "restart {restart}");
    }
}
