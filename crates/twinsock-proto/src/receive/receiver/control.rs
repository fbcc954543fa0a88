//! Control frames.

use crate::error::Violation;
use crate::frame::close_reason::CloseReason;
use crate::frame::control::ControlPayload;
use crate::frame::header::FrameHeader;
use crate::frame::opcode::Opcode;
use crate::receive::receiver::Receiver;

/// A control frame (RFC 6455 §5.5).
#[derive(Debug, PartialEq)]
pub(crate) enum ControlFrame {
    Ping(ControlPayload),
    Pong(ControlPayload),
    Close(CloseReason),
}

impl Receiver {
    /// Takes the control frame that [`advance`](Self::advance) came upon; `None` when there is
    /// none.
    pub(crate) fn take_control_frame(&mut self) -> Result<Option<ControlFrame>, Violation> {
        let agreed = self.agreed();
        let frame = self.memory.unread_mut();
        let Some((header, header_length)) = FrameHeader::decode(frame, self.sender, agreed)? else {
            return Ok(None);
        };
        let length = usize::try_from(header.payload_length).unwrap_or(usize::MAX);
        let end = header_length.saturating_add(length);
        let Some(payload) = frame.get_mut(header_length..end) else {
            return Ok(None);
        };
        if let Some(key) = header.mask {
            key.apply(payload);
        }
        let payload =
            ControlPayload::new(payload).ok_or(Violation::ControlFrameTooLong(header.opcode))?;
        self.memory.advance(end);
        self.count.frames += 1;
        Ok(match header.opcode {
            Opcode::Ping => Some(ControlFrame::Ping(payload)),
            Opcode::Pong => Some(ControlFrame::Pong(payload)),
            Opcode::Close => Some(ControlFrame::Close(CloseReason::decode(
                payload.as_bytes(),
            )?)),
            Opcode::Continuation | Opcode::Text | Opcode::Binary => None,
        })
    }
}
