//! Each level against RFC 6455's formula.

use proptest::prelude::*;

use super::oracle;
use crate::level::Level;
use crate::mask::{append_masked, append_masked_with, mask_with};

/// Bytes that do not repeat with any small period.
fn bytes(length: usize) -> Vec<u8> {
    (0..length)
        .map(|i| (i.wrapping_mul(0x9E37_79B9) >> 13).to_le_bytes()[0])
        .collect()
}

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Masks `length` bytes that begin `offset` bytes after a cache line's start, both ways.
fn check(level: Level, whole: &[u8], offset: usize, length: usize) {
    let begin = whole.as_ptr().align_offset(64) + offset;
    let expected = oracle::masked(&whole[begin..begin + length], KEY);

    let mut in_place = whole.to_vec();
    // The copy is aligned otherwise: find the same offset again.
    let place = in_place.as_ptr().align_offset(64) + offset;
    in_place[place..place + length].copy_from_slice(&whole[begin..begin + length]);
    let before = in_place.clone();
    mask_with(level, &mut in_place[place..place + length], KEY);
    assert_eq!(in_place[place..place + length], expected, "{level:?}");
    assert_eq!(in_place[..place], before[..place], "nothing before");
    assert_eq!(
        in_place[place + length..],
        before[place + length..],
        "nothing behind"
    );

    let mut out = b"header".to_vec();
    append_masked_with(level, &mut out, &whole[begin..begin + length], KEY);
    assert_eq!(out[..6], *b"header");
    assert_eq!(out[6..], expected, "{level:?}");
}

#[test]
fn every_length_and_alignment_agrees_with_the_rfcs_formula() {
    let whole = bytes(1024);
    for level in Level::available() {
        for offset in 0..64 {
            for length in 0..300 {
                check(level, &whole, offset, length);
            }
        }
    }
}

#[test]
fn long_payloads_agree_with_the_rfcs_formula() {
    let whole = bytes(100_000);
    for level in Level::available() {
        for offset in [0, 1, 2, 3, 31, 61, 62, 63] {
            for length in [511, 512, 513, 1023, 4096, 65_536, 99_001] {
                check(level, &whole, offset, length);
            }
        }
    }
}

#[test]
fn a_payload_is_appended_without_moving_reserved_memory() {
    let mut out = Vec::with_capacity(125);
    let place = out.as_ptr();
    append_masked(&mut out, &[7; 125], KEY);
    assert_eq!(out.as_ptr(), place);
    assert_eq!(out, oracle::masked(&[7; 125], KEY));
}

proptest! {
    #[test]
    fn a_payload_may_be_masked_in_pieces(
        key: [u8; 4],
        payload in prop::collection::vec(any::<u8>(), 0..2000),
        cut in any::<prop::sample::Index>(),
    ) {
        let expected = oracle::masked(&payload, key);
        for level in Level::available() {
            let mut pieces = payload.clone();
            let (first, second) = pieces.split_at_mut(cut.index(payload.len() + 1));
            let mut rotated = key;
            rotated.rotate_left(first.len() % 4);
            mask_with(level, first, key);
            mask_with(level, second, rotated);
            prop_assert_eq!(&pieces, &expected);
        }
    }
}
