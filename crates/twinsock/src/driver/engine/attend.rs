//! What the background task does when no caller is there to do it.

use std::task::{Poll, ready};

use twinsock_proto::CloseReason;

use crate::driver::alarm;
use crate::driver::engine::{Engine, Handled, Output, Surface, Wakes};
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
        if is_left && self.is_attended() {
            // Whoever stays until the end may be asleep.
            self.wakes = Wakes::Due;
        }
        if !is_left || self.is_attended() || self.attendant.is_called() {
            return Output::Settled;
        }
        self.attendant = Attendant::ForOutput;
        Output::NeedsAttendant
    }

    /// Whether a background task brings the connection to its end.
    pub(super) fn is_attended(&self) -> bool {
        self.attendant == Attendant::UntilTheEnd || self.handled == Handled::Messages
    }

    /// The owner is gone. `true` when a background task is there to see to the end.
    pub(crate) fn leave_to_attendant(&mut self) -> bool {
        self.wakes = Wakes::Due;
        self.is_attended()
    }

    /// Has the connection driven until its end, whatever the application does meanwhile.
    pub(crate) fn keep_attendant(&mut self) -> Output {
        if self.handled == Handled::Messages {
            return Output::Settled;
        }
        let before = std::mem::replace(&mut self.attendant, Attendant::UntilTheEnd);
        if before.is_called() || self.connection.closed().is_some() {
            return Output::Settled;
        }
        Output::NeedsAttendant
    }

    /// Does what is to be done without a caller. Ready when the task is not needed any more.
    pub(crate) fn poll_attend(&mut self) -> Poll<()> {
        while self.connection.closed().is_none() {
            self.push_due_message();
            let is_written = self.poll_write().is_ready() && !self.can_send_unsent();
            let stays =
                self.attendant == Attendant::UntilTheEnd && self.handled != Handled::Messages;
            if is_written && !stays && !self.is_ending() {
                break;
            }
            // What the peer answered meanwhile must be known before it is given up.
            if self.poll_read_ahead().is_ready() || self.answer_close_alone() {
                continue;
            }
            self.turn = Turn::Fresh;
            ready!(self.poll_alarm_until(self.unsent_due()));
        }
        if self.connection.closed().is_some() {
            let _ = self.reach_end();
        }
        self.leave();
        Poll::Ready(())
    }

    /// Drives the connection beside a handler that is busy; never ready.
    pub(crate) fn poll_alongside(&mut self) -> Poll<()> {
        while self.connection.closed().is_none() {
            let _ = self.poll_write();
            if self.poll_read_ahead().is_pending() {
                self.turn = Turn::Fresh;
                ready!(self.poll_alarm());
            }
        }
        let _ = self.reach_end();
        Poll::Pending
    }

    /// Whether anything written is still to be sent; where it cannot be, it stays, so that a
    /// shutdown tells what was lost.
    fn can_send_unsent(&self) -> bool {
        self.connection.is_open() && !self.unsent.is_empty()
    }

    /// The background task will not come: writes what can be written at once.
    pub(crate) fn dismiss_attendant(&mut self) {
        if self.connection.closed().is_none() {
            self.push_unsent();
            let _ = self.poll_write();
        }
        self.abort_if_abandoned();
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
