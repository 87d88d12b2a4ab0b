//! What ends a wait: a hint that a file changed, a stop, or the time.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::watch::Watches;

/// Waits for what may have happened. Hints may be lost, doubled or wrong: whoever waits looks for himself.
///
/// There is no thread behind it: what waits is whoever calls.
#[derive(Debug)]
pub(crate) struct Wake {
    /// Readable when somebody wants the wait to end; `None` if the system had none to give.
    woken: Option<UnixStream>,
    handle: Handle,
    watches: Option<Watches>,
}

/// Ends a wait from elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Handle {
    wake: Option<Arc<UnixStream>>,
    stopped: Arc<AtomicBool>,
}

impl Handle {
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        if let Some(wake) = &self.wake {
            // One byte that is not taken yet says all there is to say.
            let _ = (&**wake).write(&[1]);
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
}

impl Wake {
    /// With `watch`, changes in folders give hints.
    pub(crate) fn new(watch: bool) -> Self {
        let (woken, wake) = pair().map_or((None, None), |(woken, wake)| (Some(woken), Some(Arc::new(wake))));
        let watches = watch.then(Watches::new).and_then(|made| {
            made.map_err(
                |error| log::warn!(error:% = error; "changes of files can't be watched: they are polled"),
            )
            .ok()
        });
        Self { woken, handle: Handle { wake, stopped: Arc::default() }, watches }
    }

    pub(crate) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Whether changes give hints at all.
    pub(crate) const fn is_watching(&self) -> bool {
        self.watches.is_some()
    }

    /// Watches these folders and no others.
    pub(crate) fn watch(&mut self, folders: &[Arc<Path>]) {
        if let Some(watches) = &mut self.watches {
            watches.set(folders);
        }
    }

    /// Whether there was a hint since the last one was taken.
    pub(crate) fn was_hinted(&mut self) -> bool {
        let woken = self.woken.as_mut().is_some_and(|woken| matches!(woken.read(&mut [0; 64]), Ok(1..)));
        self.watches.as_mut().is_some_and(Watches::take) || woken
    }

    /// Waits for a hint, but no longer than so long.
    pub(crate) fn wait(&self, at_most: Duration) {
        let sources = [self.woken.as_ref().map(AsFd::as_fd), self.watches.as_ref().map(AsFd::as_fd)];
        let readable = |source| PollFd::from_borrowed_fd(source, PollFlags::IN);
        let mut sources: Vec<PollFd<'_>> = sources.into_iter().flatten().map(readable).collect();
        let timeout = Timespec::try_from(at_most).ok();
        if let Err(error) = poll(&mut sources, timeout.as_ref())
            && error != rustix::io::Errno::INTR
        {
            // It must not look all the time for that.
            std::thread::sleep(at_most);
        }
    }
}

fn pair() -> io::Result<(UnixStream, UnixStream)> {
    let (woken, wake) = UnixStream::pair()?;
    woken.set_nonblocking(true)?;
    wake.set_nonblocking(true)?;
    Ok((woken, wake))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_stop_ends_a_wait_at_once_and_is_taken_once() {
        let mut wake = Wake::new(false);
        let handle = wake.handle();
        let begun = Instant::now();
        std::thread::spawn(move || (0..1000).for_each(|_| handle.stop()));
        wake.wait(Duration::from_hours(1));
        assert!(begun.elapsed() < Duration::from_mins(1));
        assert!(wake.handle().is_stopped());
        while wake.was_hinted() {}
        wake.wait(Duration::from_millis(1));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_read_gives_no_hint_and_what_is_written_does() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("audit.log");
        std::fs::write(&file, "one\n").unwrap();
        let mut wake = Wake::new(true);
        wake.watch(&[folder.path().into()]);
        for _ in 0..3 {
            std::fs::read(&file).unwrap();
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
            assert!(!wake.was_hinted(), "reading is no change");
        }
        std::fs::write(&file, "two\n").unwrap();
        wake.wait(Duration::from_hours(1));
        assert!(wake.was_hinted());
        assert!(!wake.was_hinted());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_folder_that_was_replaced_is_watched_again() {
        let parent = tempfile::TempDir::new().unwrap();
        let folder = parent.path().join("logs");
        let folders = [Arc::from(folder.as_path())];
        let mut wake = Wake::new(true);
        for name in ["first", "second"] {
            std::fs::create_dir(&folder).unwrap();
            wake.watch(&folders);
            assert!(!wake.was_hinted());
            std::fs::write(folder.join("audit.log"), "one\n").unwrap();
            assert!(wake.was_hinted());
            std::fs::rename(&folder, parent.path().join(name)).unwrap();
            assert!(wake.was_hinted());
        }
        // What happens in a folder that was renamed is none of our business.
        std::fs::write(parent.path().join("second/audit.log"), "two\n").unwrap();
        assert!(!wake.was_hinted());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_queue_that_overflows_is_one_hint() {
        let folder = tempfile::TempDir::new().unwrap();
        let mut wake = Wake::new(true);
        wake.watch(&[folder.path().into()]);
        let limit = std::fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
        let limit: usize = limit.trim().parse().unwrap();
        // Hints that are alike and follow each other are one.
        let names = ["a", "b"].map(|name| folder.path().join(name));
        let mut files = names.each_ref().map(|name| std::fs::File::create(name).unwrap());
        for number in 0..=limit.min(100_000) {
            files[number % 2].write_all(&[0]).unwrap();
        }
        while wake.was_hinted() {}
        std::fs::write(&names[0], [1]).unwrap();
        assert!(wake.was_hinted());
        while wake.was_hinted() {}
    }
}
