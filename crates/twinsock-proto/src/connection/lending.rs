//! Messages that are looked at apart from their connection.

use crate::connection::Connection;
use crate::error::Violation;
use crate::message::MessageRef;
use crate::receive::receiver::Receiver;

/// The messages that were read, taken out of their connection: going on from one to the next
/// touches nothing that others use.
///
/// Meanwhile the connection sends, and knows its deadlines, but receives nothing; it goes on when
/// they are [given back](Connection::give_back), with what was not looked at.
///
/// ```
/// # use std::time::Instant;
/// # use bytes::{Buf, BufMut};
/// # use twinsock_proto::{Connection, Message, Role, Settings, Transmit};
/// # let now = Instant::now();
/// # let mut client = Connection::new(Role::Client, Settings::default(), [7; 32], now);
/// # let mut server = Connection::new(Role::Server, Settings::default(), [7; 32], now);
/// client.send(Message::from("one"))?;
/// client.send(Message::from("two"))?;
/// # while let Some(Transmit::Bytes(queue)) = client.poll_transmit() {
/// #     let count = queue.remaining();
/// #     server.receive_memory().put(queue.take(count));
/// #     client.handle_transmitted(now, count);
/// # }
/// # server.handle_received(now);
/// let mut messages = server.lend_messages().expect("two have come");
/// let mut texts = Vec::new();
/// while messages.advance() {
///     texts.extend(messages.message()?.and_then(|message| message.as_text().map(str::to_owned)));
/// }
/// assert_eq!(texts, ["one", "two"]);
/// server.give_back(messages);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LentMessages {
    receiver: Receiver,
    rest: Rest,
}

/// What is behind the message at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    MayFollow,
    /// The message at hand breaks the protocol: nothing behind it counts.
    IsVoid,
}

/// Whether a connection's messages are in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loan {
    Nothing,
    /// One, and nothing was read behind it.
    Single,
    Several,
}

impl LentMessages {
    /// Goes on to the next message; the one before is gone. `false`: what comes next is no whole
    /// message in a single frame, and the connection has to see to it.
    #[inline]
    pub fn advance(&mut self) -> bool {
        self.rest == Rest::MayFollow && self.receiver.advance_to_single_frame()
    }

    /// The message gone on to; `None` when there is none.
    ///
    /// # Errors
    /// A text that is not UTF-8: the connection is to be told with
    /// [`refuse_received`](Connection::refuse_received).
    #[inline]
    pub fn message(&mut self) -> Result<Option<MessageRef<'_>>, Violation> {
        let Self { receiver, rest } = self;
        receiver.message().inspect_err(|_| *rest = Rest::IsVoid)
    }
}

impl Connection {
    /// Takes the messages that were read out of the connection, up to the first that is not in a
    /// single frame; `None` when not even one is there. Otherwise as
    /// [`poll_event`](Self::poll_event).
    ///
    /// Only for [`ReceiveMode::FullMessage`](crate::ReceiveMode::FullMessage).
    pub fn lend_messages(&mut self) -> Option<LentMessages> {
        if !self.has_event() {
            return None;
        }
        self.loan = match self.receiver.has_bytes_behind() {
            false => Loan::Single,
            true => Loan::Several,
        };
        let stand_in = self.receiver.stand_in();
        Some(LentMessages {
            receiver: std::mem::replace(&mut self.receiver, stand_in),
            rest: Rest::MayFollow,
        })
    }

    /// Takes back what [`lend_messages`](Self::lend_messages) gave; only now what was looked at
    /// is in the [`statistics`](Self::statistics).
    pub fn give_back(&mut self, messages: LentMessages) {
        let mut receiver = messages.receiver;
        if self.loan == Loan::Nothing {
            // They were refused: nothing is left but what they count.
            return self.receiver.count_as(&receiver);
        }
        self.loan = Loan::Nothing;
        receiver.take_over(&self.receiver);
        self.receiver = receiver;
        if !self.state.is_receiving() {
            self.receiver.discard();
        }
    }

    /// Whether the messages are lent: nothing is to be read then.
    #[must_use]
    pub fn has_lent_messages(&self) -> bool {
        self.loan != Loan::Nothing
    }

    /// What was lent breaks the protocol, as [`LentMessages::message`] found; nothing behind it
    /// counts. An end that was decided meanwhile stays as it is.
    pub fn refuse_received(&mut self, violation: Violation) {
        self.loan = Loan::Nothing;
        if self.state.is_receiving() {
            self.state.fail(violation.into());
        }
    }
}
