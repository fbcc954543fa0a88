//! Messages to frames to bytes (RFC 6455 §5.4, §6.1).
//!
//! [`sender`] turns messages and control frames into frames; [`queue`] holds the bytes until the
//! network takes them; [`deflater`] compresses; [`outgoing`] gathers a stream's bytes for a frame; [`utf8`] checks text that
//! is sent in parts. Small payloads are copied together, so that many messages make one write;
//! large ones are never copied unless they have to be masked.

pub(crate) mod deflater;
pub(crate) mod outgoing;
pub(crate) mod queue;
pub(crate) mod sender;
mod utf8;
