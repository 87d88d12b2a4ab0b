//! A log, whatever its bytes, plain or compressed: every byte is accounted for, however it is read, and no event with a
//! literal in it is missed.

#![no_main]

use std::io::Cursor;

use audit_who_core::event::event::Event;
use audit_who_core::event::fold::{Address, Fold};
use audit_who_core::event::literals::Literals;
use audit_who_core::event::look::Look;
use audit_who_core::{Inputs, Scan};
use libfuzzer_sys::fuzz_target;

/// The literal that events are looked for with.
const NAME: &str = "web-1";
/// Bytes of the longest line that is held.
const MAX_LINE: usize = 4096;

/// Where events are that have the name.
#[derive(Default)]
struct Named(Vec<Address>);

impl Fold for Named {
    fn event(&mut self, event: &Event<'_>, address: Address) {
        if event.object_ref.as_ref().is_some_and(|object| object.name == NAME) {
            self.0.push(address);
        }
    }

    fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

fn named(log: &[u8], literals: Literals) -> Vec<Address> {
    let inputs = Inputs::open_with_stdin(["-"], Cursor::new(log.to_vec()));
    let look = Look { filters: None, literals };
    let (Named(mut found), coverage) =
        Scan::new().threads(1).max_line(MAX_LINE).run(&inputs, &look, Named::default);
    assert!(coverage.total.is_balanced(), "{:?}", coverage.total);
    found.sort();
    found
}

fuzz_target!(|log: &[u8]| {
    let all = named(log, Literals::everything());
    assert_eq!(all, named(log, Literals::any_of([NAME.to_owned()])));
    assert_eq!(all, named(log, Literals::any_name([NAME.to_owned()])));
});
