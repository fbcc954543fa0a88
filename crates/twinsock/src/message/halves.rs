//! A split socket: one half sends, the other receives.

use twinsock_proto::{CloseCode, Closed, Compress, Message, MessageRef};

use crate::compression::shared_compression;
use crate::driver::Driver;
use crate::error::Error;
use crate::message::MessageWebSocket;

/// The half of a split [`MessageWebSocket`] that sends.
///
/// ```
/// # async fn run() -> Result<(), twinsock::Error> {
/// let socket = twinsock::MessageWebSocket::connect("ws://echo.example/").await?;
/// let (sender, receiver) = socket.split();
/// tokio::spawn(async move {
///     while let Ok(Some(message)) = receiver.receive().await {
///         println!("{} bytes", message.len());
///     }
/// });
/// sender.send_text("hello").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MessageSender(MessageWebSocket);

/// The half of a split [`MessageWebSocket`] that receives; see [`MessageSender`] for an example.
///
/// [`lend`](Self::lend) makes one of it that copies nothing.
#[derive(Debug)]
pub struct MessageReceiver(MessageWebSocket);

pub(super) fn split(socket: MessageWebSocket) -> (MessageSender, MessageReceiver) {
    (MessageSender(socket.clone()), MessageReceiver(socket))
}

impl MessageSender {
    /// [`MessageWebSocket::send_text`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn send_text(&self, text: &str) -> Result<(), Error> {
        self.0.send_text(text).await
    }

    /// [`MessageWebSocket::send_binary`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn send_binary(&self, bytes: &[u8]) -> Result<(), Error> {
        self.0.send_binary(bytes).await
    }

    /// [`MessageWebSocket::send`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), Error> {
        self.0.send(message).await
    }

    /// [`MessageWebSocket::send_ref`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn send_ref(&self, message: &MessageRef<'_>) -> Result<(), Error> {
        self.0.send_ref(message).await
    }

    /// [`MessageWebSocket::send_with`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn send_with(
        &self,
        message: impl Into<Message>,
        compress: Compress,
    ) -> Result<(), Error> {
        self.0.send_with(message, compress).await
    }

    /// [`MessageWebSocket::ping`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn ping(&self, payload: &[u8]) -> Result<(), Error> {
        self.0.ping(payload).await
    }

    /// [`MessageWebSocket::send_keep_alive`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn send_keep_alive(&self) -> Result<(), Error> {
        self.0.send_keep_alive().await
    }

    /// [`MessageWebSocket::flush`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn flush(&self) -> Result<(), Error> {
        self.0.flush().await
    }

    /// [`MessageWebSocket::close`]; the other half's `receive` then gives `None`.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.0.close(code, reason).await
    }

    fn driver(&self) -> &Driver {
        self.0.driver()
    }

    /// The whole socket, with what else it can tell.
    #[must_use]
    pub fn socket(&self) -> &MessageWebSocket {
        &self.0
    }
}

shared_compression!(MessageSender);

impl MessageReceiver {
    pub(super) fn new(socket: MessageWebSocket) -> Self {
        Self(socket)
    }

    pub(super) fn into_socket(self) -> MessageWebSocket {
        self.0
    }

    /// [`MessageWebSocket::receive`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn receive(&self) -> Result<Option<Message>, Error> {
        self.0.receive().await
    }

    /// [`MessageWebSocket::closed`].
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.0.closed()
    }

    /// The whole socket, with what else it can tell.
    #[must_use]
    pub fn socket(&self) -> &MessageWebSocket {
        &self.0
    }
}
