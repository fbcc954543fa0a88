//! Joins the parts of a message.

use std::fmt;

use bytes::BufMut;
use bytes::buf::Limit;
use twinsock_simd::TextBuffer;

use crate::error::Violation;
use crate::frame::coding::Coding;
use crate::frame::mask::MaskKey;
use crate::message::{Lent, MessageType};

/// A message that has begun and not ended.
#[derive(Debug)]
pub(crate) struct MessageUnderWay {
    pub(crate) assembly: Assembly,
    handed_out: HandedOut,
    coding: Coding,
    /// How many bytes its frames have claimed.
    claimed: u64,
    /// How many frames of it have begun.
    frames: u64,
}

/// Whether the application got parts of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
enum HandedOut {
    Nothing,
    Parts,
    /// Parts, and it wants no more of them.
    Enough,
}

impl MessageUnderWay {
    pub(crate) fn new(message_type: MessageType, coding: Coding) -> Self {
        Self {
            assembly: Assembly::new(message_type),
            handed_out: HandedOut::Nothing,
            coding,
            claimed: 0,
            frames: 0,
        }
    }

    pub(crate) fn coding(&self) -> Coding {
        self.coding
    }

    pub(crate) fn is_compressed(&self) -> bool {
        self.coding == Coding::Deflate
    }

    /// How much of it there is, as far as a frame's payload adds to that: bytes, or compressed
    /// ones.
    pub(crate) fn size_on_wire(&self) -> u64 {
        match self.coding {
            Coding::Plain => self.assembly.len() as u64,
            Coding::Deflate => self.claimed,
        }
    }

    /// How many frames of it have begun.
    pub(crate) fn frames(&self) -> u64 {
        self.frames
    }

    /// A frame of it has begun.
    pub(crate) fn begin_frame(&mut self, payload_length: u64) {
        self.frames += 1;
        self.claimed = self.claimed.saturating_add(payload_length);
    }

    /// Whether the application got parts of it.
    pub(crate) fn is_handed_out(&self) -> bool {
        self.handed_out != HandedOut::Nothing
    }

    /// Whether the application wants no more of it.
    pub(crate) fn is_passed_over(&self) -> bool {
        self.handed_out == HandedOut::Enough
    }

    /// The application wants no more of it than it got.
    pub(crate) fn pass_over(&mut self) {
        if self.is_handed_out() {
            self.handed_out = HandedOut::Enough;
        }
    }

    /// The application got what has come so far.
    pub(crate) fn hand_out(&mut self) {
        if self.handed_out == HandedOut::Nothing {
            self.handed_out = HandedOut::Parts;
        }
        self.assembly.clear();
    }
}

/// What has come of a message: fragments, or pieces of one large frame.
pub(crate) enum Assembly {
    Text(TextBuffer),
    Binary(BinaryAssembly),
}

/// Bytes put together from pieces.
#[derive(Default)]
pub(crate) struct BinaryAssembly {
    bytes: Vec<u8>,
    /// How many of them are unmasked; the rest was read straight into this memory.
    unmasked: usize,
    /// How many of them were looked at, and may be unmasked later.
    seen: usize,
}

/// The bytes are the application's secrets: their number is enough.
impl fmt::Debug for Assembly {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Assembly({} bytes)", self.len())
    }
}

impl fmt::Debug for BinaryAssembly {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "BinaryAssembly({} bytes)", self.len())
    }
}

impl Assembly {
    pub(crate) fn new(message_type: MessageType) -> Self {
        match message_type {
            MessageType::Text => Self::Text(TextBuffer::default()),
            MessageType::Binary => Self::Binary(BinaryAssembly::default()),
        }
    }

