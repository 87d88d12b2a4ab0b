//! Escapes that may spell what is searched for.

use super::marks::Triple;

/// What every escape of a character below 256 begins with.
const START: &[u8; 4] = br"\u00";

/// By which escapes are searched for.
pub(super) const TRIPLE: Triple = [START[0], START[1], START[2]];

/// Whether the `\u00XX` that `text` may begin with spells a character which literals are made of.
///
/// Where JSON stands in a JSON string more backslashes come before the `u`, or the backslash is itself spelled `\u005c`.
/// Go's own escapes (`\u0026`, `\u003c`, `\u003e` and control characters) spell no such character: they are very common,
/// and are passed over.
pub(super) fn spells_a_letter(text: &[u8]) -> bool {
    let digits = text.strip_prefix(START);
    matches!(digits, Some([high, low, ..]) if SPELLS[usize::from(*high)] & 1 << hex(*low) != 0 && low.is_ascii_hexdigit())
}

/// By the first hex digit of a code: a bit for each second hex digit with which it spells a character of literals.
static SPELLS: [u16; 256] = {
    let mut table = [0; 256];
    let mut code = 0_u8;
    while code < 0x80 {
        if code.is_ascii_alphanumeric() || matches!(code, b'.' | b':' | b'_' | b'-' | b'\\') {
            table[b'0' as usize + (code >> 4) as usize] |= 1 << (code & 0xf);
        }
        code += 1;
    }
    table
};

/// The value of a hex digit; some value below 16 for what is none.
const fn hex(digit: u8) -> u8 {
    if digit.is_ascii_digit() { digit - b'0' } else { (digit & 0xf).wrapping_add(9) & 0xf }
}
