//! Checks text as it arrives.

use crate::error::Violation;

/// Checks text that comes in pieces, which may be cut anywhere, also inside a character.
///
/// The first byte that cannot belong to UTF-8 is reported when it arrives, not at the message's
/// end (RFC 6455 §8.1).
#[derive(Clone, Default)]
pub(crate) struct Utf8Check {
    cut_character: CutCharacter,
}

/// What a piece holds: the character that the piece before it cut, and whole characters.
pub(crate) struct Checked<'a> {
    finished: Option<char>,
    whole: &'a str,
}

/// The bytes that came of a character which the last piece did not end.
#[derive(Clone, Default)]
struct CutCharacter {
    bytes: [u8; 4],
    length: usize,
}

impl Utf8Check {
    /// Takes the next piece.
    pub(crate) fn check<'a>(&mut self, piece: &'a [u8]) -> Result<Checked<'a>, Violation> {
        let (finished, piece) = self.finish_cut_character(piece)?;
        let (whole, cut) = piece.split_at(piece.len() - cut_length(piece));
        let whole = simdutf8::basic::from_utf8(whole).map_err(|_| Violation::InvalidUtf8)?;
        for &byte in cut {
            self.cut_character.push(byte)?;
        }
        Ok(Checked { finished, whole })
    }

    /// The message has ended: so must its last character.
    pub(crate) fn finish(&self) -> Result<(), Violation> {
        if self.cut_character.length == 0 {
            Ok(())
        } else {
            Err(Violation::InvalidUtf8)
        }
    }

    /// Ends the character that the last piece cut, and returns what is left of this one.
    fn finish_cut_character<'a>(
        &mut self,
        mut piece: &'a [u8],
    ) -> Result<(Option<char>, &'a [u8]), Violation> {
        while self.cut_character.length > 0 {
            let Some((&byte, rest)) = piece.split_first() else {
                break;
            };
            piece = rest;
            if let Some(character) = self.cut_character.push(byte)? {
                return Ok((Some(character), piece));
            }
        }
        Ok((None, piece))
    }
}

/// Text put together from pieces that may be cut anywhere, also inside a character.
#[derive(Default)]
pub(crate) struct TextAssembly {
    text: String,
    check: Utf8Check,
}

impl TextAssembly {
    /// Takes the next piece.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), Violation> {
        let Checked { finished, whole } = self.check.check(piece)?;
        self.text.extend(finished);
        self.text.push_str(whole);
        Ok(())
    }

    /// The message has ended: so must its last character.
    pub(crate) fn finish(&self) -> Result<(), Violation> {
        self.check.finish()
    }

    /// How many bytes came.
    pub(crate) fn len(&self) -> usize {
        self.text.len() + self.check.cut_character.length
    }

    /// What came, but for a character that is not whole yet.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// The text so far; whole after [`finish`](Self::finish).
    pub(crate) fn text_mut(&mut self) -> &mut String {
        &mut self.text
    }
}

impl CutCharacter {
    /// Takes one more byte; the character, when it is whole.
    fn push(&mut self, byte: u8) -> Result<Option<char>, Violation> {
        let Some(place) = self.bytes.get_mut(self.length) else {
            return Err(Violation::InvalidUtf8);
        };
        *place = byte;
        self.length += 1;
        match std::str::from_utf8(&self.bytes[..self.length]) {
            Ok(character) => {
                self.length = 0;
                Ok(character.chars().next())
            }
            // No error length: these bytes may begin a character.
            Err(error) if error.error_len().is_none() => Ok(None),
            Err(_) => Err(Violation::InvalidUtf8),
        }
    }
}

/// How many bytes at the end of `piece` begin a character that does not end there.
fn cut_length(piece: &[u8]) -> usize {
    for (index, byte) in piece.iter().rev().take(3).enumerate() {
        let length = index + 1;
        match byte {
            0x80..=0xBF => {}
            0xF0.. if length < 4 => return length,
            0xE0..=0xEF if length < 3 => return length,
            0xC0..=0xDF if length < 2 => return length,
            _ => return 0,
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assemble(pieces: &[&[u8]]) -> Result<String, Violation> {
        let mut assembly = TextAssembly::default();
        for piece in pieces {
            assembly.push(piece)?;
        }
        assembly.finish()?;
        assert_eq!(
            assembly.len(),
            pieces.iter().map(|piece| piece.len()).sum::<usize>()
        );
        Ok(std::mem::take(assembly.text_mut()))
    }

    #[test]
    fn text_may_be_cut_anywhere() {
        let text = "a é ह € 한 𐍈 😀 z".as_bytes();
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                assert_eq!(assemble(&pieces).as_deref(), Ok("a é ह € 한 𐍈 😀 z"));
            }
        }
    }

    #[test]
    fn a_character_that_cannot_become_valid_fails_at_its_second_byte() {
        // F4 90 would be above U+10FFFF, ED A0 a surrogate, E0 80 and C0 overlong.
        for bad in [
            &b"\xF4\x90"[..],
            b"\xED\xA0",
            b"\xE0\x80",
            b"\xC0",
            b"\xF8",
            b"\x80",
        ] {
            let mut whole = TextAssembly::default();
            assert_eq!(
                whole.push(bad),
                Err(Violation::InvalidUtf8),
                "{bad:x?} at once"
            );
            let mut single = TextAssembly::default();
            let result = bad.iter().try_for_each(|&byte| single.push(&[byte]));
            assert_eq!(result, Err(Violation::InvalidUtf8), "{bad:x?} byte by byte");
        }
    }

    #[test]
    fn an_unfinished_character_at_the_end_is_invalid() {
        assert_eq!(assemble(&[b"abc\xE2\x82"]), Err(Violation::InvalidUtf8));
    }

    proptest! {
        #[test]
        fn agrees_with_the_standard_library(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..80),
                ".{0,60}".prop_map(String::into_bytes),
                (".{0,60}", any::<prop::sample::Index>(), any::<u8>()).prop_map(|(text, at, byte)| {
                    let mut bytes = text.into_bytes();
                    if !bytes.is_empty() {
                        let at = at.index(bytes.len());
                        bytes[at] = byte;
                    }
                    bytes
                }),
            ],
            cut in any::<prop::sample::Index>(),
        ) {
            let (first, second) = bytes.split_at(cut.index(bytes.len() + 1));
            let expected = std::str::from_utf8(&bytes).map(str::to_owned).ok();
            prop_assert_eq!(assemble(&[first, second]).ok(), expected);
        }
    }
}
