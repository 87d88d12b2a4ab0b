//! `audit-who show`: entries read again, and held against what they were.

use std::fs;
use std::path::{Path, PathBuf};

use audit_who_testkit::context::workspace_root;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::io::Write;
use tempfile::TempDir;

use crate::program::{Run, run};

/// A copy of a log of the fixtures, in a folder of its own.
struct Copy(TempDir);

impl Copy {
    fn new() -> Self {
        let copy = Self(TempDir::new().unwrap());
        fs::copy(workspace_root().join("fixtures/drain/audit.log"), copy.log()).unwrap();
        copy
    }

    fn log(&self) -> PathBuf {
        self.0.path().join("audit.log")
    }

    fn db(&self) -> PathBuf {
        self.0.path().join("store.db")
    }

    /// Where the first entry stands that proves who evicted a pod.
    fn evidence(&self) -> (u64, u64) {
        let log = self.log();
        let asked = run(["evicted", "pod/web-2", "-n", "shop", "-o", "json", log.to_str().unwrap()]);
        let evidence = &asked.answers()[0]["evidence"][0];
        (evidence["offset"].as_u64().unwrap(), evidence["length"].as_u64().unwrap())
    }

    fn flip(&self, at: u64) {
        let mut bytes = fs::read(self.log()).unwrap();
        bytes[usize::try_from(at).unwrap()] ^= 1;
        fs::write(self.log(), bytes).unwrap();
    }
}

fn show(path: &Path, offset: u64, more: &[&str]) -> Run {
    let place = format!("{}:{offset}", path.display());
    run(["show", &place, "-o", "json"].iter().chain(more))
}

fn shown(run: &Run) -> Value {
    run.objects().remove(0)
}

#[test]
fn an_entry_is_shown_as_it_stands() {
    let copy = Copy::new();
    let (offset, length) = copy.evidence();
    let entry = shown(&show(&copy.log(), offset, &[]));
    assert_eq!((&entry["kind"], &entry["length"]), (&"Entry".into(), &length.into()));
    let bytes = fs::read(copy.log()).unwrap();
    let start = usize::try_from(offset).unwrap();
    assert_eq!(
        entry["text"].as_str().unwrap().as_bytes(),
        &bytes[start..start + usize::try_from(length).unwrap()]
    );
    // A packed file holds it at the same place.
    let packed = copy.0.path().join("packed.log.gz");
    let mut encoder = GzEncoder::new(fs::File::create(&packed).unwrap(), Compression::default());
    encoder.write_all(&bytes).unwrap();
    encoder.finish().unwrap();
    assert_eq!(shown(&show(&packed, offset, &[]))["sha256"], entry["sha256"]);
}

#[test]
fn a_flipped_bit_is_told() {
    let copy = Copy::new();
    let (offset, _) = copy.evidence();
    let hash = shown(&show(&copy.log(), offset, &[]))["sha256"].as_str().unwrap().to_owned();
    let kept = show(&copy.log(), offset, &["--sha256", &hash.to_uppercase()]);
    assert_eq!((kept.status, &shown(&kept)["isExpected"]), (0, &true.into()));
    copy.flip(offset + 100);
    let flipped = show(&copy.log(), offset, &["--sha256", &hash]);
    assert_eq!((flipped.status, &shown(&flipped)["isExpected"]), (1, &false.into()));
}

#[test]
fn a_store_proves_what_a_log_said() {
    let copy = Copy::new();
    let (log, db) = (copy.log(), copy.db());
    let collected = run(["collect", "--once", "-q", "--db", db.to_str().unwrap(), log.to_str().unwrap()]);
    assert_eq!(collected.status, 0, "{collected:?}");
    let (offset, _) = copy.evidence();
    let now = shown(&show(&log, offset, &[]));
    let ask = || show(&log, offset, &["--db", db.to_str().unwrap()]);
    let same = ask();
    assert_eq!((same.status, &shown(&same)["file"]), (0, &"same".into()));
    assert_eq!(shown(&same)["text"], now["text"]);
    copy.flip(offset + 100);
    let other = ask();
    assert_eq!((other.status, &shown(&other)["file"]), (1, &"other".into()));
    assert_eq!(shown(&other)["text"], now["text"]);
    fs::remove_file(&log).unwrap();
    let gone = ask();
    assert_eq!((gone.status, &shown(&gone)["file"]), (0, &"gone".into()));
    assert_eq!(shown(&gone)["sha256"], now["sha256"]);
}

#[test]
fn a_place_inside_an_entry_is_told() {
    let copy = Copy::new();
    let (offset, _) = copy.evidence();
    let inside = show(&copy.log(), offset + 17, &[]);
    assert_eq!((inside.status, &shown(&inside)["isEntry"]), (1, &false.into()), "{inside:?}");
    let text = run(["show", &format!("{}:{}", copy.log().display(), offset + 17)]);
    assert!(text.stdout.starts_with("no whole entry begins there"), "{text:?}");
    assert_eq!(shown(&show(&copy.log(), offset, &[]))["isEntry"], true);
}

#[test]
fn what_cannot_be_shown_is_told() {
    let copy = Copy::new();
    let log = copy.log();
    for (place, why) in [
        (format!("{}:999999999", log.display()), "ends before byte"),
        (format!("{}.no:0", log.display()), "check the path"),
        ("audit.log".to_owned(), "give PATH:OFFSET"),
        ("audit.log:x".to_owned(), "give PATH:OFFSET"),
    ] {
        let told = run(["show", &place]);
        assert_eq!(told.status, 2, "{told:?}");
        assert!(told.stderr.contains(why), "{told:?}");
    }
    let short = run(["show", &format!("{}:0", log.display()), "--sha256", "abc"]);
    assert!(short.status == 2 && short.stderr.contains("64 hexadecimal digits"), "{short:?}");
}
