//! Which kind of frame.

/// The kind of a frame (RFC 6455 §5.2, §11.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// A further fragment of the message under way.
    Continuation,
    /// The first fragment of a text message.
    Text,
    /// The first fragment of a binary message.
    Binary,
    /// The closing handshake.
    Close,
    /// A question whether the peer is there.
    Ping,
    /// The answer to a Ping.
    Pong,
}

impl Opcode {
    /// The opcode for the low four bits of a frame's first byte; `None` for the reserved ones.
    #[must_use]
    pub fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0x0 => Some(Self::Continuation),
            0x1 => Some(Self::Text),
            0x2 => Some(Self::Binary),
            0x8 => Some(Self::Close),
            0x9 => Some(Self::Ping),
            0xA => Some(Self::Pong),
            _ => None,
        }
    }

    /// The low four bits of a frame's first byte.
    #[must_use]
    pub fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    /// Whether this is a control frame: never fragmented, at most 125 bytes (RFC 6455 §5.5).
    #[must_use]
    pub fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_opcodes_agree() {
        for bits in 0..=u8::MAX {
            if let Some(opcode) = Opcode::from_bits(bits) {
                assert_eq!(opcode.bits(), bits);
                assert_eq!(opcode.is_control(), bits & 0x8 != 0);
            } else {
                assert!(matches!(bits, 0x3..=0x7 | 0xB..));
            }
        }
    }
}
