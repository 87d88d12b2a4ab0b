//! The same answers, in whatever form the entries come.

use std::io::Write;
use std::path::{Path, PathBuf};

use audit_who_testkit::context::{Context, shared_data, skip};
use audit_who_testkit::entry::Level;
use audit_who_testkit::generator::Generator;
use audit_who_testkit::rotation::RotatedLog;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::program::{Run, run, run_with_stdin};
use crate::truth::{Recording, Truth};

/// Fields that say where an entry lies, which is not the same in every form.
const ADDRESS: &[&str] = &["source", "offset", "length", "sha256"];

type Pack = fn(&[u8]) -> Vec<u8>;
type Wrap = fn(&str) -> String;

#[test]
fn a_generated_log_answers_the_same_in_every_form() {
    let context = Context::new().unwrap();
    let folder = context.path().join("plain");
    let mut log = RotatedLog::create(&folder, 200_000).unwrap();
    let generator = Generator::new(11).level(Level::RequestResponse).hits("needle", 5);
    let summary = generator.write_lines(1_000_000, |line, at| log.write_line(line, at)).unwrap();
    log.finish().unwrap();
    let eviction = &summary.evictions[3];
    let all = question(&["evicted", "pod/needle-*"]);
    assert_same(&context, &files(&folder), std::slice::from_ref(&all));

    // And they are right.
    let answers = run(all.iter().map(String::as_str).chain([folder.to_str().unwrap()])).answers();
    assert_eq!(answers.len(), summary.evictions.len());
    let names = |answer: &Value| {
        answer["object"]["name"] == *eviction.pod && answer["actor"]["username"] == *eviction.user
    };
    assert!(answers.iter().any(names), "{eviction:?}");

    // Within a window, too, which is short before what else the log holds.
    let time = answers[answers.len() / 2]["time"].as_str().unwrap();
    let within = question(&["evicted", "pod/needle-*", "--since", time, "--until", time]);
    let found = run(with_paths(&within, &files(&folder))).answers();
    assert!(!found.is_empty() && found.len() < answers.len(), "{found:?}");
    assert_same(&context, &files(&folder), &[within]);
}

#[test]
fn recordings_answer_the_same_in_every_form() {
    let Some(data) = shared_data() else { return skip("recordings in every form") };
    for policy in ["rr", "metadata"] {
        let recording = Recording::read(&data.join("k8s-1.36").join(policy));
        let context = Context::new().unwrap();
        let mut plain = Vec::new();
        for (number, file) in recording.servers().iter().flat_map(|folder| files(folder)).enumerate() {
            plain.push(context.write(format!("plain/{number}.log"), unpacked(&file)).unwrap());
        }
        // A question a mechanism, more or less.
        let questions: Vec<Vec<String>> = recording.truths().iter().step_by(4).map(Truth::question).collect();
        assert_same(&context, &plain, &questions);
    }
}

/// Asks from the plain files, from each packed, from all joined, in reverse order, and through standard input.
fn assert_same(context: &Context, plain: &[PathBuf], questions: &[Vec<String>]) {
    assert!(plain.len() > 2, "{plain:?}");
    let mut forms: Vec<(&str, Vec<PathBuf>)> = vec![("reversed", plain.iter().rev().cloned().collect())];
    for (name, pack) in [("gz", gzip as Pack), ("zst", zstd)] {
        let pack = |file: &PathBuf| {
            let path = format!("{name}/{}.{name}", file.file_name().unwrap().to_string_lossy());
            context.write(path, pack(&std::fs::read(file).unwrap())).unwrap()
        };
        forms.push((name, plain.iter().map(pack).collect()));
    }
    let joined = |files: &[PathBuf]| -> Vec<u8> {
        files.iter().flat_map(|file| std::fs::read(file).unwrap()).collect()
    };
    let whole = context.write("whole.log", joined(plain)).unwrap();
    // Members one after the other, as `cat a.gz b.gz` makes them.
    let members = context.write("members.gz", joined(&forms[1].1)).unwrap();
    forms.extend([("joined", vec![whole.clone()]), ("members", vec![members.clone()])]);
    let lists: [(&str, usize, &str); 3] =
        [("list", usize::MAX, "\n"), ("list in a line", usize::MAX, ""), ("lists in lines", 400, "")];
    for (name, length, space) in lists {
        let list = context.write(format!("{name}.json"), event_lists(&joined(plain), length, space)).unwrap();
        forms.push((name, vec![list]));
    }

    let wraps: [(&str, Wrap); 3] = [
        ("by Docker", |line| serde_json::json!({ "log": line, "stream": "stdout" }).to_string()),
        ("by a container runtime", |line| format!("2026-01-02T03:04:05.123456789Z stdout F {line}")),
        ("by CloudWatch Logs", |line| serde_json::json!({ "logEvents": [{ "message": line }] }).to_string()),
    ];
    for (name, wrap) in wraps {
        let lines = String::from_utf8(joined(plain)).unwrap();
        let wrapped: String = lines.lines().map(|line| wrap(line) + "\n").collect();
        forms.push((name, vec![context.write(format!("{name}.log"), wrapped).unwrap()]));
    }

    for question in questions {
        let from = |files: &[PathBuf]| run(with_paths(question, files));
        let expected = comparable(&from(plain));
        for (form, files) in &forms {
            assert_eq!(comparable(&from(files)), expected, "{form}: {question:?}");
        }
        for (form, file) in [("stdin", &whole), ("packed stdin", &members)] {
            assert_eq!(comparable(&run_with_stdin(file, question)), expected, "{form}: {question:?}");
            let dash = question.iter().map(String::as_str).chain(["-"]);
            assert_eq!(comparable(&run_with_stdin(file, dash)), expected, "{form}, named: {question:?}");
        }
    }
}

fn question(words: &[&str]) -> Vec<String> {
    words.iter().chain(&["-o", "json"]).map(|word| (*word).to_owned()).collect()
}

fn with_paths(question: &[String], files: &[PathBuf]) -> Vec<String> {
    let paths = files.iter().map(|file| file.to_str().expect("UTF-8").to_owned());
    question.iter().cloned().chain(paths).collect()
}

/// Exit status and answers without addresses, as text.
fn comparable(run: &Run) -> (i32, String) {
    let mut answers = Value::Array(run.answers());
    remove_addresses(&mut answers);
    (run.status, serde_json::to_string_pretty(&answers).expect("JSON"))
}

fn remove_addresses(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(remove_addresses),
        Value::Object(fields) => {
            fields.retain(|name, _| !ADDRESS.contains(&name.as_str()));
            fields.values_mut().for_each(remove_addresses);
        }
        _ => {}
    }
}

/// Every file in a folder, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn unpacked(file: &Path) -> Vec<u8> {
    let bytes = std::fs::read(file).expect("the file");
    if file.extension().is_none_or(|extension| extension != "gz") {
        return bytes;
    }
    let mut content = Vec::new();
    let mut decoder = flate2::read::MultiGzDecoder::new(bytes.as_slice());
    std::io::copy(&mut decoder, &mut content).expect("gzip");
    content
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("memory")
}

/// The entries as lists of so many, one a line if what stands between their items is no line end.
fn event_lists(lines: &[u8], length: usize, space: &str) -> String {
    let lines: Vec<&str> = std::str::from_utf8(lines).expect("UTF-8").lines().collect();
    let list = |items: &[&str]| {
        let items = items.join(&format!(",{space}"));
        format!(r#"{{{space}"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{space}{items}]}}"#)
            + "\n"
    };
    lines.chunks(length.min(lines.len())).map(list).collect()
}
