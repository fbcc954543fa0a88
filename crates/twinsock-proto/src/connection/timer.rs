//! Named deadlines.

use std::time::Instant;

/// A deadline that is set and cleared as the connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The peer's Close, or the end of the stream after it.
    Close,
    /// The network takes bytes that wait.
    Send,
    /// The message under way goes on.
    Receive,
}

impl Timer {
    pub(crate) const ALL: [Self; 3] = [Self::Close, Self::Send, Self::Receive];
}

/// The deadline of each timer that runs.
#[derive(Debug, Default)]
pub(crate) struct TimerTable([Option<Instant>; Timer::ALL.len()]);

impl TimerTable {
    pub(crate) fn set(&mut self, timer: Timer, deadline: Option<Instant>) {
        self.0[timer as usize] = deadline;
    }

    pub(crate) fn clear(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    pub(crate) fn clear_all(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.0[timer as usize].is_some()
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// Clears and returns a timer whose deadline has passed.
    pub(crate) fn take_expired(&mut self, now: Instant) -> Option<Timer> {
        let expired = Timer::ALL
            .into_iter()
            .find(|&timer| self.0[timer as usize].is_some_and(|deadline| deadline <= now))?;
        self.clear(expired);
        Some(expired)
    }
}
