//! Requests counted over logs.

use audit_who_event::count::{Counting, Counts};
use audit_who_event::coverage::Coverage;

use crate::logs::Logs;

/// What was counted, and in what.
#[derive(Debug, PartialEq)]
pub struct Counted {
    /// The counts, most requests first.
    pub counts: Counts,
    /// What was searched.
    pub coverage: Coverage,
}

/// Looks through `logs` once and counts; at most `limit` rows are told if one is given.
///
/// The counts don't depend on the number of threads, nor on how entries are spread over files, their order or their
/// compression. What can't be read is a problem of the coverage, and the rest is read.
pub fn count(logs: &impl Logs, counting: &Counting, limit: Option<usize>) -> Counted {
    let (counted, mut coverage) = logs.count(counting);
    let counts = counted.report(limit);
    counts.judge_coverage(counting, &mut coverage);
    Counted { counts, coverage }
}
