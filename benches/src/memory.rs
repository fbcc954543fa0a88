//! The other side in memory: a byte stream that does the handshake, hands out frames built
//! beforehand and forgets what is written.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::compression::Takeover;
use crate::frames::Frames;
use crate::opening;
use crate::workload::Role;

/// What one read gives at most, as from a socket.
const READ: usize = 64 << 10;

/// Handed out without end.
pub(crate) struct MemoryStream {
    phase: Phase,
    /// `None` where the end follows the handshake.
    frames: Option<Frames>,
    position: usize,
    /// Waits for the library's part of the handshake.
    reader: Option<Waker>,
}

enum Phase {
    /// These bytes of the handshake are to be read.
    Offered(Bytes, Then),
    /// The library's part of the handshake is to be written.
    Awaited(Vec<u8>, Role),
    Open,
}

/// What follows when the offered bytes are read.
#[derive(Clone, Copy)]
enum Then {
    AwaitResponse,
    Open,
}

impl MemoryStream {
    /// The peer of a library in this `role`.
    pub(crate) fn new(role: Role, frames: Frames) -> Self {
        match role {
            Role::Server => Self::of_client(opening::REQUEST.as_bytes().into(), Some(frames)),
            Role::Client => Self {
                phase: Phase::Awaited(Vec::new(), role),
                frames: Some(frames),
                position: 0,
                reader: None,
            },
        }
    }

    /// A client that offers to compress.
    pub(crate) fn offering(takeover: Takeover, frames: Frames) -> Self {
        let request = opening::request_offering(takeover.extension());
        Self::of_client(request.into(), Some(frames))
    }

    /// A client that asks for a WebSocket, and ends when it has the response.
    pub(crate) fn of_one_request() -> Self {
        Self::of_client(opening::REQUEST.as_bytes().into(), None)
    }

    fn of_client(request: Bytes, frames: Option<Frames>) -> Self {
        Self {
            phase: Phase::Offered(request, Then::AwaitResponse),
            frames,
            position: 0,
            reader: None,
        }
    }

    fn read_frames(&mut self, memory: &mut ReadBuf<'_>) {
        let Some(frames) = &self.frames else {
            return;
        };
        let mut room = memory.remaining().min(READ);
        while room > 0 {
            let bytes = frames.at(self.position);
            let count = bytes.len().min(room);
            memory.put_slice(&bytes[..count]);
            self.position += count;
            room -= count;
        }
    }

    fn written(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Phase::Awaited(head, role) = &mut self.phase else {
            return Ok(());
        };
        head.extend_from_slice(bytes);
        if !opening::is_whole(head) {
            return Ok(());
        }
        self.phase = match role {
            Role::Server => Phase::Open,
            Role::Client => {
                let response = opening::response_to(head)
                    .map_err(|error| io::Error::other(error.to_string()))?;
                Phase::Offered(response.into(), Then::Open)
            }
        };
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Ok(())
    }
}

impl AsyncRead for MemoryStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        memory: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.phase {
            Phase::Open => self.read_frames(memory),
            Phase::Awaited(..) => {
                self.reader = Some(context.waker().clone());
                return Poll::Pending;
            }
            Phase::Offered(head, then) => {
                let count = head.len().min(memory.remaining());
                memory.put_slice(&head.split_to(count));
                if head.is_empty() {
                    self.phase = match then {
                        Then::AwaitResponse => Phase::Awaited(Vec::new(), Role::Server),
                        Then::Open => Phase::Open,
                    };
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for MemoryStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.written(bytes)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut count = 0;
        for slice in slices {
            self.written(slice)?;
            count += slice.len();
        }
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
