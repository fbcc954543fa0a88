//! zlib's memory, kept for the next who needs it.

use std::cell::RefCell;

use zlib_rs::{DeflateConfig, Inflate, Strategy};

use crate::deflate::parameters::WindowBits;
use crate::deflate::settings::DeflateLevel;

/// zlib's compressor.
pub(super) struct CompressingEngine {
    pub(super) zlib: zlib_rs::Deflate,
    /// Whether it refers to what went before.
    pub(super) past: Past,
    configuration: Configuration,
}

/// What a compressor may refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    Nothing,
    Something,
}

/// What a compressor was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Configuration {
    pub(super) level: DeflateLevel,
    pub(super) window_bits: WindowBits,
}

/// What a thread keeps.
#[derive(Default)]
#[expect(
    clippy::vec_box,
    reason = "they go as they are to connections, which hold a pointer while idle"
)]
struct Pool {
    compressing: Vec<Box<CompressingEngine>>,
    decompressing: Vec<Box<Inflate>>,
    compressed: Vec<u8>,
    inflated: Option<Box<InflatedBytes>>,
}

/// What is inflated at once, before it is checked and copied: it stays in the first-level cache.
pub(crate) type InflatedBytes = [u8; INFLATED_SIZE];

thread_local! {
    /// One for each thread: nobody waits for another, and what was used last is still in its
    /// caches.
    static POOL: RefCell<Pool> = RefCell::default();
}

impl CompressingEngine {
    /// One that refers to nothing.
    pub(super) fn take(configuration: Configuration) -> Box<Self> {
        let pooled = with_pool(|pool| {
            let index = pool
                .compressing
                .iter()
                .position(|engine| engine.configuration == configuration)?;
            Some(pool.compressing.swap_remove(index))
        });
        match pooled {
            Some(mut engine) => {
                engine.forget();
                engine
            }
            None => Box::new(Self::new(configuration)),
        }
    }

    /// Gives it back.
    pub(super) fn give_back(self: Box<Self>) {
        with_pool(|pool| {
            if pool.compressing.len() >= MOST_KEPT {
                // The one that nobody wanted for longest.
                pool.compressing.remove(0);
            }
            pool.compressing.push(self);
            Some(())
        });
    }

    fn forget(&mut self) {
        if self.past == Past::Something {
            self.zlib.reset();
            self.past = Past::Nothing;
        }
    }

    fn new(configuration: Configuration) -> Self {
        Self {
            zlib: zlib_rs::Deflate::new_with_config(configuration.for_zlib()),
            past: Past::Nothing,
            configuration,
        }
    }
}

impl Configuration {
    fn for_zlib(self) -> DeflateConfig {
        let bits = i32::from(self.window_bits.get());
        // RFC 7692 §7.1.2.1: never further back than the window. zlib has none of 256 bytes, but
        // runs refer to the byte before.
        let (bits, strategy) = match self.window_bits {
            WindowBits::MIN => (bits + 1, Strategy::Rle),
            _ => (bits, Strategy::Default),
        };
        DeflateConfig {
            level: i32::from(self.level.get()),
            // Negative: no header and no checksum.
            window_bits: -bits,
            // zlib's own 8 for the largest window, and as much less for a smaller one.
            mem_level: (bits - 7).clamp(1, 8),
            strategy,
            ..DeflateConfig::default()
        }
    }
}

/// A decompressor that has seen nothing.
pub(super) fn take_decompressor() -> Box<Inflate> {
    let pooled = with_pool(|pool| pool.decompressing.pop());
    match pooled {
        Some(mut zlib) => {
            zlib.reset(false);
            zlib
        }
        // With the largest window, which it has memory for in any case: so it fits whatever was
        // agreed on.
        None => Box::new(Inflate::new(false, WindowBits::MAX.get())),
    }
}

/// Gives it back.
pub(super) fn give_back_decompressor(zlib: Box<Inflate>) {
    with_pool(|pool| {
        if pool.decompressing.len() < MOST_KEPT {
            pool.decompressing.push(zlib);
        }
        Some(())
    });
}

/// Memory to compress into, empty.
pub(super) fn take_compressed() -> Vec<u8> {
    with_pool(|pool| Some(std::mem::take(&mut pool.compressed))).unwrap_or_default()
}

/// Gives it back, if it is no more than a usual message takes.
pub(super) fn give_back_compressed(mut output: Vec<u8>) {
    output.clear();
    with_pool(|pool| {
        if output.capacity() <= MOST_COMPRESSED {
            pool.compressed = output;
        }
        Some(())
    });
}

/// Memory to inflate into.
pub(crate) fn take_inflated() -> Box<InflatedBytes> {
    with_pool(|pool| pool.inflated.take()).unwrap_or_else(|| Box::new([0; INFLATED_SIZE]))
}

/// Gives it back.
pub(crate) fn give_back_inflated(output: Box<InflatedBytes>) {
    with_pool(|pool| {
        pool.inflated = Some(output);
        Some(())
    });
}

/// `None` also when the thread ends and its pool is gone.
fn with_pool<T>(use_it: impl FnOnce(&mut Pool) -> Option<T>) -> Option<T> {
    POOL.try_with(|pool| use_it(&mut pool.borrow_mut()))
        .ok()
        .flatten()
}

/// How many of a kind a thread keeps: one is in use at a time, but for messages under way.
const MOST_KEPT: usize = 4;

const INFLATED_SIZE: usize = 16 * 1024;

/// How much memory to compress into is kept.
const MOST_COMPRESSED: usize = 64 * 1024;
