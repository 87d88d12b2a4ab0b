//! Requests, counted by who sent them, what they were, or where they came from.
//!
//! ```text
//! Counting::new ─► look() ─► look: fork(), event() …, merge() ─► report()
//! ```
//!
//! Only sums are kept, so one look is enough and memory does not grow with the log.

pub mod dimension;
mod kept;
mod latency;
mod report;
mod sums;

use crate::case::Window;
use crate::event::Event;
use crate::filter::Filter;
use crate::fold::{Address, Fold};
use crate::literals::Literals;
use crate::look::Look;
use crate::note::{Note, Times};
use crate::question::Question;
use crate::selection::Selection;
use crate::time::Timestamp;

pub use self::dimension::Dimension;
use self::kept::Kept;
pub use self::latency::Latency;
pub use self::report::{Api, Count, Counts, LatencyMicros};
pub use self::sums::{Request, Sums};

/// How many keys have a row of their own at the most. What is beyond is counted in one row: clients may send any number
/// of names.
pub const MAX_KEYS: usize = 100_000;

/// How many notes are kept at the most.
const MOST_NOTES: usize = 4096;

/// A question that counts requests, and what was counted so far.
#[derive(Debug)]
pub struct Counting {
    question: &'static Question,
    dimension: &'static Dimension,
    window: Window,
    selection: Selection,
    kept: Kept,
    /// The key of the event at hand: one buffer for all of them.
    key: String,
    /// What the event at hand counted as, if others like it count as the same.
    last: Option<Noted>,
    notes: Vec<Noted>,
}

/// What an event counted as.
#[derive(Clone, Copy, Debug)]
enum Noted {
    /// As none: neither the end of a request nor the start of a long-running one.
    Passed,
    /// As this request, in the row of this number.
    Counted { request: Request, row: usize },
}

impl Counting {
    /// Counts by one of the question's dimensions what was answered within `window`.
    pub fn new(question: &'static Question, dimension: &'static Dimension, window: Window) -> Self {
        Self {
            question,
            dimension,
            window,
            selection: Selection::default(),
            kept: Kept::new(MAX_KEYS),
            key: String::new(),
            last: None,
            notes: Vec::new(),
        }
    }

    /// The same, of those requests alone that are selected.
    #[must_use]
    pub fn selecting(self, selection: Selection) -> Self {
        Self { selection, ..self }
    }

    /// One that counts the same and has counted nothing yet, to be merged into this one.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self::new(self.question, self.dimension, self.window).selecting(self.selection.clone())
    }

    /// The stage times between which requests are counted.
    pub const fn window(&self) -> Window {
        self.window
    }

    /// What is asked, in words.
    fn asked(&self) -> String {
        let name = self.question.name;
        if self.selection.is_empty() { name.to_owned() } else { format!("{name}, {}", self.selection) }
    }

    /// By what is counted, if all requests are: then sums that were kept of them tell the same as their entries.
    pub fn of_all(&self) -> Option<&'static Dimension> {
        if self.selection.is_empty() { Some(self.dimension) } else { None }
    }

    /// Takes sums over requests of a key that were answered within the window.
    pub fn add(&mut self, key: &str, sums: &Sums) {
        self.kept.change(key, |own| own.merge(sums));
    }

    /// What the one look wants.
    pub fn look(&self) -> Look {
        self.look_within(&[self.window])
    }

    /// What a look wants that is for parts of the window, and for what has no time; where the rest is known.
    pub fn look_within(&self, parts: &[Window]) -> Look {
        // Without any part: no entry is so late.
        let none = [Window { from: Timestamp::MAX, until: Timestamp::MAX }];
        let parts = if parts.is_empty() { &none } else { parts };
        let within =
            |part: &Window| Filter { from: Some(part.from), until: Some(part.until), ..Filter::default() };
        // Lines that are like one before are told from each other sooner than by a search for a stage.
        let literals = if self.wants_details() {
            Literals::any_of(self.dimension.literals.iter().map(ToString::to_string))
        } else {
            Literals::everything()
        };
        Look { filters: Some(parts.iter().map(within).collect()), literals }
    }

    /// The counts, most requests first; at most `limit` rows if one is given, and what had no room behind them.
    pub fn report(self, limit: Option<usize>) -> Counts {
        let (rows, others) = self.kept.into_rows();
        report::counts(self.question.name, self.dimension, rows, others.as_ref(), limit)
    }
}

