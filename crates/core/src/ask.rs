//! A question asked of inputs.

use audit_who_event::case::{Case, Findings};
use audit_who_event::coverage::Coverage;

use crate::input::Inputs;
use crate::scan::Scan;

/// How many bytes of each source are enough to count entries in, if they tell what is logged. What a policy logs at all is
/// mostly there.
const SAMPLE: u64 = 16 * 1024 * 1024;

/// What was found, and in what.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Answers, and what else explains them.
    pub findings: Findings,
    /// What was searched. Counts are those of the first look, problems those of all.
    pub coverage: Coverage,
}

/// Looks through `inputs` as often as `case` needs to, and judges what was found.
///
/// The answers don't depend on the number of threads, nor on how entries are spread over files, their order or their
/// compression. What can't be read is a problem of the coverage, and the rest is read. Where nothing is found, one more
/// look counts the entries that would answer the question for other objects: in the first 16 MiB of each source, and in all
/// of them if that does not suffice.
pub fn ask(scan: &Scan, inputs: &Inputs, mut case: Case) -> Asked {
    let sources: Vec<String> =
        (0..inputs.len()).map(|source| inputs.source_name(source).to_owned()).collect();
    let (part, mut coverage) = scan.run(inputs, &case.literals(), || case.fork());
    let mut findings = case.learn(part, &sources);
    while case.is_open() {
        let (part, again) = scan.run(inputs, &case.literals(), || case.fork());
        findings = case.learn(part, &sources);
        coverage.problems.extend(again.problems);
    }
    if let Some(census) = case.census(&findings) {
        let count = |scan: &Scan| scan.run(inputs, &census.literals(), || census.fork());
        let (mut counted, mut again) = count(&scan.clone().reach(SAMPLE));
        if !counted.is_settled() {
            (counted, again) = count(scan);
        }
        coverage.seen = counted.into_seen();
        coverage.problems.extend(again.problems);
    }
    coverage.problems.sort();
    coverage.problems.dedup();
    case.judge_coverage(&findings, &mut coverage);
    Asked { findings, coverage }
}
