//! How much time the steps of connecting have.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::Error;
use crate::timeout::{Timeout, Timeouts};

/// What is kept of a step's time for telling what came of it.
const MARGIN: Duration = Duration::from_millis(20);

/// The time for each step, and for all of them together.
#[derive(Debug)]
pub(crate) struct Budget {
    /// For one address, and again for the handshake.
    step: Duration,
    overall: Option<Duration>,
    started: Instant,
}

impl Budget {
    pub(crate) fn new(timeouts: &Timeouts) -> Self {
        Self {
            step: timeouts.connect,
            overall: timeouts.overall,
            started: Instant::now(),
        }
    }

    /// Does `action`, or gives it up when its time is over.
    pub(crate) async fn spend<T>(
        &self,
        timeout: Timeout,
        action: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let left = self.left();
        // The system's resolver has time limits of its own.
        let step = if timeout == Timeout::Resolve {
            None
        } else {
            Some(self.step)
        };
        match [left, step].into_iter().flatten().min() {
            Some(limit) => tokio::time::timeout(limit, action)
                .await
                .unwrap_or_else(|_| Err(Error::timeout(timeout))),
            None => action.await,
        }
    }

    /// A little before the time of a step that begins now is over; `None` when that is beyond
    /// all reckoning.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let left = self.left();
        let limit = left.map_or(self.step, |left| left.min(self.step));
        Instant::now().checked_add(limit.saturating_sub(MARGIN))
    }

    /// Whether no time is left for another step.
    pub(crate) fn is_spent(&self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    /// What is left of the time for all steps.
    fn left(&self) -> Option<Duration> {
        self.overall
            .map(|overall| overall.saturating_sub(self.started.elapsed()))
    }
}
