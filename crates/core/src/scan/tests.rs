//! The scan against a slow and obvious reading of the same bytes.

mod alike;
mod beside;
mod limit;
mod times;
mod window;

use std::fs;
use std::path::Path;

use audit_who_event::coverage::{Coverage, KEPT_SPANS, Tally};
use audit_who_event::envelope::{self, Sink};
use audit_who_event::event::Event;
use audit_who_event::fold::{Address, Fold};
use audit_who_event::literals::Literals;
use audit_who_event::look::Look;
use audit_who_event::time::Timestamp;
use proptest::prelude::*;
use tempfile::TempDir;

use super::collector::Collector;
use super::*;
use crate::dated::is_object;

/// Keeps where events stand and what their request URI is.
#[derive(Debug, Default, PartialEq)]
struct Seen(Vec<(Address, String)>);

impl Fold for Seen {
    fn event(&mut self, event: &Event<'_>, address: Address) {
        self.0.push((address, event.request_uri.to_string()));
    }

    fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
        self.0.sort();
    }
}

/// A decoder that is easy to predict: text in braces is an event, whose request URI is the text; what stands before or
/// behind the braces is bad.
fn decode(_: &mut envelope::Decoder, line: &[u8], sink: &mut Collector<'_, Seen>) {
    let open = line.iter().position(|byte| *byte == b'{');
    let close = line.iter().rposition(|byte| *byte == b'}');
    let (Some(open), Some(close)) = (open, close.filter(|close| open < Some(*close))) else {
        return sink.bad(0..line.len(), "no braces");
    };
    if open > 0 {
        sink.bad(0..open, "text before");
    }
    let text = String::from_utf8_lossy(&line[open..=close]).into_owned();
    let stage_time = Timestamp::parse("1970-01-01T00:00:01Z");
    sink.event(&Event { request_uri: text.into(), stage_time, ..Event::default() }, open..close + 1);
    if close + 1 < line.len() {
        sink.bad(close + 1..line.len(), "text behind");
    }
}

