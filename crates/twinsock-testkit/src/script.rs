//! A byte stream that does what a script says: short reads and writes, pauses, resets.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What happens at one poll of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A read gives these bytes, as many as fit; the rest comes at the next.
    Bytes(Vec<u8>),
    /// A write takes at most so many bytes.
    Takes(usize),
    /// Not now; the task is woken at once.
    Pending,
    /// The connection was reset.
    Reset,
    /// The stream has ended.
    End,
}

/// A byte stream that follows two scripts, one for each direction.
///
/// A script for reading that is over leaves the reader waiting for ever; one for writing begins
/// anew, and an empty one takes everything.
///
/// ```
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use twinsock_testkit::script::{Script, Step};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let mut stream = Script::new([Step::Pending, Step::Bytes(b"hi".to_vec())], [Step::Takes(1)]);
/// let wire = stream.wire();
/// assert_eq!(stream.read_u8().await?, b'h');
/// assert_eq!(stream.write(b"you").await?, 1);
/// assert_eq!(wire.bytes(), b"y");
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Script {
    reads: VecDeque<Step>,
    writes: Vec<Step>,
    next_write: usize,
    shutdown: Vec<Step>,
    wire: Wire,
}

/// What was written to a [`Script`].
#[derive(Clone, Debug, Default)]
pub struct Wire(Arc<Mutex<Written>>);

#[derive(Debug, Default)]
struct Written {
    bytes: Vec<u8>,
    has_ended: bool,
    polls: usize,
}

impl Script {
    /// A stream that follows these scripts.
    pub fn new(
        reads: impl IntoIterator<Item = Step>,
        writes: impl IntoIterator<Item = Step>,
    ) -> Self {
        Self {
            reads: reads.into_iter().collect(),
            writes: writes.into_iter().collect(),
            next_write: 0,
            shutdown: Vec::new(),
            wire: Wire::default(),
        }
    }

    /// Ending our side takes these steps first, from the last to the first.
    #[must_use]
    pub fn with_shutdown(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.shutdown = steps.into_iter().collect();
        self
    }

    /// What is written from now on.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire.clone()
    }
}

impl Wire {
    /// All bytes so far.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.written().bytes.clone()
    }

    /// Whether our side was ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.written().has_ended
    }

    /// How often a write was tried.
    #[must_use]
    pub fn polls(&self) -> usize {
        self.written().polls
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_now<T>(context: &mut Context<'_>) -> Poll<T> {
    context.waker().wake_by_ref();
    Poll::Pending
}

impl AsyncRead for Script {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.reads.front_mut() {
            None => Poll::Pending,
            Some(Step::Bytes(bytes)) => {
                let count = bytes.len().min(buffer.remaining());
                buffer.put_slice(&bytes[..count]);
                bytes.drain(..count);
                if bytes.is_empty() {
                    self.reads.pop_front();
                }
                Poll::Ready(Ok(()))
            }
            Some(Step::Pending | Step::Takes(_)) => {
                self.reads.pop_front();
                not_now(context)
            }
            Some(Step::Reset) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            Some(Step::End) => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Script {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.wire.written().polls += 1;
        let step = match self.writes.len() {
            0 => Step::Takes(usize::MAX),
            length => self.writes[self.next_write % length].clone(),
        };
        self.next_write += 1;
        match step {
            Step::Takes(most) => {
                let count = bytes.len().min(most);
                self.wire.written().bytes.extend_from_slice(&bytes[..count]);
                Poll::Ready(Ok(count))
            }
            Step::Pending | Step::Bytes(_) => not_now(context),
            Step::Reset => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            // Never again, and nobody is told.
            Step::End => Poll::Pending,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.shutdown.pop().is_some() {
            return not_now(context);
        }
        self.wire.written().has_ended = true;
        Poll::Ready(Ok(()))
    }
}
