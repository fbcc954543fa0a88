//! Bytes to frames to messages (RFC 6455 §5.4, §6.2, §8.1).
//!
//! [`receiver`] cuts the bytes that were read into frames, unmasks them where they stand and
//! lends each whole message; [`assembly`] joins the messages that come in parts; [`utf8`] checks
//! text as it arrives. Nothing here reserves memory for what a header claims, only for what came.

pub(crate) mod assembly;
pub(crate) mod receiver;
pub(crate) mod utf8;
