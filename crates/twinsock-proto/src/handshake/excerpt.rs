//! Bytes of the peer's, shortened and escaped for an error message.

use std::fmt;

/// The beginning of something that the peer sent, at most [`Excerpt::MAX_LEN`] bytes.
///
/// Both `Display` and `Debug` write it in quotes and escape all that is not printable ASCII, so that a hostile peer
/// can neither flood a log nor forge lines in it. An ellipsis follows where something was cut off.
///
/// ```
/// use twinsock_proto::handshake::Excerpt;
/// assert_eq!(Excerpt::new(b"SSH-2.0\r\n").to_string(), r#""SSH-2.0\r\n""#);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Excerpt {
    bytes: Box<[u8]>,
    whole_len: usize,
}

impl Excerpt {
    /// How many bytes are kept: 64.
    pub const MAX_LEN: usize = 64;

    /// Keeps the beginning of `bytes`.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let kept = bytes.get(..Self::MAX_LEN).unwrap_or(bytes);
        Self {
            bytes: kept.into(),
            whole_len: bytes.len(),
        }
    }

    /// The bytes that were kept, as they came.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.bytes.escape_ascii())?;
        if self.whole_len > self.bytes.len() {
            f.write_str("…")
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
