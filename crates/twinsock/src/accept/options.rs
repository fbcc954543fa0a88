//! Settings of a server.

use std::io;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;
use twinsock_proto::handshake::server::{Origin, OriginPolicy, Policy};
use twinsock_proto::{
    Compression, DeflateTerms, Limits, ReceiveMode, Settings, TextPolicy, Timing,
};

use crate::accept::arrived::Arrived;
use crate::accept::handshake;
use crate::accept::pending::PendingHandshake;
use crate::driver::{ByteStream, CloseWithoutCode, StreamFraming};
use crate::error::Error;
use crate::message::MessageWebSocket;
use crate::opening::{Opened, Opening};
use crate::stream::{StreamOptions, StreamWebSocket};
use crate::tcp_options::{Nagle, TcpOptions};
use crate::timeout::Timeouts;

/// The settings with which a server accepts connections.
///
/// ```
/// # async fn run(stream: tokio::net::TcpStream) -> Result<(), twinsock::Error> {
/// use twinsock::AcceptOptions;
///
/// let options = AcceptOptions::new()
///     .protocol("chat.v2")?
///     .origin("https://game.example")?
///     .max_message_size(1 << 20);
/// let socket = options.accept(stream).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct AcceptOptions {
    policy: Policy,
    compression: Compression,
    limits: Limits,
    timeouts: Timeouts,
    unsolicited_pong: Option<Duration>,
    tcp: TcpOptions,
    receive_mode: ReceiveMode,
    stream: StreamOptions,
}

impl AcceptOptions {
    /// The defaults: no subprotocol, web pages of the same host only, 64 MiB messages.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a subprotocol that the server speaks, the preferred one first; none by default.
    ///
    /// The first one that the client offers too is chosen. When there is none, the connection
    /// opens without one.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when it is no token or
    /// was added before.
    pub fn protocol(mut self, protocol: &str) -> Result<Self, Error> {
        self.policy = self.policy.protocol(protocol.parse()?)?;
        Ok(self)
    }

    /// Allows web pages of another origin, such as `https://game.example`; by default only pages
    /// of the host itself may connect (RFC 6455 §10.2). Clients that send no `Origin` are no
    /// browsers and always may.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when it is not
    /// `scheme://host` with an optional port.
    pub fn origin(mut self, origin: &str) -> Result<Self, Error> {
        let origin: Origin = origin
            .parse()
            .map_err(|error| Error::invalid_argument(format!("{error}")))?;
        self.policy = self.policy.origin(origin);
        Ok(self)
    }

    /// Allows every page on the web to connect with its user's cookies: safe only where nothing
    /// depends on who the user is.
    #[must_use]
    pub fn any_origin_dangerously(mut self) -> Self {
        self.policy = self.policy.origins(OriginPolicy::AnyOriginDangerously);
        self
    }

