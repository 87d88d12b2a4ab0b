//! The objects of the JSON output as YAML documents.
//!
//! Written here because no library quotes as this output needs it: every string in double quotes, and every hidden
//! character, the bidirectional ones among them, as an escape. YAML 1.2 reads JSON strings as they are, but for one
//! thing: it has no surrogate pairs, so a character beyond U+FFFF is escaped as `\U000e0001`.

use std::io;

use audit_who_event::answer::Envelope;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};

use crate::Report;
use crate::json::fragment_with;

pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for answer in report.answers {
        document(&Envelope::new("Answer", answer), out)?;
    }
    for answer in report.related {
        document(&Envelope::new("RelatedAnswer", answer), out)?;
    }
    document(&Envelope::new("Coverage", report.coverage), out)
}

pub(crate) fn document<T: Serialize>(value: &T, out: &mut dyn io::Write) -> io::Result<()> {
    out.write_all(b"---\n")?;
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Block::default()))?;
    out.write_all(b"\n")
}

/// Block-style YAML out of the JSON serializer's steps.
#[derive(Default)]
struct Block {
    /// One element an open array or object: whether it has an element yet.
    open: Vec<bool>,
    /// What the next value stands behind.
    place: Place,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Place {
    /// The start of the document, or `- `: what follows stands on this line.
    #[default]
    Inline,
    /// `key:`, which needs a space before a scalar and a new line before anything nested.
    Key,
}

impl Block {
    /// Goes to where a scalar begins.
    fn scalar<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        match std::mem::take(&mut self.place) {
            Place::Inline => Ok(()),
            Place::Key => out.write_all(b" "),
        }
    }

    /// Goes to where an element of the innermost array or object begins.
    fn element<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        let place = std::mem::take(&mut self.place);
        if let Some(has_elements) = self.open.last_mut() {
            *has_elements = true;
        }
        if first && place == Place::Inline {
            return Ok(());
        }
        out.write_all(b"\n")?;
        (1..self.open.len()).try_for_each(|_| out.write_all(b"  "))
    }

    /// Ends an array or object, `empty` if nothing was in it.
    fn close<W: ?Sized + io::Write>(&mut self, out: &mut W, empty: &str) -> io::Result<()> {
        if self.open.pop() == Some(true) {
            return Ok(());
        }
        self.scalar(out)?;
        out.write_all(empty.as_bytes())
    }
}

/// Scalars that look in YAML as they do in JSON.
macro_rules! scalars {
    ($($step:ident: $type:ty),*) => {$(
        fn $step<W: ?Sized + io::Write>(&mut self, out: &mut W, value: $type) -> io::Result<()> {
            self.scalar(out)?;
            CompactFormatter.$step(out, value)
        }
    )*};
}

impl Formatter for Block {
    scalars!(
        write_bool: bool, write_i8: i8, write_i16: i16, write_i32: i32, write_i64: i64, write_i128: i128,
        write_u8: u8, write_u16: u16, write_u32: u32, write_u64: u64, write_u128: u128,
        write_f32: f32, write_f64: f64, write_number_str: &str
    );

    fn write_null<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.scalar(out)?;
        out.write_all(b"null")
    }

    fn begin_string<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.scalar(out)?;
        out.write_all(b"\"")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        fragment_with(out, fragment, |out, c| match u32::from(c) {
            code @ ..=0xffff => write!(out, "\\u{code:04x}"),
            code => write!(out, "\\U{code:08x}"),
        })
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.open.push(false);
        Ok(())
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.element(out, first)?;
        out.write_all(b"- ")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, "[]")
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.open.push(false);
        Ok(())
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.element(out, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.place = Place::Key;
        out.write_all(b":")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, "{}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::terminal::is_hidden;
    use crate::{hostile, sample};

    fn yaml(value: &impl Serialize) -> String {
        let mut out = Vec::new();
        document(value, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nested_values_are_blocks() {
        let value = json!({"a": {"b": [1, {"c": true, "d": [[], [-2.5, "x"]]}], "e": {}}, "f": null});
        let expected = r#"---
"a":
  "b":
    - 1
    - "c": true
      "d":
        - []
        - - -2.5
          - "x"
  "e": {}
"f": null
"#;
        assert_eq!(yaml(&value), expected);
        assert_eq!(yaml(&json!([])), "---\n[]\n");
    }

    #[test]
    fn strings_are_quoted_and_hidden_characters_escaped() {
        let value = "no: #1\n\u{1b}\u{9b}\u{202e}\u{e0001}🦀\\";
        assert_eq!(yaml(&value), "---\n\"no: #1\\n\\u001b\\u009b\\u202e\\U000e0001🦀\\\\\"\n");
    }

    #[test]
    fn an_answer_keeps_its_order() {
        let sample = sample::Sample::scaled_down();
        let mut out = Vec::new();
        write(&sample.report(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with("---\n\"apiVersion\": \"audit-who/v1\"\n\"kind\": \"Answer\"\n\"question\": \"deleted\"\n\"object\":\n  \"apiGroup\": \"\"\n"),
            "{text}"
        );
        assert_eq!(text.matches("---\n").count(), 2);
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_written(text in hostile::text()) {
            let sample = sample::Sample::hostile(&text);
            let mut out = Vec::new();
            write(&sample.report(), &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            prop_assert!(!text.lines().any(|line| line.contains(is_hidden)));
            prop_assert_eq!(text.lines().filter(|line| *line == "---").count(), 3);
        }
    }
}
