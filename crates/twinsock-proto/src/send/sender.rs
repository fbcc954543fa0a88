//! Turns messages and control frames into frames.

use crate::frame::close_reason::CloseReason;
use crate::frame::control::ControlPayload;
use crate::frame::header::FrameHeader;
use crate::frame::mask::{MaskKey, MaskKeys};
use crate::frame::opcode::Opcode;
use crate::message::MessageType;
use crate::role::Role;
use crate::send::queue::{Payload, SendQueue};

/// The sending direction of a connection.
pub(crate) struct Sender {
    queue: SendQueue,
    /// Present exactly in a client (RFC 6455 §5.1).
    mask_keys: Option<Box<MaskKeys>>,
    /// The answer to a Ping for which there was no room. RFC 6455 §5.5.3 allows to answer only
    /// the newest; so a peer that pings without reading makes us hold one answer.
    pending_pong: Option<ControlPayload>,
    /// Where our Close frame ends in the stream of bytes, while it is on its way out.
    close_end: Option<u64>,
    /// Where our last unsolicited Pong ends in that stream.
    unsolicited_pong_end: u64,
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
            mask_keys,
            pending_pong: None,
            close_end: None,
            unsolicited_pong_end: 0,
            room,
        }
    }

    /// An empty queue has room whatever the limit, or nothing could ever be sent.
    pub(crate) fn has_room(&self) -> bool {
        self.queue.is_empty() || self.queue.len() < self.room
    }

    /// How many bytes wait.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
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

    pub(crate) fn send_message(&mut self, message_type: MessageType, payload: Payload<'_>) {
        let opcode = match message_type {
            MessageType::Text => Opcode::Text,
            MessageType::Binary => Opcode::Binary,
        };
        self.send_frame(opcode, payload);
    }

    pub(crate) fn send_ping(&mut self, payload: &ControlPayload) {
        self.send_control(Opcode::Ping, payload);
    }

    /// RFC 6455 §5.5.2: a Ping is answered, each one as long as there is room.
    pub(crate) fn answer_ping(&mut self, payload: ControlPayload) {
        self.pending_pong = Some(payload);
        if self.has_room() {
            self.send_pending_pong();
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
        self.send_frame(Opcode::Pong, Payload::Borrowed(&[]));
        self.unsolicited_pong_end = self.queue.taken() + self.queue.len() as u64;
    }

    /// No answer is owed any more.
    pub(crate) fn forget_ping(&mut self) {
        self.pending_pong = None;
    }

    pub(crate) fn send_close(&mut self, reason: &CloseReason) {
        let mut body = Vec::with_capacity(ControlPayload::MAX_LENGTH);
        reason.encode(&mut body);
        self.send_frame(Opcode::Close, Payload::Borrowed(&body));
        self.close_end = Some(self.queue.taken() + self.queue.len() as u64);
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
        self.close_end = None;
        self.queue.clear();
    }

    pub(crate) fn release_idle_memory(&mut self) {
        self.queue.release_idle_memory();
    }

    fn send_control(&mut self, opcode: Opcode, payload: &ControlPayload) {
        self.send_frame(opcode, Payload::Borrowed(payload.as_bytes()));
    }

    fn send_frame(&mut self, opcode: Opcode, payload: Payload<'_>) {
        let mask = self.next_mask();
        let payload_length = payload.len() as u64;
        self.queue.push(
            &FrameHeader {
                is_final: true,
                opcode,
                mask,
                payload_length,
            },
            payload,
        );
    }

    fn next_mask(&mut self) -> Option<MaskKey> {
        self.mask_keys.as_mut().map(|keys| keys.next_key())
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
