//! Numbers that look random and are the same for the same seed.

/// [SplitMix64](https://prng.di.unimi.it/splitmix64.c): small, fast, good enough for test data.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// A sequence of its own for each seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A sequence of its own for each text (FNV-1a makes the seed).
    pub fn from_text(text: &str) -> Self {
        Self(text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 if the bound is 0.
    pub const fn below(&mut self, bound: u32) -> u32 {
        // The high bits of a product of two 32-bit numbers: even enough, and no division.
        (((self.next() >> 32) * bound as u64) >> 32) as u32
    }

    /// Appends `digits` lower-case hexadecimal digits.
    pub fn hex(&mut self, digits: usize, out: &mut Vec<u8>) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut left = digits;
        while left > 0 {
            let mut bits = self.next();
            for _ in 0..left.min(16) {
                out.push(DIGITS[(bits & 15) as usize]);
                bits >>= 4;
            }
            left = left.saturating_sub(16);
        }
    }

    /// Appends a version 4 UUID, the form of uids and audit ids, 36 bytes.
    pub fn uuid(&mut self, out: &mut Vec<u8>) {
        let start = out.len();
        for (i, digits) in [8, 4, 4, 4, 12].into_iter().enumerate() {
            if i > 0 {
                out.push(b'-');
            }
            self.hex(digits, out);
        }
        out[start + 14] = b'4';
        out[start + 19] = b"89ab"[self.below(4) as usize];
    }

    /// Appends `length` characters as Kubernetes draws them for generated names: no vowels, no look-alikes.
    pub fn name_suffix(&mut self, length: usize, out: &mut Vec<u8>) {
        const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
        out.extend((0..length).map(|_| LETTERS[self.below(27) as usize]));
    }

    /// What one of the functions above appends, as text.
    pub fn text(&mut self, write: impl FnOnce(&mut Self, &mut Vec<u8>)) -> String {
        let mut bytes = Vec::new();
        write(self, &mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_splitmix64() {
        let mut random = SplitMix64::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn shapes_hold() {
        let mut random = SplitMix64::from_text("shapes");
        for _ in 0..1000 {
            assert!(random.below(7) < 7);
        }
        let uuid = random.text(SplitMix64::uuid);
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert_eq!(random.text(|random, out| random.hex(64, out)).len(), 64);
        assert_eq!(random.text(|random, out| random.name_suffix(5, out)).len(), 5);
    }
}
