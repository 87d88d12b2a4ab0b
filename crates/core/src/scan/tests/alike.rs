//! Lines whose end is known from lines like them, against the decoding of each line on its own.

use super::*;

/// Keeps where events stand and what their request URI is, and looks at no details.
#[derive(Debug, Default, PartialEq)]
struct Paths(Seen);

impl Fold for Paths {
    fn event(&mut self, event: &Event<'_>, address: Address) {
        self.0.event(event, address);
    }

    fn wants_details(&self) -> bool {
        false
    }

    fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }
}

/// A value that is longer than what tells ends of lines apart.
const AGENT: &str = "an-agent-with-a-name-that-is-longer-than-what-tells-ends-of-lines-apart/v1.36.2-with-all-of-its-metadata";

/// Entries of two forms, and what stands between them in files that were cut or edited.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let entry = |rest: &'static str| {
        "[a-c]{0,40}".prop_map(move |path| {
            format!(r#"{{"auditID":"a","requestURI":"/api/v1/namespaces/{path}","userAgent":"{AGENT}"{rest}"#)
        })
    };
    let line = prop_oneof![
        12 => entry(r#","verb":"get"}"#),
        6 => entry(r#","verb":"create","requestObject":{"a":[1]}}"#),
        1 => entry(r#","verb":"create","requestObject":{"a":"#),
        1 => entry(r#","verb":"get"}{"auditID":"b"}"#),
        1 => entry(r#","verb":"get"} "#),
        1 => Just("\0\0".to_owned()),
        1 => Just("\u{feff}".to_owned()),
        1 => Just(String::new()),
    ];
    let end = prop_oneof![8 => Just("\n"), 2 => Just("\r\n"), 1 => Just("\r"), 1 => Just("")];
    proptest::collection::vec((line, end), 1..60)
        .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect::<String>().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn lines_that_are_like_others_are_accounted_for_as_if_each_was_alone(
        content in lines().prop_filter("lines", |content| is_lines(content)),
        block in 40_usize..4000, range in 40_u64..4000, threads in 1_usize..3,
        max_line in prop_oneof![Just(MAX_LINE), 180_usize..260],
    ) {
        let (_folder, path) = file(&content);
        let scan = sizes(block, range, threads).max_line(max_line);
        let look = Look { filters: None, literals: Literals::everything() };
        let with = |decode| {
            let (mut found, coverage) = scan.run_with(&Inputs::open([&path]), &look, Paths::default, decode);
            found.0.0.sort();
            (found, coverage)
        };
        let alone = with(|_, line, sink| envelope::decode(line, sink));
        prop_assert!(alone.1.total.is_balanced());
        prop_assert_eq!(with(|decoder, line, sink| decoder.decode(line, sink)), alone);
    }
}
