//! A tunnel through a SOCKS 5 proxy (RFC 1928), with or without user name and password (RFC 1929).
//!
//! ```text
//!   Socks5::start ─▶ method ─▶ (user name and password) ─▶ reply ─▶ Established
//!                        each by proceed; or proceed, handle_eof ─▶ Socks5Error
//! ```

mod error;
mod negotiation;
mod reply;
mod request;

pub use error::Socks5Error;
pub use negotiation::{Socks5, Step};
pub use reply::Refusal;
