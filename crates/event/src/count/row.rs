//! What is summed up for one key.

use crate::event::Event;
use crate::time::Timestamp;

use super::latency::Latency;

/// Verbs that a row remembers, by bit; the last one stands for all others.
pub(crate) const VERBS: [&str; 9] =
    ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "other"];

/// Subresources whose requests last as long as somebody wants them to
/// ([source](https://github.com/kubernetes/kubernetes/blob/master/pkg/controlplane/apiserver/config.go)).
const LONG_RUNNING: &[&str] = &["attach", "exec", "proxy", "log", "portforward"];

/// What of one entry is counted.
#[derive(Debug)]
pub(super) struct Request {
    /// Whether it is only the start of a long-running request.
    begins: bool,
    failed: bool,
    long_running: bool,
    verb: usize,
    time: Option<Timestamp>,
    /// Microseconds from the request to its answer.
    took: Option<u64>,
}

impl Request {
    /// `None` for entries that are neither the end of a request nor the start of a long-running one.
    ///
    /// A long-running request that is refused has two entries with that status; a failed authentication has one only,
    /// of stage `ResponseStarted`, without a user
    /// ([source](https://github.com/kubernetes/apiserver/blob/master/pkg/endpoints/filters/authn_audit.go)).
    pub(super) fn of(event: &Event<'_>) -> Option<Self> {
        let failed = event.code() >= 400;
        let begins = match event.stage.as_ref() {
            "ResponseComplete" | "Panic" => false,
            "ResponseStarted" if !failed => true,
            "ResponseStarted" if event.user.username.is_empty() => false,
            _ => return None,
        };
        let verb = VERBS.iter().position(|verb| *verb == event.verb).unwrap_or(VERBS.len() - 1);
        // Entries of old versions have one time for both.
        let took = event.stage_time.zip(event.received).map(|(end, start)| end.since(start));
        let took = took.and_then(|micros| u64::try_from(micros).ok()).filter(|micros| *micros > 0);
        Some(Self {
            begins,
            failed,
            long_running: is_long_running(event),
            verb,
            time: event.stage_time,
            took,
        })
    }
}

fn is_long_running(event: &Event<'_>) -> bool {
    let subresource = event.object_ref.as_ref().map_or("", |object| object.subresource.as_ref());
    event.verb == "watch"
        || event.code() == 101
        || LONG_RUNNING.contains(&subresource)
        || event.object_ref.is_none() && event.request_uri.starts_with("/debug/pprof/")
}

/// Sums over the requests of one key.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Row {
    pub(super) requests: u64,
    pub(super) errors: u64,
    pub(super) long_running: u64,
    /// Long-running requests whose start, and whose good end, was met.
    begun: u64,
    ended: u64,
    verbs: u16,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    /// Of requests that are not long-running.
    pub(super) latency: Latency,
}

impl Row {
    pub(super) fn count(&mut self, request: &Request) {
        self.saw(request.time);
        self.verbs |= 1 << request.verb;
        if request.begins {
            self.begun += 1;
            return;
        }
        self.requests += 1;
        self.errors += u64::from(request.failed);
        self.long_running += u64::from(request.long_running);
        self.ended += u64::from(request.long_running && !request.failed);
        if let (false, Some(took)) = (request.long_running, request.took) {
            self.latency.add(took);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.long_running += other.long_running;
        self.begun += other.begun;
        self.ended += other.ended;
        self.verbs |= other.verbs;
        self.saw(other.first);
        self.saw(other.last);
        self.latency.merge(&other.latency);
    }

    /// Long-running requests that have begun and not ended. One whose end is here and whose start is not hides another.
    pub(super) const fn open(&self) -> u64 {
        self.begun.saturating_sub(self.ended)
    }

    /// The verbs of its requests.
    pub(super) fn verbs(&self) -> Vec<&'static str> {
        let is_in = |(bit, _): &(usize, &&str)| self.verbs & (1 << bit) != 0;
        VERBS.iter().enumerate().filter(is_in).map(|(_, verb)| *verb).collect()
    }

    fn saw(&mut self, time: Option<Timestamp>) {
        let Some(time) = time else { return };
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
    }
}
