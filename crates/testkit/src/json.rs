//! JSON with its keys in order, spelled as Go's `encoding/json` spells it.

use std::fmt::{self, Write};

/// A JSON value. The API server writes keys in the order of its structs, so an object is a list here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number; audit entries hold no others.
    Number(i64),
    /// A string, unescaped.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object, in the order of writing.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// This object with one more member at its end; any other value is left as it is.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Self>) -> Self {
        if let Self::Object(members) = &mut self {
            members.push((key.to_owned(), value.into()));
        }
        self
    }

    /// The same, but only if there is a value (`omitempty` in Go).
    #[must_use]
    pub fn with_some(self, key: &str, value: Option<impl Into<Self>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// This object with the members of another one at its end.
    #[must_use]
    pub fn joined(self, other: &Self) -> Self {
        let Self::Object(members) = other else { return self };
        members.iter().fold(self, |json, (key, value)| json.with(key, value.clone()))
    }

    /// What stands under a path of keys; `null` if nothing does.
    pub fn at(&self, path: &[&str]) -> &Self {
        static NOTHING: Json = Json::Null;
        path.iter().fold(self, |value, key| match value {
            Self::Object(members) => {
                members.iter().find(|(name, _)| name == key).map_or(&NOTHING, |(_, value)| value)
            }
            _ => &NOTHING,
        })
    }

    /// Puts a value under a path of keys: in the place of what stands there, else at the end of its object. What is no
    /// object on the way becomes one.
    pub fn set(&mut self, path: &[&str], value: impl Into<Self>) {
        let mut place = self;
        for key in path {
            place = place.member(key);
        }
        *place = value.into();
    }

    fn member(&mut self, key: &str) -> &mut Self {
        if !matches!(self, Self::Object(_)) {
            *self = Self::Object(Vec::new());
        }
        let Self::Object(members) = self else { return self };
        let at = members.iter().position(|(name, _)| name == key).unwrap_or_else(|| {
            members.push((key.to_owned(), Self::Null));
            members.len() - 1
        });
        &mut members[at].1
    }

    /// Writes the value without any white space.
    pub fn write(&self, out: &mut impl Write) -> fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Number(value) => write!(out, "{value}"),
            Self::Text(text) => write_text(text, out),
            Self::List(values) => {
                out.write_char('[')?;
                for (i, value) in values.iter().enumerate() {
                    if i > 0 {
                        out.write_char(',')?;
                    }
                    value.write(out)?;
                }
                out.write_char(']')
            }
            Self::Object(members) => {
                out.write_char('{')?;
                for (i, (key, value)) in members.iter().enumerate() {
                    if i > 0 {
                        out.write_char(',')?;
                    }
                    write_text(key, out)?;
                    out.write_char(':')?;
                    value.write(out)?;
                }
                out.write_char('}')
            }
        }
    }
}

/// Go escapes quotes, backslashes, control characters, the line separators of JavaScript, and `<`, `>`, `&` so that JSON
/// can stand in HTML. All else is written as it is.
fn write_text(text: &str, out: &mut impl Write) -> fmt::Result {
    out.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\u{8}' => out.write_str("\\b")?,
            '\u{c}' => out.write_str("\\f")?,
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                write!(out, "\\u{:04x}", u32::from(c))?;
            }
            _ => out.write_char(c)?,
        }
    }
    out.write_char('"')
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Json {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Number(value)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Json {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

/// An object: `object! { "kind": "Pod", "metadata": metadata }`.
#[macro_export]
macro_rules! object {
    ($($key:literal : $value:expr),* $(,)?) => {
        $crate::json::Json::Object(vec![$(($key.to_owned(), $crate::json::Json::from($value))),*])
    };
}

/// An array of values of any kind: `list![object! {}, "a", 1]`.
#[macro_export]
macro_rules! list {
    ($($value:expr),* $(,)?) => {
        $crate::json::Json::List(vec![$($crate::json::Json::from($value)),*])
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_spelled_as_go_spells_it() {
        let text = "a&b<c>\"\\\n\r\t\u{8}\u{c}\u{1b}\u{7f}\u{2028}\u{202e}é";
        let spelled = "\"a\\u0026b\\u003cc\\u003e\\\"\\\\\\n\\r\\t\\b\\f\\u001b\u{7f}\\u2028\u{202e}é\"";
        assert_eq!(Json::from(text).to_string(), spelled);
        assert_eq!(serde_json::from_str::<String>(spelled).unwrap(), text);
    }

    proptest::proptest! {
        #[test]
        fn any_text_reads_back(text in ".*") {
            let written = Json::from(&text).to_string();
            proptest::prop_assert!(!written.chars().any(|c| c < ' ' || "<>&".contains(c)));
            proptest::prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }
    }

    #[test]
    fn keys_keep_their_order() {
        let value =
            object! { "b": 1, "a": list![true, Json::Null, "x"] }.with_some("c", None::<i64>).with("d", 2);
        assert_eq!(value.to_string(), r#"{"b":1,"a":[true,null,"x"],"d":2}"#);
    }

    #[test]
    fn members_are_found_and_set_by_their_path() {
        let mut value = object! { "a": object! { "b": 1 }, "c": 2 };
        assert_eq!(value.at(&["a", "b"]), &Json::from(1));
        assert_eq!(value.at(&["a", "x", "y"]), &Json::Null);
        value.set(&["a", "b"], 3);
        value.set(&["a", "d", "e"], "new");
        value.set(&["c", "f"], true);
        assert_eq!(value.to_string(), r#"{"a":{"b":3,"d":{"e":"new"}},"c":{"f":true}}"#);
        value.set(&[], Json::Null);
        assert_eq!(value, Json::Null);
    }
}
