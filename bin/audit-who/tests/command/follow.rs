//! `--follow`: answers come as they come true, each once, through rotations, ends and crashes.

use std::io::BufRead;
use std::path::PathBuf;

use audit_who_testkit::context::{Context, fixtures};
use serde_json::Value;

use crate::child::{Following, append, rotate};

/// The life of a pod: what comes before its eviction, the eviction, and the kubelet's delete with what follows.
struct Story {
    before: String,
    eviction: String,
    end: String,
}

/// The story of `shop/web-1`, told of another pod and at another minute of the same hour.
fn story(level: &str, name: &str, minute: usize) -> Story {
    let text =
        std::fs::read_to_string(fixtures().join("eviction-api").join(level).join("audit.log")).unwrap();
    let text = text.replace("web-1", name);
    // Two minutes of the story: those in which it begins and ends.
    let text = text.replace("T09:01:", "T09:@1:").replace("T09:00:", &format!("T09:{minute:02}:"));
    let text = text.replace("T09:@1:", &format!("T09:{:02}:", minute + 1));
    let at = |wanted: &str| {
        let is_it = |line: &str| line.contains(wanted) && line.contains("ResponseComplete");
        let line = text.lines().find(|line| is_it(line)).expect(wanted);
        text.find(line).unwrap()
    };
    let (eviction, end) = (at("/eviction\",\"verb\":\"create\""), at("\"verb\":\"delete\""));
    Story {
        before: text[..eviction].to_owned(),
        eviction: text[eviction..end].to_owned(),
        end: text[end..].to_owned(),
    }
}

impl Story {
    fn whole(&self) -> String {
        format!("{}{}{}", self.before, self.eviction, self.end)
    }
}

/// An entry of nobody's interest at that minute.
fn later(minute: usize) -> String {
    story("", "other", minute).before.lines().next().unwrap().to_owned() + "\n"
}

struct Log {
    context: Context,
    path: PathBuf,
}

impl Log {
    fn new(text: &str) -> Self {
        let context = Context::new().unwrap();
        let path = context.write("logs/audit.log", text).unwrap();
        Self { context, path }
    }

    fn follow(&self, question: &[&str], options: &[&str]) -> Following {
        let path = self.path.to_str().unwrap();
        Following::start(question.iter().chain(&["-f", "--utc"]).chain(options).chain(&[path]))
    }

    /// Follows evictions of all pods, as JSON.
    fn evictions(&self, options: &[&str]) -> Following {
        self.follow(&["evicted", "pod/*", "-n", "shop", "-o", "json"], options)
    }

    fn cursor(&self) -> String {
        self.context.path().join("cursor.db").to_str().unwrap().to_owned()
    }
}

fn pod(answer: &Value) -> &str {
    assert_eq!(answer["kind"], "Answer", "{answer}");
    answer["object"]["name"].as_str().unwrap()
}

#[test]
fn answers_that_are_there_come_first_and_new_ones_as_they_come_true() {
    let log = Log::new(&story("", "web-1", 0).whole());
    let following = log.evictions(&[]);
    assert_eq!(pod(&following.json()), "web-1");
    for number in 2..5 {
        let name = format!("web-{number}");
        append(&log.path, &story("", &name, number * 2).whole());
        let answer = following.json();
        assert_eq!(pod(&answer), name);
        assert_eq!(answer["actor"]["username"], "system:serviceaccount:ops:rebalancer");
        // The evidence stands where the answer says.
        let proof = &answer["evidence"][0];
        let text = std::fs::read_to_string(proof["source"].as_str().unwrap()).unwrap();
        let offset = usize::try_from(proof["offset"].as_u64().unwrap()).unwrap();
        let length = usize::try_from(proof["length"].as_u64().unwrap()).unwrap();
        assert!(text[offset..offset + length].contains(&format!("/{name}/eviction")), "{answer}");
    }
    let (status, rest, err) = following.stop();
    assert_eq!(status, Some(0));
    let coverage: Vec<Value> = rest.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(coverage.len(), 1, "{rest:?}");
    assert_eq!(coverage[0]["kind"], "Coverage");
    assert_eq!(coverage[0]["total"]["bytes"], std::fs::metadata(&log.path).unwrap().len());
    assert!(err.last().unwrap().contains("4 found while following"), "{err:?}");
}

