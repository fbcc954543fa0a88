//! The socket as a `Stream` and a `Sink` of the futures world.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_sink::Sink;
use twinsock_proto::{CloseCode, CloseReason, Message};

use crate::driver::{Driver, Waiter};
use crate::error::Error;
use crate::message::MessageWebSocket;

/// The places of a stream's and a sink's user among those who wait for the socket.
#[derive(Debug)]
pub(super) struct Waiters {
    receiving: Waiter,
    sending: Waiter,
    ended: Ended,
}

/// Whether the stream has given its last item.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ended {
    No,
    Yes,
}

impl Waiters {
    pub(super) fn new(driver: &Driver) -> Self {
        Self {
            receiving: driver.waiter(),
            sending: driver.waiter(),
            ended: Ended::No,
        }
    }
}

/// Messages as they come, like [`MessageWebSocket::receive`]; an error is the last item.
impl Stream for MessageWebSocket {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self {
            driver, waiters, ..
        } = &mut *self;
        if waiters.ended == Ended::Yes {
            return Poll::Ready(None);
        }
        let item = ready!(driver.poll_receive(&mut waiters.receiving, context)).transpose();
        if !matches!(item, Some(Ok(_))) {
            waiters.ended = Ended::Yes;
        }
        Poll::Ready(item)
    }
}

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
            driver, waiters, ..
        } = &mut *self;
        if driver.closed().is_none() {
            driver.start_close(CloseReason::new(CloseCode::NORMAL, "")?);
        }
        driver.poll_closed(&mut waiters.sending, context)
    }
}
