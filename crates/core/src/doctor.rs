//! A checkup of inputs.

use audit_who_event::census::{Checkup, Doctor, Lookup, servers_of};
use audit_who_event::literals::Literals;

use crate::input::Inputs;
use crate::scan::Scan;

/// Decodes every entry of `inputs` and reports what is to be known of them as a whole: what is missing, what stands twice,
/// and what the audit policy leaves out. Reads a second time where entries are to be shown.
///
/// The report does not depend on the number of threads. It takes memory for two million entries at the most; of more, a
/// part of the requests is compared, and the report says which.
pub fn doctor(scan: &Scan, inputs: &Inputs) -> Doctor {
    let sources: Vec<String> =
        (0..inputs.len()).map(|source| inputs.source_name(source).to_owned()).collect();
    let (checkup, mut coverage) = scan.run(inputs, &Literals::everything(), Checkup::default);
    let checked = checkup.conclude(&servers_of(&sources));
    let wanted = checked.examples();
    let mut lookup = Lookup::new(wanted.clone());
    if !wanted.is_empty() {
        let (found, again) = scan.run(inputs, &Literals::everything(), || Lookup::new(wanted.clone()));
        lookup = found;
        coverage.problems.extend(again.problems);
        coverage.problems.sort();
        coverage.problems.dedup();
    }
    Doctor::new(coverage, checked, &lookup, &sources)
}
