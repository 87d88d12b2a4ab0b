//! JSON values that are walked over by comparing them with one that stood in the same place before.
//!
//! Bodies of requests of one kind differ in few strings and numbers, and in few lists. What has the same bytes as a value that was
//! walked over, but for scalars of the same type and for objects and lists in the same places, is a value too.

mod pair;

use std::ops::Range;

use self::pair::{Compared, Pair};
use super::walk::{Notes, Walk};
use crate::hash::hash;

/// Longer values are no models, in bytes: places in them are told by 16 bits.
const LONGEST: usize = 16 * 1024;

/// Where one value after the other is unlike the model, so many are walked over at the most before the next is compared.
const LONGEST_REST: u8 = 127;

/// Scalars are found by where they are among so many bytes.
const STRIDE: usize = 16;
/// The value that stood in a place, with which the next ones are compared.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// An object or a list: it ends with its last byte, whatever follows. Empty if there is none.
    text: Vec<u8>,
    parts: Parts,
    /// How many values are walked over before the next is compared, and how many are the next time.
    rest: u8,
    next_rest: u8,
}

/// Models of values that begin with other bytes.
#[derive(Debug, Default)]
pub(crate) struct Models {
    models: Vec<Model>,
    scratch: Scratch,
}

/// Values are told apart by so many bytes, which as a rule tell the kind of an object.
const TOLD: usize = 16;
/// So many of them are kept.
const KINDS: usize = 16;

impl Models {
    /// Goes behind the next value as [`Walk::skip`] does.
    pub(crate) fn skip(&mut self, walk: &mut Walk<'_>) -> Option<()> {
        walk.peek();
        let Some(beginning) = walk.rest().first_chunk::<TOLD>() else { return walk.skip() };
        let place = (hash(beginning) >> 48) as usize % KINDS;
        self.models.resize_with(KINDS, Model::default);
        self.models[place].skip(walk, &mut self.scratch)
    }
}

/// What a value is made of.
#[derive(Debug, Default)]
struct Parts {
    /// Where the value began that was walked over.
    from: usize,
    /// Keys, strings, numbers and words, from the front.
    scalars: Vec<Scalar>,
    /// Of each [`STRIDE`] bytes, the first scalar that ends there or behind.
    strides: Vec<u16>,
    /// Objects and lists, those first that begin first.
    nodes: Vec<Node>,
    /// Those of them that are open.
    open: Vec<u16>,
}

/// A key, a string, a number or a word.
#[derive(Debug)]
struct Scalar {
    start: u16,
    end: u16,
    /// Of a key, the next one of the same object; of the last one, itself.
    next_key: Option<u16>,
}

/// An object or a list.
#[derive(Debug)]
struct Node {
    start: u16,
    /// Behind its last bracket.
    end: u16,
    /// What it is in; the value itself is in itself.
    parent: u16,
    depth: u16,
    /// The key that was met last.
    last_key: Option<u16>,
}

/// What is kept from one comparison to the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Where a model and the value at hand go on alike: places in both, from the front.
    meets: Vec<[usize; 2]>,
    /// How many bytes models have taken.
    pub(crate) taken: usize,
}

impl Model {
    /// Goes behind the next value as [`Walk::skip`] does. It may become the model of those that follow.
    pub(crate) fn skip(&mut self, walk: &mut Walk<'_>, scratch: &mut Scratch) -> Option<()> {
        if self.rest > 0 {
            self.rest -= 1;
            return walk.skip();
        }
        if let Some(Compared { end, walked }) = self.compare(*walk, &mut scratch.meets) {
            if walked * 2 > end - walk.at() {
                self.give_up();
            } else {
                self.next_rest = 0;
            }
            walk.go_to(end);
            return Some(());
        }
        if !self.text.is_empty() {
            self.give_up();
        }
        let before = self.size();
        let value = self.replace(walk);
        scratch.taken += self.size().saturating_sub(before);
        value
    }

    /// Takes it that values are unlike this one, and so may be the next ones.
    fn give_up(&mut self) {
        self.text.clear();
        self.rest = self.next_rest;
        self.next_rest = (self.next_rest * 2 + 1).min(LONGEST_REST);
    }

    const fn size(&self) -> usize {
        let Parts { scalars, strides, nodes, .. } = &self.parts;
        self.text.capacity()
            + scalars.capacity() * size_of::<Scalar>()
            + strides.capacity() * size_of::<u16>()
            + nodes.capacity() * size_of::<Node>()
    }

