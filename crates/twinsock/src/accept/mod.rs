//! A server's way to an open connection, a file per step.

mod arrived;
mod handshake;
mod listener;
mod options;
mod pending;
mod secure;

pub use crate::accept::listener::{Incoming, Listener};
pub use crate::accept::options::AcceptOptions;
pub use crate::accept::pending::PendingHandshake;
