//! A client's `StreamWebSocket` before it connects.

use twinsock_proto::{Closed, TextPolicy};

use crate::connect::{ConnectOptions, shared_settings};
use crate::driver::{ByteStream, CloseWithoutCode, StreamFraming};
use crate::error::Error;
use crate::events::Handlers;
use crate::stream::{StreamOptions, StreamWebSocket};

/// The settings of a client's [`StreamWebSocket`], made before it connects
/// (`StreamWebSocketControl` in UWP).
///
/// A value that cannot be, such as a header with a line end, is reported by `connect`.
///
/// ```
/// # async fn run() -> Result<(), twinsock::Error> {
/// use twinsock::{StreamFraming, StreamWebSocket};
///
/// let stream = StreamWebSocket::builder()
///     .header("X-File", "photo.raw")
///     .framing(StreamFraming::EndlessMessage)
///     .connect("ws://files.example/upload")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct StreamWebSocketBuilder {
    pub(crate) options: ConnectOptions,
    stream: StreamOptions,
    handlers: Handlers,
}

shared_settings!(StreamWebSocketBuilder);

impl StreamWebSocketBuilder {
    /// How what is written becomes messages; one message per flush by default.
    #[must_use]
    pub fn framing(mut self, framing: StreamFraming) -> Self {
        self.stream.framing = framing;
        self
    }

    /// Takes the bytes of text messages too, as UWP does; by default a text message fails the
    /// connection with 1003. Text that is not UTF-8 still fails it (RFC 6455 §8.1).
    #[must_use]
    pub fn text_as_bytes(mut self) -> Self {
        self.stream.text = TextPolicy::Accept;
        self
    }

    /// Takes a Close frame without a code (1005) for the end of the stream; by default it is an
    /// error, since dropped sockets send it.
    #[must_use]
    pub fn end_without_code(mut self) -> Self {
        self.stream.close_without_code = CloseWithoutCode::IsTheEnd;
        self
    }

    /// Has `handler` called once when the connection has ended, see
    /// [`StreamWebSocket::on_closed`] (`Closed` in UWP). It is not called when none could be made.
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
    /// As [`MessageWebSocketBuilder::connect`](crate::MessageWebSocketBuilder::connect).
    ///
    /// # Cancel safety
    /// Dropping the future ends the attempt and leaves no connection behind.
    pub async fn connect(self, uri: &str) -> Result<StreamWebSocket, Error> {
        let (opened, settings) = self.options.connect(uri).await?;
        let socket = opened.into_stream_socket(settings, self.stream)?;
        socket.with_handlers(self.handlers)
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
    ) -> Result<StreamWebSocket, Error> {
        let (opened, settings) = self.options.connect_over(stream, uri).await?;
        let socket = opened.into_stream_socket(settings, self.stream)?;
        socket.with_handlers(self.handlers)
    }
}
