//! Label and field selectors, as a list or a deletecollection carries them in its query.

use crate::subject::Key;

/// Whether a label selector picks an object with these labels; `None` if the selector is not understood.
///
/// Equality- and set-based requirements
/// ([syntax](https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors)).
pub(crate) fn labels_match(selector: &str, labels: &[(String, String)]) -> Option<bool> {
    let mut all = true;
    for requirement in requirements(selector) {
        all &= requirement_holds(requirement.trim(), labels)?;
    }
    Some(all)
}

/// Whether a field selector picks the object; `None` if it asks for what names alone don't tell.
pub(crate) fn fields_match(selector: &str, key: &Key, node: Option<&str>) -> Option<bool> {
    let mut all = true;
    for requirement in requirements(selector) {
        let (field, negated, value) = match (requirement.split_once("!="), requirement.split_once('=')) {
            (Some((field, value)), _) => (field, true, value),
            (None, Some((field, value))) => (field, false, value.strip_prefix('=').unwrap_or(value)),
            (None, None) => return None,
        };
        let actual = match field.trim() {
            "metadata.name" => key.name.as_str(),
            "metadata.namespace" => key.namespace.as_str(),
            "spec.nodeName" => node?,
            _ => return None,
        };
        all &= (actual == value.trim()) != negated;
    }
    Some(all)
}

/// The parts between commas that are not inside parentheses.
fn requirements(selector: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    selector
        .split(move |c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        })
        .filter(|part| !part.trim().is_empty())
}

fn requirement_holds(requirement: &str, labels: &[(String, String)]) -> Option<bool> {
    let value_of =
        |key: &str| labels.iter().find(|(name, _)| name == key.trim()).map(|(_, value)| value.as_str());
    if let Some((head, values)) = requirement.strip_suffix(')').and_then(|r| r.split_once('(')) {
        let (key, operator) = head.trim().rsplit_once(char::is_whitespace)?;
        let listed = |value: &str| values.split(',').any(|listed| listed.trim() == value);
        return match operator {
            "in" => Some(value_of(key).is_some_and(listed)),
            "notin" => Some(!value_of(key).is_some_and(listed)),
            _ => None,
        };
    }
    if let Some((key, value)) = requirement.split_once("!=") {
        return Some(value_of(key) != Some(value.trim()));
    }
    if let Some((key, value)) = requirement.split_once("==").or_else(|| requirement.split_once('=')) {
        return Some(value_of(key) == Some(value.trim()));
    }
    if requirement.contains(['<', '>', '(', ' ']) {
        return None;
    }
    Some(match requirement.strip_prefix('!') {
        Some(key) => value_of(key).is_none(),
        None => value_of(requirement).is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_requirement() {
        let labels = [("app".to_owned(), "web".to_owned()), ("tier".to_owned(), "front".to_owned())];
        for (selector, expected) in [
            ("app=web", Some(true)),
            ("app==web,tier=front", Some(true)),
            ("app=web,tier!=front", Some(false)),
            ("app in (db, web),tier", Some(true)),
            ("app notin (db,web)", Some(false)),
            ("zone notin (a)", Some(true)),
            ("!zone, app", Some(true)),
            ("!app", Some(false)),
            ("size>3", None),
            ("app like (x)", None),
            ("", Some(true)),
        ] {
            assert_eq!(labels_match(selector, &labels), expected, "{selector}");
        }
    }

    #[test]
    fn fields_that_names_tell() {
        let key = Key { name: "a".to_owned(), namespace: "n".to_owned(), ..Key::default() };
        assert_eq!(fields_match("metadata.name=a", &key, None), Some(true));
        assert_eq!(fields_match("metadata.name!=a", &key, None), Some(false));
        assert_eq!(fields_match("spec.nodeName=n1", &key, Some("n1")), Some(true));
        assert_eq!(fields_match("spec.nodeName=n1", &key, None), None);
        assert_eq!(fields_match("status.phase=Failed", &key, None), None);
    }
}
