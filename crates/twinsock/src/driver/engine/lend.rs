//! Messages that are lent to whoever receives.

use std::task::{Poll, ready};

use twinsock_proto::{Connection, LentMessages, Message, ReceiveMode, Violation};

use crate::driver::engine::{End, Engine};
use crate::error::Error;
use crate::received::Handed;

/// What is lent at once.
#[derive(Debug)]
pub(crate) enum Loan {
    /// The messages that were read.
    Messages(LentMessages),
    /// One that was taken out of the connection before.
    Kept(Message),
}

impl Handed for Loan {
    fn take(connection: &mut Connection) -> Option<Self> {
        connection.lend_messages().map(Self::Messages)
    }

    fn whole(message: Message) -> Self {
        Self::Kept(message)
    }
}

impl Engine {
    /// The next messages; `None` after the end.
    pub(crate) fn poll_lend(&mut self) -> Poll<Result<Option<Loan>, Error>> {
        self.poll_received(ReceiveMode::FullMessage)
    }

    /// Takes back what [`poll_lend`](Self::poll_lend) gave.
    pub(crate) fn give_back(&mut self, messages: LentMessages) {
        let before = self.received();
        self.connection.give_back(messages);
        let looked_at = self.received().saturating_sub(before).try_into();
        self.handed_out = self
            .handed_out
            .saturating_add(looked_at.unwrap_or(u32::MAX));
        if self.end == End::Reached {
            // Nobody else will.
            self.give_memory_back();
        }
        self.resume_reading_ahead();
    }

    /// How many messages were looked at, but for those that are lent.
    fn received(&self) -> u64 {
        self.connection.statistics().received.messages
    }

    /// A message that was lent breaks the protocol.
    pub(crate) fn refuse_received(&mut self, violation: Violation) {
        self.connection.refuse_received(violation);
        self.resume_reading_ahead();
    }

    /// Ready with the error when a connection that failed has ended.
    pub(crate) fn poll_failed(&mut self) -> Poll<Error> {
        let end = ready!(self.poll_received::<Message>(ReceiveMode::FullMessage));
        Poll::Ready(end.err().unwrap_or_else(|| self.not_open()))
    }
}