impl Fold for Counting {
    fn event(&mut self, event: &Event<'_>, address: Address) {
        let Some(request) = Request::of(event) else {
            self.last = Some(Noted::Passed);
            return;
        };
        self.last = None;
        if !self.window.holds(event.stage_time) || !self.selection.selects(event, address) {
            return;
        }
        if self.dimension.write_key(event, &mut self.key) {
            let row = self.kept.change(&self.key, |sums| sums.count(&request));
            // What has no object is told apart by its URI, too.
            self.last = row.filter(|_| event.object_ref.is_some()).map(|row| Noted::Counted { request, row });
        }
    }

    fn note(&mut self) -> Option<Note> {
        let noted = self.last.take()?;
        if self.notes.len() == MOST_NOTES {
            self.notes.clear();
            self.kept.begin_generation();
        }
        self.notes.push(noted);
        let heeds = self.dimension.heeds.and(Request::HEEDS);
        Some(Note { number: self.notes.len() - 1, generation: self.kept.generation(), heeds })
    }

    fn again(&mut self, note: Note, times: &Times, _: Address) -> bool {
        if note.generation != self.kept.generation() {
            return false;
        }
        if let Noted::Counted { request, row } = self.notes[note.number]
            && self.window.holds(times.stage_time)
        {
            self.kept.row(row).count(&request.at(times));
        }
        true
    }

    fn wants_details(&self) -> bool {
        self.dimension.uses_details || !self.selection.is_empty()
    }

    fn merge(&mut self, other: Self) {
        self.kept.merge(&other.kept);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::envelope::{Decoder, Sink, decode};
    use crate::question;

    /// Puts the events of a line into a fold.
    struct Into<'a>(&'a mut Counting);

