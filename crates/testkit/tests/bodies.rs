//! What the bodies of a story say agrees from entry to entry.

use std::collections::HashMap;

use audit_who_testkit::entry::Level;
use audit_who_testkit::scenario::{self, Scenario};
use chrono::{DateTime, TimeDelta};
use serde_json::Value;

/// The entries that end a request.
#[expect(clippy::unwrap_used, reason = "only tests call it")]
fn ends(scenario: &Scenario) -> Vec<Value> {
    let log = scenario.log(Level::RequestResponse);
    let entries = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    entries.filter(|entry| entry["stage"] == "ResponseComplete").collect()
}

/// The same with the object that each was answered with, dry runs left out.
fn answers(scenario: &Scenario) -> impl Iterator<Item = (Value, Value)> {
    let real = ends(scenario).into_iter().filter(|entry| entry["requestObject"].get("dryRun").is_none());
    real.map(|entry| (entry["responseObject"].clone(), entry))
        .filter(|(object, _)| object["metadata"]["uid"].is_string())
        .map(|(object, entry)| (entry, object))
}

/// Whether an object is as a merge patch wants it. Lists here are as long as what they patch.
fn is_patched(object: &Value, patch: &Value) -> bool {
    match (object, patch) {
        (Value::Object(_), Value::Object(members)) => members
            .iter()
            // What steers the patch, or guards it, is not stored.
            .filter(|(key, _)| !key.starts_with('$') && *key != "resourceVersion")
            .all(|(key, value)| is_patched(&object[key], value)),
        (Value::Array(items), Value::Array(patches)) => {
            items.len() == patches.len()
                && items.iter().zip(patches).all(|(item, patch)| is_patched(item, patch))
        }
        _ => object == patch,
    }
}

#[test]
fn every_patch_is_in_its_answer() {
    for scenario in scenario::all() {
        let patches = answers(scenario).filter(|(entry, _)| entry["verb"] == "patch");
        for (entry, object) in patches.filter(|(entry, _)| entry["objectRef"].get("subresource").is_none()) {
            let patch = &entry["requestObject"];
            let done = match patch.as_array() {
                Some(operations) => operations.iter().all(|operation| {
                    object.pointer(operation["path"].as_str().unwrap()) == Some(&operation["value"])
                }),
                None => is_patched(&object, patch),
            };
            assert!(done, "{}: {patch} is not in {object}", scenario.name);
        }
    }
}

#[test]
fn pods_and_replica_sets_are_made_of_their_owners_template() {
    let mut checked = 0;
    // Of one story the log does not hold who changed the template.
    for scenario in scenario::all().filter(|scenario| scenario.name != "rollout-unseen") {
        let mut templates: HashMap<Value, Value> = HashMap::new();
        for (entry, object) in answers(scenario) {
            let owner = templates.get(&object["metadata"]["ownerReferences"][0]["uid"]);
            if let Some(template) = owner.filter(|_| entry["verb"] == "create") {
                let mut made =
                    object.get("spec").and_then(|spec| spec.get("template")).unwrap_or(&object).clone();
                if object["kind"] == "ReplicaSet" {
                    made["metadata"]["labels"].as_object_mut().unwrap().remove("pod-template-hash").unwrap();
                }
                for key in ["labels", "annotations"] {
                    assert_eq!(made["metadata"][key], template["metadata"][key], "{}", scenario.name);
                }
                assert!(is_patched(&made["spec"], &template["spec"]), "{}: {made}", scenario.name);
                checked += 1;
            }
            if let Some(template) = object.pointer("/spec/template") {
                templates.insert(object["metadata"]["uid"].clone(), template.clone());
            }
        }
    }
    assert!(checked > 20, "{checked} objects with a known owner");
}

/// A body whose spec is another, or that is to go, has a higher generation; all others have the same.
#[test]
fn generations_count_the_changes_of_the_spec() {
    for scenario in scenario::all() {
        let mut known: HashMap<Value, (i64, Value, bool)> = HashMap::new();
        for (_, mut object) in answers(scenario) {
            let metadata = &object["metadata"];
            if object["kind"] == "Scale"
                && let Some((last, spec, _)) = known.get_mut(&metadata["uid"])
            {
                // It shows the number alone.
                *last += i64::from(spec["replicas"] != object["spec"]["replicas"]);
                spec["replicas"] = object["spec"]["replicas"].clone();
            }
            let Some(generation) = metadata["generation"].as_i64() else { continue };
            let (uid, goes) = (metadata["uid"].clone(), metadata.get("deletionTimestamp").is_some());
            // A binding is no change of the spec.
            object["spec"].as_object_mut().unwrap().remove("nodeName");
            let spec = object["spec"].take();
            let expected = match known.get(&uid) {
                Some((last, before, went)) => last + i64::from(*before != spec) + i64::from(*went != goes),
                None => 1 + i64::from(goes),
            };
            assert_eq!(generation, expected, "{}: {metadata}", scenario.name, metadata = object["metadata"]);
            known.insert(uid, (generation, spec, goes));
        }
    }
}

#[test]
fn the_scheduler_nominates_a_node_right_before_it_preempts() {
    for (name, node) in [("preemption", "worker-1"), ("preemption-by-deployment", "worker-2")] {
        let entries = ends(scenario::find(name).unwrap());
        let at = |verb: &str, wanted: fn(&Value) -> bool| {
            let mut entries = entries.iter().filter(|entry| entry["verb"] == verb);
            let entry = entries.find(|entry| wanted(entry)).unwrap();
            (entry, DateTime::parse_from_rfc3339(entry["stageTimestamp"].as_str().unwrap()).unwrap())
        };
        let (nomination, first) =
            at("patch", |entry| entry["requestObject"]["status"].get("nominatedNodeName").is_some());
        let (_, then) = at("delete", |entry| entry["objectRef"]["name"] == "web-1");
        assert_eq!(nomination["requestObject"]["status"]["nominatedNodeName"], node);
        assert_eq!(nomination["responseObject"]["spec"].get("nodeName"), None);
        assert!(first < then && then - first < TimeDelta::milliseconds(20), "{name}");
    }
}
