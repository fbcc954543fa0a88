//! Messages, whole or in parts, to those who wait for them.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use twinsock_proto::{Loss, Message, ReceiveMode};

use crate::driver::alarm;
use crate::driver::engine::{Ahead, End, Engine, Unread, Wakes};
use crate::driver::memory;
use crate::driver::turn::Turn;
use crate::error::{Error, loss};
use crate::received::Handed;

impl Engine {
    /// The next message; `None` after the end.
    pub(crate) fn poll_message(&mut self) -> Poll<Result<Option<Message>, Error>> {
        self.poll_received(ReceiveMode::FullMessage)
    }

    /// The next message or part; `None` after the end.
    #[inline]
    pub(crate) fn poll_received<T: Handed>(
        &mut self,
        mode: ReceiveMode,
    ) -> Poll<Result<Option<T>, Error>> {
        self.require_no_handler()?;
        self.poll_next(mode)
    }

    /// The same, for whoever asks.
    #[inline]
    pub(super) fn poll_next<T: Handed>(
        &mut self,
        mode: ReceiveMode,
    ) -> Poll<Result<Option<T>, Error>> {
        ready!(self.poll_fairness());
        if self.connection.holds_close() {
            // It is answered now; its deadlines count from now, not from when it was read.
            self.connection.handle_timeout(alarm::now());
        }
        self.connection.set_receive_mode(mode);
        loop {
            if let Some(received) = self.take_received() {
                self.handed_out += 1;
                return Poll::Ready(Ok(Some(received)));
            }
            if self.connection.closed().is_some() {
                return Poll::Ready(self.reach_end().map(|()| None));
            }
            if self.poll_read().is_pending() {
                ready!(self.poll_pause());
            }
        }
    }

    /// Passes over what has not come of the message under way.
    pub(crate) fn skip_message(&mut self) {
        self.connection.skip_message();
        self.resume_reading_ahead();
    }

    /// A message or part that is already here.
    #[inline]
    fn take_received<T: Handed>(&mut self) -> Option<T> {
        self.resume_reading_ahead();
        if let Some(message) = self.inbox.pop() {
            if self.connection.holds_close() && self.is_attended() {
                // It is answered once the inbox is empty.
                self.wakes = Wakes::Due;
            }
            return Some(T::whole(message));
        }
        if self.unread == Unread::Discarded {
            while self.connection.poll_event().is_some() {}
            return None;
        }
        T::take(&mut self.connection)
    }

    /// The application takes something: a task that reads ahead may go on.
    pub(super) fn resume_reading_ahead(&mut self) {
        let is_here = !self.connection.has_lent_messages();
        if is_here && self.ahead == Ahead::WaitsForReceiver {
            self.ahead = Ahead::MayRead;
            self.wakes = Wakes::Due;
        }
    }

    /// Nothing is left to do but wait: sends what waits, then looks at the clock.
    ///
    /// Ready when something happened meanwhile.
    pub(super) fn poll_pause(&mut self) -> Poll<()> {
        self.turn = Turn::Fresh;
        let _ = self.poll_write();
        if self.connection.closed().is_some() {
            return Poll::Ready(());
        }
        self.poll_alarm()
    }

    /// Reads once. Pending also when the stream has ended, and now and then when a peer never
    /// pauses: then output and timers get their turn.
    pub(super) fn poll_read(&mut self) -> Poll<()> {
        ready!(self.poll_may_read());
        if self.connection.needs_memory() {
            self.connection.lend_memory(memory::take());
        }
        let mut context = Context::from_waker(&self.waker);
        let read = self
            .transport
            .poll_read(&mut context, self.connection.receive_memory());
        if ready!(self.handle_read(read)) > 0 {
            self.connection.handle_received(alarm::now());
        }
        Poll::Ready(())
    }

    /// Pending when there is nothing to read from, or it is the turn of output and timers.
    pub(super) fn poll_may_read(&mut self) -> Poll<()> {
        if self.connection.has_lent_messages() {
            self.ahead = Ahead::WaitsForReceiver;
            return Poll::Pending;
        }
        if self.end != End::No {
            return Poll::Pending;
        }
        if self.reads >= MOST_READS {
            self.reads = 0;
            self.wakes = Wakes::Due;
            return Poll::Pending;
        }
        self.reads += 1;
        Poll::Ready(())
    }

    /// How many bytes were read; the end and an error are seen to.
    pub(super) fn handle_read(&mut self, read: Poll<io::Result<usize>>) -> Poll<usize> {
        match read {
            Poll::Pending => {
                self.reads = 0;
                self.give_memory_back();
                return Poll::Pending;
            }
            Poll::Ready(Ok(count @ 1..)) => return Poll::Ready(count),
            Poll::Ready(Ok(0)) => self.handle_end_of_input(Loss::EndOfStream),
            Poll::Ready(Err(error)) => self.handle_read_error(error),
        }
        Poll::Ready(0)
    }

    pub(super) fn give_memory_back(&mut self) {
        if let Some(memory) = self.connection.take_idle_memory() {
            memory::give_back(memory);
        }
    }

    fn handle_read_error(&mut self, error: io::Error) {
        let loss = loss(&error);
        self.network_error.get_or_insert_with(|| Arc::new(error));
        self.handle_end_of_input(loss);
    }

    fn handle_end_of_input(&mut self, loss: Loss) {
        self.end = End::InputEnded;
        self.connection.handle_loss(alarm::now(), loss);
    }
}

/// How often is read before output and timers get their turn: 2 MiB.
const MOST_READS: u32 = 32;
