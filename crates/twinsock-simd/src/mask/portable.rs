//! Masking in words: the compiler turns the loops into the target's vector instructions.

use std::mem::MaybeUninit;

/// See [`mask`](crate::mask()).
#[inline(always)]
pub(super) fn mask(bytes: &mut [u8], key: [u8; 4]) {
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = xor_8(*word, key);
    }
    let (words, rest) = rest.as_chunks_mut::<4>();
    for word in words {
        *word = xor_4(*word, key);
    }
    for (byte, key) in rest.iter_mut().zip(key) {
        *byte ^= key;
    }
}

/// Fills `to` with `from`, masked; both have the same length.
#[inline(always)]
pub(super) fn copy_masked(from: &[u8], to: &mut [MaybeUninit<u8>], key: [u8; 4]) {
    let (words, rest) = from.as_chunks::<8>();
    let (places, rest_places) = to.as_chunks_mut::<8>();
    for (place, word) in places.iter_mut().zip(words) {
        *place = xor_8(*word, key).map(MaybeUninit::new);
    }
    let (words, rest) = rest.as_chunks::<4>();
    let (places, rest_places) = rest_places.as_chunks_mut::<4>();
    for (place, word) in places.iter_mut().zip(words) {
        *place = xor_4(*word, key).map(MaybeUninit::new);
    }
    for ((place, byte), key) in rest_places.iter_mut().zip(rest).zip(key) {
        place.write(byte ^ key);
    }
}

#[inline(always)]
fn xor_8(word: [u8; 8], key: [u8; 4]) -> [u8; 8] {
    let [a, b, c, d] = key;
    (u64::from_ne_bytes(word) ^ u64::from_ne_bytes([a, b, c, d, a, b, c, d])).to_ne_bytes()
}

#[inline(always)]
fn xor_4(word: [u8; 4], key: [u8; 4]) -> [u8; 4] {
    (u32::from_ne_bytes(word) ^ u32::from_ne_bytes(key)).to_ne_bytes()
}
