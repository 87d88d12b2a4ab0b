//! Sizes on a command line.

/// Reads a number of bytes: `4096`, `64K`, `100M`, `1G` (powers of 1024).
pub fn parse_size(text: &str) -> Option<u64> {
    let (digits, shift) = match text.as_bytes().last()? {
        b'K' => (&text[..text.len() - 1], 10),
        b'M' => (&text[..text.len() - 1], 20),
        b'G' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!(parse_size("4096"), Some(4096));
        assert_eq!(parse_size("64K"), Some(65_536));
        assert_eq!(parse_size("2G"), Some(2 << 30));
        for bad in ["", "K", "-1", "1T", "1.5M", "99999999999G", "é"] {
            assert_eq!(parse_size(bad), None, "{bad}");
        }
    }
}
