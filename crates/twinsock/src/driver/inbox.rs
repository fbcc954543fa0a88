//! Messages that were read before anybody asked for them.

use std::collections::VecDeque;

use twinsock_proto::Message;

/// Messages read ahead while a sender waited for room.
///
/// Reading on while sending is what keeps two peers that both send from waiting for each other;
/// the bound keeps a peer from filling the memory of one that only sends.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    messages: VecDeque<Message>,
    size: usize,
}

impl Inbox {
    /// Whether reading ahead must stop.
    pub(crate) fn is_full(&self) -> bool {
        self.size >= MOST_AHEAD
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(crate) fn push(&mut self, message: Message) {
        self.size += size(&message);
        self.messages.push_back(message);
    }

    pub(crate) fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.size -= size(&message);
        if self.messages.is_empty() {
            // An idle socket keeps no queue.
            self.messages = VecDeque::new();
        }
        Some(message)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// What a message costs: empty ones are not free.
fn size(message: &Message) -> usize {
    message.len() + COST_OF_EACH
}

/// How many bytes are read ahead before reading stops; the last message may exceed it.
const MOST_AHEAD: usize = 64 * 1024;

/// A queue entry, an allocation and its bookkeeping, in bytes.
const COST_OF_EACH: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_messages_fill_it_too() {
        let mut inbox = Inbox::default();
        let mut count = 0;
        while !inbox.is_full() {
            inbox.push(Message::from(""));
            count += 1;
        }
        assert_eq!(count, MOST_AHEAD / COST_OF_EACH);
        (0..count).for_each(|_| assert!(inbox.pop().is_some()));
        assert_eq!(inbox.size, 0);
    }
}
