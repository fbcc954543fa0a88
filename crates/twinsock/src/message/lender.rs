//! Messages that are looked at where they stand.

use twinsock_proto::{Closed, MessageRef};

use crate::driver::Loan;
use crate::error::Error;
use crate::message::{MessageReceiver, MessageWebSocket};

/// A half of a split [`MessageWebSocket`] that lends each message where it stands in the memory
/// that was read into: nothing is allocated or copied for a message, and nothing is locked.
///
/// It is for loops that look at many small messages and keep few of them. What is kept is made
/// with [`MessageRef::into_owned`].
///
/// ```
/// # async fn run() -> Result<(), twinsock::Error> {
/// let socket = twinsock::MessageWebSocket::connect("ws://feed.example/").await?;
/// let (sender, receiver) = socket.split();
/// let mut messages = receiver.lend();
/// while let Some(message) = messages.receive().await? {
///     if message.as_bytes().starts_with(b"ping") {
///         sender.send_ref(&message).await?;
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Beside others
/// What came in one read, at most 64 KiB, is out on loan until [`receive`](Self::receive) is called
/// behind the last message of it, or until the lender is dropped: then what was not looked at is
/// for whoever receives next. Meanwhile nobody else receives, Pings behind it are not answered, not
/// even by [`attend`](MessageWebSocket::attend), and the
/// [statistics](crate::Information::statistics) count no more of it than the first message. A
/// loop that goes on to the next message notices none of this.
///
/// A loop that has had enough ends, and the lender is dropped, before
/// [`close`](MessageWebSocket::close) is awaited: while anything is on loan the peer's answer is
/// not read, and `close` gives up after its timeout.
#[derive(Debug)]
pub struct MessageLender {
    socket: MessageWebSocket,
    lent: Option<Loan>,
}

impl MessageReceiver {
    /// Lends messages from now on.
    #[must_use]
    pub fn lend(self) -> MessageLender {
        MessageLender {
            socket: self.into_socket(),
            lent: None,
        }
    }
}

impl MessageLender {
    /// The next message, lent until the next call; otherwise as [`MessageWebSocket::receive`].
    ///
    /// # Errors
    /// As [`MessageWebSocket::receive`].
    ///
    /// # Cancel safety
    /// A dropped `receive` loses nothing: the next call gives the message.
    pub async fn receive(&mut self) -> Result<Option<MessageRef<'_>>, Error> {
        while !self.advance() {
            self.give_back();
            self.lent = self.socket.driver.lend().await?;
            match self.lent {
                Some(Loan::Messages(_)) => {}
                Some(Loan::Kept(_)) => break,
                None => return Ok(None),
            }
        }
        let Self { socket, lent } = self;
        let message = match lent {
            Some(Loan::Messages(messages)) => messages.message(),
            Some(Loan::Kept(message)) => Ok(Some(MessageRef::from(message))),
            None => Ok(None),
        };
        match message {
            Ok(message) => Ok(message),
            Err(violation) => Err(socket.driver.refuse_received(violation).await),
        }
    }

    /// [`MessageWebSocket::closed`].
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.socket.closed()
    }

    /// Receives owned messages again; what was not looked at comes first.
    #[must_use]
    pub fn into_receiver(self) -> MessageReceiver {
        MessageReceiver::new(self.socket.clone())
    }

    /// Goes on to the next message that is out on loan already.
    #[inline]
    fn advance(&mut self) -> bool {
        match &mut self.lent {
            Some(Loan::Messages(messages)) => messages.advance(),
            Some(Loan::Kept(_)) | None => false,
        }
    }

    fn give_back(&mut self) {
        if let Some(Loan::Messages(messages)) = self.lent.take() {
            self.socket.driver.give_back(messages);
        }
    }
}

impl Drop for MessageLender {
    fn drop(&mut self) {
        self.give_back();
    }
}
