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
    // SAFETY: the first argument proves that the processor has AVX2.
    unsafe { mask_in_32_bytes(bytes, key) }
}

/// Fills `to` with `from`, masked; both have the same length.
#[inline]
pub(super) fn copy_masked_avx2(
    _found: Avx2,
    from: &[u8],
    to: &mut [MaybeUninit<u8>],
    key: [u8; 4],
) {
    // SAFETY: the first argument proves that the processor has AVX2.
    unsafe { copy_in_32_bytes(from, to, key) }
}

/// See [`mask`](crate::mask()).
#[inline]
pub(super) fn mask_avx512(_found: Avx512, bytes: &mut [u8], key: [u8; 4]) {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
    fn run(bytes: &mut [u8], key: [u8; 4]) {
        if bytes.len() > CACHED {
            return mask_in_32_bytes(bytes, key);
        }
        let place = bytes.as_mut_ptr();
        // SAFETY: `place` is valid for reads and writes of the slice's length, and stands for
        // both sides.
        unsafe { xor(place, place, bytes.len(), key) }
    }
    // SAFETY: the first argument proves that the processor has the instructions.
    unsafe { run(bytes, key) }
}

/// Fills `to` with `from`, masked; both have the same length.
#[inline]
pub(super) fn copy_masked_avx512(
    _found: Avx512,
    from: &[u8],
    to: &mut [MaybeUninit<u8>],
    key: [u8; 4],
) {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
    fn run(from: &[u8], to: &mut [MaybeUninit<u8>], key: [u8; 4]) {
        if from.len() > CACHED {
            return copy_in_32_bytes(from, to, key);
        }
        let length = from.len().min(to.len());
        // SAFETY: `length` is within both slices, and a mutable slice overlaps no other one.
        unsafe { xor(from.as_ptr(), to.as_mut_ptr().cast(), length, key) }
    }
    // SAFETY: the first argument proves that the processor has the instructions.
    unsafe { run(from, to, key) }
}

/// Above this length the payload does not fit the first cache, and 32-byte stores were faster.
const CACHED: usize = 32 * 1024;

/// From this length on it pays to store to whole cache lines.
const WORTH_ALIGNING: usize = 512;

// Not inlined: among AVX-512 code the compiler makes slower code of it.
#[inline(never)]
#[target_feature(enable = "avx2")]
fn mask_in_32_bytes(bytes: &mut [u8], key: [u8; 4]) {
    portable::mask(bytes, key);
}

#[inline(never)]
#[target_feature(enable = "avx2")]
fn copy_in_32_bytes(from: &[u8], to: &mut [MaybeUninit<u8>], key: [u8; 4]) {
    portable::copy_masked(from, to, key);
}

/// Writes `length` bytes of `from` to `to`, masked.
///
/// # Safety
///
/// `from` must be valid for reads and `to` for writes of `length` bytes, and both be the same
/// place or not overlap.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn wide(key: [u8; 4]) -> __m512i {
    _mm512_set1_epi32(i32::from_ne_bytes(key))
}
