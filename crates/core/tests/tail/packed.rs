//! Packed files that are whole, half written, damaged, or followed by something else.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use audit_who_core::tail::Tailer;
use rusqlite::Connection;

use super::{Bench, ROTATED, append, assert_once, drain, gzip, lines};

fn packed_path(bench: &Bench) -> PathBuf {
    bench.path(&format!("{ROTATED}.gz"))
}

/// Lines that don't pack well, so that a cut or a flaw hits one of many blocks.
fn noise(count: usize) -> String {
    let mut state = 1_u64;
    let mut text = String::new();
    for _ in 0..count {
        for _ in 0..20 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            write!(text, "{:08x}", state >> 32).unwrap();
        }
        text.push('\n');
    }
    text
}

/// What a flaw leaves that is noticed at once: up to there all is right.
fn damaged(whole: &str, until: usize) -> Vec<u8> {
    let mut packed = gzip(&whole.as_bytes()[..until]);
    packed.extend([0x1f, 0x8b, 0xff, 0xff]);
    packed.extend([0xff; 40]);
    packed
}

#[test]
fn members_behind_each_other_are_one_content() {
    let bench = Bench::new();
    let whole = lines(0..9);
    // Where a member ends does not matter.
    let members: Vec<u8> = [&whole[..5], &whole[5..700], "", &whole[700..]]
        .iter()
        .flat_map(|part| gzip(part.as_bytes()))
        .collect();
    fs::write(packed_path(&bench), members).unwrap();
    assert_once(&drain(&mut bench.tailer()), 0..9);
    assert_eq!(bench.gaps(), []);
}

#[test]
fn what_a_pattern_matches_is_followed_when_it_is_packed() {
    let bench = Bench::new();
    let matched = || {
        let pattern = bench.path("audit*.log");
        Tailer::builder()
            .path(pattern)
            .inotify_watcher(false)
            .exit_on_eof(true)
            .db(bench.db())
            .build()
            .unwrap()
    };
    append(&bench.path(ROTATED), &lines(0..4));
    let mut all = drain(&mut matched());
    // While nobody reads, it grows, is packed and removed; nothing of it matches the pattern any more.
    fs::write(packed_path(&bench), gzip(lines(0..9).as_bytes())).unwrap();
    fs::remove_file(bench.path(ROTATED)).unwrap();
    all.extend(drain(&mut matched()));
    assert_once(&all, 0..9);
    assert_eq!(bench.gaps(), []);
}

#[test]
fn a_file_that_is_cut_anywhere_is_read_so_far_and_to_its_end_when_it_is_whole() {
    let whole = noise(9);
    let packed = gzip(whole.as_bytes());
    for cut in (0..packed.len()).step_by(11) {
        let bench = Bench::new();
        fs::write(packed_path(&bench), &packed[..cut]).unwrap();
        let mut tailer = bench.tailer();
        let mut all = drain(&mut tailer);
        assert!(whole.starts_with(&all.join("\n")), "cut at {cut}");
        // What was met is known to lack something.
        assert_eq!(bench.gaps().len(), bench.states().len(), "cut at {cut}");
        fs::write(packed_path(&bench), &packed).unwrap();
        all.extend(drain(&mut tailer));
        assert_eq!(all.join("\n") + "\n", whole, "cut at {cut}");
        assert_eq!(bench.gaps(), [], "cut at {cut}");
    }
}

#[test]
fn a_file_with_a_flaw_is_read_as_far_as_it_can_be_unpacked_and_is_a_gap_there() {
    let whole = noise(9);
    let packed = gzip(whole.as_bytes());
    let mut gaps = 0;
    for at in (20..packed.len()).step_by(11) {
        let bench = Bench::new();
        let mut flawed = packed.clone();
        flawed[at] ^= 0x10;
        fs::write(packed_path(&bench), &flawed).unwrap();
        let told = drain(&mut bench.tailer());
        // A flaw that unpacks to something is met by the checksum at the end alone.
        let is_right = whole.starts_with(&told.join("\n"));
        assert_eq!(bench.gaps().len(), bench.states().len(), "flaw at {at}: {is_right}");
        gaps += bench.gaps().len();
    }
    assert!(gaps > 50);
}

