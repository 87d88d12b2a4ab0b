//! Recordings of a real control plane, with what is true of them.

use audit_who_testkit::context::{shared_data, skip};

use crate::truth::{Recording, Verdict};

/// The recording of a policy, if it is here.
fn recording(policy: &str) -> Option<Recording> {
    let folder = shared_data()?.join("k8s-1.36").join(policy);
    folder.is_dir().then(|| Recording::read(&folder))
}

/// Asks everything; returns what is not correct, and how much of that is only unknown.
fn check(policy: &str) -> Option<(Vec<String>, usize)> {
    let Some(recording) = recording(policy) else {
        skip(&format!("the truth check on recording {policy}"));
        return None;
    };
    assert!(recording.truths().len() > 50, "{policy} has lost its truth");
    assert_eq!(recording.servers().len(), 2);
    let mut wrong = Vec::new();
    let mut unknown = 0;
    for truth in recording.truths() {
        match recording.judge(truth) {
            Verdict::Correct => {}
            Verdict::Unknown => unknown += 1,
            Verdict::Wrong(why) => wrong.push(format!("{}: {why}", truth.name())),
        }
    }
    Some((wrong, unknown))
}

#[test]
fn with_all_bodies_everything_is_answered() {
    let Some(result) = check("rr") else { return };
    assert_eq!(result, (Vec::new(), 0));
}

#[test]
fn with_the_policy_of_managed_services_everything_is_answered() {
    let Some(result) = check("recommended") else { return };
    assert_eq!(result, (Vec::new(), 0));
}

#[test]
fn without_bodies_nothing_false_is_said() {
    let Some((wrong, unknown)) = check("metadata") else { return };
    assert_eq!(wrong, Vec::<String>::new());
    // What stands in bodies alone: a dry run, a node-pressure eviction, a collection chosen by labels, an uncordon, a
    // taint, a generated name.
    assert!(unknown <= 6, "{unknown} unknown");
}

/// Half of the truth is in the log of the other server: what is left must not be mistaken for the whole.
#[test]
fn without_one_of_two_servers_nothing_false_is_said() {
    for policy in ["rr", "recommended", "metadata"] {
        let Some(recording) = recording(policy) else {
            skip(&format!("recording {policy} without one of its servers"));
            continue;
        };
        let mut lies = Vec::new();
        for server in recording.servers() {
            let kept = [server];
            let said = recording.truths().iter().filter_map(|truth| {
                let lie = recording.falsehood(truth, &kept)?;
                Some(format!("{policy}, {} alone, {}: {lie}", kept[0].display(), truth.name()))
            });
            lies.extend(said);
        }
        assert!(lies.is_empty(), "{}", lies.join("\n"));
    }
}
