//! The end of what went in one direction, to go on from.

use crate::deflate::parameters::{ContextTakeover, DeflateDirection};

/// The last bytes of what went, as many as a window has.
///
/// It is kept beside zlib's own window, so that all of zlib's memory can be given back while a
/// connection is idle: 170 to 400 KiB become the windows alone.
pub(super) struct History {
    bytes: Vec<u8>,
    /// Where the oldest byte is, once there are `most`.
    oldest: usize,
    most: usize,
}

impl History {
    /// That of a direction; `None` without context takeover, where nothing is gone on from.
    pub(super) fn of(direction: DeflateDirection) -> Option<Self> {
        match direction.context_takeover {
            ContextTakeover::On => Some(Self::new(direction.window_bits.size())),
            ContextTakeover::Off => None,
        }
    }

    fn new(most: usize) -> Self {
        Self {
            bytes: Vec::new(),
            oldest: 0,
            most,
        }
    }

    /// Takes what went next.
    pub(super) fn push(&mut self, new: &[u8]) {
        if let Some(last) = new.len().checked_sub(self.most) {
            self.clear();
            self.append(&new[last..]);
            return;
        }
        let room = self.most - self.bytes.len();
        let (first, rest) = new.split_at(new.len().min(room));
        self.append(first);
        let end = self.most.min(self.oldest + rest.len());
        let (rest, wrapped) = rest.split_at(end - self.oldest);
        self.bytes[self.oldest..end].copy_from_slice(rest);
        self.bytes[..wrapped.len()].copy_from_slice(wrapped);
        self.oldest = (self.oldest + rest.len() + wrapped.len()) % self.most;
    }

    /// All of it, the oldest byte first.
    pub(super) fn as_slice(&mut self) -> &[u8] {
        self.bytes.rotate_left(self.oldest);
        self.oldest = 0;
        &self.bytes
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.oldest = 0;
    }

    /// Whether to go on from it costs less than to hold zlib's memory from message to message.
    ///
    /// 4 KiB are looked through anew in some 4 µs, and what a pool has at hand is in the processor's
    /// caches, where a connection's own engine is not; 32 KiB take some 40 µs.
    pub(super) fn is_cheap_to_revive(&self) -> bool {
        self.most <= MOST_CHEAP
    }

    /// How much memory it has, in bytes.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    fn append(&mut self, new: &[u8]) {
        let needed = self.bytes.len() + new.len();
        if needed > self.bytes.capacity() {
            // Doubled, but never beyond the window.
            let capacity = needed.saturating_mul(2).min(self.most).max(needed);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(new);
    }
}

/// A window of 12 bits.
const MOST_CHEAP: usize = 4 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_end_of_all_that_went(
            most in 1..20usize,
            pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..50), any::<bool>()), 0..20),
        ) {
            let mut history = History::new(most);
            let mut all = Vec::new();
            for (piece, looks) in pieces {
                all.extend_from_slice(&piece);
                history.push(&piece);
                let end = &all[all.len().saturating_sub(most)..];
                prop_assert_eq!(history.bytes.len(), end.len());
                if looks {
                    prop_assert_eq!(history.as_slice(), end);
                }
                prop_assert!(history.capacity() <= most);
            }
            prop_assert_eq!(history.as_slice(), &all[all.len().saturating_sub(most)..]);
        }
    }
}
