//! From bytes to frames, and from these to messages and parts of them.

use crate::error::{Failure, LimitExceeded, Violation};
use crate::frame::coding::Coding;
use crate::frame::header::FrameHeader;
use crate::frame::opcode::Opcode;
use crate::limits::{ReceiveMode, TextPolicy};
use crate::message::MessageType;
use crate::receive::assembly::{Assembly, MessageUnderWay};
use crate::receive::memory::ReadMemory;
use crate::receive::receiver::phase::{PartialFrame, Phase, Piece, Place, Ready, Then};
use crate::receive::receiver::{Receiver, Step};
use crate::receive::single_frame::SingleFrame;

impl Receiver {
    /// Goes on to the message at the front of the read memory if it is a single frame, all there,
    /// and within the limits; `false`: anything else, which the long way sees to.
    #[inline]
    pub(super) fn read_single_frame(&mut self) -> bool {
        let between_messages = matches!(self.phase, Phase::Header) && self.under_way.is_none();
        if !between_messages {
            return false;
        }
        let Some(single) = SingleFrame::decode(self.memory.unread(), self.sender) else {
            return false;
        };
        let is_refused = single.length as u64 > self.max_message_size
            || single.message_type == MessageType::Text && self.text == TextPolicy::Refuse;
        if is_refused {
            return false;
        }
        self.memory.advance(single.header_length);
        self.begin_message_at_front(Piece {
            message_type: single.message_type,
            length: single.length,
            mask: single.mask,
        });
        true
    }

    #[inline]
    fn begin_message_at_front(&mut self, piece: Piece) {
        self.count.frames += 1;
        self.count.messages += 1;
        let place = Place::InReadMemory(piece);
        self.phase = Phase::Ready(Ready::new(place, Then::MessageEnds));
    }

    /// Reads the next frame's header, and its payload if it is all there.
    ///
    /// `None`: the payload is to be read.
    pub(super) fn read_frame(&mut self) -> Result<Option<Step>, Failure> {
        let decoded = FrameHeader::decode(self.memory.unread(), self.sender, self.agreed())?;
        let Some((header, header_length)) = decoded else {
            return Ok(Some(Step::NeedsBytes));
        };
        let starts = match header.opcode {
            Opcode::Close | Opcode::Ping | Opcode::Pong => {
                let length = header_length as u64 + header.payload_length;
                let is_whole = self.memory.len() as u64 >= length;
                return Ok(Some(match is_whole {
                    true => Step::ControlFrame,
                    false => Step::NeedsBytes,
                }));
            }
            Opcode::Continuation => None,
            Opcode::Text => Some(MessageType::Text),
            Opcode::Binary => Some(MessageType::Binary),
        };
        self.check_data_frame(&header, starts)?;
        self.memory.advance(header_length);
        Ok(self.begin_payload(&header, starts))
    }

    pub(super) fn check_data_frame(
        &self,
        header: &FrameHeader,
        starts: Option<MessageType>,
    ) -> Result<(), Failure> {
        // RFC 6455 §5.4: fragments of different messages are never interleaved.
        match (&self.under_way, starts) {
            (None, None) => return Err(Violation::UnexpectedContinuation.into()),
            (Some(_), Some(_)) => {
                return Err(Violation::MessageInterrupted(header.opcode).into());
            }
            (None, Some(_)) | (Some(_), None) => {}
        }
        if starts == Some(MessageType::Text) && self.text == TextPolicy::Refuse {
            return Err(Violation::TextRefused.into());
        }
        if self.delivers_parts() {
            // Nothing is collected, so nothing can become too large.
            return Ok(());
        }
        let (coding, so_far, frames) = match &self.under_way {
            Some(message) => (message.coding(), message.size_on_wire(), message.frames()),
            None => (header.coding, 0, 0),
        };
        let size = so_far.saturating_add(header.payload_length);
        let limit = self.max_message_size;
        let most = match coding {
            Coding::Plain => limit,
            Coding::Deflate => most_compressed(limit, frames + 1),
        };
        if size > most {
            return Err(Failure::LimitExceeded(LimitExceeded::MessageSize {
                limit,
                size,
            }));
        }
        Ok(())
    }

    /// Lends the message where it stands if it is one frame, all read; else starts to collect.
    fn begin_payload(&mut self, header: &FrameHeader, starts: Option<MessageType>) -> Option<Step> {
        if let (Some(message_type), true) = (starts, header.is_final)
            && header.coding == Coding::Plain
            && let Some(length) = self.memory.whole(header.payload_length)
        {
            self.begin_message_at_front(Piece {
                message_type,
                length,
                mask: header.mask,
            });
            return Some(Step::MessageReady);
        }
        self.begin_partial_frame(header, starts);
        None
    }

