//! JSON values that are walked over by comparing them with one that stood in the same place before.
//!
//! Bodies of requests of one kind differ in few strings and numbers, and in few lists. What has the same bytes as a value that was
//! walked over, but for scalars of the same type and for objects and lists in the same places, is a value too.

use std::ops::Range;

use super::walk::{Notes, Walk};

/// Longer values are no models, in bytes: places in them are told by 16 bits.
const LONGEST: usize = 16 * 1024;

/// Where one value after the other is unlike the model, so many are walked over at the most before the next is compared.
const LONGEST_REST: u8 = 127;

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

/// What a value is made of.
#[derive(Debug, Default)]
struct Parts {
    /// Where the value began that was walked over.
    from: usize,
    /// Where keys, strings, numbers and words stand, from the front.
    scalars: Vec<Range<u16>>,
    /// Objects and lists, those first that begin first.
    nodes: Vec<Node>,
    /// Those of them that are open.
    open: Vec<u16>,
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
}

/// What is kept from one comparison to the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Where a model and the value at hand go on alike: places in both, from the front.
    meets: Vec<[usize; 2]>,
    /// How many bytes models have taken.
    pub(crate) taken: usize,
}

/// A value that was compared.
struct Compared {
    end: usize,
    /// How many bytes were walked over, as they are not alike.
    walked: usize,
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
        let Parts { scalars, nodes, .. } = &self.parts;
        self.text.capacity()
            + scalars.capacity() * size_of::<Range<u16>>()
            + nodes.capacity() * size_of::<Node>()
    }

    /// Compares the value that begins here with this one. What is unlike is walked over, unless that is more than all of this.
    fn compare(&self, value: Walk<'_>, meets: &mut Vec<[usize; 2]>) -> Option<Compared> {
        if self.text.is_empty() {
            return None;
        }
        let (mut own, mut other, mut walked, mut next) = (0, value, 0, 0);
        meets.clear();
        loop {
            meets.push([own, other.at()]);
            let same = common(&self.text[own..], other.rest());
            let (from, to) = (own, own + same);
            other.go_to(other.at() + same);
            if to == self.text.len() {
                return Some(Compared { end: other.at(), walked });
            }
            own = if let Some(end) = self.behind_scalar(from, to, &mut next, &mut other) {
                end
            } else {
                let (end, start) = self.behind_node(to, meets, &mut other)?;
                walked += other.at() - start;
                end
            };
            if walked > self.text.len() {
                return None;
            }
        }
    }

    /// Goes behind the scalar of `other` in which it differs at `at` from this one, if that is all that differs. Both are alike
    /// between `from` and `at`; scalars before `next` end there or earlier.
    fn behind_scalar(&self, from: usize, at: usize, next: &mut usize, other: &mut Walk<'_>) -> Option<usize> {
        // One that ends here may be longer there, if it is not in quotes.
        *next = first_behind(&self.parts.scalars, *next, at);
        let scalar = self.parts.scalars.get(*next)?;
        let (start, end) = (usize::from(scalar.start), usize::from(scalar.end));
        let is_string = self.text[start] == b'"';
        if start < from || start > at || at == end && is_string {
            return None;
        }
        let mut walk = *other;
        walk.go_to(other.at() - (at - start));
        let is_alike = walk.rest().starts_with(b"\"") == is_string;
        is_alike.then(|| walk.scalar())??;
        *other = walk;
        Some(end)
    }

    /// Goes behind what stands in `other` in the place of the innermost object or list in which it differs at `at` from this one;
    /// says where that ended here, and where the other began there.
    fn behind_node(&self, at: usize, meets: &[[usize; 2]], other: &mut Walk<'_>) -> Option<(usize, usize)> {
        let nodes = &self.parts.nodes;
        // Where the other has nothing, it is the one around that differs.
        let is_something = !matches!(other.rest(), [b']' | b'}', ..]);
        let before = at + usize::from(is_something);
        let mut number = nodes.partition_point(|node| usize::from(node.start) < before).checked_sub(1)?;
        while usize::from(nodes[number].end) <= at {
            number = usize::from(nodes[number].parent);
        }
        let node = &nodes[number];
        let start = usize::from(node.start);
        let [own, there] = meets[meets.partition_point(|[own, _]| *own <= start) - 1];
        let begin = there + (start - own);
        other.go_to(begin);
        other.skip_noting(u32::from(node.depth), &mut ())?;
        Some((usize::from(node.end), begin))
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
        self.nodes.clear();
        self.open.clear();
    }

    /// A place in the value; `None` behind what a model may hold.
    fn place(&self, at: usize) -> Option<u16> {
        let place = at - self.from;
        u16::try_from(place).ok().filter(|_| place <= LONGEST)
    }
}

