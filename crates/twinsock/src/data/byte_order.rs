//! Which byte of a number comes first.

/// Which byte of a number comes first; by default the most significant (`ByteOrder` in UWP).
///
/// ```
/// use twinsock::{ByteOrder, DataReader};
///
/// let mut reader = DataReader::from_bytes(vec![0, 1, 0, 1]);
/// assert_eq!(reader.read_u16()?, 1);
/// reader.set_byte_order(ByteOrder::LittleEndian);
/// assert_eq!(reader.read_u16()?, 256);
/// # Ok::<(), twinsock::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum ByteOrder {
    /// The least significant byte first.
    LittleEndian = 0,
    /// The most significant byte first.
    #[default]
    BigEndian = 1,
}

impl ByteOrder {
    /// The number of the Universal Windows Platform.
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// Turns bytes in this order into bytes in big-endian order, and back.
    pub(super) fn arrange<const N: usize>(self, mut bytes: [u8; N]) -> [u8; N] {
        match self {
            Self::LittleEndian => bytes.reverse(),
            Self::BigEndian => {}
        }
        bytes
    }
}
