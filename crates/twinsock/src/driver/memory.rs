//! Memory to read into, shared by the sockets of a thread.

use std::cell::RefCell;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Memory to read into, with nothing in it: spare, or new.
pub(crate) fn take() -> Vec<u8> {
    SPARE
        .try_with(|spare| spare.borrow_mut().pop())
        .ok()
        .flatten()
        .unwrap_or_else(|| Vec::with_capacity(SIZE))
}

/// Keeps memory for the next socket that reads on this thread, which sees nothing of what is in it.
pub(crate) fn give_back(mut memory: Vec<u8>) {
    memory.clear();
    // While a thread ends its spare memory is gone: then this is freed too.
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < MOST_SPARE && memory.capacity() >= SIZE {
            spare.push(memory);
        }
    });
}

/// How much is read at once, in bytes.
const SIZE: usize = 64 * 1024;

/// A thread reads into one piece of memory at a time; a second one covers a socket that keeps
/// unread messages.
const MOST_SPARE: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_and_the_spare_is_bounded() {
        let mut first = take();
        let place = first.as_ptr();
        first.push(7);
        give_back(first);
        let second = take();
        assert_eq!((second.as_ptr(), second.len()), (place, 0));
        (0..10).for_each(|_| give_back(Vec::with_capacity(SIZE)));
        assert_eq!(SPARE.with(|spare| spare.borrow().len()), MOST_SPARE);
    }
}
