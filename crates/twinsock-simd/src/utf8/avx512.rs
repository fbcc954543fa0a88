//! Validation with 64-byte vectors.
//!
//! The look-up algorithm of John Keiser and Daniel Lemire, "Validating UTF-8 in less than one
//! instruction per byte" (2021): most of what can be wrong shows in two neighbouring bytes, and
//! there in the first one's two halves and the second one's upper half. Each half looks up which
//! errors it allows, a bit for each; an error that all three allow is there. What is left is
//! whether a character's third and fourth bytes are where they must be.
//!
//! A short text, and one that is unmasked on the way, is held in registers. A longer one that is
//! only checked is read at four places for each block: loads are cheaper there than the shuffles
//! that would shift its neighbours in.

use std::arch::x86_64::{
    __m512i, _bzhi_u64, _mm512_alignr_epi8, _mm512_alignr_epi64, _mm512_cmpge_epu8_mask,
    _mm512_loadu_si512, _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8, _mm512_maskz_mov_epi8,
    _mm512_movepi8_mask, _mm512_or_si512, _mm512_set1_epi8, _mm512_set1_epi32,
    _mm512_setzero_si512, _mm512_test_epi8_mask, _mm512_xor_si512,
};
use std::mem::MaybeUninit;

use super::look_up::LookUp;
use super::{End, InvalidUtf8};
use crate::level::Avx512;

/// How many bytes are held in registers at a time.
const SHORT: usize = 64 * 4;

/// Checks `piece` but for the character that it may cut at its end.
#[inline]
pub(super) fn check(_found: Avx512, piece: &[u8]) -> Result<End, InvalidUtf8> {
    // SAFETY: the first argument proves that the processor has the instructions.
    unsafe { check_any(piece) }
}

/// Unmasks `piece` in place, and checks it as [`check`] does.
#[inline]
pub(super) fn unmask_and_check(
    _found: Avx512,
    piece: &mut [u8],
    key: [u8; 4],
) -> Result<End, InvalidUtf8> {
    let to = piece.as_mut_ptr();
    // SAFETY: the first argument proves that the processor has the instructions; `to` is valid
    // for the slice's length, and stands for both sides.
    unsafe { unmask_any(to, to, piece.len(), key) }
}

/// Fills `to` with `from`, unmasked, and checks it as [`check`] does.
///
/// All of `to` is initialised afterwards, also after an error.
///
/// # Panics
///
/// If the lengths differ.
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
    unsafe { unmask_any(from.as_ptr(), to.as_mut_ptr().cast(), from.len(), key) }
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
    let before = Before::nothing();
    match piece.len() {
        0..=64 => check_held(before, load_held::<1>(piece), piece.len()),
        65..=128 => check_held(before, load_held::<2>(piece), piece.len()),
        129..=192 => check_held(before, load_held::<3>(piece), piece.len()),
        _ => check_held(before, load_held::<4>(piece), piece.len()),
    }
}

/// Unmasks and checks: 256 bytes at a time are held in registers.
///
/// # Safety
///
/// `from` must be valid for reads and `to` for writes of `length` bytes, and both be the same
/// place or not overlap.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
unsafe fn unmask_any(
    from: *const u8,
    to: *mut u8,
    length: usize,
    key: [u8; 4],
) -> Result<End, InvalidUtf8> {
    let key = _mm512_set1_epi32(i32::from_ne_bytes(key));
    let mut before = Before::nothing();
    let mut at = 0;
    while length - at > SHORT {
        // SAFETY: more than 256 bytes are left after `at`.
        let blocks = unsafe { unmask_held::<4>(from.add(at), to.add(at), SHORT, key) };
        before.extend(blocks);
        at += SHORT;
    }
    // SAFETY: `left` bytes are left after `at`, and each arm holds at least as many.
    unsafe {
        let (from, to, left) = (from.add(at), to.add(at), length - at);
        match left {
            0..=64 => check_held(before, unmask_held::<1>(from, to, left, key), left),
            65..=128 => check_held(before, unmask_held::<2>(from, to, left, key), left),
            129..=192 => check_held(before, unmask_held::<3>(from, to, left, key), left),
            _ => check_held(before, unmask_held::<4>(from, to, left, key), left),
        }
    }
}

