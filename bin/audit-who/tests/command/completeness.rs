//! Nothing found is not nobody: what may be missing is told, and counts with `--strict`.

use audit_who_testkit::context::{Context, fixtures};
use audit_who_testkit::generator::Generator;

use crate::collector::Bench;
use crate::program::{Run, run};

fn log(story: &str) -> String {
    fixtures().join(story).join("audit.log").to_str().unwrap().to_owned()
}

fn ask(question: &str, path: &str) -> Run {
    run([question, "pod/nobody", "-n", "shop", "--utc", "--strict", path])
}

/// A wrong name is not taken for an object that nobody touched.
#[test]
fn a_name_that_no_entry_has_is_told() {
    let entry = |verb: &str, pod: &str| {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"{verb}","stage":"ResponseComplete","requestURI":"/","verb":"{verb}","user":{{"username":"jonas"}},"objectRef":{{"resource":"pods","namespace":"shop","name":"{pod}","apiVersion":"v1"}},"responseStatus":{{"code":200}},"stageTimestamp":"2026-03-02T09:00:00.000000Z"}}"#
        ) + "\n"
    };
    let bench = Bench::new();
    let path = bench.log("audit.log");
    let entries = [entry("delete", "web-2"), entry("get", "web-1"), entry("patch", "web-3")];
    std::fs::write(&path, entries.concat()).unwrap();
    let is_told = |asked: &Run| {
        assert!(asked.status == 1 && asked.stdout.contains("nobody did"), "{asked:?}");
        asked.stdout.contains("no entry is about it: is the name right?")
    };
    let asked = |question: &str, pod: &str| is_told(&run([question, pod, path.to_str().unwrap()]));
    assert!(
        asked("deleted", "pod/nobody") && asked("deleted", "pod/nobody-*") && asked("changed", "pod/nobody")
    );
    // That it was read or changed, no rule about removals looks at.
    assert!(
        !asked("deleted", "pod/web-1") && !asked("deleted", "pod/web-3") && !asked("changed", "pod/web-2")
    );
    // It is in another namespace.
    let elsewhere = run(["deleted", "pod/web-2", "-n", "lab", path.to_str().unwrap()]);
    assert!(elsewhere.stdout.contains("are the name and the namespace right?"), "{elsewhere:?}");
    // A store is read only where it may answer.
    assert_eq!(bench.once().status, 0);
    let stored = |pod: &str| is_told(&run(["deleted", pod, "--db", bench.db().to_str().unwrap()]));
    assert!(!stored("pod/web-1") && !stored("pod/nobody"));
}

#[test]
fn a_whole_log_answers_strictly() {
    let found = run(["evicted", "pod/web-1", "-n", "shop", "--strict", &log("drain")]);
    assert_eq!(found.status, 0, "{found:?}");
    let nobody = ask("deleted", &log("delete"));
    assert_eq!(nobody.status, 1, "{nobody:?}");
    assert!(nobody.stdout.contains("nobody did, within 2026-03-02T09:00:00"), "{nobody:?}");
}

#[test]
fn what_is_never_logged_cannot_be_told() {
    let nobody = ask("evicted", &log("delete"));
    assert_eq!(nobody.status, 3, "{nobody:?}");
    assert!(nobody.stdout.contains("can't tell: create pods/eviction is never logged"), "{nobody:?}");
    let lax = run(["evicted", "pod/nobody", "-n", "shop", &log("delete")]);
    assert_eq!(lax.status, 1, "{lax:?}");

    let seen = run(["evicted", "pod/nobody", "-n", "shop", "-o", "json", &log("drain")]);
    let coverage = seen.objects().pop().unwrap();
    let evictions = coverage["seen"].as_array().unwrap().iter().find(|row| row["subresource"] == "eviction");
    let evictions = evictions.unwrap_or_else(|| panic!("{coverage}"));
    assert_eq!((&evictions["verb"], &evictions["level"]), (&"create".into(), &"RequestResponse".into()));
    assert!(evictions["entries"].as_u64().unwrap() >= 3, "{coverage}");
}

#[test]
fn a_level_that_hides_what_was_asked_is_told() {
    let hidden = fixtures().join("rollout-image/metadata/audit.log");
    let question = ["restarted", "deployment/nobody", "-n", "shop", "--strict"];
    let asked = run(question.into_iter().chain([hidden.to_str().unwrap()]));
    assert_eq!(asked.status, 3, "{asked:?}");
    assert!(asked.stdout.contains("is only logged without bodies"), "{asked:?}");
}

