//! What goes wrong is told, says what to do, and does not stop the rest.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use audit_who_testkit::context::{Context, fixtures};

use crate::program::{Run, audit_who, run};

fn drain() -> Vec<u8> {
    std::fs::read(fixtures().join("drain/audit.log")).unwrap()
}

fn ask(paths: &[&Path]) -> Run {
    let paths = paths.iter().map(|path| path.to_str().expect("UTF-8"));
    run(["evicted", "pod/web-1", "-n", "shop", "--utc"].into_iter().chain(paths))
}

/// The part of a log that is worth a question, changed, still answers it.
#[track_caller]
fn answers_from(name: &str, content: &[u8]) -> Run {
    let folder = Context::new().unwrap();
    let file = folder.write(name, content).unwrap();
    let found = ask(&[&file]);
    assert!(found.stdout.contains("maria evicted pod shop/web-1"), "{found:?}");
    found
}

#[test]
fn arguments_that_mean_nothing_are_refused() {
    for (arguments, said) in [
        (vec!["evicted", "pod/web-1", "--since", "noon", "x"], "--since: can't read the time \"noon\""),
        (vec!["evicted", "pod/web-1", "--until", "25:00", "x"], "--until: can't read the time \"25:00\""),
        (vec!["evicted", "pod/web-1", "--since", "2h", "--until", "3h", "x"], "is later than --until"),
        (vec!["evicted", "pod/web-1", "--timezone", "Mars/Base", "x"], "--timezone: "),
        (vec!["evicted", "dragon/web-1", "x"], "dragon"),
        (vec!["evicted", "pod/", "x"], "pod/"),
        (vec!["evicted", "", "x"], "audit-who: "),
        (vec!["evicted", "pod/web-1", "-o", "xml", "x"], "invalid value 'xml'"),
        (vec!["evicted", "pod/web-1", "--threads", "0", "x"], "invalid value '0'"),
        (vec!["evicted", "pod/web-1", "-A", "-n", "shop", "x"], "cannot be used with"),
        (vec!["evicted", "pod/web-1", "--memory-limit", "much", "x"], "a size is a whole number and a unit"),
        (vec!["evicted"], "<KIND/NAME>"),
        (vec!["top", "planets", "x"], "invalid value 'planets'"),
        (vec!["top"], "<DIMENSION>"),
        (vec!["top", "users", "--limit", "few", "x"], "invalid value 'few'"),
        (vec!["eaten", "pod/web-1"], "eaten"),
    ] {
        let refused = run(&arguments);
        assert_eq!((refused.status, refused.stdout.as_str()), (2, ""), "{arguments:?}: {refused:?}");
        assert!(refused.stderr.contains(said), "{arguments:?}: {refused:?}");
    }
}

/// Rather than to take all memory, a question gives up: it tells nothing, as what it knows is a part.
#[test]
fn a_question_that_takes_too_much_memory_gives_up() {
    let context = Context::new().unwrap();
    let log = context.write("audit.log", drain()).unwrap();
    let ask = |more: &[&str]| run(["touched", "pods", "--utc", log.to_str().unwrap()].iter().chain(more));
    let said = "error: touched: rests on entries that take more memory than 2000 bytes";
    let refused = ask(&["--memory-limit", "2kB"]);
    assert_eq!(refused.status, 2, "{refused:?}");
    assert_eq!(
        refused.stdout,
        "pods/* touched: can't be told, as more entries matter than may be kept in memory\n"
    );
    assert!(
        refused.stderr.contains(said) && refused.stderr.contains("allow more (--memory-limit)"),
        "{refused:?}"
    );
    let as_json = ask(&["--memory-limit", "2kB", "-o", "json"]);
    assert_eq!((as_json.status, as_json.answers().len()), (2, 0), "{as_json:?}");
    assert_eq!(as_json.objects().last().unwrap()["problems"][0]["fatal"], true);
    let followed = ask(&["--memory-limit", "2kB", "--follow"]);
    assert_eq!((followed.status, followed.stdout.as_str()), (2, ""), "{followed:?}");
    assert!(followed.stderr.contains("2000 bytes"), "{followed:?}");
    let enough = ask(&["--memory-limit", "1MiB"]);
    assert_eq!((enough.status, &enough.stdout), (0, &ask(&[]).stdout));
}

