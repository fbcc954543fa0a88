//! What the background task does when no caller is there to do it.

use std::task::{Poll, ready};

use twinsock_proto::CloseReason;

use crate::driver::alarm;
use crate::driver::engine::{Engine, Output, Surface};
use crate::driver::turn::Turn;

/// The background task of a connection, and how long it stays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Attendant {
    Absent,
    /// Until what waits is written.
    ForOutput,
    /// Until the connection has ended.
    UntilTheEnd,
}

/// What attending came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Attended {
    /// The task is not needed any more.
    Done,
    /// A stream is being written: the task comes back when the writing has paused.
    WritingGoesOn,
}

impl Attendant {
    pub(super) fn is_called(self) -> bool {
        self != Self::Absent
    }
}

impl Engine {
    /// Has what waits written though no caller waits for it, and an end that is under way
    /// reached.
    pub(super) fn call_attendant(&mut self) -> Output {
        let is_left = self.connection.has_output()
            || self.transport.holds_back()
            || !self.unsent.is_empty()
            || self.is_ending();
        if !is_left || self.attendant.is_called() {
            return Output::Settled;
        }
        self.attendant = Attendant::ForOutput;
        Output::NeedsAttendant
    }

    /// Has the connection driven until its end, whatever the application does meanwhile.
    pub(crate) fn keep_attendant(&mut self) -> Output {
        let before = std::mem::replace(&mut self.attendant, Attendant::UntilTheEnd);
        if before.is_called() || self.connection.closed().is_some() {
            return Output::Settled;
        }
        Output::NeedsAttendant
    }

    /// Does what is to be done without a caller.
    pub(crate) fn poll_attend(&mut self) -> Poll<Attended> {
        while self.connection.closed().is_none() {
            self.push_due_message();
            let is_written = self.poll_write().is_ready();
            if is_written && !self.unsent.is_empty() {
                return Poll::Ready(Attended::WritingGoesOn);
            }
            if is_written && self.attendant != Attendant::UntilTheEnd && !self.is_ending() {
                break;
            }
            // What the peer answered meanwhile must be known before it is given up.
            if self.poll_read_ahead().is_ready() || self.answer_close_alone() {
                continue;
            }
            self.turn = Turn::Fresh;
            ready!(self.poll_alarm());
        }
        if self.connection.closed().is_some() {
            let _ = self.reach_end();
        }
        self.leave();
        Poll::Ready(Attended::Done)
    }

    /// Drives the connection beside an application that is busy with a message; never ready.
    pub(crate) fn poll_alongside(&mut self) -> Poll<()> {
        while self.connection.closed().is_none() {
            let _ = self.poll_write();
            if self.poll_read_ahead().is_pending() {
                ready!(self.poll_alarm());
            }
        }
        Poll::Pending
    }

    /// The background task will not come: writes what can be written at once.
    pub(crate) fn dismiss_attendant(&mut self) {
        if self.connection.closed().is_none() {
            self.push_unsent();
            let _ = self.poll_write();
        }
        self.leave();
    }

    /// Under the same lock: what is sent from now on needs another attendant.
    fn leave(&mut self) {
        self.attendant = Attendant::Absent;
        self.turn = Turn::Fresh;
    }

    /// Both Close frames are there, or the connection failed: only its end is awaited.
    fn is_ending(&self) -> bool {
        self.connection.ending().is_some() && self.connection.closed().is_none()
    }

    /// Answers the peer's Close when the application has received all that came before it; a
    /// stream's application may go on writing, and closes by itself.
    fn answer_close_alone(&mut self) -> bool {
        let is_awaited = matches!(self.surface, Surface::Stream(_))
            || self.attendant != Attendant::UntilTheEnd
            || !self.inbox.is_empty();
        if is_awaited || !self.connection.holds_close() {
            return false;
        }
        let _ = self.connection.close(alarm::now(), CloseReason::empty());
        true
    }
}
