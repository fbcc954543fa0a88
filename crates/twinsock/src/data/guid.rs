//! Identifiers of 128 bits.

use std::fmt;
use std::str::FromStr;

use crate::data::byte_order::ByteOrder;
use crate::data::error::DataError;

/// An identifier of 128 bits (`Guid` in UWP).
///
/// As bytes it is a number of 32 bits and two of 16, each in the reader's or writer's byte order,
/// and then 8 bytes.
///
/// ```
/// use twinsock::{DataWriter, Guid};
///
/// let guid: Guid = "00112233-4455-6677-8899-aabbccddeeff".parse()?;
/// assert_eq!(guid.to_u128(), 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
/// assert_eq!(guid.to_string(), "00112233-4455-6677-8899-aabbccddeeff");
/// # Ok::<(), twinsock::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Guid(u128);

impl Guid {
    /// The identifier whose text form has these digits.
    #[must_use]
    pub const fn from_u128(number: u128) -> Self {
        Self(number)
    }

    /// The digits of the text form as a number.
    #[must_use]
    pub const fn to_u128(self) -> u128 {
        self.0
    }

    pub(super) fn to_bytes(self, order: ByteOrder) -> [u8; SIZE] {
        exchange(self.0.to_be_bytes(), order)
    }

    pub(super) fn from_bytes(bytes: [u8; SIZE], order: ByteOrder) -> Self {
        Self(u128::from_be_bytes(exchange(bytes, order)))
    }
}

/// The form 8-4-4-4-12, in lower case and without braces.
impl fmt::Display for Guid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0;
        let (first, second, third) = (number >> 96, number >> 80 & 0xffff, number >> 64 & 0xffff);
        let (fourth, fifth) = (number >> 48 & 0xffff, number & 0xffff_ffff_ffff);
        write!(
            formatter,
            "{first:08x}-{second:04x}-{third:04x}-{fourth:04x}-{fifth:012x}"
        )
    }
}

/// The form 8-4-4-4-12, in upper or lower case and without braces.
impl FromStr for Guid {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let mut number = 0;
        for (position, byte) in text.bytes().enumerate() {
            let error = DataError::InvalidGuid { position };
            match (position, byte) {
                (8 | 13 | 18 | 23, b'-') => {}
                (8 | 13 | 18 | 23 | LENGTH.., _) => return Err(error),
                _ => number = number << 4 | digit(byte).ok_or(error)?,
            }
        }
        if text.len() < LENGTH {
            return Err(DataError::InvalidGuid {
                position: text.len(),
            });
        }
        Ok(Self(number))
    }
}

fn digit(byte: u8) -> Option<u128> {
    char::from(byte).to_digit(16).map(u128::from)
}

/// Turns the bytes in this order into those in big-endian order, and back.
fn exchange(bytes: [u8; SIZE], order: ByteOrder) -> [u8; SIZE] {
    let [a, b, c, d, e, f, g, h, rest @ ..] = bytes;
    let [a, b, c, d] = order.arrange([a, b, c, d]);
    let ([e, f], [g, h]) = (order.arrange([e, f]), order.arrange([g, h]));
    let [i, j, k, l, m, n, o, p] = rest;
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

/// Bytes.
pub(super) const SIZE: usize = 16;

/// Characters of the text form.
const LENGTH: usize = 36;
