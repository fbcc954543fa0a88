//! Checks text that the application sends in parts.

use twinsock_simd::InvalidUtf8;

/// Checks text that comes in pieces, which may be cut anywhere, also inside a character.
///
/// The first byte that cannot belong to UTF-8 is told with its part, not at the message's end:
/// the peer would fail the connection there (RFC 6455 §8.1).
#[derive(Clone, Default)]
pub(crate) struct Utf8Check {
    cut_character: CutCharacter,
}

/// What there is of a character which the last piece did not end.
#[derive(Clone, Default)]
struct CutCharacter {
    bytes: [u8; 4],
    // A byte: each connection has room for one of these.
    length: u8,
}

impl Utf8Check {
    /// Takes the next piece.
    pub(crate) fn check(&mut self, piece: &[u8]) -> Result<(), InvalidUtf8> {
        let piece = self.finish_cut_character(piece)?;
        let (_, cut) = twinsock_simd::split_cut_character(piece)?;
        cut.iter()
            .try_for_each(|&byte| self.cut_character.push(byte))
    }

    /// The message has ended: so must its last character.
    pub(crate) fn finish(&self) -> Result<(), InvalidUtf8> {
        match self.cut_character.length {
            0 => Ok(()),
            _ => Err(InvalidUtf8),
        }
    }

    /// Ends the character that the last piece cut, and returns what is left of this one.
    fn finish_cut_character<'a>(&mut self, mut piece: &'a [u8]) -> Result<&'a [u8], InvalidUtf8> {
        while self.cut_character.length > 0
            && let Some((&byte, rest)) = piece.split_first()
        {
            self.cut_character.push(byte)?;
            piece = rest;
        }
        Ok(piece)
    }
}

impl CutCharacter {
    /// Takes one more byte; nothing is left when the character is whole.
    fn push(&mut self, byte: u8) -> Result<(), InvalidUtf8> {
        *self
            .bytes
            .get_mut(usize::from(self.length))
            .ok_or(InvalidUtf8)? = byte;
        self.length += 1;
        match std::str::from_utf8(&self.bytes[..usize::from(self.length)]) {
            Ok(_) => self.length = 0,
            // No error length: these bytes may begin a character.
            Err(error) if error.error_len().is_none() => {}
            Err(_) => return Err(InvalidUtf8),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(pieces: &[&[u8]]) -> Result<(), InvalidUtf8> {
        let mut check = Utf8Check::default();
        pieces.iter().try_for_each(|piece| check.check(piece))?;
        check.finish()
    }

    #[test]
    fn text_may_be_cut_anywhere() {
        let text = "a é ह € 한 𐍈 😀 z".as_bytes();
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                assert_eq!(check(&pieces), Ok(()));
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
            let whole = Utf8Check::default().check(bad);
            assert_eq!(whole, Err(InvalidUtf8), "{bad:x?} at once");
            let mut single = Utf8Check::default();
            let result = bad.iter().try_for_each(|&byte| single.check(&[byte]));
            assert_eq!(result, Err(InvalidUtf8), "{bad:x?} byte by byte");
        }
    }

    #[test]
    fn an_unfinished_character_at_the_end_is_invalid() {
        assert_eq!(check(&[b"abc\xE2\x82"]), Err(InvalidUtf8));
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
            let is_text = std::str::from_utf8(&bytes).is_ok();
            prop_assert_eq!(check(&[first, second]).is_ok(), is_text);
        }
    }
}
