//! How fast questions are answered, in bytes of log a second: `cargo bench -p audit-who-benches`.

#![expect(clippy::expect_used, reason = "a benchmark that can't begin has nothing to say")]

use std::path::Path;

use audit_who_core::event::case::{Ask, Case, Subject};
use audit_who_core::event::look::Look;
use audit_who_core::event::{event::Event, fold, question, target::Target};
use audit_who_core::{Files, Inputs, Scan, ask};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const BYTES: u64 = 256 * 1024 * 1024;
const HITS: u64 = 2_000;

/// Counts events: what a scan costs that decodes all of them and learns nothing.
#[derive(Default)]
struct Count(u64);

impl fold::Fold for Count {
    fn event(&mut self, _: &Event<'_>, _: fold::Address) {
        self.0 += 1;
    }
    fn merge(&mut self, other: Self) {
        self.0 += other.0;
    }
}

fn evicted(log: &Path, pod: &str) -> usize {
    let question = question::named("evicted").expect("a question of the table");
    let subject = Subject::Target(Target::parse(pod).expect("a target"));
    let case = Case::new(Ask::new(question, subject));
    ask(&Files::new(&Scan::new(), &Inputs::open([log])), case).findings.answers.len()
}

fn scan(criterion: &mut Criterion) {
    let log = audit_who_benches::log(BYTES, HITS).expect("a log can be written");
    let bytes = std::fs::metadata(&log).expect("the log is there").len();
    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Bytes(bytes)).sample_size(10);
    group.bench_function("absent name", |b| b.iter(|| evicted(&log, "pod/no-such-pod")));
    group.bench_function("2,000 hits", |b| b.iter(|| evicted(&log, "pod/hit*")));
    group.bench_function("decode everything", |b| {
        let inputs = Inputs::open([&log]);
        b.iter(|| Scan::new().run(&inputs, &Look::everything(), Count::default).0.0);
    });
    group.finish();
}

criterion_group!(benches, scan);
criterion_main!(benches);
