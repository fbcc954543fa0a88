//! Frames built beforehand: what the neutral side sends.

use bytes::Bytes;
use fastrand::Rng;

use crate::compression::{self, Takeover};
use crate::corpus;
use crate::library::{Kind, Outcome};
use crate::workload::Role;

/// At least this much is sent before the same bytes come again.
const BLOCK: usize = 1 << 20;
/// Marks a message that is compressed (RFC 7692 §6).
pub(crate) const RSV1: u8 = 0x40;
/// How many payloads differ within a block.
const DISTINCT: usize = 64;
const WORDS: [&str; 8] = [
    "Привет ",
    "世界",
    "καλημέρα ",
    "😀",
    "naïve ",
    "日本語",
    "עולם ",
    "ok ",
];

/// What a payload consists of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Binary,
    Ascii,
    MultiByte,
    Json,
}

impl Content {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Binary => Kind::Binary,
            Self::Ascii | Self::MultiByte | Self::Json => Kind::Text,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Ascii => "ascii",
            Self::MultiByte => "multi-byte",
            Self::Json => "json",
        }
    }

    pub(crate) fn payload(self, size: usize, random: &mut Rng) -> Vec<u8> {
        match self {
            Self::Binary => (0..size).map(|_| random.u8(..)).collect(),
            Self::Ascii => (0..size).map(|_| random.u8(b' '..=b'~')).collect(),
            Self::MultiByte => multi_byte(size, random),
            Self::Json => corpus::message(size, random),
        }
    }
}

fn multi_byte(size: usize, random: &mut Rng) -> Vec<u8> {
    let mut text = Vec::with_capacity(size);
    while let Some(word) = random.choice(WORDS) {
        if text.len() + word.len() > size {
            break;
        }
        text.extend_from_slice(word.as_bytes());
    }
    text.resize(size, b'.');
    text
}

/// Frames with messages of one size, sent round and round: their payloads and mask keys differ.
#[derive(Clone)]
pub(crate) struct Frames {
    block: Bytes,
    /// Where each frame ends.
    ends: Vec<usize>,
}

impl Frames {
    /// What the peer of a library in this `role` sends: masked to a server.
    pub(crate) fn sent_to(role: Role, content: Content, size: usize) -> Self {
        let frame = frame_length(size, role);
        let count = BLOCK.div_ceil(frame);
        let mut random = Rng::with_seed(42);
        let payloads: Vec<_> = (0..count.min(DISTINCT))
            .map(|_| content.payload(size, &mut random))
            .collect();
        let mut frames = FramesBuilder::with_capacity(count * frame);
        for payload in payloads.iter().cycle().take(count) {
            let key = match role {
                Role::Server => Some(random.u32(..).to_ne_bytes()),
                Role::Client => None,
            };
            push_frame(&mut frames.block, content.kind(), payload, key);
            frames.end_frame();
        }
        frames.build()
    }

    /// Compressed JSON from a client, no message twice. The first of them refers to nothing
    /// before it, so that the same bytes may come again.
    pub(crate) fn compressed(size: usize, takeover: Takeover) -> Outcome<Self> {
        let payloads = compression::compressed(json(size), takeover)?;
        let mut random = Rng::with_seed(43);
        let mut frames = FramesBuilder::with_capacity(BLOCK);
        for payload in payloads {
            let key = Some(random.u32(..).to_ne_bytes());
            let start = frames.block.len();
            push_frame(&mut frames.block, Kind::Text, &payload, key);
            frames.block[start] |= RSV1;
            frames.end_frame();
        }
        Ok(frames.build())
    }

    /// The length of so many frames, headers included.
    pub(crate) fn length(&self, frames: usize) -> usize {
        let (rounds, rest) = (frames / self.ends.len(), frames % self.ends.len());
        let rest = rest.checked_sub(1).map_or(0, |last| self.ends[last]);
        rounds * self.block.len() + rest
    }

