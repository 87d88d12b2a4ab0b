//! What is summed up for one key.

use crate::event::Event;
use crate::long_running::{LONG_RUNNING, SWITCHING_PROTOCOLS};
use crate::note::{Fields, Times};
use crate::time::Timestamp;

use super::latency::Latency;

/// Verbs that a row remembers, by bit; the last one stands for all others.
pub(crate) const VERBS: [&str; 9] =
    ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "other"];

/// The bit of all other verbs.
const OTHER: u8 = 8;

/// What of one entry is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Whether it is only the start of a long-running request.
    begins: bool,
    failed: bool,
    long_running: bool,
    verb: u8,
    time: Option<Timestamp>,
    /// Microseconds from the request to its answer.
    took: Option<u64>,
}

impl Request {
    /// The fields that tell what of an entry is counted, where it has an object.
    pub(super) const HEEDS: Fields =
        Fields::STAGE.and(Fields::CODE).and(Fields::VERB).and(Fields::USER).and(Fields::SUBRESOURCE);

    /// `None` for entries that are neither the end of a request nor the start of a long-running one.
    ///
    /// A long-running request that is refused has two entries with that status; a failed authentication has one only,
    /// of stage `ResponseStarted`, without a user
    /// ([source](https://github.com/kubernetes/apiserver/blob/master/pkg/endpoints/filters/authn_audit.go)).
    pub fn of(event: &Event<'_>) -> Option<Self> {
        let failed = event.code() >= 400;
        let begins = match event.stage.as_ref() {
            "ResponseComplete" | "Panic" => false,
            "ResponseStarted" if !failed => true,
            "ResponseStarted" if event.user.username.is_empty() => false,
            _ => return None,
        };
        let verb = (0..).zip(VERBS).find(|(_, verb)| *verb == event.verb).map_or(OTHER, |(bit, _)| bit);
        let long_running = is_long_running(event);
        let request = Self { begins, failed, long_running, verb, time: None, took: None };
        Some(request.at(&Times { received: event.received, stage_time: event.stage_time }))
    }

    /// The same at another time.
    pub(super) fn at(self, times: &Times) -> Self {
        // Entries of old versions have one time for both.
        let took = times.stage_time.zip(times.received).map(|(end, start)| end.since(start));
        let took = took.and_then(|micros| u64::try_from(micros).ok()).filter(|micros| *micros > 0);
        Self { time: times.stage_time, took, ..self }
    }
}

fn is_long_running(event: &Event<'_>) -> bool {
    let subresource = event.object_ref.as_ref().map_or("", |object| object.subresource.as_ref());
    event.verb == "watch"
        || event.code() == SWITCHING_PROTOCOLS
        || LONG_RUNNING.contains(&subresource)
        || event.object_ref.is_none() && event.request_uri.starts_with("/debug/pprof/")
}

/// Sums over the requests of one key, which can be kept and added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Requests that were answered.
    pub requests: u64,
    /// Those answered with a status of 400 or more.
    pub errors: u64,
    /// Those that last as long as the client wants.
    pub long_running: u64,
    /// Long-running requests whose start was met; they are not among `requests` for that.
    pub begun: u64,
    /// Long-running requests whose good end was met.
    pub ended: u64,
    /// A bit for each verb that was met, from the lowest: get, list, watch, create, update, patch, delete,
    /// deletecollection, any other.
    pub verbs: u16,
    /// Stage time of the first entry.
    pub first: Option<Timestamp>,
    /// Stage time of the last entry.
    pub last: Option<Timestamp>,
    /// How long those requests took that are not long-running.
    pub latency: Latency,
}

impl Sums {
    /// Adds a request.
    pub fn count(&mut self, request: &Request) {
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

    /// Adds all that `other` is the sum of.
    pub fn merge(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.errors = self.errors.saturating_add(other.errors);
        self.long_running = self.long_running.saturating_add(other.long_running);
        self.begun = self.begun.saturating_add(other.begun);
        self.ended = self.ended.saturating_add(other.ended);
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
