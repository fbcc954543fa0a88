//! The socket for byte streams.

mod builder;
mod halves;
mod options;

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use twinsock_proto::{CloseCode, CloseReason, Closed};

use crate::accept::AcceptOptions;
use crate::compression::shared_compression;
use crate::driver::{ByteStream, Driver};
use crate::error::Error;
use crate::events::{self, ClosedHandler, Handlers};
use crate::information::{Information, shared_information};
use crate::opening::Opening;
pub use crate::stream::builder::StreamWebSocketBuilder;
pub use crate::stream::halves::{StreamReader, StreamWriter};
pub(crate) use crate::stream::options::StreamOptions;

/// A WebSocket that carries bytes like a TCP connection (`StreamWebSocket` in UWP).
///
/// It is an [`AsyncRead`], [`AsyncWrite`] and [`AsyncBufRead`]: what runs over a TCP stream runs
/// over it unchanged. It sends binary messages, and the borders between them mean nothing.
///
/// ```
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use twinsock::StreamWebSocket;
///
/// let mut stream = StreamWebSocket::connect("ws://files.example/upload").await?;
/// stream.write_all(b"the first bytes").await?;
/// stream.flush().await?;
/// let mut answer = [0; 2];
/// stream.read_exact(&mut answer).await?;
/// stream.shutdown().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Reading
/// Bytes are there as they arrive, also in the middle of a frame. Reading ends with `Ok(0)` when
/// the peer has closed with 1000 or 1001, and from then on always. Any other close code, and a
/// connection that ends without a Close frame, is an error: what was cut off never passes for
/// whole. A message without bytes is not an end. A text message fails the connection with 1003
/// unless [`text_as_bytes`](StreamWebSocketBuilder::text_as_bytes) was set.
///
/// # Writing
/// What is written is gathered, up to 64 KiB for a frame, and goes out as one binary message at
/// the next `flush`, see [`StreamFraming`](crate::StreamFraming). Without a flush it goes out when
/// the same task is about to wait in a read, a millisecond after the last write, or at the latest
/// after ten.
///
/// # The two directions
/// As over TCP, each direction ends by itself. [`AsyncWrite::poll_shutdown`] sends all that was
/// written and a Close frame with 1000; reading goes on until the peer's. After the peer's end
/// the application may go on writing: the answer to the Close frame is sent when it shuts down
/// too, or drops the socket (RFC 6455 §5.5.1 lets an endpoint delay it until its message is
/// sent).
///
/// # Memory
/// Whatever the sizes of frames and transfers: 64 KiB that were read, 64 KiB that were written
/// but not sent, and at most 128 KiB on their way to the network; another 64 KiB where
/// [`AsyncBufRead`] is used. An idle socket holds none of it.
///
/// # Who drives it
/// The calls themselves, as in a [`MessageWebSocket`](crate::MessageWebSocket): a Ping of the
/// peer is answered while a read, or a write that waits, is under way. After
/// [`attend`](Self::attend), or with a handler for its [end](Self::on_closed), it is answered as
/// long as the peer is no more than 64 KiB ahead of the application.
///
/// # Dropping
/// Dropping it never blocks: what was written goes out, though not as the end of a message, then
/// a Close frame without a code, which the peer's stream takes for an error. Where the peer has
/// ended before and all that was written was flushed, its Close is answered with its own code. To
/// end in order, [`shutdown`](Self::shutdown).
pub struct StreamWebSocket {
    reader: StreamReader,
    writer: StreamWriter,
}

impl StreamWebSocket {
    /// Connects to a `ws://` address with all settings at their defaults.
    ///
    /// At most five addresses of the name are tried, each for 60 s.
    ///
    /// # Errors
    /// See [`StreamWebSocketBuilder::connect`].
    ///
    /// # Cancel safety
    /// Dropping the future ends the attempt and leaves no connection behind.
    pub async fn connect(uri: &str) -> Result<Self, Error> {
        Self::builder().connect(uri).await
    }

    /// The settings that must be made before connecting (`StreamWebSocketControl` in UWP).
    #[must_use]
    pub fn builder() -> StreamWebSocketBuilder {
        StreamWebSocketBuilder::default()
    }