#[test]
fn a_file_that_is_missing_is_a_gap() {
    let context = Context::new().unwrap();
    let text = std::fs::read_to_string(log("delete")).unwrap();
    context.write("a/audit-2026-03-02T09-30-00.000.log", &text).unwrap();
    context.write("a/audit.log", text.replace("2026-03-02T09:", "2026-03-02T11:")).unwrap();
    let folder = context.path().join("a");
    let nobody = ask("deleted", folder.to_str().unwrap());
    assert_eq!(nobody.status, 3, "{nobody:?}");
    assert!(nobody.stderr.contains("gap: ") && nobody.stderr.contains("no entries for 1 h"), "{nobody:?}");
    assert!(nobody.stderr.contains("incomplete: 1 time without entries"), "{nobody:?}");
    assert!(nobody.stdout.contains("as far as these files are whole"), "{nobody:?}");

    // The gap is none of the question's business.
    let arguments = ["deleted", "pod/nobody", "-n", "shop", "--strict", "--until", "2026-03-02T09:00:10Z"];
    let early = run(arguments.into_iter().chain([folder.to_str().unwrap()]));
    assert_eq!(early.status, 1, "{early:?}");
    let late = run(["deleted", "pod/nobody", "--since", "2026-03-03T00:00:00Z", folder.to_str().unwrap()]);
    assert!(late.stdout.contains("these files can't tell: they hold entries from"), "{late:?}");
}

#[test]
fn bad_lines_and_bodies_cut_off_are_losses() {
    let context = Context::new().unwrap();
    let text = std::fs::read_to_string(log("delete")).unwrap();
    let torn = context.write("torn.log", format!("{text}{{\"kind\":\"Ev\n")).unwrap();
    let nobody = ask("deleted", torn.to_str().unwrap());
    assert_eq!(nobody.status, 3, "{nobody:?}");
    assert!(nobody.stderr.trim_end().lines().last().unwrap().starts_with("searched "), "{nobody:?}");

    let cut: Vec<String> = text
        .lines()
        .map(|line| {
            let line = line.strip_suffix('}').unwrap();
            format!("{line},\"annotations\":{{\"audit.k8s.io/truncated\":\"true\"}}}}")
        })
        .collect();
    let cut = context.write("cut/audit.log", cut.join("\n")).unwrap();
    let found = run(["deleted", "pod/web-1", "-n", "shop", "--strict", cut.to_str().unwrap()]);
    assert_eq!(found.status, 3, "{found:?}");
    assert!(found.stderr.contains("whose bodies were cut off"), "{found:?}");
}

#[test]
fn a_file_that_is_no_log_is_told_in_one_line() {
    let context = Context::new().unwrap();
    let klog = context.write("kubelet.log", "I0302 09:00:00 started\n".repeat(30)).unwrap();
    let asked = run(["deleted", "pod/web-1", "-n", "shop", &log("delete"), klog.to_str().unwrap()]);
    assert_eq!(asked.status, 0, "{asked:?}");
    let told: Vec<&str> = asked.stderr.lines().filter(|line| line.contains("kubelet.log")).collect();
    assert_eq!(told.len(), 1, "{asked:?}");
    assert!(told[0].contains("30 lines, none of them an entry; first at byte 0: "), "{asked:?}");
    let quiet = run(["deleted", "pod/web-1", "-n", "shop", "-q", &log("delete"), klog.to_str().unwrap()]);
    assert!(!quiet.stderr.contains("searched") && quiet.stderr.contains("not an audit log"), "{quiet:?}");
}

#[test]
fn what_a_window_leaves_out_is_told() {
    let context = Context::new().unwrap();
    let path = context.path().join("long.log");
    let mut file = std::fs::File::create(&path).unwrap();
    let generator = Generator::new(3).hits("needle", 4);
    let written = generator.write(&mut file, 12_000_000).unwrap();
    let path = path.to_str().unwrap();

    // The last of the four pods.
    let window = ["--since", "2026-03-02T09:00:50Z", "--until", "2026-03-02T09:00:52Z"];
    let asked = |format: &str| {
        run(["evicted", "pod/needle-*", "--utc", "-o", format].into_iter().chain(window).chain([path]))
    };
    let found = asked("json");
    assert_eq!(found.status, 0, "{found:?}");
    let objects = found.objects();
    let coverage = objects.last().unwrap();
    assert_eq!(objects.len(), 2, "{coverage}");
    let read = |field: &str| coverage["total"][field].as_u64().unwrap();
    assert_eq!(read("bytes") + read("outsideBytes"), written.bytes);
    assert!(read("outsideBytes") > 1_000_000, "{coverage}");
    // There is no drain behind it, so that it is looked for further back.
    assert_eq!(coverage["contextFrom"].as_str().unwrap().get(..17), Some("2026-03-02T08:45:"), "{coverage}");
    assert!(
        asked("text")
            .stderr
            .contains(" outside of the window not read; causes looked for from 2026-03-02 08:45:")
    );

    let nobody = run(["evicted", "pod/nobody", "--utc"].into_iter().chain(window).chain([path]));
    assert!(
        nobody.stdout.contains("nobody did, within 2026-03-02T09:00:50.000000Z to 2026-03-02T09:00:52"),
        "{nobody:?}"
    );
}
