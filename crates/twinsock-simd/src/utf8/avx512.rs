//! Validation with 64-byte vectors.
//!
//! The look-up algorithm of John Keiser and Daniel Lemire, "Validating UTF-8 in less than one
//! instruction per byte" (2021): most of what can be wrong shows in two neighbouring bytes, and
//! there in the first one's two halves and the second one's upper half. Each half looks up which
//! errors it allows, a bit for each; an error that all three allow is there. What is left is
//! whether a character's third and fourth bytes are where they must be.
//!
//! A short text is held in registers from end to end. A longer one is read at four places for
//! each block: loads are cheaper there than the shuffles that would shift its neighbours in.

use std::arch::x86_64::{
    __m512i, _bzhi_u64, _mm512_alignr_epi8, _mm512_alignr_epi64, _mm512_loadu_si512,
    _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8, _mm512_maskz_mov_epi8, _mm512_movepi8_mask,
    _mm512_or_si512, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_test_epi8_mask,
    _mm512_xor_si512,
};
use std::mem::MaybeUninit;

use super::look_up::LookUp;
use super::{End, InvalidUtf8};
use crate::level::Avx512;

/// The longest text that is held in registers.
pub(super) const SHORT: usize = 64 * 4 - 1;

/// Checks `piece` but for the character that it may cut at its end.
#[inline]
pub(super) fn check(_found: Avx512, piece: &[u8]) -> Result<End, InvalidUtf8> {
    // SAFETY: the first argument proves that the processor has the instructions.
    unsafe { check_any(piece) }
}

/// Unmasks `piece` in place, and checks it as [`check`] does.
///
/// # Panics
///
/// If it is longer than [`SHORT`].
#[inline]
pub(super) fn unmask_and_check(
    _found: Avx512,
    piece: &mut [u8],
    key: [u8; 4],
) -> Result<End, InvalidUtf8> {
    let to = piece.as_mut_ptr();
    // SAFETY: the first argument proves that the processor has the instructions; `to` is valid
    // for the slice's length, and stands for both sides.
    unsafe { unmask_short(to, to, piece.len(), key) }
}

