//! The clock that tells the core when a deadline has passed.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::runtime::{Handle, Id};
use tokio::time::Sleep;

/// One timer of the runtime for all deadlines of a connection.
///
/// A deadline that moves into the future with each byte costs nothing: the timer is left alone
/// and set anew only when it has run out.
#[derive(Debug, Default)]
pub(crate) struct Alarm(Option<Timer>);

/// A timer, and the runtime whose clock it follows.
#[derive(Debug)]
struct Timer {
    sleep: Pin<Box<Sleep>>,
    runtime: Id,
}

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
        let Ok(runtime) = Handle::try_current().map(|runtime| runtime.id()) else {
            return Poll::Pending;
        };
        // A timer of a runtime that has ended must not be touched.
        self.0.take_if(|timer| timer.runtime != runtime);
        let Timer { sleep, .. } = self.0.get_or_insert_with(|| Timer {
            sleep: Box::pin(tokio::time::sleep_until(deadline)),
            runtime,
        });
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
