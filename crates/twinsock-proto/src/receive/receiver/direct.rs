//! Payload that is read straight into the memory of whoever reads a stream.
//!
//! Each byte is touched once there, to be unmasked or to close the gap that a header left; through
//! the read memory it would be moved once more.

use crate::frame::coding::Coding;
use crate::frame::header::FrameHeader;
use crate::frame::mask::MaskKey;
use crate::frame::opcode::Opcode;
use crate::limits::ReceiveMode;
use crate::message::MessageType;
use crate::receive::assembly::Assembly;
use crate::receive::receiver::Receiver;
use crate::receive::receiver::phase::Phase;

impl Receiver {
    /// Whether nothing that was read before comes before what is read next, and that is not text.
    pub(crate) fn may_read_directly(&self) -> bool {
        let takes_bytes = self.under_way.as_ref().is_none_or(
            |message| matches!(&message.assembly, Assembly::Binary(binary) if binary.is_empty() && !message.is_compressed()),
        );
        self.mode == ReceiveMode::PartialMessage
            && matches!(self.phase, Phase::Header | Phase::Payload(_))
            && self.memory.is_empty()
            && takes_bytes
            && !self.is_skipping()
    }

    /// `bytes` were read when it [might be](Self::may_read_directly): moves what is payload to the
    /// front, unmasked, and tells how much that is. What is not so simple goes to the read memory.
    pub(crate) fn take_directly(&mut self, bytes: &mut [u8]) -> usize {
        let (mut kept, mut next) = (0, 0);
        loop {
            let count = self.take_payload(&mut bytes[kept..], next - kept);
            kept += count;
            next += count;
            let header_length = match self.phase {
                Phase::Header => self.begin_directly(&bytes[next..]),
                Phase::Payload(_) | Phase::Ready(_) => None,
            };
            match header_length {
                Some(length) => next += length,
                None => break,
            }
        }
        self.read_directly += next as u64;
        self.memory.put(&bytes[next..]);
        kept
    }

    /// Moves what there is of the frame's payload, which stands behind a gap, to the front.
    fn take_payload(&mut self, bytes: &mut [u8], gap: usize) -> usize {
        let Phase::Payload(frame) = &mut self.phase else {
            return 0;
        };
        let there = bytes.len() - gap;
        let count = there.min(usize::try_from(frame.remaining).unwrap_or(there));
        move_unmasked(&mut bytes[..gap + count], gap, frame.mask);
        frame.consume(count);
        let frame = *frame;
        if let Some(message) = self.under_way.as_mut().filter(|_| count > 0) {
            message.hand_out();
        }
        if frame.remaining > 0 {
            return count;
        }
        self.phase = Phase::Header;
        self.count.frames += 1;
        if frame.is_final {
            self.count.messages += 1;
            self.under_way = None;
        }
        count
    }

    /// Begins the data frame whose header comes next; `None` for anything else, also for an error.
    fn begin_directly(&mut self, bytes: &[u8]) -> Option<usize> {
        let decoded = FrameHeader::decode(bytes, self.sender, self.agreed());
        let (header, header_length) = decoded.ok()??;
        if header.coding == Coding::Deflate {
            return None;
        }
        let starts = match header.opcode {
            Opcode::Binary => Some(MessageType::Binary),
            Opcode::Continuation => None,
            Opcode::Text | Opcode::Close | Opcode::Ping | Opcode::Pong => return None,
        };
        self.check_data_frame(&header, starts).ok()?;
        self.begin_partial_frame(&header, starts);
        Some(header_length)
    }
}

/// Moves what stands behind the gap to the front, and unmasks it there.
fn move_unmasked(bytes: &mut [u8], gap: usize, mask: Option<MaskKey>) {
    let count = bytes.len() - gap;
    let Some(key) = mask else {
        return bytes.copy_within(gap.., 0);
    };
    // In pieces that stay in the first-level cache between the copy and the XOR.
    for start in (0..count).step_by(MOVED_AT_ONCE) {
        let end = count.min(start + MOVED_AT_ONCE);
        if gap > 0 {
            bytes.copy_within(gap + start..gap + end, start);
        }
        key.apply(&mut bytes[start..end]);
    }
}

/// A multiple of four, so that each piece begins where the key does.
const MOVED_AT_ONCE: usize = 8 * 1024;
