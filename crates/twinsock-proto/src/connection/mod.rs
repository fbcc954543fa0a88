//! An open connection: joins the two directions, the closing handshake and the timers.

pub(crate) mod bandwidth;
pub(crate) mod close;
pub(crate) mod event;
mod keep_alive;
mod state;
pub(crate) mod statistics;
mod timer;

use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes};

use crate::connection::close::Closed;
use crate::connection::event::Event;
use crate::connection::state::State;
use crate::error::{AbortCause, Loss, NotOpen, SendError};
use crate::frame::close_reason::CloseReason;
use crate::frame::control::ControlPayload;
use crate::limits::{Limits, ReceiveMode, TextPolicy, Timing};
use crate::message::{Message, MessageType};
use crate::receive::receiver::{Receiver, Step};
use crate::role::Role;
use crate::send::queue::{Payload, SendQueue};
use crate::send::sender::{Fragment, Sender};

/// The settings of a connection.
///
/// ```
/// use twinsock_proto::{Limits, Settings};
///
/// let settings = Settings {
///     limits: Limits { max_message_size: None, ..Limits::default() },
///     ..Settings::default()
/// };
/// # let _ = settings;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// How much is held.
    pub limits: Limits,
    /// How long is waited.
    pub timing: Timing,
    /// Whether messages are handed out whole or in parts; whole by default.
    pub receive_mode: ReceiveMode,
    /// What happens when the peer begins a text message; it is received by default.
    pub text: TextPolicy,
}

/// An open WebSocket connection, without its socket: bytes and time go in, events, bytes and the
/// next deadline come out (RFC 6455 §5–§7).
///
/// The caller drives it: **one input, then all outputs, then wait.**
/// 1. Input: bytes read into [`receive_memory`](Self::receive_memory), then
///    [`handle_received`](Self::handle_received); or
///    [`handle_end_of_stream`](Self::handle_end_of_stream); or
///    [`handle_timeout`](Self::handle_timeout); or a command ([`send`](Self::send),
///    [`ping`](Self::ping), [`close`](Self::close)).
/// 2. Outputs: [`poll_event`](Self::poll_event) until `None`, then
///    [`poll_transmit`](Self::poll_transmit) until `None` or the network is full.
/// 3. Wait for the network or for [`poll_timeout`](Self::poll_timeout).
///
/// Events may be left for later: then nothing more is read, and what was read waits. Before they
/// are taken up again, [`handle_timeout`](Self::handle_timeout) tells what time it is.
///
/// ```
/// use std::time::Instant;
///
/// use bytes::{Buf, BufMut};
/// use twinsock_proto::{Connection, Event, Message, Role, Settings, Transmit};
///
/// let now = Instant::now();
/// let mut client = Connection::new(Role::Client, Settings::default(), [7; 32], now);
/// let mut server = Connection::new(Role::Server, Settings::default(), [7; 32], now);
///
/// client.send(Message::from("hello"))?;
/// while let Some(Transmit::Bytes(queue)) = client.poll_transmit() {
///     let count = queue.remaining();
///     server.receive_memory().put(queue.take(count));
///     client.handle_transmitted(now, count);
/// }
/// server.handle_received(now);
/// let Some(Event::MessageReceived(message)) = server.poll_event() else { panic!() };
/// assert_eq!(message.as_text(), Some("hello"));
/// # Ok::<(), twinsock_proto::SendError>(())
/// ```
#[derive(Debug)]
pub struct Connection {
    receiver: Receiver,
    state: State,
    /// The peer's Close, while the application may still reply to what came before it.
    held_close: Option<Box<HeldClose>>,
}

/// A Close frame of the peer that is not answered yet.
#[derive(Debug)]
struct HeldClose {
    reason: CloseReason,
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

/// What the network is to do; see [`SendQueue`] for an example.
#[derive(Debug)]
pub enum Transmit<'a> {
    /// Send these bytes; take off what was sent with [`bytes::Buf::advance`] and tell
    /// [`Connection::handle_transmitted`].
    Bytes(&'a mut SendQueue),
    /// End our side of the byte stream; told once.
    EndOfStream,
}

impl Connection {
    /// A connection whose opening handshake is done.
    ///
    /// `seed` feeds a client's mask keys and must come from the system's randomness (RFC 6455
    /// §5.3); a server does not use it.
    #[must_use]
    pub fn new(role: Role, settings: Settings, seed: [u8; 32], now: Instant) -> Self {
        let Settings {
            limits,
            timing,
            receive_mode,
            text,
        } = settings;
        let sender = Sender::new(role, seed, limits.send_queue_size);
        let mut receiver = Receiver::new(role.peer(), limits.max_message_size);
        receiver.set_mode(receive_mode);
        receiver.set_text_policy(text);
        Self {
            receiver,
            state: State::new(role, timing, sender, now),
            held_close: None,
        }
    }

    /// Client or server.
    #[must_use]
    pub fn role(&self) -> Role {
        self.state.role()
    }

    /// How the connection ended; `None` while it has not.
    #[must_use]
    pub fn closed(&self) -> Option<&Closed> {
        self.state.closed()
    }

    /// How the connection ends, as soon as that is decided: both Close frames are there, or it
    /// failed.
    #[must_use]
    pub fn ending(&self) -> Option<&Closed> {
        self.state.ending()
    }

    /// Whether messages may be sent: nobody has begun to close.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state.is_open()
    }

