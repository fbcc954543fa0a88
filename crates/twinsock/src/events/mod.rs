//! The event form of the sockets: handlers, and the task that calls them.

mod handlers;
mod panic;
mod task;

pub use crate::events::handlers::Handlers;

pub(crate) use crate::events::handlers::ClosedHandler;
pub(crate) use crate::events::task::{spawn_for_closed, spawn_for_messages};
