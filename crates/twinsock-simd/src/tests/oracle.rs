//! What the tests compare with, and the texts that they try.

/// RFC 6455 §5.3 word for word: transformed octet i is original octet i XOR masking key octet
/// i modulo 4.
pub(crate) fn masked(bytes: &[u8], key: [u8; 4]) -> Vec<u8> {
    let transformed = |(i, octet): (usize, &u8)| octet ^ key[i % 4];
    bytes.iter().enumerate().map(transformed).collect()
}

/// Sequences at the edges of what UTF-8 allows, good and bad, and each of their beginnings.
pub(crate) fn boundary_cases() -> Vec<Vec<u8>> {
    let whole: [&[u8]; 30] = [
        b"\x7F",
        b"\x80",
        b"\xBF",
        b"\xC0\x80",
        b"\xC1\xBF",
        b"\xC2\x80",
        b"\xDF\xBF",
        b"\xC2\xC2\x80",
        b"\xE0\x80\x80",
        b"\xE0\x9F\xBF",
        b"\xE0\xA0\x80",
        b"\xEC\xBF\xBF",
        b"\xED\x9F\xBF",
        b"\xED\xA0\x80",
        b"\xED\xBF\xBF",
        b"\xEE\x80\x80",
        b"\xEF\xBF\xBF",
        b"\xEF\xBF\xC0",
        b"\xEF\xBF\xBF\x80",
        b"\xF0\x80\x80\x80",
        b"\xF0\x8F\xBF\xBF",
        b"\xF0\x90\x80\x80",
        b"\xF3\xBF\xBF\xBF",
        b"\xF4\x8F\xBF\xBF",
        b"\xF4\x90\x80\x80",
        b"\xF5\x80\x80\x80",
        b"\xF7\xBF\xBF\xBF",
        b"\xF8\x88\x80\x80\x80",
        b"\xFE\x80",
        b"\xFF\xBF",
    ];
    let beginnings = |case: &&[u8]| -> Vec<Vec<u8>> {
        (1..=case.len()).map(|end| case[..end].to_vec()).collect()
    };
    whole.iter().flat_map(beginnings).collect()
}

/// Text of about `length` bytes (never more): words of several scripts, runs of ASCII, any
/// characters.
pub(crate) fn mixed_text(random: &mut Random, length: usize) -> String {
    const WORDS: [&str; 9] = [
        "Grüße",
        "мир ",
        "日本語",
        "한국어",
        "हिन्दी",
        "😀🎉",
        "the quick brown fox jumps over ",
        "\u{10FFFF}",
        "\u{7FF}\u{800}",
    ];
    let mut text = String::new();
    while text.len() < length {
        match random.below(4) {
            0 => text.extend(random.character()),
            _ => text.push_str(WORDS[random.below(WORDS.len())]),
        }
        if random.below(40) == 0 {
            text.push_str(&"x".repeat(random.below(300)));
        }
    }
    while text.len() > length {
        text.pop();
    }
    text
}

/// Changes, removes or doubles up to three bytes, and may cut the end off.
pub(crate) fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..random.below(4) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len());
        match random.below(5) {
            0 => bytes[at] = random.byte(),
            1 => bytes[at] = [0x80, 0xBF, 0xC2, 0xE0, 0xED, 0xF0, 0xF4, 0xF5][random.below(8)],
            2 => bytes[at] ^= 1 << random.below(8),
            3 => drop(bytes.remove(at)),
            _ => bytes.insert(at, bytes[at]),
        }
    }
    if random.below(3) == 0 {
        bytes.truncate(random.below(bytes.len() + 1));
    }
}

/// Numbers that are the same in each run (xorshift).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % limit
    }

    /// Any character; none where the number drawn is a surrogate's.
    fn character(&mut self) -> Option<char> {
        let number = u32::try_from(self.below(0x11_0000)).unwrap();
        char::from_u32(number >> self.below(14))
    }
}