    /// Whether a message may be queued now; otherwise bytes must be transmitted first.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.state.sender.has_room()
    }

    /// How many bytes wait to be transmitted.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.state.sender.queued()
    }

    /// Whether anything is to be transmitted.
    #[must_use]
    pub fn has_output(&self) -> bool {
        self.state.has_output()
    }

    /// Whether bytes were read that [`poll_event`](Self::poll_event) has not looked at.
    #[must_use]
    pub fn has_unread_bytes(&self) -> bool {
        self.state.is_receiving() && self.receiver.has_unread_bytes()
    }

    /// How long the newest answered Ping took; `None` before the first answer.
    #[must_use]
    pub fn round_trip_time(&self) -> Option<Duration> {
        self.state.keep_alive.round_trip_time()
    }

    /// The time between unsolicited Pongs: [`Timing::unsolicited_pong`], but never less than 1 s.
    #[must_use]
    pub fn unsolicited_pong_interval(&self) -> Option<Duration> {
        self.state.keep_alive.pong_interval()
    }

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
    /// events. The peer's Close is awaited for at most [`Timing::close`].
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

    /// Memory to read into; never full.
    pub fn receive_memory(&mut self) -> impl BufMut {
        if !self.state.is_receiving() {
            self.receiver.discard();
        }
        self.receiver.receive_memory()
    }

    /// Whether there is no memory to read into yet: it may be lent, or else will be allocated.
    #[must_use]
    pub fn needs_memory(&self) -> bool {
        self.receiver.needs_memory()
    }

    /// Lends memory to read into, in place of memory of the connection's own.
    pub fn lend_memory(&mut self, memory: Vec<u8>) {
        self.receiver.lend_memory(memory);
    }

    /// Takes the read memory back when hardly anything is in it, and frees what an idle
    /// connection does not need.
    pub fn take_idle_memory(&mut self) -> Option<Vec<u8>> {
        self.state.sender.release_idle_memory();
        self.receiver.take_idle_memory()
    }

    /// Bytes were read into the memory of [`receive_memory`](Self::receive_memory).
    pub fn handle_received(&mut self, now: Instant) {
        self.state.handle_received(now, self.receiver.bytes_read());
        if !self.state.is_receiving() {
            self.receiver.discard();
        }
    }

    /// The peer ended its side of the byte stream.
    ///
    /// What was read before is still handed out.
    pub fn handle_end_of_stream(&mut self, now: Instant) {
        self.handle_loss(now, Loss::EndOfStream);
    }

    /// Nothing more can be read.
    ///
    /// What was read before is still handed out.
    pub fn handle_loss(&mut self, now: Instant, loss: Loss) {
        self.state.handle_loss(now, loss);
    }

    /// The network cannot send any more; what waited is lost, what was received is not.
    pub fn handle_send_failed(&mut self, now: Instant, loss: Loss) {
        self.state.handle_send_failed(now, loss);
    }

    /// The network took `count` bytes; zero when it is full.
    pub fn handle_transmitted(&mut self, now: Instant, count: usize) {
        self.state.handle_transmitted(now, count);
    }

    /// A deadline has passed, or may have.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.state.handle_timeout(now);
    }

    /// The next event among the bytes that were read; `None` when more must be read, or when the
    /// connection is [`closed`](Self::closed).
    pub fn poll_event(&mut self) -> Option<Event<'_>> {
        if let Some(held) = self.held_close.take() {
            self.state.handle_close(held.reason);
        }
        self.poll_event_until(OnClose::Answer)
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
            let Self {
                receiver, state, ..
            } = self;
            if !state.is_receiving() {
                receiver.discard();
                return false;
            }
            if self.held_close.is_some() {
                self.look_behind_close();
                return false;
            }
            match (receiver.advance(), on_close) {
                (Ok(Step::MessageReady), _) => return true,
                (Ok(Step::Ping(payload)), _) => state.handle_ping(payload),
                (Ok(Step::Pong(payload)), _) => state.handle_pong(&payload),
                (Ok(Step::Close(reason)), OnClose::Answer) => state.handle_close(reason),
                (Ok(Step::Close(reason)), OnClose::Hold) => {
                    self.held_close = Some(Box::new(HeldClose {
                        reason,
                        behind: Behind::ControlFrames,
                    }));
                }
                (Ok(Step::NeedsBytes), _) if receiver.is_kept_waiting() => {
                    state.handle_message_cut();
                    return false;
                }
                (Ok(Step::NeedsBytes), _) => {
                    state.handle_bytes_used_up();
                    return false;
                }
                (Err(failure), _) => state.fail(failure),
            }
        }
    }

    /// Answers Pings behind a Close frame that is held: the peer wants to know whether its answer
    /// is still to come. RFC 6455 §1.4: all else is discarded.
    fn look_behind_close(&mut self) {
        let Self {
            receiver,
            state,
            held_close: Some(held),
        } = self
        else {
            return;
        };
        while held.behind == Behind::ControlFrames {
            match receiver.advance() {
                Ok(Step::NeedsBytes) => break,
                Ok(Step::MessageReady) => receiver.skip(),
                Ok(Step::Ping(payload)) => state.handle_ping(payload),
                Ok(Step::Pong(payload)) => state.handle_pong(&payload),
                Ok(Step::Close(_)) | Err(_) => held.behind = Behind::Nothing,
            }
        }
        if held.behind == Behind::Nothing {
            receiver.discard();
        }
        state.handle_bytes_behind_close();
    }

    /// What to transmit; call it until `None` or until the network is full.
    pub fn poll_transmit(&mut self) -> Option<Transmit<'_>> {
        self.state.poll_transmit()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due; `None` when no timer runs.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.state.poll_timeout()
    }

    fn send_payload(
        &mut self,
        message_type: MessageType,
        payload: Payload<'_>,
    ) -> Result<(), SendError> {
        self.state.require_open()?;
        self.state.sender.send_message(message_type, payload)
    }
}
