//! What went over a connection, counted.

use crate::connection::Connection;
use crate::send::deflater::Deflater;

/// What went over a connection since its opening handshake.
///
/// ```
/// # use std::time::Instant;
/// use bytes::BufMut;
/// use twinsock_proto::{Connection, Role, Settings};
///
/// let now = Instant::now();
/// let mut client = Connection::new(Role::Client, Settings::default(), [0; 32], now);
/// client.receive_memory().put_slice(b"\x81\x02hi\x89\x00");
/// client.handle_received(now);
/// while client.poll_event().is_some() {}
/// let received = client.statistics().received;
/// assert_eq!((received.bytes, received.frames, received.messages), (6, 2, 1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// From this endpoint to the peer.
    pub sent: Traffic,
    /// From the peer to this endpoint.
    pub received: Traffic,
}

/// What went in one direction; see [`Statistics`] for an example.
///
/// After a clean close what one end has sent is what the other has received, unless frames were
/// left unread behind a Close frame (RFC 6455 §1.4) or a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// The bytes of frames, headers included, behind the opening handshake: when sent, as the
    /// byte stream took them; when received, as they were read from it, whatever they are.
    pub bytes: u64,
    /// The frames, control frames and fragments included: when sent, as soon as they are queued;
    /// when received, as soon as all of their bytes are looked at.
    pub frames: u64,
    /// The messages, each with its last frame, also those that nobody asked for.
    pub messages: u64,
    /// The payload of compressed messages as it goes over the network, in bytes (RFC 7692); when
    /// sent, as soon as it is queued; when received, as soon as it is inflated.
    pub deflated_bytes: u64,
    /// The same payload uncompressed, in bytes: so much goes in, or has come out.
    pub inflated_bytes: u64,
}

impl Connection {
    /// What has gone over the connection so far; it stays when the connection has ended.
    ///
    /// Bytes that were read are looked at as events are taken: until then they count as bytes
    /// only.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let (sent, received) = (self.state.sender.count(), self.receiver.count());
        let deflater = self.state.sender.deflater();
        let compressed = deflater.map(Deflater::count).unwrap_or_default();
        let inflated = self.receiver.deflate_count();
        Statistics {
            sent: Traffic {
                bytes: self.state.sender.bytes_taken(),
                frames: sent.frames,
                messages: sent.messages,
                deflated_bytes: compressed.deflated,
                inflated_bytes: compressed.inflated,
            },
            received: Traffic {
                bytes: self.receiver.bytes_read(),
                frames: received.frames,
                messages: received.messages,
                deflated_bytes: inflated.deflated,
                inflated_bytes: inflated.inflated,
            },
        }
    }
}
