//! What a socket runs over.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

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
    our_end: OurEnd,
}

/// Whether our side of the stream is ended.
#[derive(Clone, Copy, PartialEq)]
enum OurEnd {
    Open,
    /// It is to be ended once the stream can.
    Due,
    Ended,
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
            our_end: OurEnd::Open,
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
        let is_one_chunk = bytes.chunk().len() == bytes.remaining();
        let written = match is_one_chunk {
            // A plain write costs the system less than a vectored one.
            true => {
                let written = ready!(Pin::new(stream).poll_write(context, bytes.chunk()));
                Poll::Ready(written.inspect(|&count| bytes.advance(count)))
            }
            false => pin!(stream.write_buf(bytes)).poll(context),
        };
        match written {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            result => result,
        }
    }

    /// Sends what the stream holds back, and ends our side if that is due.
    pub(crate) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(Ok(()));
        };
        if self.unflushed == Unflushed::Bytes {
            ready!(pin!(stream.flush()).poll(context))?;
            self.unflushed = Unflushed::Nothing;
        }
        if self.our_end == OurEnd::Due {
            // The peer may be gone already; its end of the stream is awaited anyhow.
            let _ = ready!(pin!(stream.shutdown()).poll(context));
            self.our_end = OurEnd::Ended;
        }
        Poll::Ready(Ok(()))
    }

    /// Whether a flush or the end of our side is still under way.
    pub(crate) fn holds_back(&self) -> bool {
        self.stream.is_some() && (self.unflushed == Unflushed::Bytes || self.our_end == OurEnd::Due)
    }

    /// Has our side ended behind all that was written.
    pub(crate) fn end(&mut self) {
        self.our_end = OurEnd::Due;
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
