//! What only a `Sink` asks for.

use std::task::{Context, Poll};

use twinsock_proto::Message;

use crate::driver::engine::Engine;
use crate::driver::{Driver, Waiter};
use crate::error::Error;

impl Driver {
    /// Queues a message as part of a batch: the caller flushes.
    pub(crate) fn feed(&self, message: Message) -> Result<(), Error> {
        self.shared
            .with_engine(|engine| engine.feed(|connection| connection.send(message)))
    }

    pub(crate) fn poll_room(
        &self,
        waiter: &mut Waiter,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        self.shared.poll(waiter, context, Engine::poll_turn)
    }

    pub(crate) fn poll_closed(
        &self,
        waiter: &mut Waiter,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        self.shared.poll(waiter, context, Engine::poll_closed)
    }
}
