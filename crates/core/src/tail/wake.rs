//! What ends a wait: a hint that a file changed, a stop, or the time.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// Waits for what may have happened. Hints may be lost, doubled or wrong: whoever waits looks for himself.
#[derive(Debug)]
pub(crate) struct Wake {
    hints: Receiver<()>,
    handle: Handle,
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
}

/// Ends a wait from elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Handle {
    hint: SyncSender<()>,
    stopped: Arc<AtomicBool>,
}

impl Handle {
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.hint();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    fn hint(&self) {
        // One that is not taken yet says all there is to say.
        let _ = self.hint.try_send(());
    }
}

impl Wake {
    /// With `watch`, changes in folders give hints.
    pub(crate) fn new(watch: bool) -> Self {
        let (hint, hints) = sync_channel(1);
        let handle = Handle { hint, stopped: Arc::default() };
        let hinting = handle.clone();
        let watcher = watch.then(|| {
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                // Our own opening and reading is no change; an overflow may hide one.
                if event
                    .as_ref()
                    .map_or(true, |event| !matches!(event.kind, EventKind::Access(_)) || event.need_rescan())
                {
                    hinting.hint();
                }
            })
        });
        let watcher = watcher.and_then(|made| {
            made.map_err(
                |error| log::warn!(error:% = error; "changes of files can't be watched: they are polled"),
            )
            .ok()
        });
        Self { hints, handle, watcher, watched: BTreeSet::new() }
    }

    pub(crate) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Watches these folders and no others.
    pub(crate) fn watch(&mut self, folders: &BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else { return };
        for gone in self.watched.difference(folders) {
            // A folder that is gone is not watched any more.
            let _ = watcher.unwatch(gone);
        }
        let mut now: BTreeSet<PathBuf> = self.watched.intersection(folders).cloned().collect();
        for new in folders.difference(&self.watched) {
            match watcher.watch(new, RecursiveMode::NonRecursive) {
                Ok(()) => _ = now.insert(new.clone()),
                Err(error) => {
                    log::warn!(path:? = new, error:% = error; "a folder can't be watched: its files are polled");
                }
            }
        }
        self.watched = now;
    }

    /// Whether there was a hint since the last one was taken.
    pub(crate) fn was_hinted(&self) -> bool {
        self.hints.try_recv().is_ok()
    }

    /// Waits for a hint, but no longer than so long.
    pub(crate) fn wait(&self, at_most: Duration) {
        let _ = self.hints.recv_timeout(at_most);
    }
}
