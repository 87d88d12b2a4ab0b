//! The entries of every request side by side: which stand there twice, and which are missing.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::event::Event;
use crate::fold::Address;
use crate::time::Timestamp;

/// How many entries are compared. Of more only those of every second request are, or every fourth, and so on.
const MAX_RECORDS: usize = 2 << 20;
/// Examples of a finding that are kept.
pub(super) const KEPT: usize = 20;
/// Requests that came in so short before the last entry of a server may still be under way, in microseconds.
const UNDER_WAY: i64 = 60_000_000;

/// What is kept of one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    /// Stands for the audit ID.
    request: u64,
    stage: Stage,
    /// Stands for all that the entry says.
    content: u64,
    /// Stands for resource and verb.
    kind: u64,
    address: Address,
    time: Timestamp,
    received: Timestamp,
    /// Whether the request lasts as long as its client likes.
    is_long: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Received,
    Started,
    /// Started with an error: a failed authentication has no other entry, other requests have an end too.
    Refused,
    Ended,
}

/// The entries of a part of all requests, chosen by their audit IDs, so that it is the same part in every thread.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    records: Vec<Record>,
    /// Requests whose number ends in so many zero bits are kept.
    zeros: u32,
}

/// What the entries of all requests say about each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Compared {
    /// Entries of the second source that stand in the first one too; of one source if they are the same.
    pub(super) copies: BTreeMap<(usize, usize), u64>,
    /// Entries with the audit ID and the stage of an entry that says something else: the first ones, in pairs.
    pub(super) conflicts: Vec<(Address, Address)>,
    pub(super) conflict_count: u64,
    /// Requests that came in, and of whose end there is no entry.
    pub(super) endless: Vec<Address>,
    pub(super) endless_count: u64,
    /// Requests that ended, and of whose coming in there is no entry.
    pub(super) startless: Vec<Address>,
    pub(super) startless_count: u64,
    /// Watches and sessions without an end.
    pub(super) open: u64,
    /// Requests that came in shortly before the last entry.
    pub(super) under_way: u64,
    /// By server: the furthest that a stage time lies before an earlier one of the same source, in microseconds.
    pub(super) clock_back: Vec<i64>,
    /// One of so many requests was looked at.
    pub(super) one_in: u64,
}

impl Records {
    pub(super) fn add(&mut self, event: &Event<'_>, address: Address) {
        let request = hash(&event.audit_id);
        if event.audit_id.is_empty() || request.trailing_zeros() < self.zeros {
            return;
        }
        let Some(stage) = stage(event) else { return };
        let time = event.stage_time.unwrap_or_default();
        let received = event.received.unwrap_or(time);
        let object = event.object_ref.as_ref();
        let of_object = object.map(|object| (&object.api_group, &object.resource, &object.subresource));
        let kind = hash(&(&event.verb, of_object));
        let subresource = object.map_or("", |object| object.subresource.as_ref());
        let is_long = event.verb == "watch"
            || matches!(subresource, "exec" | "attach" | "portforward" | "proxy")
            || ["watch=true", "watch=1", "follow=true"].iter().any(|flag| event.request_uri.contains(flag));
        let content = content(event);
        self.records.push(Record { request, stage, content, kind, address, time, received, is_long });
        self.shrink();
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.zeros = self.zeros.max(other.zeros);
        self.records.extend(other.records);
        self.records.retain(|record| record.request.trailing_zeros() >= self.zeros);
        self.shrink();
    }

    /// How many are kept depends on all requests together alone, as more requests never make it more.
    fn shrink(&mut self) {
        while self.records.len() > MAX_RECORDS && self.zeros < u64::BITS {
            self.zeros += 1;
            self.records.retain(|record| record.request.trailing_zeros() >= self.zeros);
        }
    }

