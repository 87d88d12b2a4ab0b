//! Large logs with a realistic mix, the same for the same seed.

mod body;
mod stock;
mod template;

use std::collections::VecDeque;
use std::io::{self, Write};

use crate::entry::Level;
use stock::{APPS, EVICTOR, NAMESPACES, NODES};
use template::{Ink, Template, Values};

/// Logs begin on 2026-03-02 at 09:00 UTC.
const BEGIN: i64 = 1_772_442_000_000_000;
/// Lines between the steps of an eviction story: about half a second.
const STEP: u64 = 100;
/// Bytes that are handed on at once.
const BATCH: usize = 128 << 10;

/// Writes audit logs of any size.
///
/// ```
/// use audit_who_testkit::generator::Generator;
///
/// let mut log = Vec::new();
/// let summary = Generator::new(7).hits("needle", 2).write(&mut log, 100_000)?;
/// assert_eq!(summary.bytes, log.len() as u64);
/// assert!(summary.evictions.iter().all(|eviction| eviction.pod.starts_with("needle-")));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Generator {
    seed: u64,
    level: Level,
    hits: Vec<(String, u64)>,
}

/// One pod that was created, evicted and deleted by its kubelet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eviction {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// Who evicted it.
    pub user: String,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Bytes, newlines included.
    pub bytes: u64,
    /// Lines.
    pub lines: u64,
    /// The evictions asked for by [`Generator::hits`], in the order of the log.
    pub evictions: Vec<Eviction>,
}

impl Generator {
    /// Logs of level Metadata, without any hits.
    pub const fn new(seed: u64) -> Self {
        Self { seed, level: Level::Metadata, hits: Vec::new() }
    }

    /// Logs under a policy of this level.
    #[must_use]
    pub const fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Spreads `count` complete evictions (create, eviction, the kubelet's delete) evenly through the log, of pods called
    /// `name-` and five letters. The other pods are called after common services (`api-…`, `web-…`), so choose another
    /// name.
    #[must_use]
    pub fn hits(mut self, name: &str, count: u64) -> Self {
        self.hits.push((name.to_owned(), count));
        self
    }

    /// Writes at least `bytes` bytes: it stops after the line that reaches them, and after the last hit.
    pub fn write(&self, out: &mut impl Write, bytes: u64) -> io::Result<Summary> {
        let mut batch = Vec::with_capacity(BATCH * 2);
        let summary = self.write_lines(bytes, |line, _| {
            batch.extend_from_slice(line);
            if batch.len() >= BATCH {
                out.write_all(&batch)?;
                batch.clear();
            }
            Ok(())
        })?;
        out.write_all(&batch)?;
        out.flush()?;
        Ok(summary)
    }

    /// The same, line by line: `sink` gets each line with its newline, and its time in microseconds since the Unix epoch.
    pub fn write_lines(
        &self,
        bytes: u64,
        sink: impl FnMut(&[u8], i64) -> io::Result<()>,
    ) -> io::Result<Summary> {
        let mut run = Run::new(self, sink);
        while run.summary.bytes < bytes {
            run.step(&self.hits, bytes)?;
        }
        run.end(&self.hits, bytes)?;
        Ok(run.summary)
    }
}

/// A log being written.
struct Run<S> {
    sink: S,
    ink: Ink,
    templates: Vec<Template>,
    /// Indices of templates, each as often as its weight.
    lots: Vec<usize>,
    story: [Template; 3],
    started: Vec<u64>,
    /// Pods that wait for their eviction and for their end, with the line from which on it may come.
    waiting: [VecDeque<(u64, Values)>; 2],
    line: Vec<u8>,
    now: i64,
    version: u64,
    summary: Summary,
}

impl<S: FnMut(&[u8], i64) -> io::Result<()>> Run<S> {
    fn new(generator: &Generator, sink: S) -> Self {
        let mix = stock::mix();
        let lots = mix
            .iter()
            .enumerate()
            .flat_map(|(i, &(weight, _))| std::iter::repeat_n(i, weight.into()))
            .collect();
        Self {
            sink,
            ink: Ink::new(generator.seed),
            templates: mix.into_iter().map(|(_, entry)| Template::new(entry, generator.level)).collect(),
            lots,
            story: stock::eviction_story().map(|entry| Template::new(entry, generator.level)),
            started: vec![0; generator.hits.len()],
            waiting: [VecDeque::new(), VecDeque::new()],
            line: Vec::new(),
            now: BEGIN,
            version: 100_000,
            summary: Summary::default(),
        }
    }

