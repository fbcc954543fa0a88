//! Turns messages and control frames into frames.

use bytes::Bytes;

use crate::deflate::settings::Deflate;
use crate::error::SendError;
use crate::frame::close_reason::CloseReason;
use crate::frame::coding::Coding;
use crate::frame::control::ControlPayload;
use crate::frame::count::FrameCount;
use crate::frame::header::FrameHeader;
use crate::frame::mask::{MaskKey, MaskKeys};
use crate::frame::opcode::Opcode;
use crate::message::MessageType;
use crate::role::Role;
use crate::send::deflater::Deflater;
use crate::send::outgoing::OutgoingBytes;
use crate::send::queue::{Payload, SendQueue};
use crate::send::utf8::Utf8Check;

/// Whether a frame ends its message (RFC 6455 §5.2, the FIN bit).
///
/// See [`SendError`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fragment {
    /// More frames of the same message follow.
    Nonfinal,
    /// It is the last or only one.
    Final,
}

/// A message of which parts were sent.
enum Unfinished {
    Text(Utf8Check),
    Binary,
}

/// The sending direction of a connection.
pub(crate) struct Sender {
    queue: SendQueue,
    unfinished: Option<Unfinished>,
    /// Present exactly in a client (RFC 6455 §5.1).
    mask_keys: Option<Box<MaskKeys>>,
    /// The answer to a Ping for which there was no room. RFC 6455 §5.5.3 allows to answer only
    /// the newest; so a peer that pings without reading makes us hold one answer.
    pending_pong: Option<Box<ControlPayload>>,
    /// Present if compression was agreed on.
    deflater: Option<Box<Deflater>>,
    /// Where our Close frame begins in the stream of bytes.
    close_start: u64,
    /// Where it ends, while it is on its way out.
    close_end: Option<u64>,
    /// Where our last unsolicited Pong ends in that stream.
    unsolicited_pong_end: u64,
    /// What was queued.
    count: FrameCount,
    room: usize,
}

impl Sender {
    pub(crate) fn new(role: Role, seed: [u8; 32], room: usize) -> Self {
        let mask_keys = match role {
            Role::Client => Some(Box::new(MaskKeys::from_seed(seed))),
            Role::Server => None,
        };
        Self {
            queue: SendQueue::default(),
            unfinished: None,
            mask_keys,
            pending_pong: None,
            deflater: None,
            close_start: 0,
            close_end: None,
            unsolicited_pong_end: 0,
            count: FrameCount::default(),
            room,
        }
    }

    /// Messages may be compressed.
    pub(crate) fn set_deflate(&mut self, role: Role, deflate: &Deflate) {
        self.deflater = Some(Box::new(Deflater::new(role, deflate)));
    }

    /// What is there to compress with; `None` where that was not agreed on.
    pub(crate) fn deflater(&self) -> Option<&Deflater> {
        self.deflater.as_deref()
    }

    /// The same, to be changed.
    pub(crate) fn deflater_mut(&mut self) -> Option<&mut Deflater> {
        self.deflater.as_deref_mut()
    }

    /// An empty queue has room whatever the limit, or nothing could ever be sent.
    pub(crate) fn has_room(&self) -> bool {
        self.queue.is_empty() || self.queue.len() < self.room
    }

    /// How many bytes wait.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// How many bytes the network took.
    pub(crate) fn bytes_taken(&self) -> u64 {
        self.queue.taken()
    }

    /// How many frames and messages were queued.
    pub(crate) fn count(&self) -> FrameCount {
        self.count
    }

    /// The queue, with the pending Pong in it if there is room.
    pub(crate) fn transmit(&mut self) -> &mut SendQueue {
        if self.has_room() {
            self.send_pending_pong();
        }
        self.queue.prepare();
        &mut self.queue
    }

    /// Whether anything is to be sent, an answer to a Ping included.
    pub(crate) fn has_output(&self) -> bool {
        !self.queue.is_empty() || self.pending_pong.is_some()
    }

    pub(crate) fn send_message(
        &mut self,
        message_type: MessageType,
        payload: Payload<'_>,
    ) -> Result<(), SendError> {
        if self.unfinished.is_some() {
            return Err(SendError::MessageUnfinished);
        }
        self.send_data(first_opcode(message_type), Fragment::Final, payload);
        self.count.messages += 1;
        Ok(())
    }

    /// Whether parts of a message were sent, but not its last.
    pub(crate) fn is_mid_message(&self) -> bool {
        self.unfinished.is_some()
    }

