//! Bytes to frames to messages (RFC 6455 §5.4, §6.2, §8.1).
//!
//! [`receiver`] cuts the bytes that were read into frames, unmasks them and lends each message,
//! whole or in parts, with a short way for a [`single_frame`]; [`memory`] is what is read into;
//! [`assembly`] joins the parts of a message. Nothing here reserves memory for what a header
//! claims alone: at most a multiple of what came.

pub(crate) mod assembly;
pub(crate) mod memory;
pub(crate) mod receiver;
pub(crate) mod single_frame;