    /// Does the client's opening handshake over a byte stream that is already there: TLS, a
    /// tunnel, memory in a test. `uri` names the host and resource to ask for.
    ///
    /// # Errors
    /// See [`StreamWebSocketBuilder::connect_over`].
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
        AcceptOptions::default().accept_stream(stream).await
    }

    pub(crate) fn new(driver: Driver, opening: Opening, options: StreamOptions) -> Self {
        let information = Information::new(&driver, opening);
        let (reader, writer) = halves::of(Arc::new(driver), information, options);
        Self { reader, writer }
    }

    /// Sends all that was written and a Close frame with 1000, and waits for the peer's; what
    /// comes meanwhile is discarded.
    ///
    /// To go on reading instead, use [`AsyncWrite::poll_shutdown`], as
    /// [`tokio::io::copy_bidirectional`] does, or the [`StreamWriter`].
    ///
    /// # Errors
    /// [`Timeout::Close`](crate::Timeout::Close) when the peer does not answer in time, or the
    /// error that ended the connection before.
    ///
    /// # Cancel safety
    /// All that was written and the Close frame are queued at the first poll; dropping the future
    /// later stops the waiting, not the closing, and another call waits on.
    pub async fn shutdown(&mut self) -> Result<(), Error> {
        self.driver().close_stream(CloseReason::normal()).await
    }

    /// Like [`shutdown`](Self::shutdown) with a code and a reason of its own (`Close` in UWP).
    /// A peer that is a `StreamWebSocket` reads any other code than 1000 and 1001 as an error.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument), with nothing sent, for
    /// a code that must not be sent or a reason above 123 bytes; else as
    /// [`shutdown`](Self::shutdown).
    ///
    /// # Cancel safety
    /// As [`shutdown`](Self::shutdown).
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.writer.close(code, reason).await
    }

    /// Ends the connection at once: what waits to be sent is lost and the peer is told nothing.
    pub fn abort(self) {
        self.writer.abort();
    }

    /// Has a background task drive the socket from now on, so that Pings are answered,
    /// keep-alives sent and the end noticed whatever the application does.
    ///
    /// Up to 64 KiB are read ahead, then the peer has to wait; an end behind more than that is
    /// noticed when the application reads. Outside of a runtime it does nothing.
    pub fn attend(&self) {
        self.driver().attend();
    }

    /// Has `handler` called once when the connection has ended in both directions, however it
    /// did: see [`Closed`] (`Closed` in UWP, which tells less).
    ///
    /// From now on a task drives the socket as after [`attend`](Self::attend). It does not keep
    /// the connection open. Only when the runtime ends before the connection, the handler is not
    /// called. A handler that panics does no harm to anything else.
    ///
    /// # Errors
    /// [`ErrorKind::IllegalCall`](crate::ErrorKind::IllegalCall) when the socket has a handler
    /// already, or outside of a runtime; the socket is dropped then.
    pub fn on_closed(self, handler: impl FnOnce(Closed) + Send + 'static) -> Result<Self, Error> {
        self.with_closed_handler(ClosedHandler::of(handler))
    }

    /// The same with a handler that may wait.
    ///
    /// # Errors
    /// As [`on_closed`](Self::on_closed).
    pub fn on_closed_async<F>(
        self,
        handler: impl FnOnce(Closed) -> F + Send + 'static,
    ) -> Result<Self, Error>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.with_closed_handler(ClosedHandler::of_async(handler))
    }

    /// Of these a stream knows only that of the end.
    pub(crate) fn with_handlers(self, handlers: Handlers) -> Result<Self, Error> {
        match handlers.into_closed() {
            Some(handler) => self.with_closed_handler(handler),
            None => Ok(self),
        }
    }

    fn with_closed_handler(self, handler: ClosedHandler) -> Result<Self, Error> {
        events::spawn_for_closed(self.driver(), handler)?;
        Ok(self)
    }

    /// Sends a Ping with up to 125 bytes of payload; it may overtake bytes that were written and
    /// not flushed.
    ///
    /// The answer is noticed while the socket is driven, and gives the
    /// [`round_trip_time`](Self::round_trip_time). Pings of the keep-alive go out by themselves.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for a longer payload;
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed) when the socket is closing or closed, or
    /// the error that ended the connection.
    ///
    /// # Cancel safety
    /// A dropped `ping` has sent nothing, unless it was ready.
    pub async fn ping(&self, payload: &[u8]) -> Result<(), Error> {
        self.driver().ping(payload).await
    }

    /// Sends one Pong that nobody asked for, as
    /// [`unsolicited_pong_interval`](StreamWebSocketBuilder::unsolicited_pong_interval) does by
    /// itself (`WebSocketKeepAlive.Run` in UWP).
    ///
    /// The peer does not answer. While the last one still waits to go out, nothing is added.
    ///
    /// # Errors
    /// As [`ping`](Self::ping), but for the payload.
    ///
    /// # Cancel safety
    /// A dropped `send_keep_alive` has sent nothing, unless it was ready.
    pub async fn send_keep_alive(&self) -> Result<(), Error> {
        self.driver().send_keep_alive().await
    }

    /// Splits the socket into two owned halves; the connection ends when both are dropped.
    #[must_use]
    pub fn split(self) -> (StreamReader, StreamWriter) {
        let Self { reader, writer } = self;
        (reader.on_its_own(), writer)
    }

    /// How the connection ended: both codes and reasons, who began, clean or not; `None` while it
    /// has not ended in both directions.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.information().closed()
    }

    /// All that can be seen of the socket; a clone may be kept and asked at any time
    /// (`Information` in UWP).
    #[must_use]
    pub fn information(&self) -> &Information {
        self.writer.information()
    }

    fn driver(&self) -> &Driver {
        self.writer.driver()
    }
}

shared_compression!(StreamWebSocket);
shared_information!(StreamWebSocket);

/// Shows where it is connected and how it ended; never what was said.
impl fmt::Debug for StreamWebSocket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StreamWebSocket")
            .field("peer_address", &self.peer_address())
            .field("protocol", &self.protocol())
            .field("closed", &self.closed())
            .finish_non_exhaustive()
    }
}

impl AsyncRead for StreamWebSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        memory: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reader).poll_read(context, memory)
    }
}

impl AsyncBufRead for StreamWebSocket {
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Pin::new(&mut self.get_mut().reader).poll_fill_buf(context)
    }

    fn consume(mut self: Pin<&mut Self>, count: usize) {
        Pin::new(&mut self.reader).consume(count);
    }
}

impl AsyncWrite for StreamWebSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_shutdown(context)
    }
}
