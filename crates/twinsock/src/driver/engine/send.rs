//! Messages from those who send them.

use std::task::{Poll, ready};

use twinsock_proto::{AbortCause, Compress, Connection, ControlPayload, SendError};

use crate::driver::alarm;
use crate::driver::engine::attend::Attendant;
use crate::driver::engine::{Engine, MessageWriting, Output, Wakes};
use crate::driver::turn::Turn;
use crate::error::Error;

impl Engine {
    /// Ready when a message may be queued: there is room, and nobody is writing one in parts.
    pub(crate) fn poll_turn(&mut self) -> Poll<Result<(), Error>> {
        loop {
            ready!(self.poll_room())?;
            if self.message_writer == MessageWriting::Nobody {
                return Poll::Ready(Ok(()));
            }
            let _ = self.poll_write();
            if self.poll_read_ahead().is_pending() {
                ready!(self.poll_alarm());
            }
        }
    }

    /// Ready when there is room in the queue.
    pub(crate) fn poll_room(&mut self) -> Poll<Result<(), Error>> {
        loop {
            if !self.connection.is_open() {
                // The answer to the peer's Close, if it was just read.
                let _ = self.poll_write();
                return Poll::Ready(Err(self.not_open()));
            }
            if self.connection.has_room() {
                return Poll::Ready(Ok(()));
            }
            let _ = self.poll_write();
            if self.connection.has_room() || !self.connection.is_open() {
                continue;
            }
            if self.poll_read_ahead().is_pending() {
                ready!(self.poll_alarm());
            }
        }
    }

    /// Queues what `command` says, and writes it unless it may wait for more to come.
    pub(crate) fn send(
        &mut self,
        command: impl FnOnce(&mut Connection) -> Result<(), SendError>,
    ) -> Result<Output, Error> {
        command(&mut self.connection).map_err(|error| self.refused(error))?;
        Ok(self.settle_output())
    }

    /// Queues messages as part of a batch: the caller flushes.
    #[cfg(feature = "sink")]
    pub(crate) fn feed(
        &mut self,
        command: impl FnOnce(&mut Connection) -> Result<(), SendError>,
    ) -> Result<(), Error> {
        command(&mut self.connection).map_err(|error| self.refused(error))
    }

    pub(crate) fn ping(&mut self, payload: ControlPayload) -> Result<Output, Error> {
        // Those who wait have a new deadline: that of the answer.
        self.wakes = Wakes::Due;
        self.send(|connection| Ok(connection.ping(alarm::now(), payload)?))
    }

    // ---- a message in parts ----

    /// From now on other messages wait until [`end_message`](Self::end_message).
    pub(crate) fn begin_message(&mut self) -> Result<(), Error> {
        if self.connection.is_mid_message() {
            return Err(self.refused(SendError::MessageUnfinished));
        }
        self.message_writer = MessageWriting::UnderWay;
        Ok(())
    }

    /// The message is whole, or was never begun: others may be sent.
    pub(crate) fn end_message(&mut self) {
        self.message_writer = MessageWriting::Nobody;
        self.wakes = Wakes::Due;
    }

    /// The rest of the message will not come: the connection cannot go on.
    pub(crate) fn abort_message(&mut self) -> Output {
        self.end_message();
        self.abort_for(AbortCause::MessageUnfinished)
    }

    // ---- compression ----

    /// How messages that begin from now on are compressed.
    pub(crate) fn set_compress(&mut self, compress: Compress) {
        self.connection.set_compress(compress);
    }

    /// Gives back what zlib holds for later messages.
    pub(crate) fn release_deflate(&mut self) {
        self.connection.release_deflate();
    }

    // ---- corking ----

    /// A message goes out at once, unless more messages are about to follow it.
    ///
    /// More follow when received bytes wait to be handled (the application is in a loop of
    /// receiving and sending) or when one was sent before in the same turn. Such messages are
    /// gathered until a receiver is about to wait, or there are many; and if neither happens, a
    /// background task writes them as soon as the application's task pauses.
    fn settle_output(&mut self) -> Output {
        // The turn last: it asks the clock.
        let more_follow = self.connection.has_unread_bytes()
            || !self.inbox.is_empty()
            || self.attendant == Attendant::ForOutput
            || self.turn.goes_on();
        if !more_follow || !self.connection.has_room() {
            let _ = self.poll_write();
            self.turn = Turn::written_now();
        }
        self.call_attendant()
    }

    pub(super) fn refused(&self, error: SendError) -> Error {
        match error {
            SendError::NotOpen => self.not_open(),
            SendError::MessageUnfinished => Error::illegal_call(error.to_string()),
            SendError::InvalidUtf8 => Error::invalid_argument(error.to_string()),
        }
    }
}
