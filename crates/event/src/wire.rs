//! Reading JSON as leniently as logs demand: anything may be absent, null or unknown, and the last of two equal keys
//! counts, as in Go.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Gives a struct with a `Default` a `Deserialize` that reads the named keys and ignores all others, and the same as
/// [`Plain`](crate::plain::Plain).
///
/// Keys stand in the order in which Go writes them, those that are ignored before them in brackets: each is first looked
/// for where it then must come, which takes one comparison. From the first key on that comes otherwise, any is.
///
/// serde's derive would fail on a repeated key, and would own every `Option<Cow<str>>` instead of borrowing it.
macro_rules! lenient {
    ($type:ident<$life:lifetime> { $([$($ignored:literal),*],)? $($key:literal => $($field:ident).+: $how:ty),* $(,)? }) => {
        impl<'de: $life, $life> serde::de::Deserialize<'de> for $type<$life> {
            fn deserialize<D: serde::de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields;
                impl<'de> serde::de::Visitor<'de> for Fields {
                    type Value = $type<'de>;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_unit<E>(self) -> Result<Self::Value, E> {
                        Ok($type::default())
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut value = $type::default();
                        while let Some(key) = map.next_key::<$crate::wire::Str<'de>>()? {
                            match key.0.as_ref() {
                                $($key => value.$($field).+ = map.next_value::<$how>()?.into(),)*
                                _ => { map.next_value::<serde::de::IgnoredAny>()?; }
                            }
                        }
                        Ok(value)
                    }
                }
                deserializer.deserialize_any(Fields)
            }
        }
        impl<'de> $crate::plain::Plain<'de> for $type<'de> {
            fn plain(cursor: &mut $crate::json::Cursor<'de>) -> Option<Self> {
                let mut value = Self::default();
                value.fill(cursor).map(|()| value)
            }
        }
        impl<'de> $type<'de> {
            /// Reads into the default value, which spares moving a large one.
            fn fill(&mut self, cursor: &mut $crate::json::Cursor<'de>) -> Option<()> {
                if cursor.null().is_some() {
                    return Some(());
                }
                if !cursor.opens()? {
                    return Some(());
                }
                $($(
                    if cursor.expect(concat!("\"", $ignored, "\":").as_bytes()) {
                        cursor.skip()?;
                        if !cursor.goes_on()? {
                            return Some(());
                        }
                    }
                )*)?
                $(
                    if cursor.expect(concat!("\"", $key, "\":").as_bytes()) {
                        self.$($field).+ = <$how as $crate::plain::Plain<'de>>::plain(cursor)?.into();
                        if !cursor.goes_on()? {
                            return Some(());
                        }
                    }
                )*
                cursor.more_pairs(|cursor, key| {
                    match key {
                        $($key => self.$($field).+ = <$how as $crate::plain::Plain<'de>>::plain(cursor)?.into(),)*
                        _ => cursor.skip()?,
                    }
                    Some(())
                })
            }
        }
    };
}
pub(crate) use lenient;

/// A string that borrows unless it had to be unescaped. Null is empty; numbers and booleans are their text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Str<'a>(pub(crate) Cow<'a, str>);

impl<'a> From<Str<'a>> for Cow<'a, str> {
    fn from(text: Str<'a>) -> Self {
        text.0
    }
}

/// A string that was there and is not empty.
impl<'a> From<Str<'a>> for Option<Cow<'a, str>> {
    fn from(text: Str<'a>) -> Self {
        (!text.0.is_empty()).then_some(text.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Str<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Str(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Str(Cow::Owned(text.to_owned())))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Str::default())
            }
            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Str(Cow::Borrowed(if value { "true" } else { "false" })))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Str(Cow::Owned(value.to_string())))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
                Ok(Str(Cow::Owned(value.to_string())))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
                Ok(Str(Cow::Owned(value.to_string())))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

/// What stays empty where no details are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Detail<T>(pub(crate) T);

impl<'a> From<Detail<Str<'a>>> for Cow<'a, str> {
    fn from(detail: Detail<Str<'a>>) -> Self {
        detail.0.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Detail<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

/// A URI, which may end in front of its query where no details are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uri<'a>(pub(crate) Str<'a>);

impl<'a> From<Uri<'a>> for Cow<'a, str> {
    fn from(uri: Uri<'a>) -> Self {
        uri.0.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Uri<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Str::deserialize(deserializer).map(Self)
    }
}

/// A whole number; anything else is `None`, as it is to Kubernetes: a fraction, or a power of ten, be it one that is whole.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Int(pub(crate) Option<i64>);

impl From<Int> for Option<i64> {
    fn from(number: Int) -> Self {
        number.0
    }
}

impl From<Int> for u16 {
    fn from(number: Int) -> Self {
        number.0.and_then(|n| Self::try_from(n).ok()).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Int;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Int(text.parse().ok()))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Int(None))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Int(None))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Int(Some(number)))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Int(number.try_into().ok()))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Int(None))
            }
        }
        deserializer.deserialize_any(Number)
    }
}

/// A truth value; anything else is `None`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flag(pub(crate) Option<bool>);

impl From<Flag> for Option<bool> {
    fn from(flag: Flag) -> Self {
        flag.0
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Str::deserialize(deserializer).map(|text| Self(text.0.parse().ok()))
    }
}

/// A list; null is empty.
#[derive(Clone, Debug)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T, U: From<T>> From<List<T>> for Vec<U> {
    fn from(list: List<T>) -> Self {
        list.0.into_iter().map(U::from).collect()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = List<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(List(Vec::new()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(List(items))
            }
        }
        deserializer.deserialize_any(Items(PhantomData))
    }
}

/// An object as its pairs, in the order of the text; null is empty.
#[derive(Clone, Debug)]
pub(crate) struct Pairs<'a, T>(pub(crate) Vec<(Str<'a>, T)>);

impl<'a, T, U: From<T>> From<Pairs<'a, T>> for Vec<(Cow<'a, str>, U)> {
    fn from(pairs: Pairs<'a, T>) -> Self {
        pairs.0.into_iter().map(|(key, value)| (key.0, U::from(value))).collect()
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Pairs<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Pairs<'de, T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Pairs(Vec::new()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_any(Entries(PhantomData))
    }
}

/// A list of strings, or one string, or anything else, which is empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strs<'a>(pub(crate) Vec<Cow<'a, str>>);

impl<'a> From<Strs<'a>> for Vec<Cow<'a, str>> {
    fn from(strs: Strs<'a>) -> Self {
        strs.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Strs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Strs<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of strings")
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Strs::default())
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Strs(vec![Cow::Borrowed(text)]))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Strs(vec![Cow::Owned(text.to_owned())]))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Strs::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = seq.next_element::<Str<'de>>()? {
                    texts.push(text.0);
                }
                Ok(Strs(texts))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Strs::default())
            }
        }
        deserializer.deserialize_any(Texts)
    }
}