    /// What comes next is the frame's payload, piece by piece.
    pub(super) fn begin_partial_frame(
        &mut self,
        header: &FrameHeader,
        starts: Option<MessageType>,
    ) {
        if let Some(message_type) = starts {
            let message = MessageUnderWay::new(message_type, header.coding);
            self.under_way = Some(Box::new(message));
        }
        if let Some(message) = &mut self.under_way {
            message.begin_frame(header.payload_length);
        }
        self.phase = Phase::Payload(PartialFrame {
            is_final: header.is_final,
            mask: header.mask,
            remaining: header.payload_length,
        });
    }

    /// Whether what was read straight into its final place can be unmasked together with what
    /// follows: the processor then need not wait for the copy that it just made.
    fn may_unmask_later(&self) -> bool {
        let Phase::Payload(frame) = &self.phase else {
            return false;
        };
        let masked = self.masked();
        (1..UNMASKED_AT_ONCE).contains(&masked)
            && masked < frame.remaining
            && self.memory.is_empty()
            && !self.delivers_parts()
    }

    /// Takes what came of the frame's payload.
    ///
    /// `None`: look again, at a part that is ready or at the next frame.
    pub(super) fn read_payload(&mut self) -> Result<Option<Step>, Failure> {
        if self.is_inflating() {
            return self.read_compressed_payload();
        }
        if self.may_unmask_later()
            && let Some(message) = &mut self.under_way
        {
            message.assembly.see();
            return Ok(Some(Step::NeedsBytes));
        }
        // All of them are unmasked here.
        self.read_directly += self.masked();
        let (&Phase::Payload(frame), Some(message)) = (&self.phase, &mut self.under_way) else {
            return Ok(None);
        };
        let mut frame = frame;
        let delivers_parts = self.mode == ReceiveMode::PartialMessage || message.is_handed_out();
        let place = match &mut message.assembly {
            Assembly::Binary(binary) if delivers_parts && binary.is_empty() => {
                Place::InReadMemory(piece_in_place(&mut frame, &self.memory))
            }
            assembly => {
                let most = match delivers_parts {
                    // Each part is handed out, and may be kept: it needs no room for the next one.
                    true => 0,
                    false => self.max_message_size,
                };
                collect(assembly, &mut frame, &mut self.memory, most)?;
                Place::Assembled { consumed: 0 }
            }
        };
        let then = Then::behind(frame);
        self.count.frames += u64::from(!matches!(then, Then::FrameGoesOn(_)));
        self.count.messages += u64::from(matches!(then, Then::MessageEnds));
        let length = match place {
            Place::InReadMemory(piece) => piece.length,
            Place::Assembled { .. } => message.assembly.as_bytes().len(),
        };
        self.phase = match then {
            Then::MessageEnds => {
                message.assembly.finish()?;
                Phase::Ready(Ready::new(place, then))
            }
            _ if delivers_parts && length > 0 => Phase::Ready(Ready::new(place, then)),
            Then::FragmentEnds => Phase::Header,
            Then::FrameGoesOn(frame) => Phase::Payload(frame),
        };
        let needs_bytes = matches!(self.phase, Phase::Payload(_));
        Ok(needs_bytes.then_some(Step::NeedsBytes))
    }
}

/// How many compressed bytes a message of at most `limit` bytes may have in so many frames: what
/// cannot be compressed becomes larger, by an eighth with fixed codes, and each frame may end with
/// a flush; but empty blocks without end are none.
fn most_compressed(limit: u64, frames: u64) -> u64 {
    let flushes = frames.saturating_mul(FLUSH_SIZE);
    limit
        .saturating_add(limit / 4)
        .saturating_add(1024)
        .saturating_add(flushes)
}

/// What came of a frame, where it stands.
fn piece_in_place(frame: &mut PartialFrame, memory: &ReadMemory) -> Piece {
    let length = memory.some(frame.remaining);
    let mask = frame.mask;
    frame.consume(length);
    Piece {
        message_type: MessageType::Binary,
        length,
        mask,
    }
}

/// Moves what came of a frame into its message's memory.
fn collect(
    assembly: &mut Assembly,
    frame: &mut PartialFrame,
    memory: &mut ReadMemory,
    most: u64,
) -> Result<(), Violation> {
    if let Assembly::Binary(binary) = assembly {
        let count = binary.unmask_new(frame.mask);
        frame.consume(count);
    }
    let remaining = usize::try_from(frame.remaining).unwrap_or(usize::MAX);
    let piece = memory.front(remaining);
    let count = piece.len();
    assembly.reserve(count, frame.remaining, most);
    assembly.push(piece, frame.mask)?;
    frame.consume(count);
    memory.advance(count);
    Ok(())
}

/// What a flush adds at most, in bytes: the block before it is begun and ended anew, and an empty
/// one follows.
const FLUSH_SIZE: u64 = 16;

/// Payload read straight into its final place is unmasked when so much of it has come, in bytes:
/// a piece that stays in the second-level cache.
const UNMASKED_AT_ONCE: u64 = 256 * 1024;