    /// One line of the mix, and whatever of the hits is due.
    fn step(&mut self, hits: &[(String, u64)], bytes: u64) -> io::Result<()> {
        let lot = self.below(self.lots.len());
        let app = APPS[self.below(APPS.len())];
        let values = self.draw(app);
        self.write(Which::Mix(self.lots[lot]), values)?;
        self.start_hits(hits, bytes)?;
        self.go_on(self.summary.lines)
    }

    /// All hits are told to their end.
    fn end(&mut self, hits: &[(String, u64)], bytes: u64) -> io::Result<()> {
        self.start_hits(hits, bytes)?;
        self.go_on(u64::MAX)
    }

    /// The `k`th of `n` stories begins in the middle of the `k`th of `n` equal pieces of the log.
    fn start_hits(&mut self, hits: &[(String, u64)], bytes: u64) -> io::Result<()> {
        for (i, (name, count)) in hits.iter().enumerate() {
            while self.started[i] < *count
                && u128::from(self.summary.bytes) * 2 * u128::from(*count)
                    >= u128::from(bytes) * u128::from(self.started[i] * 2 + 1)
            {
                self.started[i] += 1;
                let values = self.draw(&format!("{name}-"));
                self.summary.evictions.push(Eviction {
                    namespace: values.namespace.to_owned(),
                    pod: String::from_utf8_lossy(&values.pod).into_owned(),
                    user: EVICTOR.to_owned(),
                });
                self.write(Which::Story(0), values.clone())?;
                self.waiting[0].push_back((self.summary.lines + STEP, values));
            }
        }
        Ok(())
    }

    /// Pods that were created long enough ago are evicted; those evicted long enough ago go.
    fn go_on(&mut self, lines: u64) -> io::Result<()> {
        for step in [0, 1] {
            while let Some((_, values)) = self.waiting[step].pop_front_if(|(due, _)| *due <= lines) {
                self.write(Which::Story(step + 1), values.clone())?;
                if step == 0 {
                    self.waiting[1].push_back((self.summary.lines + STEP, values));
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, which: Which, mut values: Values) -> io::Result<()> {
        let template = match which {
            Which::Mix(index) => &self.templates[index],
            Which::Story(step) => &self.story[step],
        };
        // Five milliseconds from line to line on average. Now and then a line comes late; a story never does.
        self.now += 200 + i64::from(self.ink.random.below(9600));
        let late = matches!(which, Which::Mix(_)) && self.ink.random.below(1000) < 12;
        values.stage_time = if late { self.now - i64::from(self.ink.random.below(36_000)) } else { self.now };
        let latency = template.latency + self.ink.random.below(template.latency * 12);
        values.received = values.stage_time - i64::from(latency);
        self.version += 1;
        values.version = self.version;
        self.line.clear();
        template.write(&values, &mut self.ink, &mut self.line);
        (self.sink)(&self.line, values.stage_time)?;
        self.summary.lines += 1;
        self.summary.bytes += self.line.len() as u64;
        Ok(())
    }

    /// A pod that no line spoke of before.
    fn draw(&mut self, prefix: &str) -> Values {
        let mut values = Values {
            namespace: NAMESPACES[self.below(NAMESPACES.len())],
            node: NODES[self.below(NODES.len())],
            pod: prefix.as_bytes().to_vec(),
            ..Values::default()
        };
        self.ink.random.name_suffix(5, &mut values.pod);
        self.ink.random.uuid(&mut values.uid);
        values
    }

    fn below(&mut self, bound: usize) -> usize {
        self.ink.random.below(u32::try_from(bound).unwrap_or(u32::MAX)) as usize
    }
}

/// Which template is written.
#[derive(Clone, Copy, Debug)]
enum Which {
    Mix(usize),
    Story(usize),
}
