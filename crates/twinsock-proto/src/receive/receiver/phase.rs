//! What a receiver is in the middle of.

use crate::frame::mask::MaskKey;
use crate::message::MessageType;

/// What the next byte belongs to.
#[derive(Debug)]
pub(super) enum Phase {
    Header,
    Payload(PartialFrame),
    /// A message, or a part of one, can be lent.
    Ready(Ready),
}

/// A data frame whose payload is arriving.
#[derive(Clone, Copy, Debug)]
pub(super) struct PartialFrame {
    pub(super) is_final: bool,
    /// Where the key stands for the next byte.
    pub(super) mask: Option<MaskKey>,
    pub(super) remaining: u64,
}

/// A message or a part of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready {
    pub(super) place: Place,
    pub(super) then: Then,
    pub(super) lent: Lending,
}

/// Where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// The next bytes of the read memory.
    InReadMemory(Piece),
    /// All that was assembled, but for the bytes at the front that were consumed.
    Assembled { consumed: usize },
}

/// Bytes of a message in the read memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) message_type: MessageType,
    pub(super) length: usize,
    /// Present until they are unmasked: when they are lent, together with the check of a text.
    pub(super) mask: Option<MaskKey>,
}

/// What comes behind it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Then {
    MessageEnds,
    FragmentEnds,
    FrameGoesOn(PartialFrame),
}

/// Whether the application had it: only then is it gone at the next step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Lending {
    Awaited,
    Done,
}

impl Then {
    /// What comes behind the payload that was taken of a frame.
    pub(super) fn behind(frame: PartialFrame) -> Self {
        match (frame.remaining, frame.is_final) {
            (1.., _) => Self::FrameGoesOn(frame),
            (0, false) => Self::FragmentEnds,
            (0, true) => Self::MessageEnds,
        }
    }
}

impl Ready {
    pub(super) fn new(place: Place, then: Then) -> Self {
        Self {
            place,
            then,
            lent: Lending::Awaited,
        }
    }
}

impl PartialFrame {
    pub(super) fn consume(&mut self, count: usize) {
        self.mask = self.mask.map(|key| key.advanced_by(count));
        self.remaining -= count as u64;
    }
}
