//! Bytes that were read for somebody who looks at them before taking them.

use bytes::BufMut;
use bytes::buf::Limit;
use tokio::io::ReadBuf;

use crate::driver::memory;

/// The memory of a buffered reader; none while nothing is in it.
#[derive(Default)]
pub(crate) struct ReadAhead {
    bytes: Vec<u8>,
    consumed: usize,
}

impl ReadAhead {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// What is not consumed.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.consumed..).unwrap_or_default()
    }

    /// Memory to read into.
    pub(crate) fn memory(&mut self) -> Limit<&mut Vec<u8>> {
        if self.bytes.capacity() == 0 {
            self.bytes = memory::take();
        }
        self.bytes.clear();
        self.consumed = 0;
        let room = self.bytes.capacity();
        (&mut self.bytes).limit(room)
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.consumed = self.bytes.len().min(self.consumed.saturating_add(count));
        if self.is_empty() {
            self.release();
        }
    }

    /// Moves what fits; `false` when nothing is there.
    pub(crate) fn move_to(&mut self, memory: &mut ReadBuf<'_>) -> bool {
        let count = self.bytes().len().min(memory.remaining());
        memory.put_slice(&self.bytes()[..count]);
        self.consume(count);
        count > 0
    }

    /// Gives the memory back; what is in it is gone.
    pub(crate) fn release(&mut self) {
        self.consumed = 0;
        if self.bytes.capacity() > 0 {
            memory::give_back(std::mem::take(&mut self.bytes));
        }
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        self.release();
    }
}
