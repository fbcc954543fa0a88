//! An open connection: joins the two directions, the closing handshake and the timers.

pub(crate) mod bandwidth;
pub(crate) mod close;
mod commands;
pub(crate) mod compression;
pub(crate) mod event;
mod keep_alive;
pub(crate) mod lending;
mod receiving;
mod state;
pub(crate) mod statistics;
mod timer;

use std::time::{Duration, Instant};

use bytes::BufMut;

use crate::connection::close::Closed;
use crate::connection::lending::Loan;
use crate::connection::receiving::HeldClose;
use crate::connection::state::{Activity, State};
use crate::deflate::settings::Deflate;
use crate::error::Loss;
use crate::limits::{Limits, ReceiveMode, TextPolicy, Timing};
use crate::receive::receiver::Receiver;
use crate::role::Role;
use crate::send::queue::SendQueue;
use crate::send::sender::Sender;

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
    /// How messages are compressed; not at all by default, and only as both ends agreed in the
    /// opening handshake.
    pub deflate: Option<Deflate>,
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
    loan: Loan,
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
            deflate,
        } = settings;
        let mut sender = Sender::new(role, seed, limits.send_queue_size);
        let mut receiver = Receiver::new(role.peer(), limits.max_message_size);
        receiver.set_mode(receive_mode);
        receiver.set_text_policy(text);
        if let Some(deflate) = &deflate {
            sender.set_deflate(role, deflate);
            receiver.set_deflate(match role {
                Role::Client => deflate.parameters.server,
                Role::Server => deflate.parameters.client,
            });
        }
        Self {
            receiver,
            state: State::new(role, timing, sender, now),
            held_close: None,
            loan: Loan::Nothing,
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
        let is_unread = self.loan == Loan::Several || self.receiver.has_unread_bytes();
        self.state.is_receiving() && is_unread
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

    /// Whether what is read next may be read into memory of the caller's own, who wants it as a
    /// stream: then [`handle_received_directly`](Self::handle_received_directly) is told instead.
    #[must_use]
    pub fn may_read_directly(&self) -> bool {
        self.state.is_receiving() && !self.holds_close() && self.receiver.may_read_directly()
    }

    /// `bytes` were read when they [might be](Self::may_read_directly): leaves those for the
    /// application at the front, and tells how many. The others are kept for
    /// [`move_bytes`](Self::move_bytes).
    pub fn handle_received_directly(&mut self, now: Instant, bytes: &mut [u8]) -> usize {
        let count = self.receiver.take_directly(bytes);
        self.state.handle_received(now, self.receiver.bytes_read());
        count
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
        // A Close can be neither answered nor replied to any more: it is the end.
        self.handle_held_close();
    }

    /// The network took `count` bytes; zero when it is full.
    pub fn handle_transmitted(&mut self, now: Instant, count: usize) {
        self.state.handle_transmitted(now, count);
    }

    /// A deadline has passed, or may have.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.state.handle_timeout(now) == Activity::Lull {
            self.release_deflate();
        }
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
}
