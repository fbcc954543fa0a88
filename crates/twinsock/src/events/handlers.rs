//! What the application does at each event.

use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use twinsock_proto::Closed;

use crate::error::Error;
use crate::message::MessageWebSocket;
use crate::received::Received;

/// Handlers for the events of a [`MessageWebSocket`] (`MessageReceived` and `Closed` in UWP), for
/// [`MessageWebSocket::with_handlers`]. A client may give them to its
/// [builder](crate::MessageWebSocketBuilder::on_message_received) as well.
///
/// They are called by one task of the socket: in the order in which things happen, and each when
/// the one before has finished.
///
/// ```
/// # async fn run(incoming: twinsock::Incoming) -> Result<(), twinsock::Error> {
/// use twinsock::Handlers;
///
/// let echo = Handlers::new()
///     .on_message_received_async(|socket, received| async move {
///         match received {
///             Ok(message) => drop(socket.send(message.into_message()).await),
///             Err(error) => println!("{error}"),
///         }
///     })
///     .on_closed(|closed| println!("{closed}"));
/// let socket = incoming.accept().await?.with_handlers(echo)?;
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Handlers {
    /// Never locked: the mutex makes it possible to share a reference among threads, whatever
    /// the handlers hold.
    handlers: Mutex<Parts>,
}

/// Both handlers, where there are any.
pub(super) type Parts = (Option<MessageHandler>, Option<ClosedHandler>);

/// A handler that waits.
pub(super) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

type Outcome = Result<Received, Error>;

type SyncHandler = dyn FnMut(&MessageWebSocket, Outcome) + Send;

type AsyncHandler = dyn FnMut(MessageWebSocket, Outcome) -> Task + Send;

/// A handler for what is received.
pub(super) enum MessageHandler {
    Sync(Box<SyncHandler>),
    Async(Box<AsyncHandler>),
}

/// A handler for the end.
pub(crate) enum ClosedHandler {
    Sync(Box<dyn FnOnce(Closed) + Send>),
    Async(Box<dyn FnOnce(Closed) -> Task + Send>),
}

impl Handlers {
    /// No handler.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Has `handler` called with each message, or with each part of one when the socket's
    /// `receive_mode` is [`ReceiveMode::PartialMessage`](crate::ReceiveMode::PartialMessage)
    /// (`MessageReceived` in UWP). It takes the place of one set before.
    ///
    /// When the connection fails, the handler is called with the error once, after all that came
    /// before, and never again. A clean end is told to [`on_closed`](Self::on_closed) alone. Once
    /// the application has dropped its last handle of the socket, the handler is not called any
    /// more.
    ///
    /// It must not block: to wait for anything, also for room to send, is for
    /// [`on_message_received_async`](Self::on_message_received_async). A handler that panics is
    /// not called again: the connection is closed with 1011, see
    /// [`AbortCause::HandlerPanicked`](crate::AbortCause::HandlerPanicked).
    #[must_use]
    pub fn on_message_received(
        self,
        handler: impl FnMut(&MessageWebSocket, Result<Received, Error>) + Send + 'static,
    ) -> Self {
        self.set_message_handler(MessageHandler::Sync(Box::new(handler)))
    }

    /// The same with a handler that may wait, for instance to reply through the socket that it is
    /// given.
    ///
    /// Meanwhile Pings are answered, keep-alives sent and the end noticed. What comes is read
    /// ahead, up to 64 KiB of whole messages or one part; then the peer has to wait, with all
    /// that it sends. Its Close frame is answered when all that came before it is handled, so
    /// that a handler can still reply. A handler that keeps its socket keeps the connection open.
    #[must_use]
    pub fn on_message_received_async<F>(
        self,
        mut handler: impl FnMut(MessageWebSocket, Result<Received, Error>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let handler = move |socket, received| -> Task { Box::pin(handler(socket, received)) };
        self.set_message_handler(MessageHandler::Async(Box::new(handler)))
    }

    /// Has `handler` called once when the connection has ended, however it did: see
    /// [`Closed`] and [`WebErrorStatus::of_closed`](crate::WebErrorStatus::of_closed) (`Closed`
    /// in UWP, which tells less). It takes the place of one set before.
    ///
    /// It is the last event; one that is handled at the time is finished first, and what the
    /// handler for messages holds is dropped. Without such a handler the end is noticed as after
    /// [`attend`](MessageWebSocket::attend). Only when the runtime ends before the connection, it
    /// is not called.
    #[must_use]
    pub fn on_closed(self, handler: impl FnOnce(Closed) + Send + 'static) -> Self {
        self.set_closed_handler(ClosedHandler::of(handler))
    }

    /// The same with a handler that may wait.
    #[must_use]
    pub fn on_closed_async<F>(self, handler: impl FnOnce(Closed) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.set_closed_handler(ClosedHandler::of_async(handler))
    }

    pub(super) fn into_parts(self) -> Parts {
        self.handlers
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn into_closed(self) -> Option<ClosedHandler> {
        self.into_parts().1
    }

    fn set_message_handler(self, handler: MessageHandler) -> Self {
        let (_, closed) = self.into_parts();
        let handlers = Mutex::new((Some(handler), closed));
        Self { handlers }
    }

    fn set_closed_handler(self, handler: ClosedHandler) -> Self {
        let (message, _) = self.into_parts();
        let handlers = Mutex::new((message, Some(handler)));
        Self { handlers }
    }
}

impl ClosedHandler {
    pub(crate) fn of(handler: impl FnOnce(Closed) + Send + 'static) -> Self {
        Self::Sync(Box::new(handler))
    }

    pub(crate) fn of_async<F>(handler: impl FnOnce(Closed) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::Async(Box::new(move |closed| Box::pin(handler(closed))))
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Handlers").finish_non_exhaustive()
    }
}

impl fmt::Debug for ClosedHandler {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClosedHandler")
            .finish_non_exhaustive()
    }
}
