//! Names out of a log can hold anything; what is shown of them is harmless.

use audit_who_testkit::context::fixtures;

use crate::program::{audit_who, run};

const FORMATS: &[&str] = &["text", "json", "yaml", "csv", "wide", "name"];

/// Users whose names clear the screen, turn text around, and calculate.
fn hostile() -> String {
    fixtures().join("hostile/audit.log").to_str().unwrap().to_owned()
}

#[test]
fn no_format_lets_a_name_speak_to_the_terminal() {
    for format in FORMATS {
        for arguments in [
            ["deleted", "pod", "--utc", "-o", format, &hostile()],
            // What was asked for is shown too.
            ["deleted", "pod/\u{1b}[2J\u{202e}*", "--utc", "-o", format, &hostile()],
        ] {
            let shown = run(arguments);
            let text = format!("{}{}", shown.stdout, shown.stderr);
            let control = |letter: &char| letter.is_control() && *letter != '\n';
            assert_eq!(text.chars().find(control), None, "{format}: {text}");
            assert!(!text.contains('\u{202e}'), "{format}: {text}");
        }
    }
}

#[test]
fn what_is_harmless_in_json_is_whole_when_read() {
    let answers = run(["deleted", "pod", "-o", "json", &hostile()]).answers();
    assert_eq!(answers[0]["actor"]["username"], "eve\u{1b}[31m\r\nroot\u{202e}nimda\tok");
    assert_eq!(answers[1]["actor"]["username"], "=cmd|' /C calc'!A0");
}

#[test]
fn a_spreadsheet_takes_no_name_for_a_formula() {
    let sheet = run(["deleted", "pod", "-o", "csv", &hostile()]).stdout;
    assert!(sheet.contains(",'=cmd|' /C calc'!A0,"), "{sheet}");
    assert!(!sheet.contains(",=cmd"), "{sheet}");
}

#[test]
fn an_error_shows_what_was_given_harmlessly() {
    for arguments in [
        ["deleted", "pod", "--since", "\u{1b}[31mnoon", "x"],
        ["deleted", "pod", "--timezone", "\u{1b}[31mMars", "x"],
        ["deleted", "p\u{1b}[31mod/x", "-n", "y", "x"],
        ["deleted", "pod", "-n", "y", "\u{1b}[31m"],
    ] {
        let refused = run(arguments);
        assert_eq!(refused.status, 2, "{refused:?}");
        assert!(!refused.stderr.contains('\u{1b}'), "{refused:?}");
    }
}

#[test]
fn colour_comes_when_asked_for() {
    let log = fixtures().join("drain/audit.log");
    let colours = |arguments: &[&str], variable: Option<(&str, &str)>| {
        let mut command = audit_who();
        command.args(["evicted", "pod/web-1"]).args(arguments).arg(&log).envs(variable);
        let output = command.output().unwrap();
        assert!(output.status.success());
        output.stdout.contains(&0x1b)
    };
    // Standard output is a pipe here.
    assert!(!colours(&[], None));
    assert!(!colours(&["--color", "auto"], None));
    assert!(colours(&["--color", "always"], None));
    assert!(!colours(&["--color", "never"], Some(("CLICOLOR_FORCE", "1"))));
    assert!(colours(&[], Some(("CLICOLOR_FORCE", "1"))));
    assert!(!colours(&[], Some(("NO_COLOR", "1"))));
    for format in ["json", "yaml", "csv", "name"] {
        assert!(!colours(&["--color", "always", "-o", format], None), "{format}");
    }
}
