//! A hash that tells beginnings of lines and bodies apart.

/// Spreads the bits of a hash.
pub(crate) const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// The same for the same text; of two lanes, which a processor works out at once. Whoever chooses the text can choose the hash,
/// too: what relies on it is no more than faster.
pub(crate) fn hash(text: &[u8]) -> u64 {
    let mut lanes = [0_u64; 2];
    let (words, rest) = text.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let lane = &mut lanes[number % 2];
        *lane = (lane.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR);
    }
    for byte in rest {
        lanes[0] = (lanes[0].rotate_left(5) ^ u64::from(*byte)).wrapping_mul(FACTOR);
    }
    lanes[0].rotate_left(23) ^ lanes[1]
}
