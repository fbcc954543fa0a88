//! Messages that are taken along at once.

use twinsock_simd::TextBuffer;

use crate::error::Violation;
use crate::frame::mask::MaskKey;
use crate::message::{Message, MessageType};
use crate::receive::receiver::Receiver;
use crate::receive::receiver::phase::{Lending, Phase, Piece, Place};

impl Receiver {
    /// The message or part that is ready, owned: copied, unmasked and checked in one pass.
    #[inline]
    pub(crate) fn take_message(&mut self) -> Result<Option<Message>, Violation> {
        let Phase::Ready(ready) = &mut self.phase else {
            return Ok(None);
        };
        ready.lent = Lending::Done;
        match ready.place {
            Place::InReadMemory(piece) => self.copy_front(piece).map(Some),
            Place::Assembled { .. } => self
                .message()
                .map(|message| message.map(crate::MessageRef::into_owned)),
        }
    }

    #[inline]
    fn copy_front(&self, piece: Piece) -> Result<Message, Violation> {
        let bytes = self.memory.front(piece.length);
        if piece.message_type == MessageType::Binary {
            let mut copy = Vec::with_capacity(bytes.len());
            MaskKey::append(piece.mask, bytes, &mut copy);
            return Ok(Message::from(copy));
        }
        let mut text = TextBuffer::default();
        text.reserve_exact(bytes.len());
        text.append(bytes, piece.mask.map(MaskKey::to_bytes))
            .and_then(|()| text.finish())
            .map_err(|_| Violation::InvalidUtf8)?;
        Ok(Message::from(text.take_text()))
    }
}
