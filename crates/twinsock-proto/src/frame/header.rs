//! The 2 to 14 bytes that lead a frame (RFC 6455 §5.2).

use crate::error::Violation;
use crate::frame::coding::Coding;
use crate::frame::control::ControlPayload;
use crate::frame::mask::MaskKey;
use crate::frame::opcode::Opcode;
use crate::role::Role;

/// A frame's leading bytes, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// Whether this frame ends its message.
    pub(crate) is_final: bool,
    /// What RSV1 says.
    pub(crate) coding: Coding,
    pub(crate) opcode: Opcode,
    /// Present exactly in frames that a client sent.
    pub(crate) mask: Option<MaskKey>,
    /// Bytes of payload; the top bit is never set.
    pub(crate) payload_length: u64,
}

impl FrameHeader {
    /// Decodes the header at the start of `bytes` and tells its length, or `None` when bytes are
    /// missing. A violation is reported as soon as the bytes that show it are there.
    ///
    /// `agreed` is what was negotiated.
    #[inline]
    pub(crate) fn decode(
        bytes: &[u8],
        sender: Role,
        agreed: Coding,
    ) -> Result<Option<(Self, usize)>, Violation> {
        let Some((&first, bytes)) = bytes.split_first() else {
            return Ok(None);
        };
        let (is_final, coding, opcode) = decode_first_byte(first, agreed)?;
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
            coding,
            opcode,
            mask: None,
            payload_length,
        };
        if !is_masked {
            return Ok(Some((header, 2 + size)));
        }
        Ok(bytes[size..].first_chunk().map(|key| {
            header.mask = Some(MaskKey::from_bytes(*key));
            (header, 2 + size + key.len())
        }))
    }

    /// The header's bytes, the length in its shortest form (§5.2 "minimal number of bytes").
    ///
    /// Put together as one number, its lowest byte first: bytes stored one by one and then copied
    /// together keep the processor waiting.
    #[inline]
    pub(crate) fn encode(&self) -> EncodedHeader {
        let final_bit = if self.is_final { 0x80 } else { 0 };
        let first = u128::from(final_bit | self.coding.bit() | self.opcode.bits());
        let (short_length, long_length, size) = match self.payload_length {
            length @ ..=125 => (length, 0, 0),
            length @ 126..=0xFFFF => (126, length.swap_bytes() >> 48, 2),
            length => (127, length.swap_bytes(), 8),
        };
        let (mask_bit, key, key_size) = match self.mask {
            Some(key) => (0x80, u32::from_le_bytes(key.to_bytes()), 4),
            None => (0, 0, 0),
        };
        let second = u128::from(mask_bit | short_length);
        let key = u128::from(key) << (16 + 8 * size);
        let number = first | second << 8 | u128::from(long_length) << 16 | key;
        EncodedHeader {
            bytes: number.to_le_bytes(),
            start: 0,
            end: 2 + size + key_size,
        }
    }
}

/// A frame's leading bytes as they go over the wire.
pub(crate) struct EncodedHeader {
    bytes: [u8; 16],
    start: u8,
    end: u8,
}

impl EncodedHeader {
    /// Those that are not sent yet.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[usize::from(self.start)..usize::from(self.end)]
    }

    /// Appends a header of which nothing is sent.
    #[inline]
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        let end = out.len() + usize::from(self.end);
        // In one piece of a known size, and the rest cut off again: cheaper than a copy of a
        // length that differs.
        out.extend_from_slice(&self.bytes);
        out.truncate(end);
    }

    /// The first `count` bytes are sent.
    pub(crate) fn advance(&mut self, count: usize) {
        let count = u8::try_from(count).unwrap_or(u8::MAX);
        self.start = self.start.saturating_add(count).min(self.end);
    }
}

#[inline]
fn decode_first_byte(first: u8, agreed: Coding) -> Result<(bool, Coding, Opcode), Violation> {
    let is_final = first & 0x80 != 0;
    let coding = match first & RESERVED {
        0 => Coding::Plain,
        _ => decode_reserved_bits(first, agreed)?,
    };
    let bits = first & 0x0F;
    let opcode = Opcode::from_bits(bits).ok_or(Violation::UnknownOpcode(bits))?;
    if opcode.is_control() && !is_final {
        return Err(Violation::FragmentedControlFrame(opcode));
    }
    Ok((is_final, coding, opcode))
}

/// Apart, so that what is usual stays short.
#[cold]
fn decode_reserved_bits(first: u8, agreed: Coding) -> Result<Coding, Violation> {
    let begins_message = matches!(
        Opcode::from_bits(first & 0x0F),
        Some(Opcode::Text | Opcode::Binary)
    );
    // RFC 7692 §6: RSV1 only where a message begins.
    if first & RESERVED == agreed.bit() && begins_message {
        return Ok(agreed);
    }
    // RFC 6455 §5.2: a set bit without a negotiated extension that defines it fails the connection.
    Err(Violation::ReservedBits(first >> 4 & 0x7))
}

/// RFC 6455 §5.1: a server refuses unmasked frames, a client masked ones.
#[inline]
fn check_mask_bit(second: u8, sender: Role) -> Result<bool, Violation> {
    match (second & 0x80 != 0, sender) {
        (true, Role::Client) => Ok(true),
        (false, Role::Server) => Ok(false),
        (false, Role::Client) => Err(Violation::UnmaskedFrame),
        (true, Role::Server) => Err(Violation::MaskedFrame),
    }
}

#[inline]
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

#[inline]
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

/// The three bits that extensions may define (RFC 6455 §5.2).
const RESERVED: u8 = 0x70;

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
            is_compressed: bool,
        ) {
            let coding = match is_compressed && matches!(opcode, Opcode::Text | Opcode::Binary) {
                true => Coding::Deflate,
                false => Coding::Plain,
            };
            let mask = key.map(MaskKey::from_bytes);
            let header = FrameHeader { is_final, coding, opcode, mask, payload_length };
            let sender = if key.is_some() { Role::Client } else { Role::Server };
            let bytes = header.encode().as_bytes().to_vec();
            prop_assert!(bytes.len() <= 2 + 8 + 4);
            for cut in 0..bytes.len() {
                prop_assert_eq!(FrameHeader::decode(&bytes[..cut], sender, coding), Ok(None));
            }
            let decoded = FrameHeader::decode(&bytes, sender, coding);
            prop_assert_eq!(decoded, Ok(Some((header, bytes.len()))));
            if coding == Coding::Deflate {
                let unagreed = FrameHeader::decode(&bytes[..1], sender, Coding::Plain);
                prop_assert_eq!(unagreed, Err(Violation::ReservedBits(0b100)));
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            let senders = [Role::Client, Role::Server].into_iter();
            let agreed = [Coding::Plain, Coding::Deflate];
            for (sender, agreed) in senders.flat_map(|sender| agreed.map(|coding| (sender, coding))) {
                if let Ok(Some((header, length))) = FrameHeader::decode(&bytes, sender, agreed) {
                    // What is accepted is canonical: encoding it gives the same bytes.
                    let again = header.encode();
                    prop_assert_eq!(again.as_bytes(), &bytes[..length]);
                }
            }
        }
    }
}
