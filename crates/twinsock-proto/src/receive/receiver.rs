//! Cuts the bytes that were read into frames and lends whole messages.

use std::fmt;
use std::ops::Range;

use bytes::BufMut;
use bytes::buf::Limit;

use crate::error::{Failure, LimitExceeded, Violation};
use crate::frame::close_reason::CloseReason;
use crate::frame::control::ControlPayload;
use crate::frame::header::FrameHeader;
use crate::frame::mask::MaskKey;
use crate::frame::opcode::Opcode;
use crate::message::{Lent, MessageRef, MessageType};
use crate::receive::assembly::Assembly;
use crate::role::Role;

/// The receiving direction of a connection.
///
/// ```text
///             ┌──────── control frame ─────────┐
///             ▼                                │
///   Header ─ data frame, all of it read ───────┼──▶ Ready ─ advance ─▶ Header
///      │  ▲                                    │      ▲
///      │  └── fragment ends, more to come ──┐  │      │
///      └── data frame, part of it read ─▶ Payload ────┘ last fragment ends
/// ```
#[derive(Debug)]
pub(crate) struct Receiver {
    /// Who sends what is received here.
    sender: Role,
    max_message_size: u64,
    memory: ReadMemory,
    phase: Phase,
    /// The message whose parts have come so far.
    assembly: Option<Assembly>,
}

/// What the next byte belongs to.
#[derive(Debug)]
enum Phase {
    Header,
    Payload(PartialFrame),
    /// A message is whole; it is lent until the receiver advances.
    Ready(Place),
}

/// A data frame whose payload is arriving.
#[derive(Clone, Copy, Debug)]
struct PartialFrame {
    is_final: bool,
    /// Where the key stands for the next byte.
    mask: Option<MaskKey>,
    remaining: u64,
}

/// Where a whole message stands.
#[derive(Clone, Debug)]
enum Place {
    InReadMemory(MessageType, Range<usize>),
    Assembled,
}

/// What advancing came to.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// All bytes are used up; more must be read.
    NeedsBytes,
    /// [`Receiver::message`] lends a whole message.
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
            memory: ReadMemory::default(),
            phase: Phase::Header,
            assembly: None,
        }
    }

    /// Memory to read into: the rest of a large frame's final place, or the read memory.
    ///
    /// A message lent before is gone.
    pub(crate) fn receive_memory(&mut self) -> Limit<&mut Vec<u8>> {
        self.release_message();
        if let (Phase::Payload(frame), Some(Assembly::Binary(binary)), true) =
            (&self.phase, &mut self.assembly, self.memory.is_empty())
        {
            let missing = frame.remaining - binary.masked() as u64;
            let wanted = usize::try_from(missing).unwrap_or(usize::MAX);
            if wanted >= DIRECT_READ_SIZE {
                let memory = binary.grow(wanted, READ_SIZE);
                let room = (memory.capacity() - memory.len()).min(wanted);
                return memory.limit(room);
            }
        }
        self.memory.room()
    }

    /// Whether there is no memory for reading.
    pub(crate) fn needs_memory(&self) -> bool {
        self.memory.bytes.capacity() <= MOST_IDLE
    }

    /// Memory to use for reading when there is none yet; a message lent before is gone.
    pub(crate) fn lend_memory(&mut self, memory: Vec<u8>) {
        self.release_message();
        self.memory.replace(memory);
    }

    /// Gives the read memory back when hardly anything is in it.
    pub(crate) fn take_idle_memory(&mut self) -> Option<Vec<u8>> {
        match self.phase {
            Phase::Ready(_) => None,
            Phase::Header | Phase::Payload(_) => self.memory.take_idle(),
        }
    }

    /// Whether bytes have come that make no whole message yet.
    pub(crate) fn is_mid_message(&self) -> bool {
        self.assembly.is_some() || !self.memory.is_empty()
    }

    /// Whether bytes were read that have not been looked at.
    pub(crate) fn has_unread_bytes(&self) -> bool {
        match &self.phase {
            Phase::Ready(Place::InReadMemory(_, range)) => self.memory.bytes.len() > range.end,
            Phase::Ready(Place::Assembled) | Phase::Header => !self.memory.is_empty(),
            Phase::Payload(_) => {
                let was_read_directly =
                    matches!(&self.assembly, Some(Assembly::Binary(binary)) if binary.masked() > 0);
                was_read_directly || !self.memory.is_empty()
            }
        }
    }

    /// Forgets all that was read.
    pub(crate) fn discard(&mut self) {
        self.memory.start = 0;
        self.memory.bytes.clear();
        self.assembly = None;
        self.phase = Phase::Header;
    }

    /// Goes on to the next message or control frame; a message lent before is gone.
    pub(crate) fn advance(&mut self) -> Result<Step, Failure> {
        loop {
            let step = match &self.phase {
                Phase::Ready(_) => {
                    self.release_message();
                    None
                }
                Phase::Header => self.read_frame()?,
                Phase::Payload(_) => self.read_payload()?,
            };
            if let Some(step) = step {
                return Ok(step);
            }
        }
    }

    /// The message that is ready.
    ///
    /// A text that came in a single piece is checked here, so that it is looked at once.
    pub(crate) fn message(&mut self) -> Result<Option<MessageRef<'_>>, Violation> {
        let Phase::Ready(place) = &self.phase else {
            return Ok(None);
        };
        Ok(match place {
            Place::InReadMemory(MessageType::Binary, range) => {
                Some(Lent::Binary(&self.memory.bytes[range.clone()]))
            }
            Place::InReadMemory(MessageType::Text, range) => {
                let text = simdutf8::basic::from_utf8(&self.memory.bytes[range.clone()])
                    .map_err(|_| Violation::InvalidUtf8)?;
                Some(Lent::Text(text))
            }
            Place::Assembled => self.assembly.as_mut().map(Assembly::lend),
        }
        .map(MessageRef))
    }

    /// Goes on behind the message that is ready, if there is one.
    fn release_message(&mut self) {
        let Phase::Ready(place) = &self.phase else {
            return;
        };
        match place {
            Place::InReadMemory(_, range) => self.memory.start = range.end,
            Place::Assembled => self.assembly = None,
        }
        self.phase = Phase::Header;
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
        self.memory.start += header_length;
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
        self.memory.start += header_length + length;
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
        match (&self.assembly, starts) {
            (None, None) => return Err(Violation::UnexpectedContinuation.into()),
            (Some(_), Some(_)) => {
                return Err(Violation::MessageInterrupted(header.opcode).into());
            }
            (None, Some(_)) | (Some(_), None) => {}
        }
        let so_far = self.assembly.as_ref().map_or(0, Assembly::len) as u64;
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
            && let Some(range) = self.memory.unmask_whole(payload_length, mask)
        {
            self.phase = Phase::Ready(Place::InReadMemory(message_type, range));
            return Some(Step::MessageReady);
        }
        if let Some(message_type) = starts {
            self.assembly = Some(Assembly::new(message_type));
        }
        self.phase = Phase::Payload(PartialFrame {
            is_final,
            mask,
            remaining: payload_length,
        });
        None
    }

    /// Moves what came of the frame's payload into the assembly.
    ///
    /// `None`: the frame has ended, but not its message.
    fn read_payload(&mut self) -> Result<Option<Step>, Violation> {
        let (Phase::Payload(frame), Some(assembly)) = (&mut self.phase, &mut self.assembly) else {
            return Ok(None);
        };
        if let Assembly::Binary(binary) = assembly {
            let count = binary.unmask_new(frame.mask);
            frame.consume(count);
        }
        let unread = self.memory.unread_mut();
        let count = unread
            .len()
            .min(usize::try_from(frame.remaining).unwrap_or(usize::MAX));
        let piece = &mut unread[..count];
        if let Some(key) = frame.mask {
            key.apply(piece);
        }
        let most = usize::try_from(self.max_message_size).unwrap_or(usize::MAX);
        assembly.reserve(count, most);
        assembly.push(piece)?;
        frame.consume(count);
        self.memory.start += count;
        if frame.remaining > 0 {
            return Ok(Some(Step::NeedsBytes));
        }
        if !frame.is_final {
            self.phase = Phase::Header;
            return Ok(None);
        }
        assembly.finish()?;
        self.phase = Phase::Ready(Place::Assembled);
        Ok(Some(Step::MessageReady))
    }
}