#[test]
fn what_cannot_be_opened_does_not_stop_the_rest() {
    let context = Context::new().unwrap();
    let good = context.write("good.log", drain()).unwrap();
    let missing = context.path().join("missing.log");
    let found = ask(&[&missing, &good]);
    assert_eq!(found.status, 2, "{found:?}");
    assert!(found.stdout.contains("maria evicted pod shop/web-1"), "{found:?}");
    let said = format!("{}: cannot be opened: No such file or directory", missing.display());
    assert!(found.stderr.contains(&said) && found.stderr.contains("check the path"), "{found:?}");

    let secret = context.write("secret.log", drain()).unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Nothing is closed to root.
    if std::fs::File::open(&secret).is_err() {
        let found = ask(&[&secret, &good]);
        assert_eq!(found.status, 2, "{found:?}");
        assert!(found.stderr.contains("run as a user who may read it"), "{found:?}");
    }

    let found = ask(&[Path::new("/dev/null"), &good]);
    assert_eq!(found.status, 2, "{found:?}");
    assert!(found.stderr.contains("/dev/null: is a character device and was not read"), "{found:?}");
}

#[test]
fn a_damaged_archive_is_read_as_far_as_it_goes() {
    let mut packed = Vec::new();
    let log = drain();
    let mut encoder = flate2::read::GzEncoder::new(log.as_slice(), flate2::Compression::fast());
    encoder.read_to_end(&mut packed).unwrap();
    let whole = answers_from("audit.log.gz", &packed);
    assert_eq!(whole.status, 0, "{whole:?}");

    let cut = answers_from("audit.log.gz", &packed[..packed.len() - 9]);
    assert_eq!(cut.status, 2, "{cut:?}");
    assert!(cut.stderr.contains("is damaged: ") && cut.stderr.contains("at byte "), "{cut:?}");

    let mut spoilt = packed.clone();
    let checksum = spoilt.len() - 8;
    spoilt[checksum] ^= 1;
    let spoilt = answers_from("audit.log.gz", &spoilt);
    assert_eq!(spoilt.status, 2, "{spoilt:?}");
    assert!(spoilt.stderr.contains("is damaged: "), "{spoilt:?}");
}

#[test]
fn lines_that_hold_no_entry_are_counted() {
    let log = drain();
    let clean = answers_from("audit.log", &log);
    assert!(!clean.stderr.contains("bad line"), "{clean:?}");

    let torn = answers_from("audit.log", &log[..log.len() - 500]);
    assert_eq!(torn.status, 0, "{torn:?}");
    assert!(torn.stderr.contains("1 bad line"), "{torn:?}");

    // What `copytruncate` leaves at the head of a log that the API server goes on writing.
    let holed = answers_from("audit.log", &[vec![0; 100_000], log.clone()].concat());
    assert_eq!(holed.status, 0, "{holed:?}");
    assert!(holed.stderr.contains("bad line"), "{holed:?}");

    let prose = answers_from("audit.log", &[b"not an entry\n".as_slice(), &log].concat());
    assert_eq!(prose.status, 0, "{prose:?}");
    assert!(prose.stderr.contains("1 bad line"), "{prose:?}");
}

#[test]
fn line_ends_and_marks_of_other_systems_are_no_damage() {
    let log = drain();
    let text = String::from_utf8(log.clone()).unwrap();
    for content in [
        text.replace('\n', "\r\n").into_bytes(),
        format!("\u{feff}{text}").into_bytes(),
        text.trim_end().as_bytes().to_vec(),
        text.replace('\n', "\n\n").into_bytes(),
    ] {
        let found = answers_from("audit.log", &content);
        assert_eq!(found.status, 0, "{found:?}");
        assert!(!found.stderr.contains("bad line"), "{found:?}");
    }
}

#[test]
fn nothing_to_read_is_not_an_answer() {
    let context = Context::new().unwrap();
    let empty = context.write("empty.log", "").unwrap();
    let found = ask(&[&empty]);
    assert_eq!(found.status, 1, "{found:?}");
    assert!(found.stdout.contains("these files hold no audit entries, so they can't tell"), "{found:?}");
}

#[test]
fn times_of_what_is_no_audit_log_tell_nothing() {
    let context = Context::new().unwrap();
    let line = r#"{"stageTimestamp":"2024-12-19T19:19:54.977199Z","resource":"pods"}"#;
    let other = context.write("other.log", format!("{line}\n")).unwrap();
    let found = run(["touched", "pod", "--utc", other.to_str().unwrap()]);
    assert_eq!(found.status, 1, "{found:?}");
    assert!(found.stdout.contains("these files hold no audit entries, so they can't tell"), "{found:?}");
    assert!(!found.stderr.contains("2024-12-19"), "{found:?}");
    let log = context.write("audit.log", drain()).unwrap();
    let beside = run(["touched", "pod", "--utc", log.to_str().unwrap(), other.to_str().unwrap()]);
    assert_eq!(beside.status, 0, "{beside:?}");
    assert!(
        beside.stderr.contains("not an audit log") && !beside.stderr.contains("2024-12-19"),
        "{beside:?}"
    );
}

