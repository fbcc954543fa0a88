//! A global allocator that counts what a thread allocates, from when the thread asks for it.
//!
//! It is the only unsafe code of the benchmark: an allocator cannot be written without. While
//! nothing is counted it looks at one flag of the thread, and all else is the system's allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static IS_COUNTING: Cell<bool> = const { Cell::new(false) };
    static COUNTS: Cell<Counts> = const { Cell::new(Counts::NONE) };
}

/// The system's allocator, counted.
#[derive(Debug)]
pub struct CountingAllocator;

/// What a thread has done since it began to count.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// How often memory was asked for; a changed size counts as well.
    pub allocations: i64,
    /// Allocations that were not given back.
    pub live_allocations: i64,
    /// Their bytes.
    pub live_bytes: i64,
}

impl Counts {
    const NONE: Self = Self {
        allocations: 0,
        live_allocations: 0,
        live_bytes: 0,
    };

    /// Of the calling thread, which counts from now on if it did not.
    #[must_use]
    pub fn now() -> Self {
        IS_COUNTING.set(true);
        COUNTS.get()
    }
}

fn count(change: impl FnOnce(&mut Counts)) {
    if IS_COUNTING.get() {
        let mut counts = COUNTS.get();
        change(&mut counts);
        COUNTS.set(counts);
    }
}

/// No allocation is larger than `i64::MAX`.
fn bytes(layout: Layout) -> i64 {
    layout.size() as i64
}

fn count_new(layout: Layout) {
    count(|counts| {
        counts.allocations += 1;
        counts.live_allocations += 1;
        counts.live_bytes += bytes(layout);
    });
}

// SAFETY: each call is passed on to the system's allocator as it is; counting allocates nothing.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count_new(layout);
        // SAFETY: the caller keeps the same contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count_new(layout);
        // SAFETY: the caller keeps the same contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(|counts| {
            counts.allocations += 1;
            counts.live_bytes += new_size as i64 - bytes(layout);
        });
        // SAFETY: the caller keeps the same contract.
        unsafe { System.realloc(memory, layout, new_size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(|counts| {
            counts.live_allocations -= 1;
            counts.live_bytes -= bytes(layout);
        });
        // SAFETY: the caller keeps the same contract.
        unsafe { System.dealloc(memory, layout) }
    }
}