/// Fills `to` with `from`, unmasked, and checks it as [`check`] does.
///
/// All of `to` is initialised afterwards, also after an error.
///
/// # Panics
///
/// If the lengths differ, or are longer than [`SHORT`].
#[inline]
pub(super) fn copy_and_check(
    _found: Avx512,
    from: &[u8],
    to: &mut [MaybeUninit<u8>],
    key: [u8; 4],
) -> Result<End, InvalidUtf8> {
    assert_eq!(from.len(), to.len(), "each byte has its place");
    // SAFETY: the first argument proves that the processor has the instructions; both are valid
    // for the same length, and a mutable slice does not overlap another one.
    unsafe { unmask_short(from.as_ptr(), to.as_mut_ptr().cast(), from.len(), key) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn check_any(piece: &[u8]) -> Result<End, InvalidUtf8> {
    match piece.len() {
        0..=SHORT => check_short(piece),
        _ => check_long(piece),
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn check_short(piece: &[u8]) -> Result<End, InvalidUtf8> {
    match piece.len() {
        0..64 => check_held(load_held::<1>(piece), piece.len()),
        64..128 => check_held(load_held::<2>(piece), piece.len()),
        128..192 => check_held(load_held::<3>(piece), piece.len()),
        _ => check_held(load_held::<4>(piece), piece.len()),
    }
}

/// # Safety
///
/// `from` must be valid for reads and `to` for writes of `length` bytes, and both be the same
/// place or not overlap.
///
/// # Panics
///
/// If `length` is above [`SHORT`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
unsafe fn unmask_short(
    from: *const u8,
    to: *mut u8,
    length: usize,
    key: [u8; 4],
) -> Result<End, InvalidUtf8> {
    // SAFETY: the caller vouches for both places and the length.
    unsafe {
        match length {
            0..64 => unmask_held::<1>(from, to, length, key),
            64..128 => unmask_held::<2>(from, to, length, key),
            128..192 => unmask_held::<3>(from, to, length, key),
            _ => unmask_held::<4>(from, to, length, key),
        }
    }
}

/// All of a text that is shorter than 64 times `N` bytes; zeros follow it.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn load_held<const N: usize>(piece: &[u8]) -> [__m512i; N] {
    let mut blocks = [_mm512_setzero_si512(); N];
    for (index, block) in blocks.iter_mut().enumerate() {
        let lanes = lanes_of(index, piece.len());
        let place = piece.as_ptr().wrapping_add(64 * index);
        // SAFETY: `lanes` are those within the slice; no others are read.
        *block = unsafe { _mm512_maskz_loadu_epi8(lanes, place.cast()) };
    }
    blocks
}

/// # Safety
///
/// As for [`unmask_short`].
///
/// # Panics
///
/// If `length` is not below 64 times `N`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
unsafe fn unmask_held<const N: usize>(
    from: *const u8,
    to: *mut u8,
    length: usize,
    key: [u8; 4],
) -> Result<End, InvalidUtf8> {
    assert!(length < 64 * N, "all of it is held");
    let key = _mm512_set1_epi32(i32::from_ne_bytes(key));
    let mut blocks = [_mm512_setzero_si512(); N];
    for (index, block) in blocks.iter_mut().enumerate() {
        let lanes = lanes_of(index, length);
        let (from, to) = (from.wrapping_add(64 * index), to.wrapping_add(64 * index));
        // SAFETY: `lanes` are those within `length`; no others are read or written.
        unsafe {
            let unmasked = _mm512_xor_si512(_mm512_maskz_loadu_epi8(lanes, from.cast()), key);
            _mm512_mask_storeu_epi8(to.cast(), lanes, unmasked);
            *block = _mm512_maskz_mov_epi8(lanes, unmasked);
        }
    }
    check_held(blocks, length)
}

/// Which bytes of the block at `index` are among the first `length` bytes of a short text.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn lanes_of(index: usize, length: usize) -> u64 {
    let left = length.saturating_sub(64 * index).min(64);
    #[allow(clippy::cast_possible_truncation, reason = "at most 64")]
    _bzhi_u64(u64::MAX, left as u32)
}

/// Checks a text of `length` bytes that ends in the last block, and zeros follow it there.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn check_held<const N: usize>(blocks: [__m512i; N], length: usize) -> Result<End, InvalidUtf8> {
    let any = blocks.into_iter().reduce(|a, b| _mm512_or_si512(a, b));
    if any.is_none_or(|any| _mm512_movepi8_mask(any) == 0) {
        return Ok(End::Whole);
    }
    let look_up = LookUp::new();
    let (mut earlier, mut last) = (_mm512_setzero_si512(), _mm512_setzero_si512());
    let mut previous = _mm512_setzero_si512();
    for block in blocks {
        earlier = _mm512_or_si512(earlier, last);
        last = look_up.errors(block, shifted(previous, block));
        previous = block;
    }
    let wrong = _mm512_or_si512(earlier, last);
    if _mm512_test_epi8_mask(wrong, wrong) == 0 {
        return Ok(End::Whole);
    }
    // The zeros behind the text are errors too if it ends inside a character: not to count.
    let text = _mm512_maskz_mov_epi8(lanes_of(0, length % 64), last);
    let wrong = _mm512_or_si512(earlier, text);
    if _mm512_test_epi8_mask(wrong, wrong) == 0 {
        Ok(End::Cut)
    } else {
        Err(InvalidUtf8)
    }
}

/// `block` moved by one, two and three bytes, with the end of the block before it moved in.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn shifted(previous: __m512i, block: __m512i) -> [__m512i; 3] {
    // Each 16 bytes of this are those that stand 16 bytes before.
    let before = _mm512_alignr_epi64::<6>(block, previous);
    [
        _mm512_alignr_epi8::<15>(block, before),
        _mm512_alignr_epi8::<14>(block, before),
        _mm512_alignr_epi8::<13>(block, before),
    ]
}

/// Four blocks, and the three bytes before them.
type WideWindow = [u8; 4 * 64 + 3];

/// Passes over ASCII, and checks what is left.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn check_long(piece: &[u8]) -> Result<End, InvalidUtf8> {
    let mut rest = piece;
    if let Some((blocks, _)) = rest.split_first_chunk::<{ 4 * 64 }>() {
        if !is_ascii::<0, _>(blocks) {
            return check_mixed(piece);
        }
        // On to where a cache line begins: within what was looked at.
        rest = &rest[4 * 64 - piece.as_ptr().addr() % 64..];
    }
    while let Some((blocks, behind)) = rest.split_first_chunk::<{ 4 * 64 }>() {
        if !is_ascii::<0, _>(blocks) {
            return check_mixed(rest);
        }
        rest = behind;
    }
    check_short(rest)
}

