//! Cuts the bytes that were read into frames and lends messages, whole or in parts.
//!
//! Here is what is lent and for how long; [`frames`] does the cutting, [`control`] is for control
//! frames, [`compressed`] for compressed messages, [`taking`] for messages that are kept, [`direct`] for a stream's bytes that are read
//! into memory of the reader's own, and [`phase`] is what the receiver is in the middle of.

mod compressed;
mod control;
mod direct;
mod frames;
mod phase;
mod taking;

use bytes::BufMut;
use bytes::buf::Limit;

use crate::deflate::count::DeflateCount;
use crate::deflate::decompressor::Decompressor;
use crate::deflate::parameters::DeflateDirection;
use crate::error::{Failure, Violation};
use crate::frame::coding::Coding;
use crate::frame::count::FrameCount;
use crate::limits::{ReceiveMode, TextPolicy};
use crate::message::{Completeness, Lent, MessageRef, MessageType};
use crate::receive::assembly::{Assembly, MessageUnderWay};
use crate::receive::memory::ReadMemory;
pub(crate) use crate::receive::receiver::control::ControlFrame;
use crate::receive::receiver::phase::{Lending, PartialFrame, Phase, Place, Ready, Then};
use crate::role::Role;

/// The receiving direction of a connection.
///
/// ```text
///             ┌──────── control frame ─────────┐
///             ▼                                │
///   Header ─ data frame, all of it read ───────┼──▶ Ready ─ advance ─▶ Header or Payload
///      │  ▲                                    │      ▲
///      │  └── fragment ends, more to come ──┐  │      │
///      └── data frame, part of it read ─▶ Payload ────┘ last fragment ends, or a part came
/// ```
#[derive(Debug)]
pub(crate) struct Receiver {
    /// Who sends what is received here.
    sender: Role,
    max_message_size: u64,
    text: TextPolicy,
    mode: ReceiveMode,
    memory: ReadMemory,
    phase: Phase,
    /// The message that goes on behind the frame or part at hand.
    under_way: Option<Box<MessageUnderWay>>,
    /// Present if compression was agreed on.
    decompressor: Option<Box<Decompressor>>,
    /// How many bytes were read elsewhere than into the read memory and are done with: in their
    /// message's memory, or in that of a stream's reader.
    read_directly: u64,
    count: FrameCount,
    deflate_count: DeflateCount,
}

/// What advancing came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    /// All bytes are used up; more must be read.
    NeedsBytes,
    /// [`Receiver::message`] lends a message or a part of one.
    MessageReady,
    /// [`Receiver::take_control_frame`] gives it.
    ControlFrame,
}

impl Receiver {
    pub(crate) fn new(sender: Role, max_message_size: Option<u64>) -> Self {
        Self {
            sender,
            max_message_size: max_message_size.unwrap_or(u64::MAX),
            text: TextPolicy::Accept,
            mode: ReceiveMode::FullMessage,
            memory: ReadMemory::default(),
            phase: Phase::Header,
            under_way: None,
            decompressor: None,
            read_directly: 0,
            count: FrameCount::default(),
            deflate_count: DeflateCount::default(),
        }
    }

    /// Messages may come compressed.
    pub(crate) fn set_deflate(&mut self, direction: DeflateDirection) {
        self.decompressor = Some(Box::new(Decompressor::new(direction)));
    }

    /// What compressed messages are inflated with; `None` where that was not agreed on.
    pub(crate) fn decompressor(&self) -> Option<&Decompressor> {
        self.decompressor.as_deref()
    }

    /// What frames may say about their payload.
    fn agreed(&self) -> Coding {
        match self.decompressor {
            Some(_) => Coding::Deflate,
            None => Coding::Plain,
        }
    }

    pub(crate) fn set_text_policy(&mut self, text: TextPolicy) {
        self.text = text;
    }

    pub(crate) fn mode(&self) -> ReceiveMode {
        self.mode
    }

    pub(crate) fn set_mode(&mut self, mode: ReceiveMode) {
        self.mode = mode;
    }

    /// Memory to read into: the rest of a large frame's final place, or the read memory.
    ///
    /// A message lent before is gone.
    pub(crate) fn receive_memory(&mut self) -> Limit<&mut Vec<u8>> {
        self.release_lent();
        let collects = !self.delivers_parts();
        if let (Phase::Payload(frame), Some(message), true) =
            (&self.phase, &mut self.under_way, collects)
            && !message.is_compressed()
            && let (Assembly::Binary(binary), true) =
                (&mut message.assembly, self.memory.is_empty())
        {
            let missing = frame.remaining - binary.masked() as u64;
            let wanted = usize::try_from(missing).unwrap_or(usize::MAX);
            if wanted >= DIRECT_READ_SIZE && binary.len() >= LEAST_FOR_DIRECT_READS {
                return binary.room(wanted);
            }
        }
        self.memory.room()
    }

