//! Lines that were followed, kept for a while: to ask a question again need not mean to read files again.

use std::collections::{HashMap, VecDeque};

use audit_who_event::case::Window;
use audit_who_event::envelope::{self, Sink};
use audit_who_event::event::Event;
use audit_who_event::fold::{Address, Fold};
use audit_who_event::literals::Literals;
use audit_who_event::look::Look;
use audit_who_event::peek;
use audit_who_event::time::Timestamp;

use crate::layout::BOM;
use crate::scan::{Marks, Prefilter};
use crate::tail::Batch;

/// Bytes of lines that each lane holds.
const LANE: usize = 32 * 1024 * 1024;
/// Bytes of a chunk, unless one line is longer.
const CHUNK: usize = 256 * 1024;

/// Verbs of requests that may change something.
pub(super) const CHANGES: &[&str] = &["create", "update", "patch", "delete", "deletecollection"];
/// Stages that tell what came of a request.
const ENDS: &[&str] = &["ResponseComplete", "ResponseStarted", "Panic"];

/// Which lines are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// Those that a question looks at first.
    Subject,
    /// Those that may change something: causes are among them.
    Changes,
}

/// What was kept of the logs.
pub(super) struct Memory {
    /// The generations that lines are from, by number.
    generations: Vec<i64>,
    numbers: HashMap<i64, usize>,
    subject: Kept,
    changes: Kept,
    /// A line may change something if each of these selects it.
    may_change: [Prefilter; 2],
    marks: [Marks; 2],
}

/// The lines of one lane, in the order in which they were read.
struct Kept {
    /// Bytes of lines that are kept.
    room: usize,
    chunks: VecDeque<Chunk>,
    /// Bytes of lines.
    bytes: usize,
    /// Every line of an entry behind this stage time is here.
    complete_behind: Timestamp,
}

/// Lines of one generation.
struct Chunk {
    generation: usize,
    /// Each with a line end.
    text: Vec<u8>,
    lines: Vec<Line>,
    /// Stage times of the earliest and the latest entry.
    from: Timestamp,
    until: Timestamp,
    /// Whether some lines have no time.
    undated: bool,
}

struct Line {
    /// Bytes from the start of the generation's decompressed content.
    offset: u64,
    /// Where it ends in the text.
    end: usize,
}

impl Memory {
    /// With `whole`, nothing stands before what is kept first.
    pub(super) fn new(whole: bool) -> Self {
        let literals = |words: &[&str]| Literals::any_of(words.iter().map(|word| (*word).to_owned()));
        let complete_behind = if whole { Timestamp::MIN } else { Timestamp::MAX };
        let kept = || Kept { room: LANE, chunks: VecDeque::new(), bytes: 0, complete_behind };
        Self {
            generations: Vec::new(),
            numbers: HashMap::new(),
            subject: kept(),
            changes: kept(),
            may_change: [CHANGES, ENDS].map(|words| Prefilter::new(&literals(words))),
            marks: Default::default(),
        }
    }

    /// The generations that lines are from, by the number that their addresses carry.
    pub(super) fn generations(&self) -> &[i64] {
        &self.generations
    }

    /// Takes it that entries behind `time` were all kept, where nothing was known of what stands before.
    pub(super) fn begins_at(&mut self, time: Timestamp) {
        for kept in [&mut self.subject, &mut self.changes] {
            kept.complete_behind = kept.complete_behind.min(time);
        }
    }

    /// Whether every line of an entry at or behind `from` is here.
    pub(super) fn reaches(&self, lane: Lane, from: Timestamp) -> bool {
        let complete_behind = self.kept(lane).complete_behind;
        complete_behind < from || complete_behind == Timestamp::MIN
    }

    const fn kept(&self, lane: Lane) -> &Kept {
        match lane {
            Lane::Subject => &self.subject,
            Lane::Changes => &self.changes,
        }
    }

    /// Keeps the lines of a batch that a question looks at first, which hold the bytes at these offsets, in order, and those
    /// that may change something.
    pub(super) fn keep(&mut self, batch: &Batch, subject: &[u64]) {
        let number = *self.numbers.entry(batch.generation()).or_insert_with(|| {
            self.generations.push(batch.generation());
            self.generations.len() - 1
        });
        let [changes, ends] = &self.may_change;
        let [of_changes, of_ends] = &mut self.marks;
        let mut hits = [changes.hits(&batch.data, of_changes, None), ends.hits(&batch.data, of_ends, None)];
        let mut subject = subject.iter().peekable();
        for (entry, run) in batch.entries().zip(&batch.records) {
            let end = entry.offset + entry.bytes.len() as u64;
            let mut is_subject = false;
            while subject.next_if(|offset| **offset < end).is_some() {
                is_subject = true;
            }
            // Each is to be asked about every line.
            let [changes, ends] = hits.each_mut().map(|hits| hits.is_in(run.start, run.start + run.length));
            if is_subject {
                self.subject.push(number, entry.offset, entry.bytes);
            }
            if changes && ends {
                self.changes.push(number, entry.offset, entry.bytes);
            }
        }
    }

