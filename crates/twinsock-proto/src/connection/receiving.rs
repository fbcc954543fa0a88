//! What the application gets of the bytes that were read.

use bytes::BufMut;

use crate::connection::Connection;
use crate::connection::event::Event;
use crate::frame::close_reason::CloseReason;
use crate::limits::ReceiveMode;
use crate::message::Message;
use crate::receive::receiver::{ControlFrame, Step};

/// A Close frame of the peer that is not answered yet.
#[derive(Debug)]
pub(super) struct HeldClose {
    pub(super) reason: CloseReason,
    behind: Behind,
}

/// What happens to frames behind a Close frame: it should have been the last one.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Behind {
    /// Pings are answered, the rest is passed over.
    ControlFrames,
    /// They are no frames: nothing is looked at any more.
    Nothing,
}

/// What happens when the peer's Close frame comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnClose {
    Answer,
    Hold,
}

impl Connection {
    /// The next event among the bytes that were read; `None` when more must be read, or when the
    /// connection is [`closed`](Self::closed).
    pub fn poll_event(&mut self) -> Option<Event<'_>> {
        self.handle_held_close();
        self.poll_event_until(OnClose::Answer)
    }

    /// Like [`poll_event`](Self::poll_event), for a message that is kept: it is copied, unmasked
    /// and checked in one pass.
    #[inline]
    pub fn poll_message(&mut self) -> Option<Message> {
        if !self.has_event() {
            return None;
        }
        self.receiver.take_message().unwrap_or_else(|violation| {
            self.state.fail(violation.into());
            None
        })
    }

    /// Whether [`poll_event`](Self::poll_event) has an event.
    pub(super) fn has_event(&mut self) -> bool {
        self.handle_held_close();
        self.advance(OnClose::Answer)
    }

    /// The peer's Close is held no longer.
    pub(super) fn handle_held_close(&mut self) {
        if let Some(held) = self.held_close.take() {
            self.state.handle_close(held.reason);
        }
    }

    /// Like [`poll_event`](Self::poll_event), for an application that is not ready for the end:
    /// a Close frame of the peer is held, and answered at the next `poll_event`.
    ///
    /// So what the peer sent before its Close can still be replied to.
    pub fn poll_event_ahead(&mut self) -> Option<Event<'_>> {
        self.poll_event_until(OnClose::Hold)
    }

    /// Looks at the bytes that were read until there is an event: `true` when there is one, and
    /// the next [`poll_event`](Self::poll_event) or [`poll_bytes`](Self::poll_bytes) gives it.
    ///
    /// Control frames before it are handled, and a Close frame of the peer is held.
    pub fn has_event_ahead(&mut self) -> bool {
        self.advance(OnClose::Hold)
    }

    /// The next bytes of any message, as a stream without borders; `None` as in
    /// [`poll_event_ahead`](Self::poll_event_ahead). They stay until they are
    /// [consumed](Self::consume).
    ///
    /// It is meant for [`ReceiveMode::PartialMessage`], in which bytes are there before their
    /// frame is complete.
    pub fn poll_bytes(&mut self) -> Option<&[u8]> {
        loop {
            if !self.advance(OnClose::Hold) {
                return None;
            }
            match self.receiver.bytes() {
                // A message without bytes is no end.
                Ok([]) => self.receiver.consume(0),
                Ok(_) => break,
                Err(violation) => {
                    self.state.fail(violation.into());
                    return None;
                }
            }
        }
        self.receiver.bytes().ok()
    }

    /// Moves the next bytes to `room`, as many as fit, and tells how many; zero where
    /// [`poll_bytes`](Self::poll_bytes) gives `None`, and without room.
    ///
    /// It costs less than looking at them first: they are unmasked on the way.
    pub fn move_bytes(&mut self, room: &mut impl BufMut) -> usize {
        while room.has_remaining_mut() && self.advance(OnClose::Hold) {
            match self.receiver.move_bytes(room) {
                // A message without bytes is no end.
                Ok(0) => self.receiver.consume(0),
                Ok(count) => return count,
                Err(violation) => self.state.fail(violation.into()),
            }
        }
        0
    }

    /// Takes the first `count` bytes of [`poll_bytes`](Self::poll_bytes) off.
    pub fn consume(&mut self, count: usize) {
        self.receiver.consume(count);
    }

    /// How messages are handed out from now on. What has come of a message under way is the
    /// first part; the rest of one of which parts were handed out is passed over when whole
    /// messages are wanted.
    pub fn set_receive_mode(&mut self, mode: ReceiveMode) {
        self.receiver.set_mode(mode);
    }

    /// Passes over what was not handed out of a message of which parts were; without one it does
    /// nothing.
    pub fn skip_message(&mut self) {
        self.receiver.skip_message();
    }

    /// How messages are handed out.
    #[must_use]
    pub fn receive_mode(&self) -> ReceiveMode {
        self.receiver.mode()
    }

    /// The Close frame of the peer that is held; no message behind it is looked at.
    #[must_use]
    pub fn held_close(&self) -> Option<&CloseReason> {
        self.held_close.as_ref().map(|held| &held.reason)
    }

    /// Whether a Close frame of the peer is held.
    #[must_use]
    pub fn holds_close(&self) -> bool {
        self.held_close.is_some()
    }

    fn poll_event_until(&mut self, on_close: OnClose) -> Option<Event<'_>> {
        if !self.advance(on_close) {
            return None;
        }
        match self.receiver.message() {
            Ok(message) => message.map(Event::MessageReceived),
            Err(violation) => {
                self.state.fail(violation.into());
                None
            }
        }
    }

    /// Goes on until a message or part is ready; `false` when there is none.
    fn advance(&mut self, on_close: OnClose) -> bool {
        loop {
            if !self.state.is_receiving() {
                self.receiver.discard();
                return false;
            }
            if self.held_close.is_some() {
                self.look_behind_close();
                return false;
            }
            if self.has_lent_messages() {
                return false;
            }
            let Self {
                receiver, state, ..
            } = self;
            match receiver.advance() {
                Ok(Step::MessageReady) => return true,
                Ok(Step::ControlFrame) => self.handle_control_frame(on_close),
                Ok(Step::NeedsBytes) => {
                    match receiver.is_kept_waiting() {
                        true => state.handle_message_cut(),
                        false => state.handle_bytes_used_up(),
                    }
                    return false;
                }
                Err(failure) => state.fail(failure),
            }
        }
    }

    fn handle_control_frame(&mut self, on_close: OnClose) {
        match self.receiver.take_control_frame() {
            Ok(Some(ControlFrame::Ping(payload))) => self.state.handle_ping(payload),
            Ok(Some(ControlFrame::Pong(payload))) => self.state.handle_pong(&payload),
            Ok(Some(ControlFrame::Close(reason))) => self.handle_close_frame(reason, on_close),
            Ok(None) => {}
            Err(violation) => self.state.fail(violation.into()),
        }
        self.release_idle_deflate();
    }

    fn handle_close_frame(&mut self, reason: CloseReason, on_close: OnClose) {
        // Once our own Close is out nothing can be replied any more.
        if on_close == OnClose::Answer || !self.state.is_open() {
            return self.state.handle_close(reason);
        }
        self.held_close = Some(Box::new(HeldClose {
            reason,
            behind: Behind::ControlFrames,
        }));
    }

    /// Answers Pings behind a Close frame that is held: the peer wants to know whether its answer
    /// is still to come. RFC 6455 §1.4: all else is discarded.
    fn look_behind_close(&mut self) {
        let Self {
            receiver,
            state,
            held_close: Some(held),
            ..
        } = self
        else {
            return;
        };
        // Nothing of it counts, so nothing of it is inflated.
        receiver.stop_inflating();
        // In parts: what is passed over is not collected.
        let mode = receiver.mode();
        receiver.set_mode(ReceiveMode::PartialMessage);
        while held.behind == Behind::ControlFrames {
            match receiver.advance() {
                Ok(Step::NeedsBytes) => break,
                Ok(Step::MessageReady) => receiver.skip(),
                Ok(Step::ControlFrame) => match receiver.take_control_frame() {
                    Ok(Some(ControlFrame::Ping(payload))) => state.handle_ping(payload),
                    Ok(Some(ControlFrame::Pong(payload))) => state.handle_pong(&payload),
                    Ok(Some(ControlFrame::Close(_)) | None) | Err(_) => {
                        held.behind = Behind::Nothing;
                    }
                },
                Err(_) => held.behind = Behind::Nothing,
            }
        }
        receiver.set_mode(mode);
        if held.behind == Behind::Nothing {
            receiver.discard();
        }
        state.handle_bytes_behind_close();
    }
}
