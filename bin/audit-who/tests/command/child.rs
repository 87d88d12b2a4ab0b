//! Runs the built program while its input grows.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::program::audit_who;

/// Longer than anything takes on a busy machine: it ends a test that would hang.
const PATIENCE: Duration = Duration::from_mins(1);

/// The program while it runs, killed when it goes.
pub(crate) struct Following {
    child: Child,
    out: Receiver<String>,
    err: Receiver<String>,
}

impl Following {
    pub(crate) fn start<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Self {
        let mut child = audit_who()
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let out = lines(child.stdout.take().expect("a pipe"));
        let err = lines(child.stderr.take().expect("a pipe"));
        Self { child, out, err }
    }

    /// The next line of standard output.
    pub(crate) fn line(&self) -> String {
        self.out.recv_timeout(PATIENCE).expect("a line on standard output")
    }

    /// The next line of standard output, if there is one soon.
    pub(crate) fn try_line(&self) -> Option<String> {
        self.out.recv_timeout(Duration::from_millis(20)).ok()
    }

    /// The next line of standard output, as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.line()).expect("JSON")
    }

    /// Waits for a line of standard error that holds `text`.
    pub(crate) fn complaint(&self, text: &str) -> String {
        loop {
            let line = self.err.recv_timeout(PATIENCE).expect("a line on standard error");
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Waits for its end: exit status, what is left of standard output, and of standard error.
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<String>, Vec<String>) {
        let out = self.out.iter().collect();
        let err = self.err.iter().collect();
        (self.child.wait().expect("an end").code(), out, err)
    }

    /// Ends it as a service manager does.
    pub(crate) fn stop(self) -> (Option<i32>, Vec<String>, Vec<String>) {
        self.signal("-TERM");
        self.end()
    }

    /// Ends it as an error of the machine does.
    pub(crate) fn kill(self) {
        self.signal("-KILL");
        self.end();
    }

    /// Reads no more, as `head` does.
    pub(crate) fn start_deaf<I: AsRef<OsStr>>(
        arguments: impl IntoIterator<Item = I>,
    ) -> (Child, BufReader<ChildStdout>) {
        let mut child = audit_who()
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        (child, out)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(from: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Appends as the API server does: all in one write.
pub(crate) fn append(path: &Path, text: &str) {
    let mut file = File::options().append(true).create(true).open(path).expect("the log");
    file.write_all(text.as_bytes()).expect("the log");
}

/// Rotates as the API server does: the log is renamed, and begun anew by the next append.
pub(crate) fn rotate(log: &Path, time: &str) {
    let name = format!("audit-{time}.log");
    fs::rename(log, log.with_file_name(name)).expect("the log");
}
