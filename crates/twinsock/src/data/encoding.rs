//! Strings as bytes.

use bytes::{BufMut, BytesMut};

use crate::data::error::DataError;

/// How a string stands in bytes; by default in UTF-8 (`UnicodeEncoding` in UWP).
///
/// A string has no length prefix, terminator or byte order mark; a mark that is there is read as
/// the character U+FEFF.
///
/// ```
/// use twinsock::{DataWriter, UnicodeEncoding};
///
/// let mut writer = DataWriter::new();
/// writer.set_unicode_encoding(UnicodeEncoding::Utf16Le);
/// assert_eq!(writer.write_string("é"), 2);
/// assert_eq!(writer.detach_buffer(), &[0xE9, 0][..]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum UnicodeEncoding {
    /// UTF-8; a code unit has 1 byte.
    #[default]
    Utf8 = 0,
    /// UTF-16, the least significant byte first; a code unit has 2 bytes.
    Utf16Le = 1,
    /// UTF-16, the most significant byte first; a code unit has 2 bytes.
    Utf16Be = 2,
}

impl UnicodeEncoding {
    /// The number of the Universal Windows Platform.
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// How many bytes a code unit has.
    #[must_use]
    pub const fn code_unit_size(self) -> usize {
        match self {
            Self::Utf8 => 1,
            Self::Utf16Le | Self::Utf16Be => 2,
        }
    }

    pub(super) fn measure(self, text: &str) -> usize {
        match self {
            Self::Utf8 => text.len(),
            Self::Utf16Le | Self::Utf16Be => 2 * text.encode_utf16().count(),
        }
    }

    pub(super) fn encode(self, text: &str, bytes: &mut BytesMut) {
        match self {
            Self::Utf8 => bytes.put_slice(text.as_bytes()),
            Self::Utf16Le => text.encode_utf16().for_each(|unit| bytes.put_u16_le(unit)),
            Self::Utf16Be => text.encode_utf16().for_each(|unit| bytes.put_u16(unit)),
        }
    }

    /// The text in `bytes`, which are whole code units.
    pub(super) fn decode(self, bytes: &[u8]) -> Result<String, DataError> {
        match self {
            Self::Utf8 => check_utf8(bytes).map(String::from),
            Self::Utf16Le => self.decode_utf16(bytes, u16::from_le_bytes),
            Self::Utf16Be => self.decode_utf16(bytes, u16::from_be_bytes),
        }
    }

    fn decode_utf16(self, bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, DataError> {
        let (pairs, _) = bytes.as_chunks();
        let units = pairs.iter().map(|pair| unit(*pair));
        let mut text = String::with_capacity(bytes.len() / 2);
        let mut position = 0;
        for decoded in char::decode_utf16(units) {
            let character = decoded.map_err(|_| DataError::InvalidUnicode {
                encoding: self,
                position,
            })?;
            position += character.len_utf16();
            text.push(character);
        }
        Ok(text)
    }
}

pub(super) fn check_utf8(bytes: &[u8]) -> Result<&str, DataError> {
    std::str::from_utf8(bytes).map_err(|error| DataError::InvalidUnicode {
        encoding: UnicodeEncoding::Utf8,
        position: error.valid_up_to(),
    })
}
