//! gzip and zstd, whole, in parts and damaged.

use std::io::Write;

use audit_who_core::Inputs;
use audit_who_core::event::coverage::Coverage;

use super::{Folder, gzip, log, scan, zstd};

/// What a file with this content is found to hold.
fn read(content: &[u8]) -> Coverage {
    let folder = Folder::new();
    // The name says nothing about the encoding.
    let path = folder.write("audit.log", content);
    scan(&Inputs::open([path]))
}

fn assert_whole(coverage: &Coverage, encoding: &str, content: &[u8]) {
    assert_eq!(coverage.problems, []);
    assert_eq!(coverage.sources[0].encoding, encoding);
    assert_eq!(coverage.total.bytes, content.len() as u64);
    assert_eq!(coverage.total.skipped_bytes + coverage.total.blank_bytes, content.len() as u64);
}

/// That a damaged file was read up to the damage, and that this is told with its place.
fn assert_cut(coverage: &Coverage, at_least: usize, words: &str) {
    assert!(coverage.total.bytes >= at_least as u64, "{:?}", coverage.total);
    assert_eq!(coverage.problems.len(), 1);
    let problem = &coverage.problems[0];
    assert!(problem.fatal);
    let place = format!("at byte {} of its content", coverage.total.bytes);
    assert!(problem.message.contains(words) && problem.message.contains(&place), "{}", problem.message);
}

#[test]
fn the_encoding_is_told_by_content() {
    let content = log(2000);
    assert_whole(&read(&content), "plain", &content);
    assert_whole(&read(&gzip(&content)), "gzip", &content);
    assert_whole(&read(&zstd(&content)), "zstd", &content);
    assert_whole(&read(b""), "plain", b"");
    assert_whole(&read(&gzip(b"")), "gzip", b"");
    assert_whole(&read(&zstd(b"")), "zstd", b"");
}

#[test]
fn every_gzip_member_is_read() {
    let content = log(3000);
    // A member may begin in the middle of a line, and be empty.
    let (head, tail) = content.split_at(777);
    let members = [gzip(head), gzip(b""), gzip(&tail[..5000]), gzip(&tail[5000..])].concat();
    assert_whole(&read(&members), "gzip", &content);
    assert_whole(&read(&[members, vec![0; 100_000]].concat()), "gzip", &content);
}

#[test]
fn every_zstd_frame_is_read() {
    let content = log(3000);
    let (head, tail) = content.split_at(777);
    let skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc".to_vec();
    let frames = [skippable.clone(), zstd(head), zstd(b""), skippable, zstd(tail)].concat();
    assert_whole(&read(&frames), "zstd", &content);
}

#[test]
fn a_zstd_window_of_the_largest_size_is_read() {
    let content = log(3000);
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(30).unwrap();
    encoder.write_all(&content).unwrap();
    assert_whole(&read(&encoder.finish().unwrap()), "zstd", &content);
}

#[test]
fn a_gzip_file_cut_anywhere_is_read_up_to_there() {
    let content = log(400);
    let packed = gzip(&content);
    let mut before = 0;
    for length in (18..packed.len()).step_by(7) {
        let coverage = read(&packed[..length]);
        assert_cut(&coverage, before, "the gzip data ends in the middle");
        before = usize::try_from(coverage.total.bytes).unwrap();
    }
    // Without the checksum alone nothing is lost.
    assert_cut(&read(&packed[..packed.len() - 1]), content.len(), "the gzip data ends in the middle");
}

#[test]
fn what_stands_before_damage_in_gzip_data_is_read() {
    let content = log(5000);
    let packed = gzip(&content);
    let mut checksum = packed.clone();
    let at = packed.len() - 6;
    checksum[at] ^= 1;
    assert_cut(&read(&checksum), content.len(), "the gzip data is not valid");

    let mut middle = packed.clone();
    middle[packed.len() / 2..].fill(0xff);
    assert_cut(&read(&middle), content.len() / 3, "the gzip data");

    let garbage = [&packed[..], b"\0\0garbage"].concat();
    assert_cut(&read(&garbage), content.len(), "other data follows the gzip data");
    let second_header = [&packed[..], b"\x1f\x8b\x07\0\0\0\0\0\0\0"].concat();
    assert_cut(&read(&second_header), content.len(), "the gzip data is not valid");
}

#[test]
fn what_stands_before_damage_in_zstd_data_is_read() {
    let content = log(20_000);
    let packed = zstd(&content);
    assert_cut(&read(&packed[..packed.len() - 1]), content.len() / 2, "the zstd data ends in the middle");
    assert_cut(&read(&[&packed[..], b"garbage"].concat()), content.len(), "the zstd data is not valid");
}

#[test]
fn a_document_is_found_behind_an_encoding() {
    let document =
        b"{\n  \"kind\": \"EventList\",\n  \"items\": [\n    {\"auditID\": \"a\", \"verb\": \"get\", \"requestURI\": \"/\"}\n  ]\n}\n";
    for content in [document.to_vec(), gzip(document), zstd(document)] {
        let coverage = read(&content);
        assert_eq!((coverage.total.entries, coverage.total.skipped_bytes), (1, document.len() as u64 - 1));
    }
}
