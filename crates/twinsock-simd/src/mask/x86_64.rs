//! Masking with AVX2 and AVX-512.

use std::arch::x86_64::{
    __m512i, _mm512_loadu_si512, _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8,
    _mm512_set1_epi32, _mm512_storeu_si512, _mm512_xor_si512,
};
use std::mem::MaybeUninit;

use super::portable;
use crate::level::{Avx2, Avx512};

/// See [`mask`](crate::mask()).
#[inline]
pub(super) fn mask_avx2(_found: Avx2, bytes: &mut [u8], key: [u8; 4]) {
    #[target_feature(enable = "avx2")]
    fn run(bytes: &mut [u8], key: [u8; 4]) {
        portable::mask(bytes, key);
    }
    // SAFETY: the first argument proves that the processor has AVX2.
    unsafe { run(bytes, key) }
}

/// Fills `to` with `from`, masked; both have the same length.
#[inline]
pub(super) fn copy_masked_avx2(
    _found: Avx2,
    from: &[u8],
    to: &mut [MaybeUninit<u8>],
    key: [u8; 4],
) {
    #[target_feature(enable = "avx2")]
    fn run(from: &[u8], to: &mut [MaybeUninit<u8>], key: [u8; 4]) {
        portable::copy_masked(from, to, key);
    }
    // SAFETY: the first argument proves that the processor has AVX2.
    unsafe { run(from, to, key) }
}

/// See [`mask`](crate::mask()).
#[inline]
pub(super) fn mask_avx512(_found: Avx512, bytes: &mut [u8], key: [u8; 4]) {
    let place = bytes.as_mut_ptr();
    // SAFETY: the first argument proves that the processor has the instructions; `place` is
    // valid for reads and writes of the slice's length, and stands for both sides.
    unsafe { xor(place, place, bytes.len(), key) }
}

/// Fills `to` with `from`, masked; both have the same length.
#[inline]
pub(super) fn copy_masked_avx512(
    _found: Avx512,
    from: &[u8],
    to: &mut [MaybeUninit<u8>],
    key: [u8; 4],
) {
    let length = from.len().min(to.len());
    // SAFETY: the first argument proves that the processor has the instructions; `length` is
    // within both slices, and a mutable slice does not overlap another one.
    unsafe { xor(from.as_ptr(), to.as_mut_ptr().cast(), length, key) }
}

/// From this length on it pays to store to whole cache lines.
const WORTH_ALIGNING: usize = 512;

/// Writes `length` bytes of `from` to `to`, masked.
///
/// # Safety
///
/// `from` must be valid for reads and `to` for writes of `length` bytes, and both be the same
/// place or not overlap.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,bmi2")]
unsafe fn xor(from: *const u8, to: *mut u8, length: usize, key: [u8; 4]) {
    let mut at = 0;
    let mut key = key;
    if length >= WORTH_ALIGNING {
        at = to.addr().wrapping_neg() % 64;
        // SAFETY: `at` is below 64, and so below `length`.
        unsafe { xor_few(from, to, at, wide(key)) };
        key.rotate_left(at % 4);
    }
    let key = wide(key);
    while length - at >= 256 {
        // SAFETY: 256 bytes are left after `at`.
        unsafe { xor_blocks::<4>(from.add(at), to.add(at), key) };
        at += 256;
    }
    while length - at >= 64 {
        // SAFETY: 64 bytes are left after `at`.
        unsafe { xor_blocks::<1>(from.add(at), to.add(at), key) };
        at += 64;
    }
    // SAFETY: fewer than 64 bytes are left after `at`.
    unsafe { xor_few(from.add(at), to.add(at), length - at, key) };
}

/// Masks `N` blocks of 64 bytes.
///
/// # Safety
///
/// As for [`xor`] with a length of 64 times `N`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,bmi2")]
unsafe fn xor_blocks<const N: usize>(from: *const u8, to: *mut u8, key: __m512i) {
    let mut blocks = [key; N];
    for (index, block) in blocks.iter_mut().enumerate() {
        // SAFETY: the block is within what the caller vouches for.
        let bytes = unsafe { _mm512_loadu_si512(from.add(64 * index).cast()) };
        *block = _mm512_xor_si512(bytes, key);
    }
    for (index, block) in blocks.into_iter().enumerate() {
        // SAFETY: the block is within what the caller vouches for.
        unsafe { _mm512_storeu_si512(to.add(64 * index).cast(), block) };
    }
}

/// Masks fewer than 64 bytes.
///
/// # Safety
///
/// As for [`xor`]; `length` must be below 64.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,bmi2")]
unsafe fn xor_few(from: *const u8, to: *mut u8, length: usize, key: __m512i) {
    let lanes = (1_u64 << length) - 1;
    // SAFETY: only the first `length` bytes are read and written.
    unsafe {
        let bytes = _mm512_maskz_loadu_epi8(lanes, from.cast());
        _mm512_mask_storeu_epi8(to.cast(), lanes, _mm512_xor_si512(bytes, key));
    }
}

/// The key in each of 16 places.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,bmi2")]
fn wide(key: [u8; 4]) -> __m512i {
    _mm512_set1_epi32(i32::from_ne_bytes(key))
}