/// Decodes lines so, and takes what has the shape of an object for an entry.
fn predictable<F: Fold>(line: fn(&mut envelope::Decoder, &[u8], &mut Collector<'_, F>)) -> Decode<F> {
    Decode { line, is_entry: |_| true }
}

impl Scan {
    fn run_with<F: Fold>(
        &self,
        inputs: &Inputs,
        look: &Look,
        fork: impl FnMut() -> F,
        line: fn(&mut envelope::Decoder, &[u8], &mut Collector<'_, F>),
    ) -> (F, Coverage) {
        let (fold, coverage, _) = self.read(inputs, look, fork, None, predictable(line));
        (fold, coverage)
    }
}

fn literals(literals: &[&str]) -> Literals {
    Literals::any_of(literals.iter().map(|literal| (*literal).to_owned()))
}

fn scan(scan: &Scan, path: &Path, literals: &Literals) -> (Seen, Coverage) {
    let inputs = Inputs::open([path]);
    let look = Look { filters: None, literals: literals.clone() };
    let (mut seen, coverage) = scan.run_with(&inputs, &look, Seen::default, decode);
    seen.0.sort();
    (seen, coverage)
}

fn sizes(block: usize, range: u64, threads: usize) -> Scan {
    Scan { threads, block, range, ..Scan::new() }
}

fn file(content: impl AsRef<[u8]>) -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    fs::write(&path, content).unwrap();
    (folder, path)
}

#[test]
fn a_sample_of_values_that_span_lines_ends() {
    let value = "{\n  \"a\": 1\n}\n";
    let (_folder, path) = file(value.repeat(5));
    let length = value.len() as u64;
    for (reach, expected) in [(1, 1), (length, 1), (length + 1, 2), (length * 4 + 1, 5), (u64::MAX, 5)] {
        let (seen, coverage) = scan(&Scan::new().reach(reach), &path, &Literals::everything());
        assert_eq!((seen.0.len(), coverage.total.entries), (expected, expected as u64), "{reach}");
        assert!(coverage.total.is_balanced(), "{:?}", coverage.total);
    }
}

/// Whether a line holds a literal, or may spell one.
fn is_selected(line: &[u8], literals: &Literals) -> bool {
    let holds = |needle: &[u8]| line.windows(needle.len()).any(|window| window == needle);
    let is_spelled = |code: u8| {
        (code.is_ascii_alphanumeric() || b".:_-\\".contains(&code))
            && holds(format!("\\u00{code:02x}").as_bytes())
    };
    literals.as_slice().is_none_or(|list| {
        !list.is_empty()
            && (list.iter().any(|literal| holds(literal.as_bytes())) || (0..=0xff).any(is_spelled))
    })
}

/// Where bytes should end up, and where events and bad spans should stand, found line by line from the whole content.
fn expected(content: &[u8], literals: &Literals, max_line: usize) -> (Seen, Vec<(u64, u64)>, [u64; 5]) {
    let (mut seen, mut bad) = (Seen::default(), Vec::new());
    let [mut decoded, mut skipped, mut bad_bytes, mut blank, mut entries] = [0; 5];
    let mut start = 0;
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        let mut at = start;
        start += line.len();
        let mut text = line.strip_suffix(b"\n").unwrap_or(line);
        blank += line.len() - text.len();
        let nuls = text.iter().take_while(|byte| **byte == 0).count();
        if nuls > 0 {
            bad.push((at as u64, nuls as u64));
            bad_bytes += nuls;
            text = &text[nuls..];
            at += nuls;
        }
        if text.len() > max_line {
            bad.push((at as u64, text.len() as u64));
            bad_bytes += text.len();
            continue;
        }
        if at == 0 && text.starts_with(b"\xef\xbb\xbf") {
            blank += 3;
            at = 3;
            text = &text[3..];
        }
        if let Some(rest) = text.strip_suffix(b"\r") {
            blank += 1;
            text = rest;
        }
        let selected = is_selected(line, literals);
        let trimmed = text.trim_ascii_start();
        let open = text.iter().position(|byte| *byte == b'{');
        let close = text.iter().rposition(|byte| *byte == b'}').filter(|close| open < Some(*close));
        if trimmed.is_empty() {
            blank += text.len();
        } else if !selected && (is_object(trimmed) || envelope::has_prefix(trimmed)) {
            entries += 1;
            skipped += text.len();
        } else if let (Some(open), Some(close)) = (open, close) {
            entries += 1;
            decoded += close + 1 - open;
            bad_bytes += open + text.len() - close - 1;
            let ends = [(at, open), (at + close + 1, text.len() - close - 1)];
            bad.extend(
                ends.into_iter().filter(|(_, length)| *length > 0).map(|(at, n)| (at as u64, n as u64)),
            );
            let address =
                Address { source: 0, offset: (at + open) as u64, length: (close + 1 - open) as u64 };
            seen.0.push((address, String::from_utf8_lossy(&text[open..=close]).into_owned()));
        } else {
            bad_bytes += text.len();
            bad.push((at as u64, text.len() as u64));
        }
    }
    seen.0.sort();
    (seen, bad, [decoded, skipped, bad_bytes, blank, entries].map(|count| count as u64))
}

fn check(content: &[u8], literals: &Literals, scan_with: &Scan) -> Result<(), TestCaseError> {
    check_packed(content, content, literals, scan_with)
}

/// The same of content that is written in some encoding.
fn check_packed(
    content: &[u8],
    packed: &[u8],
    literals: &Literals,
    scan_with: &Scan,
) -> Result<(), TestCaseError> {
    let (_folder, path) = file(packed);
    let (seen, coverage) = scan(scan_with, &path, literals);
    let (wanted, bad, counts) = expected(content, literals, scan_with.max_line);
    let tally = &coverage.total;
    prop_assert_eq!(&coverage.problems, &[]);
    prop_assert_eq!(tally.bytes, content.len() as u64);
    prop_assert!(tally.is_balanced(), "{:?}", tally);
    let found = [tally.decoded_bytes, tally.skipped_bytes, tally.bad_bytes, tally.blank_bytes, tally.entries];
    prop_assert_eq!(found, counts);
    prop_assert_eq!(tally.bad_lines, bad.len() as u64);
    let spans: Vec<_> = coverage.bad_spans.iter().map(|span| (span.offset, span.length)).collect();
    prop_assert_eq!(&spans[..], &bad[..bad.len().min(KEPT_SPANS)]);
    prop_assert_eq!(seen, wanted);
    Ok(())
}

