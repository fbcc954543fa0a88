//! The tables that say which errors two neighbouring bytes make.

use std::arch::x86_64::{
    __m512i, _mm512_loadu_si512, _mm512_permutexvar_epi8, _mm512_set1_epi8, _mm512_srli_epi16,
    _mm512_subs_epu8, _mm512_ternarylogic_epi64, _mm512_xor_si512,
};

/// The tables in registers.
pub(super) struct LookUp {
    first_upper: __m512i,
    first_lower: __m512i,
    second_upper: __m512i,
}

impl LookUp {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
    pub(super) fn new() -> Self {
        Self {
            first_upper: load(&FIRST_UPPER),
            first_lower: load(&FIRST_LOWER),
            second_upper: load(&SECOND_UPPER),
        }
    }

    /// Not zero in each byte of `block` that is wrong after those that stand one, two and three
    /// bytes `before` it.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
    pub(super) fn errors(&self, block: __m512i, before: [__m512i; 3]) -> __m512i {
        let [one, two, three] = before;
        // The upper halves still have bits of a neighbour above them, and the lower halves the
        // upper ones: the tables repeat each 16 entries, so that these do not matter.
        let first_upper = _mm512_permutexvar_epi8(_mm512_srli_epi16::<4>(one), self.first_upper);
        let first_lower = _mm512_permutexvar_epi8(one, self.first_lower);
        let second_upper =
            _mm512_permutexvar_epi8(_mm512_srli_epi16::<4>(block), self.second_upper);
        let pair = _mm512_ternarylogic_epi64::<ALL_THREE>(first_upper, first_lower, second_upper);
        // The top bit stays where a lead of three or more stands two before, or one of four
        // stands three before: the byte must be a character's third or fourth.
        let third = _mm512_subs_epu8(two, byte(0xE0 - 0x80));
        let fourth = _mm512_subs_epu8(three, byte(0xF0 - 0x80));
        let must =
            _mm512_ternarylogic_epi64::<EITHER_AND_THIRD>(third, fourth, byte(TWO_CONTINUATIONS));
        // Two continuations in a row are wrong unless they must be, and the other way round.
        _mm512_xor_si512(must, pair)
    }
}

/// `a & b & c`, as a truth table.
const ALL_THREE: i32 = 0x80;
/// `(a | b) & c`, as a truth table.
const EITHER_AND_THIRD: i32 = 0xA8;

/// A lead byte or ASCII where a lead byte needs a continuation.
const TOO_SHORT: u8 = 1;
/// A continuation after ASCII.
const TOO_LONG: u8 = 1 << 1;
/// E0 80..9F: two bytes would do.
const OVERLONG_3: u8 = 1 << 2;
/// F4 90..BF, F5..FF: above U+10FFFF.
const TOO_LARGE: u8 = 1 << 3;
/// ED A0..BF: a surrogate.
const SURROGATE: u8 = 1 << 4;
/// C0, C1: one byte would do.
const OVERLONG_2: u8 = 1 << 5;
/// F5..FF 80..8F: above U+10FFFF, where `TOO_LARGE` leaves F4 80..8F alone.
const TOO_LARGE_1000: u8 = 1 << 6;
/// F0 80..8F: three bytes would do. It shares its bit: a lead is either F0, or F5 or above.
const OVERLONG_4: u8 = 1 << 6;
/// A continuation after another one.
const TWO_CONTINUATIONS: u8 = 1 << 7;

/// What does not depend on the first byte's lower half.
const ANY_LOWER: u8 = TOO_SHORT | TOO_LONG | TWO_CONTINUATIONS;
/// What any first byte with a lower half above 4 may be.
const ABOVE_4: u8 = ANY_LOWER | TOO_LARGE | TOO_LARGE_1000;
/// What any continuation may be as the second byte.
const CONTINUATION: u8 = TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS;

/// By the first byte's upper half.
static FIRST_UPPER: Table = Table::repeated([
    // ASCII
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    // A continuation
    TWO_CONTINUATIONS,
    TWO_CONTINUATIONS,
    TWO_CONTINUATIONS,
    TWO_CONTINUATIONS,
    // C, D, E and F
    TOO_SHORT | OVERLONG_2,
    TOO_SHORT,
    TOO_SHORT | OVERLONG_3 | SURROGATE,
    TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4,
]);

/// By the first byte's lower half.
static FIRST_LOWER: Table = Table::repeated([
    ANY_LOWER | OVERLONG_2 | OVERLONG_3 | OVERLONG_4,
    ANY_LOWER | OVERLONG_2,
    ANY_LOWER,
    ANY_LOWER,
    ANY_LOWER | TOO_LARGE,
    ABOVE_4,
    ABOVE_4,
    ABOVE_4,
    ABOVE_4,
    ABOVE_4,
    ABOVE_4,
    ABOVE_4,
    ABOVE_4,
    ABOVE_4 | SURROGATE,
    ABOVE_4,
    ABOVE_4,
]);

/// By the second byte's upper half.
static SECOND_UPPER: Table = Table::repeated([
    // ASCII
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    // 8, 9, A and B
    CONTINUATION | OVERLONG_3 | OVERLONG_4 | TOO_LARGE_1000,
    CONTINUATION | OVERLONG_3 | TOO_LARGE,
    CONTINUATION | SURROGATE | TOO_LARGE,
    CONTINUATION | SURROGATE | TOO_LARGE,
    // A lead
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
]);

/// What a half looks up.
#[repr(align(64))]
struct Table([u8; 64]);

impl Table {
    const fn repeated(entries: [u8; 16]) -> Self {
        let mut table = [0; 64];
        let mut at = 0;
        while at < table.len() {
            table[at] = entries[at % 16];
            at += 1;
        }
        Self(table)
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn load(table: &Table) -> __m512i {
    // SAFETY: a reference is valid for reads, here of 64 bytes.
    unsafe { _mm512_loadu_si512(table.0.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn byte(value: u8) -> __m512i {
    _mm512_set1_epi8(value.cast_signed())
}
