//! Reading while nobody receives.

use std::task::{Poll, ready};

use twinsock_proto::{Event, ReceiveMode};

use crate::driver::engine::{Ahead, Engine, Unread, Wakes};

impl Engine {
    /// Reads on while a sender waits, so that the peer is not kept from reading in its turn. What
    /// is to be answered to what was read has gone out before it is pending.
    pub(super) fn poll_read_ahead(&mut self) -> Poll<()> {
        let read = self.poll_look_ahead();
        if read.is_pending() && self.connection.has_output() {
            let _ = self.poll_write();
        }
        read
    }

    /// Whole messages are kept in the inbox; in parts a message may be of any size, so reading
    /// ends at the first one. The peer's Close is left for the next receiver: what came before
    /// it may still be replied to.
    fn poll_look_ahead(&mut self) -> Poll<()> {
        if self.is_read_ahead_full() {
            self.ahead = Ahead::WaitsForReceiver;
            // One more read, and the core knows that it is we who do not read: it then does not
            // take the silence for the peer's.
            return match self.connection.has_unread_bytes() {
                true => Poll::Pending,
                false => self.poll_read(),
            };
        }
        let held_close = self.connection.holds_close();
        if self.take_ahead() {
            return Poll::Ready(());
        }
        if self.connection.closed().is_some() || self.connection.holds_close() {
            if !held_close {
                // Once: the sender that reads ahead is among those who wait.
                self.wakes = Wakes::Due;
            }
            if self.connection.closed().is_some() {
                return Poll::Pending;
            }
        }
        ready!(self.poll_read());
        // This task may find room and leave: then a receiver must look at what it read.
        self.wakes = Wakes::Due;
        Poll::Ready(())
    }

    /// Whether what was read ahead is as much as may be kept.
    fn is_read_ahead_full(&mut self) -> bool {
        if self.connection.has_lent_messages() {
            return true;
        }
        if self.unread == Unread::Discarded {
            return false;
        }
        match self.connection.receive_mode() {
            ReceiveMode::FullMessage => self.inbox.is_full(),
            ReceiveMode::PartialMessage => self.connection.has_event_ahead(),
        }
    }

    /// Takes a message into the inbox; `false` when none is there.
    fn take_ahead(&mut self) -> bool {
        let event = match self.unread {
            Unread::Kept => self.connection.poll_event_ahead(),
            // Nobody replies any more: the peer's Close is answered.
            Unread::Discarded => self.connection.poll_event(),
        };
        let Some(Event::MessageReceived(message)) = event else {
            return false;
        };
        if self.unread == Unread::Kept {
            self.inbox.push(message.into_owned());
            self.wakes = Wakes::Due;
        }
        true
    }
}