    /// Adds a header to the response that opens the connection, such as `Set-Cookie`; none by
    /// default.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for one that cannot be,
    /// or that the handshake itself sets.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        self.policy = self.policy.header(name, value)?;
        Ok(self)
    }

    /// Compresses messages with clients that offer to, on these terms (permessage-deflate,
    /// RFC 7692); by default none is compressed.
    ///
    /// [`compression`](crate::compression) tells what it costs in memory, and where compressing
    /// gives secrets away.
    #[must_use]
    pub fn deflate(mut self, terms: DeflateTerms) -> Self {
        self.policy = self.policy.deflate(terms);
        self
    }

    /// What is compressed, where a client has agreed to, and how hard is tried; see
    /// [`Compression`] for the defaults.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// The largest message received, in bytes; 64 MiB by default, `None` for no limit. A larger
    /// one fails the connection with 1009.
    #[must_use]
    pub fn max_message_size(mut self, size: impl Into<Option<u64>>) -> Self {
        self.limits.max_message_size = size.into();
        self
    }

    /// How long is waited for what.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// How often a Pong goes out that nobody asked for (RFC 6455 §5.5.3,
    /// `Control.DesiredUnsolicitedPongInterval` in UWP); `None`, the default, for none.
    ///
    /// It keeps routers between the peers from forgetting the connection, and lets a dead network
    /// show as a failure to send. Whether the peer is there only a Ping finds out:
    /// [`Timeouts::keep_alive`](crate::Timeouts::keep_alive). Less than 1 s is raised to 1 s. Like
    /// all timers it runs while the application receives, or waits to send.
    #[must_use]
    pub fn unsolicited_pong_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.unsolicited_pong = interval.into();
        self
    }

    /// Turns Nagle's algorithm on for what a [`Listener`](crate::Listener) accepts
    /// (`Control.NoDelay = false` in UWP); by default it is off: `TCP_NODELAY` is set.
    ///
    /// The system then holds a small segment back until the client has confirmed the one before.
    /// The socket gathers messages by itself, so this hardly ever pays.
    #[must_use]
    #[doc(alias = "no_delay")]
    pub fn nagle(mut self) -> Self {
        self.tcp.nagle = Nagle::On;
        self
    }

    /// How many bytes the system may hold that the client has not confirmed, for what a
    /// [`Listener`](crate::Listener) accepts (`SO_SNDBUF`, `Control.OutboundBufferSizeInBytes` in
    /// UWP); the system's choice by default.
    ///
    /// Setting it turns off the system's own tuning of the buffer, so most programs leave it
    /// alone. The system brings it within its limits, and Linux doubles it for its bookkeeping.
    #[must_use]
    pub fn outbound_buffer_size(mut self, bytes: usize) -> Self {
        self.tcp.outbound_buffer_size = Some(bytes);
        self
    }

    /// Whether a message socket hands out messages whole or in parts before anything was received
    /// (`Control.ReceiveMode` in UWP), and what a handler for messages gets; whole by default.
    #[must_use]
    pub fn receive_mode(mut self, mode: ReceiveMode) -> Self {
        self.receive_mode = mode;
        self
    }

    /// How what is written to a stream socket becomes messages; one message per flush by default.
    #[must_use]
    pub fn framing(mut self, framing: StreamFraming) -> Self {
        self.stream.framing = framing;
        self
    }

    /// Has a stream socket take the bytes of text messages too, which fail the connection with
    /// 1003 by default.
    #[must_use]
    pub fn text_as_bytes(mut self) -> Self {
        self.stream.text = TextPolicy::Accept;
        self
    }

    /// Has a stream socket take a Close frame without a code for the end of the stream; by
    /// default it is an error.
    #[must_use]
    pub fn end_without_code(mut self) -> Self {
        self.stream.close_without_code = CloseWithoutCode::IsTheEnd;
        self
    }

    /// Does the opening handshake over `stream`.
    ///
    /// A client that is turned away gets an HTTP response that says why. On a TCP stream of your
    /// own set `TCP_NODELAY`: the socket gathers messages by itself.
    ///
    /// # Errors
    /// `InvalidHandshake` when the client was turned away; `ConnectionLost`;
    /// [`Timeout::Handshake`](crate::Timeout::Handshake) after
    /// [`Timeouts::accept`](crate::Timeouts::accept).
    ///
    /// # Cancel safety
    /// Dropping the future drops the stream.
    pub async fn accept(
        &self,
        stream: impl ByteStream + 'static,
    ) -> Result<MessageWebSocket, Error> {
        // Apart from the caller's future: that is as large as its largest state for as long as its
        // task lives, and a socket's task lives long.
        let opened = Box::pin(self.open(Arrived::over(stream))).await?;
        let settings = self.settings(&opened.opening);
        opened.into_message_socket(settings)
    }

    /// Does the opening handshake over `stream` for a socket that carries bytes.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// Dropping the future drops the stream.
    pub async fn accept_stream(
        &self,
        stream: impl ByteStream + 'static,
    ) -> Result<StreamWebSocket, Error> {
        let opened = Box::pin(self.open(Arrived::over(stream))).await?;
        let settings = self.settings(&opened.opening);
        opened.into_stream_socket(settings, self.stream_options())
    }

    /// Reads the client's request and leaves the decision to the caller.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// Dropping the future drops the stream.
    pub async fn receive_request(
        &self,
        stream: impl ByteStream + 'static,
    ) -> Result<PendingHandshake, Error> {
        Box::pin(self.receive_request_of(Arrived::over(stream))).await
    }

    pub(crate) async fn receive_request_of(
        &self,
        arrived: Arrived,
    ) -> Result<PendingHandshake, Error> {
        let requested = handshake::receive_request(arrived.stream, self).await?;
        let place = arrived.place;
        Ok(PendingHandshake::new(requested, self.clone(), place))
    }

    /// Does the opening handshake, for either socket.
    pub(crate) async fn open(&self, arrived: Arrived) -> Result<Opened, Error> {
        let requested = handshake::receive_request(arrived.stream, self).await?;
        let opened = handshake::accept(requested, self).await?;
        Ok(arrived.place.tell(opened))
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn settings(&self, opening: &Opening) -> Settings {
        Settings {
            deflate: opening.compressed(self.compression),
            limits: self.limits,
            timing: Timing {
                unsolicited_pong: self.unsolicited_pong,
                ..self.timeouts.into()
            },
            receive_mode: self.receive_mode,
            ..Settings::default()
        }
    }

    /// Sets the options of a TCP connection that was accepted.
    pub(crate) fn apply_to(&self, stream: &TcpStream) -> io::Result<()> {
        let socket = SockRef::from(stream);
        self.tcp.prepare(&socket)?;
        self.tcp.apply(&socket, self.timeouts.send)
    }

    pub(crate) fn stream_options(&self) -> StreamOptions {
        self.stream
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeouts.accept
    }
}
