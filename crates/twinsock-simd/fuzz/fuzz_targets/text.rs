//! Everything that the crate does with a text, against the standard library.
//!
//! ```text
//! cd crates/twinsock-simd && cargo +nightly fuzz run text
//! ```
//! The first seven bytes are the key, where the text is cut twice, and where it begins; the rest
//! is the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use twinsock_simd::{TextBuffer, append_masked, from_utf8, mask, unmask_utf8};

fuzz_target!(|input: &[u8]| {
    let Some(([a, b, c, d, first, second, begin], text)) = input.split_first_chunk() else {
        return;
    };
    let key = [*a, *b, *c, *d];
    // At any place of a cache line.
    let mut memory = vec![0; usize::from(begin % 64)];
    let begin = memory.len();
    memory.extend_from_slice(text);
    let text = &memory[begin..];
    let expected = std::str::from_utf8(text).ok();
    assert_eq!(from_utf8(text).ok(), expected);

    let masked = naive(text, key);
    let mut appended = vec![7; begin];
    append_masked(&mut appended, text, key);
    assert_eq!(appended[begin..], masked);
    let mut unmasked = appended.clone();
    mask(&mut unmasked[begin..], key);
    assert_eq!(&unmasked[begin..], text);
    assert_eq!(unmask_utf8(&mut appended[begin..], key).ok(), expected);

    let first = usize::from(*first) * text.len() / 255;
    let second = first + usize::from(*second) * (text.len() - first) / 255;
    in_pieces(text, &masked, key, [0, first, second, text.len()]);
});

/// RFC 6455 §5.3 word for word.
fn naive(text: &[u8], key: [u8; 4]) -> Vec<u8> {
    let octets = text.iter().enumerate();
    octets.map(|(i, octet)| octet ^ key[i % 4]).collect()
}

/// Hands three pieces to a buffer.
fn in_pieces(text: &[u8], masked: &[u8], key: [u8; 4], cuts: [usize; 4]) {
    let mut buffer = TextBuffer::default();
    for cut in cuts.windows(2) {
        let (from, to) = (cut[0], cut[1]);
        let mut key = key;
        key.rotate_left(from % 4);
        let result = buffer.append(&masked[from..to], Some(key));
        match std::str::from_utf8(&text[..to]) {
            Err(error) if error.error_len().is_some() => {
                assert!(result.is_err());
                assert!(buffer.finish().is_err());
                assert!(std::str::from_utf8(buffer.as_str().as_bytes()).is_ok());
                return;
            }
            Err(error) => assert_eq!(buffer.as_str().len(), error.valid_up_to()),
            Ok(whole) => assert_eq!(buffer.as_str(), whole),
        }
        assert!(result.is_ok());
        assert_eq!(buffer.len(), to);
    }
    let whole = buffer.as_str().len();
    assert_eq!(buffer.finish().is_ok(), whole == text.len());
    assert_eq!(buffer.take_text().as_bytes(), &text[..whole]);
    assert_eq!(buffer.len(), text.len() - whole);
}
