//! Bytes from those who write a stream.

use std::io::IoSlice;
use std::task::{Poll, ready};
use std::time::Instant;

use twinsock_proto::{CloseReason, Fragment};

use crate::driver::alarm;
use crate::driver::engine::{Engine, Output, Surface, Wakes};
use crate::driver::unsent::StreamFraming;
use crate::error::Error;

impl Engine {
    /// Takes as much of `slices` as there is room for.
    pub(crate) fn poll_write_bytes(
        &mut self,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<(usize, Output), Error>> {
        if self.unsent.is_full() {
            ready!(self.poll_room())?;
            self.send_unsent(self.unsent.fragment_when_full())?;
            let _ = self.poll_write();
        } else if !self.connection.is_open() {
            return Poll::Ready(Err(self.not_open()));
        }
        let count = self.unsent.push(slices, &mut self.connection);
        Poll::Ready(Ok((count, self.call_attendant())))
    }

    /// Ready when all that was written is a message, and with the network.
    pub(crate) fn poll_flush_bytes(&mut self) -> Poll<Result<(), Error>> {
        if self.has_unsent_message() {
            ready!(self.poll_room())?;
            self.send_unsent(self.unsent.fragment_at_flush())?;
        }
        self.poll_flush()
    }

    /// Queues all that was written, whatever room there is, and ends its message.
    pub(crate) fn finish_bytes(&mut self) {
        let is_unfinished = !self.unsent.is_empty() || self.connection.is_mid_message();
        if is_unfinished && self.connection.is_open() {
            // An endless message ends here too.
            let _ = self.send_unsent(Fragment::Final);
        }
    }

    /// Ready when a Close frame is queued, behind all that was written.
    pub(crate) fn poll_end_bytes(&mut self) -> Poll<Result<Output, Error>> {
        if !self.connection.is_open() {
            // Ended before: whoever waits for that wakes nobody else.
            return Poll::Ready(match self.unsent.is_empty() {
                true => Ok(Output::Settled),
                false => Err(self.not_open()),
            });
        }
        ready!(self.poll_room())?;
        self.finish_bytes();
        let _ = self
            .connection
            .close_sending(alarm::now(), CloseReason::normal());
        self.wakes = Wakes::Due;
        let _ = self.poll_write();
        Poll::Ready(Ok(self.call_attendant()))
    }

    /// The writer is gone without saying that it has said all, and the reader is not: what was
    /// written goes out, and a Close frame without a code, which no stream takes for the end.
    pub(crate) fn cut_writing(&mut self) -> Output {
        if !self.connection.is_open() {
            return Output::Settled;
        }
        self.push_unsent();
        let _ = self
            .connection
            .close_sending(alarm::now(), CloseReason::empty());
        let _ = self.poll_write();
        self.wakes = Wakes::Due;
        self.call_attendant()
    }

    /// When what was written is sent without a flush; `None` when nothing waits, or it cannot be
    /// sent now.
    pub(super) fn unsent_due(&self) -> Option<Instant> {
        self.unsent.due().filter(|_| self.may_send())
    }

    /// Sends what was written a while ago as if it were flushed.
    pub(super) fn push_due_message(&mut self) {
        if self.unsent.due().is_some_and(|due| due <= alarm::now()) {
            self.push_unsent_message();
        }
    }

    /// Sends what was written as if it were flushed, if there is room.
    pub(super) fn push_unsent_message(&mut self) {
        if self.may_send() && self.has_unsent_message() {
            let _ = self.send_unsent(self.unsent.fragment_at_flush());
        }
    }

    /// Sends what was written, whatever room there is, as the beginning of more: the message is
    /// not passed for a whole one.
    pub(super) fn push_unsent(&mut self) {
        if !self.unsent.is_empty() && self.connection.is_open() {
            let _ = self.send_unsent(Fragment::Nonfinal);
        }
    }

    fn may_send(&self) -> bool {
        self.connection.is_open() && self.connection.has_room()
    }

    /// Whether a flush has something to send or to end.
    fn has_unsent_message(&self) -> bool {
        let ends_message = self.surface == Surface::Stream(StreamFraming::MessagePerFlush);
        !self.unsent.is_empty() || (ends_message && self.connection.is_mid_message())
    }

    fn send_unsent(&mut self, fragment: Fragment) -> Result<(), Error> {
        let bytes = self.unsent.take(fragment, &mut self.connection);
        self.connection
            .send_bytes(fragment, bytes)
            .map_err(|error| self.refused(error))
    }
}
