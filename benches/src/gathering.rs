//! Batching for a library that writes each message: a byte stream that gathers what is written, and
//! writes it when its reader would wait.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::library::ByteStream;

/// What is gathered at most; what is larger goes straight through.
const ROOM: usize = 64 << 10;

pub(crate) struct Gathering<S> {
    stream: S,
    gathered: Vec<u8>,
    /// How much of it is written.
    written: usize,
}

impl<S: ByteStream> Gathering<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            gathered: Vec::with_capacity(ROOM),
            written: 0,
        }
    }

    fn poll_write_gathered(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.gathered.len() {
            let rest = &self.gathered[self.written..];
            self.written += ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
        }
        self.gathered.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}

impl<S: ByteStream> AsyncRead for Gathering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        memory: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, memory);
        if read.is_pending() {
            // Where the peer takes no more, its reading wakes the task too.
            if let Poll::Ready(written) = self.poll_write_gathered(context) {
                written?;
            }
        }
        read
    }
}

impl<S: ByteStream> AsyncWrite for Gathering<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.as_mut()
            .poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length: usize = slices.iter().map(|slice| slice.len()).sum();
        if self.gathered.len() + length > ROOM {
            ready!(self.poll_write_gathered(context))?;
        }
        if length > ROOM {
            return Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        }
        for slice in slices {
            self.gathered.extend_from_slice(slice);
        }
        Poll::Ready(Ok(length))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// A library that flushes each message is not to be taken at its word.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_gathered(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