/// All of a text that is at most 64 times `N` bytes long; zeros follow it.
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

/// Unmasks at most 64 times `N` bytes, and returns them; zeros follow them.
///
/// # Safety
///
/// As for [`unmask_any`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
unsafe fn unmask_held<const N: usize>(
    from: *const u8,
    to: *mut u8,
    length: usize,
    key: __m512i,
) -> [__m512i; N] {
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
    blocks
}

/// Which bytes of the block at `index` are among the first `length` bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn lanes_of(index: usize, length: usize) -> u64 {
    let left = length.saturating_sub(64 * index).min(64);
    #[allow(clippy::cast_possible_truncation, reason = "at most 64")]
    _bzhi_u64(u64::MAX, left as u32)
}

/// What was found in the blocks before.
struct Before {
    /// Not zero where something is wrong.
    errors: __m512i,
    /// The last of them.
    block: __m512i,
}

impl Before {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
    fn nothing() -> Self {
        Self {
            errors: _mm512_setzero_si512(),
            block: _mm512_setzero_si512(),
        }
    }

    /// Goes on over full blocks; nothing is looked up if they are ASCII.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
    fn extend(&mut self, blocks: [__m512i; 4]) {
        let [a, b, c, d] = blocks;
        let any = _mm512_or_si512(_mm512_or_si512(a, b), _mm512_or_si512(c, d));
        if (_mm512_movepi8_mask(any) == 0) & !is_cut(self.block) {
            self.block = d;
            return;
        }
        let look_up = LookUp::new();
        for block in blocks {
            let errors = look_up.errors(block, shifted(self.block, block));
            self.errors = _mm512_or_si512(self.errors, errors);
            self.block = block;
        }
    }
}

/// Whether a full block ends inside a character.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn is_cut(block: __m512i) -> bool {
    let at_end = |lead: u8, lane: u64| {
        let leads = _mm512_cmpge_epu8_mask(block, _mm512_set1_epi8(lead.cast_signed()));
        leads & (1 << lane)
    };
    at_end(0xF0, 61) | at_end(0xE0, 62) | at_end(0xC0, 63) != 0
}

/// Checks the last `length` bytes of a text, at most 64 times `N`, that ends in the last block;
/// zeros follow it there.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn check_held<const N: usize>(
    before: Before,
    blocks: [__m512i; N],
    length: usize,
) -> Result<End, InvalidUtf8> {
    let mut any = before.block;
    for block in blocks {
        any = _mm512_or_si512(any, block);
    }
    if _mm512_movepi8_mask(any) == 0 {
        return end(before.errors, End::Whole);
    }
    let look_up = LookUp::new();
    let (mut earlier, mut last) = (before.errors, _mm512_setzero_si512());
    let mut previous = before.block;
    for block in blocks {
        earlier = _mm512_or_si512(earlier, last);
        last = look_up.errors(block, shifted(previous, block));
        previous = block;
    }
    let wrong = _mm512_or_si512(earlier, last);
    if _mm512_test_epi8_mask(wrong, wrong) == 0 {
        let is_cut = length == 64 * N && is_cut(previous);
        return Ok(if is_cut { End::Cut } else { End::Whole });
    }
    // The zeros behind the text are errors too if it ends inside a character: not to count.
    let text = _mm512_maskz_mov_epi8(lanes_of(N - 1, length), last);
    end(_mm512_or_si512(earlier, text), End::Cut)
}

/// `end`, if there are no `errors`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn end(errors: __m512i, end: End) -> Result<End, InvalidUtf8> {
    if _mm512_test_epi8_mask(errors, errors) == 0 {
        Ok(end)
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
