//! From the bytes of a line to the events in it.

use std::ops::Range;

use crate::event::Event;

/// Takes what a line holds.
pub trait Sink {
    /// An event, and which bytes of the line hold it.
    fn event(&mut self, event: &Event<'_>, span: Range<usize>);
    /// Bytes of the line that hold no event, and why.
    fn bad(&mut self, span: Range<usize>, reason: &str);
}

/// Decodes one line, in whatever form it is, and hands every event and every bad span in it to `sink`.
///
/// The line has no line end. Whatever the bytes are, this returns: what can't be read is a bad span.
pub fn decode(line: &[u8], sink: &mut impl Sink) {
    sink.bad(0..line.len(), "not an audit entry");
}
