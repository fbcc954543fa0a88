//! What a socket runs over.

use std::io;
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A byte stream in both directions that a socket may run over: TCP, TLS, a tunnel, or memory in
/// a test. Every type that fits has it by itself.
///
/// ```
/// fn may_carry_a_socket(_: impl twinsock::ByteStream) {}
///
/// let (stream, _) = tokio::io::duplex(1024);
/// may_carry_a_socket(stream);
/// ```
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// The byte stream of a socket until it is let go.
pub(crate) struct Transport {
    stream: Option<Box<dyn ByteStream>>,
    unflushed: Unflushed,
}

/// Whether the stream may hold bytes back, as TLS does.
#[derive(Clone, Copy, PartialEq)]
enum Unflushed {
    Nothing,
    Bytes,
}

impl Transport {
    pub(crate) fn new(stream: Box<dyn ByteStream>) -> Self {
        Self {
            stream: Some(stream),
            unflushed: Unflushed::Nothing,
        }
    }

    /// Reads once; zero bytes are the end of the stream.
    pub(crate) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        mut memory: impl BufMut,
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Some(stream) => pin!(stream.read_buf(&mut memory)).poll(context),
            None => Poll::Ready(Ok(0)),
        }
    }

    /// Writes once, all chunks together where the stream can, and takes off what was written.
    pub(crate) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &mut impl Buf,
    ) -> Poll<io::Result<usize>> {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        self.unflushed = Unflushed::Bytes;
        match pin!(stream.write_buf(bytes)).poll(context) {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            result => result,
        }
    }

    /// Sends what the stream holds back.
    pub(crate) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) if self.unflushed == Unflushed::Bytes => {
                let result = pin!(stream.flush()).poll(context);
                if matches!(result, Poll::Ready(Ok(()))) {
                    self.unflushed = Unflushed::Nothing;
                }
                result
            }
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Ends our side.
    pub(crate) fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) => pin!(stream.shutdown()).poll(context),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Lets the stream go.
    pub(crate) fn release(&mut self) {
        self.stream = None;
    }
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = if self.stream.is_some() {
            "open"
        } else {
            "released"
        };
        write!(formatter, "Transport({state})")
    }
}
