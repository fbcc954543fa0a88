//! Whether a message's payload is compressed.

/// How a message's payload is coded: RSV1 of its first frame (RFC 7692 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// As it is.
    Plain,
    /// Compressed with DEFLATE.
    Deflate,
}
