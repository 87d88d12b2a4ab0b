//! Reading JSON as it nearly always is: in one walk, without a parser.
//!
//! A value is read here exactly as its `Deserialize` reads it, or not at all, and then the parser is asked. So the parser
//! stays the one that says what a value means and what is wrong with it, and is the oracle of the tests.

use std::borrow::Cow;

use serde::de::Deserialize;

use crate::json::model::Models;
use crate::json::{Cursor, Json};
use crate::spares::Spares;
use crate::wire::{Detail, Flag, Int, List, Pairs, Str, Strs, Uri};

/// What can be read at a cursor.
pub(crate) trait Plain<'a>: Deserialize<'a> {
    /// Reads the next value; `None` if the parser is to read it.
    fn plain(cursor: &mut Cursor<'a>) -> Option<Self> {
        parsed(cursor)
    }

    /// Goes behind the next value where that is not looked at; `None` exactly where [`Self::plain`] says so.
    fn pass(cursor: &mut Cursor<'a>) -> Option<()> {
        Self::plain(cursor).map(drop)
    }

    /// A list for values by name, without content.
    fn by_name(_: &mut Spares) -> Vec<(Str<'a>, Self)> {
        Vec::new()
    }
}

/// Reads one value that is all of `text`.
pub(crate) fn read<'a, T: Plain<'a>>(text: &'a str) -> Result<T, serde_json::Error> {
    read_all(text, &mut Cursor::new(text, true))
}

/// The same; what nobody looks into is compared with what stood in other values.
pub(crate) fn read_like<'a, T: Plain<'a>>(
    text: &'a str,
    models: &mut Models,
) -> Result<T, serde_json::Error> {
    let mut cursor = Cursor::new(text, true);
    cursor.models = Some(std::mem::take(models));
    let read = read_all(text, &mut cursor);
    *models = cursor.models.unwrap_or_default();
    read
}

fn read_all<'a, T: Plain<'a>>(text: &'a str, cursor: &mut Cursor<'a>) -> Result<T, serde_json::Error> {
    let plain = T::plain(cursor).filter(|_| cursor.is_at_end());
    plain.map_or_else(|| serde_json::from_str(text), Ok)
}

/// Lets the parser read the next value.
fn parsed<'a, T: Deserialize<'a>>(cursor: &mut Cursor<'a>) -> Option<T> {
    serde_json::from_str(cursor.value()?).ok()
}

impl<'a> Plain<'a> for Json<'a> {
    fn plain(cursor: &mut Cursor<'a>) -> Option<Self> {
        cursor.value().map(Json::checked)
    }
}

impl<'a> Plain<'a> for Str<'a> {
    fn plain(cursor: &mut Cursor<'a>) -> Option<Self> {
        if let Some(text) = cursor.plain_string() {
            return Some(Self(Cow::Borrowed(text)));
        }
        let escaped = (cursor.peek() == b'"').then(|| cursor.escaped_string());
        escaped.map_or_else(|| parsed(cursor), |text| Some(Self(Cow::Owned(text?))))
    }

    fn pass(cursor: &mut Cursor<'a>) -> Option<()> {
        match cursor.plain_string() {
            Some(_) => Some(()),
            None if cursor.peek() == b'"' => cursor.pass_string(),
            None => Self::plain(cursor).map(drop),
        }
    }

    fn by_name(spares: &mut Spares) -> Vec<(Self, Self)> {
        spares.pairs()
    }
}

impl<'a, T: Plain<'a> + Default> Plain<'a> for Detail<T> {
    fn plain(cursor: &mut Cursor<'a>) -> Option<Self> {
        if cursor.details { T::plain(cursor).map(Self) } else { T::pass(cursor).map(|()| Self::default()) }
    }
}

impl<'a> Plain<'a> for Uri<'a> {
    fn plain(cursor: &mut Cursor<'a>) -> Option<Self> {
        // Escapes are those of the query: without it nothing need be put together.
        if !cursor.details
            && let Some(path) = cursor.path_before_escape()
        {
            return cursor.pass_string().map(|()| Self(Str(Cow::Borrowed(path))));
        }
        Str::plain(cursor).map(Self)
    }
}

impl<'a> Plain<'a> for Int {
    fn plain(cursor: &mut Cursor<'a>) -> Option<Self> {
        let text = cursor.value()?;
        // So many digits are no overflow.
        let is_plain = text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_plain { Some(Self(text.parse().ok())) } else { serde_json::from_str(text).ok() }
    }
}

impl Plain<'_> for Flag {}

impl<'a> Plain<'a> for Strs<'a> {
    fn plain(cursor: &mut Cursor<'a>) -> Option<Self> {
        match cursor.peek() {
            b'[' if cursor.details => {
                let mut texts = cursor.spares.texts();
                cursor.items(|cursor| {
                    texts.push(Str::plain(cursor)?.0);
                    Some(())
                })?;
                Some(Self(texts))
            }
            b'[' => Self::pass(cursor).map(|()| Self::default()),
            _ => parsed(cursor),
        }
    }

    fn pass(cursor: &mut Cursor<'a>) -> Option<()> {
        match cursor.peek() {
            b'[' => cursor.items(Str::pass),
            _ => Self::plain(cursor).map(drop),
        }
    }

    fn by_name(spares: &mut Spares) -> Vec<(Str<'a>, Self)> {
        spares.lists()
    }
}

impl<'a, T: Plain<'a>> Plain<'a> for List<T> {
    fn plain(cursor: &mut Cursor<'a>) -> Option<Self> {
        let mut items = Vec::new();
        if cursor.null().is_none() {
            if !cursor.details {
                cursor.items(T::pass)?;
                return Some(Self(items));
            }
            cursor.items(|cursor| {
                items.push(T::plain(cursor)?);
                Some(())
            })?;
        }
        Some(Self(items))
    }
}

impl<'a, T: Plain<'a>> Plain<'a> for Pairs<'a, T> {
    fn plain(cursor: &mut Cursor<'a>) -> Option<Self> {
        let mut pairs = T::by_name(&mut cursor.spares);
        if cursor.null().is_none() {
            if !cursor.details {
                cursor.pairs(|cursor, _| T::pass(cursor))?;
                return Some(Self(pairs));
            }
            cursor.pairs(|cursor, key| {
                pairs.push((Str(Cow::Borrowed(key)), T::plain(cursor)?));
                Some(())
            })?;
        }
        Some(Self(pairs))
    }
}

impl<'a, T: Plain<'a>> Plain<'a> for Option<T> {
    fn plain(cursor: &mut Cursor<'a>) -> Option<Self> {
        if cursor.null().is_some() { Some(None) } else { T::plain(cursor).map(Some) }
    }
}

/// What may hold its like is left to the parser, which bounds how deep.
impl<'a, T: Deserialize<'a>> Plain<'a> for Box<T> {}
