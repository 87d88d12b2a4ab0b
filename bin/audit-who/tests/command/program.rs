//! Runs the built program.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// What one run came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The answers of `-o json`, without the coverage that ends them.
    pub(crate) fn answers(&self) -> Vec<Value> {
        let mut objects = self.objects();
        let coverage = objects.pop().expect("an output that ends in its coverage");
        assert_eq!(coverage["kind"], "Coverage", "{self:?}");
        objects
    }

    /// Every object of `-o json`.
    pub(crate) fn objects(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect()
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().expect("an exit status"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
        }
    }
}

/// The program, deaf to the environment of whoever runs the tests.
pub(crate) fn audit_who() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_audit-who"));
    command.env("TZ", "UTC").stdin(Stdio::null());
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(name);
    }
    command
}

/// Runs it with these arguments.
pub(crate) fn run<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Run {
    audit_who().args(arguments).output().expect("the program runs").into()
}

/// Runs it with `input` as its standard input.
pub(crate) fn run_with_stdin<I: AsRef<OsStr>>(input: &Path, arguments: impl IntoIterator<Item = I>) -> Run {
    let file = File::open(input).expect("the input opens");
    audit_who().args(arguments).stdin(file).output().expect("the program runs").into()
}
