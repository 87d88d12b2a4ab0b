//! `audit-who checkpoint` shows how far files are read, and mends it.

use std::fs;

use crate::collector::{Bench, append, entries};

const ROTATED: &str = "audit-2026-03-02T09-00-05.123.log";

/// A store with a rotated file and the live one, whose last line is torn.
fn collected() -> Bench {
    let bench = Bench::new();
    append(&bench.log(ROTATED), &entries(0..3));
    append(&bench.log("audit.log"), &(entries(3..5) + "not an entry\n{\"torn"));
    assert_eq!(bench.once().status, 0);
    bench
}

#[test]
fn ls_shows_how_far_files_are_read() {
    let bench = collected();
    let table = bench.checkpoint("ls", []).stdout;
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    let [head, rotated, live] = rows.as_slice() else { panic!("{table}") };
    assert_eq!(head[..5], ["ID", "STATE", "READ", "OFFSET", "SIZE"]);
    assert_eq!(rotated[1..3], ["final", "100%"]);
    assert_eq!(live[1..3], ["growing", "99%"]);
    assert_eq!(live[5], "2026-03-02T09:00:00.000504Z");
    let objects = bench.checkpoint("ls", ["-o", "json"]).objects();
    assert_eq!(objects.len(), 2);
    assert_eq!((&objects[0]["kind"], &objects[0]["lines"]), (&"Generation".into(), &3.into()));
    assert_eq!(objects[0]["path"], bench.log(ROTATED).to_str().unwrap());
    assert_eq!(objects[0]["source"], bench.log("audit.log").to_str().unwrap());
}

#[test]
fn verify_tells_what_does_not_fit_any_more() {
    let bench = collected();
    let well = bench.checkpoint("verify", []);
    assert_eq!(well.status, 0, "{well:?}");
    let live = bench.log("audit.log");
    let text = fs::read_to_string(&live).unwrap();
    for (content, said) in [
        (Some(text.replace("maria", "eve")), "begins with something else"),
        (Some(text[..entries(3..4).len()].to_owned()), "it ends before byte "),
        (Some(text.replace("not an", "not nn")), "another record than was read there"),
        (Some(String::new()), "it is empty"),
        (None, "is not there"),
    ] {
        match content {
            Some(content) => fs::write(&live, content).unwrap(),
            None => fs::remove_file(&live).unwrap(),
        }
        let told = bench.checkpoint("verify", ["-o", "json"]);
        assert_eq!(told.status, 1, "{told:?}");
        let verdicts = told.objects();
        assert_eq!((&verdicts[0]["ok"], &verdicts[1]["ok"]), (&true.into(), &false.into()), "{told:?}");
        assert!(verdicts[1]["finding"].as_str().unwrap().contains(said), "{said}: {told:?}");
    }
    // Whatever it is called, and packed or not: it is found again.
    fs::write(bench.log("audit.log.1"), &text).unwrap();
    let found = bench.checkpoint("verify", []);
    assert_eq!(found.status, 0, "{found:?}");
    assert!(found.stdout.contains("audit.log.1"), "{found:?}");
    // What was read to its end may go.
    fs::remove_file(bench.log(ROTATED)).unwrap();
    let gone = bench.checkpoint("verify", []);
    assert_eq!(gone.status, 0, "{gone:?}");
    assert!(gone.stdout.contains("its file is gone; it was read to its end"), "{gone:?}");
}

#[test]
fn what_is_reset_is_read_again_and_stored_once() {
    let bench = collected();
    bench.assert_stored(0..5);
    let unsure = bench.checkpoint("reset", ["1"]);
    assert_eq!(unsure.status, 1, "{unsure:?}");
    assert!(unsure.stdout.contains("yes") && unsure.stderr.contains("give --yes"), "{unsure:?}");
    assert!(bench.once().stderr.contains(" events=0 "));
    let live = bench.log("audit.log");
    for (which, events) in [("1", 3), (live.to_str().unwrap(), 5), ("--all", 5)] {
        let reset = bench.checkpoint("reset", [which, "--yes"]);
        assert_eq!(reset.status, 0, "{reset:?}");
        let again = bench.once();
        assert!(again.stderr.contains(&format!(" events={events} kept=0 ")), "{which}: {again:?}");
        bench.assert_stored(0..5);
    }
    let nothing = bench.checkpoint("reset", ["17", "--yes"]);
    assert_eq!(nothing.status, 1, "{nothing:?}");
    assert!(nothing.stderr.contains("nothing in the store is meant"), "{nothing:?}");
    let missing = bench.log("no.db");
    let no_store =
        crate::program::run(["checkpoint", "reset", "--all", "--yes", "--db", missing.to_str().unwrap()]);
    assert_eq!(no_store.status, 2, "{no_store:?}");
    assert!(no_store.stderr.contains("there is no store") && !missing.exists(), "{no_store:?}");
}

/// Reading it again would find nothing, and take it for a loss.
#[test]
fn what_has_no_file_is_not_reset() {
    let bench = collected();
    fs::remove_file(bench.log(ROTATED)).unwrap();
    let reset = bench.checkpoint("reset", ["--all", "--yes"]);
    assert_eq!(reset.status, 0, "{reset:?}");
    bench.once();
    bench.assert_stored(0..5);
    assert_eq!(bench.count("gaps"), 0);
}

#[test]
fn export_prints_everything_that_is_no_event() {
    let bench = collected();
    fs::remove_file(bench.log("audit.log")).unwrap();
    bench.once();
    let kinds: Vec<String> = bench
        .checkpoint("export", [])
        .objects()
        .iter()
        .map(|object| object["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["Generation", "Generation", "Gap", "BadSpan"]);
}

#[test]
fn names_of_files_are_harmless() {
    let bench = Bench::new();
    append(&bench.log("a\u{1b}[31m\u{202e}.log"), &entries(0..3));
    bench.once();
    for (subcommand, arguments) in
        [("ls", vec![]), ("verify", vec![]), ("export", vec![]), ("reset", vec!["--all"])]
    {
        let mut command = crate::program::audit_who();
        command.args(["checkpoint", subcommand, "--db"]).arg(bench.db()).args(arguments);
        let told: crate::program::Run = command.output().unwrap().into();
        assert!(told.stdout.contains(".log"), "{told:?}");
        assert!(!told.stdout.contains(['\u{1b}', '\u{202e}']), "{told:?}");
    }
}
