//! Masking and UTF-8 validation for WebSockets (RFC 6455 §5.3 and §8.1).
//!
//! Both touch each byte of a message, so both use the widest vectors that the processor has. That
//! is found out once, while the program runs: AVX-512 (with VBMI), AVX2, or plain code that the
//! compiler vectorises for its target. What a function returns never depends on it.
//!
//! ```
//! use twinsock_simd::{mask, unmask_utf8};
//!
//! let key = [0x37, 0xfa, 0x21, 0x3d];
//! let mut payload = *b"Hello";
//! mask(&mut payload, key);
//! assert_eq!(payload, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
//! assert_eq!(unmask_utf8(&mut payload, key), Ok("Hello"));
//! ```
//!
//! Text that arrives in pieces is put together and checked by [`TextBuffer`]; [`SharedText`] keeps
//! text that was checked.
//!
//! This is the only crate of the project that uses `unsafe`. It stands in few places: the loads
//! and stores of the vectors, the calls into code for a processor that was found, memory that
//! counts as filled once it is, and the steps from checked bytes to `str`. A processor that was
//! found is a value which only the detection can make, so that no other code can pick
//! instructions that are not there.

#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

mod level;
mod mask;
mod shared_text;
#[cfg(test)]
mod tests;
mod text_buffer;
mod utf8;

pub use mask::{append_masked, mask};
pub use shared_text::SharedText;
pub use text_buffer::TextBuffer;
pub use utf8::{InvalidUtf8, from_utf8, split_cut_character, unmask_utf8};
