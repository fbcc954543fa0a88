//! One message, read as a stream.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};
use twinsock_proto::{MessageType, ReceiveMode};

use crate::driver::{Driver, Waiter};
use crate::error::{Error, ErrorKind};
use crate::received::Received;

/// One message, to be read as it comes; see
/// [`MessageWebSocket::receive_stream`](crate::MessageWebSocket::receive_stream).
///
/// Reading ends with `Ok(0)` at the message's end. A connection that ends before is an error.
/// Dropped before the end, the rest of the message is passed over.
///
/// ```
/// # async fn run(socket: twinsock::MessageWebSocket) -> Result<(), Box<dyn std::error::Error>> {
/// let mut file = tokio::fs::File::create("download").await?;
/// while let Some(mut message) = socket.receive_stream().await? {
///     tokio::io::copy(&mut message, &mut file).await?;
/// }
/// # Ok(())
/// # }
/// ```
pub struct MessageReader<'a> {
    driver: &'a Driver,
    waiter: Waiter,
    message_type: MessageType,
    /// What has come and was not read.
    part: Bytes,
    rest: Rest,
}

/// Whether more of the message is to come.
#[derive(Clone, Copy, PartialEq)]
enum Rest {
    ToCome,
    Nothing,
}

impl<'a> MessageReader<'a> {
    pub(super) fn new(driver: &'a Driver, first: Received) -> Self {
        let mut reader = Self {
            driver,
            waiter: driver.waiter(),
            message_type: first.message_type(),
            part: Bytes::new(),
            rest: Rest::ToCome,
        };
        reader.take(first);
        reader
    }

    /// Text or binary; the bytes of a text are UTF-8.
    #[must_use]
    pub fn message_type(&self) -> MessageType {
        self.message_type
    }

    fn take(&mut self, part: Received) {
        if part.is_complete() {
            self.rest = Rest::Nothing;
        }
        self.part = part.into_bytes();
    }

    /// Ready when there are bytes, or the message has ended.
    fn poll_part(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.part.is_empty() && self.rest == Rest::ToCome {
            let received =
                self.driver
                    .poll_received(&mut self.waiter, context, ReceiveMode::PartialMessage);
            match ready!(received)? {
                Some(part) => self.take(part),
                None => return Poll::Ready(Err(self.cut_short().into())),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The peer closed in the midst of its message.
    fn cut_short(&self) -> Error {
        Error::new(
            ErrorKind::ConnectionLost,
            "expected the rest of the message, got the end of the connection",
        )
    }
}

impl AsyncRead for MessageReader<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        memory: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if memory.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_part(context))?;
        let count = self.part.len().min(memory.remaining());
        memory.put_slice(&self.part.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl AsyncBufRead for MessageReader<'_> {
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let reader = self.get_mut();
        ready!(reader.poll_part(context))?;
        Poll::Ready(Ok(&reader.part))
    }

    fn consume(mut self: Pin<&mut Self>, count: usize) {
        let count = count.min(self.part.len());
        self.part.advance(count);
    }
}

impl Drop for MessageReader<'_> {
    fn drop(&mut self) {
        if self.rest == Rest::ToCome {
            self.driver.skip_message();
        }
    }
}

impl fmt::Debug for MessageReader<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MessageReader")
            .field("message_type", &self.message_type)
            .finish_non_exhaustive()
    }
}
