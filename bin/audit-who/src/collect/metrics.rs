//! What a collector did, as Prometheus reads it
//! ([source](https://prometheus.io/docs/instrumenting/exposition_formats/)).

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit_who_core::tail::Metrics;

use super::http::Response;
use super::state::State;

/// The media type of the text format.
const KIND: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Where metrics come from.
#[derive(Debug)]
pub(super) struct Source {
    db: PathBuf,
    tailer: Arc<Metrics>,
    state: Arc<State>,
}

type Read = fn(&Source) -> f64;

/// Name, type, what it says, and how it is told.
const METRICS: &[(&str, &str, &str, Read)] = &[
    ("bytes_total", "counter", "Decompressed bytes that were committed.", |it| float(it.tailer.bytes())),
    ("lines_total", "counter", "Lines that were committed, blank ones left out.", |it| {
        float(it.tailer.entries())
    }),
    ("events_total", "counter", "Audit events that were committed, kept or not.", |it| {
        float(it.state.events.get())
    }),
    ("events_kept_total", "counter", "Audit events that were put into the store.", |it| {
        float(it.state.kept.get())
    }),
    (
        "events_removed_total",
        "counter",
        "Audit events that were removed from the store, as they were too old or too many.",
        |it| float(it.state.removed.get()),
    ),
    ("bad_spans_total", "counter", "Runs of bytes that hold no audit event.", |it| {
        float(it.state.bad_spans.get())
    }),
    ("gaps_total", "counter", "Losses: content that went away before it was read.", |it| {
        float(it.tailer.gaps())
    }),
    ("commits_total", "counter", "Batches that were committed.", |it| float(it.tailer.commits())),
    ("commit_failures_total", "counter", "Commits that failed, each of which is tried again.", |it| {
        float(it.tailer.failures())
    }),
    ("rotations_total", "counter", "Files that were found under another name than before.", |it| {
        float(it.tailer.rotations())
    }),
    ("generations_total", "counter", "Files that were met for the first time.", |it| {
        float(it.tailer.generations())
    }),
    ("lag_bytes", "gauge", "Bytes of plain files that were not read at the last look.", |it| {
        float(it.tailer.lag())
    }),
    (
        "last_commit_timestamp_seconds",
        "gauge",
        "When something was committed last; 0 before the first time.",
        last_commit,
    ),
    ("store_bytes", "gauge", "Size of the store with its write-ahead log.", |it| float(store_size(&it.db))),
    ("healthy", "gauge", "1 if nothing holds up collecting, as /healthz says.", |it| {
        f64::from(u8::from(it.state.told().is_empty()))
    }),
];

impl Source {
    pub(super) fn new(db: &Path, tailer: Arc<Metrics>, state: Arc<State>) -> Self {
        Self { db: db.to_owned(), tailer, state }
    }

    /// What is answered to a request for a path.
    pub(super) fn at(&self, path: &str) -> Response {
        match path {
            "/metrics" => Response { status: "200 OK", kind: KIND, body: self.exposition() },
            "/healthz" => match self.state.told().as_slice() {
                [] => Response::text("200 OK", "ok\n"),
                troubles => Response::text("503 Service Unavailable", troubles.join("\n") + "\n"),
            },
            _ => Response::text("404 Not Found", "there are /metrics and /healthz\n"),
        }
    }

    fn exposition(&self) -> String {
        METRICS.iter().fold(String::new(), |mut text, (name, kind, help, read)| {
            // Writing to a String can't fail.
            let _ = writeln!(
                text,
                "# HELP audit_who_{name} {help}\n# TYPE audit_who_{name} {kind}\naudit_who_{name} {}",
                read(self)
            );
            text
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus knows no other numbers")]
fn float(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus knows no other numbers")]
fn last_commit(source: &Source) -> f64 {
    source.state.last_commit().map_or(0.0, |time| time.as_micros() as f64 / 1e6)
}

/// Bytes.
fn store_size(db: &Path) -> u64 {
    let mut log = db.as_os_str().to_owned();
    log.push("-wal");
    [db, Path::new(&log)].iter().filter_map(|path| fs::metadata(path).ok()).map(|file| file.len()).sum()
}
