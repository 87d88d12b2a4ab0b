//! What differs between two states of an object, field by field.

use std::fmt;

use serde_json::{Map, Value};

/// Paths that change with every write and say nothing, or that somebody else writes.
const BOOKKEEPING: &[&str] = &[
    "apiVersion",
    "kind",
    "status",
    "metadata.managedFields",
    "metadata.resourceVersion",
    "metadata.generation",
    "metadata.uid",
    "metadata.creationTimestamp",
    "metadata.annotations.kubectl.kubernetes.io/last-applied-configuration",
];

/// Values longer than this are cut, in characters.
const LONGEST: usize = 80;

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) path: String,
    before: Option<String>,
    after: Option<String>,
}

/// `spec.replicas: 3 → 1`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match (&self.before, &self.after) {
            (None, Some(after)) => write!(f, "{path}: {after}"),
            (Some(before), None) => write!(f, "{path}: {before} → none"),
            (Some(before), Some(after)) => write!(f, "{path}: {before} → {after}"),
            (None, None) => f.write_str(path),
        }
    }
}

/// The fields that differ, in the order of their paths; `None` if a state is no JSON object.
///
/// Elements of a list are matched by their `name`, as Kubernetes merges them, or by their place.
pub(crate) fn differences(before: &str, after: &str) -> Option<Vec<Difference>> {
    let (before, after): (Map<String, Value>, Map<String, Value>) =
        (serde_json::from_str(before).ok()?, serde_json::from_str(after).ok()?);
    let mut found = Vec::new();
    objects("", &before, &after, &mut found);
    Some(found)
}

fn objects(path: &str, before: &Map<String, Value>, after: &Map<String, Value>, found: &mut Vec<Difference>) {
    let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if !BOOKKEEPING.contains(&path.as_str()) {
            values(&path, before.get(key), after.get(key), found);
        }
    }
}

fn values(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => objects(path, before, after, found),
        (None, Some(Value::Object(after))) if !after.is_empty() => objects(path, &Map::new(), after, found),
        (Some(Value::Object(before)), None) if !before.is_empty() => {
            objects(path, before, &Map::new(), found);
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => lists(path, before, after, found),
        (None, Some(Value::Array(after))) => lists(path, &[], after, found),
        (before, after) => found.push(Difference {
            path: path.to_owned(),
            before: before.map(short),
            after: after.map(short),
        }),
    }
}

fn lists(path: &str, before: &[Value], after: &[Value], found: &mut Vec<Difference>) {
    let have_names = |list: &[Value]| list.iter().all(|item| item.get("name").is_some_and(Value::is_string));
    if !have_names(before) || !have_names(after) {
        for place in 0..before.len().max(after.len()) {
            values(&format!("{path}[{place}]"), before.get(place), after.get(place), found);
        }
        return;
    }
    let by_name = |list: &[Value]| -> Map<String, Value> {
        list.iter().filter_map(|item| Some((item.get("name")?.as_str()?.to_owned(), item.clone()))).collect()
    };
    let (before, after) = (by_name(before), by_name(after));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        values(&format!("{path}[{name}]"), before.get(name), after.get(name), found);
    }
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(before: &str, after: &str) -> Option<Vec<String>> {
        Some(differences(before, after)?.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn fields_are_told_by_path_and_list_elements_by_name() {
        let before = r#"{"metadata":{"resourceVersion":"1","labels":{"a":"1","b":"2"}},"spec":{"replicas":3,
            "containers":[{"name":"c","image":"x:1"},{"name":"d","image":"y"}],"args":["a"]}}"#;
        let after = r#"{"metadata":{"resourceVersion":"2","labels":{"a":"1"}},"spec":{"replicas":1,
            "containers":[{"name":"d","image":"y"},{"name":"c","image":"x:2"}],"args":["a","b"]},"status":{"x":1}}"#;
        assert_eq!(
            told(before, after).unwrap(),
            [
                "metadata.labels.b: 2 → none",
                "spec.args[1]: b",
                "spec.containers[c].image: x:1 → x:2",
                "spec.replicas: 3 → 1"
            ]
        );
        assert_eq!(told(before, before).unwrap(), [""; 0]);
        assert_eq!(told(before, "[]"), None);
    }

    #[test]
    fn long_values_are_cut() {
        let found = told("{}", &format!(r#"{{"a":"{}"}}"#, "é".repeat(100))).unwrap();
        assert_eq!(found, [format!("a: {}…", "é".repeat(80))]);
    }
}
