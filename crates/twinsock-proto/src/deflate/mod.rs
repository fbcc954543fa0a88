//! permessage-deflate (RFC 7692): messages that are compressed.
//!
//! [`parameters`] is what both ends agree on, [`offer`] what a client asks for and how it judges
//! the answer, [`terms`] what a server accepts, and [`parameter_list`] the parameters as they stand
//! in the header (§7.1). [`compressor`] and [`decompressor`] do the work for one direction (§7.2),
//! with memory of the [`pool`]; [`history`] is what they keep of past messages while a connection
//! is idle, and [`count`] how much was saved. Frames are none of its concern: `receive` and `send` use it.
//!
//! # What always holds
//! * What is inflated goes into memory that is bounded by the caller; the work is linear in what
//!   came and what went out.
//! * Between messages a connection holds none of zlib's memory, but where it has taken context over
//!   and goes on from a large window.
//! * Nothing of one message stays behind for another, but where context takeover was agreed.

pub(crate) mod compressor;
pub(crate) mod count;
pub(crate) mod decompressor;
mod history;
pub(crate) mod offer;
pub(crate) mod parameter_list;
pub(crate) mod parameters;
pub(crate) mod pool;
pub(crate) mod settings;
pub(crate) mod terms;
mod trial;

/// The extension's name (RFC 7692 §7).
pub(crate) const NAME: &str = "permessage-deflate";

/// What ends a flushed piece and is left out at a message's end (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// How far one of zlib's totals has come.
fn difference(after: u64, before: u64) -> usize {
    usize::try_from(after - before).unwrap_or(usize::MAX)
}
