//! How fast logs are collected into a store: `audit-who-bench-store LOG DB [all]`.

#![expect(clippy::print_stdout, reason = "what was measured is its output")]

use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use audit_who_core::Error;
use audit_who_core::store::{Keep, Prepared, Recorder, Store};
use audit_who_core::tail::{Batch, Tailer};

/// Bytes that are committed at once.
const BATCH: usize = 4 * 1024 * 1024;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [log, db, keep @ ..] = arguments.as_slice() else {
        println!("usage: audit-who-bench-store LOG DB [all]");
        return Ok(());
    };
    let keep = if keep.is_empty() { Keep::Notable } else { Keep::All };
    let store = Store::open(db, Duration::ZERO)?;
    let mut recorder = Recorder::new(&store, keep)?;
    let tailer = Tailer::builder()
        .path(log)
        .inotify_watcher(false)
        .exit_on_eof(true)
        .batch_size(BATCH)
        .build_on(store)?;
    let began = Instant::now();
    let (mut preparing, mut bytes) = (Duration::ZERO, 0);
    let (sender, receiver) = sync_channel::<(Batch, Prepared)>(4);
    let (writing, kept) = std::thread::scope(|scope| {
        let writer = scope.spawn(move || -> Result<_, Error> {
            let (mut writing, mut kept) = (Duration::ZERO, 0);
            for (mut batch, prepared) in receiver {
                let began = Instant::now();
                let (batch, prepared): (&mut audit_who_core::tail::Batch, audit_who_core::store::Prepared) =
                    (&mut batch, prepared);
                kept += batch.commit_with(|transaction| prepared.write(transaction))?;
                writing += began.elapsed();
            }
            Ok((writing, kept))
        });
        for batch in tailer {
            let batch = batch?;
            bytes += batch.length();
            let began = Instant::now();
            let prepared = recorder.prepare(&batch);
            preparing += began.elapsed();
            if sender.send((batch, prepared)).is_err() {
                break;
            }
        }
        drop(sender);
        writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    let elapsed = began.elapsed();
    println!("{} MB, {kept} events kept in {elapsed:.2?}: {}", bytes / 1_000_000, rate(bytes, elapsed));
    println!("preparing {preparing:.2?}: {}", rate(bytes, preparing));
    println!("writing {writing:.2?}: {}", rate(bytes, writing));
    Ok(())
}

/// Bytes a microsecond are megabytes a second.
fn rate(bytes: u64, time: Duration) -> String {
    format!("{} MB/s", u128::from(bytes) / time.as_micros().max(1))
}
