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
    let mut bytes = vec![0; size];
    Bytes::default().fill(&mut bytes);
    bytes
}

/// A long row of bytes, always the same one: xorshift64 by Marsaglia, which repeats after 2^64 - 1
/// steps of 8 bytes.
#[derive(Debug)]
pub(crate) struct Bytes {
    state: u64,
}

impl Default for Bytes {
    fn default() -> Self {
        Self {
            state: 0x9e37_79b9_7f4a_7c15,
        }
    }
}

impl Bytes {
    /// Writes the next bytes; of the last step's those that are too many are left out.
    pub(crate) fn fill(&mut self, memory: &mut [u8]) {
        for piece in memory.chunks_mut(size_of::<u64>()) {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            for (byte, next) in piece.iter_mut().zip(self.state.to_le_bytes()) {
                *byte = next;
            }
        }
    }
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
