//! The XOR that hides a client's payload, and its key (RFC 6455 §5.3).

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// The 32 bits that a frame's payload is XORed with.
///
/// One number and not four bytes, which would be stored one by one and then loaded together: on
/// the way of each small message the processor would wait for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MaskKey(u32);

impl MaskKey {
    /// The key whose bytes stand so in a frame.
    #[inline]
    pub(crate) fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(u32::from_ne_bytes(bytes))
    }

    #[inline]
    pub(crate) fn to_bytes(self) -> [u8; 4] {
        self.0.to_ne_bytes()
    }

    /// XORs `payload`, whose first byte stands where the key begins; masking and unmasking are
    /// the same operation.
    #[inline]
    pub(crate) fn apply(self, payload: &mut [u8]) {
        twinsock_simd::mask(payload, self.to_bytes());
    }

    /// Appends `payload`, masked or unmasked if there is a key.
    #[inline]
    pub(crate) fn append(key: Option<Self>, payload: &[u8], out: &mut Vec<u8>) {
        match key {
            Some(key) => twinsock_simd::append_masked(out, payload, key.to_bytes()),
            None => out.extend_from_slice(payload),
        }
    }

    /// The key for a payload's rest after `count` of its bytes.
    pub(crate) fn advanced_by(self, count: usize) -> Self {
        let mut key = self.to_bytes();
        key.rotate_left(count % 4);
        Self::from_bytes(key)
    }
}

/// Mask keys that nobody can foresee: a stream cipher's output, a new key for each frame.
///
/// RFC 6455 §5.3: the key must be derived from a strong source of entropy and must not be
/// predictable from earlier ones. ChaCha8 keyed with 256 bits of the system's randomness is
/// that source; one block of its output serves many frames.
pub(crate) struct MaskKeys(ChaCha8Rng);

impl MaskKeys {
    pub(crate) fn from_seed(seed: [u8; 32]) -> Self {
        Self(ChaCha8Rng::from_seed(seed))
    }

    pub(crate) fn next_key(&mut self) -> MaskKey {
        MaskKey(self.0.next_u32())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// RFC 6455 §5.3 word for word: octet i is XORed with octet i modulo 4 of the key.
    fn naive(key: [u8; 4], payload: &mut [u8]) {
        for (index, byte) in payload.iter_mut().enumerate() {
            *byte ^= key[index % 4];
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_rfcs_formula(
            key: [u8; 4],
            payload in prop::collection::vec(any::<u8>(), 0..200),
            offset in 0usize..16,
        ) {
            let mut expected = payload.clone();
            let mut actual = payload;
            let offset = offset.min(actual.len());
            naive(key, &mut expected[offset..]);
            MaskKey::from_bytes(key).apply(&mut actual[offset..]);
            prop_assert_eq!(actual, expected);
        }

        #[test]
        fn a_payload_may_be_masked_in_pieces(
            key: [u8; 4],
            payload in prop::collection::vec(any::<u8>(), 0..200),
            cut in 0usize..200,
        ) {
            let cut = cut.min(payload.len());
            let mut whole = payload.clone();
            MaskKey::from_bytes(key).apply(&mut whole);
            let mut pieces = payload;
            let (first, second) = pieces.split_at_mut(cut);
            MaskKey::from_bytes(key).apply(first);
            MaskKey::from_bytes(key).advanced_by(cut).apply(second);
            prop_assert_eq!(pieces, whole);
        }
    }

    #[test]
    fn keys_do_not_repeat() {
        let mut keys = MaskKeys::from_seed([7; 32]);
        let drawn: HashSet<[u8; 4]> = (0..1000).map(|_| keys.next_key().to_bytes()).collect();
        assert!(
            drawn.len() > 995,
            "only {} different keys in 1000",
            drawn.len()
        );
    }

    #[test]
    fn another_seed_gives_other_keys() {
        let first = MaskKeys::from_seed([1; 32]).next_key();
        assert_ne!(first, MaskKeys::from_seed([2; 32]).next_key());
    }
}
