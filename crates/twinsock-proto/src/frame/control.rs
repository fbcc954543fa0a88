//! The payload of a control frame.

use std::fmt;

/// The payload of a Ping or Pong: at most 125 bytes, held without an allocation (RFC 6455 §5.5).
///
/// ```
/// use twinsock_proto::ControlPayload;
///
/// let payload = ControlPayload::new(b"are you there?").expect("short enough");
/// assert_eq!(payload.as_bytes(), b"are you there?");
/// assert!(ControlPayload::new(&[0; 126]).is_none());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ControlPayload {
    bytes: [u8; Self::MAX_LENGTH],
    length: u8,
}

impl ControlPayload {
    /// The longest payload of a control frame, in bytes (RFC 6455 §5.5).
    pub const MAX_LENGTH: usize = 125;

    /// A payload with these bytes; `None` when there are more than 125.
    #[must_use]
    pub fn new(payload: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::MAX_LENGTH];
        bytes.get_mut(..payload.len())?.copy_from_slice(payload);
        Some(Self {
            bytes,
            length: u8::try_from(payload.len()).ok()?,
        })
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl fmt::Debug for ControlPayload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "ControlPayload(\"{}\")",
            self.as_bytes().escape_ascii()
        )
    }
}