/// Entries that something unknown is wrapped around are none, also where nobody asks for what is in them. A log that begins
/// with a torn line is one all the same.
#[test]
fn lines_are_not_taken_for_entries_where_none_is() {
    let context = Context::new().unwrap();
    let entries = String::from_utf8(drain()).unwrap();
    let wrap = |line: &str| serde_json::json!({ "sent": line, "stream": "stdout" }).to_string() + "\n";
    let wrapped: String = entries.lines().map(wrap).collect();
    let wrapped = context.write("wrapped.log", wrapped).unwrap();
    let lines = entries.lines().count();
    for question in ["evicted", "execed", "history"] {
        let found = run([question, "pod/nobody", "--utc", wrapped.to_str().unwrap()]);
        assert_eq!(found.status, 1, "{found:?}");
        assert!(found.stdout.contains("these files hold no audit entries"), "{found:?}");
        assert!(found.stderr.contains(&format!("{lines} lines, none of them an entry")), "{found:?}");
        assert!(found.stderr.contains("something else around an audit event: unwrap it first"), "{found:?}");
        assert!(found.stderr.contains("0 entries"), "{found:?}");
    }
    let torn = context.write("torn.log", &entries[entries.len() / 3..]).unwrap();
    let found = run(["evicted", "pod/nobody", "--utc", torn.to_str().unwrap()]);
    assert!(found.stdout.contains("nobody did") && found.stderr.contains("bad line: "), "{found:?}");
    assert!(!found.stderr.contains("not an audit log"), "{found:?}");
}

/// A folder of an export has thousands of files: one of them says what is wrong with all.
#[test]
fn many_files_that_are_no_logs_do_not_hide_the_rest() {
    let context = Context::new().unwrap();
    for number in 0..12 {
        context.write(format!("{number}.log"), "{\"log\":\"x\"}\n").unwrap();
    }
    let folder = context.path().to_str().unwrap();
    let found = run(["evicted", "pod/nobody", "--utc", folder]);
    assert_eq!(found.stderr.matches("not an audit log: ").count(), 5, "{found:?}");
    assert!(found.stderr.contains("… and 7 more\nsearched 12 files"), "{found:?}");
    let report = run(["doctor", "--utc", folder]);
    assert_eq!(report.stdout.matches("not an audit log: ").count(), 5, "{report:?}");
    assert!(report.stdout.contains("… and 7 more"), "{report:?}");
}

/// Exports may write times as the API server does not. Such entries are there all the same.
#[test]
fn entries_without_a_time_are_not_said_to_be_missing() {
    let context = Context::new().unwrap();
    let line = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a","stage":"ResponseComplete","verb":"get","requestURI":"/","stageTimestamp":"2022-11-29 22:40:02.903"}"#;
    let log = context.write("audit.log", format!("{line}\n")).unwrap();
    let found = run(["evicted", "pod/web-1", "--utc", log.to_str().unwrap()]);
    assert_eq!(found.status, 1, "{found:?}");
    assert!(found.stdout.contains("no entry in these files tells when it was written"), "{found:?}");
    assert!(found.stderr.contains("1 entry"), "{found:?}");
}

#[test]
fn a_reader_who_had_enough_is_no_error() {
    let context = Context::new().unwrap();
    // More than a pipe holds.
    let names: Vec<String> = (0..2000).map(|number| format!("web-{number}")).collect();
    let log = String::from_utf8(drain()).unwrap();
    let done = |line: &&str| line.contains(r#""subresource":"eviction""#) && line.contains(r#""code":201"#);
    let line = log.lines().find(done).unwrap();
    let log: String = names.iter().map(|name| line.replace("web-1", name) + "\n").collect();
    let file = context.write("audit.log", log).unwrap();
    let mut child = audit_who()
        .args(["evicted", "pod", "--utc"])
        .arg(file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(!complaint.contains("ipe") && !complaint.contains("panic"), "{complaint}");
    assert_eq!(output.status.code(), Some(0), "{complaint}");
    assert!(first.contains("evicted pod"), "{first}");
}
