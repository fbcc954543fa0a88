//! The buffer against the standard library, at each prefix.

use bytes::BufMut;
use proptest::prelude::*;

use super::oracle::{self, Random};
use crate::level::Level;
use crate::text_buffer::TextBuffer;
use crate::utf8::InvalidUtf8;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// How a piece comes to the buffer.
#[derive(Clone, Copy, Debug)]
enum Way {
    Append,
    Room,
}

/// Whether it is masked.
#[derive(Clone, Copy, Debug)]
enum Masking {
    Masked,
    Plain,
}

fn hand_over(
    buffer: &mut TextBuffer,
    level: Level,
    piece: &[u8],
    way: Way,
    key: Option<[u8; 4]>,
) -> Result<(), InvalidUtf8> {
    match way {
        Way::Append => buffer.append_with(level, piece, key.unwrap_or_default()),
        Way::Room => {
            buffer.reserve_exact(piece.len());
            buffer.room(piece.len()).put_slice(piece);
            assert_eq!(buffer.unchecked(), piece.len());
            buffer.check_new_with(level, key)
        }
    }
}

/// Hands `pieces` over one by one, and compares with the standard library after each.
fn check(level: Level, pieces: &[&[u8]], way: Way, masking: Masking) {
    let mut buffer = TextBuffer::default();
    let mut so_far = Vec::new();
    for piece in pieces {
        let (key, wire) = match masking {
            Masking::Plain => (None, piece.to_vec()),
            Masking::Masked => {
                let mut key = KEY;
                key.rotate_left(so_far.len() % 4);
                (Some(key), oracle::masked(piece, key))
            }
        };
        let text_before = buffer.as_str().to_owned();
        let result = hand_over(&mut buffer, level, &wire, way, key);
        so_far.extend_from_slice(piece);
        let checked = match str::from_utf8(&so_far) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => {
                assert_eq!(result, Err(InvalidUtf8), "{level:?} {way:?} {pieces:x?}");
                assert!(buffer.as_str().starts_with(&text_before));
                assert!(buffer.finish().is_err(), "stays so");
                return;
            }
        };
        assert_eq!(result, Ok(()), "{level:?} {way:?} {pieces:x?}");
        assert_eq!(buffer.len(), so_far.len());
        assert_eq!(buffer.as_str().as_bytes(), &so_far[..checked]);
        assert_eq!(buffer.finish().is_ok(), checked == so_far.len());
        assert_eq!(buffer.unchecked(), 0);
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
        for way in [Way::Append, Way::Room] {
            for masking in [Masking::Plain, Masking::Masked] {
                check(level, pieces, way, masking);
            }
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
fn room_is_what_is_reserved_and_never_grows() {
    let mut buffer = TextBuffer::default();
    assert_eq!(buffer.room(10).remaining_mut(), 0);
    assert_eq!(buffer.room(10).chunk_mut().len(), 0);
    buffer.reserve_exact(10);
    let capacity = buffer.capacity();
    let mut room = buffer.room(usize::MAX);
    assert_eq!(room.remaining_mut(), capacity);
    room.put_slice(b"abc");
    assert_eq!(room.remaining_mut(), capacity - 3);
    assert_eq!(buffer.room(2).remaining_mut(), 2);
    assert_eq!(buffer.unchecked(), 3);
    assert_eq!(buffer.as_str(), "", "not looked at yet");
}

#[test]
#[should_panic(expected = "advanced by 4 of 3")]
fn room_cannot_be_overrun() {
    let mut buffer = TextBuffer::default();
    buffer.reserve_exact(10);
    // SAFETY: not sound, but it must panic before it matters.
    unsafe { buffer.room(3).advance_mut(4) };
}

#[test]
fn nothing_is_appended_behind_bytes_that_were_not_looked_at() {
    let mut buffer = TextBuffer::default();
    buffer.reserve_exact(4);
    buffer.room(4).put_slice(b"\xFF\xFF");
    assert_eq!(buffer.append(b"a", None), Err(InvalidUtf8));
    assert_eq!(buffer.finish(), Err(InvalidUtf8));
    assert_eq!(buffer.take_text(), "");
    assert_eq!(buffer.unchecked(), 2, "they stay");
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
    assert_eq!(
        format!("{buffer:?}"),
        "TextBuffer { len: 6, unchecked: 0, .. }"
    );
    assert!(!format!("{:?}", buffer.room(3)).contains("secret"));
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
