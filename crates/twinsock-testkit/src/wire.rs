//! Frames as bytes: honest ones, and those that no honest peer sends.
//!
//! A frame begins honest (final, unmasked, the shortest length); each method makes it differ in
//! one point. Nothing is checked, that is the purpose. Written without the library under test.
//!
//! ```
//! use twinsock_testkit::wire;
//!
//! assert_eq!(wire::text("hi").bytes(), b"\x81\x02hi");
//! assert_eq!(wire::text("hi").fragment().bytes(), b"\x01\x02hi");
//! assert_eq!(wire::ping("").reserved(0b001).bytes(), b"\x99\x00");
//! assert_eq!(wire::binary("").claims(1 << 62).bytes(), b"\x82\x7f\x40\0\0\0\0\0\0\0");
//! assert_eq!(wire::text("hi").masked_with([1, 2, 0, 0]).bytes(), b"\x81\x82\x01\x02\0\0ik");
//! ```

use twinsock_proto::{Opcode, Role};

/// A frame that is about to become bytes, or was read from bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    first: u8,
    key: Option<[u8; 4]>,
    claim: Option<u64>,
    length_form: Option<LengthForm>,
    payload: Vec<u8>,
}

/// In how many bits a payload length is written (RFC 6455 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthForm {
    /// In the second byte of the frame.
    Bits7,
    /// In two further bytes.
    Bits16,
    /// In eight further bytes.
    Bits64,
}

/// A text frame; any bytes may stand in for text.
pub fn text(payload: impl AsRef<[u8]>) -> Frame {
    of(Opcode::Text, payload)
}

/// A binary frame.
pub fn binary(payload: impl AsRef<[u8]>) -> Frame {
    of(Opcode::Binary, payload)
}

/// A continuation frame.
pub fn continuation(payload: impl AsRef<[u8]>) -> Frame {
    of(Opcode::Continuation, payload)
}

/// A Ping.
pub fn ping(payload: impl AsRef<[u8]>) -> Frame {
    of(Opcode::Ping, payload)
}

/// A Pong.
pub fn pong(payload: impl AsRef<[u8]>) -> Frame {
    of(Opcode::Pong, payload)
}

/// A Close frame with any code and text.
pub fn close(code: u16, text: impl AsRef<[u8]>) -> Frame {
    of(Opcode::Close, [&code.to_be_bytes(), text.as_ref()].concat())
}

/// A Close frame with any body, or none.
pub fn close_with_body(body: impl AsRef<[u8]>) -> Frame {
    of(Opcode::Close, body)
}

/// A frame with any first byte: FIN, three reserved bits, four bits of opcode.
pub fn frame(first: u8, payload: impl AsRef<[u8]>) -> Frame {
    Frame {
        first,
        key: None,
        claim: None,
        length_form: None,
        payload: payload.as_ref().to_vec(),
    }
}

fn of(opcode: Opcode, payload: impl AsRef<[u8]>) -> Frame {
    frame(0x80 | opcode.bits(), payload)
}

/// The bytes of several frames.
#[must_use]
pub fn join(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(Frame::bytes).collect()
}

/// The payload length that a whole header tells.
///
/// # Panics
/// When the header is cut.
#[must_use]
pub fn payload_length(header: &[u8]) -> usize {
    match header[1] & 0x7F {
        126 => number(&header[2..4]),
        127 => number(&header[2..10]),
        short => usize::from(short),
    }
}

/// Reads honest frames back; the payloads are unmasked.
///
/// # Panics
/// When the bytes end inside a frame.
#[must_use]
pub fn read(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (first, second) = (bytes[0], bytes[1]);
        let length = payload_length(bytes);
        let mut at = match second & 0x7F {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        let key = (second & 0x80 != 0).then(|| {
            at += 4;
            [bytes[at - 4], bytes[at - 3], bytes[at - 2], bytes[at - 1]]
        });
        let mut payload = bytes[at..at + length].to_vec();
        mask(&mut payload, key.unwrap_or_default());
        frames.push(Frame {
            key,
            ..frame(first, payload)
        });
        bytes = &bytes[at + length..];
    }
    frames
}