/// Lines of every sort that the scan knows, and some arbitrary bytes.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => "\\{[a-c.]{0,30}\\}",
        2 => r"\{[ab\\u0034 67]{0,20}\}",
        1 => r" {0,3}\{a\} {0,2}",
        1 => "[a-c{} ]{0,12}",
        1 => "[a1](b [c ])?[ \t]\\{[a-c]{0,9}[}\r]",
        1 => "\0{1,40}(\\{b\\})?",
        1 => "\\{[a-c]{80,200}\\}",
        1 => Just(String::new()),
        1 => Just("\u{feff}{a}".to_owned()),
    ]
    .prop_map(String::into_bytes);
    let line = prop_oneof![9 => line, 1 => proptest::collection::vec(any::<u8>(), 0..20)];
    let end = prop_oneof![5 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\n\n"), 1 => Just("\r")];
    proptest::collection::vec((line, end), 0..40).prop_flat_map(|lines| {
        let content: Vec<u8> =
            lines.into_iter().flat_map(|(line, end)| [line, end.as_bytes().to_vec()].concat()).collect();
        let length = content.len();
        // A torn end.
        (Just(content), 0..=length.min(30)).prop_map(|(mut content, torn)| {
            content.truncate(content.len() - torn);
            content
        })
    })
}

/// One zstd frame for each part between the cuts.
fn framed(content: &[u8], mut cuts: Vec<usize>) -> Vec<u8> {
    cuts.extend([0, content.len()]);
    cuts.sort_unstable();
    let parts = cuts.windows(2).map(|ends| &content[ends[0].min(content.len())..ends[1].min(content.len())]);
    parts.flat_map(|part| zstd::bulk::compress(part, 1).unwrap()).collect()
}

#[test]
fn a_damaged_frame_leaves_those_behind_it() {
    let lines: Vec<String> = (0..3000).map(|number| format!("{{line {number}}}\n")).collect();
    let content = lines.concat();
    let [first, second] = [1, 2].map(|part| content.len() / 3 * part);
    let mut packed = framed(content.as_bytes(), vec![first, second]);
    let at = framed(&content.as_bytes()[..first], vec![]).len();
    // The first block's header is left as it is, so that the frames are found.
    packed[at + 30..at + 60].fill(0xff);
    let (_folder, path) = file(&packed);
    let (seen, coverage) = scan(&sizes(1024, 1024, 2), &path, &Literals::everything());
    assert!(coverage.problems.iter().any(|problem| problem.fatal), "{:?}", coverage.problems);
    assert_eq!(seen.0.first().unwrap().1, "{line 0}");
    assert_eq!(seen.0.last().unwrap().1, "{line 2999}");
    let of_thirds = |seen: &Seen| seen.0.iter().filter(|(address, _)| address.offset > second as u64).count();
    assert_eq!(of_thirds(&seen), content[second..].lines().count() - 1);
}

