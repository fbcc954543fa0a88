//! What is queued, to the network.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use twinsock_proto::Transmit;

use crate::driver::alarm;
use crate::driver::engine::{Engine, Wakes};
use crate::error::{Error, loss};

impl Engine {
    /// Ready when all that was sent is with the network.
    pub(crate) fn poll_flush(&mut self) -> Poll<Result<(), Error>> {
        loop {
            let is_written = self.poll_write().is_ready();
            if let Some(closed) = self.connection.closed() {
                return Poll::Ready(self.failure(closed).map_or(Ok(()), Err));
            }
            if is_written {
                return Poll::Ready(match &self.network_error {
                    Some(error) => Err(Error::connection_lost(Arc::clone(error))),
                    None => Ok(()),
                });
            }
            if self.poll_read_ahead().is_pending() {
                ready!(self.poll_alarm());
            }
        }
    }

    /// Writes what waits. Ready when nothing waits any more, or nothing can be written.
    pub(super) fn poll_write(&mut self) -> Poll<()> {
        let mut context = Context::from_waker(&self.waker);
        while let Some(transmit) = self.connection.poll_transmit() {
            let result = match transmit {
                Transmit::Bytes(queue) => self.transport.poll_write(&mut context, queue),
                Transmit::EndOfStream => {
                    self.transport.end();
                    continue;
                }
            };
            match result {
                Poll::Ready(Ok(count)) => {
                    self.connection.handle_transmitted(alarm::now(), count);
                }
                Poll::Ready(Err(error)) => return self.handle_send_error(error),
                Poll::Pending => {
                    self.connection.handle_transmitted(alarm::now(), 0);
                    return Poll::Pending;
                }
            }
        }
        match ready!(self.transport.poll_flush(&mut context)) {
            Ok(()) => Poll::Ready(()),
            Err(error) => self.handle_send_error(error),
        }
    }

    fn handle_send_error(&mut self, error: io::Error) -> Poll<()> {
        let loss = loss(&error);
        self.network_error.get_or_insert_with(|| Arc::new(error));
        self.connection.handle_send_failed(alarm::now(), loss);
        // Those who wait have a new deadline: that of the end.
        self.wakes = Wakes::Due;
        Poll::Ready(())
    }
}