    /// The bytes from `position` of the endless stream on, up to the end of the block.
    pub(crate) fn at(&self, position: usize) -> &[u8] {
        &self.block[position % self.block.len()..]
    }
}

/// The messages that are compressed, of this size each, as many as a block has.
pub(crate) fn json(size: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut random = Rng::with_seed(42);
    (0..BLOCK.div_ceil(size)).map(move |_| corpus::message(size, &mut random))
}

struct FramesBuilder {
    block: Vec<u8>,
    ends: Vec<usize>,
}

impl FramesBuilder {
    fn with_capacity(bytes: usize) -> Self {
        Self {
            block: Vec::with_capacity(bytes),
            ends: Vec::new(),
        }
    }

    fn end_frame(&mut self) {
        self.ends.push(self.block.len());
    }

    fn build(self) -> Frames {
        Frames {
            block: self.block.into(),
            ends: self.ends,
        }
    }
}

/// What the header of a frame tells.
pub(crate) struct Header {
    /// The length of the whole frame.
    pub(crate) frame: usize,
    pub(crate) payload: usize,
}

impl Header {
    /// `None` while `bytes` do not hold all of it.
    pub(crate) fn whole(bytes: &[u8]) -> Option<Self> {
        let length = match bytes.get(1)? & 0x7f {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        (bytes.len() >= length).then(|| Self::of(bytes))
    }

    /// Of the frame that begins here; `bytes` hold its header.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let second = bytes.get(1).copied().unwrap_or_default();
        let (header, length) = match second & 0x7f {
            126 => (4, bytes.get(2..4)),
            127 => (10, bytes.get(2..10)),
            _ => (2, Some(&[][..])),
        };
        let mut payload = usize::from(second & 0x7f);
        if let Some([first, rest @ ..]) = length {
            let more = |length, byte: &u8| length << 8 | usize::from(*byte);
            payload = rest.iter().fold(usize::from(*first), more);
        }
        let key = if second & 0x80 == 0 { 0 } else { 4 };
        Self {
            frame: header + key + payload,
            payload,
        }
    }
}

/// The length of a frame to a library in this `role`.
pub(crate) fn frame_length(size: usize, role: Role) -> usize {
    let extended = match size {
        0..=125 => 0,
        126..=65_535 => 2,
        _ => 8,
    };
    let key = match role {
        Role::Server => 4,
        Role::Client => 0,
    };
    2 + extended + key + size
}

/// Appends one frame, masked where there is a `key`.
pub(crate) fn push_frame(block: &mut Vec<u8>, kind: Kind, payload: &[u8], key: Option<[u8; 4]>) {
    block.push(match kind {
        Kind::Text => 0x81,
        Kind::Binary => 0x82,
    });
    let mask_bit = if key.is_some() { 0x80 } else { 0 };
    if let Ok(length) = u8::try_from(payload.len())
        && length < 126
    {
        block.push(mask_bit | length);
    } else if let Ok(length) = u16::try_from(payload.len()) {
        block.push(mask_bit | 126);
        block.extend_from_slice(&length.to_be_bytes());
    } else {
        block.push(mask_bit | 127);
        block.extend_from_slice(&(payload.len() as u64).to_be_bytes());
    }
    let Some(key) = key else {
        block.extend_from_slice(payload);
        return;
    };
    block.extend_from_slice(&key);
    let masked = payload.iter().zip(key.iter().cycle());
    block.extend(masked.map(|(byte, key)| byte ^ key));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_tells_how_long_its_frame_is() {
        for size in [0, 125, 126, 65_535, 65_536] {
            for role in Role::BOTH {
                let mut frame = Vec::new();
                let key = (role == Role::Server).then_some([1, 2, 3, 4]);
                push_frame(&mut frame, Kind::Binary, &vec![0; size], key);
                let header = Header::of(&frame);
                assert_eq!(header.payload, size);
                assert_eq!(header.frame, frame.len());
                assert_eq!(frame_length(size, role), frame.len());
            }
        }
    }
}