/// Checks a piece of at least 67 bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn check_mixed(piece: &[u8]) -> Result<End, InvalidUtf8> {
    let (Some(first), Some(last)) = (piece.first_chunk::<64>(), piece.last_chunk::<67>()) else {
        return Err(InvalidUtf8);
    };
    let look_up = LookUp::new();
    let block = load::<0, _>(first);
    let mut errors = look_up.errors(block, shifted(_mm512_setzero_si512(), block));

    let mut rest = &piece[second_block(piece) - 3..];
    while let Some(window) = rest.first_chunk::<{ 4 * 64 + 3 }>() {
        errors = _mm512_or_si512(errors, wide_window_errors(&look_up, window));
        rest = &rest[4 * 64..];
    }
    while let Some(window) = rest.first_chunk::<67>() {
        errors = _mm512_or_si512(errors, window_errors::<0, _>(&look_up, window));
        rest = &rest[64..];
    }
    // The last window overlaps what was checked: the same is found there again.
    errors = _mm512_or_si512(errors, window_errors::<0, _>(&look_up, last));
    if _mm512_test_epi8_mask(errors, errors) != 0 {
        return Err(InvalidUtf8);
    }
    let [.., third_last, second_last, last] = last;
    if (*third_last >= 0xF0) | (*second_last >= 0xE0) | (*last >= 0xC0) {
        Ok(End::Cut)
    } else {
        Ok(End::Whole)
    }
}

/// Where to go on after the first 64 bytes of `piece`: where a cache line begins, if that leaves
/// three bytes before it.
#[inline]
fn second_block(piece: &[u8]) -> usize {
    match 64 - piece.as_ptr().addr() % 64 {
        0..3 => 64,
        aligned => aligned,
    }
}

/// What is wrong in four blocks; nothing is looked up if they are ASCII.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn wide_window_errors(look_up: &LookUp, window: &WideWindow) -> __m512i {
    let [before @ .., _] = window.first_chunk::<4>().unwrap_or(&[0; 4]);
    if is_ascii::<3, _>(window) & before.is_ascii() {
        return _mm512_setzero_si512();
    }
    let first_half = _mm512_or_si512(
        window_errors::<0, _>(look_up, window),
        window_errors::<64, _>(look_up, window),
    );
    let second_half = _mm512_or_si512(
        window_errors::<128, _>(look_up, window),
        window_errors::<192, _>(look_up, window),
    );
    _mm512_or_si512(first_half, second_half)
}

/// Whether the four blocks from `AT` are ASCII.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn is_ascii<const AT: usize, const LENGTH: usize>(bytes: &[u8; LENGTH]) -> bool {
    let (_, blocks) = bytes.split_at(AT);
    let Some(blocks) = blocks.first_chunk::<{ 4 * 64 }>() else {
        return false;
    };
    let first_half = _mm512_or_si512(load::<0, _>(blocks), load::<64, _>(blocks));
    let second_half = _mm512_or_si512(load::<128, _>(blocks), load::<192, _>(blocks));
    _mm512_movepi8_mask(_mm512_or_si512(first_half, second_half)) == 0
}

/// What is wrong in the block of the window that begins at `AT`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn window_errors<const AT: usize, const LENGTH: usize>(
    look_up: &LookUp,
    bytes: &[u8; LENGTH],
) -> __m512i {
    let (_, window) = bytes.split_at(AT);
    let Some(window) = window.first_chunk::<67>() else {
        return _mm512_setzero_si512();
    };
    let before = [
        load::<2, _>(window),
        load::<1, _>(window),
        load::<0, _>(window),
    ];
    look_up.errors(load::<3, _>(window), before)
}

/// The 64 bytes from `AT`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn load<const AT: usize, const LENGTH: usize>(bytes: &[u8; LENGTH]) -> __m512i {
    const { assert!(AT + 64 <= LENGTH) }
    // SAFETY: a reference is valid for reads, these bytes are within it, and they need not be
    // aligned.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().add(AT).cast()) }
}
