//! The type of the messages that a socket's writers make.

use std::sync::atomic::{AtomicU8, Ordering};

use twinsock_proto::MessageType;

/// A [`MessageType`] that all who hold the socket share.
///
/// It guards nothing but itself, so it needs no order among other memory.
#[derive(Debug)]
pub(super) struct OutgoingType(AtomicU8);

impl OutgoingType {
    pub(super) fn get(&self) -> MessageType {
        match self.0.load(Ordering::Relaxed) {
            TEXT => MessageType::Text,
            _ => MessageType::Binary,
        }
    }

    pub(super) fn set(&self, message_type: MessageType) {
        self.0.store(number(message_type), Ordering::Relaxed);
    }
}

impl Default for OutgoingType {
    fn default() -> Self {
        Self(AtomicU8::new(BINARY))
    }
}

fn number(message_type: MessageType) -> u8 {
    match message_type {
        MessageType::Binary => BINARY,
        MessageType::Text => TEXT,
    }
}

/// The numbers of `SocketMessageType` in UWP.
const BINARY: u8 = 0;
const TEXT: u8 = 1;
