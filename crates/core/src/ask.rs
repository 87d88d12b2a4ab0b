//! A question asked of logs.

use audit_who_event::case::{Case, Findings, Foresight};
use audit_who_event::census::Census;
use audit_who_event::coverage::{Coverage, Problem};
use audit_who_event::fold::Fold;

use crate::error::Error;
use crate::input::outline::SLACK;
use crate::logs::Logs;
use crate::scan::Stretches;

/// What was found, and in what.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Answers, and what else explains them.
    pub findings: Findings,
    /// What was searched. Counts are those of the first look, problems those of all.
    pub coverage: Coverage,
}

/// Looks through `logs` as often as `case` needs to, and judges what was found.
///
/// The answers don't depend on the number of threads, nor on how entries are spread over files, their order or their
/// compression. What can't be read is a problem of the coverage, and the rest is read. Where nothing is found, one more
/// look counts the entries that would answer the question for other objects: in a sample, and what that lacks in all if
/// entries may lie within the question's window; if that does not suffice either, in a sample from any time. Where they are
/// rare, the first look has counted them.
///
/// Where more entries matter than the [memory limit](Case::memory_limit) allows to keep, reading ends early, nothing is found,
/// and that is a fatal problem of the coverage.
pub fn ask(logs: &impl Logs, mut case: Case) -> Asked {
    investigate(logs, &mut case)
}

/// Asks as [`ask`] does, and leaves all that was learned in `case`. A program that ends with the answer need not take the time
/// to give that back to the system piece by piece.
pub fn investigate(logs: &impl Logs, case: &mut Case) -> Asked {
    let sources = logs.sources();
    case.judge_with(logs.threads());
    if logs.is_indexed() {
        case.look_for_objects_first();
    }
    let mut foresight = Foresight::of(case, &sources);
    let (part, mut coverage, searched) = logs.look_back(&case.look(), || case.fork(), &mut foresight);
    if let Some(excess) = case.excess() {
        return exceeded(case, &Error::exceeded(excess), coverage);
    }
    let mut findings = case.learn(part, &sources);
    while case.is_open() {
        let recalled = foresight.recall(case);
        let known =
            recalled.as_ref().map_or_else(Stretches::default, |(_, version)| searched.since(*version));
        let (mut part, problems) = logs.look_again(&case.look(), || case.fork(), &known);
        if let Some((recalled, _)) = recalled {
            part.add(recalled);
        }
        coverage.problems.extend(problems);
        if let Some(excess) = case.excess() {
            return exceeded(case, &Error::exceeded(excess), coverage);
        }
        findings = case.learn_more(findings, part, &sources);
    }
    let holds_entries = logs.is_indexed() || coverage.total.entries > 0 || coverage.total.outside_bytes > 0;
    if let Some(census) = case.census(&findings).filter(|_| holds_entries) {
        let census = match foresight.counted(case) {
            Some(known) => census.knowing(known),
            None => census,
        };
        coverage.seen = count(logs, &census, &mut coverage).into_seen();
    }
    coverage.problems.sort();
    coverage.problems.dedup();
    case.judge_coverage(&findings, &mut coverage);
    Asked { findings, coverage }
}

/// Counts what is logged at all: in a sample, what that lacks in all, and what there is at any time in a sample.
fn count(logs: &impl Logs, census: &Census, coverage: &mut Coverage) -> Census {
    let mut counted = census.fork();
    if !counted.is_settled() {
        let (sampled, again) = logs.sample(&census.look(), || census.fork(), Census::is_settled);
        counted = sampled;
        coverage.problems.extend(again.problems);
    }
    if !logs.samples_every_kind() && !counted.is_settled() && may_count(census, coverage) {
        let lacking = counted.lacking();
        let (rest, problems) = logs.look_again(&lacking.look(), || lacking.fork(), &Stretches::default());
        counted.merge(rest);
        coverage.problems.extend(problems);
    }
    if let Some(census) = census.at_any_time().filter(|_| !counted.is_sure()) {
        let (any, again) = logs.sample(&census.look(), || census.fork(), Census::is_settled);
        counted = any;
        coverage.problems.extend(again.problems);
    }
    counted
}

/// What there is to say where more matters than may be kept.
fn exceeded(case: &Case, excess: &Error, mut coverage: Coverage) -> Asked {
    coverage.problems.push(Problem::from(excess));
    let findings = Findings::default();
    case.judge_coverage(&findings, &mut coverage);
    Asked { findings, coverage }
}

/// Whether a census may find something in what was looked through: within its window, as far as that is known. Where entries are
/// out of order, some may lie before the first one that was looked at, or behind the last.
fn may_count(census: &Census, coverage: &Coverage) -> bool {
    coverage.sources.iter().filter(|source| source.tally.entries > 0).any(|source| {
        let ends = source.tally.from.zip(source.tally.until);
        ends.is_none_or(|(from, until)| census.reaches(from.plus(-SLACK), until.plus(SLACK)))
    })
}
