//! The socket as a `Stream` of the futures world.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use twinsock_proto::Message;

use crate::driver::{Driver, Waiter};
use crate::error::Error;
use crate::message::MessageWebSocket;

/// The places of a stream's and a sink's user among those who wait for the socket.
#[derive(Debug)]
pub(super) struct Waiters {
    receiving: Waiter,
    #[cfg(feature = "sink")]
    pub(super) sending: Waiter,
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
            #[cfg(feature = "sink")]
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
