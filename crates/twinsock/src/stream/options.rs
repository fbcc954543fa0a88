//! What only a stream can be set to.

use twinsock_proto::TextPolicy;

use crate::driver::{CloseWithoutCode, StreamFraming};

/// The settings of a stream beyond those of every socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamOptions {
    pub(crate) framing: StreamFraming,
    pub(crate) text: TextPolicy,
    pub(crate) close_without_code: CloseWithoutCode,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self {
            framing: StreamFraming::default(),
            // The other end thinks that it talks to something else.
            text: TextPolicy::Refuse,
            close_without_code: CloseWithoutCode::default(),
        }
    }
}
