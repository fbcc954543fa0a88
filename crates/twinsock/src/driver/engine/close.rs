//! The end of a connection.

use std::task::Poll;

use twinsock_proto::{AbortCause, CloseReason, Loss, ReceiveMode};

use crate::driver::alarm;
use crate::driver::engine::{End, Engine, Output, Owner, Surface, Unread, Wakes};
use crate::error::Error;
use crate::received::Received;

impl Engine {
    /// Begins to close; what comes until the peer's Close is still received.
    pub(crate) fn start_close(&mut self, reason: CloseReason) -> Output {
        if self.connection.close(alarm::now(), reason).is_err() {
            // Already closing: the first reason stands, and nobody learns anything new.
            return Output::Settled;
        }
        let _ = self.poll_write();
        self.wakes = Wakes::Due;
        self.call_attendant()
    }

    /// Ready when the connection has ended; messages that come until then are discarded.
    pub(crate) fn poll_closed(&mut self) -> Poll<Result<(), Error>> {
        self.unread = Unread::Discarded;
        self.inbox.clear();
        // The reader of a stream may go on behind a shutdown that it did not wait for.
        if self.surface == Surface::Messages || self.owner == Owner::Gone {
            self.connection.stop_inflating();
        }
        // In parts: what nobody asks for is not collected.
        self.poll_next::<Received>(ReceiveMode::PartialMessage)
            .map_ok(|_| ())
    }

    /// This endpoint gives the connection up.
    pub(crate) fn abort_for(&mut self, cause: AbortCause) -> Output {
        self.connection.abort(alarm::now(), cause);
        let _ = self.poll_write();
        self.wakes = Wakes::Due;
        self.call_attendant()
    }

    /// The owner is gone: says so to the peer. Ready when nothing more is to be done.
    pub(crate) fn abandon(&mut self) -> Poll<()> {
        self.owner = Owner::Gone;
        self.push_unsent();
        let _ = self.start_close(CloseReason::empty());
        self.poll_closed().map(|_| ())
    }

    /// The task that brought the connection to its end is gone: nobody else will.
    pub(crate) fn abort_if_abandoned(&mut self) {
        if self.owner == Owner::Gone && self.connection.closed().is_none() {
            self.abort();
        }
    }

    /// Lets the transport go at once; the peer is told nothing.
    pub(crate) fn abort(&mut self) {
        self.end_connection();
        self.end = End::Reached;
        self.transport.release();
        self.alarm.stop();
        self.unsent.clear();
        // On a closed connection this finds nothing, and discards what had come of a message.
        let _ = self.connection.has_event_ahead();
        self.give_memory_back();
    }

    /// Without a transport nothing goes on: the connection is closed too.
    fn end_connection(&mut self) {
        let now = alarm::now();
        // Also when it is closed already: whoever keeps an eye on it keeps no unsent messages.
        self.connection.handle_send_failed(now, Loss::EndOfStream);
        if self.connection.closed().is_some() {
            return;
        }
        self.connection.abort(now, AbortCause::Requested);
        self.connection.handle_loss(now, Loss::EndOfStream);
        self.wakes = Wakes::Due;
    }

    /// The connection is closed: sends what can still go out, and lets the transport go.
    pub(super) fn reach_end(&mut self) -> Result<(), Error> {
        if self.end != End::Reached {
            let _ = self.poll_write();
            self.abort();
            self.wakes = Wakes::Due;
        }
        self.closed()
            .and_then(|closed| self.failure(closed))
            .map_or(Ok(()), Err)
    }
}
