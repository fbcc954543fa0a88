//! The buffer against the standard library, at each prefix.

use proptest::prelude::*;

use super::oracle::{self, Random};
use crate::level::Level;
use crate::text_buffer::TextBuffer;
use crate::utf8::InvalidUtf8;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Whether a piece is masked.
#[derive(Clone, Copy, Debug)]
enum Masking {
    Masked,
    Plain,
}

/// Hands `pieces` over one by one, and compares with the standard library after each.
fn check(level: Level, pieces: &[&[u8]], masking: Masking) {
    let mut buffer = TextBuffer::default();
    let mut so_far = Vec::new();
    for piece in pieces {
        let (key, wire) = match masking {
            Masking::Plain => ([0; 4], piece.to_vec()),
            Masking::Masked => {
                let mut key = KEY;
                key.rotate_left(so_far.len() % 4);
                (key, oracle::masked(piece, key))
            }
        };
        let text_before = buffer.as_str().to_owned();
        let result = buffer.append_with(level, &wire, key);
        so_far.extend_from_slice(piece);
        let checked = match str::from_utf8(&so_far) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => {
                assert_eq!(
                    result,
                    Err(InvalidUtf8),
                    "{level:?} {masking:?} {pieces:x?}"
                );
                assert!(buffer.as_str().starts_with(&text_before));
                assert!(buffer.finish().is_err(), "stays so");
                return;
            }
        };
        assert_eq!(result, Ok(()), "{level:?} {masking:?} {pieces:x?}");
        assert_eq!(buffer.len(), so_far.len());
        assert_eq!(buffer.as_str().as_bytes(), &so_far[..checked]);
        assert_eq!(buffer.finish().is_ok(), checked == so_far.len());
    }
    let whole = buffer.as_str().len();
    assert_eq!(buffer.take_text().as_bytes(), &so_far[..whole]);
    assert_eq!(
        buffer.len(),
        so_far.len() - whole,
        "the cut character stays"
    );
}

fn check_all(pieces: &[&[u8]]) {
    for level in Level::available() {
        for masking in [Masking::Plain, Masking::Masked] {
            check(level, pieces, masking);
        }
    }
}

#[test]
fn text_may_be_cut_anywhere() {
    let text = "a é ह € 한 𐍈 😀 z".as_bytes();
    for first in 0..=text.len() {
        for second in first..=text.len() {
            check_all(&[&text[..first], &text[first..second], &text[second..]]);
        }
    }
}

#[test]
fn long_text_may_be_cut_anywhere() {
    let text = oracle::mixed_text(&mut Random::new(4), 700);
    for cut in 0..=text.len() {
        let (first, second) = text.as_bytes().split_at(cut);
        check_all(&[first, second]);
    }
    let text = oracle::mixed_text(&mut Random::new(5), 30_000);
    for size in [1, 2, 3, 61, 64, 1000, 4096, 4097, 12_000] {
        check_all(&text.as_bytes().chunks(size).collect::<Vec<_>>());
    }
}

#[test]
fn what_cannot_become_valid_fails_when_it_arrives() {
    for case in oracle::boundary_cases() {
        for before in [0, 1, 60, 63, 64, 300] {
            let text = "x".repeat(before).into_bytes();
            let whole = [&text[..], &case].concat();
            check_all(&[&whole]);
            check_all(&whole.chunks(1).collect::<Vec<_>>());
            check_all(&[&text, &case[..1], &case[1..], b"z"]);
        }
    }
    for bad in [
        &b"\xF4\x90"[..],
        b"\xED\xA0",
        b"\xE0\x80",
        b"\xC0",
        b"\xF5",
        b"\x80",
    ] {
        let mut buffer = TextBuffer::default();
        assert_eq!(
            buffer.append(bad, None),
            Err(InvalidUtf8),
            "{bad:x?} at once"
        );
    }
}

#[test]
fn mutated_texts_in_pieces_agree_with_the_standard_library() {
    let mut random = Random::new(6);
    for _ in 0..20_000 {
        let length = random.below(400);
        let mut bytes = oracle::mixed_text(&mut random, length).into_bytes();
        oracle::mutate(&mut random, &mut bytes);
        let first = random.below(bytes.len() + 1);
        let second = first + random.below(bytes.len() - first + 1);
        check_all(&[&bytes[..first], &bytes[first..second], &bytes[second..]]);
    }
}

#[test]
fn nothing_is_appended_behind_what_is_not_utf8() {
    let mut buffer = TextBuffer::default();
    buffer.append(b"text", None).unwrap();
    for piece in [&b"\xFF"[..], b"a", b""] {
        assert_eq!(buffer.append(piece, None), Err(InvalidUtf8), "{piece:x?}");
    }
    assert_eq!(
        buffer.take_text(),
        "text",
        "what came before is still there"
    );
    assert_eq!(buffer.append(b"a", None), Err(InvalidUtf8));
    assert_eq!(buffer.finish(), Err(InvalidUtf8));
}

#[test]
fn text_keeps_its_memory_when_it_is_taken() {
    let mut buffer = TextBuffer::default();
    buffer.reserve_exact(100);
    let capacity = buffer.capacity();
    buffer.append(b"text", None).unwrap();
    assert_eq!(buffer.take_text().capacity(), capacity);
    assert_eq!(buffer.capacity(), 0);
}

#[test]
fn debug_shows_no_text() {
    let mut buffer = TextBuffer::default();
    buffer.append(b"secret", None).unwrap();
    assert_eq!(format!("{buffer:?}"), "TextBuffer { len: 6, .. }");
}

proptest! {
    #[test]
    fn any_pieces_agree_with_the_standard_library(
        pieces in prop::collection::vec(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..8),
            "\\PC{0,40}".prop_map(String::into_bytes),
        ], 0..6),
    ) {
        check_all(&pieces.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
}
