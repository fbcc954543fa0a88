//! What a library has to offer to be measured.

use std::error::Error;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

/// A result whose error is only ever printed.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// A byte stream that every library can run over.
pub(crate) trait ByteStream: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static> ByteStream for T {}

/// Text or binary.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Binary,
}

/// Which workloads a library takes part in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Everything,
    /// Parsing and serialising only.
    Memory,
}

/// A library under test: how it takes over a byte stream, with its opening handshake.
pub(crate) trait Library: 'static {
    /// As the table calls it.
    const NAME: &'static str;
    /// The package whose version is printed.
    const PACKAGE: &'static str;
    /// When a sent message goes out, in the library's plain loop.
    const FLUSH: &'static str;
    const PART: Part = Part::Everything;

    type Server<S: ByteStream>: Socket;
    type Client<S: ByteStream>: Socket;

    async fn accept<S: ByteStream>(stream: S) -> Outcome<Self::Server<S>>;
    async fn connect<S: ByteStream>(stream: S) -> Outcome<Self::Client<S>>;
}

/// An open WebSocket of the library under test.
pub(crate) trait Socket {
    /// A message that is sent again and again, in the form that costs the library least while
    /// the application keeps its data: a client has to mask a copy.
    type Prepared;

    fn prepare(kind: Kind, payload: &Bytes) -> Outcome<Self::Prepared>;

    /// The length of the next message, whole, unmasked and checked; `None` at the end.
    async fn receive(&mut self) -> Outcome<Option<usize>>;

    /// Sends as the library's documentation does it in a plain loop.
    async fn send(&mut self, message: &Self::Prepared) -> Outcome<()>;

    /// Queues a message; it may stay in the library until [`flush`](Self::flush).
    async fn feed(&mut self, message: &Self::Prepared) -> Outcome<()>;

    async fn flush(&mut self) -> Outcome<()>;

    /// One turn of the plain echo loop: receives a message and sends this very message back.
    async fn echo(&mut self) -> Outcome<Option<usize>>;
}