/// Whether the scan takes the content for lines, as the slow reading does.
fn is_lines(content: &[u8]) -> bool {
    crate::layout::Layout::of(&content[..content.len().min(crate::layout::HEAD)])
        == crate::layout::Layout::Lines
        && crate::codec::Encoding::of(content) == Encoding::Plain
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Every byte is accounted for, and the result is that of the slow reading, for any cut and any number of threads.
    #[test]
    fn a_scan_equals_the_slow_reading(
        content in content().prop_filter("lines", |content| is_lines(content)),
        wanted in prop_oneof![
            Just(Literals::everything()),
            proptest::collection::vec("[abc.]{1,3}", 0..5).prop_map(Literals::any_of),
        ],
        block in 1_usize..120, range in 1_u64..150, threads in 1_usize..5,
        max_line in prop_oneof![Just(MAX_LINE), 1_usize..100],
    ) {
        check(&content, &wanted, &sizes(block, range, threads).max_line(max_line))?;
    }

    /// The same where zstd data is read apart, wherever frames begin.
    #[test]
    fn a_scan_of_frames_equals_the_slow_reading(
        content in content().prop_filter("lines", |content| is_lines(content)),
        cuts in proptest::collection::vec(0_usize..600, 0..8), range in 1_u64..150, block in 1_usize..120, threads in 1_usize..5,
        max_line in prop_oneof![Just(MAX_LINE), 1_usize..100],
    ) {
        let packed = framed(&content, cuts);
        check_packed(&content, &packed, &literals(&["ab"]), &sizes(block, range, threads).max_line(max_line))?;
        check_packed(&content, &packed, &Literals::everything(), &sizes(block, range, threads).max_line(max_line))?;
    }

    /// Who looks again at what was looked through sees the lines that are selected, whatever was noted the first time.
    #[test]
    fn who_looks_again_sees_what_is_selected(
        content in content().prop_filter("lines", |content| is_lines(content)),
        literals in proptest::collection::vec(proptest::collection::vec("[abc.]{1,3}", 0..4).prop_map(Literals::any_of), 2),
        blocks in proptest::collection::vec(1_usize..120, 2), range in 1_u64..150,
    ) {
        let (_folder, path) = file(&content);
        let inputs = Inputs::open([path]);
        let look = |literals: &Literals| Look { filters: None, literals: literals.clone() };
        let first = sizes(blocks[0], range, 2);
        first.run_with(&inputs, &look(&literals[0]), Seen::default, decode);
        let again = sizes(blocks[1], range, 2).again(Stretches::default());
        let (mut seen, _) = again.run_with(&inputs, &look(&literals[1]), Seen::default, decode);
        seen.0.sort();
        let is_known = inputs.sources()[0].escapes.get().is_some();
        prop_assert!(is_known || literals[0].as_slice() == Some(&[]));
        let line_at = |at: usize| {
            let start = content[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            content[start..].split(|byte| *byte == b'\n').next().unwrap()
        };
        let mut wanted = expected(&content, &Literals::everything(), MAX_LINE).0;
        wanted.0.retain(|(address, _)| is_selected(line_at(usize::try_from(address.offset).unwrap()), &literals[1]));
        prop_assert_eq!(seen, wanted);
    }

    /// Without the prefilter the same events that hold a literal are found.
    #[test]
    fn the_prefilter_loses_nothing(content in content().prop_filter("lines", |content| is_lines(content))) {
        let (_folder, path) = file(&content);
        let all = scan(&Scan::new(), &path, &Literals::everything());
        let some = scan(&sizes(32, 64, 2), &path, &literals(&["ab"]));
        let holds = |seen: &Seen| -> Vec<_> { seen.0.iter().filter(|(_, text)| text.contains("ab")).cloned().collect() };
        prop_assert_eq!(holds(&all.0), holds(&some.0));
        prop_assert_eq!(all.1.total.bytes, some.1.total.bytes);
    }

    /// Bytes that are taken for documents, or compressed, are accounted for as well, the same way in any block.
    #[test]
    fn any_bytes_balance(
        content in prop_oneof![
            r#"\{\n[ab"{}\[\],:\\ \n]{0,200}"#.prop_map(String::into_bytes),
            r#"\[\n \{[ab"{}\[\],:\\ \n]{0,200}"#.prop_map(String::into_bytes),
            proptest::collection::vec(any::<u8>(), 0..200),
            proptest::collection::vec(any::<u8>(), 0..80).prop_map(|rest| [b"\x1f\x8b\x08".to_vec(), rest].concat()),
            proptest::collection::vec(any::<u8>(), 0..80).prop_map(|rest| [b"\x28\xb5\x2f\xfd".to_vec(), rest].concat()),
        ],
        block in 1_usize..60, max_line in prop_oneof![Just(MAX_LINE), 1_usize..60],
    ) {
        let (_folder, path) = file(&content);
        let small = scan(&sizes(block, 16, 2).max_line(max_line), &path, &literals(&["ab"]));
        let whole = scan(&Scan::new().max_line(max_line), &path, &literals(&["ab"]));
        prop_assert!(small.1.total.is_balanced(), "{:?}", small.1);
        if small.1.problems.is_empty() {
            let range = |coverage: &Coverage| Coverage { total: Tally { from: None, until: None, ..coverage.total.clone() }, sources: Vec::new(), servers: Vec::new(), ..coverage.clone() };
            prop_assert_eq!((small.0, range(&small.1)), (whole.0, range(&whole.1)));
        }
        if small.1.sources[0].encoding == "plain" {
            prop_assert_eq!(small.1.total.bytes, content.len() as u64);
        }
    }
}

#[test]
fn a_line_end_may_stand_at_every_place_of_a_block_and_a_range() {
    for first in 0..70 {
        let content = format!("{{{}}}\n{{a}}\n{{bbbbbbbbbbbbbbbbbbbbbbbb}}\n{{a}}", "x".repeat(first));
        for (block, range) in [(16, 16), (16, 1 << 20), (1 << 20, 16), (17, 13)] {
            check(content.as_bytes(), &literals(&["a"]), &sizes(block, range, 2)).unwrap();
        }
    }
}

#[test]
fn an_endless_line_is_one_bad_span_and_the_rest_is_read() {
    let content = format!("{{a}}\n{}\n{{a}}\n{{}}", "x".repeat(5000));
    let (_folder, path) = file(&content);
    let (seen, coverage) = scan(&sizes(64, 256, 2).max_line(1000), &path, &Literals::everything());
    assert_eq!(seen.0.len(), 3);
    assert_eq!(coverage.bad_spans.len(), 1);
    let span = &coverage.bad_spans[0];
    assert_eq!((span.offset, span.length), (4, 5000));
    assert_eq!(span.reason, "line longer than 1000 bytes");
    assert_eq!(coverage.total.bytes, content.len() as u64);
}

#[test]
fn a_hole_of_nuls_is_one_bad_span_and_takes_no_memory() {
    let mut content = b"{a}\n".to_vec();
    content.extend([0; 5000]);
    content.extend(b"{b}\n");
    let (_folder, path) = file(&content);
    // If the hole were held, the line would be longer than is allowed.
    let (seen, coverage) = scan(&sizes(64, 256, 2).max_line(1000), &path, &Literals::everything());
    assert_eq!(seen.0.iter().map(|(address, _)| address.offset).collect::<Vec<_>>(), [0, 5004]);
    assert_eq!(coverage.bad_spans.len(), 1);
    assert_eq!(coverage.bad_spans[0].reason, "5000 NUL bytes");
}

#[test]
fn documents_are_handed_over_whole() {
    let documents = "\u{feff}\n{\n  \"a\": \"}\",\n  \"b\": [{}]\n}\n[\n {\"c\": 1}\n]\nrubbish\n{\"d\":\n2}";
    let (_folder, path) = file(documents);
    for block in [1, 5, 16, 1 << 17] {
        let (seen, coverage) = scan(&sizes(block, 8, 2), &path, &Literals::everything());
        let texts: Vec<&str> = seen.0.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["{\n  \"a\": \"}\",\n  \"b\": [{}]\n}", "{\"c\": 1}", "{\"d\":\n2}"]);
        let bad: Vec<_> = coverage
            .bad_spans
            .iter()
            .map(|span| {
                let (from, length) =
                    (usize::try_from(span.offset).unwrap(), usize::try_from(span.length).unwrap());
                &documents[from..from + length]
            })
            .collect();
        assert_eq!(bad, ["[\n ", "\n]", "rubbish"]);
        assert!(coverage.total.is_balanced());
        assert_eq!(coverage.total.bytes, documents.len() as u64);
    }
}

