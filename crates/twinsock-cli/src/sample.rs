//! The demonstration's messages.

use twinsock::{Message, MessageType};

/// A piece of text whose characters have one to four bytes in UTF-8.
const ALPHABET: &str = "WebSockets für alle: żółw, שלום, 漢字, かな, 한글, €, 😀🚀. ";

/// A message of exactly `size` bytes.
pub(crate) fn message(message_type: MessageType, size: usize) -> Message {
    match message_type {
        MessageType::Text => text(size).into(),
        MessageType::Binary => bytes(size).into(),
    }
}

/// A small message that differs from all others of the same exchange.
pub(crate) fn numbered(number: usize, size: usize) -> Message {
    format!("{number:0size$}").into()
}

fn text(size: usize) -> String {
    let mut text = String::with_capacity(size);
    for character in ALPHABET.chars().cycle() {
        if text.len() + character.len_utf8() > size {
            break;
        }
        text.push(character);
    }
    // Less than the next character is missing.
    while text.len() < size {
        text.push('.');
    }
    text
}

/// All byte values, in an order that does not repeat soon.
fn bytes(size: usize) -> Vec<u8> {
    let mut state: u32 = 1;
    let next_byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next_byte).take(size).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_has_the_size_asked_for() {
        for size in (0..200).chain([1024, 65_536]) {
            assert_eq!(message(MessageType::Text, size).len(), size);
            assert_eq!(message(MessageType::Binary, size).len(), size);
        }
        assert_eq!(numbered(99_999, 32).len(), 32);
    }
}
