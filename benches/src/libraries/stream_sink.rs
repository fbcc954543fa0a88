//! Libraries whose socket is a `Stream` and a `Sink` of messages.

use std::error::Error;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::task::Poll;

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};

use crate::library::{Kind, Outcome, Socket};

/// A library's message.
pub(crate) trait SinkMessage: Clone + Send + Sync + 'static {
    fn new(kind: Kind, payload: &Bytes) -> Outcome<Self>;

    /// The length of a data message; `None` for a control frame.
    fn data_length(&self) -> Option<usize>;
}

/// What the stream gives.
pub(crate) trait Item<M> {
    fn into_message(self) -> Outcome<M>;
}

impl<M, E: Error + Send + Sync + 'static> Item<M> for Result<M, E> {
    fn into_message(self) -> Outcome<M> {
        Ok(self?)
    }
}

/// The library's socket `T` for messages `M`.
pub(crate) struct StreamSink<T, M> {
    socket: T,
    message: PhantomData<M>,
}

impl<T, M> StreamSink<T, M> {
    pub(crate) fn new(socket: T) -> Self {
        Self {
            socket,
            message: PhantomData,
        }
    }
}

impl<T, M> StreamSink<T, M>
where
    T: Stream<Item: Item<M> + Send> + Unpin,
    M: SinkMessage,
{
    async fn next(&mut self) -> Outcome<Option<(M, usize)>> {
        while let Some(item) = self.socket.next().await {
            let message = item.into_message()?;
            if let Some(length) = message.data_length() {
                return Ok(Some((message, length)));
            }
        }
        Ok(None)
    }
}

impl<T, M> Socket for StreamSink<T, M>
where
    T: Stream<Item: Item<M> + Send>
        + Sink<M, Error: Error + Send + Sync + 'static>
        + Send
        + Unpin
        + 'static,
    M: SinkMessage,
{
    type Prepared = M;

    fn prepare(kind: Kind, payload: &Bytes) -> Outcome<M> {
        M::new(kind, payload)
    }

    async fn receive(&mut self) -> Outcome<Option<usize>> {
        Ok(self.next().await?.map(|(_, length)| length))
    }

    async fn send(&mut self, message: &M) -> Outcome<()> {
        Ok(self.socket.send(message.clone()).await?)
    }

    async fn feed(&mut self, message: &M) -> Outcome<()> {
        Ok(self.socket.feed(message.clone()).await?)
    }

    async fn flush(&mut self) -> Outcome<()> {
        Ok(self.socket.flush().await?)
    }

    async fn echo(&mut self) -> Outcome<Option<usize>> {
        let Some((message, length)) = self.next().await? else {
            return Ok(None);
        };
        self.socket.send(message).await?;
        Ok(Some(length))
    }

    async fn echo_batched(&mut self) -> Outcome<Option<usize>> {
        let next = poll_fn(|context| Poll::Ready(self.socket.poll_next_unpin(context)));
        let item = match next.await {
            Poll::Ready(item) => item,
            Poll::Pending => {
                self.socket.flush().await?;
                self.socket.next().await
            }
        };
        let Some(item) = item else {
            return Ok(None);
        };
        let message = item.into_message()?;
        let Some(length) = message.data_length() else {
            return Err("expected a data message".into());
        };
        self.socket.feed(message).await?;
        Ok(Some(length))
    }
}