    /// Sends the next part of a message; the type of the first one counts.
    pub(crate) fn send_fragment(
        &mut self,
        message_type: MessageType,
        fragment: Fragment,
        payload: Bytes,
    ) -> Result<(), SendError> {
        let opcode = match self.unfinished {
            Some(_) => Opcode::Continuation,
            None => first_opcode(message_type),
        };
        let mut check = match (&self.unfinished, message_type) {
            (Some(Unfinished::Text(check)), _) => Some(check.clone()),
            (None, MessageType::Text) => Some(Utf8Check::default()),
            (Some(Unfinished::Binary), _) | (None, MessageType::Binary) => None,
        };
        if let Some(check) = &mut check {
            check.check(&payload).map_err(|_| SendError::InvalidUtf8)?;
        }
        if let (Some(check), Fragment::Final) = (&check, fragment) {
            check.finish().map_err(|_| SendError::InvalidUtf8)?;
        }
        self.unfinished = match (fragment, check) {
            (Fragment::Final, _) => None,
            (Fragment::Nonfinal, Some(check)) => Some(Unfinished::Text(check)),
            (Fragment::Nonfinal, None) => Some(Unfinished::Binary),
        };
        self.send_data(opcode, fragment, Payload::Owned(payload));
        if fragment == Fragment::Final {
            self.count.messages += 1;
        }
        Ok(())
    }

    /// Bytes for one frame, to be masked as they come.
    pub(crate) fn begin_bytes(&mut self) -> OutgoingBytes {
        let mask = match self.deflater {
            // They are masked when they are compressed.
            Some(_) => None,
            None => self.next_mask(),
        };
        OutgoingBytes::new(mask)
    }

    /// Sends them as the next part of a binary message.
    pub(crate) fn send_bytes(
        &mut self,
        fragment: Fragment,
        bytes: OutgoingBytes,
    ) -> Result<(), SendError> {
        let is_ours = self.deflater.is_none() && bytes.is_masked() == self.mask_keys.is_some();
        let opcode = match &self.unfinished {
            Some(Unfinished::Binary) if is_ours => Opcode::Continuation,
            None if is_ours => Opcode::Binary,
            // Begun for the other role, amid a text, or to be compressed: nothing is saved then.
            _ => return self.send_fragment(MessageType::Binary, fragment, bytes.into_unmasked()),
        };
        let (payload, mask) = bytes.into_parts();
        self.unfinished = match fragment {
            Fragment::Final => None,
            Fragment::Nonfinal => Some(Unfinished::Binary),
        };
        if fragment == Fragment::Final {
            self.count.messages += 1;
        }
        let kind = (opcode, fragment, Coding::Plain);
        let header = self.next_header(kind, mask, payload.len());
        self.queue.push_masked(&header, payload);
        Ok(())
    }

    pub(crate) fn send_ping(&mut self, payload: &ControlPayload) {
        self.send_control(Opcode::Ping, payload);
    }

    /// RFC 6455 §5.5.2: a Ping is answered, each one as long as there is room.
    pub(crate) fn answer_ping(&mut self, payload: ControlPayload) {
        if self.has_room() {
            self.pending_pong = None;
            self.send_control(Opcode::Pong, &payload);
        } else {
            self.pending_pong = Some(Box::new(payload));
        }
    }

    /// Queues the pending Pong, whatever room there is.
    pub(crate) fn send_pending_pong(&mut self) {
        if let Some(payload) = self.pending_pong.take() {
            self.send_control(Opcode::Pong, &payload);
        }
    }

    /// Queues a Pong that answers nothing (RFC 6455 §5.5.3). While the last one waits another
    /// would tell the peer nothing more, so at most one is held.
    pub(crate) fn send_unsolicited_pong(&mut self) {
        if self.queue.taken() < self.unsolicited_pong_end {
            return;
        }
        self.send_frame(Opcode::Pong, Fragment::Final, Payload::Borrowed(&[]));
        self.unsolicited_pong_end = self.queue.taken() + self.queue.len() as u64;
    }

    /// No answer is owed any more.
    pub(crate) fn forget_ping(&mut self) {
        self.pending_pong = None;
    }

    pub(crate) fn send_close(&mut self, reason: &CloseReason) {
        let mut body = Vec::with_capacity(ControlPayload::MAX_LENGTH);
        reason.encode(&mut body);
        self.close_start = self.queue.taken() + self.queue.len() as u64;
        self.send_frame(Opcode::Close, Fragment::Final, Payload::Borrowed(&body));
        self.close_end = Some(self.queue.taken() + self.queue.len() as u64);
        self.end_messages();
    }

