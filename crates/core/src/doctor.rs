//! A checkup of logs.

use audit_who_event::census::{Checkup, Doctor, Lookup, servers_of};
use audit_who_event::look::Look;

use crate::logs::Logs;

/// Decodes every entry of `logs` and reports what is to be known of them as a whole: what is missing, what stands twice,
/// and what the audit policy leaves out. Reads a second time where entries are to be shown.
///
/// The report does not depend on the number of threads. It takes memory for two million entries at the most; of more, a
/// part of the requests is compared, and the report says which.
pub fn doctor(logs: &impl Logs) -> Doctor {
    let sources = logs.sources();
    let (checkup, mut coverage) = logs.look(&Look::everything(), Checkup::default);
    let checked = checkup.conclude(&servers_of(&sources));
    let wanted = checked.examples();
    let mut lookup = Lookup::new(wanted.clone());
    if !wanted.is_empty() {
        let (found, again) = logs.look(&Look::everything(), || Lookup::new(wanted.clone()));
        lookup = found;
        coverage.problems.extend(again.problems);
        coverage.problems.sort();
        coverage.problems.dedup();
    }
    Doctor::new(coverage, checked, &lookup, &sources)
}