#[test]
fn a_document_that_never_ends_is_bad_from_its_start() {
    let (_folder, path) = file("{\n\"a\": 1\n}\n{\n\"b\": {\n\"c\": 1\n}\n");
    for max_line in [10, 1000] {
        let (seen, coverage) = scan(&sizes(8, 8, 1).max_line(max_line), &path, &Literals::everything());
        assert_eq!(seen.0.len(), 1);
        assert_eq!(coverage.bad_spans.len(), 1);
        assert_eq!((coverage.bad_spans[0].offset, coverage.bad_spans[0].length), (11, 18));
    }
}

#[test]
fn only_the_first_bad_spans_are_kept_whatever_the_threads() {
    let content = "bad\n".repeat(1000);
    let (_folder, path) = file(&content);
    let (_, coverage) = scan(&sizes(64, 40, 4), &path, &literals(&["x"]));
    assert_eq!(coverage.total.bad_lines, 1000);
    let offsets: Vec<u64> = coverage.bad_spans.iter().map(|span| span.offset).collect();
    assert_eq!(offsets, (0..KEPT_SPANS as u64).map(|number| number * 4).collect::<Vec<_>>());
}

#[test]
fn a_scan_reads_no_further_than_it_reaches() {
    let content = "{a}\n".repeat(1000);
    let (folder, path) = file(&content);
    fs::write(path.with_file_name("other.zst"), zstd::encode_all(content.as_bytes(), 1).unwrap()).unwrap();
    for threads in [1, 3] {
        let reach = sizes(64, 100, threads).reach(400);
        let (seen, coverage) = scan(&reach, folder.path(), &Literals::everything());
        assert_eq!(
            coverage.sources.iter().map(|source| source.tally.entries).collect::<Vec<_>>(),
            [100, 100]
        );
        assert_eq!(seen.0.len(), 200);
        assert!(coverage.problems.is_empty());
    }
}
