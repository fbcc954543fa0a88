//! `MessageWebSocket`: whole messages.

#[cfg(feature = "sink")]
mod as_sink;
mod as_stream;
mod builder;
mod halves;
mod handles;
mod lender;
mod outgoing_type;
mod parts;
mod reader;
mod writer;

use std::fmt;
use std::sync::Arc;

use twinsock_proto::{CloseCode, CloseReason, Closed, Compress, Message, MessageRef};

pub use crate::message::builder::MessageWebSocketBuilder;
pub use crate::message::halves::{MessageReceiver, MessageSender};
pub(crate) use crate::message::handles::WeakSocket;
pub use crate::message::lender::MessageLender;
pub use crate::message::reader::MessageReader;
pub use crate::message::writer::MessageWriter;

use crate::accept::AcceptOptions;
use crate::compression::shared_compression;
use crate::driver::{ByteStream, Driver};
use crate::error::Error;
use crate::information::{Information, shared_information};
use crate::message::as_stream::Waiters;
use crate::message::outgoing_type::OutgoingType;
use crate::opening::Opening;

/// A WebSocket for whole messages, text or binary (`MessageWebSocket` in UWP).
///
/// All methods take `&self`: one task may send while another receives. A clone is another handle
/// of the same socket, for as many tasks as you like; the connection ends when the last handle is
/// dropped.
///
/// ```
/// # async fn run() -> Result<(), twinsock::Error> {
/// use twinsock::{Message, MessageWebSocket};
///
/// let socket = MessageWebSocket::connect("ws://echo.example/").await?;
/// socket.send_text("Hello, world!").await?;
/// while let Some(message) = socket.receive().await? {
///     match message {
///         Message::Text(text) => println!("{text}"),
///         Message::Binary(bytes) => println!("{} bytes", bytes.len()),
///     }
/// }
/// println!("{}", socket.closed().expect("the loop has ended"));
/// # Ok(())
/// # }
/// ```
///
/// # Who drives it
/// The calls themselves: no task runs per socket unless you ask for one. While a
/// [`receive`](Self::receive), or a `send` that waits for room, is under way, the socket reads,
/// answers Pings and Close frames, sends its own keep-alive Pings and gives up on a peer that is
/// gone. An application that does neither for a while leaves the peer's Pings unanswered for as
/// long.
///
/// With [handlers](Self::with_handlers), or after [`attend`](Self::attend), one task drives the
/// socket until its end, whatever the application does: Pings are answered, and no end goes
/// unnoticed. With a handler for messages it also receives them, and `receive` is not for the
/// application any more; sending is as before.
///
/// ```
/// # async fn run() -> Result<(), twinsock::Error> {
/// let socket = twinsock::MessageWebSocket::builder()
///     .on_message_received(|_socket, received| match received {
///         Ok(message) => println!("{} bytes", message.len()),
///         Err(error) => println!("the connection failed: {error}"),
///     })
///     .on_closed(|closed| println!("{closed}"))
///     .connect("ws://game.example/live")
///     .await?;
/// socket.send_text("Hello, world!").await?;
/// # Ok(())
/// # }
/// ```
///
/// # When messages go out
/// The first message goes out at once. Those that follow it in the same turn of the task, or
/// while received messages are waiting to be handled, are gathered and go out together: when a
/// `receive` is about to wait, when 64 KiB have come together, at [`flush`](Self::flush) and
/// [`close`](Self::close), and at the latest when the sending task pauses at an `.await`. So a
/// plain loop of `receive` and `send` makes one system call for many messages. A task that is
/// going to compute for long without an `.await` flushes first.
///
/// # Memory
/// An idle socket holds no buffers. A peer can make it hold: one message of at most
/// [`max_message_size`](MessageWebSocketBuilder::max_message_size); the 64 KiB just read; 64 KiB
/// of messages read ahead while a `send` waits; one pending Pong of 125 bytes. The application
/// can make it hold a send queue of 64 KiB and the message that exceeds it, and 64 KiB in a
/// [`MessageWriter`].
///
/// # Dropping
/// Dropping the socket, and its last clone, never blocks: a Close frame without a code is sent if
/// it can be, what was sent before goes out, and the connection ends in the background within
/// [`Timeouts::close`](crate::Timeouts::close) once the peer takes no more. (Dropped outside of a
/// runtime, it sends what can be sent at once.) To tell the peer a code and to learn its answer,
/// [`close`](Self::close).
///
/// # Runtime
/// It lives in a tokio runtime with I/O and time enabled (`enable_all`).
pub struct MessageWebSocket {
    driver: Arc<Driver>,
    information: Information,
    outgoing_type: Arc<OutgoingType>,
    waiters: Waiters,
}