    impl Sink for Into<'_> {
        fn event(&mut self, event: &Event<'_>, span: std::ops::Range<usize>) {
            self.0.event(event, Address { source: 0, offset: span.start as u64, length: span.len() as u64 });
        }
        fn bad(&mut self, _: std::ops::Range<usize>, reason: &str) {
            panic!("{reason}");
        }
        fn wants_details(&self) -> bool {
            self.0.wants_details()
        }
        fn note(&mut self) -> Option<Note> {
            self.0.note()
        }
        fn again(&mut self, note: Note, times: &Times, span: std::ops::Range<usize>) -> bool {
            self.0.again(
                note,
                times,
                Address { source: 0, offset: span.start as u64, length: span.len() as u64 },
            )
        }
    }

    fn counting(dimension: &str) -> Counting {
        let question = question::named("top").unwrap();
        Counting::new(question, question.dimension(dimension).unwrap(), Window::default())
    }

    fn fold<'a>(counting: &mut Counting, lines: impl IntoIterator<Item = &'a String>) {
        for line in lines {
            decode(line.as_bytes(), &mut Into(counting));
        }
    }

    /// The same with a memory of lines that are alike.
    fn fold_alike<'a>(counting: &mut Counting, lines: impl IntoIterator<Item = &'a String>) {
        let mut decoder = Decoder::default();
        for line in lines {
            decoder.decode(line.as_bytes(), &mut Into(counting));
        }
    }

    fn line(user: u8, stage: &str, code: u16, verb: &str, millis: u16) -> String {
        let (seconds, millis) = (millis / 1000, millis % 1000);
        let subresource = ["status", "exec"][usize::from(user > 20)];
        let object = format!(
            r#"{{"resource":"r{}","namespace":"n{}","subresource":"{subresource}"}}"#,
            user % 4,
            millis % 3
        );
        format!(
            r#"{{"auditID":"a","stage":"{stage}","verb":"{verb}","requestURI":"/","userAgent":"{}{}","user":{{"username":"u{user}"}},"objectRef":{object},"responseStatus":{{"code":{code}}},
            "requestReceivedTimestamp":"2026-01-01T00:00:00.000000Z","stageTimestamp":"2026-01-01T00:00:{seconds:02}.{millis:03}000Z"}}"#,
            // Only short ones let the user tell lines apart.
            "a".repeat(if code.is_multiple_of(2) { 100 } else { 1 }),
            user % 3,
        )
    }

    fn requests(counts: &Counts) -> Vec<(&str, u64, u64, u64)> {
        counts.rows.iter().map(|row| (row.key.as_str(), row.requests, row.errors, row.open)).collect()
    }

    #[test]
    fn a_request_counts_once() {
        let lines = [
            line(1, "RequestReceived", 0, "get", 0),
            line(1, "ResponseComplete", 200, "get", 5),
            line(1, "Panic", 500, "get", 5),
            // A watch that ended, one that is refused, one that goes on.
            line(2, "ResponseStarted", 200, "watch", 1),
            line(2, "ResponseComplete", 200, "watch", 9000),
            line(2, "ResponseStarted", 403, "watch", 1),
            line(2, "ResponseComplete", 403, "watch", 1),
            line(2, "ResponseStarted", 200, "watch", 1),
            // Nobody logged in: there is no other entry.
            line(3, "ResponseStarted", 401, "get", 1).replace(r#""username":"u3""#, ""),
        ];
        let mut counting = counting("users");
        fold(&mut counting, &lines);
        let counts = counting.report(None);
        assert_eq!(requests(&counts), [("u1", 2, 1, 0), ("u2", 2, 1, 1), ("-", 1, 1, 0)]);
        assert_eq!(counts.rows[1].long_running, 2);
        assert_eq!(counts.rows[1].latency, None);
        assert_eq!(counts.rows[0].latency.as_ref().map(|latency| latency.max_micros), Some(5000));
    }

    /// What one noted tells nothing to another.
    #[test]
    fn one_decoder_serves_several() {
        let [a, b, c] = [(1, "get"), (2, "list"), (3, "get")]
            .map(|(user, verb)| line(user, "ResponseComplete", 401, verb, 1));
        let (mut decoder, mut verbs, mut users) = (Decoder::default(), counting("verbs"), counting("users"));
        decoder.decode(c.as_bytes(), &mut Into(&mut users));
        for line in [&a, &b, &a, &b] {
            decoder.decode(line.as_bytes(), &mut Into(&mut verbs));
            decoder.decode(line.as_bytes(), &mut Into(&mut users));
        }
        assert_eq!(requests(&verbs.report(None)), [("get", 2, 2, 0), ("list", 2, 2, 0)]);
        assert_eq!(requests(&users.report(None)), [("u1", 2, 2, 0), ("u2", 2, 2, 0), ("u3", 1, 1, 0)]);
    }

    /// How long a request without an object lasts is told by its path, and that by no note.
    #[test]
    fn nothing_is_noted_of_what_has_no_object() {
        let mut counting = counting("users");
        for (object, is_noted) in [("", false), (r#""objectRef":{"resource":"pods"},"#, true)] {
            let path = "/debug/pprof/heap";
            let line =
                format!(r#"{{"auditID":"a",{object}"stage":"ResponseComplete","requestURI":"{path}"}}"#);
            fold(&mut counting, [&line]);
            assert_eq!(counting.note().is_some(), is_noted);
            assert_eq!(counting.note(), None);
        }
        assert_eq!(counting.report(None).rows[0].long_running, 1);
    }

    #[test]
    fn a_key_of_any_length_is_held_in_a_few_bytes() {
        let lines = [line(1, "ResponseComplete", 200, &"é".repeat(10_000), 1)];
        let mut counting = counting("verbs");
        fold(&mut counting, &lines);
        assert_eq!(counting.report(None).rows[0].key, format!("{}…", "é".repeat(256)));
    }

    fn entry() -> impl Strategy<Value = String> {
        let stage =
            prop::sample::select(&["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"][..]);
        let code = prop::sample::select(&[0, 101, 200, 401, 403, 500][..]);
        let verb = prop::sample::select(&["get", "watch", "create"][..]);
        (prop_oneof![0_u8..4, 0_u8..30], stage, code, verb, 0_u16..60_000)
            .prop_map(|(user, stage, code, verb, millis)| line(user, stage, code, verb, millis))
    }

    proptest! {
        /// However entries are dealt out to folds, and however small the room is, the sum is the same; and so it is if entries
        /// are told by notes.
        #[test]
        fn parts_merged_are_the_whole(
            lines in prop::collection::vec((entry(), 0..3_usize), 0..150), room in prop_oneof![1..4_usize, 1..40_usize], order in 0..2,
            dimension in 0..dimension::ALL.len(),
        ) {
            let small = || Counting { kept: Kept::new(room), ..counting(dimension::ALL[dimension].name) };
            let mut whole = small();
            fold(&mut whole, lines.iter().map(|(line, _)| line));
            let mut parts: Vec<Counting> = (0..3).map(|part| {
                let mut fork = small();
                fold_alike(&mut fork, lines.iter().filter(|(_, of)| *of == part).map(|(line, _)| line));
                fork
            }).collect();
            if order == 1 {
                parts.reverse();
            }
            let merged = parts.into_iter().reduce(|mut all, part| { all.merge(part); all }).unwrap();
            let (whole, merged) = (whole.report(None), merged.report(None));
            prop_assert!(whole.rows.iter().filter(|row| !row.others).count() <= room);
            prop_assert_eq!(whole, merged);
        }
    }
}