    /// Hands the events of a lane that `look` wants, and maybe others, to `fold`.
    pub(super) fn look<F: Fold>(&self, lane: Lane, look: &Look, fold: &mut F) {
        let prefilter = Prefilter::of(look, &[]);
        let (window, mut marks) = (look.window(), Marks::default());
        for chunk in self.kept(lane).chunks.iter().filter(|chunk| chunk.may_hold(window)) {
            let mut hits = prefilter.hits(&chunk.text, &mut marks, None);
            let mut start = 0;
            for line in &chunk.lines {
                if hits.is_in(start, line.end) {
                    let text = &chunk.text[start..line.end];
                    let text = if line.offset == 0 { text.strip_prefix(BOM).unwrap_or(text) } else { text };
                    let skipped = (line.end - start - text.len()) as u64;
                    let start =
                        Address { source: chunk.generation, offset: line.offset + skipped, length: 0 };
                    envelope::decode(text, &mut Replay { fold, start });
                }
                start = line.end + 1;
            }
        }
    }
}

impl Kept {
    fn push(&mut self, generation: usize, offset: u64, line: &[u8]) {
        let fits =
            |chunk: &&mut Chunk| chunk.generation == generation && chunk.text.len() + line.len() < CHUNK;
        if self.chunks.back_mut().as_ref().is_none_or(|chunk| !fits(chunk)) {
            self.chunks.push_back(Chunk::new(generation));
        }
        if let Some(chunk) = self.chunks.back_mut() {
            chunk.push(offset, line);
        }
        self.bytes += line.len();
        while self.bytes > self.room
            && self.chunks.len() > 1
            && let Some(oldest) = self.chunks.pop_front()
        {
            self.bytes -= oldest.text.len() - oldest.lines.len();
            self.complete_behind = self.complete_behind.max(oldest.until);
        }
    }
}

impl Chunk {
    const fn new(generation: usize) -> Self {
        Self {
            generation,
            text: Vec::new(),
            lines: Vec::new(),
            from: Timestamp::MAX,
            until: Timestamp::MIN,
            undated: false,
        }
    }

    fn push(&mut self, offset: u64, line: &[u8]) {
        self.text.extend_from_slice(line);
        self.lines.push(Line { offset, end: self.text.len() });
        self.text.push(b'\n');
        match peek::stage_times(line) {
            Some(times) => {
                (self.from, self.until) = (self.from.min(*times.start()), self.until.max(*times.end()));
            }
            None => self.undated = true,
        }
    }

    fn may_hold(&self, window: Window) -> bool {
        self.undated || self.from <= window.until && self.until >= window.from
    }
}

/// Hands the events of a kept line to a fold.
struct Replay<'a, F> {
    fold: &'a mut F,
    /// Where the line begins.
    start: Address,
}

impl<F: Fold> Sink for Replay<'_, F> {
    fn event(&mut self, event: &Event<'_>, span: std::ops::Range<usize>) {
        let length = span.end.saturating_sub(span.start) as u64;
        self.fold
            .event(event, Address { offset: self.start.offset + span.start as u64, length, ..self.start });
    }

    fn bad(&mut self, _: std::ops::Range<usize>, _: &str) {
        // It was told when it was read.
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes note of audit IDs, and where their entries stand.
    #[derive(Default)]
    struct Seen(Vec<(String, Address)>);

    impl Fold for Seen {
        fn event(&mut self, event: &Event<'_>, address: Address) {
            self.0.push((event.audit_id.to_string(), address));
        }

        fn merge(&mut self, other: Self) {
            self.0.extend(other.0);
        }
    }

    fn line(second: usize) -> String {
        format!(
            r#"{{"auditID":"{second}","verb":"delete","requestURI":"/","stageTimestamp":"2026-03-02T09:00:{second:02}.000000Z"}}"#
        )
    }

    fn at(second: usize) -> Timestamp {
        Timestamp::parse(&format!("2026-03-02T09:00:{second:02}.000000Z")).unwrap()
    }

    fn seen(memory: &Memory) -> Vec<(String, Address)> {
        let mut seen = Seen::default();
        memory.look(Lane::Changes, &Look::everything(), &mut seen);
        seen.0
    }

    #[test]
    fn the_oldest_are_forgotten_and_it_is_known_from_when_on_all_is_there() {
        let mut memory = Memory::new(true);
        assert!(memory.reaches(Lane::Changes, Timestamp::MIN));
        memory.changes.room = 3 * line(10).len();
        for second in 10..14 {
            // Each generation has a chunk of its own.
            memory.changes.push(second, 7, line(second).as_bytes());
        }
        let length = line(10).len() as u64;
        let kept = |second: usize| (second.to_string(), Address { source: second, offset: 7, length });
        assert_eq!(seen(&memory), [kept(11), kept(12), kept(13)]);
        assert!(!memory.reaches(Lane::Changes, at(10)) && memory.reaches(Lane::Changes, at(11)));
        assert!(memory.reaches(Lane::Subject, Timestamp::MIN));
    }

    #[test]
    fn what_stands_before_is_unknown_until_a_beginning_is_told() {
        let mut memory = Memory::new(false);
        memory.changes.push(0, 0, line(10).as_bytes());
        assert!(!memory.reaches(Lane::Changes, at(50)));
        memory.begins_at(at(20));
        assert!(!memory.reaches(Lane::Changes, at(20)) && memory.reaches(Lane::Changes, at(21)));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_an_entry() {
        let mut memory = Memory::new(true);
        memory.changes.push(0, 0, &[BOM, line(10).as_bytes()].concat());
        let length = line(10).len() as u64;
        assert_eq!(seen(&memory), [("10".to_owned(), Address { source: 0, offset: 3, length })]);
    }
}
