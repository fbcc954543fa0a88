//! Bytes on their way into one frame.

use std::fmt;

use bytes::Bytes;

use crate::frame::mask::MaskKey;

/// Bytes that are gathered for one binary frame, masked as they are added, so that each is
/// touched once.
///
/// ```
/// use std::time::Instant;
///
/// use twinsock_proto::{Connection, Fragment, Role, Settings};
///
/// let mut server = Connection::new(Role::Server, Settings::default(), [0; 32], Instant::now());
/// let mut bytes = server.begin_bytes();
/// bytes.append(b"small ");
/// bytes.append(b"pieces");
/// server.send_bytes(Fragment::Final, bytes)?;
/// assert_eq!(server.queued(), 2 + 12);
/// # Ok::<(), twinsock_proto::SendError>(())
/// ```
pub struct OutgoingBytes {
    bytes: Vec<u8>,
    mask: Option<MaskKey>,
}

impl OutgoingBytes {
    pub(crate) fn new(mask: Option<MaskKey>) -> Self {
        Self {
            bytes: Vec::new(),
            mask,
        }
    }

    /// Adds bytes.
    pub fn append(&mut self, bytes: &[u8]) {
        let mask = self.mask.map(|key| key.advanced_by(self.bytes.len()));
        MaskKey::append(mask, bytes, &mut self.bytes);
    }

    /// How many bytes were added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The payload as it goes out, and what it was masked with.
    pub(crate) fn into_parts(self) -> (Bytes, Option<MaskKey>) {
        (self.bytes.into(), self.mask)
    }

    /// What was added.
    pub(crate) fn into_unmasked(mut self) -> Bytes {
        if let Some(key) = self.mask {
            key.apply(&mut self.bytes);
        }
        self.bytes.into()
    }

    pub(crate) fn is_masked(&self) -> bool {
        self.mask.is_some()
    }
}

/// The bytes are the application's secrets: their number is enough.
impl fmt::Debug for OutgoingBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "OutgoingBytes({} bytes)", self.len())
    }
}
