//! The socket as a `Sink` of the futures world.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_sink::Sink;
use twinsock_proto::{CloseCode, CloseReason, Message};

use crate::error::Error;
use crate::message::MessageWebSocket;

/// Messages to send: `feed` gathers them, `flush` writes them, `close` closes with 1000.
impl Sink<Message> for MessageWebSocket {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Self {
            driver, waiters, ..
        } = &mut *self;
        driver.poll_room(&mut waiters.sending, context)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.driver.feed(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Self {
            driver, waiters, ..
        } = &mut *self;
        driver.poll_flush(&mut waiters.sending, context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Self {
            driver,
            waiters,
            information,
            ..
        } = &mut *self;
        if information.closed().is_none() {
            driver.start_close(CloseReason::new(CloseCode::NORMAL, "")?);
        }
        driver.poll_closed(&mut waiters.sending, context)
    }
}