    /// Compares the value that begins here with this one. What is unlike is walked over, unless that is more than all of this.
    fn compare(&self, value: Walk<'_>, meets: &mut Vec<[usize; 2]>) -> Option<Compared> {
        if self.text.is_empty() {
            return None;
        }
        Pair::begin(self, value, meets).compare()
    }

    /// Walks over the next value, and takes it for the model.
    fn replace(&mut self, walk: &mut Walk<'_>) -> Option<()> {
        self.text.clear();
        let (start, rest) = (walk.at(), walk.rest());
        self.parts.begin(start);
        walk.skip_noting(0, &mut self.parts)?;
        let value = &rest[..walk.at() - start];
        if value.len() <= LONGEST && matches!(value, [b'{' | b'[', ..]) {
            self.text.extend_from_slice(value);
        }
        Some(())
    }
}

impl Parts {
    fn begin(&mut self, from: usize) {
        self.from = from;
        self.scalars.clear();
        self.strides.clear();
        self.nodes.clear();
        self.open.clear();
    }

    /// The first scalar that ends at `at` or behind it.
    fn scalar_behind(&self, at: usize) -> Option<&Scalar> {
        let from = usize::from(*self.strides.get(at / STRIDE)?);
        self.scalars[from..].iter().find(|scalar| usize::from(scalar.end) >= at)
    }

    fn push(&mut self, scalar: Range<usize>, next_key: Option<u16>) {
        if let (Some(start), Some(end)) = (self.place(scalar.start), self.place(scalar.end))
            && let Ok(number) = u16::try_from(self.scalars.len())
        {
            self.strides.resize(usize::from(end) / STRIDE + 1, number);
            self.scalars.push(Scalar { start, end, next_key });
        }
    }

    /// The innermost object or list that begins before `begun` and ends behind `at`.
    fn around(&self, begun: usize, at: usize) -> Option<&Node> {
        let before = self.nodes.partition_point(|node| usize::from(node.start) < begun);
        let mut node = &self.nodes[before.checked_sub(1)?];
        while usize::from(node.end) <= at {
            node = &self.nodes[usize::from(node.parent)];
        }
        Some(node)
    }

    /// A place in the value; `None` behind what a model may hold.
    fn place(&self, at: usize) -> Option<u16> {
        let place = at - self.from;
        u16::try_from(place).ok().filter(|_| place <= LONGEST)
    }
}

impl Notes for Parts {
    fn key(&mut self, key: Range<usize>) {
        let number = u16::try_from(self.scalars.len()).unwrap_or(u16::MAX);
        self.push(key, Some(number));
        // What stands behind what a model may hold is not kept.
        if usize::from(number) < self.scalars.len()
            && let Some(node) = self.open.last()
            && let Some(before) = self.nodes[usize::from(*node)].last_key.replace(number)
        {
            self.scalars[usize::from(before)].next_key = Some(number);
        }
    }

    fn scalar(&mut self, scalar: Range<usize>) {
        self.push(scalar, None);
    }

    fn opened(&mut self, at: usize) {
        // No more nodes than bytes.
        if let (Some(start), Ok(number)) = (self.place(at), u16::try_from(self.nodes.len())) {
            let parent = self.open.last().copied().unwrap_or(number);
            let depth = u16::try_from(self.open.len()).unwrap_or(u16::MAX);
            self.nodes.push(Node { start, end: u16::MAX, parent, depth, last_key: None });
            self.open.push(number);
        }
    }

    fn closed(&mut self, at: usize) {
        if let Some(end) = self.place(at)
            && let Some(number) = self.open.pop()
        {
            self.nodes[usize::from(number)].end = end;
        }
    }
}

