//! The WebSocket protocol as pure state machines.

pub mod handshake;
pub mod uri;