#[test]
fn what_is_found_while_following_is_what_is_found_afterwards() {
    for scenario in [
        "drain",
        "eviction-blocked",
        "preemption",
        "scale-down",
        "delete-collection",
        "owner-gc",
        "finalizer",
    ] {
        let text = std::fs::read_to_string(fixtures().join(scenario).join("audit.log")).unwrap();
        let log = Log::new("");
        let following = log.follow(&["deleted", "pod", "-o", "json"], &[]);
        following.complaint("searched");
        append(&log.path, &text);
        let asked =
            crate::program::run(["deleted", "pod", "-o", "json", log.path.to_str().unwrap()]).answers();
        let asked: Vec<&Value> = asked.iter().filter(|answer| answer["kind"] == "Answer").collect();
        for answer in &asked {
            assert_eq!(following.json(), **answer, "{scenario}");
        }
        let (status, rest, _) = following.stop();
        assert_eq!(status, Some(i32::from(asked.is_empty())), "{scenario}");
        assert_eq!(rest.len(), 1, "{scenario}: {rest:?}");
    }
}

#[test]
fn a_rotation_in_between_loses_nothing() {
    for options in [&[][..], &["--poll"]] {
        let log = Log::new(&story("", "web-0", 0).whole());
        let following = log.evictions(options);
        assert_eq!(pod(&following.json()), "web-0");
        let mut rotated = Vec::new();
        for number in 1..4 {
            let Story { before, eviction, end } = story("", &format!("web-{number}"), number * 2);
            append(&log.path, &before);
            append(&log.path, &eviction);
            let time = format!("2026-03-02T09-0{number}-30.000");
            rotate(&log.path, &time);
            rotated.push(format!("audit-{time}.log"));
            append(&log.path, &end);
        }
        for number in 1..4 {
            assert_eq!(pod(&following.json()), format!("web-{number}"));
        }
        let (_, rest, _) = following.stop();
        assert_eq!(rest.len(), 1, "{rest:?}");
    }
}

#[test]
fn a_log_that_is_not_there_yet_is_waited_for() {
    let context = Context::new().unwrap();
    let path = context.path().join("audit.log");
    let following = Following::start(["evicted", "pod/web-1", "-f", "-o", "name", path.to_str().unwrap()]);
    following.complaint("nothing is there yet: waiting for");
    append(&path, &story("", "web-1", 0).whole());
    assert_eq!(following.line(), "pods/web-1");
    assert_eq!(following.stop().0, Some(0));
}

#[test]
fn nothing_found_is_status_1() {
    let log = Log::new(&story("", "web-1", 0).whole());
    let following = log.follow(&["evicted", "pod/nobody"], &[]);
    following.complaint("searched");
    let (status, rest, err) = following.stop();
    assert_eq!((status, rest), (Some(1), Vec::new()));
    assert!(err.last().unwrap().contains("0 found while following"), "{err:?}");
}

#[test]
fn a_cursor_goes_on_without_repeating_or_missing() {
    let log = Log::new(&story("", "web-0", 0).whole());
    let cursor = log.cursor();
    let options = ["--cursor-file", cursor.as_str()];
    // At the first run everything counts.
    let following = log.evictions(&options);
    assert_eq!(pod(&following.json()), "web-0");
    append(&log.path, &story("", "web-1", 2).whole());
    assert_eq!(pod(&following.json()), "web-1");
    assert_eq!(following.stop().0, Some(0));

    append(&log.path, &story("", "web-2", 4).whole());
    rotate(&log.path, "2026-03-02T09-06-00.000");
    append(&log.path, &story("", "web-3", 6).whole());
    let following = log.evictions(&options);
    assert_eq!(pod(&following.json()), "web-2");
    assert_eq!(pod(&following.json()), "web-3");
    append(&log.path, &story("", "web-4", 8).whole());
    assert_eq!(pod(&following.json()), "web-4");
    assert_eq!(following.stop().1.len(), 1);

    let following = log.evictions(&options);
    following.complaint("searched");
    let (status, rest, _) = following.stop();
    assert_eq!((status, rest.len()), (Some(1), 1), "{rest:?}");
}