    /// Compares; `servers` tells which server each source is of.
    pub(super) fn compare(mut self, servers: &[usize]) -> Compared {
        let count = servers.iter().max().map_or(0, |last| last + 1);
        self.records.sort_unstable_by_key(|record| (record.address.source, record.address.offset));
        let clock_back = self.clock_back(servers, count);
        self.records.sort_by_key(|record| (record.request, record.stage, record.content));
        let compared = Compared { clock_back, one_in: 1 << self.zeros.min(63), ..Compared::default() };
        let mut comparison = Comparison {
            ends: vec![(Timestamp::MAX, Timestamp::MIN); count],
            starts_of: HashMap::new(),
            startless: Vec::new(),
            servers,
            compared,
        };
        for record in &self.records {
            let (from, until) = &mut comparison.ends[servers[record.address.source]];
            (*from, *until) = ((*from).min(record.time), (*until).max(record.time));
        }
        for request in self.records.chunk_by(|a, b| a.request == b.request) {
            comparison.request(request);
        }
        comparison.conclude()
    }

    fn clock_back(&self, servers: &[usize], count: usize) -> Vec<i64> {
        let mut back = vec![0; count];
        for source in self.records.chunk_by(|a, b| a.address.source == b.address.source) {
            let worst = &mut back[servers[source[0].address.source]];
            let mut latest = Timestamp::MIN;
            for record in source {
                latest = latest.max(record.time);
                *worst = latest.since(record.time).max(*worst);
            }
        }
        back
    }
}

struct Comparison<'s> {
    servers: &'s [usize],
    /// By server: the times of its first and its last entry.
    ends: Vec<(Timestamp, Timestamp)>,
    /// By server and kind: ended requests whose coming in is logged, and is not.
    starts_of: HashMap<(usize, u64), [u64; 2]>,
    /// Candidates.
    startless: Vec<Record>,
    compared: Compared,
}

impl Comparison<'_> {
    /// Takes the entries with one audit ID, ordered by stage and content.
    fn request(&mut self, records: &[Record]) {
        for stage in records.chunk_by(|a, b| a.stage == b.stage) {
            let mut contents = stage.chunk_by(|a, b| a.content == b.content);
            let first = contents.next().map_or(&[][..], |same| self.copies(same));
            for other in contents {
                self.copies(other);
                self.compared.conflict_count += 1;
                self.compared.conflicts.push((first[0].address, other[0].address));
            }
        }
        let mut by_server: Vec<Record> = records.to_vec();
        by_server.sort_by_key(|record| self.server(record));
        for records in
            by_server.chunk_by(|a, b| self.servers[a.address.source] == self.servers[b.address.source])
        {
            let differ = |(a, b): (&Record, &Record)| a.stage == b.stage && a.content != b.content;
            // Several requests under one ID can't be told apart.
            if !records.iter().zip(&records[1..]).any(differ) {
                self.stages(records);
            }
        }
    }

    fn copies<'r>(&mut self, same: &'r [Record]) -> &'r [Record] {
        for copy in &same[1..] {
            *self.compared.copies.entry((same[0].address.source, copy.address.source)).or_default() += 1;
        }
        same
    }

    /// Takes the entries of one request in the log of one server, none of which contradicts another.
    fn stages(&mut self, records: &[Record]) {
        let of = |stage| records.iter().find(|record| record.stage == stage);
        let server = self.server(&records[0]);
        let (from, until) = self.ends[server];
        match (of(Stage::Received), of(Stage::Ended).or_else(|| of(Stage::Refused))) {
            (_, None) if records.iter().any(|record| record.is_long) => self.compared.open += 1,
            (Some(start), None) if until.since(start.time) < UNDER_WAY => self.compared.under_way += 1,
            (Some(start), None) => {
                self.compared.endless_count += 1;
                self.compared.endless.push(start.address);
            }
            (Some(start), Some(_)) => self.starts_of.entry((server, start.kind)).or_default()[0] += 1,
            (None, Some(end)) if end.received >= from && end.stage == Stage::Ended => {
                self.starts_of.entry((server, end.kind)).or_default()[1] += 1;
                self.startless.push(*end);
            }
            _ => {}
        }
    }

    /// Most policies leave out that requests come in, some of them for a part of the resources.
    fn conclude(mut self) -> Compared {
        for end in std::mem::take(&mut self.startless) {
            let [with, without] =
                self.starts_of.get(&(self.server(&end), end.kind)).copied().unwrap_or_default();
            if with > without {
                self.compared.startless_count += 1;
                self.compared.startless.push(end.address);
            }
        }
        let compared = &mut self.compared;
        for examples in [&mut compared.endless, &mut compared.startless] {
            examples.sort_unstable();
            examples.truncate(KEPT);
        }
        compared.conflicts.sort_unstable();
        compared.conflicts.truncate(KEPT);
        self.compared
    }

    fn server(&self, record: &Record) -> usize {
        self.servers[record.address.source]
    }
}

