//! A server's way to an open connection, a file per step.

mod handshake;
mod listener;
mod options;
mod pending;

pub use crate::accept::listener::{Incoming, Listener};
pub use crate::accept::options::AcceptOptions;
pub use crate::accept::pending::PendingHandshake;