#[test]
fn the_context_before_a_cursor_counts() {
    let log = Log::new("");
    let cursor = log.cursor();
    let options = ["--cursor-file", cursor.as_str()];
    let Story { before, eviction, end } = story("", "web-1", 0);
    append(&log.path, &format!("{before}{eviction}"));
    let following = log.follow(&["deleted", "pod/web-1", "-o", "json"], &options);
    assert_eq!(pod(&following.json()), "web-1");
    following.stop();
    // The kubelet's delete alone would be nobody's.
    let following = log.follow(&["deleted", "pod/web-1", "-o", "json"], &options);
    following.complaint("searched");
    append(&log.path, &end);
    let answer = following.json();
    assert_eq!(answer["actor"]["username"], "system:serviceaccount:ops:rebalancer", "{answer}");
    following.stop();
}

#[test]
fn after_a_kill_nothing_is_missing() {
    let log = Log::new("");
    let cursor = log.cursor();
    let options = ["--cursor-file", cursor.as_str()];
    let mut told = Vec::new();
    for number in 0..6 {
        let following = log.evictions(&options);
        let name = format!("web-{number}");
        append(&log.path, &story("", &name, number * 2).whole());
        // What the one before printed and did not commit may come again.
        while told.last() != Some(&name) {
            told.push(pod(&following.json()).to_owned());
        }
        following.kill();
    }
    // Each comes at least once, and none before the one it follows.
    let mut first: Vec<&String> = Vec::new();
    for name in &told {
        if !first.contains(&name) {
            first.push(name);
        }
    }
    assert_eq!(first, ["web-0", "web-1", "web-2", "web-3", "web-4", "web-5"], "{told:?}");
}

#[test]
fn what_may_have_been_a_dry_run_is_told_once_it_is_confirmed() {
    let log = Log::new("");
    let following = log.evictions(&[]);
    following.complaint("searched");
    let Story { before, eviction, end } = story("metadata", "web-1", 0);
    append(&log.path, &format!("{before}{eviction}"));
    append(&log.path, &end);
    let answer = following.json();
    assert_eq!((pod(&answer), &answer["outcome"]), ("web-1", &"succeeded".into()));
    append(&log.path, &later(30));
    append(&log.path, &story("", "web-2", 32).whole());
    assert_eq!(pod(&following.json()), "web-2");
    assert_eq!(following.stop().1.len(), 1);
}

#[test]
fn what_is_never_confirmed_is_told_after_a_minute_and_when_following_ends() {
    let log = Log::new("");
    let following = log.evictions(&[]);
    following.complaint("searched");
    let Story { before, eviction, end } = story("metadata", "web-1", 0);
    append(&log.path, &format!("{before}{eviction}"));
    append(&log.path, &later(3));
    let answer = following.json();
    assert_eq!((pod(&answer), &answer["outcome"]), ("web-1", &"unconfirmed".into()));
    // That it came true after all is another answer.
    append(&log.path, &end);
    let answer = following.json();
    assert_eq!((pod(&answer), &answer["outcome"]), ("web-1", &"succeeded".into()));

    let Story { before, eviction, .. } = story("metadata", "web-2", 4);
    append(&log.path, &format!("{before}{eviction}"));
    append(&log.path, &story("", "web-3", 4).whole());
    assert_eq!(pod(&following.json()), "web-3");
    let (_, rest, _) = following.stop();
    let answer: Value = serde_json::from_str(&rest[0]).unwrap();
    assert_eq!((pod(&answer), &answer["outcome"]), ("web-2", &"unconfirmed".into()));
}

#[test]
fn what_is_held_back_survives_a_kill() {
    let log = Log::new("");
    let cursor = log.cursor();
    let options = ["--cursor-file", cursor.as_str()];
    let following = log.evictions(&options);
    following.complaint("searched");
    let Story { before, eviction, end } = story("metadata", "web-1", 0);
    append(&log.path, &format!("{before}{eviction}"));
    append(&log.path, &story("", "web-2", 0).whole());
    assert_eq!(pod(&following.json()), "web-2");
    following.kill();
    append(&log.path, &end);
    let following = log.evictions(&options);
    let mut told = [following.json(), following.json()].map(|answer| pod(&answer).to_owned());
    told.sort();
    assert_eq!(told, ["web-1", "web-2"]);
    assert_eq!(following.stop().1.len(), 1);
}

