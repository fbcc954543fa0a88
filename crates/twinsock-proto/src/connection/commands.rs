//! What the application tells a connection to do.

use std::time::Instant;

use bytes::Bytes;

use crate::connection::Connection;
use crate::error::{AbortCause, NotOpen, SendError};
use crate::frame::close_reason::CloseReason;
use crate::frame::control::ControlPayload;
use crate::message::{Message, MessageRef, MessageType};
use crate::send::outgoing::OutgoingBytes;
use crate::send::queue::Payload;
use crate::send::sender::Fragment;

impl Connection {
    /// Queues a message, whatever room there is; see [`has_room`](Self::has_room).
    ///
    /// # Errors
    /// When the connection is closing or closed (RFC 6455 §5.5.1), or a message is being sent in
    /// parts.
    pub fn send(&mut self, message: Message) -> Result<(), SendError> {
        let message_type = message.message_type();
        self.send_payload(message_type, Payload::Owned(message.into_bytes()))
    }

    /// Queues a text message, copied.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_text(&mut self, text: &str) -> Result<(), SendError> {
        self.send_payload(MessageType::Text, Payload::Borrowed(text.as_bytes()))
    }

    /// Queues a binary message, copied.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_binary(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        self.send_payload(MessageType::Binary, Payload::Borrowed(bytes))
    }

    /// Queues a copy of a message that is lent.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_ref(&mut self, message: &MessageRef<'_>) -> Result<(), SendError> {
        let payload = Payload::Borrowed(message.as_bytes());
        self.send_payload(message.message_type(), payload)
    }

    /// Queues a frame that is a part of a message (RFC 6455 §5.4). The first part's type is that
    /// of the message; a text may be cut anywhere.
    ///
    /// # Errors
    /// When the connection is closing or closed, or the parts of a text are no UTF-8.
    pub fn send_fragment(
        &mut self,
        message_type: MessageType,
        fragment: Fragment,
        payload: Bytes,
    ) -> Result<(), SendError> {
        self.state.require_open()?;
        self.state
            .sender
            .send_fragment(message_type, fragment, payload)
    }

    /// Begins to gather bytes for [`send_bytes`](Self::send_bytes).
    #[must_use]
    pub fn begin_bytes(&mut self) -> OutgoingBytes {
        self.state.sender.begin_bytes()
    }

    /// Queues gathered bytes as a frame that is a part of a binary message, as
    /// [`send_fragment`](Self::send_fragment) does with bytes that are not masked yet.
    ///
    /// # Errors
    /// When the connection is closing or closed, or a text is being sent in parts that these
    /// bytes break.
    pub fn send_bytes(
        &mut self,
        fragment: Fragment,
        bytes: OutgoingBytes,
    ) -> Result<(), SendError> {
        self.state.require_open()?;
        self.state.sender.send_bytes(fragment, bytes)
    }

    /// Whether a message is being sent in parts and not at its end.
    #[must_use]
    pub fn is_mid_message(&self) -> bool {
        self.state.sender.is_mid_message()
    }

    /// Queues a Ping; its Pong gives the [`round_trip_time`](Self::round_trip_time).
    ///
    /// # Errors
    /// When the connection is closing or closed.
    pub fn ping(&mut self, now: Instant, payload: ControlPayload) -> Result<(), NotOpen> {
        self.state.ping(now, payload)
    }

    /// Queues a Pong that nobody asked for (RFC 6455 §5.5.3), unless the last such Pong still
    /// waits.
    ///
    /// # Errors
    /// When the connection is closing or closed.
    pub fn send_unsolicited_pong(&mut self) -> Result<(), NotOpen> {
        self.state.require_open()?;
        self.state.sender.send_unsolicited_pong();
        Ok(())
    }

    /// Begins the closing handshake (RFC 6455 §7.1.2); messages that come meanwhile are still
    /// events. The peer's Close is awaited for at most [`Timing::close`](crate::Timing::close).
    ///
    /// A Close of the peer that is [held](Self::held_close) is answered instead: with the peer's
    /// code, or in the midst of a message of ours without one, so that it does not pass for
    /// whole. After
    /// [`close_sending`](Self::close_sending) it only sets the time limit.
    ///
    /// # Errors
    /// When the connection is closing or closed.
    pub fn close(&mut self, now: Instant, reason: CloseReason) -> Result<(), NotOpen> {
        if self.answer_held_close(now) {
            return Ok(());
        }
        self.state.close(now, reason)
    }

    /// Like [`close`](Self::close), for an application that goes on receiving: the peer's Close
    /// is awaited for as long as the peer is there.
    ///
    /// # Errors
    /// When the connection is closing or closed.
    pub fn close_sending(&mut self, now: Instant, reason: CloseReason) -> Result<(), NotOpen> {
        if self.answer_held_close(now) {
            return Ok(());
        }
        self.state.close_sending(now, reason)
    }

    /// Gives the connection up: the peer is told with 1011.
    pub fn abort(&mut self, now: Instant, cause: AbortCause) {
        self.held_close = None;
        self.state.abort(now, cause);
    }

    fn send_payload(
        &mut self,
        message_type: MessageType,
        payload: Payload<'_>,
    ) -> Result<(), SendError> {
        self.state.require_open()?;
        self.state.sender.send_message(message_type, payload)
    }

    fn answer_held_close(&mut self, now: Instant) -> bool {
        let Some(held) = self.held_close.take() else {
            return false;
        };
        // The peer began to close: it gets the answer that it waits for.
        self.state.handle_timeout(now);
        let is_whole = !self.state.sender.is_mid_message();
        let answer = match is_whole {
            true => CloseReason::bare(held.reason.code()),
            false => CloseReason::empty(),
        };
        self.state.answer_close(held.reason, answer);
        true
    }
}
