//! The 2 to 14 bytes that lead a frame (RFC 6455 §5.2).

use crate::error::Violation;
use crate::frame::control::ControlPayload;
use crate::frame::mask::MaskKey;
use crate::frame::opcode::Opcode;
use crate::role::Role;

/// A frame's leading bytes, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// Whether this frame ends its message.
    pub(crate) is_final: bool,
    pub(crate) opcode: Opcode,
    /// Present exactly in frames that a client sent.
    pub(crate) mask: Option<MaskKey>,
    /// Bytes of payload; the top bit is never set.
    pub(crate) payload_length: u64,
}

impl FrameHeader {
    /// Decodes the header at the start of `bytes` and tells its length, or `None` when bytes are
    /// missing. A violation is reported as soon as the bytes that show it are there.
    pub(crate) fn decode(bytes: &[u8], sender: Role) -> Result<Option<(Self, usize)>, Violation> {
        let Some((&first, bytes)) = bytes.split_first() else {
            return Ok(None);
        };
        let (is_final, opcode) = decode_first_byte(first)?;
        let Some((&second, bytes)) = bytes.split_first() else {
            return Ok(None);
        };
        let is_masked = check_mask_bit(second, sender)?;
        let short_length = second & 0x7F;
        check_control_length(opcode, short_length)?;
        let Some(Length {
            payload_length,
            size,
        }) = decode_length(short_length, bytes)?
        else {
            return Ok(None);
        };
        let mut header = Self {
            is_final,
            opcode,
            mask: None,
            payload_length,
        };
        if !is_masked {
            return Ok(Some((header, 2 + size)));
        }
        Ok(bytes[size..].first_chunk().map(|key| {
            header.mask = Some(MaskKey(*key));
            (header, 2 + size + key.len())
        }))
    }

    /// Appends the header's bytes, the length in its shortest form (§5.2 "minimal number of
    /// bytes").
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let mask_bit = if self.mask.is_some() { 0x80 } else { 0 };
        let first = self.opcode.bits() | if self.is_final { 0x80 } else { 0 };
        if let Ok(length @ ..=125) = u8::try_from(self.payload_length) {
            out.extend_from_slice(&[first, mask_bit | length]);
        } else if let Ok(length) = u16::try_from(self.payload_length) {
            let [high, low] = length.to_be_bytes();
            out.extend_from_slice(&[first, mask_bit | 126, high, low]);
        } else {
            out.extend_from_slice(&[first, mask_bit | 127]);
            out.extend_from_slice(&self.payload_length.to_be_bytes());
        }
        if let Some(MaskKey(key)) = self.mask {
            out.extend_from_slice(&key);
        }
    }
}

fn decode_first_byte(first: u8) -> Result<(bool, Opcode), Violation> {
    let is_final = first & 0x80 != 0;
    // RFC 6455 §5.2: a set bit without a negotiated extension that defines it fails the connection.
    if first & 0x70 != 0 {
        return Err(Violation::ReservedBits(first >> 4 & 0x7));
    }
    let bits = first & 0x0F;
    let opcode = Opcode::from_bits(bits).ok_or(Violation::UnknownOpcode(bits))?;
    if opcode.is_control() && !is_final {
        return Err(Violation::FragmentedControlFrame(opcode));
    }
    Ok((is_final, opcode))
}

/// RFC 6455 §5.1: a server refuses unmasked frames, a client masked ones.
fn check_mask_bit(second: u8, sender: Role) -> Result<bool, Violation> {
    match (second & 0x80 != 0, sender) {
        (true, Role::Client) => Ok(true),
        (false, Role::Server) => Ok(false),
        (false, Role::Client) => Err(Violation::UnmaskedFrame),
        (true, Role::Server) => Err(Violation::MaskedFrame),
    }
}

fn check_control_length(opcode: Opcode, short_length: u8) -> Result<(), Violation> {
    if opcode.is_control() && usize::from(short_length) > ControlPayload::MAX_LENGTH {
        return Err(Violation::ControlFrameTooLong(opcode));
    }
    Ok(())
}

/// The payload length, and how many bytes it takes beyond the first seven bits.
struct Length {
    payload_length: u64,
    size: usize,
}

fn decode_length(short_length: u8, bytes: &[u8]) -> Result<Option<Length>, Violation> {
    let (payload_length, size, least) = match short_length {
        126 => (
            bytes
                .first_chunk()
                .map(|length| u64::from(u16::from_be_bytes(*length))),
            2,
            126,
        ),
        127 => (
            bytes
                .first_chunk()
                .map(|length| u64::from_be_bytes(*length)),
            8,
            1 << 16,
        ),
        short => (Some(u64::from(short)), 0, 0),
    };
    let Some(payload_length) = payload_length else {
        return Ok(None);
    };
    // RFC 6455 §5.2: the minimal number of bytes must be used, and the top bit must be 0.
    if payload_length < least {
        return Err(Violation::LengthNotMinimal(payload_length));
    }
    if payload_length >> 63 != 0 {
        return Err(Violation::LengthTopBitSet(payload_length));
    }
    Ok(Some(Length {
        payload_length,
        size,
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn opcode_and_length() -> impl Strategy<Value = (Opcode, bool, u64)> {
        prop_oneof![
            (
                prop_oneof![
                    Just(Opcode::Continuation),
                    Just(Opcode::Text),
                    Just(Opcode::Binary)
                ],
                any::<bool>(),
                prop_oneof![0..300u64, 65_530..65_600u64, 0..(1u64 << 63)],
            ),
            (
                prop_oneof![Just(Opcode::Close), Just(Opcode::Ping), Just(Opcode::Pong)],
                Just(true),
                0..=125u64,
            ),
        ]
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_and_every_prefix_wants_more(
            (opcode, is_final, payload_length) in opcode_and_length(),
            key: Option<[u8; 4]>,
        ) {
            let header = FrameHeader { is_final, opcode, mask: key.map(MaskKey), payload_length };
            let sender = if key.is_some() { Role::Client } else { Role::Server };
            let mut bytes = Vec::new();
            header.encode(&mut bytes);
            prop_assert!(bytes.len() <= 2 + 8 + 4);
            for cut in 0..bytes.len() {
                prop_assert_eq!(FrameHeader::decode(&bytes[..cut], sender), Ok(None));
            }
            prop_assert_eq!(FrameHeader::decode(&bytes, sender), Ok(Some((header, bytes.len()))));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            for sender in [Role::Client, Role::Server] {
                if let Ok(Some((header, length))) = FrameHeader::decode(&bytes, sender) {
                    // What is accepted is canonical: encoding it gives the same bytes.
                    let mut again = Vec::new();
                    header.encode(&mut again);
                    prop_assert_eq!(again, bytes[..length].to_vec());
                }
            }
        }
    }
}