impl Frame {
    /// Masks the frame with a key that shows when it is forgotten.
    #[must_use]
    pub fn masked(self) -> Self {
        self.masked_with([0x37, 0xFA, 0x21, 0x3D])
    }

    /// Masks the frame with this key.
    #[must_use]
    pub fn masked_with(mut self, key: [u8; 4]) -> Self {
        self.key = Some(key);
        self
    }

    /// Takes the mask off.
    #[must_use]
    pub fn unmasked(mut self) -> Self {
        self.key = None;
        self
    }

    /// Masks the frame if that is what an honest sender in this role does.
    #[must_use]
    pub fn sent_by(self, role: Role) -> Self {
        match role {
            Role::Client => self.masked(),
            Role::Server => self.unmasked(),
        }
    }

    /// Clears the FIN bit: more fragments follow.
    #[must_use]
    pub fn fragment(mut self) -> Self {
        self.first &= 0x7F;
        self
    }

    /// Sets the three reserved bits; `0b100` is RSV1.
    #[must_use]
    pub fn reserved(mut self, bits: u8) -> Self {
        self.first = self.first & 0x8F | (bits & 0b111) << 4;
        self
    }

    /// Writes this payload length, whatever the payload is.
    #[must_use]
    pub fn claims(mut self, length: u64) -> Self {
        self.claim = Some(length);
        self
    }

    /// Writes the length in this form, whatever its size; bits that do not fit are lost.
    #[must_use]
    pub fn length_in(mut self, form: LengthForm) -> Self {
        self.length_form = Some(form);
        self
    }

    /// Whether the frame is masked.
    #[must_use]
    pub fn is_masked(&self) -> bool {
        self.key.is_some()
    }

    /// The masking key.
    #[must_use]
    pub fn key(&self) -> Option<[u8; 4]> {
        self.key
    }

    /// The first byte: FIN, reserved bits, opcode.
    #[must_use]
    pub fn first_byte(&self) -> u8 {
        self.first
    }

    /// The payload, unmasked.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The frame as it goes over the wire.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let length = self.claim.unwrap_or(self.payload.len() as u64);
        let wide = length.to_be_bytes();
        let mask_bit = if self.is_masked() { 0x80 } else { 0 };
        let mut bytes = vec![self.first];
        match self.length_form.unwrap_or(LengthForm::shortest(length)) {
            LengthForm::Bits7 => bytes.push(mask_bit | wide[7] & 0x7F),
            LengthForm::Bits16 => bytes.extend([mask_bit | 126, wide[6], wide[7]]),
            LengthForm::Bits64 => {
                bytes.push(mask_bit | 127);
                bytes.extend(wide);
            }
        }
        bytes.extend(self.key.iter().flatten());
        let payload = bytes.len();
        bytes.extend(&self.payload);
        mask(&mut bytes[payload..], self.key.unwrap_or_default());
        bytes
    }
}

impl LengthForm {
    fn shortest(length: u64) -> Self {
        match length {
            0..=125 => Self::Bits7,
            126..=0xFFFF => Self::Bits16,
            _ => Self::Bits64,
        }
    }
}

/// RFC 6455 §5.3 word for word.
fn mask(payload: &mut [u8], key: [u8; 4]) {
    for (index, byte) in payload.iter_mut().enumerate() {
        *byte ^= key[index % 4];
    }
}

fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |number, &byte| number << 8 | usize::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let frames = [
            text("hi").masked(),
            binary([7; 126]).fragment(),
            continuation([7; 70_000]).masked_with([1, 2, 3, 4]),
            close(1000, "done"),
        ];
        assert_eq!(read(&join(&frames)), frames);
    }

    #[test]
    fn a_length_may_be_written_longer_than_needed() {
        let frame = ping("").length_in(LengthForm::Bits16);
        assert_eq!(frame.bytes(), b"\x89\x7e\0\0");
    }
}