fn stage(event: &Event<'_>) -> Option<Stage> {
    match event.stage.as_ref() {
        "RequestReceived" => Some(Stage::Received),
        "ResponseStarted" if event.code() >= 400 => Some(Stage::Refused),
        "ResponseStarted" => Some(Stage::Started),
        "ResponseComplete" | "Panic" => Some(Stage::Ended),
        _ => None,
    }
}

fn content(event: &Event<'_>) -> u64 {
    let bodies = [event.request_object, event.response_object].map(|body| body.map(crate::json::Json::get));
    let impersonated = event.impersonated_user.as_ref().map(|user| &user.username);
    hash(&(
        (&event.stage, &event.level, &event.verb, &event.request_uri, &event.user.username, impersonated),
        (event.stage_time, event.received, event.code(), &event.user_agent, &event.source_ips, bodies),
    ))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(records: &mut Records, id: &str, stage: &str, second: i64, source: usize, offset: u64) {
        let event = Event {
            audit_id: id.to_owned().into(),
            stage: stage.to_owned().into(),
            stage_time: Some(Timestamp::from_micros(second * 1_000_000)),
            received: Some(Timestamp::from_micros(second * 1_000_000)),
            ..Event::default()
        };
        records.add(&event, Address { source, offset, length: 1 });
    }

    #[test]
    fn half_of_the_requests_are_left_where_all_would_be_too_many() {
        let mut records = Records::default();
        let most = u32::try_from(MAX_RECORDS).unwrap() + 1000;
        for number in 0..most {
            record(&mut records, &format!("{number}"), "ResponseComplete", 1, 0, u64::from(number));
        }
        assert!(records.records.len() <= MAX_RECORDS);
        assert_eq!(records.compare(&[0]).one_in, 2);
    }

    proptest! {
        /// Requests lose their start or their end; those are found, whatever the order and the parts.
        #[test]
        fn what_was_lost_is_found(lost in proptest::collection::vec(0_u32..12, 30..80), cut in 0_usize..80) {
            let mut parts = [Records::default(), Records::default()];
            let last = i64::try_from(lost.len()).unwrap() + 100;
            for (number, lost) in lost.iter().enumerate() {
                let part = &mut parts[usize::from(number % 80 < cut)];
                let (second, offset) = (i64::try_from(number).unwrap() + 1, number as u64 * 2);
                if *lost != 0 { record(part, &format!("{number}"), "RequestReceived", second, 0, offset); }
                if *lost != 1 { record(part, &format!("{number}"), "ResponseComplete", second, 0, offset + 1); }
            }
            for (id, second) in [("first", 0), ("last", last)] {
                record(&mut parts[0], id, "RequestReceived", second, 0, 1000 + u64::try_from(second).unwrap());
                record(&mut parts[0], id, "ResponseComplete", second, 0, 2000 + u64::try_from(second).unwrap());
            }
            let [mut one, other] = parts;
            one.merge(other);
            let compared = one.compare(&[0]);
            let count = |wanted: u32| lost.iter().filter(|lost| **lost == wanted).count() as u64;
            prop_assert_eq!(compared.endless_count, count(1));
            prop_assert_eq!(compared.startless_count, count(0));
            prop_assert_eq!((compared.conflict_count, compared.copies.len(), compared.open), (0, 0, 0));
        }
    }
}