    /// How many bytes of the message have come.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(binary) => binary.len(),
        }
    }

    fn capacity(&self) -> usize {
        match self {
            Self::Text(text) => text.capacity(),
            Self::Binary(binary) => binary.bytes.capacity(),
        }
    }

    fn reserve_exact(&mut self, additional: usize) {
        match self {
            Self::Text(text) => text.reserve_exact(additional),
            Self::Binary(binary) => binary.bytes.reserve_exact(additional),
        }
    }

    /// Makes room for a piece of a frame of which `frame` bytes are still to come, and for what
    /// follows it, up to `most` bytes in all.
    #[inline(always)]
    pub(crate) fn reserve(&mut self, piece: usize, frame: u64, most: u64) {
        let held = self.len();
        let capacity = self.capacity();
        let needed = held.saturating_add(piece);
        if needed > capacity {
            let most = at_most(most);
            let in_frame = held.saturating_add(at_most(frame)).min(most);
            let in_message = capacity.saturating_mul(2).min(most);
            let capacity = grown(needed, in_frame).max(in_message);
            self.reserve_exact(capacity - held);
        }
    }

    /// Takes the next piece, masked with `key`.
    #[inline(always)]
    pub(crate) fn push(&mut self, piece: &[u8], key: Option<MaskKey>) -> Result<(), Violation> {
        match self {
            Self::Text(text) => text
                .append(piece, key.map(MaskKey::to_bytes))
                .map_err(|_| Violation::InvalidUtf8),
            Self::Binary(binary) => {
                MaskKey::append(key, piece, &mut binary.bytes);
                binary.unmasked = binary.bytes.len();
                binary.seen = binary.unmasked;
                Ok(())
            }
        }
    }

    /// What can be handed out: all but a character that is not whole yet.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_str().as_bytes(),
            Self::Binary(binary) => &binary.bytes,
        }
    }

    /// How many bytes were read in directly and are not unmasked yet.
    pub(crate) fn masked(&self) -> usize {
        match self {
            Self::Text(_) => 0,
            Self::Binary(binary) => binary.masked(),
        }
    }

    /// Whether bytes were read in directly and not looked at yet.
    pub(crate) fn has_unseen(&self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::Binary(binary) => binary.bytes.len() > binary.seen,
        }
    }

    /// All bytes that were read in directly are looked at, and will be unmasked later.
    pub(crate) fn see(&mut self) {
        if let Self::Binary(binary) = self {
            binary.seen = binary.bytes.len();
        }
    }

    /// Forgets what was handed out; a character that is not whole yet stays.
    fn clear(&mut self) {
        match self {
            Self::Text(text) => drop(text.take_text()),
            Self::Binary(binary) => *binary = BinaryAssembly::default(),
        }
    }

    /// The message has ended.
    pub(crate) fn finish(&self) -> Result<(), Violation> {
        match self {
            Self::Text(text) => text.finish().map_err(|_| Violation::InvalidUtf8),
            Self::Binary(_) => Ok(()),
        }
    }

    pub(crate) fn lend(&mut self) -> Lent<'_> {
        match self {
            Self::Text(text) => Lent::AssembledText(text),
            Self::Binary(binary) => Lent::AssembledBinary(binary),
        }
    }
}

impl BinaryAssembly {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, taken along.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(self).bytes
    }

    /// Room for up to `wanted` more bytes, to be read into directly.
    pub(crate) fn room(&mut self, wanted: usize) -> Limit<&mut Vec<u8>> {
        let held = self.bytes.len();
        if self.bytes.capacity() == held {
            let whole = held.saturating_add(wanted);
            self.bytes
                .reserve_exact(grown(held.saturating_add(1), whole) - held);
        }
        let room = (self.bytes.capacity() - held).min(wanted);
        (&mut self.bytes).limit(room)
    }

    /// How many bytes were read in directly and are not unmasked yet.
    pub(crate) fn masked(&self) -> usize {
        self.bytes.len() - self.unmasked
    }

    /// Unmasks what was read in directly and tells how much that is.
    pub(crate) fn unmask_new(&mut self, key: Option<MaskKey>) -> usize {
        let new = &mut self.bytes[self.unmasked..];
        if let Some(key) = key {
            key.apply(new);
        }
        let count = new.len();
        self.unmasked += count;
        self.seen = self.unmasked;
        count
    }
}

/// How much memory to have for `needed` bytes when there will be at most `most`: a multiple of
/// what has come, and never what a header claims alone.
fn grown(needed: usize, most: usize) -> usize {
    let growth = if needed < LARGE { FAST } else { SLOW };
    needed.saturating_mul(growth).min(most).max(needed)
}

/// As a size of memory, of which there is never more than half of the addresses.
fn at_most(count: u64) -> usize {
    const MOST: usize = isize::MAX.unsigned_abs();
    usize::try_from(count).unwrap_or(MOST).min(MOST)
}

/// A message of 1 MiB that comes 64 KiB at a time is moved once; doubling its memory would move
/// each byte once more on average.
const FAST: usize = 16;

/// What so much has come of reserves no more than as much again.
const SLOW: usize = 2;

/// Four MiB, which reserve 64 MiB: the largest message by default.
const LARGE: usize = 4 * 1024 * 1024 + 1;

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;
    const MIB: usize = 1024 * KIB;

    #[test]
    fn memory_follows_what_has_come_and_not_what_is_claimed() {
        let claimed = at_most(u64::MAX);
        assert_eq!(grown(1, claimed), 16);
        assert_eq!(grown(64 * KIB, MIB), MIB);
        assert_eq!(grown(4 * MIB, claimed), 64 * MIB);
        assert_eq!(grown(5 * MIB, claimed), 10 * MIB);
        // Never so much that asking for it panics.
        assert_eq!(grown(claimed, claimed), isize::MAX.unsigned_abs());
    }
}
