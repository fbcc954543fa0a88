//! Cuts the bytes that were read into frames and lends messages, whole or in parts.

use bytes::buf::Limit;

use crate::error::{Failure, LimitExceeded, Violation};
use crate::frame::close_reason::CloseReason;
use crate::frame::control::ControlPayload;
use crate::frame::count::FrameCount;
use crate::frame::header::FrameHeader;
use crate::frame::mask::MaskKey;
use crate::frame::opcode::Opcode;
use crate::limits::{ReceiveMode, TextPolicy};
use crate::message::{Completeness, Lent, MessageRef, MessageType};
use crate::receive::assembly::{Assembly, MessageUnderWay};
use crate::receive::memory::{READ_SIZE, ReadMemory};
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
    under_way: Option<MessageUnderWay>,
    /// How many bytes were read straight into their message's memory and unmasked there.
    read_directly: u64,
    count: FrameCount,
}

/// What the next byte belongs to.
#[derive(Debug)]
enum Phase {
    Header,
    Payload(PartialFrame),
    /// A message, or a part of one, can be lent.
    Ready(Ready),
}

/// A data frame whose payload is arriving.
#[derive(Clone, Copy, Debug)]
struct PartialFrame {
    is_final: bool,
    /// Where the key stands for the next byte.
    mask: Option<MaskKey>,
    remaining: u64,
}

/// A message or a part of one.
#[derive(Clone, Copy, Debug)]
struct Ready {
    place: Place,
    then: Then,
    lent: Lending,
}

/// Where it stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// The next bytes of the read memory, so many.
    InReadMemory(MessageType, usize),
    /// All that was assembled, but for the bytes at the front that were consumed.
    Assembled { consumed: usize },
}

/// What comes behind it.
#[derive(Clone, Copy, Debug)]
enum Then {
    MessageEnds,
    FragmentEnds,
    FrameGoesOn(PartialFrame),
}

/// Whether the application had it: only then is it gone at the next step.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lending {
    Awaited,
    Done,
}

/// What advancing came to.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// All bytes are used up; more must be read.
    NeedsBytes,
    /// [`Receiver::message`] lends a message or a part of one.
    MessageReady,
    Ping(ControlPayload),
    Pong(ControlPayload),
    Close(CloseReason),
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
            read_directly: 0,
            count: FrameCount::default(),
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
            && let (Assembly::Binary(binary), true) =
                (&mut message.assembly, self.memory.is_empty())
        {
            let missing = frame.remaining - binary.masked() as u64;
            let wanted = usize::try_from(missing).unwrap_or(usize::MAX);
            if wanted >= DIRECT_READ_SIZE {
                return binary.room(wanted, READ_SIZE);
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

    /// How many bytes were read straight into their message's memory and not looked at yet.
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
        match &self.phase {
            Phase::Ready(ready) if ready.lent == Lending::Awaited => true,
            Phase::Ready(Ready {
                place: Place::InReadMemory(_, length),
                ..
            }) => self.memory.len() > *length,
            Phase::Ready(_) | Phase::Header => !self.memory.is_empty(),
            Phase::Payload(_) => self.masked() > 0 || !self.memory.is_empty(),
        }
    }

    /// Forgets all that was read.
    pub(crate) fn discard(&mut self) {
        self.memory.clear();
        self.read_directly += self.masked();
        self.under_way = None;
        self.phase = Phase::Header;
    }

    /// Goes on to the next message, part or control frame; a message lent before is gone.
    pub(crate) fn advance(&mut self) -> Result<Step, Failure> {
        self.release_lent();
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
    pub(crate) fn message(&mut self) -> Result<Option<MessageRef<'_>>, Violation> {
        let Phase::Ready(ready) = &mut self.phase else {
            return Ok(None);
        };
        ready.lent = Lending::Done;
        let completeness = match ready.then {
            Then::MessageEnds => Completeness::Complete,
            Then::FragmentEnds | Then::FrameGoesOn(_) => Completeness::Partial,
        };
        let lent = match ready.place {
            Place::InReadMemory(MessageType::Binary, length) => {
                Some(Lent::Binary(self.memory.front(length)))
            }
            Place::InReadMemory(MessageType::Text, length) => {
                let text = simdutf8::basic::from_utf8(self.memory.front(length))
                    .map_err(|_| Violation::InvalidUtf8)?;
                Some(Lent::Text(text))
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
        let Phase::Ready(ready) = &self.phase else {
            return Ok(&[]);
        };
        Ok(match ready.place {
            Place::InReadMemory(MessageType::Binary, length) => self.memory.front(length),
            Place::InReadMemory(MessageType::Text, length) => {
                let bytes = self.memory.front(length);
                simdutf8::basic::from_utf8(bytes).map_err(|_| Violation::InvalidUtf8)?;
                if let Phase::Ready(ready) = &mut self.phase {
                    // Checked: what is left after consuming some need not begin a character.
                    ready.place = Place::InReadMemory(MessageType::Binary, length);
                }
                bytes
            }
            Place::Assembled { consumed } => self
                .under_way
                .as_ref()
                .and_then(|message| message.assembly.as_bytes().get(consumed..))
                .unwrap_or_default(),
        })
    }

    /// Takes the first `count` of [`bytes`](Self::bytes) off; with the last one the part is gone.
    pub(crate) fn consume(&mut self, count: usize) {
        let Phase::Ready(ready) = &mut self.phase else {
            return;
        };
        let rest = match &mut ready.place {
            Place::InReadMemory(_, length) => {
                let count = count.min(*length);
                *length -= count;
                self.memory.advance(count);
                *length
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
    fn release(&mut self) {
        let Phase::Ready(ready) = self.phase else {
            return;
        };
        if let Place::InReadMemory(_, length) = ready.place {
            self.memory.advance(length);
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

    /// Reads the next frame's header, and its payload if it is all there.
    ///
    /// `None`: the payload is to be read.
    fn read_frame(&mut self) -> Result<Option<Step>, Failure> {
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
    fn read_payload(&mut self) -> Result<Option<Step>, Failure> {
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

impl Ready {
    fn new(place: Place, then: Then) -> Self {
        Self {
            place,
            then,
            lent: Lending::Awaited,
        }
    }
}

impl PartialFrame {
    fn consume(&mut self, count: usize) {
        self.mask = self.mask.map(|key| key.advanced_by(count));
        self.remaining -= count as u64;
    }
}

/// A frame of which at least this much is missing is read straight into its final place.
const DIRECT_READ_SIZE: usize = 16 * 1024;
