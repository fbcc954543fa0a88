//! A client's `MessageWebSocket` before it connects.

use twinsock_proto::{Closed, ReceiveMode, Settings};

use crate::connect::{ConnectOptions, shared_settings};
use crate::driver::ByteStream;
use crate::error::Error;
use crate::events::Handlers;
use crate::message::MessageWebSocket;
use crate::opening::Opened;
use crate::received::Received;

/// The settings of a client's [`MessageWebSocket`], made before it connects
/// (`MessageWebSocketControl` in UWP).
///
/// A value that cannot be, such as a header with a line end, is reported by `connect`.
///
/// ```
/// # async fn run() -> Result<(), twinsock::Error> {
/// use std::time::Duration;
///
/// use twinsock::{MessageWebSocket, Timeouts};
///
/// let socket = MessageWebSocket::builder()
///     .protocol("chat.v2")
///     .header("X-Game", "42")
///     .max_message_size(1 << 20)
///     .timeouts(Timeouts { connect: Duration::from_secs(5), ..Timeouts::default() })
///     .connect("ws://game.example/live")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct MessageWebSocketBuilder {
    pub(crate) options: ConnectOptions,
    receive_mode: ReceiveMode,
    handlers: Handlers,
}

shared_settings!(MessageWebSocketBuilder);

impl MessageWebSocketBuilder {
    /// The largest message received, in bytes; 64 MiB by default, `None` for no limit
    /// (`Control.MaxMessageSize` in UWP). A larger one fails the connection with 1009.
    #[must_use]
    pub fn max_message_size(mut self, size: impl Into<Option<u64>>) -> Self {
        self.options.limits.max_message_size = size.into();
        self
    }

    /// Whether messages are handed out whole or in parts before anything was received
    /// (`Control.ReceiveMode` in UWP); whole by default.
    ///
    /// Each call of [`receive`](MessageWebSocket::receive),
    /// [`receive_part`](MessageWebSocket::receive_part) or
    /// [`receive_stream`](MessageWebSocket::receive_stream) decides it anew. This says how the
    /// socket reads until the first of them, for instance while a `send` waits: a socket for
    /// messages above [`max_message_size`](Self::max_message_size) is set to
    /// [`ReceiveMode::PartialMessage`]. A [handler](Self::on_message_received) for messages gets
    /// what this says.
    #[must_use]
    pub fn receive_mode(mut self, mode: ReceiveMode) -> Self {
        self.receive_mode = mode;
        self
    }

    /// Has `handler` called with each message, or each part of one, see
    /// [`Handlers::on_message_received`] (`MessageReceived` in UWP).
    #[must_use]
    pub fn on_message_received(
        mut self,
        handler: impl FnMut(&MessageWebSocket, Result<Received, Error>) + Send + 'static,
    ) -> Self {
        self.handlers = self.handlers.on_message_received(handler);
        self
    }

    /// The same with a handler that may wait, see [`Handlers::on_message_received_async`].
    #[must_use]
    pub fn on_message_received_async<F>(
        mut self,
        handler: impl FnMut(MessageWebSocket, Result<Received, Error>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.handlers = self.handlers.on_message_received_async(handler);
        self
    }

    /// Has `handler` called once when the connection has ended, see [`Handlers::on_closed`]
    /// (`Closed` in UWP). It is not called when none could be made.
    #[must_use]
    pub fn on_closed(mut self, handler: impl FnOnce(Closed) + Send + 'static) -> Self {
        self.handlers = self.handlers.on_closed(handler);
        self
    }

    /// The same with a handler that may wait.
    #[must_use]
    pub fn on_closed_async<F>(mut self, handler: impl FnOnce(Closed) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.handlers = self.handlers.on_closed_async(handler);
        self
    }

    /// Connects to a `ws://` address.
    ///
    /// # Errors
    /// By [`ErrorKind`](crate::ErrorKind): `InvalidArgument` for a setting or an address that
    /// cannot be (`wss://` too: pass a TLS stream to [`connect_over`](Self::connect_over));
    /// `NameNotResolved`; `CannotConnect` when all addresses failed, with the last one's error;
    /// `HandshakeRefused` with the server's [`response`](Error::response); `InvalidHandshake`;
    /// `ConnectionLost`; `Timeout`; `System` when there is no randomness.
    ///
    /// # Cancel safety
    /// Dropping the future ends the attempt and leaves no connection behind.
    pub async fn connect(self, uri: &str) -> Result<MessageWebSocket, Error> {
        let Self {
            options,
            receive_mode,
            handlers,
        } = self;
        into_socket(options.connect(uri).await?, receive_mode)?.with_handlers(handlers)
    }

    /// Does the opening handshake over a byte stream that is already there.
    ///
    /// `uri` names the host and resource to ask for; with `wss://` the stream is expected to be
    /// TLS. [`Timeouts::handshake`](crate::Timeouts::handshake) covers the handshake.
    ///
    /// # Errors
    /// As [`connect`](Self::connect), but for what concerns names and addresses.
    ///
    /// # Cancel safety
    /// Dropping the future drops the stream.
    pub async fn connect_over(
        self,
        stream: impl ByteStream + 'static,
        uri: &str,
    ) -> Result<MessageWebSocket, Error> {
        let Self {
            options,
            receive_mode,
            handlers,
        } = self;
        into_socket(options.connect_over(stream, uri).await?, receive_mode)?.with_handlers(handlers)
    }
}

fn into_socket(
    (opened, settings): (Opened, Settings),
    receive_mode: ReceiveMode,
) -> Result<MessageWebSocket, Error> {
    opened.into_message_socket(Settings {
        receive_mode,
        ..settings
    })
}
