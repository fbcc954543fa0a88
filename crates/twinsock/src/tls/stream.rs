//! A byte stream in TLS.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use rustls::CommonState;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// TLS over `S`. When it is dropped the peer is told, if that needs no waiting: without a
/// close_notify it could not tell the end from an attack (RFC 8446 §6.1).
pub(crate) struct TlsStream<S: AsyncRead + AsyncWrite + Unpin> {
    stream: tokio_rustls::TlsStream<S>,
    our_end: OurEnd,
}

/// How much one write may take: more than a frame of 64 KiB with its header, of which rustls' own
/// limit would leave a rest for a record, and a system call, of its own.
const BUFFER_LIMIT: usize = 128 * 1024;

#[derive(PartialEq)]
enum OurEnd {
    Untold,
    Told,
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    pub(crate) fn new(stream: impl Into<tokio_rustls::TlsStream<S>>) -> Self {
        let mut stream = stream.into();
        match &mut stream {
            tokio_rustls::TlsStream::Client(stream) => {
                stream.get_mut().1.set_buffer_limit(Some(BUFFER_LIMIT));
            }
            tokio_rustls::TlsStream::Server(stream) => {
                stream.get_mut().1.set_buffer_limit(Some(BUFFER_LIMIT));
            }
        }
        Self {
            stream,
            our_end: OurEnd::Untold,
        }
    }

    /// What was agreed on.
    pub(crate) fn state(&self) -> &CommonState {
        self.stream.get_ref().1
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.stream).poll_shutdown(context));
        self.our_end = OurEnd::Told;
        Poll::Ready(result)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Drop for TlsStream<S> {
    fn drop(&mut self) {
        if self.our_end == OurEnd::Untold {
            let mut context = Context::from_waker(Waker::noop());
            let _ = Pin::new(&mut self.stream).poll_shutdown(&mut context);
        }
    }
}
