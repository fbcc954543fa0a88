//! What a library has to offer to be measured.

use std::error::Error;
use std::future::Future;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::compression::{Compression, Takeover};
use crate::workload::Task;

/// A result whose error is only ever printed.
pub(crate) type Outcome<T> = Result<T, Failure>;

/// Why something could not be measured.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// A byte stream that every library can run over.
pub(crate) trait ByteStream: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static> ByteStream for T {}

/// Text or binary.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Binary,
}

/// What an entry is to the others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Part of this project.
    Ours,
    /// A library to compare with.
    Peer,
    /// No library: about the least that the machine has to do.
    Limit,
}

/// How a loop is batched by hand: what can be sent goes out when the reader would wait.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Batching {
    /// Its plain loop does that.
    PlainLoop,
    /// `feed` while there is input at hand, `flush` when there is none.
    FeedAndFlush,
    /// It writes each message: what it writes is gathered around its byte stream.
    GatheredWrites,
}

/// A library under test: how it takes over a byte stream, with its opening handshake.
pub(crate) trait Library: 'static {
    /// As the table calls it.
    const NAME: &'static str;
    /// The package whose version is printed.
    const PACKAGE: &'static str;
    const STANDING: Standing = Standing::Peer;
    /// When a sent message goes out, in the library's plain loop.
    const FLUSH: &'static str;
    const BATCHING: Batching;

    type Server<S: ByteStream>: Socket;
    type Client<S: ByteStream>: Socket;

    fn takes_part_in(_: Task) -> bool {
        true
    }

    fn accept<S: ByteStream>(stream: S) -> impl Future<Output = Outcome<Self::Server<S>>> + Send;

    fn connect<S: ByteStream>(stream: S) -> impl Future<Output = Outcome<Self::Client<S>>> + Send;

    /// The library's own handshake as a server; the socket that comes of it is dropped.
    fn answer_handshake<S: ByteStream>(stream: S) -> impl Future<Output = Outcome<()>> + Send;

    /// The library's own handshake as a client; the socket that comes of it is dropped.
    fn ask_handshake<S: ByteStream>(stream: S) -> impl Future<Output = Outcome<()>> + Send;
}

/// A library that compresses messages (RFC 7692).
pub(crate) trait Compressing: Library {
    type Compressed<S: ByteStream>: Socket;

    /// wtx always begins anew.
    fn has(_: Takeover) -> bool {
        true
    }

    /// As a server, for a client that offers `compression.takeover`: with windows of 15 bits,
    /// whatever the size of a message.
    fn accept_compressing<S: ByteStream>(
        stream: S,
        compression: Compression,
    ) -> impl Future<Output = Outcome<Self::Compressed<S>>> + Send;
}

/// An open WebSocket of the library under test.
pub(crate) trait Socket: Send + 'static {
    /// A message that is sent again and again, in the form that costs the library least while
    /// the application keeps its data: a client has to mask a copy.
    type Prepared: Send + Sync;

    fn prepare(kind: Kind, payload: &Bytes) -> Outcome<Self::Prepared>;

    /// The length of the next message, whole, unmasked and checked; `None` at the end.
    fn receive(&mut self) -> impl Future<Output = Outcome<Option<usize>>> + Send;

    /// Sends as the library's documentation does it in a plain loop.
    fn send(&mut self, message: &Self::Prepared) -> impl Future<Output = Outcome<()>> + Send;

    /// Queues a message; it may stay in the library until [`flush`](Self::flush).
    fn feed(&mut self, message: &Self::Prepared) -> impl Future<Output = Outcome<()>> + Send;

    fn flush(&mut self) -> impl Future<Output = Outcome<()>> + Send;

    /// One turn of the plain echo loop: receives a message and sends this very message back.
    fn echo(&mut self) -> impl Future<Output = Outcome<Option<usize>>> + Send;

    /// One turn of the loop that is batched by hand.
    fn echo_batched(&mut self) -> impl Future<Output = Outcome<Option<usize>>> + Send {
        self.echo()
    }
}
