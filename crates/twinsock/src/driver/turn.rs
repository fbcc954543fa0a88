//! Whether messages follow each other closely.

use std::time::{Duration, Instant};

use crate::driver::alarm;

/// How far the sending side has come since it last paused: the first message of a turn is
/// written at once, those that follow it are gathered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Turn {
    /// Nothing was sent.
    Fresh,
    /// A message was sent, and written at once, at this time.
    Written(Instant),
}

impl Turn {
    pub(crate) fn written_now() -> Self {
        Self::Written(alarm::now())
    }

    /// Whether a message that is sent now follows another one closely.
    pub(crate) fn goes_on(self) -> bool {
        match self {
            Self::Fresh => false,
            Self::Written(at) => alarm::now().saturating_duration_since(at) < LONGEST_TURN,
        }
    }
}

/// A task that was silent for so long has paused, though nobody was there to notice it.
const LONGEST_TURN: Duration = Duration::from_millis(1);
