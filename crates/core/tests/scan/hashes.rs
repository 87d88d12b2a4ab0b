//! The entries that answers rest on are read again as they were read first.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use audit_who_core::event::answer::{Answer, Evidence};
use audit_who_core::event::case::{Ask, Case, Subject};
use audit_who_core::event::question::named;
use audit_who_core::event::target::Target;
use audit_who_core::{Files, Inputs, Logs, Scan, ask, evidence};
use audit_who_testkit::entry::Level;
use audit_who_testkit::scenario;

use super::Folder;
use super::forms::FORMS;

const ASKED: [(&str, &str); 3] = [("evicted", "pod/*"), ("deleted", "pod/web-1"), ("touched", "pod/web-1")];

fn asked(logs: &impl Logs) -> Vec<Answer> {
    let ask = |(question, target): (&str, &str)| {
        let subject = Subject::Target(Target::parse(target).unwrap());
        ask(logs, Case::new(Ask::new(named(question).unwrap(), subject))).findings
    };
    ASKED.into_iter().map(ask).flat_map(|found| [found.answers, found.related].concat()).collect()
}

fn hashed(inputs: &Inputs) -> Vec<Evidence> {
    let scan = Scan::new();
    let files = Files::new(&scan, inputs);
    let mut answers = asked(&files);
    evidence::hash(&files, &mut answers);
    entries(&mut answers)
}

fn entries(answers: &mut [Answer]) -> Vec<Evidence> {
    let mut all = Vec::new();
    for answer in answers {
        answer.change_evidence(&mut |entry| all.push(entry.clone()));
    }
    all
}

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn hashes_are_those_of_the_bytes_at_the_place() {
    let mut seen = [0; FORMS.len()];
    for story in scenario::all().step_by(3) {
        for (place, (form, write)) in FORMS.iter().enumerate() {
            let content = write(&story.log(Level::RequestResponse));
            let folder = Folder::new();
            let plain = folder.write("plain/audit.log", &content);
            let packed = folder.write("gz/audit.log.gz", gzipped(content.as_bytes()));
            let zstd = folder.write("zst/audit.log.zst", zstd::encode_all(content.as_bytes(), 1).unwrap());
            let found = hashed(&Inputs::open([&plain]));
            for entry in &found {
                let (start, length) =
                    (usize::try_from(entry.offset).unwrap(), usize::try_from(entry.length).unwrap());
                let wanted = evidence::sha256(&content.as_bytes()[start..start + length]);
                assert_eq!(entry.sha256.as_ref(), Some(&wanted), "{form} in {}: {entry:?}", story.name);
                // As `show` reads it, without knowing how long it is.
                let shown = evidence::entry_at(Path::new(&entry.source), entry.offset).unwrap();
                assert_eq!(evidence::sha256(&shown), wanted, "{form} in {}: {entry:?}", story.name);
            }
            let hashes =
                |found: &[Evidence]| found.iter().map(|entry| entry.sha256.clone()).collect::<Vec<_>>();
            let stream = |bytes: Vec<u8>| Inputs::open_with_stdin(["-"], Cursor::new(bytes));
            let others = [
                Inputs::open([&packed]),
                Inputs::open([&zstd]),
                stream(content.clone().into_bytes()),
                stream(fs::read(&packed).unwrap()),
            ];
            for inputs in &others {
                assert_eq!(hashes(&hashed(inputs)), hashes(&found), "{form} in {}", story.name);
            }
            seen[place] += found.len();
        }
    }
    assert!(seen.iter().all(|entries| *entries > 10), "{seen:?}");
}

/// What stands there now is hashed only if it is the entry still.
#[test]
fn what_is_another_entry_now_has_no_hash() {
    let folder = Folder::new();
    let log = scenario::all().find(|story| story.name == "delete").unwrap().log(Level::Metadata);
    let path = folder.write("audit.log", &log);
    let (scan, inputs) = (Scan::new(), Inputs::open([&path]));
    let files = Files::new(&scan, &inputs);
    let mut answers = asked(&files);
    let last = entries(&mut answers).into_iter().max_by_key(|entry| entry.offset).unwrap();
    // Same length and same beginning of the file, another entry.
    let at = log.rfind(&last.audit_id).unwrap();
    fs::write(
        &path,
        format!("{}{}{}", &log[..at], "X".repeat(last.audit_id.len()), &log[at + last.audit_id.len()..]),
    )
    .unwrap();
    evidence::hash(&files, &mut answers);
    let (missing, there): (Vec<Evidence>, Vec<Evidence>) =
        entries(&mut answers).into_iter().partition(|entry| entry.sha256.is_none());
    assert!(!there.is_empty() && !missing.is_empty());
    assert!(missing.iter().all(|entry| entry.offset == last.offset), "{missing:?}");
    evidence::hash_in_place(&mut answers);
    assert_eq!(entries(&mut answers).iter().filter(|entry| entry.sha256.is_none()).count(), missing.len());
    fs::remove_file(&path).unwrap();
    evidence::hash_in_place(&mut answers);
    assert!(entries(&mut answers).iter().all(|entry| entry.sha256.is_none()));
}