#[test]
fn a_drain_is_told_when_its_evictions_have_come() {
    let text = std::fs::read_to_string(fixtures().join("drain/audit.log")).unwrap();
    let log = Log::new("");
    let following = log.follow(&["drained", "node/worker-1", "-o", "json"], &[]);
    following.complaint("searched");
    for line in text.lines() {
        append(&log.path, &format!("{line}\n"));
    }
    append(&log.path, &later(30));
    let answer = following.json();
    assert_eq!((&answer["question"], &answer["actor"]["username"]), (&"drained".into(), &"maria".into()));
    assert_eq!(following.stop().1.len(), 1);
}

#[test]
fn requests_by_a_user_are_told_as_they_come() {
    let log = Log::new("");
    let following = log.follow(&["did", "jonas", "--verb", "create", "-o", "json"], &[]);
    following.complaint("searched");
    append(&log.path, &story("", "web-1", 0).whole());
    let answer = following.json();
    assert_eq!((pod(&answer), &answer["actor"]["username"]), ("web-1", &"jonas".into()));
    assert_eq!(following.stop().0, Some(0));
}

#[test]
fn every_format_comes_answer_by_answer() {
    for (format, lines) in [("csv", 1), ("wide", 1), ("name", 1), ("text", 4)] {
        let log = Log::new("");
        let following = log.follow(&["evicted", "pod/*", "-o", format], &[]);
        following.complaint("searched");
        let mut all = Vec::new();
        for number in 0..3 {
            append(&log.path, &story("", &format!("web-{number}"), number * 2).whole());
            let head = usize::from(number == 0 && matches!(format, "csv" | "wide"));
            let gap = usize::from(number > 0 && format == "text");
            let part: Vec<String> = (0..lines + head + gap).map(|_| following.line()).collect();
            assert!(part.iter().any(|line| line.contains(&format!("web-{number}"))), "{format}: {part:?}");
            all.extend(part);
        }
        let heads =
            all.iter().filter(|line| line.starts_with("question,") || line.starts_with("TIME")).count();
        assert_eq!(heads, usize::from(matches!(format, "csv" | "wide")), "{all:?}");
        assert_eq!(following.stop().1, Vec::<String>::new());
    }
}

#[test]
fn bad_lines_are_told_with_their_place() {
    let log = Log::new("");
    let following = log.evictions(&["--strict"]);
    following.complaint("searched");
    append(&log.path, "{\"kind\":\"Ev\u{1b}\n");
    let told = following.complaint("bad line: ");
    assert!(told.contains("audit.log:0 ("), "{told}");
    append(&log.path, &story("", "web-1", 0).whole());
    assert_eq!(pod(&following.json()), "web-1");
    let (status, rest, err) = following.stop();
    assert_eq!(status, Some(3), "{err:?}");
    assert!(rest[0].contains("\"badLines\":1"), "{rest:?}");
}

#[test]
fn a_reader_that_had_enough_is_no_failure() {
    let log = Log::new(&story("", "web-0", 0).whole());
    let arguments = ["evicted", "pod/*", "-f", "-o", "name", log.path.to_str().unwrap()];
    let (mut child, mut out) = Following::start_deaf(arguments);
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "pods/web-0\n");
    drop(out);
    append(&log.path, &story("", "web-1", 2).whole());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn hostile_names_are_harmless_as_they_come() {
    let text = std::fs::read_to_string(fixtures().join("hostile/audit.log")).unwrap();
    let log = Log::new("");
    let following = log.follow(&["deleted", "pod"], &[]);
    following.complaint("searched");
    append(&log.path, &text);
    let line = following.line();
    assert!(line.contains("deleted pod"), "{line}");
    let (_, mut rest, err) = following.stop();
    rest.push(line);
    let shown = rest.iter().chain(&err).flat_map(|line| line.chars());
    assert_eq!(shown.filter(|letter| letter.is_control() || *letter == '\u{202e}').count(), 0);
}

#[test]
fn what_can_t_be_followed_is_refused() {
    for (arguments, why) in [
        (&["evicted", "pod", "-f", "-"][..], "standard input can't be followed"),
        (&["evicted", "pod", "-f", "--until", "2h", "x"], "cannot be used with"),
        (&["evicted", "pod", "--cursor-file", "c", "x"], "--follow"),
        (&["evicted", "pod", "-f", "--cursor-file", "/nowhere/c", "x"], "/nowhere/c"),
    ] {
        let refused = crate::program::run(arguments);
        assert_eq!(refused.status, 2, "{refused:?}");
        assert!(refused.stderr.contains(why), "{refused:?}");
    }
}