/// How many bytes both begin with.
pub(crate) fn common(one: &[u8], other: &[u8]) -> usize {
    // As many as a processor compares at once, then those of one register.
    let (ones, others) = (one.as_chunks::<32>().0, other.as_chunks::<32>().0);
    let alike = ones.iter().zip(others).take_while(|(one, other)| one == other).count() * 32;
    let (ones, others) = (one[alike..].as_chunks::<8>().0, other[alike..].as_chunks::<8>().0);
    for (number, (one, other)) in ones.iter().zip(others).enumerate() {
        let differ = u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
        if differ != 0 {
            return alike + number * 8 + differ.trailing_zeros() as usize / 8;
        }
    }
    let from = alike + ones.len().min(others.len()) * 8;
    from + one[from..].iter().zip(&other[from..]).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Goes over each value with one model, and without; says how often they were compared.
    fn compared(values: &[impl AsRef<[u8]>]) -> usize {
        let (mut model, mut scratch, mut compared) = (Model::default(), Scratch::default(), 0);
        for value in values {
            let value = value.as_ref();
            let mut walk = Walk::new(value, 1);
            compared += usize::from(model.compare(walk, &mut Vec::new()).is_some());
            let skipped = model.skip(&mut walk, &mut scratch).map(|()| walk.at());
            let mut plain = Walk::new(value, 1);
            let expected = plain.skip().map(|()| plain.at());
            assert_eq!(skipped, expected, "{}", String::from_utf8_lossy(value));
        }
        compared
    }

    #[test]
    fn values_that_differ_in_scalars_are_compared() {
        let values = [
            r#" {"a":1,"b":["x",{}],"c":true},"#,
            r#" {"a":12,"b":["",{}],"c":true}}"#,
            r#" {"a":-1.5e3,"b":["\"\u00e4",{}],"c":null},"#,
            r#" {"ab":0,"b":["longer than before",{}],"c":false},"#,
            r#" {"a":1,"b":["x",{}],"c":true}"#,
        ];
        assert_eq!(compared(&values), 4);
    }

    #[test]
    fn what_differs_otherwise_is_walked_over_alone() {
        let long = format!("{:?}", ["the same"; 9]);
        let of = |part: &str| format!(" {{\"long\":{long},\"part\":{part},\"more\":{long}}},");
        let parts = [
            "{}",
            r#"{"a":[]}"#,
            r#"{"a":[1,2,{"b":[]}],"c":"d"}"#,
            "{ }",
            r#"{"a":"b"}"#,
            r#"[{"a":{}}]"#,
            "[]",
            "7",
        ];
        assert_eq!(compared(&parts.map(of)), parts.len() - 1);
    }

    #[test]
    fn keys_that_are_missing_or_added_cost_themselves_alone() {
        let long = format!("{:?}", ["the same"; 9]);
        let of = |keys: &[&str]| {
            let pairs = keys.iter().map(|key| match *key {
                "n" => r#""n":7"#.to_owned(),
                "o" => format!(r#""o":{{"list":{long}}}"#),
                key => format!(r#""{key}":{long}"#),
            });
            format!(r#" {{"a":{{{}}},"z":{long}}},"#, pairs.collect::<Vec<_>>().join(","))
        };
        let keys: [&[&str]; 9] = [
            &["b", "n", "o", "c"],
            &["b", "o", "c"],
            &["o", "c"],
            &["b", "n", "o"],
            &["b"],
            &["b", "n", "m", "c"],
            &["n", "b", "n", "o", "c"],
            &["c"],
            &[],
        ];
        let (mut model, mut scratch) = (Model::default(), Scratch::default());
        let walked = keys.map(of).map(|value| {
            let walk = Walk::new(value.as_bytes(), 1);
            let walked = model.compare(walk, &mut Vec::new()).map(|compared| compared.walked);
            if walked.is_none() {
                model.skip(&mut walk.clone(), &mut scratch);
            }
            walked.map(|walked| walked / long.len())
        });
        // The sixth and the seventh have one more.
        assert_eq!(walked, [None, Some(0), Some(0), Some(0), Some(0), Some(1), Some(1), Some(0), Some(0)]);
    }

    #[test]
    fn what_is_no_value_is_none() {
        let first = r#" {"a":[1,"x",true],"b":{"c":null}},"#;
        for other in [
            r#" {"a":[1,"x",true],"b":{"c":null},"#,
            r#" {"a":[1,"x",true,],"b":{"c":null}}"#,
            r#" {"a":[1,],"b":{"c":null}}"#,
            r#" {"a":[,1],"b":{"c":null}}"#,
            r#" {"a":[1,"x",true,"b":{"c":null}}"#,
            r#" {"a":[1,"x",true],}"#,
            r#" {"a":[1,"x",true],"d":[],}"#,
            r#" {"d":[],}"#,
            r#" {,"b":{"c":null}}"#,
            r#" {"a":[1,"x",true],"b"}"#,
            r#" {"a":[1,"x",true],"d":7"#,
            r#" {"a":[1,"x",true],"b":{"c":null,}}"#,
            r#" {"a":[1,"x",true],"b":{"c":null]}"#,
            r#" {"a":[1,"x",true}],"b":{"c":null}}"#,
            r#" {"a":[01,"x",true],"b":{"c":null}}"#,
            r#" {"a":[1,"\x",true],"b":{"c":null}}"#,
            r#" {"a":[1,"x",truer],"b":{"c":null}}"#,
            r#" {"a":[1,"x",true],7:{"c":null}}"#,
            r#" {"a":[1,"x",true],"b":{"c":nul"#,
            r#" {"a":[1,"x"#,
            " ",
        ] {
            let plain = Walk::new(other.as_bytes(), 1).skip();
            assert_eq!(plain, None, "{other}");
            compared(&[first, other, first]);
        }
        for (first, other) in [
            (r#" {"a":{},"b":[]},"#, r#" {"a":{,"c":1},"b":[]},"#),
            (r#" {"a":{},"b":[]},"#, r#" {"a":{},"b":[,1]},"#),
            (r#" ["a,b",1],"#, " [\"a]\t"),
        ] {
            assert_eq!(Walk::new(other.as_bytes(), 1).skip(), None, "{other}");
            compared(&[first, other, first]);
        }
    }

    #[test]
    fn what_is_too_deep_or_too_long_is_left_to_the_walk() {
        let nested = |depth, inner: &str| format!(" {}{inner}{}", "[".repeat(depth), "]".repeat(depth));
        // What is unlike stands in place of a number, or behind the last one.
        for (inner, compares) in
            [("[[[[1]]]],2", 1), ("[[[[[1]]]]],2", 0), ("1,2,[[[[1]]]]", 1), ("1,2,[[[[[1]]]]]", 0)]
        {
            assert_eq!(compared(&["1,2", inner].map(|inner| nested(60, inner))), compares, "{inner}");
        }
        let long = |length| format!(" [\"{}\",1]", "x".repeat(length));
        assert_eq!(compared(&[long(LONGEST - 6), long(LONGEST - 7), long(9)]), 2);
        assert_eq!(compared(&[long(LONGEST - 5), long(LONGEST - 5)]), 0);
        let keys = |keys: usize| format!(" {{{}}}", vec![r#""a":1"#; keys].join(","));
        compared(&[LONGEST / 6 - 1, LONGEST / 6, LONGEST / 6 + 1, LONGEST, 3, LONGEST].map(keys));
        // Whatever stands where a model ends.
        let at_end = |pad: usize| {
            let pad = "x".repeat(LONGEST - 60 + pad);
            format!(r#" {{"p":"{pad}","k":{{"a":[1,{{"b":2,"c":[]}}],"d":null}},"e":[{{}},true]}},"#)
        };
        compared(&(0..70).flat_map(|pad| [at_end(pad), at_end(0), at_end(pad)]).collect::<Vec<_>>());
        assert_eq!(compared(&[" 1,", " 12,", " \"x\"", " true"]), 0);
    }

    #[test]
    fn values_that_are_never_alike_are_hardly_compared() {
        let value = |number: u32| {
            let item = ["[1,2]", r#"{"a":1}"#, "\"abc\""][number as usize % 3];
            format!(" [{}]", [item; 10].join(","))
        };
        let values: Vec<_> = (0..1000).map(value).collect();
        let (mut model, mut scratch) = (Model::default(), Scratch::default());
        let mut is_asked = |value: &String| {
            let is_asked = model.rest == 0;
            model.skip(&mut Walk::new(value.as_bytes(), 1), &mut scratch);
            is_asked
        };
        assert!(values.iter().filter(|value| is_asked(value)).count() < 30);
    }

    fn value() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            r#""([a-z]{0,9}|ä|\\["nu]|\\u00e4){0,2}""#.prop_map(|text| text),
            "-?[0-9]{1,3}(\\.[0-9])?",
            Just("true".to_owned()),
            Just("null".to_owned()),
        ];
        scalar.prop_recursive(5, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5)
                    .prop_map(|items| format!("[{}]", items.join(","))),
                proptest::collection::vec(("[a-e]", inner), 0..6).prop_map(|pairs| {
                    let pairs: Vec<_> =
                        pairs.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                    format!("{{{}}}", pairs.join(","))
                }),
            ]
        })
    }

    proptest! {
        /// Whatever came before, a value is gone over as without a model.
        #[test]
        fn a_model_changes_nothing(
            values in proptest::collection::vec(value(), 1..4),
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[\\[\\]{}\",:0a\\\\ ]{0,2}", 0_usize..3), 0..12),
        ) {
            // Each change cuts some bytes out of one of the values, and puts others in their place.
            let mut all: Vec<Vec<u8>> = values.iter().map(|value| format!(" {value},").into_bytes()).collect();
            for (which, place, put, cut) in &changes {
                let mut changed = which.get(&all).clone();
                let at = place.index(changed.len()).max(1);
                changed.splice(at..(at + cut).min(changed.len()), put.bytes());
                all.push(changed);
                all.push(all[0].clone());
            }
            compared(&all);
        }
    }
}
