//! Whether a message's payload is compressed.

/// How a message's payload is coded, told by the first byte of its first frame (RFC 7692 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Coding {
    /// As it is.
    Plain = 0,
    /// Compressed with DEFLATE: RSV1, the bit "Per-Message Compressed".
    Deflate = 0x40,
}

impl Coding {
    /// The bit of the first byte.
    #[inline]
    pub(crate) fn bit(self) -> u8 {
        self as u8
    }
}
