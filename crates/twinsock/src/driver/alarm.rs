//! The clock that tells the core when a deadline has passed.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::time::Sleep;

/// One timer of the runtime for all deadlines of a connection.
///
/// A deadline that moves into the future with each byte costs nothing: the timer is left alone
/// and set anew only when it has run out.
#[derive(Debug, Default)]
pub(crate) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Ready when `deadline` has passed; outside of a runtime there is no clock to wait for.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
        deadline: Option<Instant>,
    ) -> Poll<()> {
        let Some(deadline) = deadline.map(tokio::time::Instant::from_std) else {
            return Poll::Pending;
        };
        if Handle::try_current().is_err() {
            return Poll::Pending;
        }
        let sleep = self
            .0
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        while sleep.as_mut().poll(context).is_ready() {
            if sleep.deadline() >= deadline {
                self.0 = None;
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    /// Forgets the timer.
    pub(crate) fn stop(&mut self) {
        self.0 = None;
    }
}

/// The time as the core wants it; it follows the runtime's clock, also a paused one.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
