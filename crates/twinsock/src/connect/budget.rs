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
    timeouts: Timeouts,
    started: Instant,
}

impl Budget {
    pub(crate) fn new(timeouts: &Timeouts) -> Self {
        Self {
            timeouts: *timeouts,
            started: Instant::now(),
        }
    }

    /// Does `action`, or gives it up when its time is over.
    pub(crate) async fn spend<T>(
        &self,
        timeout: Timeout,
        action: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        self.within(timeout, action)
            .await
            .unwrap_or_else(|| Err(Error::timeout(timeout)))
    }

    /// Does `action`; `None` when its time is over first.
    pub(crate) async fn within<T>(
        &self,
        timeout: Timeout,
        action: impl Future<Output = T>,
    ) -> Option<T> {
        tokio::time::timeout(self.limit(timeout), action).await.ok()
    }

    /// A little before the time of such a step that begins now is over; `None` when that is beyond
    /// all reckoning.
    pub(crate) fn deadline(&self, timeout: Timeout) -> Option<Instant> {
        Instant::now().checked_add(self.limit(timeout).saturating_sub(MARGIN))
    }

    /// When the time for all steps is over; `None` when it never is.
    pub(crate) fn end(&self) -> Option<Instant> {
        self.started.checked_add(self.timeouts.overall?)
    }

    /// Whether no time is left for another step.
    pub(crate) fn is_spent(&self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    /// How long such a step may take that begins now.
    fn limit(&self, timeout: Timeout) -> Duration {
        let step = match timeout {
            Timeout::Resolve => self.timeouts.resolve,
            Timeout::Proxy => self.timeouts.proxy,
            Timeout::Tls => self.timeouts.tls,
            Timeout::Handshake => self.timeouts.handshake,
            _ => self.timeouts.connect,
        };
        self.left().map_or(step, |left| left.min(step))
    }

    /// What is left of the time for all steps.
    fn left(&self) -> Option<Duration> {
        self.timeouts
            .overall
            .map(|overall| overall.saturating_sub(self.started.elapsed()))
    }
}
