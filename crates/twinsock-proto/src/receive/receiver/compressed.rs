//! Messages that are compressed (RFC 7692).

use crate::deflate::count::DeflateCount;
use crate::deflate::decompressor::{Decompressor, InvalidDeflate};
use crate::deflate::pool::{give_back_inflated, take_inflated};
use crate::error::{Failure, LimitExceeded, Violation};
use crate::message::MessageType;
use crate::receive::assembly::Assembly;
use crate::receive::memory::ReadMemory;
use crate::receive::receiver::phase::{PartialFrame, Phase, Place, Ready, Then};
use crate::receive::receiver::{Receiver, Step};

/// How much of a message there may be.
#[derive(Clone, Copy)]
struct Bounds {
    /// When there is so much, it is handed out before more is inflated.
    part: usize,
    /// More than this fails the connection.
    message: u64,
}

/// Why inflating stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// All that came is inflated.
    InputUsedUp,
    /// A part is full, and there may be more without further input.
    PartFull,
}

/// A message on its way from the read memory to its own.
struct Inflating<'a> {
    decompressor: &'a mut Decompressor,
    assembly: &'a mut Assembly,
    count: &'a mut DeflateCount,
    bounds: Bounds,
}

impl Receiver {
    /// Whether the message under way is compressed.
    #[inline]
    pub(super) fn is_inflating(&self) -> bool {
        self.under_way
            .as_ref()
            .is_some_and(|message| message.is_compressed())
    }

    /// Inflates what came of the frame's payload.
    ///
    /// `None`: look again, at a part that is ready or at the next frame.
    #[inline(never)]
    pub(super) fn read_compressed_payload(&mut self) -> Result<Option<Step>, Failure> {
        let delivers_parts = self.delivers_parts();
        let (&Phase::Payload(mut frame), Some(message), Some(decompressor)) =
            (&self.phase, &mut self.under_way, &mut self.decompressor)
        else {
            return Ok(None);
        };
        let bounds = match delivers_parts {
            true => Bounds {
                part: PART_SIZE,
                message: u64::MAX,
            },
            false => Bounds {
                part: usize::MAX,
                message: self.max_message_size,
            },
        };
        let stop = Inflating {
            decompressor,
            assembly: &mut message.assembly,
            count: &mut self.deflate_count,
            bounds,
        }
        .inflate_payload(&mut self.memory, &mut frame)?;
        let then = match stop {
            // Also with nothing left of the frame: more comes out without it.
            Stop::PartFull => Then::FrameGoesOn(frame),
            Stop::InputUsedUp => Then::behind(frame),
        };
        if let Then::MessageEnds = then {
            decompressor.finish()?;
            message.assembly.finish()?;
        }
        self.count.frames += u64::from(!matches!(then, Then::FrameGoesOn(_)));
        self.count.messages += u64::from(matches!(then, Then::MessageEnds));
        let place = Place::Assembled { consumed: 0 };
        let has_part = delivers_parts && !message.assembly.as_bytes().is_empty();
        self.phase = match then {
            Then::MessageEnds => Phase::Ready(Ready::new(place, then)),
            _ if has_part => Phase::Ready(Ready::new(place, then)),
            Then::FragmentEnds => Phase::Header,
            Then::FrameGoesOn(frame) => Phase::Payload(frame),
        };
        let needs_bytes = stop == Stop::InputUsedUp && matches!(self.phase, Phase::Payload(_));
        Ok(needs_bytes.then_some(Step::NeedsBytes))
    }

    /// Gives zlib's memory back that is held between messages.
    pub(crate) fn release_deflate(&mut self) {
        if let Some(decompressor) = &mut self.decompressor {
            decompressor.release();
        }
    }

    /// What comes is passed over from now on, and not inflated any more.
    pub(crate) fn stop_inflating(&mut self) {
        if let Some(decompressor) = &mut self.decompressor {
            decompressor.pass_over();
        }
        if let Some(message) = &mut self.under_way
            && message.is_compressed()
        {
            message.assembly = Assembly::new(MessageType::Binary);
        }
    }
}

impl Inflating<'_> {
    fn inflate_payload(
        &mut self,
        memory: &mut ReadMemory,
        frame: &mut PartialFrame,
    ) -> Result<Stop, Failure> {
        let mut output = take_inflated();
        let stop = self.inflate_by(&mut output[..], memory, frame);
        give_back_inflated(output);
        stop
    }

    fn inflate_by(
        &mut self,
        output: &mut [u8],
        memory: &mut ReadMemory,
        frame: &mut PartialFrame,
    ) -> Result<Stop, Failure> {
        loop {
            let room = self.room().min(output.len());
            if room == 0 {
                return Ok(Stop::PartFull);
            }
            let input = memory.some(frame.remaining).min(INPUT_SIZE);
            let step = memory.with_unmasked_front(input, frame.mask, |input| {
                self.decompressor.inflate(input, &mut output[..room])
            })?;
            if step.consumed < input && step.produced < room {
                // zlib never stops so; if it did, it would do so for ever.
                return Err(InvalidDeflate.into());
            }
            self.count.add(step.consumed, step.produced);
            frame.consume(step.consumed);
            memory.advance(step.consumed);
            if self.decompressor.barren() > MOST_BARREN {
                return Err(LimitExceeded::EmptyBlocks { limit: MOST_BARREN }.into());
            }
            let input_left = memory.some(frame.remaining);
            self.take(&output[..step.produced], input_left)?;
            if step.produced < room && input_left == 0 {
                return Ok(Stop::InputUsedUp);
            }
        }
    }

    /// How much may come out before it is looked at again: never more than a byte too much.
    fn room(&self) -> usize {
        let held = self.assembly.len();
        let in_message = self.bounds.message.saturating_sub(held as u64);
        let in_message = usize::try_from(in_message).unwrap_or(usize::MAX);
        let in_part = self.bounds.part.saturating_sub(held);
        in_part.min(in_message.saturating_add(1))
    }

    fn take(&mut self, piece: &[u8], input_left: usize) -> Result<(), Failure> {
        let held = self.assembly.len() as u64;
        let size = held.saturating_add(piece.len() as u64);
        let limit = self.bounds.message;
        if size > limit {
            return Err(LimitExceeded::MessageSize { limit, size }.into());
        }
        let most = limit.min(self.bounds.part as u64);
        // Memory for what has come, and what the rest of it usually becomes.
        let expected = piece.len().saturating_add(input_left.saturating_mul(4));
        self.assembly.reserve(piece.len(), expected as u64, most);
        Ok(self.assembly.push(piece, None)?)
    }
}

impl From<InvalidDeflate> for Failure {
    fn from(InvalidDeflate: InvalidDeflate) -> Self {
        Violation::InvalidDeflate.into()
    }
}

/// How much of a message is inflated before it is handed out, where parts are.
const PART_SIZE: usize = 64 * 1024;

/// How much of a message may come with nothing in it: also where the size of its content has no
/// limit, a message without end or content is none.
const MOST_BARREN: u64 = 64 * 1024;

/// How much is unmasked at once: little, since what is not used up is masked again.
const INPUT_SIZE: usize = 8 * 1024;
