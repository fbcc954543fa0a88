//! One connection whose network and clock are the test.

use std::time::{Duration, Instant};

use bytes::{Buf, BufMut};
use twinsock_proto::{Connection, Event, Message, Role, SendError, Settings, Transmit};

use crate::wire::{self, Frame};

/// A connection, what it received, and what it transmitted.
///
/// ```
/// use twinsock_proto::Role;
/// use twinsock_testkit::{endpoint::Endpoint, wire};
///
/// let mut server = Endpoint::new(Role::Server);
/// server.receive_frames(&[wire::ping("a")]);
/// assert_eq!(server.transmitted_frames(), [wire::pong("a")]);
/// ```
#[derive(Debug)]
pub struct Endpoint {
    /// The connection itself, for commands and questions.
    pub connection: Connection,
    /// The time on the virtual clock.
    pub now: Instant,
    messages: Vec<Message>,
    taking: Taking,
    has_ended: bool,
}

/// How messages are taken out of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Taking {
    /// Lent, then made owned.
    #[default]
    Lent,
    /// Owned at once.
    Owned,
}

impl Endpoint {
    /// An open connection with the default settings.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self::with_settings(role, Settings::default())
    }

    /// An open connection with these settings.
    #[must_use]
    pub fn with_settings(role: Role, settings: Settings) -> Self {
        let now = Instant::now();
        Self {
            connection: Connection::new(role, settings, [42; 32], now),
            now,
            messages: Vec::new(),
            taking: Taking::default(),
            has_ended: false,
        }
    }

    /// From now on messages are taken so.
    #[must_use]
    pub fn taking(mut self, taking: Taking) -> Self {
        self.taking = taking;
        self
    }

    /// The network brings these bytes, in reads as large as the connection allows; all events
    /// are taken.
    pub fn receive(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = self.read(bytes);
            self.take_events();
        }
    }

    /// The network brings these frames as an honest peer masks them; no event is taken.
    pub fn deliver_frames(&mut self, frames: &[Frame]) {
        let sender = self.connection.role().peer();
        for frame in frames {
            let bytes = frame.clone().sent_by(sender).bytes();
            assert_eq!(self.read(&bytes), [], "the frames are more than one read");
        }
    }

    /// One read; what it leaves over is returned.
    fn read<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let mut memory = self.connection.receive_memory();
        let count = bytes.len().min(memory.remaining_mut());
        assert!(count > 0, "the memory to read into is full");
        memory.put_slice(&bytes[..count]);
        drop(memory);
        self.connection.handle_received(self.now);
        &bytes[count..]
    }

    /// The network brings these frames as an honest peer masks them.
    pub fn receive_frames(&mut self, frames: &[Frame]) {
        let sender = self.connection.role().peer();
        for frame in frames {
            self.receive(&frame.clone().sent_by(sender).bytes());
        }
    }

    /// The network brings the end of the peer's stream.
    pub fn receive_end(&mut self) {
        self.connection.handle_end_of_stream(self.now);
        self.take_events();
    }

    /// Takes all events.
    pub fn take_events(&mut self) {
        while let Some(message) = self.take_message() {
            self.messages.push(message);
        }
    }

    fn take_message(&mut self) -> Option<Message> {
        match self.taking {
            Taking::Owned => self.connection.poll_message(),
            Taking::Lent => match self.connection.poll_event()? {
                Event::MessageReceived(message) => Some(message.into_owned()),
                event => unreachable!("{event:?}"),
            },
        }
    }

    /// The messages that came since the last call.
    pub fn messages(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.messages)
    }

    /// The network takes all there is.
    pub fn transmitted(&mut self) -> Vec<u8> {
        self.transmit_at_most(usize::MAX)
    }

    /// The network takes up to `limit` bytes, and the end of the stream.
    ///
    /// # Panics
    /// When the connection transmits nothing, or anything after the end of its stream.
    pub fn transmit_at_most(&mut self, limit: usize) -> Vec<u8> {
        let mut wire = Vec::new();
        while wire.len() < limit {
            let count = match self.connection.poll_transmit() {
                None => break,
                Some(Transmit::EndOfStream) => {
                    assert!(!self.has_ended, "the stream is ended once");
                    self.has_ended = true;
                    continue;
                }
                Some(Transmit::Bytes(queue)) => {
                    assert!(!self.has_ended, "bytes after the end of the stream");
                    let count = queue.chunk().len().min(limit - wire.len());
                    assert!(count > 0, "told to transmit nothing");
                    wire.extend_from_slice(&queue.chunk()[..count]);
                    queue.advance(count);
                    count
                }
            };
            self.connection.handle_transmitted(self.now, count);
        }
        wire
    }

    /// All that is transmitted, as unmasked frames.
    ///
    /// # Panics
    /// When a frame is not masked as the role demands (RFC 6455 §5.1).
    pub fn transmitted_frames(&mut self) -> Vec<Frame> {
        let role = self.connection.role();
        let frames = wire::read(&self.transmitted());
        frames
            .into_iter()
            .map(|frame| {
                assert_eq!(frame.is_masked(), role == Role::Client, "{frame:?}");
                frame.unmasked()
            })
            .collect()
    }

    /// Whether the connection has ended its side of the byte stream.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Queues a message.
    ///
    /// # Errors
    /// When the connection is closing or closed.
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        self.connection.send(message.into())
    }

    /// Time passes; each deadline in it is kept on the dot.
    ///
    /// # Panics
    /// When a deadline stays due although it was handled.
    pub fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        let mut steps = 0;
        while let Some(deadline) = self.connection.poll_timeout()
            && deadline <= end
        {
            self.now = self.now.max(deadline);
            self.connection.handle_timeout(self.now);
            steps += 1;
            assert!(steps < 10_000, "a deadline is never done with");
        }
        self.now = end;
    }
}
