//! Each level against the standard library.

use std::mem::MaybeUninit;

use proptest::prelude::*;

use super::oracle::{self, Random};
use crate::level::Level;
use crate::utf8::{
    InvalidUtf8, copy_whole_characters, from_utf8, initialised, split_cut_character, unmask_utf8,
    unmask_whole_characters, whole_characters,
};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// What [`whole_characters`] must return, by the standard library.
fn expected(piece: &[u8]) -> Result<usize, InvalidUtf8> {
    match str::from_utf8(piece) {
        Ok(text) => Ok(text.len()),
        Err(error) if error.error_len().is_none() => Ok(error.valid_up_to()),
        Err(_) => Err(InvalidUtf8),
    }
}

/// Checks all three ways at all levels.
fn check(piece: &[u8]) {
    let expected = expected(piece);
    let masked = oracle::masked(piece, KEY);
    for level in Level::available() {
        assert_eq!(
            whole_characters(level, piece),
            expected,
            "{level:?} {piece:x?}"
        );

        let mut in_place = masked.clone();
        let result = unmask_whole_characters(level, &mut in_place, KEY);
        assert_eq!(result, expected, "{level:?} in place {piece:x?}");

        let mut copy = vec![MaybeUninit::new(0xAA); piece.len()];
        let result = copy_whole_characters(level, &masked, &mut copy, KEY);
        assert_eq!(result, expected, "{level:?} copied {piece:x?}");
        // SAFETY: it was initialised when it was made.
        assert_eq!(unsafe { initialised(&copy) }, piece, "also after an error");
        if result.is_ok() {
            assert_eq!(in_place, piece);
        }
    }
}

/// Where the ways to go through a text change, and around each.
const LENGTHS: [usize; 24] = [
    0, 1, 2, 3, 4, 15, 61, 63, 64, 65, 66, 67, 126, 127, 128, 129, 191, 192, 255, 256, 257, 320,
    515, 700,
];

#[test]
fn every_pair_of_bytes_agrees_with_the_standard_library() {
    for first in 0..=255 {
        for second in 0..=255 {
            check(&[first, second]);
            check(&[first, second, 0x80]);
            check(&[first, second, 0x80, 0x80]);
            check(&[first, second, 0xBF, b'a']);
        }
    }
}

#[test]
fn every_boundary_case_agrees_at_every_place_of_a_block() {
    let text = [b'a'; 400];
    for case in oracle::boundary_cases() {
        for before in (0..70).chain(120..132).chain(250..325) {
            let mut piece = text[..before].to_vec();
            piece.extend_from_slice(&case);
            check(&piece);
            piece.extend_from_slice(&text[..3]);
            check(&piece);
            piece.resize(before + 80, b'z');
            check(&piece);
        }
    }
}

#[test]
fn a_text_cut_anywhere_agrees_at_every_alignment() {
    let text = oracle::mixed_text(&mut Random::new(1), 800);
    for offset in 0..64 {
        let mut memory = vec![0; text.len() + 128];
        let begin = memory.as_ptr().align_offset(64) + offset;
        let room = &mut memory[begin..begin + text.len()];
        room.copy_from_slice(text.as_bytes());
        for length in (0..=300)
            .step_by(if offset % 16 == 0 { 1 } else { 7 })
            .chain(LENGTHS)
        {
            check(&room[..length]);
        }
    }
}

#[test]
fn long_texts_agree_with_one_byte_changed() {
    let mut random = Random::new(2);
    for length in [5000, 20_000] {
        let text = oracle::mixed_text(&mut random, length);
        check(text.as_bytes());
        for _ in 0..300 {
            let mut bytes = text.clone().into_bytes();
            let at = random.below(bytes.len());
            bytes[at] = random.byte();
            check(&bytes);
            check(&bytes[..at]);
        }
    }
    check(&vec![b'a'; 1 << 20]);
    check(&"é".repeat(1 << 19).into_bytes());
}

#[test]
fn an_error_in_long_ascii_is_found_wherever_it_stands() {
    let text = vec![b'a'; 1500];
    for at in 0..text.len() {
        let mut bytes = text.clone();
        bytes[at] = 0xE2;
        check(&bytes);
        bytes[at] = 0x80;
        check(&bytes);
    }
}

#[test]
fn hundreds_of_thousands_of_mutated_texts_agree() {
    let mut random = Random::new(3);
    for _ in 0..300_000 {
        let most = LENGTHS[random.below(LENGTHS.len())];
        let length = random.below(most + 1);
        let mut bytes = oracle::mixed_text(&mut random, length).into_bytes();
        oracle::mutate(&mut random, &mut bytes);
        check(&bytes);
    }
}

#[test]
fn whole_texts_are_lent() {
    assert_eq!(from_utf8("a é € 😀".as_bytes()), Ok("a é € 😀"));
    assert_eq!(
        from_utf8(b"\xE2\x82"),
        Err(InvalidUtf8),
        "ends in a character"
    );
    assert_eq!(
        split_cut_character(b"a\xF0\x9F\x98"),
        Ok(("a", &b"\xF0\x9F\x98"[..]))
    );
    assert_eq!(split_cut_character(b"a\xF5"), Err(InvalidUtf8));
    let mut masked = oracle::masked("a é € 😀".as_bytes(), KEY);
    assert_eq!(unmask_utf8(&mut masked, KEY), Ok("a é € 😀"));
    let mut masked = oracle::masked(b"\xE2\x82", KEY);
    assert_eq!(unmask_utf8(&mut masked, KEY), Err(InvalidUtf8));
}

proptest! {
    #[test]
    fn any_bytes_agree_with_the_standard_library(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            "\\PC{0,200}".prop_map(String::into_bytes),
        ],
        cut in any::<prop::sample::Index>(),
    ) {
        check(&bytes);
        check(&bytes[..cut.index(bytes.len() + 1)]);
    }
}