#[test]
fn what_follows_packed_data_is_a_gap_behind_it() {
    let bench = Bench::new();
    let mut packed = gzip(lines(0..3).as_bytes());
    packed.extend(b"something else");
    fs::write(packed_path(&bench), &packed).unwrap();
    assert_once(&drain(&mut bench.tailer()), 0..3);
    let at = i64::try_from(lines(0..3).len()).unwrap();
    assert_eq!(bench.gaps(), [(1, at, "other data follows the gzip data".to_owned())]);
}

#[test]
fn a_damaged_file_that_is_replaced_goes_on_behind_what_was_read() {
    let whole = lines(0..9);
    let packed = gzip(whole.as_bytes());
    // In the middle of a line, of which a good copy holds all.
    let damaged = damaged(&whole, 700);
    for in_place in [false, true] {
        for restart in [false, true] {
            let bench = Bench::new();
            fs::write(packed_path(&bench), &damaged).unwrap();
            let mut tailer = bench.tailer();
            assert_once(&drain(&mut tailer), 0..4);
            assert_eq!(bench.gaps().len(), 1);
            if in_place {
                fs::write(packed_path(&bench), &packed).unwrap();
            } else {
                fs::write(bench.path("new"), &packed).unwrap();
                fs::rename(bench.path("new"), packed_path(&bench)).unwrap();
            }
            if restart {
                tailer = bench.tailer();
            }
            assert_once(&drain(&mut tailer), 4..9);
            assert_eq!(bench.gaps(), []);
        }
    }
}

#[test]
fn another_packed_copy_is_read_where_one_is_damaged() {
    let whole = lines(0..9);
    let cut_off = gzip(whole.as_bytes());
    for flawed in [damaged(&whole, 700), cut_off[..cut_off.len() - 9].to_vec()] {
        let bench = Bench::new();
        fs::write(packed_path(&bench), &flawed).unwrap();
        fs::write(bench.path(&format!("{ROTATED}.zst")), zstd::encode_all(whole.as_bytes(), 1).unwrap())
            .unwrap();
        assert_once(&drain(&mut bench.tailer()), 0..9);
        assert_eq!(bench.gaps(), []);
    }
}

#[test]
fn a_damaged_copy_of_what_was_read_is_no_gap() {
    for restart in [false, true] {
        let bench = Bench::new();
        append(&bench.path(ROTATED), &lines(0..3));
        let mut tailer = bench.tailer();
        assert_once(&drain(&mut tailer), 0..3);
        let packed = gzip(lines(0..3).as_bytes());
        fs::write(packed_path(&bench), &packed[..packed.len() - 9]).unwrap();
        if restart {
            tailer = bench.tailer();
        }
        assert_once(&drain(&mut tailer), []);
        fs::remove_file(bench.path(ROTATED)).unwrap();
        assert_once(&drain(&mut tailer), []);
        assert_eq!(bench.gaps(), []);
    }
}

#[test]
fn what_is_lacking_is_noted_when_the_store_was_locked_first() {
    let bench = Bench::new();
    let mut packed = gzip(lines(0..3).as_bytes());
    packed.extend(b"something else");
    fs::write(packed_path(&bench), &packed).unwrap();
    let mut tailer = bench.builder().busy_timeout(Duration::ZERO).build().unwrap();
    tailer.next().unwrap().unwrap().commit().unwrap();
    let other = Connection::open(bench.db()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    for _ in 0..3 {
        assert!(tailer.poll().is_err());
    }
    drop(other);
    assert!(tailer.poll().unwrap().is_none());
    assert_eq!(bench.gaps().len(), 1);
}
