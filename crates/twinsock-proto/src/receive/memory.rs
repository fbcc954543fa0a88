//! The memory that bytes are read into.

use std::fmt;

use bytes::BufMut;
use bytes::buf::Limit;

use crate::deflate::decompressor::Inflated;
use crate::error::Violation;
use crate::frame::mask::MaskKey;

/// The memory that bytes are read into, and how much of it is used up.
#[derive(Default)]
pub(crate) struct ReadMemory {
    bytes: Vec<u8>,
    start: usize,
    /// How many bytes were read before those in `bytes`.
    gone: u64,
}

/// The bytes are the application's secrets: their number is enough.
impl fmt::Debug for ReadMemory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ReadMemory({} unread)", self.unread().len())
    }
}

impl ReadMemory {
    /// Empty, behind so many bytes.
    pub(crate) fn behind(count: u64) -> Self {
        Self {
            gone: count,
            ..Self::default()
        }
    }

    /// Takes the bytes that were read elsewhere meanwhile, used up or not.
    pub(crate) fn append(&mut self, elsewhere: &Self) {
        self.bytes.extend_from_slice(elsewhere.unread());
        self.gone += elsewhere.read().saturating_sub(self.read());
    }

    pub(crate) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(crate) fn unread_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    /// How many bytes were ever read.
    pub(crate) fn read(&self) -> u64 {
        self.gone + self.bytes.len() as u64
    }

    /// How many bytes wait to be looked at.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// The next `length` bytes; fewer when there are not so many.
    pub(crate) fn front(&self, length: usize) -> &[u8] {
        let unread = self.unread();
        &unread[..length.min(unread.len())]
    }

    /// Goes on behind the next `count` bytes.
    pub(crate) fn advance(&mut self, count: usize) {
        self.start = self.bytes.len().min(self.start + count);
    }

    pub(crate) fn clear(&mut self) {
        self.start = self.bytes.len();
        self.forget_used();
    }

    /// Whether there is no memory for reading.
    pub(crate) fn is_needed(&self) -> bool {
        self.bytes.capacity() <= MOST_IDLE
    }

    /// Whether the next `length` bytes are there: then they can be counted.
    pub(crate) fn whole(&self, length: u64) -> Option<usize> {
        let length = usize::try_from(length).ok()?;
        (length <= self.len()).then_some(length)
    }

    /// The next `length` bytes, unmasked if there is a `mask`; fewer when there are not so many.
    #[inline]
    pub(crate) fn unmasked_front(&mut self, length: usize, mask: Option<MaskKey>) -> &[u8] {
        let front = self.front_mut(length);
        if let Some(key) = mask {
            key.apply(front);
        }
        front
    }

    /// The same as text, checked in the same pass.
    #[inline]
    pub(crate) fn text_at_front(
        &mut self,
        length: usize,
        mask: Option<MaskKey>,
    ) -> Result<&str, Violation> {
        let front = self.front_mut(length);
        let text = match mask {
            Some(key) => twinsock_simd::unmask_utf8(front, key.to_bytes()),
            None => twinsock_simd::from_utf8(front),
        };
        text.map_err(|_| Violation::InvalidUtf8)
    }

    /// Lets `look` have the next `length` bytes unmasked; what it does not use up, as it tells, is as
    /// it was.
    pub(crate) fn with_unmasked_front<E>(
        &mut self,
        length: usize,
        mask: Option<MaskKey>,
        look: impl FnOnce(&[u8]) -> Result<Inflated, E>,
    ) -> Result<Inflated, E> {
        let front = self.front_mut(length);
        let Some(key) = mask else {
            return look(front);
        };
        key.apply(front);
        let step = look(front)?;
        if let Some(rest) = front.get_mut(step.consumed..) {
            key.advanced_by(step.consumed).apply(rest);
        }
        Ok(step)
    }

    #[inline]
    fn front_mut(&mut self, length: usize) -> &mut [u8] {
        let unread = self.unread_mut();
        let length = length.min(unread.len());
        &mut unread[..length]
    }

    /// Takes bytes that were read elsewhere.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.forget_used();
        self.bytes.extend_from_slice(bytes);
    }

    /// How many of the next `most` bytes are there.
    pub(crate) fn some(&self, most: u64) -> usize {
        self.len().min(usize::try_from(most).unwrap_or(usize::MAX))
    }

    /// Copies the next `count` bytes, which are there, into `room` and goes on behind them.
    ///
    /// They are unmasked in pieces that stay in the first-level cache until they are copied.
    pub(crate) fn move_to(&mut self, room: &mut impl BufMut, count: usize, mask: Option<MaskKey>) {
        let count = count.min(self.len());
        let bytes = &mut self.bytes[self.start..][..count];
        match mask {
            Some(key) => {
                for piece in bytes.chunks_mut(UNMASKED_AT_ONCE) {
                    key.apply(piece);
                    room.put_slice(piece);
                }
            }
            None => room.put_slice(bytes),
        }
        self.advance(count);
    }

    /// Room for the next read, with what is unread moved to the front.
    pub(crate) fn room(&mut self) -> Limit<&mut Vec<u8>> {
        self.forget_used();
        if self.bytes.capacity() - self.bytes.len() < LEAST_ROOM {
            self.bytes.reserve_exact(READ_SIZE);
        }
        let room = self.bytes.capacity() - self.bytes.len();
        (&mut self.bytes).limit(room)
    }

    /// Moves what is unread to the front.
    fn forget_used(&mut self) {
        self.bytes.drain(..self.start);
        self.gone += self.start as u64;
        self.start = 0;
    }

    pub(crate) fn replace(&mut self, mut memory: Vec<u8>) {
        if memory.capacity() > self.bytes.capacity() {
            self.forget_used();
            memory.clear();
            memory.extend_from_slice(&self.bytes);
            self.bytes = memory;
        }
    }

    pub(crate) fn take_idle(&mut self) -> Option<Vec<u8>> {
        let unread = self.unread();
        if unread.len() > MOST_IDLE || self.bytes.capacity() <= MOST_IDLE {
            return None;
        }
        let kept = unread.to_vec();
        self.gone += self.start as u64;
        self.start = 0;
        Some(std::mem::replace(&mut self.bytes, kept))
    }
}

/// How much is read at once, in bytes.
pub(crate) const READ_SIZE: usize = 64 * 1024;

/// A multiple of four, so that each piece begins where the key does.
const UNMASKED_AT_ONCE: usize = 8 * 1024;

/// With less room than this the read memory is enlarged.
const LEAST_ROOM: usize = 4 * 1024;

/// The most bytes that an idle connection keeps in memory of their own: a cut control frame.
const MOST_IDLE: usize = 256;
