//! Rules as YAML, with comments, which serializers don't write.

use std::fmt::Write;

use crate::policy::{GroupResources, Rule};

/// A rule as an element of a list, in lines without their ends.
pub(super) fn rule(rule: &Rule) -> Vec<String> {
    let mut lines = vec![format!("- level: {:?}", rule.level)];
    for (field, list) in [
        ("users", &rule.users),
        ("userGroups", &rule.user_groups),
        ("verbs", &rule.verbs),
        ("namespaces", &rule.namespaces),
    ] {
        if !list.is_empty() {
            lines.push(format!("  {field}: {}", strings(list)));
        }
    }
    if !rule.resources.is_empty() {
        lines.push("  resources:".to_owned());
        lines.extend(rule.resources.iter().map(resources));
    }
    lines
}

fn resources(own: &GroupResources) -> String {
    let mut line = format!("    - {{group: {}", quoted(&own.group));
    // Writing to a String can't fail.
    if !own.resources.is_empty() {
        let _ = write!(line, ", resources: {}", strings(&own.resources));
    }
    if !own.resource_names.is_empty() {
        let _ = write!(line, ", resourceNames: {}", strings(&own.resource_names));
    }
    line + "}"
}

pub(super) fn strings<S: AsRef<str>>(list: &[S]) -> String {
    let list: Vec<String> = list.iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", list.join(", "))
}

/// A JSON string is a YAML string too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