impl PartialFrame {
    fn consume(&mut self, count: usize) {
        self.mask = self.mask.map(|key| key.advanced_by(count));
        self.remaining -= count as u64;
    }
}

/// The memory that bytes are read into, and how much of it is used up.
#[derive(Default)]
struct ReadMemory {
    bytes: Vec<u8>,
    start: usize,
}

/// The bytes are the application's secrets: their number is enough.
impl fmt::Debug for ReadMemory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ReadMemory({} unread)", self.unread().len())
    }
}

impl ReadMemory {
    fn unread(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    fn unread_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..]
    }

    fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    /// Unmasks the next `length` bytes and tells where they are; `None` when some are missing.
    fn unmask_whole(&mut self, length: u64, mask: Option<MaskKey>) -> Option<Range<usize>> {
        let end = self.start.checked_add(usize::try_from(length).ok()?)?;
        let payload = self.bytes.get_mut(self.start..end)?;
        if let Some(key) = mask {
            key.apply(payload);
        }
        Some(self.start..end)
    }

    /// Room for the next read, with what is unread moved to the front.
    fn room(&mut self) -> Limit<&mut Vec<u8>> {
        self.compact();
        if self.bytes.capacity() - self.bytes.len() < LEAST_ROOM {
            self.bytes.reserve_exact(READ_SIZE);
        }
        let room = self.bytes.capacity() - self.bytes.len();
        (&mut self.bytes).limit(room)
    }

    fn compact(&mut self) {
        self.bytes.drain(..self.start);
        self.start = 0;
    }

    fn replace(&mut self, mut memory: Vec<u8>) {
        if memory.capacity() > self.bytes.capacity() {
            memory.clear();
            memory.extend_from_slice(self.unread());
            self.bytes = memory;
            self.start = 0;
        }
    }

    fn take_idle(&mut self) -> Option<Vec<u8>> {
        let unread = self.unread();
        if unread.len() > MOST_IDLE || self.bytes.capacity() <= MOST_IDLE {
            return None;
        }
        let kept = unread.to_vec();
        self.start = 0;
        Some(std::mem::replace(&mut self.bytes, kept))
    }
}

/// How much is read at once, in bytes.
pub(crate) const READ_SIZE: usize = 64 * 1024;

/// A frame of which at least this much is missing is read straight into its final place.
const DIRECT_READ_SIZE: usize = 16 * 1024;

/// With less room than this the read memory is enlarged.
const LEAST_ROOM: usize = 4 * 1024;

/// The most bytes that an idle connection keeps in memory of their own: a cut control frame.
const MOST_IDLE: usize = 256;
