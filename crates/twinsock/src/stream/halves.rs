//! The two directions of a stream.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use twinsock_proto::{CloseCode, CloseReason, Closed};

use crate::compression::shared_compression;
use crate::driver::{BeforeWaiting, Driver, ReadAhead, StreamReading, Waiter};
use crate::error::Error;
use crate::information::Information;
use crate::stream::StreamOptions;

/// The half of a split [`StreamWebSocket`](crate::StreamWebSocket) that is read.
///
/// ```
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// let stream = twinsock::StreamWebSocket::connect("ws://echo.example/").await?;
/// let (mut reader, mut writer) = stream.split();
/// let answer = tokio::spawn(async move {
///     let mut answer = Vec::new();
///     reader.read_to_end(&mut answer).await.map(|_| answer)
/// });
/// writer.write_all(b"all there is").await?;
/// writer.shutdown().await?; // reading goes on until the peer has said all too
/// println!("{} bytes", answer.await??.len());
/// # Ok(())
/// # }
/// ```
pub struct StreamReader {
    driver: Arc<Driver>,
    information: Information,
    waiter: Waiter,
    reading: StreamReading,
    /// What was read for [`AsyncBufRead`] and is not consumed.
    ahead: ReadAhead,
}

/// The half of a split [`StreamWebSocket`](crate::StreamWebSocket) that is written; see
/// [`StreamReader`] for an example.
///
/// Its [`shutdown`](tokio::io::AsyncWriteExt::shutdown) sends all that was written and a Close
/// frame with 1000; the other half can be read until the peer's. Dropped without it, what was
/// written goes out and then a Close frame without a code, which the peer's stream takes for an
/// error: it is not told that this was all.
pub struct StreamWriter {
    driver: Arc<Driver>,
    information: Information,
    waiter: Waiter,
}

pub(super) fn of(
    driver: Arc<Driver>,
    information: Information,
    options: StreamOptions,
) -> (StreamReader, StreamWriter) {
    let reader = StreamReader {
        waiter: driver.waiter(),
        driver: Arc::clone(&driver),
        information: information.clone(),
        reading: StreamReading {
            before_waiting: BeforeWaiting::Send,
            close_without_code: options.close_without_code,
        },
        ahead: ReadAhead::default(),
    };
    let writer = StreamWriter {
        waiter: driver.waiter(),
        driver,
        information,
    };
    (reader, writer)
}

impl StreamReader {
    /// From now on somebody else writes.
    pub(super) fn on_its_own(mut self) -> Self {
        self.reading.before_waiting = BeforeWaiting::Leave;
        self
    }

    /// [`StreamWebSocket::closed`](crate::StreamWebSocket::closed).
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.information.closed()
    }

    /// [`StreamWebSocket::information`](crate::StreamWebSocket::information).
    #[must_use]
    pub fn information(&self) -> &Information {
        &self.information
    }
}

impl StreamWriter {
    /// [`StreamWebSocket::closed`](crate::StreamWebSocket::closed).
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.information.closed()
    }

    /// [`StreamWebSocket::information`](crate::StreamWebSocket::information).
    #[must_use]
    pub fn information(&self) -> &Information {
        &self.information
    }

    /// [`StreamWebSocket::close`](crate::StreamWebSocket::close): ends both directions.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        let reason = CloseReason::new(code, reason)?;
        self.driver.close_stream(reason).await
    }

    /// [`StreamWebSocket::abort`](crate::StreamWebSocket::abort): ends both directions.
    pub fn abort(self) {
        self.driver.abort();
    }

    pub(super) fn driver(&self) -> &Driver {
        &self.driver
    }
}

impl Drop for StreamWriter {
    fn drop(&mut self) {
        // Without a reader the connection ends as a whole, and says so itself.
        if Arc::strong_count(&self.driver) > 1 {
            self.driver.cut_writing();
        }
    }
}

impl AsyncRead for StreamReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        memory: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self {
            driver,
            waiter,
            reading,
            ahead,
            ..
        } = &mut *self;
        if memory.remaining() == 0 || ahead.move_to(memory) {
            return Poll::Ready(Ok(()));
        }
        driver
            .poll_read_bytes(waiter, context, (memory, *reading))
            .map_err(io::Error::from)
    }
}

impl AsyncBufRead for StreamReader {
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let Self {
            driver,
            waiter,
            reading,
            ahead,
            ..
        } = self.get_mut();
        if ahead.is_empty() {
            let read = {
                let mut memory = ahead.memory();
                driver.poll_read_bytes(waiter, context, (&mut memory, *reading))
            };
            if ahead.is_empty() {
                ahead.release();
            }
            ready!(read)?;
        }
        Poll::Ready(Ok(ahead.bytes()))
    }

    fn consume(mut self: Pin<&mut Self>, count: usize) {
        self.ahead.consume(count);
    }
}

shared_compression!(StreamWriter);

impl AsyncWrite for StreamWriter {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { driver, waiter, .. } = &mut *self;
        driver
            .poll_write_bytes(waiter, context, slices)
            .map_err(io::Error::from)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { driver, waiter, .. } = &mut *self;
        driver
            .poll_flush_bytes(waiter, context)
            .map_err(io::Error::from)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { driver, waiter, .. } = &mut *self;
        driver
            .poll_end_bytes(waiter, context)
            .map_err(io::Error::from)
    }
}

impl fmt::Debug for StreamReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StreamReader")
            .field("closed", &self.closed())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for StreamWriter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StreamWriter")
            .field("closed", &self.closed())
            .finish_non_exhaustive()
    }
}