impl Notes for Parts {
    fn scalar(&mut self, scalar: Range<usize>) {
        if let (Some(start), Some(end)) = (self.place(scalar.start), self.place(scalar.end)) {
            self.scalars.push(start..end);
        }
    }

    fn opened(&mut self, at: usize) {
        // No more nodes than bytes.
        if let (Some(start), Ok(number)) = (self.place(at), u16::try_from(self.nodes.len())) {
            let parent = self.open.last().copied().unwrap_or(number);
            let depth = u16::try_from(self.open.len()).unwrap_or(u16::MAX);
            self.nodes.push(Node { start, end: u16::MAX, parent, depth });
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

/// The first of `scalars` from `next` on that ends at `at` or behind it; as a rule it is near.
fn first_behind(scalars: &[Range<u16>], next: usize, at: usize) -> usize {
    let (mut from, mut step) = (next, 1);
    while scalars.get(from + step).is_some_and(|scalar| usize::from(scalar.end) < at) {
        from += step;
        step *= 2;
    }
    let to = scalars.len().min(from + step);
    from + scalars[from.min(to)..to].partition_point(|scalar| usize::from(scalar.end) < at)
}

/// How many bytes both begin with.
fn common(one: &[u8], other: &[u8]) -> usize {
    let (ones, _) = one.as_chunks::<8>();
    let (others, _) = other.as_chunks::<8>();
    for (number, (one, other)) in ones.iter().zip(others).enumerate() {
        let differ = u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
        if differ != 0 {
            return number * 8 + differ.trailing_zeros() as usize / 8;
        }
    }
    let from = ones.len().min(others.len()) * 8;
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
    fn what_is_no_value_is_none() {
        let first = r#" {"a":[1,"x",true],"b":{"c":null}},"#;
        for other in [
            r#" {"a":[1,"x",true],"b":{"c":null},"#,
            r#" {"a":[1,"x",true,],"b":{"c":null}}"#,
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
    }

    #[test]
    fn what_is_too_deep_or_too_long_is_left_to_the_walk() {
        let nested = |depth, inner: &str| format!(" {}{inner}{}", "[".repeat(depth), "]".repeat(depth));
        compared(&[nested(60, "1"), nested(60, "[[]]"), nested(60, "[[[[]]]]"), nested(60, "[[[[[]]]]]")]);
        let long = |length| format!(" [\"{}\",1]", "x".repeat(length));
        assert_eq!(compared(&[long(LONGEST - 6), long(LONGEST - 7), long(9)]), 2);
        assert_eq!(compared(&[long(LONGEST - 5), long(LONGEST - 5)]), 0);
        assert_eq!(compared(&[" 1,", " 12,", " \"x\"", " true"]), 0);
    }

    #[test]
    fn values_that_are_never_alike_are_hardly_compared() {
        let value = |number: u32| {
            let items = (0..10).map(|bit| if number >> bit & 1 == 0 { "1" } else { "\"a\"" });
            format!(" [{}]", items.collect::<Vec<_>>().join(","))
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
                proptest::collection::vec(("[ab]", inner), 0..5).prop_map(|pairs| {
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
