//! Texts that a hostile client could put into a log, for property tests.

use proptest::prelude::*;

/// What terminals, spreadsheets, JSON and YAML readers trip over.
const TRAPS: [&str; 24] = [
    "\u{1b}[31m",
    "\u{9b}2J",
    "\u{7f}",
    "\0",
    "\n",
    "\r",
    "\t",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{feff}",
    "\u{e0001}",
    "\u{fffe}",
    "=",
    "+",
    "-",
    "@",
    "＝",
    "\"",
    "\\",
    "---",
];

/// Any characters, with many traps among them.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(&TRAPS[..]).prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
        "[ -~]{0,8}",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}
