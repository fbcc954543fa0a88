//! From bytes to frames, and from these to messages and parts of them.

use crate::error::{Failure, LimitExceeded, Violation};
use crate::frame::close_reason::CloseReason;
use crate::frame::control::ControlPayload;
use crate::frame::header::FrameHeader;
use crate::frame::opcode::Opcode;
use crate::limits::{ReceiveMode, TextPolicy};
use crate::message::MessageType;
use crate::receive::assembly::{Assembly, MessageUnderWay};
use crate::receive::memory::ReadMemory;
use crate::receive::receiver::phase::{Lending, PartialFrame, Phase, Place, Ready, Then};
use crate::receive::receiver::{Receiver, Step};

impl Receiver {
    /// Reads the next frame's header, and its payload if it is all there.
    ///
    /// `None`: the payload is to be read.
    pub(super) fn read_frame(&mut self) -> Result<Option<Step>, Failure> {
        let decoded = FrameHeader::decode(self.memory.unread(), self.sender)?;
        let Some((header, header_length)) = decoded else {
            return Ok(Some(Step::NeedsBytes));
        };
        let starts = match header.opcode {
            Opcode::Close | Opcode::Ping | Opcode::Pong => {
                return Ok(Some(self.read_control(header, header_length)?));
            }
            Opcode::Continuation => None,
            Opcode::Text => Some(MessageType::Text),
            Opcode::Binary => Some(MessageType::Binary),
        };
        self.check_data_frame(&header, starts)?;
        self.memory.advance(header_length);
        Ok(self.begin_payload(&header, starts))
    }

    fn read_control(
        &mut self,
        header: FrameHeader,
        header_length: usize,
    ) -> Result<Step, Violation> {
        let frame = self.memory.unread_mut();
        let length = usize::try_from(header.payload_length).unwrap_or(usize::MAX);
        let Some(payload) = frame.get_mut(header_length..header_length.saturating_add(length))
        else {
            return Ok(Step::NeedsBytes);
        };
        if let Some(key) = header.mask {
            key.apply(payload);
        }
        let control =
            ControlPayload::new(payload).ok_or(Violation::ControlFrameTooLong(header.opcode))?;
        self.memory.advance(header_length + length);
        self.count.frames += 1;
        Ok(match header.opcode {
            Opcode::Ping => Step::Ping(control),
            Opcode::Pong => Step::Pong(control),
            _ => Step::Close(CloseReason::decode(control.as_bytes())?),
        })
    }

    fn check_data_frame(
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
        let so_far = self
            .under_way
            .as_ref()
            .map_or(0, |message| message.assembly.len()) as u64;
        let size = so_far.saturating_add(header.payload_length);
        if size > self.max_message_size {
            let limit = self.max_message_size;
            return Err(Failure::LimitExceeded(LimitExceeded::MessageSize {
                limit,
                size,
            }));
        }
        Ok(())
    }

    /// Lends the message where it stands if it is one frame, all read; else starts to collect.
    fn begin_payload(&mut self, header: &FrameHeader, starts: Option<MessageType>) -> Option<Step> {
        let FrameHeader {
            is_final,
            mask,
            payload_length,
            ..
        } = *header;
        if let (Some(message_type), true) = (starts, is_final)
            && let Some(length) = self.memory.unmask_whole(payload_length, mask)
        {
            self.count.frames += 1;
            self.count.messages += 1;
            self.phase = Phase::Ready(Ready {
                place: Place::InReadMemory(message_type, length),
                then: Then::MessageEnds,
                lent: Lending::Awaited,
            });
            return Some(Step::MessageReady);
        }
        if let Some(message_type) = starts {
            self.under_way = Some(MessageUnderWay::new(message_type));
        }
        self.phase = Phase::Payload(PartialFrame {
            is_final,
            mask,
            remaining: payload_length,
        });
        None
    }

    /// Takes what came of the frame's payload.
    ///
    /// `None`: look again, at a part that is ready or at the next frame.
    pub(super) fn read_payload(&mut self) -> Result<Option<Step>, Failure> {
        // All of them are unmasked here.
        self.read_directly += self.masked();
        let (&Phase::Payload(frame), Some(message)) = (&self.phase, &mut self.under_way) else {
            return Ok(None);
        };
        let mut frame = frame;
        let delivers_parts = self.mode == ReceiveMode::PartialMessage || message.is_handed_out();
        let place = match &mut message.assembly {
            Assembly::Binary(binary) if delivers_parts && binary.is_empty() => {
                let count = self.memory.unmask_some(frame.remaining, frame.mask);
                frame.consume(count);
                Place::InReadMemory(MessageType::Binary, count)
            }
            assembly => {
                let most = usize::try_from(self.max_message_size).unwrap_or(usize::MAX);
                collect(assembly, &mut frame, &mut self.memory, most)?;
                Place::Assembled { consumed: 0 }
            }
        };
        let then = match (frame.remaining, frame.is_final) {
            (1.., _) => Then::FrameGoesOn(frame),
            (0, false) => Then::FragmentEnds,
            (0, true) => Then::MessageEnds,
        };
        match then {
            Then::FrameGoesOn(_) => {}
            Then::FragmentEnds => self.count.frames += 1,
            Then::MessageEnds => {
                self.count.frames += 1;
                self.count.messages += 1;
            }
        }
        let length = match place {
            Place::InReadMemory(_, length) => length,
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

/// Moves what came of a frame into its message's memory.
fn collect(
    assembly: &mut Assembly,
    frame: &mut PartialFrame,
    memory: &mut ReadMemory,
    most: usize,
) -> Result<(), Violation> {
    if let Assembly::Binary(binary) = assembly {
        let count = binary.unmask_new(frame.mask);
        frame.consume(count);
    }
    let count = memory.unmask_some(frame.remaining, frame.mask);
    assembly.reserve(count, most);
    assembly.push(memory.front(count))?;
    frame.consume(count);
    memory.advance(count);
    Ok(())
}