impl MessageWebSocket {
    /// Connects to a `ws://` address with all settings at their defaults.
    ///
    /// Up to five addresses of the name are tried, each for 60 s.
    ///
    /// # Errors
    /// See [`MessageWebSocketBuilder::connect`].
    ///
    /// # Cancel safety
    /// Dropping the future ends the attempt and leaves no connection behind.
    pub async fn connect(uri: &str) -> Result<Self, Error> {
        Self::builder().connect(uri).await
    }

    /// The settings that must be made before connecting (`MessageWebSocketControl` in UWP).
    #[must_use]
    pub fn builder() -> MessageWebSocketBuilder {
        MessageWebSocketBuilder::default()
    }

    /// Does the client's opening handshake over a byte stream that is already there: TLS, a
    /// tunnel, memory in a test. `uri` names the host and resource to ask for.
    ///
    /// # Errors
    /// See [`MessageWebSocketBuilder::connect_over`].
    ///
    /// # Cancel safety
    /// Dropping the future drops the stream.
    pub async fn connect_over(stream: impl ByteStream + 'static, uri: &str) -> Result<Self, Error> {
        Self::builder().connect_over(stream, uri).await
    }

    /// Does the server's opening handshake over a byte stream, with all settings at their
    /// defaults; see [`AcceptOptions`] for others and [`Listener`](crate::Listener) for TCP.
    ///
    /// # Errors
    /// See [`AcceptOptions::accept`].
    ///
    /// # Cancel safety
    /// Dropping the future drops the stream.
    pub async fn accept(stream: impl ByteStream + 'static) -> Result<Self, Error> {
        AcceptOptions::default().accept(stream).await
    }

    fn driver(&self) -> &Driver {
        &self.driver
    }

    pub(crate) fn new(driver: Driver, opening: Opening) -> Self {
        let information = Information::new(&driver, opening);
        let driver = Arc::new(driver);
        Self {
            waiters: Waiters::new(&driver),
            driver,
            information,
            outgoing_type: Arc::default(),
        }
    }

    /// Sends a text message.
    ///
    /// Ready when the message is queued; it waits while 64 KiB are queued already. The text is
    /// copied; [`send`](Self::send) takes over a `String` without a copy.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed) when the socket is closing or closed, or
    /// the error that ended the connection. The peer's Close is answered when the application
    /// asks for the message after the last one: until then replies may still be sent.
    /// [`ErrorKind::IllegalCall`](crate::ErrorKind::IllegalCall) in the midst of a message that is
    /// sent with [`send_nonfinal_frame`](Self::send_nonfinal_frame).
    ///
    /// # Cancel safety
    /// A dropped `send` has queued the whole message or nothing: nothing, unless it was ready.
    pub async fn send_text(&self, text: &str) -> Result<(), Error> {
        self.driver
            .send(|connection| connection.send_text(text))
            .await
    }

    /// Sends a binary message; otherwise like [`send_text`](Self::send_text).
    ///
    /// # Errors
    /// As [`send_text`](Self::send_text).
    ///
    /// # Cancel safety
    /// As [`send_text`](Self::send_text).
    pub async fn send_binary(&self, bytes: &[u8]) -> Result<(), Error> {
        self.driver
            .send(|connection| connection.send_binary(bytes))
            .await
    }