    /// Whether anything waits that is to be sent before our Close frame.
    pub(crate) fn owes_bytes_before_close(&self) -> bool {
        self.queue.taken() < self.close_start
    }

    /// Whether our Close frame waits to be sent, or a part of it.
    pub(crate) fn owes_close(&self) -> bool {
        self.close_end.is_some_and(|end| self.queue.taken() < end)
    }

    /// Whether the bytes just taken brought our Close frame nearer to the peer.
    pub(crate) fn advanced_close(&mut self) -> bool {
        let was_owed = self.close_end.is_some();
        if !self.owes_close() {
            self.close_end = None;
        }
        was_owed
    }

    pub(crate) fn discard(&mut self) {
        self.pending_pong = None;
        self.close_start = 0;
        self.close_end = None;
        self.queue.clear();
        self.end_messages();
    }

    /// RFC 6455 §5.5.1: there are no more of them.
    fn end_messages(&mut self) {
        if let Some(deflater) = &mut self.deflater {
            deflater.end();
        }
    }

    pub(crate) fn release_idle_memory(&mut self) {
        self.queue.release_idle_memory();
    }

    fn send_control(&mut self, opcode: Opcode, payload: &ControlPayload) {
        self.send_frame(
            opcode,
            Fragment::Final,
            Payload::Borrowed(payload.as_bytes()),
        );
    }

    #[inline]
    fn send_frame(&mut self, opcode: Opcode, fragment: Fragment, payload: Payload<'_>) {
        self.send_coded(opcode, fragment, Coding::Plain, payload);
    }

    // The one place from which frames are pushed, so that all of that is inlined here.
    fn send_coded(
        &mut self,
        opcode: Opcode,
        fragment: Fragment,
        coding: Coding,
        payload: Payload<'_>,
    ) {
        let mask = self.next_mask();
        let header = self.next_header((opcode, fragment, coding), mask, payload.len());
        self.queue.push(&header, payload);
    }

    /// Sends a frame of a message, compressed if it is to be.
    #[inline]
    fn send_data(&mut self, opcode: Opcode, fragment: Fragment, payload: Payload<'_>) {
        match self.deflater {
            None => self.send_frame(opcode, fragment, payload),
            Some(_) => self.send_deflated(opcode, fragment, payload),
        }
    }

    /// Apart, so that what is usual stays short.
    #[inline(never)]
    fn send_deflated(&mut self, opcode: Opcode, fragment: Fragment, payload: Payload<'_>) {
        let Some(mut deflater) = self.deflater.take() else {
            return;
        };
        // RFC 7692 §6: only the first frame of a message tells that it is compressed.
        let coding = match opcode {
            Opcode::Continuation => Coding::Plain,
            _ => Coding::Deflate,
        };
        let sent = deflater.compress(payload.as_bytes(), fragment, |compressed| {
            let compressed = match compressed.len() {
                0..=MOST_COPIED => Payload::Borrowed(compressed),
                _ => Payload::Owned(std::mem::take(compressed).into()),
            };
            self.send_coded(opcode, fragment, coding, compressed);
        });
        self.deflater = Some(deflater);
        if sent == Coding::Plain {
            self.send_frame(opcode, fragment, payload);
        }
    }

    /// The header of the frame that is queued next.
    #[inline]
    fn next_header(
        &mut self,
        (opcode, fragment, coding): (Opcode, Fragment, Coding),
        mask: Option<MaskKey>,
        payload_length: usize,
    ) -> FrameHeader {
        self.count.frames += 1;
        FrameHeader {
            is_final: fragment == Fragment::Final,
            coding,
            opcode,
            mask,
            payload_length: payload_length as u64,
        }
    }

    fn next_mask(&mut self) -> Option<MaskKey> {
        self.mask_keys.as_mut().map(|keys| keys.next_key())
    }
}

/// Larger compressed payloads are sent from where they are.
const MOST_COPIED: usize = 64 * 1024;

fn first_opcode(message_type: MessageType) -> Opcode {
    match message_type {
        MessageType::Text => Opcode::Text,
        MessageType::Binary => Opcode::Binary,
    }
}

impl std::fmt::Debug for Sender {
    /// The keys stay secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Sender")
            .field("queued", &self.queue.len())
            .field("pending_pong", &self.pending_pong)
            .finish_non_exhaustive()
    }
}