    /// How many bytes were read.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.memory.read() + self.read_directly + self.masked()
    }

    /// How many frames and messages have come.
    pub(crate) fn count(&self) -> FrameCount {
        self.count
    }

    /// What was inflated so far.
    pub(crate) fn deflate_count(&self) -> DeflateCount {
        self.deflate_count
    }

    /// How many bytes were read straight into their message's memory and not unmasked yet.
    fn masked(&self) -> u64 {
        let message = self.under_way.as_ref();
        message.map_or(0, |message| message.assembly.masked() as u64)
    }

    /// Whether there is no memory for reading.
    pub(crate) fn needs_memory(&self) -> bool {
        self.memory.is_needed()
    }

    /// Memory to use for reading when there is none yet; a message lent before is gone.
    pub(crate) fn lend_memory(&mut self, memory: Vec<u8>) {
        self.release_lent();
        self.memory.replace(memory);
    }

    /// Gives the read memory back when hardly anything is in it.
    pub(crate) fn take_idle_memory(&mut self) -> Option<Vec<u8>> {
        match self.phase {
            Phase::Ready(_) => None,
            Phase::Header | Phase::Payload(_) => self.memory.take_idle(),
        }
    }

    /// Whether the peer owes the rest of something that it has begun: of a frame, and where whole
    /// messages are wanted, of a message.
    pub(crate) fn is_kept_waiting(&self) -> bool {
        let awaits_message = self.under_way.is_some() && !self.delivers_parts();
        awaits_message || matches!(self.phase, Phase::Payload(_)) || !self.memory.is_empty()
    }

    /// Whether bytes were read that have not been looked at.
    pub(crate) fn has_unread_bytes(&self) -> bool {
        let is_awaited =
            matches!(&self.phase, Phase::Ready(ready) if ready.lent == Lending::Awaited);
        is_awaited || self.has_bytes_behind()
    }

    /// The same without the message or part that is ready.
    pub(crate) fn has_bytes_behind(&self) -> bool {
        match &self.phase {
            Phase::Ready(Ready {
                place: Place::InReadMemory(piece),
                ..
            }) => self.memory.len() > piece.length,
            // More of a compressed message comes out of what was read.
            Phase::Ready(Ready {
                then: Then::FrameGoesOn(PartialFrame { remaining: 0, .. }),
                ..
            })
            | Phase::Payload(PartialFrame { remaining: 0, .. }) => true,
            Phase::Ready(_) | Phase::Header => !self.memory.is_empty(),
            Phase::Payload(_) => {
                let message = self.under_way.as_ref();
                let has_unseen = message.is_some_and(|message| message.assembly.has_unseen());
                has_unseen || !self.memory.is_empty()
            }
        }
    }

    /// Forgets all that was read.
    pub(crate) fn discard(&mut self) {
        self.memory.clear();
        self.read_directly += self.masked();
        self.under_way = None;
        self.stop_inflating();
        self.phase = Phase::Header;
    }

    /// Goes on to the next message, part or control frame; a message lent before is gone.
    pub(crate) fn advance(&mut self) -> Result<Step, Failure> {
        self.release_lent();
        if self.read_single_frame() {
            return Ok(Step::MessageReady);
        }
        self.advance_by_frames()
    }

    /// Goes on to the next message if it is a single frame; a message lent before is gone.
    #[inline]
    pub(crate) fn advance_to_single_frame(&mut self) -> bool {
        self.release_lent();
        matches!(self.phase, Phase::Ready(_)) || self.read_single_frame()
    }

    /// What counts and is asked in place of this receiver while it is away.
    pub(crate) fn stand_in(&self) -> Self {
        Self {
            sender: self.sender,
            max_message_size: self.max_message_size,
            text: self.text,
            mode: self.mode,
            memory: ReadMemory::behind(self.memory.read()),
            phase: Phase::Header,
            under_way: None,
            decompressor: None,
            read_directly: self.read_directly,
            count: self.count,
            deflate_count: self.deflate_count,
        }
    }

    /// Takes over from its stand-in.
    pub(crate) fn take_over(&mut self, stand_in: &Self) {
        self.mode = stand_in.mode;
        self.memory.append(&stand_in.memory);
    }

    /// Counts what another counted.
    pub(crate) fn count_as(&mut self, other: &Self) {
        self.count = other.count;
        self.deflate_count = other.deflate_count;
    }

    /// The long way, for all there is; apart, so that the short one stays short.
    #[inline(never)]
    fn advance_by_frames(&mut self) -> Result<Step, Failure> {
        loop {
            let step = match &self.phase {
                Phase::Ready(_) if self.is_skipping() => {
                    self.release();
                    None
                }
                Phase::Ready(_) => Some(Step::MessageReady),
                Phase::Header => self.read_frame()?,
                Phase::Payload(_) => self.read_payload()?,
            };
            if let Some(step) = step {
                return Ok(step);
            }
        }
    }

    /// The message or part that is ready.
    ///
    /// A text that came in a single piece is checked here, so that it is looked at once.
    #[inline]
    pub(crate) fn message(&mut self) -> Result<Option<MessageRef<'_>>, Violation> {
        let Phase::Ready(ready) = &mut self.phase else {
            return Ok(None);
        };
        ready.lent = Lending::Done;
        let completeness = match ready.then {
            Then::MessageEnds => Completeness::Complete,
            Then::FragmentEnds | Then::FrameGoesOn(_) => Completeness::Partial,
        };
        let lent = match &mut ready.place {
            Place::InReadMemory(piece) => {
                let mask = piece.mask.take();
                Some(match piece.message_type {
                    MessageType::Binary => {
                        Lent::Binary(self.memory.unmasked_front(piece.length, mask))
                    }
                    MessageType::Text => Lent::Text(self.memory.text_at_front(piece.length, mask)?),
                })
            }
            Place::Assembled { .. } => self
                .under_way
                .as_mut()
                .map(|message| message.assembly.lend()),
        };
        Ok(lent.map(|lent| MessageRef { lent, completeness }))
    }

    /// The bytes of the message or part that is ready, but for those already consumed.
    ///
    /// They stay until they are consumed.
    pub(crate) fn bytes(&mut self) -> Result<&[u8], Violation> {
        let Phase::Ready(ready) = &mut self.phase else {
            return Ok(&[]);
        };
        Ok(match &mut ready.place {
            Place::InReadMemory(piece) => {
                let mask = piece.mask.take();
                // What is left of a text after consuming some need not begin a character.
                match std::mem::replace(&mut piece.message_type, MessageType::Binary) {
                    MessageType::Binary => self.memory.unmasked_front(piece.length, mask),
                    MessageType::Text => self.memory.text_at_front(piece.length, mask)?.as_bytes(),
                }
            }
            Place::Assembled { consumed } => self
                .under_way
                .as_ref()
                .and_then(|message| message.assembly.as_bytes().get(*consumed..))
                .unwrap_or_default(),
        })
    }

    /// Moves as many of [`bytes`](Self::bytes) as fit to `room`, and tells how many.
    pub(crate) fn move_bytes(&mut self, room: &mut impl BufMut) -> Result<usize, Violation> {
        if let Phase::Ready(Ready {
            place: Place::InReadMemory(piece),
            ..
        }) = &mut self.phase
            && piece.message_type == MessageType::Binary
        {
            let count = piece.length.min(room.remaining_mut());
            self.memory.move_to(room, count, piece.mask);
            piece.length -= count;
            piece.mask = piece.mask.map(|key| key.advanced_by(count));
            if piece.length == 0 {
                self.release();
            }
            return Ok(count);
        }
        let bytes = self.bytes()?;
        let count = bytes.len().min(room.remaining_mut());
        room.put_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }

    /// Takes the first `count` of [`bytes`](Self::bytes) off; with the last one the part is gone.
    pub(crate) fn consume(&mut self, count: usize) {
        let Phase::Ready(ready) = &mut self.phase else {
            return;
        };
        let rest = match &mut ready.place {
            Place::InReadMemory(piece) => {
                let count = count.min(piece.length);
                piece.length -= count;
                self.memory.advance(count);
                piece.length
            }
            Place::Assembled { consumed } => {
                *consumed = consumed.saturating_add(count);
                let length = self
                    .under_way
                    .as_ref()
                    .map_or(0, |message| message.assembly.as_bytes().len());
                length.saturating_sub(*consumed)
            }
        };
        if rest == 0 {
            self.release();
        }
    }

    /// Passes over the message or part that is ready.
    pub(crate) fn skip(&mut self) {
        self.release();
    }

    /// Passes over the rest of a message of which parts were handed out.
    pub(crate) fn skip_message(&mut self) {
        self.release_lent();
        if let Some(message) = &mut self.under_way {
            message.pass_over();
        }
    }

    /// Whether what has come of a message is handed out before the rest is here.
    fn delivers_parts(&self) -> bool {
        self.mode == ReceiveMode::PartialMessage || self.is_skipping()
    }

    /// Whether a message of which parts were handed out is in the way of the next whole one.
    fn is_skipping(&self) -> bool {
        self.under_way.as_ref().is_some_and(|message| {
            message.is_passed_over()
                || message.is_handed_out() && self.mode == ReceiveMode::FullMessage
        })
    }

    #[inline]
    fn release_lent(&mut self) {
        if let Phase::Ready(Ready {
            lent: Lending::Done,
            ..
        }) = self.phase
        {
            self.release();
        }
    }

    /// Goes on behind the message or part that is ready.
    #[inline]
    fn release(&mut self) {
        let Phase::Ready(ready) = self.phase else {
            return;
        };
        if let Place::InReadMemory(piece) = ready.place {
            self.memory.advance(piece.length);
        }
        self.phase = match ready.then {
            Then::FrameGoesOn(frame) => Phase::Payload(frame),
            Then::FragmentEnds | Then::MessageEnds => Phase::Header,
        };
        match ready.then {
            Then::MessageEnds => self.under_way = None,
            Then::FragmentEnds | Then::FrameGoesOn(_) => {
                if let Some(message) = &mut self.under_way {
                    message.hand_out();
                }
            }
        }
    }
}

/// A frame of which at least this much is missing is read straight into its final place.
const DIRECT_READ_SIZE: usize = 16 * 1024;

/// With less of its message there it is not: memory grows with what came, and would be small.
const LEAST_FOR_DIRECT_READS: usize = 4 * 1024;
