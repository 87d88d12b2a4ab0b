//! Answers with the prefilter are those without it, in every form of log and however its strings are spelled.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write;

use audit_who_core::event::answer::Evidence;
use audit_who_core::event::case::{Ask, Case, Findings, Subject};
use audit_who_core::event::census::Seen;
use audit_who_core::event::coverage::Coverage;
use audit_who_core::event::filter::Filter;
use audit_who_core::event::fold::Fold;
use audit_who_core::event::literals::Literals;
use audit_who_core::event::look::Look;
use audit_who_core::event::question::named;
use audit_who_core::event::target::Target;
use audit_who_core::evidence::Hashes;
use audit_who_core::{Files, Inputs, Logs, Scan, ask};
use audit_who_testkit::entry::Level;
use audit_who_testkit::random::SplitMix64;
use audit_who_testkit::scenario;

use super::Folder;
use super::forms::FORMS;
use super::wrapped::{CSV, WRAPPED};

/// The slow and obvious way: every line is decoded.
struct Unfiltered<'a>(Files<'a>);

impl Logs for Unfiltered<'_> {
    fn sources(&self) -> Vec<String> {
        self.0.sources()
    }

    fn look<F: Fold>(&self, look: &Look, fork: impl FnMut() -> F) -> (F, Coverage) {
        self.0.look(&everything(look), fork)
    }

    fn sample<F: Fold>(
        &self,
        look: &Look,
        fork: impl FnMut() -> F,
        suffices: impl Fn(&F) -> bool,
    ) -> (F, Coverage) {
        self.0.sample(&everything(look), fork, suffices)
    }

    fn hashes(&self, entries: &BTreeSet<Evidence>) -> Hashes {
        self.0.hashes(entries)
    }
}

/// Whatever stands in the same window.
fn everything(look: &Look) -> Look {
    let within = |filter: &Filter| Filter { from: filter.from, until: filter.until, ..Filter::default() };
    let filters = look.filters.as_ref().map(|filters| filters.iter().map(within).collect());
    Look { literals: Literals::everything(), filters }
}

/// The same JSON, in which about one of `one_in` characters of strings is spelled as an escape; keys are strings too.
fn respelled(log: &str, one_in: u64, random: &mut SplitMix64) -> String {
    let (mut out, mut in_text, mut is_escaped, mut digits) = (String::new(), false, false, 0);
    for char in log.chars() {
        let is_plain = in_text && !is_escaped && digits == 0;
        // The digits of an escape are no text of their own.
        digits = if is_escaped && char == 'u' { 4_u32 } else { digits.saturating_sub(1) };
        in_text ^= char == '"' && !is_escaped;
        is_escaped = char == '\\' && !is_escaped;
        let is_letter = char.is_ascii_alphanumeric() || ".:_-".contains(char);
        let is_chosen = is_plain && (is_letter || char == '/') && random.next().is_multiple_of(one_in);
        match u32::from(char) {
            _ if !is_chosen => out.push(char),
            _ if char == '/' => out.push_str(r"\/"),
            code if random.next().is_multiple_of(2) => write!(out, r"\u{code:04X}").unwrap(),
            code => write!(out, r"\u{code:04x}").unwrap(),
        }
    }
    out
}

fn found(logs: &impl Logs, question: &'static str, target: &str) -> (Findings, u64, Vec<Seen>) {
    let subject = Subject::Target(Target::parse(target).unwrap());
    let asked = ask(logs, Case::new(Ask::new(named(question).unwrap(), subject)));
    (asked.findings, asked.coverage.total.bytes, asked.coverage.seen)
}

#[test]
fn answers_are_the_same_without_the_prefilter() {
    const ASKED: [(&str, &str); 6] = [
        ("evicted", "pod/web*"),
        ("deleted", "pod/web-1"),
        ("deleted", "deploy/web"),
        ("deleted", "ns/*"),
        // What is logged at all is told where nothing is found.
        ("scaled", "deploy/nobody"),
        ("execed", "pod/nobody"),
    ];
    /// As it is, all of it escaped, half, a little.
    const SPELLINGS: [u64; 4] = [0, 1, 2, 40];
    let seed = 11;
    println!("seed {seed}");
    let mut random = SplitMix64::new(seed);
    let mut answers = [0; FORMS.len() + WRAPPED.len()];
    for (number, story) in scenario::all().enumerate() {
        let log = story.log(Level::RequestResponse);
        for (place, (form, write)) in FORMS.iter().chain(&WRAPPED).enumerate() {
            let is_wrapped = place >= FORMS.len();
            // Each form meets each spelling in every fourth story; those that are wrapped a third of the stories.
            if is_wrapped && !(number + place).is_multiple_of(3) {
                continue;
            }
            let one_in = SPELLINGS[(number + place) % SPELLINGS.len()];
            // Entries within something else may be spelled so, and what is around them, too.
            let is_spelled = |is_json: bool| one_in > 0 && is_json;
            let log = match &log {
                log if is_spelled(is_wrapped && !form.starts_with("legacy text")) => {
                    Cow::Owned(respelled(log, one_in, &mut random))
                }
                log => Cow::Borrowed(log),
            };
            let content = match write(&log) {
                written if is_spelled(*form != "legacy text" && *form != CSV) => {
                    respelled(&written, one_in, &mut random)
                }
                written => written,
            };
            let folder = Folder::new();
            let inputs = Inputs::open([folder.write("audit.log", &content)]);
            let scan = Scan::new();
            let files = Files::new(&scan, &inputs);
            for (question, target) in ASKED {
                let fast = found(&files, question, target);
                let slow = found(&Unfiltered(files), question, target);
                let what = || format!("{question} {target} in {} as {form}, one in {one_in}", story.name);
                assert_eq!(fast, slow, "{}", what());
                assert_eq!(fast.1, content.len() as u64, "{}", what());
                answers[place] += fast.0.answers.len();
            }
        }
    }
    // Nothing is shown where nothing is found.
    for ((form, _), answers) in FORMS.iter().chain(&WRAPPED).zip(answers) {
        assert!(answers > 0, "{form}");
    }
}