    /// Sends a message that is owned: a large one is not copied.
    ///
    /// # Errors
    /// As [`send_text`](Self::send_text).
    ///
    /// # Cancel safety
    /// As [`send_text`](Self::send_text).
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), Error> {
        self.driver.send_message(message.into()).await
    }

    /// Sends a message that is compressed as is said here, whatever holds for others: not at all,
    /// when it has a secret in it (see [`compression`](crate::compression)).
    ///
    /// # Errors
    /// As [`send_text`](Self::send_text).
    ///
    /// # Cancel safety
    /// As [`send_text`](Self::send_text).
    pub async fn send_with(
        &self,
        message: impl Into<Message>,
        compress: Compress,
    ) -> Result<(), Error> {
        self.driver
            .send_message_with(message.into(), compress)
            .await
    }

    /// Sends a copy of a message that is [lent](MessageLender); otherwise like
    /// [`send_text`](Self::send_text).
    ///
    /// # Errors
    /// As [`send_text`](Self::send_text).
    ///
    /// # Cancel safety
    /// As [`send_text`](Self::send_text).
    pub async fn send_ref(&self, message: &MessageRef<'_>) -> Result<(), Error> {
        self.driver
            .send(|connection| connection.send_ref(message))
            .await
    }

    /// The next message; `None` when the connection has closed, by whichever side and code, see
    /// [`closed`](Self::closed).
    ///
    /// # Errors
    /// When the connection failed: the peer broke the protocol or a limit, was gone, or did
    /// nothing in time. All messages that came before are handed out first, the peer is told why
    /// with a Close frame, and its end of the connection is awaited for at most
    /// [`Timeouts::close`](crate::Timeouts::close). Each later call gives the same error.
    /// [`ErrorKind::IllegalCall`](crate::ErrorKind::IllegalCall) when messages go to a
    /// [handler](crate::Handlers::on_message_received).
    ///
    /// # Cancel safety
    /// A dropped `receive` loses nothing: the next call gives the message.
    pub async fn receive(&self) -> Result<Option<Message>, Error> {
        self.driver.receive().await
    }

    /// Has a background task drive the socket from now on, so that Pings are answered, keep-alives
    /// sent and the end noticed whatever the application does.
    ///
    /// Up to 64 KiB of messages are read ahead, then the peer has to wait; an end behind more
    /// than that is noticed when the application receives. The peer's Close frame is answered
    /// once the application has received all that came before it. Outside of a runtime, and on a
    /// socket with a [handler](crate::Handlers::on_message_received) for messages, it does nothing.
    pub fn attend(&self) {
        self.driver.attend();
    }

    /// Sends a Ping with up to 125 bytes of payload.
    ///
    /// The answer is noticed while the socket is driven, and gives the
    /// [`round_trip_time`](Self::round_trip_time). Pings of the keep-alive go out by themselves.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for a longer payload;
    /// otherwise as [`send_text`](Self::send_text).
    ///
    /// # Cancel safety
    /// A dropped `ping` has sent nothing, unless it was ready.
    pub async fn ping(&self, payload: &[u8]) -> Result<(), Error> {
        self.driver.ping(payload).await
    }

    /// Sends one Pong that nobody asked for, as
    /// [`unsolicited_pong_interval`](MessageWebSocketBuilder::unsolicited_pong_interval) does by
    /// itself (`WebSocketKeepAlive.Run` in UWP).
    ///
    /// The peer does not answer. While the last one still waits to go out, nothing is added.
    ///
    /// # Errors
    /// As [`send_text`](Self::send_text).
    ///
    /// # Cancel safety
    /// A dropped `send_keep_alive` has sent nothing, unless it was ready.
    pub async fn send_keep_alive(&self) -> Result<(), Error> {
        self.driver.send_keep_alive().await
    }

    /// Waits until all that was sent is with the operating system.
    ///
    /// # Errors
    /// When the connection failed.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing; what waits still goes out.
    pub async fn flush(&self) -> Result<(), Error> {
        self.driver.flush().await
    }

    /// Closes the connection: sends what waits, then a Close frame with `code` and `reason`, and
    /// waits for the peer's answer; messages that come meanwhile are discarded (RFC 6455 §7.1.2).
    ///
    /// On a socket that is closing already it only waits for the end.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument), with nothing sent, for a
    /// code that must not be sent or a reason above 123 bytes;
    /// [`Timeout::Close`](crate::Timeout::Close) when the peer does not answer in time; or the
    /// error that ended the connection before.
    ///
    /// # Cancel safety
    /// The Close frame is queued at the first poll; dropping the future later stops the waiting,
    /// not the closing.
    pub async fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.driver.close(CloseReason::new(code, reason)?).await
    }

    /// Begins to close, and lets [`receive`](Self::receive) go on until the peer's Close frame:
    /// what the peer had under way is not lost, as long as its Close is received within
    /// [`Timeouts::close`](crate::Timeouts::close) of ours.
    ///
    /// The caller goes on receiving until `None`; that is what notices the peer's Close and ends
    /// the connection in time.
    ///
    /// On a socket that is closing already it does nothing.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument), with nothing sent, for a
    /// code that must not be sent or a reason above 123 bytes.
    pub fn start_close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.driver.start_close(CloseReason::new(code, reason)?);
        Ok(())
    }

    /// How the connection ended: both codes and reasons, who began, clean or not; `None` while it
    /// has not ended.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.information.closed()
    }

    /// Splits the socket into two owned halves; the connection ends when both are dropped.
    ///
    /// There is no need to split in order to send and receive at the same time; it is for those
    /// who want to hand each task what it needs.
    #[must_use]
    pub fn split(self) -> (MessageSender, MessageReceiver) {
        halves::split(self)
    }

    /// All that can be seen of the socket; a clone may be kept and asked at any time
    /// (`Information` in UWP).
    #[must_use]
    pub fn information(&self) -> &Information {
        &self.information
    }
}

shared_compression!(MessageWebSocket);
shared_information!(MessageWebSocket);

/// Shows where it is connected and how it ended; never what was said.
impl fmt::Debug for MessageWebSocket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MessageWebSocket")
            .field("peer_address", &self.peer_address())
            .field("protocol", &self.protocol())
            .field("closed", &self.closed())
            .finish_non_exhaustive()
    }
}
