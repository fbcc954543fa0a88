//! A message in a single frame, all of it read: what nearly all small messages are.

use crate::frame::mask::MaskKey;
use crate::message::MessageType;
use crate::role::Role;

/// Where such a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SingleFrame {
    pub(crate) message_type: MessageType,
    pub(crate) header_length: usize,
    pub(crate) mask: Option<MaskKey>,
    pub(crate) length: usize,
}

impl SingleFrame {
    /// The message at the start of `bytes`; `None` when it is anything else, violations of the
    /// protocol included, which [`FrameHeader`](crate::frame::header::FrameHeader) tells apart.
    #[inline]
    pub(crate) fn decode(bytes: &[u8], sender: Role) -> Option<Self> {
        let (&[first, second], rest) = bytes.split_first_chunk()?;
        let message_type = match first {
            FINAL_TEXT => MessageType::Text,
            FINAL_BINARY => MessageType::Binary,
            _ => return None,
        };
        let (length, rest) = match second & 0x7F {
            126 => {
                let (length, rest) = rest.split_first_chunk()?;
                // RFC 6455 §5.2: the shortest form is the only one.
                let length = u16::from_be_bytes(*length);
                (usize::from((length >= 126).then_some(length)?), rest)
            }
            127 => return None,
            length => (usize::from(length), rest),
        };
        // RFC 6455 §5.1: a client masks, a server does not.
        let (mask, payload) = match (second & 0x80 != 0, sender) {
            (true, Role::Client) => {
                let (key, payload) = rest.split_first_chunk()?;
                (Some(MaskKey::from_bytes(*key)), payload)
            }
            (false, Role::Server) => (None, rest),
            (true, Role::Server) | (false, Role::Client) => return None,
        };
        (payload.len() >= length).then_some(Self {
            message_type,
            header_length: bytes.len() - payload.len(),
            mask,
            length,
        })
    }
}

/// FIN and the opcode, without reserved bits (RFC 6455 §5.2).
const FINAL_TEXT: u8 = 0x81;
const FINAL_BINARY: u8 = 0x82;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame::coding::Coding;
    use crate::frame::header::FrameHeader;
    use crate::frame::opcode::Opcode;

    fn first_bytes() -> impl Strategy<Value = Vec<u8>> {
        let first = prop_oneof![Just(0x81), Just(0x82), any::<u8>()];
        let second = prop_oneof![0..130u8, 250..=255u8, any::<u8>()];
        let rest = prop::collection::vec(prop_oneof![Just(0), any::<u8>()], 0..300);
        (first, second, rest).prop_map(|(first, second, rest)| [vec![first, second], rest].concat())
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_header_that_tells_all_apart(bytes in first_bytes()) {
            for sender in [Role::Client, Role::Server] {
                let header = FrameHeader::decode(&bytes, sender, Coding::Deflate);
                let single = SingleFrame::decode(&bytes, sender);
                let expected = header.ok().flatten().and_then(|(header, header_length)| {
                    let message_type = match header.opcode {
                        Opcode::Text => MessageType::Text,
                        Opcode::Binary => MessageType::Binary,
                        _ => return None,
                    };
                    let length = usize::try_from(header.payload_length).unwrap();
                    let is_single = header.is_final
                        && header.coding == Coding::Plain
                        && length <= usize::from(u16::MAX)
                        && bytes.len() - header_length >= length;
                    is_single.then_some(SingleFrame {
                        message_type,
                        header_length,
                        mask: header.mask,
                        length,
                    })
                });
                prop_assert_eq!(single, expected);
            }
        }
    }
}
