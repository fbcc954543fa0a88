//! The hold that a task with handlers has on a connection.

use std::sync::Arc;
use std::task::Context;

use twinsock_proto::{Closed, ReceiveMode};

use crate::driver::engine::{Engine, Handled};
use crate::driver::shared::Shared;
use crate::driver::wakers::Waiter;
use crate::error::Error;
use crate::received::Received;

/// What drives a connection for handlers. It does not keep the connection open: that ends with
/// its [`Driver`](crate::driver::Driver).
#[derive(Debug)]
pub(crate) struct Events {
    shared: Arc<Shared>,
    mode: ReceiveMode,
}

impl Events {
    pub(super) fn begin(shared: &Arc<Shared>, handled: Handled) -> Result<Self, Error> {
        let mode = shared.with_engine(|engine| engine.begin_events(handled))?;
        let shared = Arc::clone(shared);
        Ok(Self { shared, mode })
    }

    pub(crate) fn closed(&self) -> Option<Closed> {
        self.shared.closed()
    }

    /// The next message or part; `None` after the end.
    pub(crate) async fn receive(&self) -> Result<Option<Received>, Error> {
        self.shared
            .wait(|engine| engine.poll_event(self.mode))
            .await
    }

    /// Drives the connection until its end, while others receive.
    pub(crate) async fn attend(&self) {
        self.shared.wait(Engine::poll_attend).await;
    }

    /// Waits for the end; what comes until then is discarded.
    pub(crate) async fn reach_end(&self) {
        // How it ended is told to the handler of the end.
        let _ = self.shared.wait(Engine::poll_closed).await;
    }

    pub(crate) fn waiter(&self) -> Waiter {
        self.shared.waiter()
    }

    /// Drives the connection while a handler is busy.
    pub(crate) fn drive_alongside(&self, waiter: &mut Waiter, context: &mut Context<'_>) {
        let _ = self.shared.poll(waiter, context, Engine::poll_alongside);
    }

    /// Closes with 1011: the handler panicked.
    pub(crate) fn give_up(&self) {
        self.shared.with_engine(Engine::give_up_events);
    }
}

impl Drop for Events {
    /// The end is reached, or the runtime ends first.
    fn drop(&mut self) {
        if self.closed().is_none() {
            self.shared.with_engine(Engine::dismiss_events);
        }
    }
}
