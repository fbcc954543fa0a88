//! Joins the parts of a message.

use std::fmt;

use bytes::BufMut;
use bytes::buf::Limit;

use crate::error::Violation;
use crate::frame::mask::MaskKey;
use crate::message::{Lent, MessageType};
use crate::receive::utf8::TextAssembly;

/// A message that has begun and not ended.
#[derive(Debug)]
pub(crate) struct MessageUnderWay {
    pub(crate) assembly: Assembly,
    handed_out: HandedOut,
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
    pub(crate) fn new(message_type: MessageType) -> Self {
        Self {
            assembly: Assembly::new(message_type),
            handed_out: HandedOut::Nothing,
        }
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
    Text(TextAssembly),
    Binary(BinaryAssembly),
}

/// Bytes put together from pieces.
#[derive(Default)]
pub(crate) struct BinaryAssembly {
    bytes: Vec<u8>,
    /// How many of them are unmasked; the rest was read straight into this memory.
    unmasked: usize,
}

/// The bytes are the application's secrets: their number is enough.
impl fmt::Debug for Assembly {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Assembly({} bytes)", self.len())
    }
}

impl Assembly {
    pub(crate) fn new(message_type: MessageType) -> Self {
        match message_type {
            MessageType::Text => Self::Text(TextAssembly::default()),
            MessageType::Binary => Self::Binary(BinaryAssembly::default()),
        }
    }

    /// How many bytes of the message have come.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(binary) => binary.bytes.len(),
        }
    }

    /// Makes room for a piece of this length in a message of at most `most` bytes.
    ///
    /// The memory doubles, so that each byte is moved but a few times, and yet never grows
    /// beyond `most`: a peer cannot make us hold twice the limit.
    pub(crate) fn reserve(&mut self, length: usize, most: usize) {
        let needed = self.len().saturating_add(length);
        let capacity = match self {
            Self::Text(text) => text.text_mut().capacity(),
            Self::Binary(binary) => binary.bytes.capacity(),
        };
        if needed <= capacity {
            return;
        }
        let capacity = needed.max(capacity.saturating_mul(2).min(most));
        match self {
            Self::Text(text) => {
                let text = text.text_mut();
                text.reserve_exact(capacity - text.len());
            }
            Self::Binary(binary) => binary.bytes.reserve_exact(capacity - binary.bytes.len()),
        }
    }

    /// Takes the next piece, already unmasked.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), Violation> {
        match self {
            Self::Text(text) => text.push(piece),
            Self::Binary(binary) => {
                binary.bytes.extend_from_slice(piece);
                binary.unmasked = binary.bytes.len();
                Ok(())
            }
        }
    }

    /// What can be handed out: all but a character that is not whole yet.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
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

    /// Forgets what was handed out; a character that is not whole yet stays.
    fn clear(&mut self) {
        match self {
            Self::Text(text) => *text.text_mut() = String::new(),
            Self::Binary(binary) => *binary = BinaryAssembly::default(),
        }
    }

    /// The message has ended.
    pub(crate) fn finish(&self) -> Result<(), Violation> {
        match self {
            Self::Text(text) => text.finish(),
            Self::Binary(_) => Ok(()),
        }
    }

    pub(crate) fn lend(&mut self) -> Lent<'_> {
        match self {
            Self::Text(text) => Lent::AssembledText(text.text_mut()),
            Self::Binary(binary) => Lent::AssembledBinary(&mut binary.bytes),
        }
    }
}

impl BinaryAssembly {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Room for up to `wanted` more bytes, to be read into directly.
    ///
    /// It grows by what has come, at least by `least`: a header's claim alone reserves nothing.
    pub(crate) fn room(&mut self, wanted: usize, least: usize) -> Limit<&mut Vec<u8>> {
        if self.bytes.capacity() == self.bytes.len() {
            self.bytes
                .reserve_exact(wanted.min(self.bytes.len().max(least)));
        }
        let room = (self.bytes.capacity() - self.bytes.len()).min(wanted);
        (&mut self.bytes).limit(room)
    }

    /// How many bytes were read in directly and are not unmasked yet.
    pub(crate) fn masked(&self) -> usize {
        // Whoever had the message may have taken its bytes along.
        self.bytes.len().saturating_sub(self.unmasked)
    }

    /// Unmasks what was read in directly and tells how much that is.
    pub(crate) fn unmask_new(&mut self, key: Option<MaskKey>) -> usize {
        let new = &mut self.bytes[self.unmasked..];
        if let Some(key) = key {
            key.apply(new);
        }
        let count = new.len();
        self.unmasked += count;
        count
    }
}
