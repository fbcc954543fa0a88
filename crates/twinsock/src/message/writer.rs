//! One message, written as a stream.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use twinsock_proto::{Compress, Connection, Fragment, MessageType};

use crate::driver::{Driver, Waiter};
use crate::error::Error;

/// One message, written piece by piece; see
/// [`MessageWebSocket::send_stream`](crate::MessageWebSocket::send_stream).
///
/// Only [`finish`](Self::finish) ends the message. Dropped without it after something was
/// written, the connection is given up with 1011, so that a truncated message never passes for a
/// whole one. What is written goes out in frames of 64 KiB, or at a flush; a text may be cut
/// anywhere.
///
/// ```
/// # async fn run(socket: twinsock::MessageWebSocket) -> Result<(), Box<dyn std::error::Error>> {
/// use twinsock::MessageType;
///
/// let mut file = tokio::fs::File::open("upload").await?;
/// let mut message = socket.send_stream(MessageType::Binary).await?;
/// tokio::io::copy(&mut file, &mut message).await?;
/// message.finish().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a message that is not finished ends the connection"]
pub struct MessageWriter<'a> {
    driver: &'a Driver,
    waiter: Waiter,
    message_type: MessageType,
    /// `None`: as the socket is set.
    compress: Option<Compress>,
    unsent: Vec<u8>,
    progress: Progress,
    /// Why a part could not be sent: the message cannot become whole any more.
    failure: Option<Error>,
}

/// How far the message has come.
#[derive(Clone, Copy, PartialEq)]
enum Progress {
    NothingWritten,
    Written,
    Finished,
}

impl<'a> MessageWriter<'a> {
    pub(super) fn new(driver: &'a Driver, message_type: MessageType) -> Self {
        Self {
            driver,
            waiter: driver.waiter(),
            message_type,
            compress: None,
            unsent: Vec::new(),
            progress: Progress::NothingWritten,
            failure: None,
        }
    }

    /// Text or binary.
    #[must_use]
    pub fn message_type(&self) -> MessageType {
        self.message_type
    }

    /// Has this message compressed as is said here, whatever holds for others. It has to be said
    /// before anything is written: afterwards all that is written fails with
    /// [`ErrorKind::IllegalCall`](crate::ErrorKind::IllegalCall).
    ///
    /// ```
    /// # async fn run(socket: twinsock::MessageWebSocket) -> Result<(), Box<dyn std::error::Error>> {
    /// use twinsock::{Compress, MessageType};
    ///
    /// let message = socket.send_stream(MessageType::Binary).await?;
    /// let mut photo = message.compress(Compress::Never);
    /// # tokio::io::copy(&mut tokio::io::empty(), &mut photo).await?;
    /// photo.finish().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn compress(mut self, compress: Compress) -> Self {
        if self.progress != Progress::NothingWritten {
            self.failure = Some(Error::illegal_call(
                "expected to be told whether to compress before anything is written, got it after",
            ));
        }
        self.compress = Some(compress);
        self
    }

    /// Ends the message: it is whole.
    ///
    /// # Errors
    /// When the connection is closing, closed or failed;
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when what was written to
    /// a text message is no UTF-8: the connection is given up then.
    ///
    /// # Cancel safety
    /// Dropping the future before it is ready drops the writer: an unfinished message ends the
    /// connection.
    pub async fn finish(mut self) -> Result<(), Error> {
        let writer = &mut self;
        poll_fn(|context| writer.poll_send(context, Fragment::Final)).await?;
        self.progress = Progress::Finished;
        Ok(())
    }

    /// Sends what was written as a frame.
    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        fragment: Fragment,
    ) -> Poll<Result<(), Error>> {
        let Self {
            driver,
            waiter,
            message_type,
            compress,
            unsent,
            failure,
            ..
        } = self;
        if let Some(failure) = failure {
            return Poll::Ready(Err(failure.clone()));
        }
        let sent = ready!(driver.poll_send_part(waiter, context, |connection| {
            let bytes = Bytes::from(std::mem::take(unsent));
            let send = |connection: &mut Connection| {
                connection.send_fragment(*message_type, fragment, bytes)
            };
            match *compress {
                Some(compress) => connection.with_compress(compress, send),
                None => send(connection),
            }
        }));
        *failure = sent.as_ref().err().cloned();
        Poll::Ready(sent)
    }
}

impl AsyncWrite for MessageWriter<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if self.unsent.len() >= MOST_UNSENT || self.failure.is_some() {
            ready!(self.poll_send(context, Fragment::Nonfinal))?;
        }
        let count = bytes.len().min(MOST_UNSENT - self.unsent.len());
        self.unsent.extend_from_slice(&bytes[..count]);
        self.progress = Progress::Written;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.unsent.is_empty() || self.failure.is_some() {
            ready!(self.poll_send(context, Fragment::Nonfinal))?;
        }
        let Self { driver, waiter, .. } = &mut *self;
        driver.poll_flush(waiter, context).map_err(io::Error::from)
    }

    /// Only flushes: the message is ended by [`MessageWriter::finish`] alone.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

impl Drop for MessageWriter<'_> {
    fn drop(&mut self) {
        match self.progress {
            Progress::Written => self.driver.abort_message(),
            Progress::NothingWritten | Progress::Finished => self.driver.end_message(),
        }
    }
}

impl fmt::Debug for MessageWriter<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MessageWriter")
            .field("message_type", &self.message_type)
            .finish_non_exhaustive()
    }
}

/// How much is gathered for one frame, in bytes.
const MOST_UNSENT: usize = 64 * 1024;
